//! Differences and merges against making all changes in one KAMT.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
use crate::store::MemoryStore;
use crate::workload::Chance;

/// Notes reads and writes, as the recording kernel does.
#[derive(Default)]
struct Noting {
    store: MemoryStore,
    opened: RefCell<Cids>,
    written: RefCell<Cids>,
}

impl Blockstore for Noting {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        self.opened.borrow_mut().insert(*cid);
        self.store.get(cid)
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        self.written.borrow_mut().insert(*cid);
        self.store.put_keyed(cid, data)
    }
}

type Edits = BTreeMap<[u8; 32], u64>;

/// Keys of several kinds: scattered, next to one another, and with long common prefixes.
fn key(chance: &mut Chance) -> [u8; 32] {
    let mut key = [0; 32];
    match chance.below(3) {
        0 => key[31] = chance.below(64) as u8,
        1 => {
            key = [0xab; 32];
            key[30..].copy_from_slice(&(chance.below(600) as u16).to_be_bytes());
        }
        _ => {
            let mut seeded = Chance::new(chance.below(300) as u64);
            for part in key.chunks_mut(8) {
                part.copy_from_slice(&seeded.number().to_be_bytes());
            }
        }
    }
    key
}

fn edits(chance: &mut Chance, size: usize) -> Edits {
    let mut edit = || {
        let value = if chance.one_in(3) { 0 } else { chance.number() >> chance.below(64) };
        (key(chance), value)
    };
    (0..size).map(|_| edit()).collect()
}

fn make(slots: &mut Slots<'_, impl Blockstore>, edits: &Edits) {
    for (key, value) in edits {
        let slot = Slot::new(key);
        match Value::new(*value) {
            Some(value) => slots.set(slot, value).map(drop),
            None => slots.delete(&slot).map(drop),
        }
        .expect("an edit");
    }
}

fn edited(store: &impl Blockstore, root: &Cid, edits: &Edits) -> Cid {
    let mut slots: Slots<'_, _> = Kamt::load_with_config(root, store, LAYOUT).expect("a root");
    make(&mut slots, edits);
    slots.flush().expect("a root")
}

#[test]
fn merges_are_what_one_after_the_other_gives() {
    let mut chance = Chance::new(5);
    let (mut deletions, mut replaced) = (0, 0);
    for round in 0..3_000 {
        let noting = Noting::default();
        let mut slots = empty(&noting);
        let size = chance.below(200);
        make(&mut slots, &edits(&mut chance, size));
        let base = slots.flush().expect("a root");
        let size = 1 + chance.below(6);
        let first = edits(&mut chance, size);
        let mut second = edits(&mut chance, size);
        second.retain(|key, _| !first.contains_key(key));
        let truth = edited(&noting.store, &base, &first);
        noting.opened.take();
        noting.written.take();
        let post = edited(&noting, &base, &second);
        let both = edited(&noting.store, &truth, &second);
        let (opened, written) = (noting.opened.borrow(), noting.written.borrow());
        let diff = diff(&noting.store, &base, &post, &opened, &written);
        let diff = diff.expect("a difference");
        assert_eq!(merge(&noting.store, &truth, &diff), Some(both), "round {round}");
        // The short way gives the same, and only where no slot comes or goes.
        let values = diff.iter().map(|(slot, value)| Some((slot, value.as_ref()?)));
        let values = values.collect::<Option<Vec<_>>>().unwrap_or_default();
        if let Some(root) = replace::replace(&noting.store, &truth, &values, 0).filter(|_| !values.is_empty())
        {
            assert_eq!(root, both, "round {round}");
            let slots: Slots<'_, _> = Kamt::load_with_config(&truth, &noting.store, LAYOUT).expect("slots");
            assert!(values.iter().all(|(slot, _)| slots.get(*slot).expect("a path").is_some()));
            replaced += 1;
        }
        deletions += usize::from(diff.iter().any(|(_, value)| value.is_none()));
    }
    assert!(deletions > 200, "{deletions} with deletions");
    assert!(replaced > 50, "{replaced} with replacements only");
}

#[test]
fn what_was_not_opened_cannot_be_told() {
    let noting = Noting::default();
    let mut chance = Chance::new(9);
    let mut slots = empty(&noting.store);
    make(&mut slots, &edits(&mut chance, 200));
    let base = slots.flush().expect("a root");
    let post = edited(&noting, &base, &edits(&mut chance, 3));
    let (opened, written) = (noting.opened.borrow(), noting.written.borrow());
    assert!(diff(&noting.store, &base, &post, &opened, &written).is_some());
    assert_eq!(diff(&noting.store, &base, &post, &Cids::default(), &written), None);
    // Nodes that were not written and do not come from the old state.
    assert_eq!(diff(&noting.store, &base, &post, &opened, &Cids::default()), None);
}

#[test]
fn broken_nodes_cannot_be_told() {
    let store = MemoryStore::default();
    for broken in
        [&[0x81_u8][..], &[0x82, 0x40, 0x81, 0x01], &[0x82, 0x41, 1, 0x81, 0xa1, 0x61, 0x78, 0x80], &[0xff]]
    {
        assert!(Node::read(broken).is_none(), "{broken:?}");
    }
    assert!(Node::read(&[0x82, 0x40, 0x80]).is_some());
    let missing = fvm_shared::EMPTY_ARR_CID;
    let all = Cids::from_iter([missing]);
    assert_eq!(diff(&store, &missing, &missing, &all, &all), None);
    assert_eq!(merge(&store, &missing, &Diff::new()), None);
}
