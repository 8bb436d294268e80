//! Findings and refusals of `tandem explain`.

mod outputs;
mod page;
mod study;
mod tables;
mod timeline;

use crate::common::{Blocks, assert_fails, recorded_blocks, stderr, stdout, tandem};
use serde_json::Value;
use std::path::Path;

/// The lines of a report, by what they are about.
fn explain(folder: &Path, more: &[&str]) -> Vec<(String, Value)> {
    let folder = folder.to_str().expect("a path in UTF-8");
    let output = tandem(&[&["explain", folder, "--json", "--repeat", "2", "--threads", "2"], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
        .lines()
        .map(|line| {
            let Value::Object(line) = serde_json::from_str(line).expect("JSON") else { panic!("{line}") };
            line.into_iter().next().expect("a name")
        })
        .collect()
}

fn all<'a>(lines: &'a [(String, Value)], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect()
}

fn generate(workload: &str, folder: &Path) {
    let folder = folder.to_str().expect("a path in UTF-8");
    let size = ["--blocks", "2", "--txs", "40", "--accounts", "60", "--population", "60", "--fixtures"];
    let args = [&["generate", "--workload", workload, "--out", folder], size.as_slice()].concat();
    let output = tandem(&args);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn the_counter_is_the_cause_of_a_rush_for_tokens() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("nft", folder.path());
    let lines = explain(folder.path(), &[]);
    let hottest = all(&lines, "location")[0];
    let name = hottest["name"].as_str().expect("a name");
    assert!(name.starts_with("nextId (slot 2) in collection 0"), "{name}");
    assert_eq!(hottest["conflicts"], 78);
    assert!(hottest["gain"].as_f64().expect("a number") > 3.0, "{hottest}");
    let summary = all(&lines, "summary")[0];
    assert_eq!((&summary["txs"], &summary["dependent"]), (&Value::from(80), &Value::from(78)));
    assert!(all(&lines, "chain")[0]["links"].as_array().expect("links").len() >= 39);

    // The contract is worth what its only hot slot is worth, or more, and so are several contracts together.
    let contract = all(&lines, "contract")[0];
    assert!(contract["name"].as_str().expect("a name").starts_with("collection 0"), "{contract}");
    let gain = |value: &Value| value["gain"].as_f64().expect("a number");
    assert!(gain(contract) >= gain(hottest) - 0.01, "{contract} {hottest}");
    let together = all(&lines, "together");
    assert_eq!(together[0]["name"], contract["name"]);
    assert!(gain(together.last().expect("a contract")) >= gain(together[0]), "{together:?}");
}

#[test]
fn transfers_to_one_account_conflict_only_where_balances_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("one-hot", folder.path());
    let lines = explain(folder.path(), &[]);
    let unlimited = |model: &str| {
        let curves = all(&lines, "blockByBlock");
        let curve = curves.iter().find(|curve| curve["model"] == model).expect("a curve");
        curve["unlimited"].as_f64().expect("a number")
    };
    let exact = unlimited("field and slot, lazy beneficiary");
    let deltas = unlimited("delta balances, predicted nonces");
    // By how much depends on how long a transfer takes beside a block's end.
    assert!(deltas >= exact, "{deltas} {exact}");
    assert_eq!(all(&lines, "summary")[0]["dependent"], 0);
}

#[test]
fn a_recorded_block_is_explained() {
    let Some(folder) = recorded_blocks() else { return };
    let folder = folder.join("1-22615247");
    let lines = explain(&folder, &[]);
    assert_eq!(all(&lines, "summary")[0]["txs"], 26);
    assert_eq!(all(&lines, "blockByBlock").len(), 6);
    for curve in all(&lines, "blockByBlock") {
        assert_eq!(curve["speedUp"][0], 1.0, "{curve}");
    }
    let output = tandem(&["explain", folder.to_str().expect("a path in UTF-8"), "--repeat", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("Ideal speed-up, block by block"));
}

#[test]
fn bad_usage_is_told() {
    assert_fails(&tandem(&["explain", "/nowhere"]), 2, &["/nowhere"]);
    assert_fails(&tandem(&["explain", "/nowhere", "--repeat", "0"]), 2, &["--repeat must be at least 1"]);
    assert_fails(&tandem(&["explain"]), 2, &["<PATHS>"]);
}

#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("a file");
    std::fs::write(&file, "kept").expect("a file");
    let below = file.join("output");
    let below = below.to_str().expect("a path in UTF-8");
    for option in ["--html", "--trace"] {
        // The blocks are not even looked for.
        assert_fails(&tandem(&["explain", "/nowhere", option, below]), 2, &[below, "cannot be written"]);
    }
    // Existing files stay if there is nothing to say.
    let kept = file.to_str().expect("a path in UTF-8");
    assert_fails(&tandem(&["explain", "/nowhere", "--html", kept]), 2, &["/nowhere"]);
    assert_eq!(std::fs::read(&file).expect("a file"), b"kept");
}

#[test]
fn a_block_that_does_not_execute_is_named() {
    const NAME: &str = "1-22615247";
    let Some(blocks) = Blocks::copy(&[NAME]) else { return };
    let sender = blocks.sender(NAME, 0);
    blocks.edit(NAME, "pre_state.json.gz", |state| state[&sender]["balance"] = "0x0".into());
    for command in ["explain", "study"] {
        let output = tandem(&[command, blocks.path().to_str().expect("a path in UTF-8"), "--repeat", "1"]);
        assert_fails(&output, 1, &[NAME, "transaction 0"]);
    }
}
