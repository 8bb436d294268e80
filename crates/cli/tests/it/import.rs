//! `tandem import` given blocks that are no good: it says what is wrong, keeps the blocks before it, and goes on from
//! there once it is given the right ones.

use crate::common::datadir::{Datadir, Rng};
use crate::common::recorded::{Recorded, encode, strings};
use crate::common::{Blocks, assert_fails, faults, stderr, stdout};
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tandem_chain::ChainFile;

/// A block with all fields of a header, three kinds of transactions and a withdrawal, and another one after it.
const LATE: u64 = 53;
/// A block with an authorization list.
const PRAGUE: u64 = 45;
/// A block of proof of work with an ommer and transactions of two types.
const BERLIN: u64 = 25;
/// A block whose receipts hold state roots, with an ommer.
const EARLY: u64 = 7;

/// A change to a header.
type Change = fn(&mut Header);

/// Changes that no block of any fork survives, and how the message names the field.
const CHANGES: &[(&str, Change)] = &[
    ("field parentHash is", |header| header.parent_hash.0[31] ^= 1),
    ("field sha3Uncles is", |header| header.ommers_hash.0[0] ^= 1),
    ("field stateRoot is", |header| header.state_root.0[31] ^= 1),
    ("field transactionsRoot is", |header| header.transactions_root.0[5] ^= 1),
    ("field receiptsRoot is", |header| header.receipts_root.0[0] ^= 128),
    ("field logsBloom is", |header| header.logs_bloom.0[255] ^= 1),
    ("field logsBloom is", |header| header.logs_bloom = Bloom::repeat_byte(255)),
    ("field difficulty is", |header| header.difficulty += U256::ONE),
    ("blocks are missing", |header| header.number += 1),
    ("blocks are missing", |header| header.number = u64::MAX),
    ("field gasLimit is", |header| header.gas_limit *= 2),
    ("field gasLimit is", |header| header.gas_limit = 5_000),
    ("field gasUsed is", |header| header.gas_used -= 1),
    ("field gasUsed is", |header| header.gas_used = u64::MAX),
    ("field timestamp is", |header| header.timestamp -= 10),
    ("field extraData is", |header| header.extra_data = Bytes::from(vec![1; 33])),
];

/// The recipient of the fees is part of the state.
const BENEFICIARY: Change = |header| header.beneficiary = Address::repeat_byte(7);

/// Changes to fields that forks since London brought.
const LATE_CHANGES: &[(&str, Change)] = &[
    ("field nonce is", |header| header.nonce = B64::repeat_byte(1)),
    ("field baseFeePerGas is", |header| header.base_fee_per_gas = header.base_fee_per_gas.map(|fee| fee + 1)),
    ("field withdrawalsRoot is", |header| header.withdrawals_root = Some(B256::repeat_byte(1))),
    ("field blobGasUsed is", |header| header.blob_gas_used = Some(0)),
    ("field blobGasUsed is", |header| header.blob_gas_used = Some(1)),
    ("field excessBlobGas is", |header| header.excess_blob_gas = Some(131_072)),
    // The root is written into a contract's storage.
    ("field stateRoot is", |header| header.parent_beacon_block_root = Some(B256::repeat_byte(1))),
    ("field requestsHash is", |header| header.requests_hash = Some(B256::repeat_byte(1))),
    ("field requestsHash is", |header| header.requests_hash = None),
    ("field blockAccessListHash is", |header| header.block_access_list_hash = Some(B256::repeat_byte(1))),
];

/// Changes that give another block, as good as the one that was changed, but not the next one's parent.
const OTHER_BLOCKS: &[Change] = &[
    |header| header.mix_hash = B256::repeat_byte(1),
    |header| header.extra_data = Bytes::from_static(b"another"),
];

