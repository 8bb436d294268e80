//! `tandem import`, `head`, `account`, `receipt`, `unwind` and `db` given directories, files and questions that are no
//! good.

use crate::common::datadir::Datadir;
use crate::common::recorded::{Recorded, encode};
use crate::common::{Blocks, assert_fails, stderr, stdout, tandem};
use redb::TableDefinition;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tandem_state::database::{Database, DatabaseError, DatabaseOptions};

const ADDRESS: &str = "0x00000000000000000000000000000000000000ff";
const HASH: &str = "0x00000000000000000000000000000000000000000000000000000000000000ff";

/// Every command on the directory, import with blocks and a genesis.
fn every_command(data: &Datadir, chain: &Recorded) -> Vec<Output> {
    vec![
        data.import(Some(&chain.genesis), &[&chain.file], &[]),
        data.import(None, &[&chain.file], &[]),
        data.command(&["head"], &[]),
        data.command(&["account"], &[ADDRESS]),
        data.command(&["receipt"], &[HASH]),
        data.command(&["unwind"], &["--to", "1"]),
        data.command(&["db", "check"], &[]),
        data.command(&["db", "stats"], &[]),
    ]
}

fn file_of(data: &Datadir) -> std::path::PathBuf {
    data.path().join("database.redb")
}

#[test]
fn a_new_directory_needs_a_genesis() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    let output = data.import(None, &[&chain.file], &[]);
    assert_fails(&output, 2, &["data holds no database", "--genesis"]);
    for command in [&["head"][..], &["db", "check"], &["db", "stats"]] {
        assert_fails(&data.command(command, &[]), 2, &["data holds no database"]);
    }
    assert_fails(&data.command(&["account"], &[ADDRESS]), 2, &["data holds no database"]);
    assert_fails(&data.command(&["receipt"], &[HASH]), 2, &["data holds no database"]);
    assert_fails(&data.command(&["unwind"], &["--to", "0"]), 2, &["data holds no database"]);
    assert!(!data.path().exists(), "looking for a database makes none");
    chain.assert_completes(&data);
}

#[test]
fn a_database_without_genesis_says_what_it_needs() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    drop(Database::open(data.path(), &DatabaseOptions::new()).unwrap());
    let output = data.import(None, &[&chain.file], &[]);
    assert_fails(&output, 2, &["has no genesis", "load the genesis first"]);
    assert_fails(&data.command(&["head"], &[]), 2, &["has no genesis"]);
    assert_fails(&data.command(&["account"], &[ADDRESS]), 2, &["has no genesis"]);
    assert_fails(&data.command(&["receipt"], &[HASH]), 2, &["has no genesis"]);
    assert_fails(&data.command(&["unwind"], &["--to", "0"]), 2, &["has no genesis"]);
    assert_fails(&data.command(&["db", "check"], &[]), 2, &["has no genesis"]);
    chain.assert_completes(&data);
}

#[test]
fn a_missing_file_is_named_before_anything_is_done() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    let absent = data.beside("absent.rlp");
    let output = data.import(Some(&chain.genesis), &[&chain.file, &absent], &[]);
    assert_fails(&output, 2, &["absent.rlp"]);
    let genesis = data.beside("absent.json");
    assert_fails(&data.import(Some(&genesis), &[&chain.file], &[]), 2, &["absent.json"]);
    assert!(!data.path().exists());
}

#[test]
fn a_genesis_that_cannot_be_read_is_named_before_anything_is_done() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    let text = fs::read_to_string(&chain.genesis).unwrap();
    for (content, word) in [
        (text[..text.len() / 2].to_owned(), "EOF"),
        (String::new(), "EOF"),
        ("[1, 2]".to_owned(), "bad.json"),
        (text.replace("\"0x20000\"", "\"plenty\""), "plenty"),
        (text.replace("\"chainId\"", "\"chain\""), "chainId"),
    ] {
        let bad = data.write("bad.json", content.as_bytes());
        assert_fails(&data.import(Some(&bad), &[&chain.file], &[]), 2, &["bad.json", word]);
        assert!(!data.path().exists());
    }
}

#[test]
fn the_genesis_of_another_chain_is_refused() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(5);
    let before = data.head();
    let text = fs::read_to_string(&chain.genesis).unwrap();
    for (from, to) in [("\"0x20000\"", "\"0x20001\""), ("\"extraData\": \"0x", "\"extraData\": \"0x00")] {
        let other = text.replace(from, to);
        assert_ne!(other, text);
        let other = data.write("other.json", other.as_bytes());
        let output = data.import(Some(&other), &[&chain.file], &[]);
        assert_fails(&output, 2, &["the database starts from genesis 0x", "not from 0x"]);
        assert_eq!(data.check(), before);
    }
    // Blocks of another chain do not follow the genesis.
    let other = Datadir::new();
    let genesis = data.beside("other.json");
    let output = other.import(Some(&genesis), &[&chain.file], &[]);
    assert_fails(&output, 1, &["block 1 (0x", "field parentHash is"]);
    assert_eq!(other.check().number, 0);
    chain.assert_completes(&data);
}

