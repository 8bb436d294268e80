//! Blocks that cannot be judged, since something is missing or not supported: they are never called invalid.

use crate::common::{Blocks, assert_fails, faults, recorded_blocks, run, stderr, stdout, tandem};
use alloy_consensus::{Header, proofs::calculate_ommers_root};
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_primitives::{Address, B256, Sealable, U256};
use alloy_rpc_types_eth as rpc;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Output;
use tandem_state::trie::{HashedChanges, NoSource, StateTrie};
use tandem_state::{Account, MemoryStore};

/// The contract of withdrawal requests (EIP-7002).
const WITHDRAWALS: &str = "0x00000961ef480eb55e80d19ad83579a64c007002";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// In every mode.
fn runs(folder: &Path) -> Vec<Output> {
    let ways =
        [("stream", "1"), ("stream", "2"), ("stream", "8"), ("block", "2"), ("serial", "1"), ("revm", "1")];
    ways.map(|(mode, threads)| run(folder, &["--mode", mode, "--threads", threads])).into()
}

fn assert_succeeds(output: &Output) {
    assert!(output.status.success(), "{}\n{}", stderr(output), stdout(output));
}

/// Fails for want of something that the message names, and calls nothing invalid.
fn assert_unchecked(output: &Output, words: &[&str]) {
    assert_fails(output, 2, words);
    assert!(!stdout(output).contains("INVALID") && !stdout(output).contains("FAILED"), "{}", stdout(output));
}

#[test]
fn a_missing_system_contract_is_named() {
    let blocks = Blocks::generate();
    let name = blocks.names().remove(0);
    blocks.edit(&name, "pre_state.json.gz", |state| {
        state.as_object_mut().unwrap().remove(WITHDRAWALS).unwrap();
    });
    for output in runs(&blocks.path().join(&name)) {
        assert_unchecked(&output, &["unchecked", "does not list 0x00000961Ef480Eb55e80D19ad83579A64c007002"]);
        assert!(stdout(&output).contains("unchecked"), "{}", stdout(&output));
    }
    let commands: [&[&str]; 3] =
        [&["explain", "--repeat", "1"], &["shape", "--alone"], &["bench", "--samples", "1"]];
    for command in commands {
        let output = tandem(&[command, &[text(&blocks.path().join(&name))]].concat());
        assert_unchecked(&output, &["does not list 0x00000961Ef480Eb55e80D19ad83579A64c007002"]);
    }
}

#[test]
fn a_missing_account_is_named() {
    let blocks = Blocks::generate();
    for name in blocks.names() {
        let sender = blocks.sender(&name, 3);
        let mut called = String::new();
        blocks.edit(&name, "block.json.gz", |block| {
            called = block["transactions"][3]["to"].as_str().unwrap().to_owned();
        });
        for missing in [sender, called] {
            let mut kept = Value::Null;
            blocks.edit(&name, "pre_state.json.gz", |state| {
                kept = state.as_object_mut().unwrap().remove(&missing.to_lowercase()).unwrap();
            });
            let checksummed = missing.parse::<Address>().unwrap().to_string();
            for output in runs(&blocks.path().join(&name)) {
                assert_unchecked(&output, &["unchecked", &checksummed]);
            }
            blocks.edit(&name, "pre_state.json.gz", |state| state[&missing.to_lowercase()] = kept);
        }
        // The others are as they were.
        assert_succeeds(&run(blocks.path(), &[]));
        // A value that is there and wrong is wrong.
        let mut gas = json!("0x5208");
        let mut swap = || {
            blocks.edit(&name, "block.json.gz", |block| std::mem::swap(&mut block["gasUsed"], &mut gas));
        };
        swap();
        assert_fails(&run(&blocks.path().join(&name), &[]), 1, &["gas used"]);
        swap();
    }
}

#[test]
fn a_header_without_what_execution_needs_is_bad_input() {
    let blocks = Blocks::generate();
    let name = blocks.names().remove(0);
    for field in ["excessBlobGas", "parentBeaconBlockRoot", "baseFeePerGas"] {
        let mut kept = Value::Null;
        blocks.edit(&name, "block.json.gz", |block| {
            kept = block.as_object_mut().unwrap().remove(field).unwrap();
        });
        for output in runs(&blocks.path().join(&name)) {
            assert_unchecked(&output, &["block.json.gz", &format!("field {field} is absent")]);
        }
        blocks.edit(&name, "block.json.gz", |block| block[field] = kept);
    }
}

