use super::{reference::Reference, value::Value};
use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// A place where a node hangs: the root, or the child of an extension or a branch.
#[derive(Debug)]
pub(super) struct Link {
    /// The node, or `None` while it is known by its reference alone.
    pub(super) node: Option<Box<Node>>,
    /// About how many leaves below changed since `reference` was computed; 0 if it is up to date.
    ///
    /// Invariant 1: a link without a node has a `stale` of 0.
    /// Invariant 2: if a node's link is stale, so are the links of all nodes above it.
    pub(super) stale: u32,
    /// How the parent refers to the node. Means nothing while `stale`.
    pub(super) reference: Reference,
}

/// A node in memory.
#[derive(Debug)]
pub(super) struct Node {
    /// The epoch of the last change; 0 for a node that is as the source has it.
    ///
    /// Invariant 3: it is no lower than that of any node below, and so for `used`.
    pub(super) changed: u32,
    /// The epoch of the last visit.
    pub(super) used: u32,
    /// Whether the last nodes taken, or the source, hold an inner node under the path of this one.
    pub(super) stored: bool,
    pub(super) kind: Kind,
}

/// The kind of a node.
#[derive(Debug)]
pub(super) enum Kind {
    Leaf(Leaf),
    // Boxed, since it is rare and would make all nodes larger.
    Extension(Box<Extension>),
    Branch(Branch),
}

/// The rest of one key, and its value.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: Nibbles,
    pub(super) value: Value,
}

/// Nibbles that all keys below share, never none; below is a branch.
#[derive(Debug)]
pub(super) struct Extension {
    pub(super) path: Nibbles,
    pub(super) child: Link,
}

/// A node with up to 16 children, one for each next nibble, and the value of the key that ends here.
#[derive(Debug, Default)]
pub(super) struct Branch {
    /// Bit n is set if there is a child for nibble n.
    mask: u16,
    /// The children that are there, by nibble.
    children: Vec<Link>,
    /// Only where keys may be prefixes of others, which those of the state are not.
    pub(super) value: Option<Box<Value>>,
}

impl Link {
    pub(super) const fn unknown(reference: Reference) -> Self {
        Self { node: None, stale: 0, reference }
    }

    /// A link to a node whose reference is still to be computed.
    pub(super) fn fresh(node: Box<Node>, leaves: usize) -> Self {
        let mut link = Self { node: Some(node), stale: 0, reference: Reference::hash(B256::ZERO) };
        link.mark(leaves);
        link
    }

    /// Notes that about so many leaves below changed.
    pub(super) fn mark(&mut self, leaves: usize) {
        self.stale = self.stale.saturating_add(u32::try_from(leaves.max(1)).unwrap_or(u32::MAX));
    }

    /// Takes the link out of a place that gets another one later, or is given up.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::unknown(Reference::hash(B256::ZERO)))
    }

    pub(super) fn kind(&self) -> Option<&Kind> {
        self.node.as_ref().map(|node| &node.kind)
    }
}

impl Node {
    /// A node that no source has, made in `epoch`.
    pub(super) fn new(kind: Kind, epoch: u32) -> Box<Self> {
        Box::new(Self { changed: epoch, used: epoch, stored: false, kind })
    }

    pub(super) fn is_leaf(&self) -> bool {
        matches!(self.kind, Kind::Leaf(_))
    }

    /// The node's children, with the nibbles that lead to them from the node.
    pub(super) fn children_mut(&mut self) -> impl Iterator<Item = (Nibbles, &mut Link)> {
        let (extension, branch) = match &mut self.kind {
            Kind::Leaf(_) => (None, None),
            Kind::Extension(extension) => (Some((extension.path, &mut extension.child)), None),
            Kind::Branch(branch) => (None, Some(branch.children_mut())),
        };
        extension.into_iter().chain(
            branch
                .into_iter()
                .flatten()
                .map(|(nibble, link)| (Nibbles::from_nibbles_unchecked([nibble]), link)),
        )
    }
}

