//! Sources that lack nodes, hold wrong ones or fail, and what a witness may leave out.
#![allow(clippy::unwrap_used)]

use crate::trie_support::{changes::Keys, database::Database, model::Model, rng::Rng};
use alloy_primitives::{B256, Bytes, U256, b256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, root};
use std::io;
use tandem_state::Account;
use tandem_state::trie::{
    HashedAccount, HashedChanges, LeafUpdates, NodeSource, SparseTrie, StateTrie, TrieError, UnprovenWitness,
    Witness,
};

/// A database, and what is done to each node that it gives.
struct Altered<F>(Database, F);

impl<F> NodeSource for Altered<F>
where
    F: Fn(Option<B256>, &Nibbles, Option<Bytes>) -> io::Result<Option<Bytes>> + Sync,
{
    type Error = io::Error;

    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> io::Result<Option<Bytes>> {
        let Ok(node) = self.0.node(owner, path, hash);
        self.1(owner, path, node)
    }
}

/// A state that many accounts and slots make up, its root, and its database.
fn filled() -> (Model, B256, Database, Keys) {
    let rng = &mut Rng::new(7);
    let keys = Keys::new(rng, 40, 60);
    let (mut model, mut database) = (Model::default(), Database::default());
    let mut tries = StateTrie::new(EMPTY_ROOT_HASH);
    for _ in 0..4 {
        let chunk = keys.chunk(rng, &model, 30, 30);
        model.apply(&chunk);
        tries.update(&chunk, &database).unwrap();
    }
    let (root, leaves) = tries.finish_block(&database).unwrap();
    database.write_leaves(&leaves);
    database.write_nodes(&tries.take_nodes().1);
    (model, root, database, keys)
}

type Finished<E> = Result<(B256, LeafUpdates), TrieError<E>>;

/// A block on the filled state, from `source`.
fn run<N: NodeSource>(root: B256, changes: &HashedChanges, source: &N) -> (StateTrie, Finished<N::Error>) {
    let mut tries = StateTrie::new(root);
    let result = tries.update(changes, source).and_then(|()| tries.finish_block(source));
    (tries, result)
}

#[test]
fn a_source_that_fails_is_a_fault_with_its_place() {
    let (model, root, database, keys) = filled();
    let changes = keys.chunk(&mut Rng::new(1), &model, 30, 10);
    let source = Altered(database, |_, path: &Nibbles, node| match path.len() {
        2 => Err(io::Error::other("bad sector")),
        _ => Ok(node),
    });
    let (mut tries, result) = run(root, &changes, &source);
    let error = result.unwrap_err();
    assert!(matches!(&error, TrieError::Source { node, .. } if node.path.len() == 2), "{error}");
    assert!(error.to_string().ends_with("bad sector"), "{error}");
    assert!(matches!(tries.update(&changes, &source), Err(TrieError::Unusable)));
    assert!(matches!(tries.finish_block(&source), Err(TrieError::Unusable)));
    assert_eq!(tries.root(), root);
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let (model, root, database, keys) = filled();
    let changes = keys.chunk(&mut Rng::new(1), &model, 30, 10);
    let source =
        Altered(database, |_, path: &Nibbles, node: Option<Bytes>| Ok(node.filter(|_| path.len() < 2)));
    let error = run(root, &changes, &source).1.unwrap_err();
    let TrieError::Missing { node, .. } = &error else { panic!("{error}") };
    assert!(node.path.len() >= 2);
}

