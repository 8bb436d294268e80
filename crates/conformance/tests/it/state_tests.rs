//! State tests that pass, that fail, and that are none.

use crate::common::{failure, options, run, unchecked};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, address, keccak256};
use alloy_trie::root::state_root_unhashed;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use serde_json::{Value, json};
use tandem_conformance::{Options, Problem, run_state_tests};

const SENDER: Address = address!("7e5f4552091a69125d5dfcb7b8c2659029395bdf");
const RECIPIENT: Address = Address::repeat_byte(0x22);
const BENEFICIARY: Address = Address::repeat_byte(0x33);

fn root(accounts: &[(Address, u64, u64)]) -> B256 {
    state_root_unhashed(accounts.iter().map(|(address, nonce, balance)| {
        let account = TrieAccount {
            nonce: *nonce,
            balance: U256::from(*balance),
            storage_root: EMPTY_ROOT_HASH,
            code_hash: KECCAK256_EMPTY,
        };
        (*address, account)
    }))
}

/// The key one sends 1,000 wei at a gas price of ten, of which seven are burnt.
fn transfer() -> Value {
    let after = [(SENDER, 1, 1_000_000 - 1_000 - 210_000), (RECIPIENT, 0, 1_000), (BENEFICIARY, 0, 63_000)];
    json!({"transfer": {
        "env": {
            "currentCoinbase": BENEFICIARY,
            "currentDifficulty": "0x00",
            "currentGasLimit": "0x0f4240",
            "currentNumber": "0x01",
            "currentTimestamp": "0x03e8",
            "currentBaseFee": "0x07",
            "currentRandom": B256::ZERO,
            "currentExcessBlobGas": "0x00",
        },
        "pre": {SENDER.to_string(): {"balance": "0x0f4240", "code": "0x", "nonce": "0x00", "storage": {}}},
        "transaction": {
            "data": ["0x"],
            "gasLimit": ["0x5208"],
            "gasPrice": "0x0a",
            "nonce": "0x00",
            "secretKey": B256::with_last_byte(1),
            "sender": SENDER,
            "to": RECIPIENT,
            "value": ["0x03e8"],
        },
        "post": {"Cancun": [{
            "hash": root(&after),
            "logs": keccak256([0xc0]),
            "indexes": {"data": 0, "gas": 0, "value": 0},
        }]},
    }})
}

fn expected(test: &mut Value) -> &mut Value {
    &mut test["transfer"]["post"]["Cancun"][0]
}

#[track_caller]
fn assert_fails(test: &Value, words: &str) {
    let failure = failure(run_state_tests, test).expect("the test fails");
    assert!(failure.contains(words), "{words:?} is not in: {failure}");
}

#[test]
fn a_transfer_passes_in_every_fork() {
    for fork in ["Berlin", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka"] {
        let mut test = transfer();
        let mut stated = expected(&mut test).take();
        if fork == "Berlin" {
            // Nothing is burnt.
            let after = [(SENDER, 1, 789_000), (RECIPIENT, 0, 1_000), (BENEFICIARY, 0, 210_000)];
            stated["hash"] = json!(root(&after));
            test["transfer"]["env"]["currentBaseFee"] = Value::Null;
        }
        test["transfer"]["post"] = json!({fork: [stated]});
        assert_eq!(failure(run_state_tests, &test), None, "{fork}");
    }
}

#[test]
fn a_wrong_root_or_logs_hash_fails() {
    let mut test = transfer();
    expected(&mut test)["hash"] = json!(B256::ZERO);
    assert_fails(&test, "the state root is 0x");
    let mut test = transfer();
    expected(&mut test)["logs"] = json!(B256::ZERO);
    assert_fails(&test, "the logs hash is 0x");
}

/// The sender has a wei less than the transaction may cost.
fn poor() -> Value {
    let mut test = transfer();
    test["transfer"]["pre"][SENDER.to_string()]["balance"] = json!(U256::from(210_999));
    expected(&mut test)["hash"] = json!(root(&[(SENDER, 0, 210_999)]));
    expected(&mut test)["expectException"] = json!("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS");
    test
}

#[test]
fn a_refused_transaction_must_be_refused_for_the_stated_reason() {
    assert_eq!(failure(run_state_tests, &poor()), None);
    for accepted in
        ["TR_NoFunds", "TransactionException.NONCE_IS_MAX|TransactionException.INSUFFICIENT_ACCOUNT_FUNDS"]
    {
        let mut test = poor();
        expected(&mut test)["expectException"] = json!(accepted);
        assert_eq!(failure(run_state_tests, &test), None, "{accepted}");
    }
    let mut test = poor();
    expected(&mut test)["expectException"] = json!("TransactionException.NONCE_IS_MAX");
    assert_fails(&test, "expected TransactionException.NONCE_IS_MAX");
    let mut test = poor();
    expected(&mut test)["expectException"] = Value::Null;
    assert_fails(&test, "the transaction is invalid");
}

#[test]
fn an_unknown_reason_is_not_checked_and_says_so() {
    let mut test = poor();
    for (names, unknown) in [
        ("TransactionException.BAD_WEATHER", &["TransactionException.BAD_WEATHER"][..]),
        (
            "TransactionException.NONCE_IS_MAX|TransactionException.BAD_WEATHER",
            &["TransactionException.BAD_WEATHER"],
        ),
        ("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS|TransactionException.BAD_WEATHER", &[]),
        ("x", &["x"]),
    ] {
        expected(&mut test)["expectException"] = json!(names);
        assert_eq!(unchecked(run_state_tests, &test), unknown, "{names}");
    }
    // Transactions that must be refused are refused.
    let mut test = transfer();
    expected(&mut test)["expectException"] = json!("x");
    assert_fails(&test, "expected x");
}

