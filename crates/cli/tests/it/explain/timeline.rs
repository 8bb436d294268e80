//! The trace of an actual run, as the Trace Event Format has it, which Perfetto reads.

use super::{explain, generate};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Checks the rules of the format that apply to complete events and metadata; gives the complete events by row.
fn check(trace: &Value) -> BTreeMap<u64, Vec<(f64, f64)>> {
    let events = trace["traceEvents"].as_array().expect("events");
    assert!(["ms", "ns"].contains(&trace["displayTimeUnit"].as_str().expect("a unit")));
    let (mut rows, mut named, mut processes) =
        (BTreeMap::<u64, Vec<(f64, f64)>>::new(), HashSet::new(), HashSet::new());
    for event in events {
        let pid = event["pid"].as_u64().expect("a process");
        let tid = event["tid"].as_u64().expect("a thread");
        let name = event["name"].as_str().expect("a name");
        match event["ph"].as_str().expect("a phase") {
            "M" => {
                assert!(!event["args"]["name"].as_str().expect("what it is called").is_empty());
                match name {
                    "process_name" => assert!(processes.insert(pid)),
                    "thread_name" => assert!(named.insert((pid, tid)), "{event}"),
                    _ => panic!("unknown metadata: {event}"),
                }
            }
            "X" => {
                assert!(!name.is_empty() && !event["cat"].as_str().expect("a category").is_empty());
                let (start, time) =
                    (event["ts"].as_f64().expect("when"), event["dur"].as_f64().expect("how long"));
                assert!(start >= 0.0 && time >= 0.0, "{event}");
                assert!(
                    event["args"].is_object() && named.contains(&(pid, tid)) && processes.contains(&pid),
                    "{event}"
                );
                rows.entry(tid).or_default().push((start, start + time));
            }
            _ => panic!("unexpected phase: {event}"),
        }
    }
    for (row, events) in &mut rows {
        events.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut open: Vec<f64> = Vec::new();
        for (start, end) in events {
            // Times are whole nanoseconds, written as microseconds.
            while open.last().is_some_and(|outer| *outer <= *start + 5e-4) {
                open.pop();
            }
            assert!(
                open.last().is_none_or(|outer| *end <= outer + 5e-4),
                "row {row}: {start} to {end} leaves {open:?}"
            );
            open.push(*end);
        }
    }
    rows
}

#[test]
fn a_trace_follows_the_format() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("nft", folder.path());
    let file = folder.path().join("trace.json");
    explain(folder.path(), &["--trace", file.to_str().expect("a path in UTF-8")]);
    let trace: Value = serde_json::from_slice(&std::fs::read(file).expect("a trace")).expect("JSON");
    let rows = check(&trace);
    // 80 transactions and two blocks' ends at least.
    assert!(rows.values().map(Vec::len).sum::<usize>() >= 82, "{rows:?}");
    assert!(rows.keys().all(|row| *row < 2), "{rows:?}");
}

#[test]
#[should_panic(expected = "leaves")]
fn events_that_overlap_are_found() {
    let event = |start: u32, time: u32| serde_json::json!({ "name": "a", "cat": "b", "ph": "X", "pid": 1, "tid": 0, "ts": start, "dur": time, "args": {} });
    let name = |what: &str| serde_json::json!({ "name": what, "ph": "M", "pid": 1, "tid": 0, "args": { "name": "n" } });
    let events = [name("process_name"), name("thread_name"), event(0, 10), event(5, 10)];
    check(&serde_json::json!({ "displayTimeUnit": "ns", "traceEvents": events }));
}