#[test]
fn a_node_that_is_another_is_a_fault_and_never_another_root() {
    let (model, root, database, keys) = filled();
    let changes = keys.chunk(&mut Rng::new(1), &model, 30, 10);
    let expected = run(root, &changes, &database).1.unwrap().0;
    for seed in 0..300 {
        let hit = std::sync::atomic::AtomicBool::new(false);
        let source = Altered(database.clone(), |owner: Option<B256>, path: &Nibbles, node: Option<Bytes>| {
            // One bit in three of ten nodes.
            let mut rng = Rng::new(seed ^ path.len() as u64 ^ owner.map_or(0, |owner| owner[0].into()));
            if !rng.percent(30) {
                return Ok(node);
            }
            let Some(mut bytes) = node.map(|node| node.to_vec()) else { return Ok(None) };
            hit.store(true, std::sync::atomic::Ordering::Relaxed);
            let bit = rng.below(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            Ok(Some(bytes.into()))
        });
        match run(root, &changes, &source).1 {
            Ok((root, _)) => {
                assert!(!hit.load(std::sync::atomic::Ordering::Relaxed));
                assert_eq!(root, expected);
            }
            Err(error) => assert!(matches!(error, TrieError::Mismatch { .. }), "{error}"),
        }
    }
}

/// A source that claims to have checked what it gives, to whatever hash.
struct Blind(Vec<u8>);

impl NodeSource for Blind {
    type Error = io::Error;

    const VERIFIED: bool = true;

    fn node(&self, _: Option<B256>, _: &Nibbles, _: B256) -> io::Result<Option<Bytes>> {
        Ok(Some(self.0.clone().into()))
    }
}

#[test]
fn no_bytes_make_a_trie_panic() {
    let (_, _, database, _) = filled();
    let nodes: Vec<_> = database.nodes.values().flat_map(|nodes| nodes.values()).collect();
    let rng = &mut Rng::new(3);
    let (mut malformed, mut accepted) = (0, 0);
    for case in 0..30_000 {
        let mut bytes = rng.pick(&nodes).to_vec();
        match case % 4 {
            0 => bytes.truncate(rng.below(bytes.len())),
            1 => bytes = (0..rng.below(60)).map(|_| rng.next() as u8).collect(),
            2 => bytes.push(rng.next() as u8),
            _ => {}
        }
        for _ in 0..rng.below(4) {
            if !bytes.is_empty() {
                let bit = rng.below(bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        let source = Blind(bytes);
        let mut trie = SparseTrie::new(None, B256::repeat_byte(1));
        let keys: Vec<_> = (0..8).map(|_| Nibbles::unpack(rng.hash())).collect();
        let read = trie.get(&keys[0], &source);
        let updates = keys.iter().enumerate().map(|(i, key)| (*key, (i % 2 == 0).then_some([1, 2, 3])));
        match trie
            .update(updates.collect::<Vec<_>>(), &source, 1)
            .map_err(Some)
            .and_then(|_| read.map_err(Some))
        {
            Ok(_) => accepted += 1,
            Err(Some(TrieError::Malformed { .. })) => malformed += 1,
            Err(error) => panic!("{error:?}"),
        }
        trie.root();
        trie.take_nodes(1);
    }
    // Bytes that are nodes lead to themselves again, down to where no key leads on.
    assert!(malformed > 10_000, "{malformed} malformed, {accepted} accepted");
}

#[test]
fn leaves_whose_values_are_no_accounts_are_malformed() {
    let mut source = SparseTrie::new(None, EMPTY_ROOT_HASH);
    let address = b256!("0x1111111111111111111111111111111111111111111111111111111111111111");
    source.update([(Nibbles::unpack(address), Some([0x80]))], &Blind(Vec::new()), 1).unwrap();
    let root = source.root();
    let leaf = alloy_trie::nodes::LeafNode::new(Nibbles::unpack(address), vec![0x80]);
    let blind = Blind(alloy_rlp::encode(leaf));
    let mut tries = StateTrie::new(root);
    assert!(matches!(tries.account(address, &blind), Err(TrieError::Malformed { .. })));
    let changes = HashedChanges { accounts: vec![(address, HashedAccount::default())] };
    assert!(matches!(tries.update(&changes, &blind), Err(TrieError::Malformed { .. })));
}

#[test]
fn storage_without_an_account_is_an_error() {
    let address = B256::repeat_byte(1);
    let storage = vec![(B256::repeat_byte(2), U256::from(3))];
    let change = HashedAccount { storage, ..HashedAccount::default() };
    let changes = HashedChanges { accounts: vec![(address, change)] };
    let (_, result) = run(EMPTY_ROOT_HASH, &changes, &Database::default());
    assert!(matches!(result, Err(TrieError::StorageWithoutAccount(of)) if of == address));
}

/// Slots 0x1.., 0x2.. with a subtree of two below; removing the first leaves a branch with one child.
fn sibling_case() -> (B256, Vec<Bytes>, B256, B256) {
    let slot = |first: u8| B256::repeat_byte(first);
    let slots = [(slot(0x11), U256::from(1)), (slot(0x21), U256::from(2)), (slot(0x22), U256::from(3))];
    let before = root::storage_root(slots);
    let after = root::storage_root(slots[1..].iter().copied());
    let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
    trie.update(
        slots.map(|(slot, value)| (Nibbles::unpack(slot), Some(alloy_rlp::encode(value)))),
        &Blind(Vec::new()),
        1,
    )
    .unwrap();
    assert_eq!(trie.root(), before);
    let leaf = alloy_trie::nodes::LeafNode::new(Nibbles::unpack(slot(0x11)).slice(1..), vec![1]);
    let mut nodes: Vec<Bytes> = trie.take_nodes(1).nodes.into_iter().filter_map(|(_, node)| node).collect();
    assert_eq!(nodes.len(), 2, "the root and the branch below 2");
    nodes.push(alloy_rlp::encode(leaf).into());
    (before, nodes, slot(0x11), after)
}

/// The root after a slot was removed from a storage trie.
fn removed<N: NodeSource>(source: &N, before: B256, slot: B256) -> Result<B256, TrieError<N::Error>> {
    let mut trie = SparseTrie::new(Some(B256::repeat_byte(9)), before);
    trie.update([(Nibbles::unpack(slot), None::<[u8; 0]>)], source, 1)?;
    Ok(trie.root())
}

#[test]
fn a_sibling_that_a_witness_leaves_out_is_missing() {
    let (before, nodes, slot, after) = sibling_case();
    let witness = Witness::new(nodes.clone(), &[], Some(before)).unwrap();
    assert_eq!(removed(&witness, before, slot).unwrap(), after);
    let witness = Witness::new([nodes[0].clone(), nodes[2].clone()], &[], Some(before)).unwrap();
    let error = removed(&witness, before, slot).unwrap_err();
    let TrieError::Missing { node, .. } = &error else { panic!("{error}") };
    assert_eq!((node.owner, node.path), (Some(B256::repeat_byte(9)), Nibbles::from_nibbles([2])));
    assert!(error.to_string().contains("path 2 of the storage trie of 0x0909"), "{error}");
}

#[test]
fn what_is_unproven_may_be_wrong() {
    let (before, nodes, slot, after) = sibling_case();
    let witness = Witness::new([nodes[0].clone(), nodes[2].clone()], &[], Some(before)).unwrap();
    assert_eq!(removed(&UnprovenWitness(&witness), before, slot).unwrap(), after, "the sibling is a branch");
    // Two leaves below the root, of which the witness lacks the one that stays.
    let slots = [(slot, U256::from(1)), (B256::repeat_byte(0x21), U256::from(2))];
    let (before, after) = (root::storage_root(slots), root::storage_root([slots[1]]));
    let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
    let values = slots.map(|(slot, value)| (Nibbles::unpack(slot), Some(alloy_rlp::encode(value))));
    trie.update(values, &Blind(Vec::new()), 1).unwrap();
    assert_eq!(trie.root(), before);
    let top = trie.take_nodes(1).nodes.into_iter().filter_map(|(_, node)| node);
    let witness = Witness::new(top.chain([nodes[2].clone()]), &[], Some(before)).unwrap();
    assert!(matches!(removed(&witness, before, slot), Err(TrieError::Missing { .. })));
    assert_ne!(removed(&UnprovenWitness(&witness), before, slot).unwrap(), after);
}

#[test]
fn a_slot_that_is_absent_leaves_no_trace_when_it_is_removed() {
    let (model, root, database, _) = filled();
    let (address, account) = model.accounts.iter().find(|(_, account)| account.storage.len() > 3).unwrap();
    let storage = vec![(B256::repeat_byte(0x5a), U256::ZERO)];
    assert!(!account.storage.contains_key(&storage[0].0));
    let change = HashedAccount { account: Some(Some(account.fields)), storage, ..HashedAccount::default() };
    let changes = HashedChanges { accounts: vec![(*address, change)] };
    let (mut tries, result) = run(root, &changes, &database);
    let (new_root, leaves) = result.unwrap();
    assert_eq!(new_root, root);
    assert_eq!(leaves.accounts, []);
    assert_eq!(tries.take_nodes().1, Default::default());
}

#[test]
fn nodes_are_taken_between_blocks_only() {
    let address = B256::repeat_byte(0x11);
    let accounts = [address, B256::repeat_byte(0x22)].map(|address| {
        (address, HashedAccount { account: Some(Some(Account::default())), ..HashedAccount::default() })
    });
    let changes = HashedChanges { accounts: accounts.into() };
    let database = Database::default();
    let mut tries = StateTrie::new(EMPTY_ROOT_HASH);
    tries.update(&changes, &database).unwrap();
    assert_eq!(tries.take_nodes(), (0, Default::default()));
    tries.finish_block(&database).unwrap();
    let (epoch, nodes) = tries.take_nodes();
    assert_eq!((epoch, nodes.accounts.len()), (1, 1));
    assert_eq!(tries.take_nodes(), (2, Default::default()));

    // Not durable yet: nothing may be forgotten.
    tries.prune(0, 0);
    assert_eq!(tries.resident_nodes(), 3);
    // An epoch that is still open cannot be durable.
    let extra = HashedAccount { account: Some(Some(Account::default())), ..HashedAccount::default() };
    let third = HashedChanges { accounts: vec![(B256::repeat_byte(0x33), extra)] };
    tries.update(&third, &database).unwrap();
    tries.finish_block(&database).unwrap();
    tries.prune(u64::MAX, 0);
    assert_eq!(tries.resident_nodes(), 2, "the new leaf and the root");
}
