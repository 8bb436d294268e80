//! From RLP to nodes. Bytes that are not exactly a node are refused.

use super::{
    node::{Branch, Extension, Kind, Leaf, Link},
    reference::Reference,
    value::Value,
};
use alloy_primitives::B256;
use alloy_rlp::{EMPTY_STRING_CODE, Header};
use alloy_trie::Nibbles;

/// Nibbles in the longest key.
const MAX_PATH: usize = 64;

/// A node as its RLP shows it.
#[derive(Debug)]
pub(super) enum Shape<'a> {
    Leaf { path: Nibbles, value: &'a [u8] },
    Extension { path: Nibbles, child: Reference },
    Branch { children: [&'a [u8]; 16], value: &'a [u8] },
}

impl<'a> Shape<'a> {
    /// Decodes a node that hangs `depth` nibbles below the root; `None` if it is malformed.
    pub(super) fn decode(mut rlp: &'a [u8], depth: usize) -> Option<Self> {
        let mut payload = Header::decode_bytes(&mut rlp, true).ok()?;
        if !rlp.is_empty() {
            return None;
        }
        let mut items = [&[][..]; 17];
        let mut count = 0;
        while !payload.is_empty() {
            *items.get_mut(count)? = item(&mut payload)?;
            count += 1;
        }
        match count {
            2 => Self::short(items[0], items[1], depth),
            17 => Self::branch(&items, depth),
            _ => None,
        }
    }

    fn short(path: &'a [u8], second: &'a [u8], depth: usize) -> Option<Self> {
        let (path, is_leaf) = decode_path(string(path)?)?;
        if depth + path.len() > MAX_PATH {
            return None;
        }
        if is_leaf {
            let value = string(second)?;
            return (!value.is_empty()).then_some(Self::Leaf { path, value });
        }
        // The branch below leads on by a nibble at least.
        let fits = !path.is_empty() && depth + path.len() < MAX_PATH;
        fits.then(|| decode_reference(second)).flatten().map(|child| Self::Extension { path, child })
    }

    fn branch(items: &[&'a [u8]; 17], depth: usize) -> Option<Self> {
        let mut children = [&[][..]; 16];
        let mut count = 0;
        for (child, item) in children.iter_mut().zip(items) {
            if *item != [EMPTY_STRING_CODE] {
                *child = item;
                count += 1;
            }
        }
        let value = string(items[16])?;
        let fits = depth < MAX_PATH && count + usize::from(!value.is_empty()) >= 2;
        fits.then_some(Self::Branch { children, value })
    }

    /// The reference to a branch's child; `None` inside if there is no such child, outside if it is malformed.
    pub(super) fn child(item: &[u8]) -> Option<Option<Reference>> {
        if item.is_empty() { Some(None) } else { decode_reference(item).map(Some) }
    }

    /// The node in memory, its children known by their references; `None` if one of these is malformed.
    pub(super) fn into_kind(self) -> Option<Kind> {
        Some(match self {
            Self::Leaf { path, value } => Kind::Leaf(Leaf { path, value: Value::new(value)? }),
            Self::Extension { path, child } => {
                Kind::Extension(Box::new(Extension { path, child: Link::unknown(child) }))
            }
            Self::Branch { children, value } => {
                let mut links = Vec::with_capacity(children.iter().filter(|item| !item.is_empty()).count());
                for (nibble, item) in (0..).zip(children) {
                    if let Some(reference) = Self::child(item)? {
                        links.push((nibble, Link::unknown(reference)));
                    }
                }
                Kind::Branch(Branch::new(links, Value::new(value)))
            }
        })
    }
}

/// Cuts the first item, its header included, off a list's payload.
fn item<'a>(payload: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = *payload;
    let Header { payload_length, .. } = Header::decode(payload).ok()?;
    let rest = payload.get(payload_length..)?;
    *payload = rest;
    start.get(..start.len() - rest.len())
}

fn string(mut item: &[u8]) -> Option<&[u8]> {
    Header::decode_bytes(&mut item, false).ok()
}

fn decode_reference(item: &[u8]) -> Option<Reference> {
    match *item.first()? {
        0xa0 => B256::try_from(item.get(1..)?).ok().map(Reference::hash),
        0xc0.. => Reference::embedded(item),
        _ => None,
    }
}

/// Decodes a path in the hex-prefix encoding (yellow paper, appendix C), and whether it is a leaf's.
fn decode_path(bytes: &[u8]) -> Option<(Nibbles, bool)> {
    let (&first, rest) = bytes.split_first()?;
    let odd = first & 0x10 != 0;
    if first >= 0x40 || (!odd && first & 0x0f != 0) || rest.len() * 2 + usize::from(odd) > MAX_PATH {
        return None;
    }
    let mut path = Nibbles::new();
    if odd {
        path.push(first & 0x0f);
    }
    path.extend(&Nibbles::unpack(rest));
    Some((path, first & 0x20 != 0))
}

#[cfg(test)]
mod tests {
    use super::super::encode::encode;
    use super::*;
    use alloy_rlp::Encodable;

    /// The list of items that are RLP already.
    fn list(items: &[&[u8]]) -> Vec<u8> {
        let mut rlp = Vec::new();
        Header { list: true, payload_length: items.iter().map(|item| item.len()).sum() }.encode(&mut rlp);
        items.iter().for_each(|item| rlp.extend_from_slice(item));
        rlp
    }

    fn string(bytes: &[u8]) -> Vec<u8> {
        let mut rlp = Vec::new();
        bytes.encode(&mut rlp);
        rlp
    }

    fn hash() -> Vec<u8> {
        string(&[7; 32])
    }

    /// A branch with these items first, the rest of them absent.
    fn branch(items: &[&[u8]]) -> Vec<u8> {
        let mut all = vec![&[EMPTY_STRING_CODE][..]; 17];
        all[..items.len()].copy_from_slice(items);
        list(&all)
    }

    fn is_node(rlp: &[u8], depth: usize) -> bool {
        let Some(kind) = Shape::decode(rlp, depth).and_then(Shape::into_kind) else { return false };
        let mut again = Vec::new();
        encode(&kind, &mut again);
        assert_eq!(again, rlp, "encoding is the inverse of decoding");
        true
    }

    #[test]
    fn what_is_a_node_is_decoded_and_encoded_to_the_same_bytes() {
        let embedded = list(&[&string(&[0x20]), &string(&[1])]);
        let with_value = {
            let mut items = vec![&[EMPTY_STRING_CODE][..]; 17];
            let (hash, value) = (hash(), string(&[9; 100]));
            (items[4], items[16]) = (&hash, &value);
            list(&items)
        };
        for node in [
            list(&[&string(&[0x20]), &string(&[1])]),
            list(&[&string(&[0x3a, 0xbc]), &string(&[1; 60])]),
            list(&[&string(&[0x00, 0xab]), &hash()]),
            list(&[&string(&[0x1a]), &embedded]),
            branch(&[&hash(), &embedded]),
            branch(&[hash().as_slice(); 16]),
            with_value,
        ] {
            assert!(is_node(&node, 5), "{node:x?}");
        }
    }

    #[test]
    fn what_is_no_node_is_refused() {
        let one = string(&[1]);
        let long = [0x20; 33];
        for (bad, why) in [
            (vec![], "nothing"),
            (vec![0x80], "an empty string"),
            (list(&[]), "an empty list"),
            (list(&[&string(&[0x20])]), "one item"),
            (list(&[&string(&[0x20]), &one, &one]), "three items"),
            (list(&[one.as_slice(); 16]), "16 items"),
            (list(&[one.as_slice(); 18]), "18 items"),
            (list(&[&string(&[]), &one]), "no path"),
            (list(&[&string(&[0x40]), &one]), "a flag that is none"),
            (list(&[&string(&[0x21]), &one]), "a nibble in an even path's flag"),
            (list(&[&string(&[0x20]), &string(&[])]), "a leaf without value"),
            (list(&[&string(&[0x20]), &list(&[&one])]), "a list as value"),
            (list(&[&string(&long[..33]), &one]), "a path that is longer than a key here"),
            (list(&[&string(&[0x00]), &hash()]), "an extension without path"),
            (list(&[&string(&[0x11]), &one]), "a reference that is neither hash nor node"),
            (list(&[&string(&[0x11]), &string(&[])]), "an extension to nothing"),
            (list(&[&string(&[0x11]), &list(&[&hash()])]), "an embedded node that is too long"),
            (branch(&[]), "a branch to nothing"),
            (branch(&[&hash()]), "a branch to one child"),
            (branch(&[&hash(), &one]), "a child that is neither hash nor node"),
            ([list(&[&string(&[0x20]), &one]), vec![0]].concat(), "a byte too many"),
        ] {
            assert!(!is_node(&bad, 5), "{why}");
        }
        let (leaf, stem) = (list(&[&string(&[0x31]), &one]), list(&[&string(&[0x11]), &hash()]));
        assert!(is_node(&leaf, 63) && !is_node(&leaf, 64));
        assert!(is_node(&stem, 62) && !is_node(&stem, 63));
        assert!(is_node(&branch(&[&hash(), &hash()]), 63) && !is_node(&branch(&[&hash(), &hash()]), 64));
    }
}
