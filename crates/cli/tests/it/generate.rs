//! Output and refusals of `tandem generate`.

use crate::common::{assert_fails, run, stderr, stdout, tandem};
use alloy_primitives::{B256, Sealed, keccak256};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tandem_chain::{ChainFile, Genesis, HeaderChain};
use tandem_state::trie::{HashedAccount, HashedChanges, NoSource, StateTrie};
use tempfile::TempDir;

const WORKLOADS: [&str; 12] = [
    "transfers",
    "one-hot",
    "zipf",
    "token",
    "swaps",
    "independent-swaps",
    "nft",
    "airdrop",
    "payroll",
    "first-touch",
    "mainnet",
    "mixed",
];

/// Generates a small chain of three blocks into `folder`. Returns the rows and the summary.
fn generate(folder: &Path, more: &[&str]) -> (Vec<Value>, Value) {
    generate_blocks("3", folder, more)
}

fn generate_blocks(blocks: &str, folder: &Path, more: &[&str]) -> (Vec<Value>, Value) {
    let folder = folder.to_str().expect("a path in UTF-8");
    let small = ["--blocks", blocks, "--txs", "24", "--accounts", "30", "--population", "200"];
    let args = [&["generate", "--out", folder, "--json"], small.as_slice(), more].concat();
    let output = tandem(&args);
    assert!(output.status.success(), "{more:?}: {}", stderr(&output));
    let mut lines: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object per line"))
        .collect();
    let summary = lines.pop().expect("a summary")["summary"].take();
    (lines, summary)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// The hashes of all files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, B256> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        if path.is_dir() {
            let below = self::files(&path).into_iter();
            files.extend(below.map(|(below, hash)| (format!("{name}/{below}"), hash)));
        } else {
            files.insert(name, keccak256(fs::read(&path).expect("a file")));
        }
    }
    files
}

fn hash(value: &Value) -> B256 {
    value.as_str().and_then(|text| text.parse().ok()).expect("a hash")
}

