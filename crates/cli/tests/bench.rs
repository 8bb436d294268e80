//! What `tandem bench` prints, and what it refuses. How fast anything is, no test can say.

mod common;

use common::{assert_fails, stderr, stdout, tandem};
use serde_json::Value;
use std::fs;

const SMALL: [&str; 9] = ["bench", "--blocks", "2", "--txs", "20", "--accounts", "20", "--samples", "2"];

/// The lines that a small benchmark prints.
fn lines(more: &[&str]) -> String {
    let output = tandem(&[&SMALL, more, &["--json"]].concat());
    assert!(output.status.success(), "{more:?}: {}", stderr(&output));
    stdout(&output)
}

fn rows(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object per line")).collect()
}

#[test]
fn every_case_has_a_row_for_each_way_to_execute_and_so_has_the_total() {
    let rows = rows(&lines(&["--workload", "transfers,nft=0.5", "--threads", "1,2"]));
    let names: Vec<_> = rows
        .iter()
        .map(|row| {
            let (case, mode) = (row["case"].as_str().expect("a name"), row["mode"].as_str().expect("a mode"));
            format!("{case} {} {mode}", row["threads"])
        })
        .collect();
    let expected = ["transfers", "nft=0.5", "total"]
        .map(|case| ["1 serial", "2 block", "2 stream"].map(|way| format!("{case} {way}")));
    assert_eq!(names, expected.as_flattened());
    for row in &rows {
        for time in ["baselineMs", "ms", "speedup"] {
            assert!(row[time].as_f64().is_some_and(|time| time > 0.0), "{row}");
        }
    }
}

#[test]
fn slow_reads_take_their_time() {
    let rows = rows(&lines(&["--workload", "transfers", "--threads", "1", "--read-latency", "200"]));
    // 20 senders and as many recipients, in each of two blocks, of which the first reads most.
    assert!(rows[0]["baselineMs"].as_f64() > Some(0.2 * 40.0), "{}", rows[0]);
    assert!(rows[0]["ms"].as_f64() > Some(0.2 * 40.0), "{}", rows[0]);
}

#[test]
fn two_results_compare() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    let (before, after) = (path("before"), path("after"));
    fs::write(&before, lines(&["--workload", "transfers,token", "--threads", "1"])).expect("written");
    fs::write(&after, lines(&["--workload", "token", "--threads", "1,2"])).expect("written");
    let output = tandem(&["bench", "--compare", &before, &after, "--json"]);
    let rows = rows(&stdout(&output));
    let cases: Vec<_> = rows.iter().map(|row| row["case"].as_str()).collect();
    assert_eq!(cases, [Some("token"), Some("total")]);

    fs::write(&after, "{\"summary\":{}}\n").expect("written");
    assert_fails(&tandem(&["bench", "--compare", &before, &after]), 2, &[&after, "line 1"]);
    let missing = path("missing");
    assert_fails(&tandem(&["bench", "--compare", &before, &missing]), 2, &[&missing]);
}

#[test]
fn what_cannot_be_measured_is_bad_usage() {
    assert_fails(&tandem(&["bench", "--samples", "0"]), 2, &["--samples"]);
    assert_fails(&tandem(&["bench", "--threads", "0"]), 2, &["--threads"]);
    assert_fails(&tandem(&["bench", "--txs", "0"]), 2, &["transactions"]);
    assert_fails(&tandem(&["bench", "--workload", "unknown"]), 2, &["unknown", "transfers"]);
    assert_fails(&tandem(&["bench", "--workload", "nft=2"]), 2, &["2"]);
    assert_fails(&tandem(&["bench", "--workload", "nft=half"]), 2, &["half"]);
    assert_fails(&tandem(&["bench", "no/such/folder"]), 2, &["no/such/folder"]);
}
