//! The witnesses of recorded blocks, and what a witness answers.
#![allow(clippy::unwrap_used)]

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount, proof::ProofRetainer};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_state::fixture::{FixtureError, Loader, PreStateFault, discover};
use tandem_state::trie::{TrieError, Witness, WitnessError, WitnessStore, WitnessStoreError};
use tandem_state::{Account, Store};

/// The folder of recorded blocks, or `None` where there is none and that is allowed.
fn recorded_blocks() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/blocks");
    if folder.is_dir() {
        return Some(folder);
    }
    let absent = format!("there are no recorded blocks at {}", folder.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{absent}, and CI must not pass without them");
    println!("skipped: {absent}");
    None
}

#[test]
fn every_recorded_witness_proves_the_pre_state_of_its_block() {
    let Some(folder) = recorded_blocks() else { return };
    let (mut loader, mut blocks, mut entries) = (Loader::new(), 0, 0);
    for dir in discover(&[folder]).unwrap() {
        if !dir.join("witness.json.gz").exists() {
            continue;
        }
        let fixture = loader.load(&dir).unwrap();
        let witness = fixture.load_witness().unwrap().unwrap();
        let faults = fixture.verify_pre_state(&witness).unwrap();
        assert!(faults.is_empty(), "{}: {} faults, first {}", fixture.name, faults.len(), faults[0]);

        let witness = Arc::new(witness);
        let store = WitnessStore::new(witness, Arc::default());
        for (address, account) in fixture.state.accounts() {
            let proven = store.account(*address).unwrap();
            assert_eq!(proven.unwrap_or_default(), *account, "{}: {address}", fixture.name);
            entries += 1;
        }
        if !store.witness().headers().is_empty() {
            let number = fixture.header.number - 1;
            assert_eq!(store.block_hash(number).unwrap(), fixture.header.parent_hash, "{}", fixture.name);
        }
        blocks += 1;
    }
    assert_eq!(blocks, 44);
    assert!(entries > 5_000, "{entries}");
}

/// An account with one slot, and a witness that proves it and one other account.
struct Small {
    address: Address,
    slot: U256,
    account: Account,
    witness: Witness,
}

const OTHERS: u8 = 40;

fn small() -> Small {
    let (address, slot) = (Address::with_last_byte(1), U256::from(7));
    let account = Account { balance: U256::from(5), nonce: 2, code_hash: KECCAK256_EMPTY };
    let (storage_root, storage) = {
        let slots = [slot, U256::from(8), U256::from(9)];
        let leaves = slots.map(|slot| (keccak256(B256::from(slot)), alloy_rlp::encode(U256::from(3))));
        proof(leaves.into(), &[keccak256(B256::from(slot))])
    };
    let account_leaf = |storage_root| {
        alloy_rlp::encode(TrieAccount {
            nonce: account.nonce,
            balance: account.balance,
            storage_root,
            code_hash: account.code_hash,
        })
    };
    let mut leaves = vec![(keccak256(address), account_leaf(storage_root))];
    for other in 2..OTHERS {
        leaves.push((keccak256(Address::with_last_byte(other)), account_leaf(EMPTY_ROOT_HASH)));
    }
    let (root, accounts) = proof(leaves, &[keccak256(address)]);
    let witness = Witness::new(accounts.into_iter().chain(storage), &[], Some(root)).unwrap();
    Small { address, slot, account, witness }
}

/// The root of a trie and the nodes on the way to some of its keys.
fn proof(mut leaves: Vec<(B256, Vec<u8>)>, targets: &[B256]) -> (B256, Vec<Bytes>) {
    leaves.sort();
    let targets = targets.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, value) in &leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    (builder.root(), builder.take_proof_nodes().into_inner().into_values().collect())
}

