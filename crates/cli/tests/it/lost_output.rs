//! Commands whose output is not read, or cannot be written, end cleanly.

use crate::common::{Blocks, assert_fails, stderr, tandem};
use std::fs::File;
use std::process::{Command, Output, Stdio};

/// A command with its arguments.
type Line = Vec<String>;

/// All commands that print results, after whatever they need was made in `folder`.
fn commands(blocks: &Blocks) -> Vec<Line> {
    let path = |name: &str| blocks.path().join(name).to_str().unwrap().to_owned();
    let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Line>();
    let (folder, data) = (path(""), path("data"));
    let import = ["import", "--datadir", &data, "--genesis", &path("genesis.json"), &path("chain.rlp")];
    let output = tandem(&import);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut hash = String::new();
    blocks.edit(&blocks.names()[0], "block.json.gz", |block| {
        hash = block["transactions"][0]["hash"].as_str().unwrap().to_owned();
    });
    let data = data.as_str();
    let account = "0x00000961ef480eb55e80d19ad83579a64c007002";
    vec![
        line(&["head", "--datadir", data]),
        line(&["head", "--datadir", data, "--json"]),
        line(&["account", account, "--slot", "1", "--datadir", data]),
        line(&["account", account, "--datadir", data, "--json"]),
        line(&["receipt", &hash, "--datadir", data]),
        line(&["receipt", &hash, "--datadir", data, "--json"]),
        line(&["db", "check", "--datadir", data]),
        line(&["db", "check", "--datadir", data, "--json"]),
        line(&["db", "stats", "--datadir", data]),
        line(&["db", "stats", "--datadir", data, "--json"]),
        line(&import),
        line(&[&import[..], &["--json"]].concat()),
        line(&["unwind", "--to", "2", "--datadir", data]),
        line(&["run", &folder]),
        line(&["run", &folder, "--json"]),
        line(&["explain", &folder, "--repeat", "1"]),
        line(&["study", &folder, "--repeat", "1"]),
        line(&["shape", &folder, "--alone"]),
        line(&["bench", &folder, "--samples", "1", "--threads", "2"]),
        line(&["--help"]),
        line(&["--version"]),
    ]
}

fn spoilt(line: &[String], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(line).stdout(stdout).stderr(stderr).output().unwrap()
}

/// The end of a pipe whose other end is gone.
fn closed() -> Stdio {
    let (_, writer) = std::io::pipe().unwrap();
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let blocks = Blocks::generate();
    for line in commands(&blocks) {
        let output = spoilt(&line, closed(), Stdio::piped());
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{line:?}");
    }
}

#[test]
fn a_full_disk_is_a_fault() {
    let blocks = Blocks::generate();
    for line in commands(&blocks) {
        let output = spoilt(&line, full(), Stdio::piped());
        assert_fails(&output, 3, &["No space left on device"]);
    }
}

#[test]
fn complaints_that_nobody_hears_leave_the_exit_code() {
    let blocks = Blocks::generate();
    commands(&blocks);
    let data = blocks.path().join("nothing");
    for line in
        [vec!["head", "--datadir", data.to_str().unwrap()], vec!["run", "no/such/folder"], vec!["dance"]]
    {
        let line: Line = line.into_iter().map(str::to_owned).collect();
        for lost in [closed, full] {
            assert_eq!(spoilt(&line, Stdio::piped(), lost()).status.code(), Some(2), "{line:?}");
        }
    }
    // A failed check, too.
    let name = blocks.names().remove(0);
    blocks.edit(&name, "block.json.gz", |block| block["gasUsed"] = "0x1".into());
    let line: Line = vec!["run".to_owned(), blocks.path().join(name).to_str().unwrap().to_owned()];
    assert_eq!(spoilt(&line, closed(), closed()).status.code(), Some(1));
}
