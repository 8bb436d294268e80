//! State tests in packs.

use crate::common::options;
use alloy_primitives::{Address, B256, address, hex};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use tandem_conformance::{Packing, PackingCounts, Summary, run_packed_state_tests};

const SENDER: Address = address!("7e5f4552091a69125d5dfcb7b8c2659029395bdf");
const COUNTER: Address = Address::repeat_byte(0x22);

/// A test whose transactions add one to slot 0 of a contract with this code, by each amount of gas.
fn counting(code: &[u8], gas: &[u64]) -> Value {
    let expected = |index| json!({"hash": B256::ZERO, "logs": B256::ZERO, "indexes": {"data": 0, "gas": index, "value": 0}});
    let account = |code: &[u8], balance: &str| json!({"balance": balance, "code": hex::encode_prefixed(code), "nonce": "0x00", "storage": {}});
    json!({
        "env": {
            "currentCoinbase": Address::repeat_byte(0x33),
            "currentGasLimit": "0x0f4240",
            "currentNumber": "0x01",
            "currentTimestamp": "0x03e8",
            "currentBaseFee": "0x07",
            "currentRandom": B256::ZERO,
        },
        "pre": {SENDER.to_string(): account(&[], "0xe8d4a51000"), COUNTER.to_string(): account(code, "0x00")},
        "transaction": {
            "data": ["0x"],
            "gasLimit": gas.iter().map(|gas| format!("{gas:#x}")).collect::<Vec<_>>(),
            "gasPrice": "0x0a",
            "nonce": "0x00",
            "secretKey": B256::with_last_byte(1),
            "to": COUNTER,
            "value": ["0x00"],
        },
        "post": {"Shanghai": (0..gas.len()).map(expected).collect::<Vec<_>>()},
    })
}

/// Adds one to slot 0.
const COUNT: &[u8] = &hex!("6001600054016000550000");
/// The same by other means, so that the code is another.
const COUNT_TOO: &[u8] = &hex!("600054600101600055");

fn pack(tests: &Value, pack: usize, repeat: usize) -> (Summary, PackingCounts) {
    let (summary, counts) = run(tests, pack, repeat);
    assert_eq!(summary.failed, 0);
    (summary, counts)
}

fn run(tests: &Value, pack: usize, repeat: usize) -> (Summary, PackingCounts) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file: PathBuf = folder.path().join("tests.json");
    std::fs::write(&file, tests.to_string()).expect("the folder can be written to");
    let number = |n| NonZeroUsize::new(n).expect("not zero");
    let packing = Packing { pack: number(pack), repeat: number(repeat) };
    let (summary, counts) =
        run_packed_state_tests(&[file], packing, &options(), &|_| {}).expect("the options make sense");
    assert!(summary.unreadable.is_empty(), "{:?}", summary.unreadable);
    (summary, counts)
}

#[test]
fn all_of_a_test_and_of_tests_with_other_accounts_share_a_block() {
    let tests = json!({"a": counting(COUNT, &[50_000; 30]), "b": counting(COUNT_TOO, &[60_000; 30])});
    let (summary, counts) = pack(&tests, 100, 1);
    let expected = PackingCounts { packs: 1, transactions: 60, refused: 0, left_out: 0 };
    assert_eq!((summary.passed, counts), (1, expected));
    // All transactions, and the end of the block, with each number of threads; blocks are counted once.
    assert_eq!(summary.work.metrics.steps, 2 * 61);
    assert_eq!((summary.work.blocks, summary.work.transactions), (1, 60));
    let (summary, counts) = pack(&tests, 10, 1);
    assert_eq!((summary.passed, counts), (6, PackingCounts { packs: 6, ..expected }));
}

#[test]
fn a_transaction_is_repeated_with_rising_nonces() {
    let (_, counts) = pack(&json!({"a": counting(COUNT, &[50_000])}), 1, 200);
    assert_eq!(counts, PackingCounts { packs: 1, transactions: 200, refused: 0, left_out: 0 });
}

#[test]
fn a_transaction_that_is_refused_in_its_pack_is_taken_out() {
    // Not enough gas to begin with, which the tests do not say.
    let tests = json!({"a": counting(COUNT, &[50_000, 20_000, 50_000])});
    let (summary, counts) = pack(&tests, 10, 2);
    assert_eq!(counts, PackingCounts { packs: 1, transactions: 4, refused: 2, left_out: 0 });
    assert_eq!(summary.passed, 1);
}

#[test]
fn what_must_be_refused_is_left_out() {
    let mut tests = json!({"a": counting(COUNT, &[50_000, 20_000])});
    tests["a"]["post"]["Shanghai"][1]["expectException"] =
        json!("TransactionException.INTRINSIC_GAS_TOO_LOW");
    let (_, counts) = pack(&tests, 10, 1);
    assert_eq!(counts, PackingCounts { packs: 1, transactions: 1, refused: 0, left_out: 1 });
}

#[test]
fn a_test_that_is_wrong_or_not_supported_is_no_less_so_in_a_pack() {
    let mut tests = json!({"a": counting(COUNT, &[50_000]), "b": counting(COUNT, &[50_000])});
    let expected = tests["a"]["post"]["Shanghai"].clone();
    tests["a"]["post"] = json!({"Amsterdam": expected, "Atlantis": expected});
    tests["b"]["post"] = json!({});
    let (summary, counts) = run(&tests, 10, 1);
    assert_eq!((summary.passed, summary.failed), (0, 2));
    assert_eq!(summary.unsupported.into_iter().collect::<Vec<_>>(), [("Amsterdam", 1)]);
    assert_eq!(counts, PackingCounts::default());
}