#[test]
fn a_witness_answers_what_it_proves_and_nothing_else() {
    let Small { address, slot, account, witness } = small();
    let code = Bytes::from_static(&[0x60, 0x01]);
    let codes = [(keccak256(&code), code.clone())].into_iter().collect();
    let store = WitnessStore::new(Arc::new(witness), Arc::new(codes));

    assert_eq!(store.account(address).unwrap(), Some(account));
    assert_eq!(store.storage(address, slot).unwrap(), U256::from(3));
    assert_eq!(store.code(keccak256(&code)).unwrap(), code);
    assert_eq!(store.code(KECCAK256_EMPTY).unwrap(), Bytes::new());

    // Of the other accounts some are proven absent or present by the way to this one, most are not.
    let unproven = (2..OTHERS).filter(|other| store.account(Address::with_last_byte(*other)).is_err());
    assert!(unproven.count() > 20);
    let unproven = (10..60).filter(|slot| store.storage(address, U256::from(*slot)).is_err()).count();
    assert!((1..50).contains(&unproven), "{unproven}");
    assert!(matches!(store.code(B256::ZERO), Err(WitnessStoreError::MissingCode(_))));
    assert!(matches!(store.block_hash(5), Err(WitnessStoreError::UnknownBlock(5))));
    let error = (2..OTHERS).find_map(|other| store.account(Address::with_last_byte(other)).err()).unwrap();
    assert!(
        matches!(&error, WitnessStoreError::Unproven { error, .. } if matches!(**error, TrieError::Missing { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("of the account trie"), "{error}");
}

#[test]
fn many_threads_read_a_witness_at_once() {
    let Small { address, slot, account, witness } = small();
    let store = WitnessStore::new(Arc::new(witness), Arc::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(store.account(address).unwrap(), Some(account));
                    assert_eq!(store.storage(address, slot).unwrap(), U256::from(3));
                }
            });
        }
    });
}

#[test]
fn a_node_is_known_by_what_it_is() {
    let Small { address, witness, .. } = small();
    let forged = Witness::new([Bytes::from_static(&[0xc0])], &[], Some(witness.parent_state_root())).unwrap();
    let error = forged.account(keccak256(address)).unwrap_err();
    assert!(matches!(error, TrieError::Missing { .. }), "{error}");
}

#[test]
fn headers_have_to_lead_to_the_block() {
    let parent = Header { number: 8, state_root: B256::repeat_byte(1), ..Header::default() };
    let child = Header {
        number: 9,
        parent_hash: parent.hash_slow(),
        state_root: B256::repeat_byte(2),
        ..parent.clone()
    };
    let rlp = |header: &Header| Bytes::from(alloy_rlp::encode(header));
    let witness = |headers: &[Bytes], root| Witness::new([], headers, root);

    let both = witness(&[rlp(&parent), rlp(&child)], None).unwrap();
    assert_eq!(both.parent_state_root(), child.state_root);
    let block = |number, parent_hash| Header { number, parent_hash, ..Header::default() };
    assert!(both.proves_parent_state_root());
    assert_eq!(both.check_parent(&block(10, child.hash_slow())), Ok(()));
    let other = WitnessError::OtherParent { expected: parent.hash_slow(), actual: child.hash_slow() };
    assert_eq!(both.check_parent(&block(10, parent.hash_slow())), Err(other));
    let number = WitnessError::Number { index: 2, found: 11, parent: 9 };
    assert_eq!(both.check_parent(&block(11, child.hash_slow())), Err(number), "BLOCKHASH goes by numbers");

    let store = WitnessStore::new(Arc::new(both), Arc::default());
    assert_eq!(store.block_hash(9).unwrap(), child.hash_slow());
    assert_eq!(store.block_hash(8).unwrap(), parent.hash_slow());
    assert_eq!(store.block_hash(7).unwrap(), parent.parent_hash);
    for unknown in [6, 10] {
        assert!(matches!(store.block_hash(unknown), Err(WitnessStoreError::UnknownBlock(_))), "{unknown}");
    }

    let error = |headers: &[Bytes], root| witness(headers, root).unwrap_err();
    assert!(matches!(error(&[rlp(&child), rlp(&parent)], None), WitnessError::Unlinked { index: 1, .. }));
    assert_eq!(error(&[], None), WitnessError::NoRoot);
    assert!(matches!(error(&[rlp(&child)], Some(B256::ZERO)), WitnessError::TwoRoots { .. }));
    let renumbered = Header { number: 10, ..child.clone() };
    let number = WitnessError::Number { index: 1, found: 10, parent: 8 };
    assert_eq!(error(&[rlp(&parent), rlp(&renumbered)], None), number);
    let truncated = rlp(&child).slice(..100);
    assert_eq!(error(&[rlp(&parent), truncated], None), WitnessError::MalformedHeader { index: 1 });
    let stated = witness(&[], Some(B256::ZERO)).unwrap();
    assert_eq!(stated.check_parent(&block(10, B256::ZERO)), Ok(()));
    assert!(!stated.proves_parent_state_root(), "nothing ties the root to the block");
}