#[test]
fn a_directory_of_a_newer_version_is_refused() {
    const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(5);
    let set_version = |version: u32| {
        let engine = redb::Database::open(file_of(&data)).unwrap();
        let transaction = engine.begin_write().unwrap();
        let row = version.to_be_bytes();
        transaction.open_table(META).unwrap().insert("version", row.as_slice()).unwrap();
        transaction.commit().unwrap();
    };
    set_version(77);
    for output in every_command(&data, &chain) {
        assert_fails(&output, 2, &["the database has the format 77, this program reads format 1"]);
    }
    set_version(1);
    assert_eq!(data.check().number, 5);
    chain.assert_completes(&data);
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(5);
    let held = Database::open(data.path(), &DatabaseOptions::new()).unwrap();
    let in_use = ["data is in use; wait until the other process has ended", "reading is possible meanwhile"];
    assert_fails(&data.import(Some(&chain.genesis), &[&chain.file], &[]), 2, &in_use);
    assert_fails(&data.import(None, &[&chain.file], &[]), 2, &in_use);
    assert_fails(&data.command(&["unwind"], &["--to", "1"]), 2, &in_use);
    drop(held);
    assert_eq!(data.check().number, 5);
    chain.assert_completes(&data);
}

#[test]
fn a_directory_in_use_can_be_read() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(5);
    let held = Database::open(data.path(), &DatabaseOptions::new()).unwrap();
    assert_eq!(data.check().number, 5);
    assert!(data.command(&["account"], &[ADDRESS, "--block", "3"]).status.success());
    assert!(data.command(&["db", "stats"], &[]).status.success());
    // Commits are seen at once.
    held.replace_config(b"{}").unwrap();
    let reader = Database::open_to_read(data.path(), &DatabaseOptions::new()).unwrap();
    assert_eq!(reader.snapshot().unwrap().config().unwrap().unwrap()[..], b"{}"[..]);
    held.replace_config(b"[]").unwrap();
    assert_eq!(reader.snapshot().unwrap().config().unwrap().unwrap()[..], b"[]"[..]);
    assert!(matches!(reader.replace_config(b"no"), Err(DatabaseError::ReadOnly)));
    drop((held, reader));
    assert_eq!(data.check().number, 5);
}

#[test]
fn the_head_is_read_while_an_import_runs() {
    let blocks = Blocks::generate_many(60);
    let data = Datadir::new();
    let path = |name: &str| blocks.path().join(name).to_str().unwrap().to_owned();
    let import = ["import", "--batch", "1", "--datadir", data.path().to_str().unwrap(), "--genesis"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(import)
        .args([path("genesis.json"), path("chain.rlp")])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut seen = BTreeSet::new();
    while child.try_wait().unwrap().is_none() {
        let output = data.command(&["head"], &["--json"]);
        if output.status.success() {
            let line: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
            seen.insert(line["number"].as_u64().unwrap());
            assert!(data.command(&["account"], &[ADDRESS]).status.success());
        } else {
            // The genesis is not there yet.
            assert!(seen.is_empty(), "{}", stderr(&output));
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        }
    }
    assert!(child.wait().unwrap().success());
    println!("heads seen: {seen:?}");
    assert!(seen.iter().any(|number| *number < 60), "{seen:?}");
    assert_eq!(data.check().number, 60);
}

#[test]
fn a_directory_that_cannot_be_one_is_named() {
    let Some(chain) = Recorded::load() else { return };
    let data = Datadir::new();
    fs::write(data.path(), "text").unwrap();
    for output in every_command(&data, &chain) {
        assert_fails(&output, 2, &["data is not a directory"]);
    }
    let below = data.path().join("below");
    let genesis = chain.genesis.to_str().unwrap();
    let output = tandem(&["import", "--datadir", below.to_str().unwrap(), "--genesis", genesis]);
    assert_fails(&output, 2, &["data is not a directory"]);
    assert_eq!(fs::read(data.path()).unwrap(), b"text");
    let deep = data.beside("a/b/c");
    let output = tandem(&["import", "--datadir", deep.to_str().unwrap(), "--genesis", genesis]);
    assert_fails(&output, 2, &["b does not exist; create it first"]);
}

/// `/proc` refuses new files even to the superuser, whom permissions do not bind.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_cannot_be_written_is_named() {
    let Some(chain) = Recorded::load() else { return };
    let genesis = chain.genesis.to_str().unwrap();
    for dir in ["/proc", "/proc/tandem"] {
        let output = tandem(&["import", "--datadir", dir, "--genesis", genesis]);
        assert_fails(&output, 2, &["/proc"]);
        assert_fails(
            &output,
            2,
            &[if dir == "/proc" { "cannot write to /proc/LOCK" } else { "/proc/tandem" }],
        );
    }
}

