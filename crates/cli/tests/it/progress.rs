//! Commands that may take long show progress on a terminal, and nothing in a pipe.

use crate::common::official::{genesis, refused};
use crate::common::terminal::{on_terminal, shows};
use crate::common::{recorded_blocks, stderr, stdout, tandem};
use std::path::Path;

/// Commands that may take long, and those that only look something up or do other things that are listed here.
const LONG: [&str; 12] = [
    "run",
    "explain",
    "study",
    "generate",
    "shape",
    "bench",
    "statetest",
    "blockchaintest",
    "witness",
    "import",
    "unwind",
    "db",
];
const SHORT: [&str; 4] = ["head", "account", "receipt", "help"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Runs a command, which must succeed.
fn done(args: &[&str]) {
    let output = tandem(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
}

/// Generates a chain in which transactions depend on each other, with fixtures.
fn chain() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sizes = ["--blocks", "2", "--txs", "20", "--accounts", "20"];
    let chain = ["generate", "--workload", "nft", "--fixtures", "--out", text(folder.path())];
    done(&[chain.as_slice(), &sizes].concat());
    folder
}

#[test]
fn every_command_is_known_to_be_long_or_short() {
    let help = stdout(&tandem(&["help"]));
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    // Those of `tandem fevm` have a test of their own.
    let commands: Vec<_> = commands.filter(|command| *command != "fevm").collect();
    assert_eq!(commands.len(), LONG.len() + SHORT.len(), "{commands:?}");
    for command in commands {
        assert!(LONG.contains(&command) || SHORT.contains(&command), "{command} is not among them");
    }
}

#[test]
fn blocks_are_run_with_progress() {
    let chain = chain();
    let bars = ["loading", "senders", "executing", "checking"];
    shows(&["run", text(chain.path()), "--threads", "2"], &bars, || ());
    shows(&["run", text(chain.path()), "--mode", "revm"], &bars, || ());
    shows(&["run", text(chain.path()), "--alloy", "--threads", "2"], &["executing", "alloy-evm"], || ());
    shows(&["run", "--threads", "2"], &["generating", "executing"], || ());
}

#[test]
fn blocks_are_studied_with_progress() {
    let chain = chain();
    let chain = text(chain.path());
    let bars = ["loading", "executing", "comparing paths", "[running]", "analysing"];
    shows(&["explain", chain, "--repeat", "1"], &bars, || ());
    shows(&["study", chain, "--repeat", "1"], &["loading", "executing", "simulating"], || ());
    shows(&["shape", chain, "--blocks", "2"], &["loading", "measuring", "generating"], || ());
    let bench = ["bench", chain, "--samples", "1", "--threads", "2"];
    shows(&bench, &["loading", "senders", "sampling"], || ());
    let bench = ["bench", "--workload", "nft", "--blocks", "2", "--samples", "1", "--threads", "2"];
    shows(&bench, &["generating", "sampling"], || ());
    let cold = ["bench", "--cold", chain, "--samples", "1", "--threads", "2"];
    shows(&cold, &["loading", "senders", "sampling"], || ());
}

#[test]
fn chains_are_made_and_imported_with_progress() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (chain, data) = (path("chain"), path("data"));
    let remove = |folder: &str| {
        let _ = std::fs::remove_dir_all(folder);
    };
    let generate = ["generate", "--blocks", "3", "--txs", "5", "--accounts", "5", "--out", &chain];
    shows(&generate, &["accounts", "blocks"], || remove(&chain));
    let (genesis, blocks) = (path("chain/genesis.json"), path("chain/chain.rlp"));
    let import = ["import", "--datadir", &data, "--genesis", &genesis, &blocks];
    shows(&import, &["[genesis]", "block 3"], || remove(&data));
    shows(&["db", "check", "--datadir", &data], &["leaves", "blocks"], || ());
    let unwind = ["unwind", "--to", "1", "--datadir", &data];
    shows(&unwind, &["[unwinding]"], || {
        remove(&data);
        done(&import);
    });
}

#[test]
fn official_tests_are_run_with_progress() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("test.json");
    for (command, test) in [("statetest", refused()), ("blockchaintest", genesis())] {
        std::fs::write(&file, test.to_string()).expect("a file");
        shows(&[command, text(folder.path())], &["testing"], || ());
    }
}

#[test]
fn witnesses_are_executed_with_progress() {
    let Some(recorded) = recorded_blocks() else { return };
    let block = recorded.join("1-21429020");
    assert!(block.join("witness.json.gz").exists(), "the block has a witness");
    shows(&["witness", text(&block)], &["executing"], || ());
}

#[test]
fn json_is_not_accompanied_by_progress() {
    let chain = chain();
    for command in
        [&["run"][..], &["explain", "--repeat", "1"], &["study", "--repeat", "1"], &["shape", "--alone"]]
    {
        let args = [command, &[text(chain.path()), "--json"]].concat();
        let seen = on_terminal(&args);
        assert!(seen.status.success(), "{args:?}: {}", stderr(&seen));
        assert_eq!(stderr(&seen), "", "{args:?}");
    }
}