impl Branch {
    /// A branch with these children, by ascending nibbles.
    pub(super) fn new(children: impl IntoIterator<Item = (u8, Link)>, value: Option<Value>) -> Self {
        let mut branch = Self { value: value.map(Box::new), ..Self::default() };
        let children = children.into_iter();
        branch.children.reserve_exact(children.size_hint().0);
        for (nibble, link) in children {
            branch.mask |= 1 << nibble;
            branch.children.push(link);
        }
        branch
    }

    fn index(&self, nibble: u8) -> usize {
        (self.mask & ((1 << nibble) - 1)).count_ones() as usize
    }

    fn has(&self, nibble: u8) -> bool {
        self.mask & (1 << nibble) != 0
    }

    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    pub(super) fn get(&self, nibble: u8) -> Option<&Link> {
        if self.has(nibble) { self.children.get(self.index(nibble)) } else { None }
    }

    pub(super) fn get_mut(&mut self, nibble: u8) -> Option<&mut Link> {
        let index = self.index(nibble);
        if self.has(nibble) { self.children.get_mut(index) } else { None }
    }

    /// Takes a child out until [`Self::put`] brings it back.
    pub(super) fn take(&mut self, nibble: u8) -> Option<Link> {
        self.get_mut(nibble).map(Link::take)
    }

    /// Sets or removes a child.
    pub(super) fn put(&mut self, nibble: u8, link: Option<Link>) {
        let index = self.index(nibble);
        match (link, self.has(nibble)) {
            (Some(link), true) => self.children[index] = link,
            (Some(link), false) => {
                self.children.insert(index, link);
                self.mask |= 1 << nibble;
            }
            (None, true) => {
                self.children.remove(index);
                self.mask &= !(1 << nibble);
            }
            (None, false) => {}
        }
    }

    /// Takes the only child out of a branch that ceases to be.
    pub(super) fn take_only_child(&mut self) -> Option<(u8, Link)> {
        let nibble = self.mask.trailing_zeros() as u8;
        self.mask = 0;
        self.children.pop().map(|link| (nibble, link))
    }

    pub(super) fn children(&self) -> impl Iterator<Item = (u8, &Link)> {
        nibbles(self.mask).zip(&self.children)
    }

    pub(super) fn children_mut(&mut self) -> impl Iterator<Item = (u8, &mut Link)> {
        nibbles(self.mask).zip(&mut self.children)
    }
}

/// The set bits of `mask`, ascending.
fn nibbles(mut mask: u16) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let nibble = mask.trailing_zeros() as u8;
        mask &= mask.wrapping_sub(1);
        (nibble < 16).then_some(nibble)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_compact() {
        assert!(size_of::<Link>() <= 48, "{}", size_of::<Link>());
        assert!(size_of::<Node>() <= 96, "{}", size_of::<Node>());
    }

    #[test]
    fn children_come_and_go_by_nibble() {
        let link = |byte| Link::unknown(Reference::hash(B256::repeat_byte(byte)));
        let mut branch = Branch::default();
        for nibble in [15, 0, 7, 3] {
            branch.put(nibble, Some(link(nibble)));
        }
        let nibbles: Vec<_> = branch.children().map(|(nibble, _)| nibble).collect();
        assert_eq!(nibbles, [0, 3, 7, 15]);
        for (nibble, child) in branch.children() {
            assert_eq!(child.reference, link(nibble).reference);
        }
        assert!(branch.get(8).is_none() && branch.take(8).is_none());
        branch.put(7, None);
        branch.put(8, None);
        let taken = branch.take(3);
        branch.put(3, taken);
        assert_eq!(branch.len(), 3);
        branch.put(0, None);
        branch.put(3, None);
        let (nibble, child) = branch.take_only_child().unwrap();
        assert_eq!((nibble, child.reference), (15, link(15).reference));
        assert!(branch.take_only_child().is_none());
    }
}