/// Imports the chain from a block on with its header changed, for each of the changes.
fn assert_changes_are_named<'a>(number: u64, changes: impl IntoIterator<Item = &'a (&'a str, Change)>) {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(number - 1);
    let before = data.head();
    for (index, (named, change)) in changes.into_iter().enumerate() {
        let bytes = chain.changed(number, change);
        let file = data.write("changed.rlp", &bytes);
        let mode = if index % 2 == 0 { "--threads=2" } else { "--one-by-one" };
        let output = data.import(None, &[&file], &[mode]);
        assert_fails(&output, 1, &["block ", named]);
        if named.starts_with("field") {
            assert_fails(&output, 1, &[&format!("block {number} (0x")]);
        } else {
            assert_fails(&output, 1, &["changed.rlp: block 0 of the file has number"]);
        }
        assert_eq!(data.head(), before, "{named}");
    }
    assert_eq!(data.check(), before);
    chain.assert_completes(&data);
}

#[test]
fn each_field_of_a_late_header_is_named_if_it_is_wrong() {
    assert_changes_are_named(
        LATE,
        CHANGES.iter().chain(LATE_CHANGES).chain(&[("field stateRoot is", BENEFICIARY)]),
    );
}

#[test]
fn each_field_of_a_header_with_proof_of_work_is_named_if_it_is_wrong() {
    assert_changes_are_named(BERLIN, CHANGES.iter().chain(&[("field stateRoot is", BENEFICIARY)]));
}

#[test]
fn each_field_of_a_header_before_byzantium_is_named_if_it_is_wrong() {
    // Receipts hold the roots of states.
    assert_changes_are_named(EARLY, CHANGES.iter().chain(&[("field receiptsRoot is", BENEFICIARY)]));
}

#[test]
fn a_block_that_is_not_the_parent_of_the_next_one_is_kept_until_it_is_unwound() {
    let Some(chain) = Recorded::load() else { return };
    // Under proof of work the nonce is free, too: seals are not checked.
    let nonce: Change = |header| header.nonce = B64::repeat_byte(1);
    for number in [EARLY, BERLIN, LATE] {
        let data = chain.datadir(number - 1);
        let before = data.head();
        let proof_of_work = (number != LATE).then_some(&nonce);
        for change in OTHER_BLOCKS.iter().chain(proof_of_work) {
            let file = data.write("other.rlp", &chain.changed(number, change));
            let output = data.import(None, &[&file], &[]);
            let next = format!("block {} (0x", number + 1);
            assert_fails(&output, 1, &["other.rlp: block 1 of the file", &next, "field parentHash is"]);
            let other = data.check();
            assert_eq!(other.number, number);

            let output = data.import(None, &[&chain.file], &[]);
            let fork = format!("block {} of the file is block {number} (0x", number - 1);
            assert_fails(&output, 1, &["chain.rlp", &fork, "the database holds another block", "unwind"]);
            assert_eq!(data.head(), other);

            let output = data.command(&["unwind"], &["--to", &before.number.to_string()]);
            assert!(output.status.success(), "{}", stderr(&output));
            assert_eq!(data.check(), before);
        }
        chain.assert_completes(&data);
    }
}

#[test]
fn whatever_bit_of_a_block_is_flipped_it_is_refused() {
    let Some(chain) = Recorded::load() else { return };
    let mut rng = Rng::new(1);
    for number in [EARLY, PRAGUE, LATE] {
        let data = chain.datadir(number - 1);
        let before = data.head();
        let block = encode([chain.block(number)]);
        let rest = encode(chain.blocks(number + 1, chain.last()));
        let mut bits: Vec<usize> = strings(&block)
            .into_iter()
            .flat_map(|(head, start, end)| {
                // The length, and one byte of the content; typed transactions are long strings.
                let content = (start..end).step_by(40).map(|at| 8 * at);
                std::iter::once(8 * head).chain(content)
            })
            .map(|bit| bit + rng.below(8) as usize)
            .collect();
        bits.dedup();
        let (mut unreadable, mut invalid) = (0, 0);
        for bit in &bits {
            let mut flipped = block.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let file = data.write("flipped.rlp", &[&flipped[..], &rest[..]].concat());
            let output = data.import(None, &[&file], &[["--threads=2", "--one-by-one"][bit % 2]]);
            let code = output.status.code().unwrap_or(-1);
            assert!(code == 1 || code == 2, "block {number}, bit {bit}: {}", stderr(&output));
            let named = if code == 1 { "block " } else { "flipped.rlp: block " };
            assert_fails(&output, code, &[named]);
            *(if code == 1 { &mut invalid } else { &mut unreadable }) += 1;
            let head = data.head();
            if head.number != number - 1 {
                // Another block, but no parent of the next one.
                assert_eq!((code, head.number), (1, number), "bit {bit}: {}", stderr(&output));
                assert_fails(&output, 1, &["field parentHash is"]);
                let output = data.command(&["unwind"], &["--to", &before.number.to_string()]);
                assert!(output.status.success(), "{}", stderr(&output));
            }
            assert_eq!(data.head(), before, "block {number}, bit {bit}");
        }
        println!("block {number}: {unreadable} flipped bits give no block, {invalid} an invalid one");
        assert!(unreadable > 20 && invalid > 20, "block {number}: {unreadable} and {invalid}");
        assert_eq!(data.check(), before);
        chain.assert_completes(&data);
    }
}

