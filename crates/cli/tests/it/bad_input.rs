//! Every bad input gives a message that names it and a documented exit code.

use crate::common::{Blocks, assert_fails, run, stdout, tandem};
use serde_json::{Value, json};
use std::fs;

const FRONTIER: &str = "1-930196";
const CANCUN: &str = "1-19807080";
const SMALL: &str = "1-21429020";

/// The table's row of a block.
fn row(output: &std::process::Output, number: &str) -> String {
    stdout(output)
        .lines()
        .find(|line| line.split_whitespace().nth(1) == Some(number))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_missing_directory_is_bad_input() {
    assert_fails(&tandem(&["run", "no/such/folder"]), 2, &["no/such/folder"]);
}

#[test]
fn an_empty_directory_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    assert_fails(&run(folder.path(), &[]), 2, &[folder.path().to_str().unwrap()]);
}

#[test]
fn zero_threads_are_bad_usage() {
    assert_fails(&tandem(&["run", "--threads", "0"]), 2, &["--threads"]);
}

#[test]
fn absurd_settings_are_bad_usage() {
    assert_fails(&tandem(&["run", "--threads", "100000"]), 2, &["threads"]);
    assert_fails(&tandem(&["run", "--window", "1"]), 2, &["window"]);
    assert_fails(&tandem(&["run", "--repeat", "0"]), 2, &["--repeat"]);
    assert_fails(&tandem(&["run", "--mode", "fast"]), 2, &["fast"]);
    assert_fails(&tandem(&["dance"]), 2, &["dance"]);
}

#[test]
fn a_truncated_file_is_bad_input() {
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    let path = blocks.path().join(SMALL).join("block.json.gz");
    let content = fs::read(&path).unwrap();
    blocks.write(SMALL, "block.json.gz", &content[..content.len() / 2]);
    assert_fails(&run(blocks.path(), &[]), 2, &["block.json.gz", "truncated"]);
}

#[test]
fn json_of_the_wrong_shape_is_bad_input() {
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    blocks.edit(SMALL, "pre_state.json.gz", |state| *state = json!([1, 2, 3]));
    assert_fails(&run(blocks.path(), &[]), 2, &["pre_state.json.gz"]);
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    blocks.edit(SMALL, "block.json.gz", |block| block["gasLimit"] = json!("plenty"));
    assert_fails(&run(blocks.path(), &[]), 2, &["block.json.gz"]);
}

#[test]
fn an_unknown_chain_is_bad_input() {
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    fs::rename(blocks.path().join(SMALL), blocks.path().join("5-21429020")).unwrap();
    assert_fails(&run(blocks.path(), &[]), 2, &["5-21429020", "chain id 5"]);
}

#[test]
fn a_code_that_is_missing_is_bad_input() {
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    blocks.edit(SMALL, "pre_state.json.gz", |state| {
        let account = state.as_object_mut().unwrap().values_mut().next().unwrap();
        account["codeHash"] = json!(format!("0x{}", "ab".repeat(32)));
    });
    assert_fails(&run(blocks.path(), &[]), 2, &["codes.json.zst", "abababab"]);
}

#[test]
fn a_signature_that_does_not_recover_condemns_its_block_alone() {
    let Some(blocks) = Blocks::copy(&[FRONTIER, CANCUN, SMALL]) else { return };
    blocks.edit(CANCUN, "block.json.gz", |block| {
        // No point of the curve has this x-coordinate.
        block["transactions"][3]["r"] = json!(format!("0x{}5", "0".repeat(63)));
    });
    let more: [&[&str]; 3] = [&["--mode", "stream"], &["--mode", "revm"], &["--senders", "ahead"]];
    for more in more {
        let output = run(blocks.path(), more);
        assert_fails(&output, 1, &["1-19807080", "transaction 3", "signature"]);
        assert!(row(&output, "930196").contains("ok"), "{}", stdout(&output));
        assert!(row(&output, "19807080").contains("INVALID"), "{}", stdout(&output));
        assert!(row(&output, "21429020").contains("ok"), "{}", stdout(&output));
    }
}

/// Spoils the pre-state of one transaction's sender and expects the error that names the transaction.
fn assert_invalid_transaction(index: usize, spoil: impl Fn(&mut Value), words: &[&str]) {
    let Some(blocks) = Blocks::copy(&[FRONTIER, CANCUN, SMALL]) else { return };
    let sender = blocks.sender(CANCUN, index);
    blocks.edit(CANCUN, "pre_state.json.gz", |state| spoil(&mut state[&sender]));
    for mode in ["stream", "block", "serial", "revm"] {
        for threads in ["1", "2", "8"] {
            let output = run(blocks.path(), &["--mode", mode, "--threads", threads]);
            let named = format!("transaction {index}");
            assert_fails(&output, 1, &["block 1-19807080", &named]);
            assert_fails(&output, 1, words);
            assert!(row(&output, "930196").contains("ok"), "{}", stdout(&output));
            assert!(row(&output, "21429020").contains("ok"), "{}", stdout(&output));
        }
    }
}

#[test]
fn a_wrong_nonce_in_the_middle_of_a_block_names_its_transaction() {
    assert_invalid_transaction(4, |account| account["nonce"] = json!("0xffffff"), &["nonce"]);
    assert_invalid_transaction(5, |account| account["nonce"] = json!("0x0"), &["nonce"]);
}

#[test]
fn missing_funds_in_the_middle_of_a_block_name_their_transaction() {
    assert_invalid_transaction(4, |account| account["balance"] = json!("0x1"), &["funds"]);
}

#[test]
fn gas_above_the_blocks_limit_makes_it_invalid() {
    let Some(blocks) = Blocks::copy(&[FRONTIER, CANCUN]) else { return };
    blocks.edit(CANCUN, "block.json.gz", |block| block["gasLimit"] = json!("0x5300"));
    assert_fails(&run(blocks.path(), &[]), 1, &["block 1-19807080", "gas limit"]);
    let Some(blocks) = Blocks::copy(&[FRONTIER, CANCUN]) else { return };
    // Enough for each transaction, not for all of them.
    blocks.edit(CANCUN, "block.json.gz", |block| block["gasLimit"] = json!("0x100000"));
    let output = run(blocks.path(), &[]);
    assert_fails(&output, 1, &["block 1-19807080", "gas"]);
    assert!(row(&output, "930196").contains("ok"), "{}", stdout(&output));
}

#[test]
fn an_altered_receipts_root_fails_its_check() {
    let Some(blocks) = Blocks::copy(&[CANCUN, SMALL]) else { return };
    blocks.edit(CANCUN, "block.json.gz", |block| {
        block["receiptsRoot"] = json!(format!("0x{}", "12".repeat(32)));
    });
    let output = run(blocks.path(), &[]);
    assert_fails(&output, 1, &["1-19807080", "receipts root"]);
    assert!(row(&output, "19807080").contains("FAILED receipts"), "{}", stdout(&output));
    assert!(row(&output, "21429020").contains("ok"), "{}", stdout(&output));
}

#[test]
fn a_sender_that_is_not_the_stated_one_fails_its_check() {
    let Some(blocks) = Blocks::copy(&[SMALL]) else { return };
    blocks.edit(SMALL, "block.json.gz", |block| {
        block["transactions"][1]["from"] = json!(format!("0x{}", "34".repeat(20)));
    });
    assert_fails(&run(blocks.path(), &[]), 1, &["1-21429020", "transaction 1", "sender"]);
}
