//! Measurements and refusals of `tandem shape`.

use crate::common::{assert_fails, recorded_blocks, stderr, stdout, tandem};
use serde_json::Value;
use std::process::Output;

const SMALL: [&str; 9] = ["shape", "--blocks", "2", "--txs", "40", "--accounts", "60", "--population", "60"];

/// The rows of a report by the feature's name, and the summary.
fn rows(output: &Output) -> (Vec<(String, Value)>, Value) {
    let mut lines: Vec<Value> = stdout(output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object per line"))
        .collect();
    let summary = lines.pop().expect("a summary")["summary"].take();
    let name = |row: &Value| row["feature"].as_str().expect("a name").to_owned();
    (lines.into_iter().map(|row| (name(&row), row)).collect(), summary)
}

/// The median of each feature of a small generated chain.
fn medians(workload: &str) -> Vec<(String, Option<f64>)> {
    let output = tandem(&[SMALL.as_slice(), &["--workload", workload, "--json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let (rows, summary) = rows(&output);
    assert_eq!(summary["blocks"][workload], 2);
    rows.into_iter().map(|(name, row)| (name, row["columns"][0]["median"].as_f64())).collect()
}

fn value(medians: &[(String, Option<f64>)], feature: &str) -> Option<f64> {
    medians.iter().find(|(name, _)| name == feature).expect("a feature").1
}

/// The blocks on mainnet after the merge. One is left out, of which a single chain of 15 transactions is 98 %.
fn mainnet_blocks() -> Option<Vec<String>> {
    let folder = recorded_blocks()?;
    let mut blocks = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if name.starts_with("1-") && name != "1-23879620" {
            blocks.push(path.to_str().expect("a path in UTF-8").to_owned());
        }
    }
    blocks.sort();
    Some(blocks)
}

fn compare(blocks: &[String], more: &[&str]) -> Output {
    let blocks = blocks.iter().map(String::as_str);
    let args: Vec<_> = ["shape", "--from", "15537394"].into_iter().chain(blocks).collect();
    tandem(&[&args, more].concat())
}

#[test]
fn the_mainnet_workload_has_the_shape_of_blocks_on_mainnet() {
    let Some(blocks) = mainnet_blocks() else { return };
    for seed in ["1", "2"] {
        let output = compare(&blocks, &["--blocks", "50", "--seed", seed, "--tolerance", "15", "--json"]);
        assert!(output.status.success(), "seed {seed}: {}", stdout(&output));
        let (rows, summary) = rows(&output);
        assert_eq!((rows.len(), &summary["beyond"]), (12, &Value::from(0)));
        assert!(summary["blocks"]["recorded"].as_u64() > Some(50), "{summary}");
        for (name, row) in rows {
            let median = |column: usize| row["columns"][column]["median"].as_f64().expect("a median");
            let ratio = median(1) / median(0);
            assert!((0.85..=1.15).contains(&ratio), "{name}: {row}");
        }
    }
}

#[test]
fn what_differs_by_more_than_the_tolerance_fails() {
    let Some(blocks) = mainnet_blocks() else { return };
    let blocks: Vec<_> = blocks.into_iter().filter(|block| block.contains("/1-24")).collect();
    let output = compare(&blocks, &["--workload", "nft", "--blocks", "1", "--tolerance", "15"]);
    assert_fails(&output, 1, &[]);
    assert!(stdout(&output).contains("beyond the tolerance"), "{}", stdout(&output));
}

#[test]
fn transfers_from_one_account_are_plain_and_need_nothing() {
    let medians = medians("payroll");
    for (feature, expected) in [
        ("transactions", 40.0),
        ("gas per transaction", 21_000.0),
        ("plain transfers", 1.0),
        ("dependent transactions", 0.0),
        ("critical path, of all gas", 1.0 / 40.0),
        ("sent to the busiest contract", 0.0),
        ("slots read per transaction", 0.0),
    ] {
        assert_eq!(value(&medians, feature), Some(expected), "{feature}");
    }
    assert_eq!(value(&medians, "distance of dependence"), None);
}

#[test]
fn a_rush_for_tokens_is_one_chain_in_one_contract() {
    let medians = medians("nft");
    for (feature, expected) in [
        ("plain transfers", 0.0),
        ("dependent transactions", 39.0 / 40.0),
        ("distance of dependence", 1.0),
        ("critical path, of all gas", 1.0),
        ("sent to the busiest contract", 1.0),
        ("meet in the hottest contract", 1.0),
    ] {
        assert_eq!(value(&medians, feature), Some(expected), "{feature}");
    }
}

#[test]
fn swaps_of_pairs_of_their_own_need_nothing() {
    let medians = medians("independent-swaps");
    assert_eq!(value(&medians, "dependent transactions"), Some(0.0));
    assert_eq!(value(&medians, "the same by whole accounts"), Some(0.0));
    assert_eq!(value(&medians, "sent to the busiest contract"), Some(1.0 / 40.0));
}

#[test]
fn people_get_a_table() {
    let output = tandem(&SMALL);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    for words in ["mainnet, 2 blocks", "gas per transaction", "distance of dependence"] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn bad_usage_is_told() {
    assert_fails(&tandem(&["shape", "/nowhere"]), 2, &["/nowhere"]);
    assert_fails(&tandem(&["shape", "--workload", "chaos"]), 2, &["chaos", "mainnet"]);
    assert_fails(&tandem(&["shape", "--txs", "0"]), 2, &["transactions", "between 1 and"]);
    assert_fails(&tandem(&["shape", "--alone"]), 2, &["PATHS"]);
    assert_fails(&tandem(&["shape", "--tolerance", "15"]), 2, &["PATHS"]);
    assert_fails(&tandem(&["shape", "/nowhere", "--tolerance", "-1"]), 2, &["-1"]);
    assert_fails(&tandem(&["shape", "/nowhere", "--tolerance", "NaN"]), 2, &["--tolerance"]);
}