#[test]
fn empty_accounts_that_are_listed_do_not_exist() {
    let blocks = Blocks::generate();
    let digest = |output: &Output| {
        assert_succeeds(output);
        stdout(output).lines().find(|line| line.starts_with("digest")).unwrap().to_owned()
    };
    let before = digest(&run(blocks.path(), &[]));
    for name in blocks.names() {
        blocks.edit(&name, "pre_state.json.gz", |state| {
            // Accounts that nothing is known to be at, and those that transactions go to.
            for address in 1..=9 {
                let address = format!("{:#x}", Address::with_last_byte(address));
                state
                    .as_object_mut()
                    .unwrap()
                    .entry(address)
                    .or_insert(json!({"balance": "0x0", "nonce": "0x0"}));
            }
        });
    }
    for output in runs(blocks.path()) {
        assert_eq!(digest(&output), before);
    }
    let Some(faults) = faults() else { return };
    let folder = faults.join("09-empty-listed");
    let base = digest(&run(&folder.join("fixture-base"), &[]));
    for output in runs(&folder.join("fixture-empty-listed")) {
        assert_eq!(digest(&output), base);
    }
}

#[test]
fn ommers_that_are_not_there_leave_the_state_unchecked() {
    let Some(faults) = faults() else { return };
    let folder = faults.join("10-ommers-witness/fixture-ommers-1");
    for output in runs(&folder) {
        assert_succeeds(&output);
        assert!(stderr(&output).contains("the headers of its ommers are missing"), "{}", stderr(&output));
        assert!(stdout(&output).contains("unchecked requests state"), "{}", stdout(&output));
    }
    let output = tandem(&["witness", text(&folder)]);
    assert_unchecked(&output, &["the headers of its ommers are missing"]);
}

fn write_gzip(path: &Path, json: &Value) {
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    encoder.write_all(json.to_string().as_bytes()).unwrap();
    encoder.finish().unwrap();
}

/// A block of London with an ommer, nothing else, on the empty state, and its witness. `root` is what the header says.
fn ommer_block(dir: &Path, root: impl FnOnce(B256) -> B256) -> Header {
    let [miner, other] = [1, 2].map(Address::repeat_byte);
    let parent =
        Header { number: 12_965_000, state_root: alloy_consensus::EMPTY_ROOT_HASH, ..Header::default() };
    let ommer = Header { number: 12_965_000, beneficiary: other, ..Header::default() };
    let ether = |eighths: u64| U256::from(eighths) * U256::from(125_000_000_000_000_000_u64);
    let mut state = MemoryStore::new();
    // Two ether and a 32nd of that; the ommer is of the parent's number.
    state.set_account(
        miner,
        Account { balance: ether(16) + ether(16) / U256::from(32), ..Account::default() },
    );
    state.set_account(other, Account { balance: ether(14), ..Account::default() });
    let mut trie = StateTrie::new(alloy_consensus::EMPTY_ROOT_HASH);
    trie.update(&HashedChanges::from(&state), &NoSource).unwrap();
    let header = Header {
        parent_hash: parent.hash_slow(),
        number: 12_965_001,
        timestamp: 1_628_166_900,
        beneficiary: miner,
        gas_limit: 30_000_000,
        difficulty: U256::from(131_072),
        base_fee_per_gas: Some(INITIAL_BASE_FEE),
        ommers_hash: calculate_ommers_root(std::slice::from_ref(&ommer)),
        state_root: root(trie.finish_block(&NoSource).unwrap().0),
        ..Header::default()
    };
    let sealed = rpc::Header::from_sealed(header.clone().seal_slow());
    let mut block = serde_json::to_value(&sealed).unwrap();
    block["transactions"] = json!([]);
    block["uncles"] = json!([rpc::Header::from_sealed(ommer.seal_slow())]);
    fs::create_dir_all(dir).unwrap();
    write_gzip(&dir.join("block.json.gz"), &block);
    let nothing = json!({"balance": "0x0", "nonce": "0x0"});
    let listed = json!({miner.to_string(): nothing, other.to_string(): nothing});
    write_gzip(&dir.join("pre_state.json.gz"), &listed);
    let parent = alloy_primitives::hex::encode_prefixed(alloy_rlp::encode(&parent));
    write_gzip(&dir.join("witness.json.gz"), &json!({"state": [], "headers": [parent]}));
    fs::write(dir.join("block_hashes.json"), "{}").unwrap();
    fs::write(dir.join("codes.json.zst"), zstd::encode_all(&b"{}"[..], 1).unwrap()).unwrap();
    header
}

#[test]
fn ommers_that_are_there_are_rewarded() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("1-12965001");
    ommer_block(&dir, |root| root);
    for command in ["run", "witness"] {
        let output = tandem(&[command, text(&dir)]);
        assert_succeeds(&output);
        assert!(stdout(&output).contains("parent state; unchecked requests"), "{}", stdout(&output));
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("1-12965001");
    ommer_block(&dir, |_| B256::repeat_byte(1));
    for command in ["run", "witness"] {
        assert_fails(&tandem(&[command, text(&dir)]), 1, &["the state root is"]);
    }
}

