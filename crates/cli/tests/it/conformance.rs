//! `tandem statetest` and `tandem blockchaintest`: exit codes and what they print.

use crate::common::official::refused;
use crate::common::{assert_fails, stderr, stdout, tandem};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;

/// The same test expecting something else.
fn failing() -> Value {
    let mut test = refused();
    test["refused"]["post"]["Shanghai"][0]["expectException"] = json!("TransactionException.NONCE_IS_MAX");
    test
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn of(tests: &[Value]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (index, test) in tests.iter().enumerate() {
            let inner = folder.path().join("inner");
            std::fs::create_dir_all(&inner).expect("a folder");
            std::fs::write(inner.join(format!("{index}.json")), test.to_string()).expect("a file");
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, index: usize) -> PathBuf {
        self.path().join("inner").join(format!("{index}.json"))
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        tandem(&[&[command, self.path().to_str().expect("a path in UTF-8")], more].concat())
    }
}

fn last_line(output: &Output) -> String {
    stdout(output).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn counts_are_the_last_line_and_failures_the_exit_code() {
    let folder = Folder::of(&[refused(), refused()]);
    for flags in [&[][..], &["-o"], &["--omit-progress", "-s"], &["--threads", "4"], &["--threads", "1,2,4"]]
    {
        let output = folder.run("statetest", flags);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(last_line(&output), "2 passed, 0 failed");
    }
    let folder = Folder::of(&[failing(), refused()]);
    let output = folder.run("statetest", &["-k"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(last_line(&output), "1 passed, 1 failed");
    assert!(stdout(&output).contains("expected TransactionException.NONCE_IS_MAX"), "{}", stdout(&output));
    let output = folder.run("statetest", &["--single-thread"]);
    assert_eq!((output.status.code(), last_line(&output)), (Some(1), "0 passed, 1 failed".to_owned()));
    assert!(stdout(&output).contains("1 more files were not run"), "{}", stdout(&output));
}

#[test]
fn each_test_is_an_object() {
    let folder = Folder::of(&[failing()]);
    let object = |flag: &str| {
        let output = folder.run("statetest", &[flag]);
        let stdout = stdout(&output);
        serde_json::from_str::<Value>(stdout.lines().next().expect("a line")).expect("JSON")
    };
    let object_of = object("--json");
    assert_eq!(object_of["test"], "refused");
    assert_eq!(object_of["fork"], "Shanghai");
    assert_eq!(object_of["pass"], false);
    assert_eq!(object_of["index"], json!({"data": 0, "gas": 0, "value": 0}));
    assert!(object_of["error"].as_str().expect("text").contains("NONCE_IS_MAX"));
    let outcome = object("--json-outcome");
    assert_eq!((&outcome["pass"], &outcome["d"], &outcome["gasUsed"]), (&json!(false), &json!(0), &json!(0)));
    assert_eq!(outcome["stateRoot"], "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
}

#[test]
fn json_is_alone_on_the_standard_output() {
    let folder = Folder::of(&[failing(), refused(), json!({"a": 5})]);
    for flags in [&["--json"][..], &["--json-outcome"], &["--json", "--pack", "5"]] {
        let output = folder.run("statetest", &[flags, &["-k"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let objects: Vec<Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let summary = &objects.last().expect("a summary")["summary"];
        assert_eq!(summary["unreadable"], 1);
        if flags.len() == 1 {
            assert_eq!((&summary["passed"], &summary["failed"]), (&json!(1), &json!(1)));
        }
    }
}

/// A test of a fork that is known and not supported.
fn unsupported() -> Value {
    let mut test = refused();
    let expected = test["refused"]["post"]["Shanghai"].take();
    test["refused"]["post"] = json!({"Amsterdam": expected});
    test
}

#[test]
fn a_fork_that_is_not_supported_is_refused_by_name() {
    let folder = Folder::of(&[unsupported()]);
    for flags in [&[][..], &["--pack", "3"], &["-k"]] {
        let output = folder.run("statetest", flags);
        assert_fails(&output, 2, &["no test was run: Amsterdam is not supported"]);
        assert_eq!(last_line(&output), "0 passed, 0 failed, 1 unsupported: Amsterdam");
    }
    // Among others it is counted apart.
    let folder = Folder::of(&[unsupported(), refused(), unsupported()]);
    let output = folder.run("statetest", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(last_line(&output), "1 passed, 0 failed, 2 unsupported: Amsterdam");
    let output = folder.run("statetest", &["--json"]);
    let objects: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(objects.iter().filter(|object| object["unsupported"] == "Amsterdam").count(), 2);
    assert_eq!(objects[3]["summary"]["unsupported"], json!({"Amsterdam": 2}));
}

#[test]
fn a_run_in_which_nothing_was_executed_does_not_pass() {
    let folder = Folder::of(&[refused(), refused()]);
    for flags in [&["--pack", "10"][..], &["--repeat", "2"]] {
        let output = folder.run("statetest", flags);
        assert_fails(&output, 2, &["no transaction was executed: 2 were left out"]);
    }
    let mut nothing = refused();
    nothing["refused"]["post"] = json!({});
    let folder = Folder::of(&[nothing]);
    for flags in [&[][..], &["--pack", "10"], &["--repeat", "2"]] {
        let output = folder.run("statetest", flags);
        assert_eq!((output.status.code(), last_line(&output)), (Some(1), "0 passed, 1 failed".to_owned()));
    }
    let mut unknown = refused();
    let expected = unknown["refused"]["post"]["Shanghai"].take();
    unknown["refused"]["post"] = json!({"Atlantis": expected});
    let folder = Folder::of(&[unknown]);
    for flags in [&[][..], &["--pack", "10"], &["--repeat", "2"]] {
        let output = folder.run("statetest", flags);
        assert_eq!((output.status.code(), last_line(&output)), (Some(1), "0 passed, 1 failed".to_owned()));
        assert!(stdout(&output).contains("network Atlantis is unknown"), "{}", stdout(&output));
    }
}

#[test]
fn packs_tell_how_much_they_hold() {
    let mut test = refused();
    test["refused"]["post"]["Shanghai"][0]["expectException"] = Value::Null;
    test["refused"]["pre"] = json!({"0x7e5f4552091a69125d5dfcb7b8c2659029395bdf":
        {"balance": "0xe8d4a51000", "code": "0x", "nonce": "0x00", "storage": {}}});
    let folder = Folder::of(&[test, refused()]);
    let output = folder.run("statetest", &["--pack", "10", "--repeat", "7"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("7 transactions in 1 blocks; 0 more were refused, 1 left out"));
    assert!(stdout(&output).contains("engine: 7 transactions executed in 1 blocks, "), "{}", stdout(&output));
    assert_eq!(last_line(&output), "1 passed, 0 failed");
    let output = folder.run("statetest", &["--pack", "10", "--repeat", "7", "--json"]);
    let summary = stdout(&output).lines().find(|line| line.contains("summary")).map(str::to_owned);
    let summary: Value = serde_json::from_str(&summary.expect("a summary")).expect("JSON");
    let counters = &summary["summary"]["counters"];
    assert_eq!((&counters["blocks"], &counters["transactions"]), (&json!(1), &json!(7)));
    assert!(counters["reexecutions"].is_u64() && counters["repairs"].is_u64(), "{counters}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let nothing = tempfile::tempdir().expect("a temporary folder");
    let path = nothing.path().to_str().expect("a path in UTF-8");
    for command in ["statetest", "blockchaintest"] {
        assert_fails(&tandem(&[command]), 2, &["PATHS"]);
        assert_fails(&tandem(&[command, path]), 2, &["no JSON files"]);
        assert_fails(&tandem(&[command, "/nowhere/at/all"]), 2, &["/nowhere/at/all"]);
        assert_fails(&tandem(&[command, path, "--threads", "0"]), 2, &["--threads must be at least 1"]);
        assert_fails(&tandem(&[command, path, "--threads", "1,0"]), 2, &["--threads must be at least 1"]);
        assert_fails(&Folder::of(&[json!({})]).run(command, &[]), 2, &["there are no tests in it"]);
        let folder = Folder::of(&[json!({"a": 5})]);
        let output = folder.run(command, &["-k"]);
        assert_fails(&output, 2, &[folder.file(0).to_str().expect("a path in UTF-8")]);
        assert_eq!(last_line(&output), "0 passed, 0 failed");
    }
    let folder = Folder::of(&[refused()]);
    assert_fails(&folder.run("blockchaintest", &[]), 2, &["missing field"]);
    assert_fails(&folder.run("statetest", &["--pack", "0"]), 2, &["--pack"]);
}
