//! Names of places.

use crate::common::{account, field, slot, step, trace, transaction};
use alloy_primitives::{Address, B256, Log, LogData, U256, b256, keccak256};
use tandem_analysis::{Names, StateKey, Trace};
use tandem_evm::{Field, Location, StorageNotes, TransactionTrace};
use tandem_workload::contracts::{Artifact, collection};

const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
const SYNC: B256 = b256!("1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1");

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn log(address: Address, topics: &[B256]) -> Log {
    Log { address, data: LogData::new_unchecked(topics.to_vec(), Default::default()) }
}

fn names(edit: impl FnOnce(&mut TransactionTrace, &mut StorageNotes)) -> (Names, Trace) {
    let mut trace = trace(vec![vec![step().changes(slot(1, 0)).changes(field(7, Field::Code))]], false);
    let mut made = transaction(9);
    edit(&mut made, &mut trace.steps[0].notes);
    trace.steps[0].transaction = Some(made);
    (Names::new(&trace).expect("names"), trace)
}

fn hash(notes: &mut StorageNotes, first: B256, second: B256) -> B256 {
    let hash = keccak256([first.0, second.0].concat());
    notes.hashed.push((hash, first, second));
    hash
}

fn at(address: u8, slot: B256) -> StateKey {
    let slot = U256::from_be_bytes(slot.0);
    Location { world: 0, address: account(address), field: Field::Slot { slot, generation: 0 } }.into()
}

#[test]
fn a_token_balance_is_told_by_hash_and_log() {
    let (mut balance, mut other) = (B256::ZERO, B256::ZERO);
    let (names, _) = names(|tx, notes| {
        balance = hash(notes, account(5).into_word(), word(3));
        other = hash(notes, account(6).into_word(), word(4));
        tx.logs.push(log(account(1), &[TRANSFER, account(5).into_word(), account(4).into_word()]));
    });
    assert_eq!(names.state_key(at(1, balance)), format!("token balance of {} in {}", account(5), account(1)));
    assert_eq!(names.state_key(at(1, other)), format!("mapping 4[{}] in {}", account(6), account(1)));
    assert_eq!(names.state_key(slot(1, 2).into()), format!("slot 2 in {}", account(1)));
}

#[test]
fn keys_of_nested_mappings_and_words_of_structs_are_named() {
    let (mut nested, mut pool) = (B256::ZERO, B256::ZERO);
    let (names, _) = names(|_, notes| {
        let outer = hash(notes, account(5).into_word(), word(3));
        nested = hash(notes, account(6).into_word(), outer);
        pool = hash(notes, word(12), word(6));
    });
    let expected = format!("mapping 3[{}][{}] in {}", account(5), account(6), account(1));
    assert_eq!(names.state_key(at(1, nested)), expected);
    let second = B256::from(U256::from_be_bytes(pool.0) + U256::from(2));
    assert_eq!(names.state_key(at(1, second)), format!("mapping 6[12] word 2 in {}", account(1)));
}

#[test]
fn reserves_delegations_and_fields_are_named() {
    let (names, _) = names(|tx, _| {
        tx.logs.push(log(account(1), &[SYNC]));
        tx.tx_type = 4;
    });
    assert_eq!(names.state_key(slot(1, 8).into()), format!("exchange reserves in {}", account(1)));
    let code = names.state_key(field(7, Field::Code).into());
    assert_eq!(code, format!("delegation (EIP-7702) of {}", account(7)));
    assert_eq!(names.state_key(field(8, Field::Balance).into()), format!("ether of {}", account(8)));
}

#[test]
fn variables_of_generated_contracts_have_their_names() {
    let (_, mut trace) = names(|_, _| {});
    trace.blocks[0].chain_id = 1337;
    let names = Names::new(&trace).expect("names");
    let slot = Artifact::collection().expect("an artifact").slot("nextId").expect("a variable");
    let field = Field::Slot { slot, generation: 0 };
    let key = StateKey { address: collection(0), field };
    assert_eq!(names.state_key(key), format!("nextId (slot 2) in collection 0 ({})", collection(0)));
}