#[test]
fn the_blocks_before_the_end_of_a_truncated_file_are_kept() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    for (number, cut) in [(1, 1), (2, 2), (2, 700), (20, 3), (33, 4), (54, 1105)] {
        let whole = encode(chain.blocks(1, number - 1)).len();
        let bytes = encode(chain.blocks(1, number));
        let file = data.write("cut.rlp", &bytes[..whole + cut]);
        let output = data.import(Some(&chain.genesis), &[&file], &["--batch", "7"]);
        let place = format!("cut.rlp: block {} of the file, at byte {whole}:", number - 1);
        assert_fails(&output, 2, &[&place, "the file ends within the block"]);
        assert_eq!(data.check().number, number - 1);
    }
    chain.assert_completes(&data);
}

#[test]
fn a_truncated_compressed_file_is_bad_input() {
    let Some(chain) = Recorded::load() else { return };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&encode(chain.blocks(1, chain.last()))).unwrap();
    let bytes = encoder.finish().unwrap();
    let data = Datadir::new();
    let file = data.write("cut.rlp.gz", &bytes[..bytes.len() / 2]);
    let output = data.import(Some(&chain.genesis), &[&file], &[]);
    assert_fails(&output, 2, &["cut.rlp.gz: block ", "the file ends within the block"]);
    let kept = data.check().number;
    assert!(kept > 2 && kept < chain.last(), "{kept}");
    let whole = data.write("whole.rlp.gz", &bytes);
    assert!(data.import(None, &[&whole], &[]).status.success());
    chain.assert_completes(&data);
}

#[test]
fn what_is_no_chain_is_bad_input() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(3);
    let json = data.import(None, &[&chain.genesis], &[]);
    assert_fails(&json, 2, &["genesis.json: block 0 of the file, at byte 0", "begins no list"]);
    let long = data.write("long.rlp", &[0xff; 64]);
    assert_fails(&data.import(None, &[&long], &[]), 2, &["long.rlp: block 0 of the file"]);
    let plain = data.write("plain.rlp.gz", &encode(chain.blocks(4, 5)));
    assert_fails(&data.import(None, &[&plain], &[]), 2, &["plain.rlp.gz", "gzip"]);
    let folder = data.beside("folder");
    std::fs::create_dir(&folder).unwrap();
    assert_fails(&data.import(None, &[&folder], &[]), 2, &["folder"]);
    // The blocks of a good file before a bad one are kept.
    let good = data.write("good.rlp", &encode(chain.blocks(4, 9)));
    assert_fails(&data.import(None, &[&good, &long], &[]), 2, &["long.rlp"]);
    assert_eq!(data.check().number, 9);
    chain.assert_completes(&data);
}

#[test]
fn an_empty_file_changes_nothing() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(4);
    let empty = data.write("empty.rlp", &[]);
    let output = data.import(None, &[&empty], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(data.check().number, 4);
}

#[test]
fn missing_blocks_are_named() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    let bytes = [encode(chain.blocks(1, 29)), encode(chain.blocks(31, 54))].concat();
    let file = data.write("gap.rlp", &bytes);
    let output = data.import(Some(&chain.genesis), &[&file], &["--batch", "4"]);
    let words = ["gap.rlp: block 29 of the file has number 31", "the last block before it is 29"];
    assert_fails(&output, 1, &words);
    assert_eq!(data.check().number, 29);
    // So is the beginning of a file that starts too late.
    let late = data.write("late.rlp", &encode(chain.blocks(40, 54)));
    assert_fails(&data.import(None, &[&late], &[]), 1, &["late.rlp: block 0", "number 40", "is 29"]);
    chain.assert_completes(&data);
}

