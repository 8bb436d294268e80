//! The output of `tandem run` when all is well.

use crate::common::{assert_fails, recorded_blocks, run, stderr, stdout, tandem};
use serde_json::Value;

fn lines(output: &std::process::Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("a JSON object per line")).collect()
}

#[test]
fn without_paths_a_generated_chain_runs_and_checks() {
    let mut digests = Vec::new();
    for mode in ["stream", "block", "serial", "revm"] {
        for threads in ["1", "2", "8"] {
            let output = tandem(&["run", "--mode", mode, "--threads", threads, "--json"]);
            assert!(output.status.success(), "{}", stderr(&output));
            let lines = lines(&output);
            let summary = &lines[lines.len() - 1]["summary"];
            assert_eq!(summary["blocks"], 20);
            assert_eq!(summary["failed"], 0);
            assert_eq!(summary["txs"], 4000);
            digests.push(summary["digest"].clone());
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn json_has_a_line_per_block_and_a_summary() {
    let Some(folder) = recorded_blocks() else { return };
    let output = run(&folder.join("1-22615247"), &["--json", "--counters", "--threads", "2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    let block = &lines[0];
    assert_eq!(block["chainId"], 1);
    assert_eq!(block["number"], 22_615_247);
    assert_eq!(block["fork"], "Prague");
    assert_eq!(block["txs"], 26);
    assert_eq!(block["gas"], 1_331_413);
    for count in ["conflicts", "repairs", "reexecutions"] {
        assert!(block[count].is_u64(), "{count}");
    }
    for check in ["gas", "bloom", "receiptsRoot", "requestsHash", "parentRoot", "stateRoot"] {
        assert_eq!(block["checks"][check], "ok", "{check}");
    }
    let summary = &lines[1]["summary"];
    assert_eq!(summary["threads"], 2);
    assert_eq!(summary["mode"], "stream");
    assert_eq!(summary["counters"]["steps"], 28);
    assert!(summary["ms"].is_f64() && summary["recoveryMs"].is_f64());
}

#[test]
fn blocks_are_executed_by_alloy_evm_too() {
    let generated = tandem(&["run", "--alloy", "--threads", "2", "--repeat", "2", "--json"]);
    assert!(generated.status.success(), "{}", stderr(&generated));
    let generated = lines(&generated);
    assert!(generated[..20].iter().all(|line| line["checks"]["alloy"] == "ok"), "{generated:?}");
    assert_eq!(generated[20]["summary"]["byAlloy"], 20);

    let Some(folder) = recorded_blocks() else { return };
    let block = folder.join("1-22615247");
    for mode in ["stream", "block", "serial"] {
        let output = run(&block, &["--alloy", "--mode", mode]);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = stdout(&output);
        assert!(text.contains("ok senders gas bloom receipts requests parent state alloy"), "{text}");
        assert!(text.contains("alloy-evm: 1 blocks executed, too"), "{text}");
    }
    let without = lines(&run(&block, &["--json"]));
    assert!(without[0]["checks"]["alloy"].is_null() && without[1]["summary"]["byAlloy"].is_null());
    assert_fails(&run(&block, &["--alloy", "--mode", "revm"]), 2, &["--alloy", "--mode revm"]);
}

#[test]
fn every_way_of_executing_gives_one_digest() {
    let Some(folder) = recorded_blocks() else { return };
    let mut digests = Vec::new();
    let ways: &[&[&str]] = &[
        &["--mode", "revm"],
        &["--mode", "serial"],
        &["--mode", "block", "--threads", "4"],
        &["--mode", "stream", "--threads", "4"],
        &["--mode", "stream", "--threads", "2", "--senders", "ahead"],
        &["--mode", "stream", "--threads", "8", "--window", "2"],
        &["--mode", "stream", "--threads", "8", "--repeat", "3"],
    ];
    for way in ways {
        // One witness lacks a node.
        let output = run(&folder, &[way as &[&str], &["--json", "--unproven"]].concat());
        assert!(output.status.success(), "{way:?}: {}", stderr(&output));
        let lines = lines(&output);
        assert_eq!(lines.len(), 103);
        digests.push(lines[102]["summary"]["digest"].clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn unchecked_blocks_are_not_called_ok() {
    let Some(folder) = recorded_blocks() else { return };
    let output = run(&folder.join("1-22615247"), &["--check", "none"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("not checked"));
    assert!(!stdout(&output).contains(" ok "));
}