#[test]
fn every_workload_runs_with_one_digest_in_all_modes() {
    for workload in WORKLOADS {
        let folder = folder();
        let (rows, summary) = generate(folder.path(), &["--workload", workload, "--fixtures"]);
        assert_eq!((rows.len(), &summary["txs"]), (3, &Value::from(72)));
        assert_eq!(summary["failed"], 0, "{workload}");
        let mut digests = Vec::new();
        for mode in ["stream", "block", "serial", "revm"] {
            for threads in ["1", "2", "4", "8"] {
                let output = run(folder.path(), &["--mode", mode, "--threads", threads, "--json"]);
                assert!(output.status.success(), "{workload} {mode}: {}", stderr(&output));
                assert_eq!(stderr(&output), "", "{workload} {mode}");
                let last = stdout(&output).lines().last().map(str::to_owned).expect("a summary");
                let ran: Value = serde_json::from_str(&last).expect("JSON");
                assert_eq!(ran["summary"]["blocks"], 3);
                assert_eq!(ran["summary"]["gas"], summary["gas"]);
                digests.push(ran["summary"]["digest"].clone());
            }
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "{workload}: {digests:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    for workload in WORKLOADS {
        let (one, two, other) = (folder(), folder(), folder());
        let args = ["--workload", workload, "--fixtures", "--seed"];
        generate(one.path(), &[args.as_slice(), &["7", "--threads", "1"]].concat());
        generate(two.path(), &[args.as_slice(), &["7", "--threads", "4"]].concat());
        generate(other.path(), &[args.as_slice(), &["8"]].concat());
        let (one, two, other) = (files(one.path()), files(two.path()), files(other.path()));
        assert_eq!(one, two, "{workload}");
        assert_eq!(one.len(), 3 + 3 * 3, "{:?}", one.keys());
        assert_ne!(one["genesis.json"], other["genesis.json"], "{workload}");
        assert_ne!(one["chain.rlp"], other["chain.rlp"], "{workload}");
    }
}

#[test]
fn a_longer_chain_begins_with_the_shorter_one() {
    let (short, long) = (folder(), folder());
    generate(short.path(), &[]);
    generate_blocks("5", long.path(), &[]);
    let read = |folder: &TempDir, name| fs::read(folder.path().join(name)).expect("a file");
    assert_eq!(read(&short, "genesis.json"), read(&long, "genesis.json"));
    assert!(read(&long, "chain.rlp").starts_with(&read(&short, "chain.rlp")));
}

#[test]
fn the_files_are_a_valid_chain() {
    let folder = folder();
    let (rows, summary) = generate_blocks("12", folder.path(), &["--workload", "mixed"]);
    let genesis = fs::File::open(folder.path().join("genesis.json")).expect("a file");
    let genesis = Genesis::read(genesis).expect("a genesis");
    let accounts = genesis.accounts().iter().map(|genesis| {
        let mut storage: Vec<_> = genesis
            .storage
            .iter()
            .map(|(slot, value)| (keccak256(slot.to_be_bytes::<32>()), *value))
            .collect();
        storage.sort_unstable();
        let account = HashedAccount { account: Some(Some(genesis.account)), storage, ..Default::default() };
        (keccak256(genesis.address), account)
    });
    let mut tries = StateTrie::new(alloy_consensus::EMPTY_ROOT_HASH);
    tries.update(&HashedChanges { accounts: accounts.collect() }, &NoSource).expect("tries");
    let (root, _) = tries.finish_block(&NoSource).expect("a root");
    let header = Sealed::new(genesis.header(root));
    assert_eq!(header.hash(), hash(&summary["genesisHash"]));
    assert_eq!(root, hash(&summary["genesisRoot"]));
    let slots: usize = genesis.accounts().iter().map(|account| account.storage.len()).sum();
    assert_eq!((genesis.accounts().len(), slots), (number(&summary["accounts"]), number(&summary["slots"])));

    let mut headers = HeaderChain::new(Arc::new(genesis.chain().clone()), header);
    let blocks = ChainFile::open(folder.path().join("chain.rlp")).expect("a chain");
    let mut count = 0;
    for (block, row) in blocks.zip(&rows) {
        let block = block.expect("a block").block;
        headers.push(&block).expect("a valid block");
        assert_eq!(block.hash(), hash(&row["hash"]));
        assert_eq!(block.header.state_root, hash(&row["stateRoot"]));
        assert!(block.header.base_fee_per_gas < Some(1_000_000_000));
        count += 1;
    }
    assert_eq!(count, 12);
    assert_eq!(headers.tip().hash(), hash(&summary["headHash"]));
}

#[test]
fn every_workload_can_be_imported() {
    for workload in WORKLOADS {
        let folder = folder();
        let (_, summary) = generate(folder.path(), &["--workload", workload]);
        let path = |name: &str| folder.path().join(name).to_str().expect("a path in UTF-8").to_owned();
        let (genesis, chain, datadir) = (path("genesis.json"), path("chain.rlp"), path("database"));
        let output = tandem(&["import", "--genesis", &genesis, "--datadir", &datadir, &chain]);
        assert!(output.status.success(), "{workload}: {}", stderr(&output));
        let head = summary["headHash"].as_str().expect("a hash");
        assert!(stdout(&output).contains(head), "{workload}: {}", stdout(&output));
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

#[test]
fn blocks_are_about_half_full() {
    for workload in WORKLOADS {
        let folder = folder();
        let (rows, _) = generate(folder.path(), &["--workload", workload]);
        for row in rows {
            let full = number(&row["gas"]) * 100 / number(&row["gasLimit"]);
            // The mix has few transactions that use much.
            let (least, most) = if workload == "mainnet" { (15, 60) } else { (30, 50) };
            assert!((least..most).contains(&full), "{workload}: {full} %");
        }
    }
}

#[test]
fn a_chain_without_fixtures_has_two_files() {
    let folder = folder();
    let out = folder.path().join("a/b");
    generate(&out, &[]);
    assert!(files(&out).into_keys().eq(["chain.rlp", "genesis.json"]));
}

#[test]
fn people_get_a_table() {
    let folder = folder();
    let out = folder.path().to_str().expect("a path in UTF-8");
    let output = tandem(&["generate", "--out", out, "--blocks", "2", "--txs", "5", "--accounts", "5"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    for words in
        ["workload mixed, seed 1", "2 blocks, 10 transactions (0 failed)", "genesis.json", "chain.rlp"]
    {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

/// Runs `tandem generate` on a new folder, with more arguments.
fn refused(more: &[&str], words: &[&str]) {
    let folder = folder();
    let out = folder.path().to_str().expect("a path in UTF-8");
    assert_fails(&tandem(&[&["generate", "--out", out], more].concat()), 2, words);
    assert_eq!(files(folder.path()).len(), 0, "{more:?}");
}

#[test]
fn an_unknown_workload_is_bad_usage() {
    refused(&["--workload", "chaos"], &["chaos", "transfers", "airdrop", "mixed"]);
}

#[test]
fn zero_and_absurd_sizes_are_bad_usage() {
    refused(&["--blocks", "0"], &["blocks", "between 1 and"]);
    refused(&["--blocks", "1000000000"], &["blocks", "1000000000"]);
    refused(&["--txs", "0"], &["transactions", "between 1 and"]);
    refused(&["--txs", "1000000"], &["transactions", "1000000"]);
    refused(&["--accounts", "0"], &["accounts", "between 1 and"]);
    refused(&["--accounts", "99999999999"], &["accounts"]);
    refused(&["--population", "99999999999"], &["population"]);
    refused(&["--population", "3", "--slots", "25"], &["slots", "between 0 and 24"]);
    refused(&["--blocks", "-3"], &["-3"]);
    refused(&["--threads", "0"], &["--threads"]);
    refused(&["--threads", "100000"], &["threads"]);
}

#[test]
fn a_share_that_is_none_is_bad_usage() {
    for hot in ["1.5", "NaN", "inf"] {
        refused(&["--hot", hot], &["hot must be between 0 and 1"]);
    }
    refused(&["--hot", "half"], &["half"]);
}

#[test]
fn a_folder_has_to_be_named() {
    assert_fails(&tandem(&["generate"]), 2, &["--out"]);
}

#[test]
fn nothing_is_overwritten() {
    let folder = folder();
    fs::write(folder.path().join("precious"), "data").expect("a file");
    let out = folder.path().to_str().expect("a path in UTF-8");
    assert_fails(&tandem(&["generate", "--out", out]), 2, &[out, "not empty"]);
    assert!(files(folder.path()).into_keys().eq(["precious"]));
}

#[test]
fn a_folder_that_cannot_be_written_is_bad_input() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "data").expect("a file");
    for path in [file.clone(), file.join("below")] {
        let path = path.to_str().expect("a path in UTF-8");
        assert_fails(&tandem(&["generate", "--out", path]), 2, &["cannot write to", path]);
    }
    // Not even root can make a folder there.
    assert_fails(&tandem(&["generate", "--out", "/proc/none"]), 2, &["cannot write to /proc/none"]);
}

#[test]
fn blocks_beside_another_chains_genesis_are_bad_input() {
    let folder = folder();
    generate(folder.path(), &["--fixtures"]);
    fs::rename(folder.path().join("1-2"), folder.path().join("5-2")).expect("a new name");
    assert_fails(&run(folder.path(), &[]), 2, &["5-2", "chain id", "genesis.json"]);
    fs::write(folder.path().join("genesis.json"), "{}").expect("a file");
    assert_fails(&run(folder.path(), &[]), 2, &["genesis.json", "config"]);
}

#[test]
fn an_interrupted_command_leaves_nothing_that_looks_whole() {
    let folder = folder();
    let out = folder.path().join("chain");
    let text = out.to_str().expect("a path in UTF-8");
    let args =
        ["generate", "--out", text, "--fixtures", "--blocks", "10000", "--txs", "10", "--accounts", "20"];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tandem"));
    let mut child =
        command.args(args).stdout(std::process::Stdio::null()).spawn().expect("the command starts");
    let begun = out.join("unfinished/chain.rlp");
    let written = || fs::metadata(&begun).is_ok();
    let start = std::time::Instant::now();
    while !written() && start.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(written(), "it was interrupted while it wrote");
    let left: Vec<_> =
        fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, ["unfinished"]);
    assert_fails(&run(&out, &[]), 2, &["holds no blocks"]);
    // The next one begins anew.
    let (rows, _) = generate(&out, &["--fixtures"]);
    assert_eq!(rows.len(), 3);
    let left: Vec<String> = files(&out).into_keys().filter(|name| name.contains("unfinished")).collect();
    assert_eq!(left, [] as [String; 0]);
    assert!(run(&out, &[]).status.success());
}
