//! `tandem fevm`, on generated tipsets.

#[path = "it/common/mod.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod common;

use common::{assert_fails, stdout, tandem};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A tipset as files, in a folder that goes away with it.
struct Files(tempfile::TempDir);

impl Files {
    fn new(workload: &str, messages: usize) -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        let folder = files.0.path().to_str().expect("a path in UTF-8").to_owned();
        let made = ["fevm", "generate", "--workload", workload, "--messages", &messages.to_string(), &folder];
        let output = tandem(&made);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, more: &[&str]) -> Output {
        let paths = ["bundle.car", "state.car", "messages.jsonl"].map(|name| self.path(name));
        let [bundle, state, messages] = paths.each_ref().map(|path| path.to_str().expect("a path in UTF-8"));
        let mut args = vec!["fevm", "run", "--bundle", bundle, "--state", state, "--messages", messages];
        args.extend(more);
        tandem(&args)
    }

    /// Rewrites the lines of messages; the first line describes the tipset.
    fn edit(&self, edit: impl FnOnce(&mut Vec<String>)) {
        let path = self.path("messages.jsonl");
        let mut lines: Vec<String> =
            fs::read_to_string(&path).expect("a file").lines().map(str::to_owned).collect();
        edit(&mut lines);
        fs::write(path, lines.join("\n")).expect("writing");
    }
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The gas limit of generated messages, and their fee cap, in CBOR.
const GAS: &str = "1b000000012a05f200";
const FEE: &str = "4200fa";

/// A CAR archive without one of its blocks.
fn without_block(path: &Path, index: usize) {
    let data = fs::read(path).expect("a file");
    let section = |from: usize| {
        let (mut at, mut size, mut shift) = (from, 0, 0);
        loop {
            size |= usize::from(data[at] & 127) << shift;
            shift += 7;
            at += 1;
            if data[at - 1] < 128 {
                return from..at + size;
            }
        }
    };
    let mut cut = section(0);
    for _ in 0..=index {
        cut = section(cut.end);
    }
    fs::write(path, [&data[..cut.start], &data[cut.end..]].concat()).expect("writing");
}

