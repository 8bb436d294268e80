//! A contract's slots: a tree in which a node has 32 places, chosen by five bits of the key each. A place holds one slot, or a link
//! to a node of all slots that belong there; places that would hold nothing but that link are skipped, and listed in an extension.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::Counts;
use crate::cbor::{Reader, Writer, big, trim};
use crate::sys::{Cid, DAG_CBOR, fail, load, save};

/// A slot's key.
pub(crate) type Key = [u8; 32];

/// Five bits at a time; one is left in the end.
const LEVELS: usize = 52;

/// The place of a key on each level.
pub(crate) fn places(key: &Key) -> [u8; LEVELS] {
    let bit = |at: usize| match key.get(at / 8) {
        Some(byte) => byte >> (7 - at % 8) & 1,
        None => 0,
    };
    core::array::from_fn(|level| {
        let bits = 5 * level..(5 * level + 5).min(256);
        bits.fold(0, |place, at| place << 1 | bit(at))
    })
}

enum Pointer {
    /// A slot, its key without leading zeros.
    Slot(Vec<u8>, Vec<u8>),
    Link(Link),
}

struct Link {
    /// Where the node is written; meaningless while it is dirty.
    cid: Cid,
    skipped: Vec<u8>,
    node: Option<Box<Node>>,
    dirty: bool,
}

impl Link {
    fn to(skipped: &[u8], node: Node) -> Pointer {
        Pointer::Link(Self {
            cid: [0; 38],
            skipped: skipped.to_vec(),
            node: Some(Box::new(node)),
            dirty: true,
        })
    }

    fn node(&mut self) -> &mut Node {
        self.node.get_or_insert_with(|| Box::new(Node::load(&self.cid)))
    }
}

/// Pointers by place, in order.
#[derive(Default)]
pub(crate) struct Node(Vec<(u8, Pointer)>);