#[test]
fn blocks_that_are_there_already_are_passed_over() {
    let Some(chain) = Recorded::load() else { return };
    let doubled = [encode(chain.blocks(1, 12)), encode(chain.blocks(10, 10)), encode(chain.blocks(12, 30))];
    let rest = [encode(chain.blocks(25, 54)), encode(chain.blocks(1, 2))];
    for mode in ["--threads=1", "--threads=4", "--one-by-one"] {
        for batch in ["--batch=1", "--batch=5", "--batch=500"] {
            let data = Datadir::new();
            let first = data.write("doubled.rlp", &doubled.concat());
            let second = data.write("rest.rlp", &rest.concat());
            let output = data.import(Some(&chain.genesis), &[&first, &second], &[mode, batch, "--segment=7"]);
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(stdout(&output).contains("54 blocks imported, 10 known before"), "{}", stdout(&output));
            assert_eq!(data.check().number, 54);
        }
    }
    // Another block in the place of one that the same file brought is of another branch.
    let data = Datadir::new();
    let other = chain.changed(9, |header| header.mix_hash.0[0] ^= 1);
    let file = data.write("branch.rlp", &[encode(chain.blocks(1, 12)), other].concat());
    let output = data.import(Some(&chain.genesis), &[&file], &[]);
    assert_fails(&output, 1, &["branch.rlp: block 12 of the file is block 9 (0x", "another block"]);
    assert_eq!(data.check().number, 12);
    chain.assert_completes(&data);
}

#[test]
fn overlapping_files_are_imported() {
    let Some(faults) = faults() else { return };
    let path = |name: &str| faults.join("02-overlapping-files").join(name);
    let whole = Datadir::new();
    let output = whole.import(Some(&path("genesis.json")), &[&path("seg-1-200.rlp")], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    for files in [&["seg-1-100.rlp", "seg-100-200.rlp"][..], &["dup100.rlp"]] {
        for mode in ["--threads=1", "--threads=2", "--threads=8", "--one-by-one"] {
            let data = Datadir::new();
            let files: Vec<_> = files.iter().map(|name| path(name)).collect();
            let files: Vec<_> = files.iter().map(|path| path.as_path()).collect();
            let output = data.import(Some(&path("genesis.json")), &files, &[mode]);
            assert!(output.status.success(), "{}", stderr(&output));
            assert_eq!(data.check(), whole.head());
        }
    }
}

#[test]
fn blocks_of_another_chain_than_the_genesis_say_so() {
    let blocks = Blocks::generate();
    let chain = blocks.path().join("chain.rlp");
    let genesis = blocks.path().join("genesis.json");
    blocks.edit_genesis(|genesis| genesis["extraData"] = "0x1234".into());
    let data = Datadir::new();
    let output = data.import(Some(&genesis), &[&chain], &[]);
    assert_fails(&output, 1, &["chain.rlp: block 0 of the file does not follow the genesis", "parentHash"]);
    assert_eq!(data.check().number, 0);
}

#[test]
fn a_genesis_block_in_a_file_is_that_of_the_database_or_of_another_chain() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(3);
    let mut block = chain.block(1).clone();
    (block.header.number, block.header.parent_hash) = (0, B256::ZERO);
    let file = data.write("zero.rlp", &encode([&block]));
    let output = data.import(None, &[&file], &[]);
    assert_fails(
        &output,
        1,
        &["zero.rlp: block 0 of the file is the genesis 0x", "starts from the genesis 0x"],
    );
}

