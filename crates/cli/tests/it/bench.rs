//! Output and refusals of `tandem bench`. No test can say how fast anything is.

use crate::common::{Blocks, assert_fails, stderr, stdout, tandem};
use serde_json::Value;
use std::fs;

const SMALL: [&str; 9] = ["bench", "--blocks", "2", "--txs", "20", "--accounts", "20", "--samples", "2"];

/// The lines that a small benchmark prints.
fn lines(more: &[&str]) -> String {
    printed(&[&SMALL, more, &["--json"]].concat())
}

fn printed(args: &[&str]) -> String {
    let output = tandem(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// The case, the number of threads and the mode of each row.
fn names(rows: &[Value]) -> Vec<String> {
    let name = |row: &Value| {
        let (case, mode) = (row["case"].as_str().expect("a name"), row["mode"].as_str().expect("a mode"));
        format!("{case} {} {mode}", row["threads"])
    };
    rows.iter().map(name).collect()
}

fn rows(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object per line")).collect()
}

#[test]
fn every_case_has_a_row_for_each_way_to_execute_and_so_has_the_total() {
    let rows = rows(&lines(&["--workload", "transfers,nft=0.5", "--threads", "1,2"]));
    let names = names(&rows);
    let expected = ["transfers", "nft=0.5", "total"]
        .map(|case| ["1 serial", "2 block", "2 stream"].map(|way| format!("{case} {way}")));
    assert_eq!(names, expected.as_flattened());
    for row in &rows {
        for number in
            ["baselineMs", "alloyMs", "alloyRatio", "ms", "speedup", "ideal", "inOrder", "efficiency"]
        {
            assert!(row[number].as_f64().is_some_and(|number| number > 0.0), "{row}");
        }
        let [speedup, ideal, efficiency] =
            ["speedup", "ideal", "efficiency"].map(|number| row[number].as_f64().unwrap_or_default());
        assert!((speedup / ideal - efficiency).abs() < 1e-3, "{row}");
    }
}

#[test]
fn the_ideal_is_as_many_times_as_fast_as_there_are_threads_unless_a_chain_is_longer() {
    let sizes = ["bench", "--blocks", "2", "--txs", "60", "--accounts", "20", "--samples", "1", "--json"];
    let cases = ["--workload", "transfers,swaps", "--threads", "1,2,3"];
    let rows = rows(&printed(&[&sizes[..], &cases].concat()));
    let ideal = |case: &str, threads: u64, mode: &str| {
        let row = rows.iter().find(|row| {
            (row["case"].as_str(), row["threads"].as_u64(), row["mode"].as_str())
                == (Some(case), Some(threads), Some(mode))
        });
        row.and_then(|row| row["ideal"].as_f64()).expect("a row")
    };
    for case in ["transfers", "swaps", "total"] {
        assert_eq!(ideal(case, 1, "serial"), 1.0, "{case}");
    }
    // Transfers need nothing of each other, and no step of a block takes as long as half of them.
    assert!((ideal("transfers", 2, "stream") - 2.0).abs() < 0.01);
    assert!(ideal("transfers", 3, "block") > 1.5);
    // Every swap needs the one before, also that of the block before; only a block's start and end are by themselves.
    for mode in ["block", "stream"] {
        assert!(ideal("swaps", 3, mode) < 1.3, "{mode}: {}", ideal("swaps", 3, mode));
    }
    let total = ideal("total", 2, "stream");
    assert!(total > 1.0 && total < 2.0, "{total}");
}

#[test]
fn what_ways_to_execute_did_is_counted() {
    let rows = rows(&lines(&["--workload", "nft", "--threads", "1,2", "--counters"]));
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let counters = &row["counters"];
        if row["case"] == "total" {
            assert!(counters.is_null(), "{row}");
            continue;
        }
        for time in ["executeNs", "commitNs", "ceiling"] {
            assert!(counters[time].as_f64().is_some_and(|time| time > 0.0), "{time}: {row}");
        }
        if row["mode"] == "serial" {
            // Each transaction, and each block's start and end.
            assert_eq!(counters["frontierExecutions"], 1100.0);
            assert_eq!((&counters["validateNs"], &counters["again"]), (&0.0.into(), &0.0.into()));
        }
    }
    let output = tandem(&[&SMALL[..], &["--workload", "nft", "--threads", "1", "--counters"]].concat());
    assert!(stdout(&output).contains("ceiling"), "{}", stdout(&output));
}

#[test]
fn stages_have_their_costs_and_simulated_speed_ups() {
    let rows = rows(&lines(&["--workload", "transfers", "--threads", "1,2", "--stages"]));
    for row in rows.iter().filter(|row| row["case"] != "total") {
        let stages = &row["stages"];
        for time in ["executeNs", "commitNs", "deliverNs"] {
            assert!(stages[time].as_f64().is_some_and(|time| time > 0.0), "{time}: {row}");
        }
        let simulated = stages["simulated"].as_array().expect("numbers of threads");
        let threads: Vec<_> = simulated.iter().map(|row| row["threads"].as_u64()).collect();
        assert_eq!(threads, [2, 4, 8, 16, 64].map(Some));
        for pair in simulated.windows(2) {
            let [fewer, more] = [&pair[0], &pair[1]].map(|row| row["speedup"].as_f64().expect("a number"));
            assert!(more >= 0.99 * fewer, "more threads are slower: {row}");
        }
        // Whatever many threads execute, one after the other makes it final.
        let limit = 1.0 / stages["orderedShare"].as_f64().expect("a number");
        assert!(limit > 1.0, "{row}");
    }
    let output = tandem(&[&SMALL[..], &["--workload", "nft", "--threads", "2", "--stages"]].concat());
    assert!(stdout(&output).contains("on 16 (ideal)"), "{}", stdout(&output));
}

#[test]
fn a_long_stream_has_a_row_for_each_tenth_of_it() {
    let long = ["bench", "--long", "--blocks", "25", "--txs", "8", "--accounts", "20", "--workload", "mixed"];
    for threads in ["1", "3"] {
        let output = tandem(&[&long[..], &["--threads", threads, "--json"]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let rows = rows(&stdout(&output));
        let (summary, parts) = rows.split_last().expect("rows");
        assert_eq!(parts.len(), 10);
        assert_eq!(parts.iter().filter_map(|row| row["txs"].as_u64()).sum::<u64>(), 25 * 8);
        for row in parts {
            assert!(row["rate"].as_f64().is_some_and(|rate| rate > 0.0), "{row}");
            assert!(row["baselineMs"].as_f64().is_some_and(|time| time > 0.0), "{row}");
        }
        assert!(summary["lastToFirst"].as_f64().is_some_and(|share| share > 0.0), "{summary}");
    }
    assert_fails(&tandem(&["bench", "--long", "--samples", "2"]), 2, &["--samples"]);
}

#[test]
fn the_worst_of_recorded_blocks_are_named() {
    let blocks = Blocks::generate_many(3);
    let chain = blocks.path().to_str().expect("a path in UTF-8");
    let bench = ["bench", chain, "--samples", "2", "--threads", "1,2"];
    let output = tandem(&bench);
    assert!(output.status.success(), "{}", stderr(&output));
    for list in
        ["1 thread, serial: least speed-up of 3 blocks", "2 threads, block: least speed-up of 3 blocks"]
    {
        assert!(stdout(&output).contains(list), "{list}: {}", stdout(&output));
    }
    // Three blocks in two ways of which each block has its time, and the total in all three.
    let counted = rows(&stdout(&tandem(&[&bench[..], &["--json"]].concat())));
    assert_eq!(counted.len(), 3 * 2 + 3);
    let later = rows(&stdout(&tandem(&[&bench[..], &["--from", "3", "--json"]].concat())));
    assert_eq!(later.len(), 2 + 3);
    assert_fails(&tandem(&[&bench[..], &["--from", "4"]].concat()), 2, &["--from"]);
}

#[test]
fn results_of_older_versions_compare() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("before");
    let path = path.to_str().expect("a path in UTF-8");
    let row = r#"{"case":"token","threads":2,"mode":"block","baselineMs":2.0,"ms":1.0,"quartilesMs":[1,1],"speedup":2.0}"#;
    fs::write(path, row).expect("written");
    let rows = rows(&stdout(&tandem(&["bench", "--compare", path, path, "--json"])));
    assert_eq!((rows.len(), rows[0]["ratio"].as_f64()), (1, Some(1.0)));
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
fn cold_calls_have_a_row_for_each_block_and_engine_and_a_summary_for_each_engine() {
    let rows = rows(&lines(&["--cold", "--evict", "1", "--workload", "transfers,nft", "--threads", "1,2"]));
    let engines = ["1 revm", "1 alloy", "1 call", "2 call"];
    let names = names(&rows);
    let of = |engine: &str, cases: [&str; 2]| cases.map(|case| format!("{case} {engine}"));
    let mut expected = Vec::new();
    for workload in ["transfers", "nft"] {
        let blocks = [1, 2].map(|number| format!("{workload}: generated block {number}"));
        expected.extend(engines.iter().flat_map(|engine| of(engine, [&blocks[0], &blocks[1]])));
    }
    for case in ["transfers", "nft", "total"] {
        expected.extend(engines.map(|engine| format!("{case} {engine}")));
    }
    assert_eq!(names, expected);
    for row in &rows {
        let mut numbers = vec!["baselineMs", "ms", "speedup"];
        if cfg!(unix) {
            numbers.extend(["cpuMs", "cpuRatio"]);
        }
        for number in numbers {
            assert!(row[number].as_f64().is_some_and(|number| number > 0.0), "{number}: {row}");
        }
    }
    let (single, summaries) = rows.split_at(16);
    assert!(single.iter().all(|row| row["worst"].is_null()), "{single:?}");
    for summary in summaries {
        let speedup = |row: &Value| row["speedup"].as_f64().expect("a number");
        assert_eq!(summary["blocks"], if summary["case"] == "total" { 4 } else { 2 }, "{summary}");
        let of_engine = single.iter().filter(|row| {
            let case = row["case"].as_str().expect("a name");
            (&row["threads"], &row["mode"]) == (&summary["threads"], &summary["mode"])
                && (summary["case"] == "total" || case.starts_with(summary["case"].as_str().expect("a name")))
        });
        let worst = of_engine.min_by(|a, b| speedup(a).total_cmp(&speedup(b))).expect("blocks");
        assert_eq!(speedup(worst), speedup(&summary["worst"]), "{summary}");
    }
}

#[test]
fn cold_calls_of_recorded_blocks_are_told_in_a_table() {
    let blocks = Blocks::generate_many(3);
    let chain = blocks.path().to_str().expect("a path in UTF-8");
    let printed = printed(&[
        "bench",
        "--cold",
        chain,
        "--from",
        "2",
        "--evict",
        "1",
        "--samples",
        "2",
        "--threads",
        "2",
    ]);
    let mut lines = printed.lines();
    assert_eq!(lines.next(), Some("total, 2 blocks"));
    assert!(lines.next().is_some_and(|head| head.contains("worst block")), "{printed}");
    let modes: Vec<_> = lines.take(3).map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(modes, [Some("revm"), Some("alloy"), Some("call")]);
}

#[test]
fn cold_results_compare() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cold");
    let path = path.to_str().expect("a path in UTF-8");
    fs::write(path, lines(&["--cold", "--evict", "0", "--workload", "nft", "--threads", "1"]))
        .expect("written");
    let rows = rows(&stdout(&tandem(&["bench", "--compare", path, path, "--json"])));
    // Two blocks, the workload and the total, by three engines.
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row["ratio"] == 1.0), "{rows:?}");
}

#[test]
fn options_that_make_no_sense_with_cold_calls_are_bad_usage() {
    for option in [&["--long"][..], &["--counters"], &["--read-latency", "5"], &["--compare", "a", "b"]] {
        assert_fails(&tandem(&[&["bench", "--cold"], option].concat()), 2, &["--cold", option[0]]);
    }
    assert_fails(&tandem(&["bench", "--evict", "8"]), 2, &["--cold"]);
    assert_fails(&tandem(&["bench", "--cold", "--evict", "65536"]), 2, &["--evict"]);
    assert_fails(&tandem(&["bench", "--cold", "--samples", "0"]), 2, &["--samples"]);
    assert_fails(&tandem(&["bench", "--cold", "--threads", "0"]), 2, &["--threads"]);
    assert_fails(&tandem(&["bench", "--cold", "no/such/folder"]), 2, &["no/such/folder"]);
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