/// The key that was without leading zeros.
fn whole(trimmed: &[u8]) -> Key {
    let mut key = [0; 32];
    key[32 - trimmed.len()..].copy_from_slice(trimmed);
    key
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

impl Node {
    pub(crate) fn load(cid: &Cid) -> Self {
        let data = load(cid);
        let mut reader = Reader(&data);
        if reader.array() != 2 {
            fail(42)
        }
        let field = big(reader.bytes());
        if reader.array() != field.count_ones() as usize {
            fail(42)
        }
        let taken = (0..32).filter(|place| field >> place & 1 == 1);
        Self(taken.map(|place| (place, Self::pointer(&mut reader))).collect())
    }

    fn pointer(reader: &mut Reader<'_>) -> Pointer {
        if reader.map() != 1 {
            fail(42)
        }
        match reader.text() {
            b"v" => {
                if reader.array() != 1 || reader.array() != 2 {
                    fail(42)
                }
                let key = reader.bytes().to_vec();
                Pointer::Slot(key, reader.bytes().to_vec())
            }
            b"l" => {
                if reader.array() != 3 {
                    fail(42)
                }
                let cid = reader.link();
                let size = reader.number() as usize;
                let bits = reader.bytes();
                let bit = |at: usize| bits[at / 8] >> (7 - at % 8) & 1;
                let skipped =
                    (0..size / 5).map(|level| (0..5).fold(0, |place, at| place << 1 | bit(5 * level + at)));
                Pointer::Link(Link { cid, skipped: skipped.collect(), node: None, dirty: false })
            }
            _ => fail(42),
        }
    }

    /// Writes the node, after all under it that changed.
    pub(crate) fn save(&mut self) -> Cid {
        let mut writer = Writer::default();
        writer.array(2);
        let field = self.0.iter().fold(0_u32, |field, (place, _)| field | 1 << place);
        writer.bytes(trim(&field.to_be_bytes()));
        writer.array(self.0.len());
        for (_, pointer) in &mut self.0 {
            writer.map(1);
            match pointer {
                Pointer::Slot(key, value) => {
                    writer.text(b"v");
                    writer.array(1);
                    writer.array(2);
                    writer.bytes(key);
                    writer.bytes(value);
                }
                Pointer::Link(link) => {
                    if let (true, Some(node)) = (link.dirty, &mut link.node) {
                        link.cid = node.save();
                        link.dirty = false;
                    }
                    writer.text(b"l");
                    writer.array(3);
                    writer.link(&link.cid);
                    let size = 5 * link.skipped.len();
                    writer.number(size as u64);
                    let mut bits = vec![0; size.div_ceil(8)];
                    for at in 0..size {
                        bits[at / 8] |= (link.skipped[at / 5] >> (4 - at % 5) & 1) << (7 - at % 8);
                    }
                    writer.bytes(&bits);
                }
            }
        }
        save(DAG_CBOR, &writer.0)
    }

    fn find(&self, place: u8) -> Result<usize, usize> {
        self.0.binary_search_by_key(&place, |(place, _)| *place)
    }

    /// A slot's value, below a path of `level` places.
    pub(crate) fn get(&mut self, key: &Key, level: usize) -> Option<&[u8]> {
        let places = places(key);
        let index = self.find(places[level]).ok()?;
        match &mut self.0[index].1 {
            Pointer::Slot(found, value) => (found == trim(key)).then_some(value),
            Pointer::Link(link) => {
                let deeper = level + 1 + link.skipped.len();
                match places[level + 1..].starts_with(&link.skipped) {
                    true => link.node().get(key, deeper),
                    false => None,
                }
            }
        }
    }

    /// Sets a slot; says whether that changed anything.
    pub(crate) fn set(&mut self, key: &Key, value: &[u8], level: usize, counts: &mut Counts) -> bool {
        let places = places(key);
        let slot = || Pointer::Slot(trim(key).to_vec(), value.to_vec());
        let index = match self.find(places[level]) {
            Ok(index) => index,
            Err(index) => {
                self.0.insert(index, (places[level], slot()));
                return true;
            }
        };
        let pointer = &mut self.0[index].1;
        let below = &places[level + 1..];
        match pointer {
            Pointer::Slot(found, old) if found == trim(key) => {
                let changed = *old != value;
                *old = value.to_vec();
                changed
            }
            Pointer::Slot(found, _) => {
                counts.splits += 1;
                let others = self::places(&whole(found));
                let shared = common(below, &others[level + 1..]);
                let other = core::mem::replace(pointer, slot());
                let mut node = Self(vec![(others[level + 1 + shared], other)]);
                node.set(key, value, level + 1 + shared, counts);
                *pointer = Link::to(&below[..shared], node);
                true
            }
            Pointer::Link(link) => {
                let shared = common(below, &link.skipped);
                if shared == link.skipped.len() {
                    let changed = link.node().set(key, value, level + 1 + shared, counts);
                    link.dirty |= changed;
                    return changed;
                }
                // A node in the middle of what was skipped.
                counts.splits += 1;
                let skipped = core::mem::take(&mut link.skipped);
                link.skipped = skipped[shared + 1..].to_vec();
                let old = core::mem::replace(pointer, slot());
                let mut node = Self(vec![(skipped[shared], old)]);
                node.set(key, value, level + 1 + shared, counts);
                *pointer = Link::to(&skipped[..shared], node);
                true
            }
        }
    }

    /// Deletes a slot; says whether it was there.
    pub(crate) fn delete(&mut self, key: &Key, level: usize, counts: &mut Counts) -> bool {
        let places = places(key);
        let Ok(index) = self.find(places[level]) else {
            return false;
        };
        let pointer = &mut self.0[index].1;
        let link = match pointer {
            Pointer::Slot(found, _) => {
                let there = found == trim(key);
                if there {
                    self.0.remove(index);
                }
                return there;
            }
            Pointer::Link(link) => link,
        };
        let deeper = level + 1 + link.skipped.len();
        if !places[level + 1..].starts_with(&link.skipped) || !link.node().delete(key, deeper, counts) {
            return false;
        }
        link.dirty = true;
        // A node with one pointer only is none: the pointer belongs here.
        let mut skipped = core::mem::take(&mut link.skipped);
        if link.node().0.len() > 1 {
            link.skipped = skipped;
            return true;
        }
        counts.collapses += 1;
        let Some((place, mut only)) = link.node().0.pop() else { fail(42) };
        if let Pointer::Link(below) = &mut only {
            skipped.push(place);
            skipped.append(&mut below.skipped);
            below.skipped = skipped;
        }
        *pointer = only;
        true
    }
}