#[test]
fn files_execute_as_the_reference_does() {
    let files = Files::new("mixed", 40);
    let mut roots = Vec::new();
    for more in [
        &["--threads", "1"][..],
        &["--threads", "2"],
        &["--threads", "2", "--trust-evm"],
        &["--threads", "2", "--processes", "1", "--trust-evm"],
        &["--threads", "4", "--processes", "2", "--trust-evm"],
    ] {
        let output = files.run(&[more, &["--verify", "--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = lines(&output);
        assert_eq!(lines.len(), 41);
        let summary = &lines[40]["summary"];
        assert_eq!(summary["identical"], true);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        roots.push(summary["root"].clone());
    }
    assert!(roots.iter().all(|root| *root == roots[0]));
    let table = files.run(&["--verify"]);
    assert!(stdout(&table).contains("identical with the reference"));
}

#[test]
fn bench_compares_with_the_reference() {
    let output = tandem(&[
        "fevm",
        "bench",
        "--workload",
        "exchange,hot",
        "--processes",
        "1",
        "--messages",
        "30",
        "--tipsets",
        "2",
        "--json",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 4);
    let summary = &lines[3]["summary"];
    assert_eq!(summary["workload"], "hot");
    assert_eq!(summary["messages"], 60);
    assert_eq!(summary["threads"], 2);
    assert_eq!(summary["processes"], 1);
    assert_eq!(summary["identical"], true);
    for field in ["merged", "reexecuted", "referenceMs", "ms", "speedup"] {
        assert!(summary[field].is_number(), "{summary}");
    }
}

#[test]
fn worker_programs_that_are_none_are_done_without() {
    let files = Files::new("exchange", 30);
    let script = files.path("nonsense");
    fs::write(&script, "#!/bin/sh\nprintf nonsense >&0\nexec sleep 60\n").expect("writing");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).expect("permissions");
    }
    let script = script.to_str().expect("a path in UTF-8");
    let output = files.run(&["--threads", "2", "--processes", "1", "--worker", script, "--verify"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout(&output).contains("identical with the reference"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("warning: worker process 0: ") && said.contains("done without it"), "{said}");
    let missing = files.path("missing");
    let missing = missing.to_str().expect("a path in UTF-8");
    let output = files.run(&["--threads", "2", "--processes", "1", "--worker", missing]);
    assert_fails(&output, 2, &["missing cannot be started"]);
    let bench =
        ["fevm", "bench", "--workload", "hot", "--messages", "1", "--processes", "1", "--worker", missing];
    assert_fails(&tandem(&bench), 2, &["missing cannot be started"]);
}

#[test]
fn a_worker_is_not_started_by_hand() {
    assert_fails(&tandem(&["fevm", "worker"]), 2, &["standard input is not the socket of an executor"]);
}

#[test]
fn copies_are_measured_side_by_side() {
    let output =
        tandem(&["fevm", "copies", "--workload", "exchange", "--messages", "5", "--samples", "1", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["ms"].as_f64().unwrap() > 0.0));
}

/// Messages that cannot start: the reference's own receipts.
#[test]
fn a_wrong_sequence_and_missing_funds_have_receipts() {
    let files = Files::new("exchange", 3);
    files.edit(|lines| {
        // Once more, with a sequence that is used up; and one that costs more than its sender has.
        lines.push(lines[1].clone());
        lines[3] = lines[3].replacen(&format!("{GAS}{FEE}"), &format!("{GAS}4900ffffffffffffffff"), 1);
    });
    let output = files.run(&["--threads", "2", "--trust-evm", "--verify", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let codes: Vec<Value> = lines(&output)[..4].iter().map(|line| line["exitCode"].clone()).collect();
    assert_eq!(codes, [0, 0, 2, 2]);
}

#[test]
fn a_message_that_no_block_may_contain_is_invalid() {
    let files = Files::new("exchange", 3);
    files.edit(|lines| lines[2] = lines[2].replacen(GAS, "00", 1));
    for threads in ["1", "2"] {
        assert_fails(
            &files.run(&["--threads", threads]),
            1,
            &["messages.jsonl", "message 1 of the tipset", "gas limit"],
        );
    }
}

#[test]
fn messages_that_are_none_are_bad_input() {
    let files = Files::new("exchange", 3);
    files.edit(|lines| lines[2] = lines[2].replacen(GAS, "", 1));
    assert_fails(&files.run(&[]), 2, &["messages.jsonl, line 3", "not a message in CBOR"]);
    files.edit(|lines| lines[1] = r#"{"message":"xy"}"#.to_owned());
    assert_fails(&files.run(&[]), 2, &["messages.jsonl, line 2", "not hexadecimal"]);
    files.edit(|lines| lines[0] = "{}".to_owned());
    assert_fails(&files.run(&[]), 2, &["messages.jsonl, line 1", "networkVersion"]);
}

#[test]
fn an_unknown_network_version_is_bad_input() {
    let files = Files::new("exchange", 1);
    files.edit(|lines| {
        lines[0] = lines[0].replace("\"networkVersion\":27", "\"networkVersion\":99");
    });
    assert_fails(&files.run(&[]), 2, &["messages.jsonl", "network version 99 is not supported"]);
}

#[test]
fn a_bundle_without_an_evm_actor_is_bad_input() {
    let files = Files::new("exchange", 1);
    fs::copy(files.path("state.car"), files.path("bundle.car")).unwrap();
    assert_fails(&files.run(&[]), 2, &["bundle.car", "not a bundle of actors with an EVM actor"]);
    without_block(&files.path("bundle.car"), 0);
    assert_fails(&files.run(&[]), 2, &["bundle.car"]);
    fs::remove_file(files.path("bundle.car")).unwrap();
    assert_fails(&files.run(&[]), 2, &["bundle.car"]);
}

#[test]
fn a_state_with_a_missing_block_is_bad_input() {
    let files = Files::new("exchange", 1);
    // The root itself comes first.
    without_block(&files.path("state.car"), 0);
    assert_fails(&files.run(&["--threads", "2"]), 2, &["state.car", "cannot be used"]);
}

#[test]
fn absurd_settings_are_bad_usage() {
    assert_fails(&tandem(&["fevm", "bench", "--threads", "0"]), 2, &["--threads"]);
    assert_fails(&tandem(&["fevm", "bench", "--workload", "none"]), 2, &["none"]);
    assert_fails(&tandem(&["fevm", "bench", "--processes", "2"]), 2, &["--processes 2 of --threads 2"]);
    assert_fails(&tandem(&["fevm", "copies", "--copies", "1"]), 2, &["--copies"]);
    let files = Files::new("sends", 1);
    assert_fails(&files.run(&["--threads", "0"]), 2, &["--threads"]);
}

/// Commands that may take long: on a terminal a bar, in a pipe nothing.
#[test]
#[cfg(unix)]
fn messages_are_executed_with_progress() {
    let files = Files::new("exchange", 20);
    let path = |name: &str| files.path(name).to_str().expect("a path in UTF-8").to_owned();
    let (bundle, state, messages) = (path("bundle.car"), path("state.car"), path("messages.jsonl"));
    let run = ["run", "--bundle", &bundle, "--state", &state, "--messages", &messages, "--verify"];
    let size = ["--workload", "exchange", "--messages", "5"];
    let generated = path("generated");
    let all: [(&[&str], &str); 4] = [
        (&run, "executing"),
        (&[&["bench", "--tipsets", "2", "--processes", "1"], &size[..]].concat(), "executing"),
        (&[&["copies", "--samples", "2"], &size[..]].concat(), "executing"),
        (&[&["generate", &generated], &size[..]].concat(), "[generating]"),
    ];
    for (args, bar) in all {
        common::terminal::shows(&[&["fevm"], args].concat(), &[bar], || ());
    }
    let help = stdout(&tandem(&["fevm", "help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<_> = commands.take_while(|line| !line.is_empty()).map(str::trim).collect();
    let known =
        |line: &&str| line.starts_with("help ") || all.iter().any(|(args, _)| line.starts_with(args[0]));
    assert!(commands.len() == all.len() + 1 && commands.iter().all(known), "{commands:?}");
}