#[test]
fn a_fork_that_is_not_supported_is_named_by_every_command() {
    let blocks = Blocks::generate();
    let name = blocks.names().remove(0);
    let mut time = String::new();
    blocks.edit(&name, "block.json.gz", |block| time = block["timestamp"].as_str().unwrap().to_owned());
    // The first block is the first of Amsterdam.
    blocks.edit_genesis(|genesis| {
        let config = genesis["config"].as_object_mut().unwrap();
        config.insert("amsterdamTime".to_owned(), json!(time));
    });
    let (folder, genesis) = (text(blocks.path()).to_owned(), blocks.path().join("genesis.json"));
    let commands: [&[&str]; 6] = [
        &["run", &folder],
        &["run", &folder, "--mode", "revm"],
        &["explain", &folder, "--repeat", "1"],
        &["study", &folder, "--repeat", "1"],
        &["shape", &folder],
        &["bench", &folder, "--samples", "1"],
    ];
    for command in commands {
        assert_unchecked(&tandem(command), &["fork Amsterdam is not supported"]);
    }
    let data = tempfile::tempdir().unwrap();
    let data = data.path().join("data");
    let chain = blocks.path().join("chain.rlp");
    let import = ["import", "--datadir", text(&data), "--genesis", text(&genesis), text(&chain)];
    assert_unchecked(
        &tandem(&import),
        &["chain.rlp: block 0 of the file", "fork Amsterdam is not supported"],
    );
    blocks.edit_genesis(|genesis| genesis["config"]["amsterdamTime"] = json!(0));
    assert_unchecked(&tandem(&import), &["genesis.json", "timestamp", "fork Amsterdam is not supported"]);
    assert_unchecked(&tandem(commands[0]), &["genesis.json", "fork Amsterdam is not supported"]);
}

#[test]
fn sepolia_is_refused_from_amsterdam_on() {
    const SEPOLIA: &str = "11155111-10100112";
    let Some(blocks) = Blocks::copy(&[SEPOLIA]) else { return };
    let witness = recorded_blocks().unwrap().join(SEPOLIA).join("witness.json.gz");
    fs::copy(witness, blocks.path().join(SEPOLIA).join("witness.json.gz")).unwrap();
    assert_succeeds(&run(blocks.path(), &[]));
    blocks.edit(SEPOLIA, "block.json.gz", |block| block["timestamp"] = json!("0x6ac54320"));
    for command in ["run", "witness", "explain", "shape"] {
        assert_unchecked(&tandem(&[command, text(blocks.path())]), &["fork Amsterdam is not supported"]);
    }
}

#[test]
fn a_genesis_with_forks_at_the_wrong_kind_of_point_is_bad_input() {
    let blocks = Blocks::generate();
    blocks.edit_genesis(|genesis| genesis["config"]["cancunBlock"] = json!(0));
    assert_unchecked(&run(blocks.path(), &[]), &["genesis.json", "config.cancunBlock", "cancunTime"]);
    let blocks = Blocks::generate();
    blocks.edit_genesis(|genesis| genesis["config"]["londonTime"] = json!(0));
    assert_unchecked(&run(blocks.path(), &[]), &["genesis.json", "config.londonTime", "londonBlock"]);
}

#[test]
fn a_witness_that_does_not_prove_the_root_is_refused() {
    // It lacks a node that a branch collapses onto.
    let Some(folder) = recorded_blocks() else { return };
    let folder = folder.join("1-20526626");
    assert_unchecked(&run(&folder, &[]), &["the witness does not prove the state root", "is not known"]);
    let output = run(&folder, &["--unproven"]);
    assert_succeeds(&output);
    assert!(stdout(&output).contains("unproven state"), "{}", stdout(&output));
    let output = tandem(&["witness", text(&folder)]);
    assert_unchecked(&output, &["the witness does not prove the state root"]);
    assert_fails(&tandem(&["witness", text(&folder), "--unproven"]), 2, &["--unproven"]);
}

#[test]
fn a_witness_answers_from_its_own_headers() {
    let Some(folder) = recorded_blocks() else { return };
    // The block asks for the hash of one that no header tells, though a file beside it would.
    let output = tandem(&["witness", text(&folder.join("1-9069000"))]);
    assert_unchecked(&output, &["the witness does not tell the hash of block 9068996"]);
    // Nothing ties the root to the block.
    let output = tandem(&["witness", text(&folder.join("1-19807080"))]);
    assert_unchecked(&output, &["witness.json.gz", "no header of the block's parent"]);
    for whole in ["1-21287237", "1-23879620", "1-19426587", "11155111-10100112"] {
        assert_succeeds(&tandem(&["witness", text(&folder.join(whole))]));
    }
}