#[test]
fn codes_have_the_hash_that_they_go_by() {
    let (code, other) = (Bytes::from_static(&[0x60, 0x01]), Bytes::from_static(&[0x60, 0x02]));
    let witness = || Witness::new([], &[], Some(EMPTY_ROOT_HASH)).unwrap();
    let pool = |hash, code: &Bytes| Arc::new([(hash, code.clone())].into_iter().collect());
    let store = WitnessStore::new(Arc::new(witness()), pool(keccak256(&other), &code));
    let error = store.code(keccak256(&other)).unwrap_err();
    assert!(matches!(error, WitnessStoreError::OtherCode { .. }), "{error}");
    // A witness with codes needs no others, and takes none.
    let own = Arc::new(witness().with_codes([code.clone()]));
    let store = WitnessStore::new(own, pool(keccak256(&other), &other));
    assert_eq!(store.code(keccak256(&code)).unwrap(), code);
    assert!(matches!(store.code(keccak256(&other)), Err(WitnessStoreError::MissingCode(_))));
}

#[test]
fn accounts_where_nothing_can_be_created_are_found_in_a_witness() {
    let account = |nonce, storage_root, code_hash| {
        alloy_rlp::encode(TrieAccount { nonce, balance: U256::from(1), storage_root, code_hash })
    };
    let storage_root = B256::repeat_byte(3);
    let leaves: Vec<_> = [
        account(0, storage_root, KECCAK256_EMPTY),
        account(1, storage_root, KECCAK256_EMPTY),
        account(0, EMPTY_ROOT_HASH, KECCAK256_EMPTY),
        account(0, storage_root, B256::repeat_byte(4)),
        account(0, storage_root, KECCAK256_EMPTY),
    ]
    .into_iter()
    .zip(1..)
    .map(|(leaf, index)| (keccak256(Address::with_last_byte(index)), leaf))
    .collect();
    let hashes: Vec<_> = leaves.iter().map(|(hash, _)| *hash).collect();
    let found = |targets: &[B256]| {
        let (root, nodes) = proof(leaves.clone(), targets);
        let mut occupied = Witness::new(nodes, &[], Some(root)).unwrap().occupied().unwrap();
        occupied.sort();
        occupied
    };
    let mut both = vec![hashes[0], hashes[4]];
    both.sort();
    assert_eq!(found(&hashes), both);
    assert!(found(&hashes[..1]).contains(&hashes[0]));
    assert_eq!(Witness::new([], &[], Some(EMPTY_ROOT_HASH)).unwrap().occupied().unwrap(), [] as [B256; 0]);
}

#[test]
fn entries_that_are_not_proven_are_named() {
    let Some(folder) = recorded_blocks() else { return };
    let fixture = Loader::new().load(&folder.join("1-19426587")).unwrap();
    let witness = fixture.load_witness().unwrap().unwrap();
    let root = Some(witness.parent_state_root());
    let faults = fixture.verify_pre_state(&Witness::new([], &[], root).unwrap()).unwrap();
    let accounts =
        faults.iter().filter(|fault| matches!(fault, PreStateFault::UnprovenAccount { .. })).count();
    assert_eq!(accounts, fixture.state.accounts().count());
    assert!(faults.len() > accounts);
    let empty = fixture.verify_pre_state(&Witness::new([], &[], Some(EMPTY_ROOT_HASH)).unwrap()).unwrap();
    assert!(empty.iter().any(|fault| matches!(fault, PreStateFault::Account { proven: None, .. })));
    assert!(empty.iter().any(|fault| matches!(fault, PreStateFault::Slot { .. })));
}

#[test]
fn a_bad_witness_file_is_named() {
    let Some(folder) = recorded_blocks() else { return };
    let source = folder.join("1-19426587");
    let mut fixture = Loader::new().load(&source).unwrap();
    fixture.header.parent_hash = B256::ZERO;
    let error = fixture.load_witness().unwrap_err();
    let FixtureError::BadWitness { file, source: WitnessError::OtherParent { .. } } = &error else {
        panic!("{error}")
    };
    assert_eq!(*file, source.join("witness.json.gz"));
    assert!(error.to_string().contains("witness.json.gz"), "{error}");
    fixture.witness = false;
    assert!(fixture.load_witness().unwrap().is_none());
    fixture.witness = true;
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join("witness.json.gz"), []).unwrap();
    fixture.dir = empty.path().to_owned();
    assert!(fixture.load_witness().is_err());
}