/// Before EIP-161, a touch of the beneficiary would leave an account there.
#[test]
fn a_refused_transaction_leaves_the_state_untouched() {
    for fork in ["Frontier", "Homestead", "EIP150", "Istanbul"] {
        let mut test = transfer();
        let mut stated = expected(&mut test).take();
        stated["hash"] = json!(root(&[(SENDER, 0, 1_000_000)]));
        stated["expectException"] = json!("TransactionException.TYPE_1_TX_PRE_FORK");
        test["transfer"]["post"] = json!({fork: [stated]});
        test["transfer"]["env"]["currentBaseFee"] = Value::Null;
        test["transfer"]["transaction"]["accessLists"] = json!([[]]);
        assert_eq!(failure(run_state_tests, &test), None, "{fork}");
    }
}

/// A payment with an authorization, whose signature is none.
fn delegation(parity: &Value) -> Value {
    let mut test = transfer();
    let mut stated = expected(&mut test).take();
    let after = [(SENDER, 1, 1_000_000 - 1_000 - 460_000), (RECIPIENT, 0, 1_000), (BENEFICIARY, 0, 138_000)];
    stated["hash"] = json!(root(&after));
    test["transfer"]["post"] = json!({"Prague": [stated]});
    let mut authorization =
        json!({"chainId": "0x01", "address": RECIPIENT, "nonce": "0x00", "r": "0x00", "s": "0x00"});
    for (name, value) in parity.as_object().expect("an object") {
        authorization[name] = value.clone();
    }
    let transaction = &mut test["transfer"]["transaction"];
    transaction["gasLimit"] = json!(["0xb3b0"]);
    transaction["maxFeePerGas"] = json!("0x0a");
    transaction["maxPriorityFeePerGas"] = json!("0x03");
    transaction["authorizationList"] = json!([authorization]);
    test
}

#[test]
fn the_parity_of_an_authorization_goes_by_two_names() {
    for parity in [json!({"v": "0x01"}), json!({"yParity": "0x01"}), json!({"yParity": "0x01", "v": "0x1"})] {
        assert_eq!(failure(run_state_tests, &delegation(&parity)), None, "{parity}");
    }
    assert_fails(&delegation(&json!({"yParity": "0x01", "v": "0x00"})), "a yParity that is not its v");
    assert_fails(&delegation(&json!({})), "neither yParity nor v");
}

#[test]
fn a_fork_that_is_not_supported_is_counted_by_its_name() {
    let mut test = transfer();
    test["transfer"]["post"]["Amsterdam"] = json!([expected(&mut test)]);
    let (outcomes, summary) = run(run_state_tests, &options(), &[test.to_string()]);
    assert_eq!((summary.passed, summary.failed), (1, 0));
    assert_eq!(summary.unsupported.into_iter().collect::<Vec<_>>(), [("Amsterdam", 1)]);
    let problems: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.problem).collect();
    assert_eq!(problems, [Problem::Unsupported("Amsterdam")]);
}

#[test]
fn what_should_be_refused_must_not_be_executed() {
    let mut test = transfer();
    expected(&mut test)["expectException"] = json!("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS");
    assert_fails(&test, "it was executed");
}

#[test]
fn a_test_that_contradicts_itself_fails() {
    let mut test = transfer();
    expected(&mut test)["txbytes"] = json!("0xc0");
    assert_fails(&test, "do not give txbytes");
    let mut test = transfer();
    test["transfer"]["transaction"]["sender"] = json!(RECIPIENT);
    assert_fails(&test, "the secret key is that of");
    let mut test = transfer();
    expected(&mut test)["indexes"]["data"] = json!(1);
    assert_fails(&test, "has no data");
    let mut test = transfer();
    test["transfer"]["post"] = json!({"Atlantis": [expected(&mut test)]});
    assert_fails(&test, "network Atlantis is unknown");
    for post in [json!({}), json!({"Cancun": []})] {
        let mut test = transfer();
        test["transfer"]["post"] = post;
        assert_fails(&test, "its post is empty");
    }
}

#[test]
fn a_file_that_is_none_of_state_tests_is_named() {
    for content in ["", "{}", "{\"a\": ", "[]", "{\"a\": {}}", "{\"a\": {\"env\": 5}}"] {
        let (outcomes, summary) = run(run_state_tests, &options(), &[content.to_owned()]);
        assert!(outcomes.is_empty());
        assert_eq!(summary.unreadable.len(), 1, "{content}");
    }
}

#[test]
fn a_run_stops_at_a_failure_unless_it_is_to_go_on() {
    let mut bad = transfer();
    expected(&mut bad)["hash"] = json!(B256::ZERO);
    let files = [bad.to_string(), transfer().to_string(), transfer().to_string()];
    let one_by_one = Options { jobs: 1, ..options() };
    let (_, summary) = run(run_state_tests, &one_by_one, &files);
    assert_eq!((summary.passed, summary.failed, summary.files_left), (2, 1, 0));
    let (_, summary) = run(run_state_tests, &Options { keep_going: false, ..one_by_one }, &files);
    assert_eq!((summary.passed, summary.failed, summary.files_left), (0, 1, 2));
}