/// Room for a file that is no longer than `bytes`, as a full disk leaves it.
#[cfg(unix)]
fn import_within(bytes: u64, data: &Datadir, chain: &Recorded) -> Output {
    // Writing beyond the limit is an error once the signal is ignored. The shell counts in units of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", bytes / 512);
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_tandem"), "import", "--batch", "2", "--genesis"])
        .args([chain.genesis.as_path(), Path::new("--datadir"), data.path(), &chain.file])
        .output()
        .unwrap()
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_a_fault_that_keeps_what_was_committed() {
    let Some(chain) = Recorded::load() else { return };
    let whole = Datadir::new();
    chain.assert_completes(&whole);
    let needed = fs::metadata(file_of(&whole)).unwrap().len();
    let data = Datadir::new();
    for percent in [5, 50, 95] {
        let output = import_within(needed * percent / 100, &data, &chain);
        assert_fails(
            &output,
            3,
            &["the database's storage failed: File too large", "open the database again"],
        );
        if data.path().join("database.redb").exists() {
            // Where loading the genesis filled the disk, there is nothing to report.
            let number = data.check().number;
            let kept = format!("{number} blocks imported");
            let is_told = stdout(&output).contains(&kept) || (number == 0 && stdout(&output).is_empty());
            assert!(is_told, "{percent}%: {}, not {kept}", stdout(&output));
        }
    }
    chain.assert_completes(&data);
}

#[test]
fn what_is_not_there_is_said_to_be_absent() {
    let Some(chain) = Recorded::load() else { return };
    let data = chain.datadir(20);
    let absent = data.command(&["account"], &[ADDRESS]);
    assert!(absent.status.success(), "{}", stderr(&absent));
    assert!(stdout(&absent).contains("does not exist after block 20"), "{}", stdout(&absent));
    let slot = data.command(&["account"], &[ADDRESS, "--slot", "7", "--json"]);
    assert!(slot.status.success(), "{}", stderr(&slot));
    assert!(stdout(&slot).contains("\"account\":null"), "{}", stdout(&slot));
    let late = data.command(&["account"], &[ADDRESS, "--block", "21"]);
    assert_fails(&late, 2, &["block 21", "last block is 20"]);
    let receipt = data.command(&["receipt"], &[HASH]);
    assert_fails(&receipt, 2, &["the database has no transaction 0x", "ff"]);
    for to in ["21", "18446744073709551615"] {
        let unwind = data.command(&["unwind"], &["--to", to]);
        assert_fails(&unwind, 2, &[&format!("block {to}"), "last block is 20"]);
    }
    // Nothing to take back.
    let unwind = data.command(&["unwind"], &["--to", "20"]);
    assert!(unwind.status.success(), "{}", stderr(&unwind));
    assert_eq!(data.check().number, 20);
    chain.assert_completes(&data);
}

#[test]
fn malformed_arguments_are_bad_usage() {
    let data = Datadir::new();
    for (command, args, word) in [
        ("account", &["0x12"][..], "0x12"),
        ("account", &["nobody"], "nobody"),
        ("account", &[ADDRESS, "--slot", "one"], "one"),
        ("account", &[ADDRESS, "--block", "-1"], "-1"),
        ("account", &[], "ADDRESS"),
        ("receipt", &["0x1234"], "0x1234"),
        ("unwind", &[], "--to"),
        ("unwind", &["--to", "back"], "back"),
        ("import", &["--batch", "few"], "few"),
        ("import", &["--dance"], "--dance"),
    ] {
        assert_fails(&data.command(&[command], args), 2, &[word]);
    }
    assert_fails(&tandem(&["import"]), 2, &["--datadir"]);
    assert_fails(&tandem(&["db"]), 2, &["check"]);
    assert!(!data.path().exists());
}

#[test]
fn absurd_settings_are_bad_usage_or_harmless() {
    let Some(chain) = Recorded::load() else { return };
    let huge = usize::MAX.to_string();
    for (setting, value) in [
        ("--threads", "0"),
        ("--threads", "100000"),
        ("--threads", &huge),
        ("--ahead", "0"),
        ("--ahead", &huge),
        ("--prefetch", "1000000"),
        ("--prefetch", &huge),
        ("--segment", "0"),
        ("--batch", "0"),
    ] {
        let data = Datadir::new();
        let output = data.import(Some(&chain.genesis), &[&chain.file], &[setting, value]);
        assert_fails(&output, 2, &[&setting[2..]]);
        assert!(!data.path().exists(), "{setting} {value}");
    }
    let file = encode(chain.blocks(1, 9));
    for (setting, value) in [
        ("--prefetch", "0"),
        ("--segment", &huge),
        ("--batch", &huge),
        ("--cache", "0"),
        ("--cache", &huge),
        ("--page-cache", "0"),
        ("--page-cache", &huge),
        ("--trie-nodes", "0"),
        ("--trie-nodes", &huge),
    ] {
        let data = Datadir::new();
        let file = data.write("first.rlp", &file);
        let output = data.import(Some(&chain.genesis), &[&file], &[setting, value]);
        assert!(output.status.success(), "{setting} {value}: {}", stderr(&output));
        assert_eq!(data.check().number, 9);
    }
}