#[test]
fn creations_fail_where_a_genesis_has_storage() {
    let Some(faults) = faults() else { return };
    for name in ["eip7610-Istanbul", "eip7610-Osaka"] {
        let folder = faults.join("07-eip7610-import").join(name);
        let (genesis, chain) = (folder.join("genesis.json"), folder.join("chain.rlp"));
        for mode in ["--threads=1", "--threads=2", "--threads=8", "--one-by-one"] {
            let data = Datadir::new();
            // The database alone has to tell of the accounts.
            assert!(data.import(Some(&genesis), &[], &[mode]).status.success());
            let output = data.import(None, &[&chain], &[mode]);
            assert!(output.status.success(), "{name} {mode}: {}", stderr(&output));
            assert_eq!(data.check().number, 2);
        }
    }
}

#[test]
fn newer_rules_are_taken_over_unless_blocks_are_there_that_had_others() {
    let blocks = Blocks::generate();
    let (genesis, chain) = (blocks.path().join("genesis.json"), blocks.path().join("chain.rlp"));
    let time = |name: &str| {
        let mut time = 0;
        blocks.edit(name, "block.json.gz", |block| {
            let text = block["timestamp"].as_str().unwrap();
            time = u64::from_str_radix(&text[2..], 16).unwrap();
        });
        time
    };
    let (first_time, second) = (time(&blocks.names()[0]), time(&blocks.names()[1]));
    let length = ChainFile::open(&chain).unwrap().next().unwrap().unwrap().length;
    let first = std::fs::read(&chain).unwrap()[..length].to_vec();
    let data = Datadir::new();
    let first = data.write("first.rlp", &first);
    assert!(data.import(Some(&genesis), &[&first], &[]).status.success());
    let amsterdam = |time: u64| {
        blocks.edit_genesis(|genesis| genesis["config"]["amsterdamTime"] = time.into());
    };
    // A fork for which it is too late: block 1 is one of it.
    amsterdam(first_time);
    let output = data.import(Some(&genesis), &[&chain], &[]);
    assert_fails(&output, 2, &["Amsterdam", "block 1", "unwind"]);
    // One for which it is not: block 2 is the first.
    amsterdam(second);
    let output = data.import(Some(&genesis), &[&chain], &[]);
    assert_fails(&output, 2, &["fork Amsterdam is not supported"]);
    let output = data.import(None, &[&chain], &[]);
    assert_fails(&output, 2, &["fork Amsterdam is not supported"]);
    amsterdam(second + 1);
    assert!(data.import(Some(&genesis), &[&chain], &[]).status.success());
    assert_eq!(data.check().number, 2);
    // Other rules that blocks have followed cannot change either.
    for (field, value) in [("chainId", 7), ("pragueTime", 1), ("londonBlock", 2)] {
        let mut kept = serde_json::Value::Null;
        blocks.edit_genesis(|genesis| kept = std::mem::replace(&mut genesis["config"][field], value.into()));
        let output = data.import(Some(&genesis), &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{field}: {}", stderr(&output));
        blocks.edit_genesis(|genesis| genesis["config"][field] = kept);
    }
    assert!(data.import(Some(&genesis), &[], &[]).status.success());
}

#[test]
fn a_fork_that_was_not_planned_when_the_database_was_made_is_followed() {
    let Some(faults) = faults() else { return };
    let path = |name: &str| faults.join("08-genesis-changed").join(name);
    let whole = Datadir::new();
    let output = whole.import(Some(&path("genesis.json")), &[&path("chain.rlp")], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let data = Datadir::new();
    assert!(data.import(Some(&path("genesis-old.json")), &[&path("first.rlp")], &[]).status.success());
    let output = data.import(Some(&path("genesis.json")), &[&path("chain.rlp")], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(data.check(), whole.check());
    let back = data.import(Some(&path("genesis-old.json")), &[], &[]);
    assert_fails(&back, 2, &["Cancun", "unwind to a block before it"]);
}

#[test]
fn another_branch_at_a_known_height_is_named() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(40);
    let before = data.head();
    for number in [1, 30, 40] {
        let file = data.write("branch.rlp", &chain.changed(number, |header| header.mix_hash.0[0] ^= 1));
        let output = data.import(None, &[&file], &[]);
        let words = [&format!("branch.rlp: block 0 of the file is block {number} (0x"), "another block"];
        assert_fails(&output, 1, &words);
        assert_eq!(data.head(), before);
    }
    chain.assert_completes(&data);
}
