//! A contract's state: a tuple of bytecode, its hash, slots, transient data, nonce and tombstone. It is read when it is first needed, and
//! written before other code could look at it.

use crate::Counts;
use crate::cbor::{Reader, Writer, big, trim};
use crate::kamt::{Key, Node};
use crate::sys::{self, Cid, DAG_CBOR, RAW, fail};

struct Tuple {
    bytecode: Cid,
    hash: [u8; 32],
    slots: Cid,
    nonce: u64,
}

impl Tuple {
    fn save(&self) {
        let mut writer = Writer::default();
        writer.array(6);
        writer.link(&self.bytecode);
        writer.bytes(&self.hash);
        writer.link(&self.slots);
        writer.null();
        writer.number(self.nonce);
        writer.null();
        sys::set_root(&sys::save(DAG_CBOR, &writer.0));
    }
}

struct Read {
    tuple: Tuple,
    slots: Option<Node>,
    dirty: bool,
}

/// The state as this call sees it.
#[derive(Default)]
pub(crate) struct Contract(Option<Read>);

/// Makes the state that of a new contract without slots.
pub(crate) fn construct() {
    let bytecode = sys::save(RAW, b"tandem");
    Tuple { bytecode, hash: [7; 32], slots: Node::default().save(), nonce: 1 }.save();
}

impl Contract {
    fn read(&mut self) -> &mut Read {
        self.0.get_or_insert_with(|| {
            let data = sys::load(&sys::root());
            let mut reader = Reader(&data);
            if reader.array() != 6 {
                fail(41)
            }
            let bytecode = reader.link();
            let hash = reader.bytes().try_into().unwrap_or_else(|_| fail(41));
            let slots = reader.link();
            // No transient data.
            reader.byte();
            let tuple = Tuple { bytecode, hash, slots, nonce: reader.number() };
            Read { tuple, slots: None, dirty: false }
        })
    }

    fn slots(&mut self) -> &mut Node {
        let read = self.read();
        read.slots.get_or_insert_with(|| Node::load(&read.tuple.slots))
    }

    pub(crate) fn get(&mut self, key: &Key) -> u64 {
        match self.slots().get(key, 0) {
            Some(value) if value.len() > 8 => fail(45),
            Some(value) => big(value),
            None => 0,
        }
    }

    /// Sets a slot, or deletes it if the value is zero.
    pub(crate) fn set(&mut self, key: &Key, value: u64, counts: &mut Counts) {
        let changed = match value {
            0 => self.slots().delete(key, 0, counts),
            value => self.slots().set(key, trim(&value.to_be_bytes()), 0, counts),
        };
        self.read().dirty |= changed;
    }

    pub(crate) fn nonce(&mut self) -> u64 {
        self.read().tuple.nonce
    }

    pub(crate) fn set_nonce(&mut self, nonce: u64) {
        let read = self.read();
        read.dirty |= read.tuple.nonce != nonce;
        read.tuple.nonce = nonce;
    }

    /// Writes the changes.
    pub(crate) fn save(&mut self) {
        let Some(read) = self.0.as_mut().filter(|read| read.dirty) else {
            return;
        };
        if let Some(slots) = &mut read.slots {
            read.tuple.slots = slots.save();
        }
        read.tuple.save();
        read.dirty = false;
    }

    /// Makes a call, with the state written before, and read again after if it changed in between.
    pub(crate) fn around<T>(&mut self, counts: &mut Counts, call: impl FnOnce(&mut Counts) -> T) -> T {
        self.save();
        let before = sys::root();
        let result = call(counts);
        if sys::root() != before {
            counts.reentered += 1;
            self.0 = None;
        }
        result
    }

    /// Forgets all reads.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}
