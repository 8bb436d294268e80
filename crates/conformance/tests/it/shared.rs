//! Inputs from elsewhere on which this engine was wrong once, with the right values, in every way there is.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tandem_conformance::{Event, Options, Summary, find_tests, run_block_tests, run_state_tests};

/// A folder or file beside the checkout. Absent, a test says so, or fails in CI.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is absent", path.display());
    println!("skipped: {} is absent", path.display());
    None
}

/// With which numbers of threads everything is executed, besides the plain loop.
fn options() -> Options {
    Options { jobs: 1, threads: vec![1, 2, 4, 8], slow_reads: false, alloy: false, keep_going: true }
}

fn assert_all_pass(
    files: &[PathBuf],
    count: u64,
    run: impl FnOnce(&[PathBuf], &Options, &(dyn Fn(Event<'_>) + Sync)) -> Summary,
) {
    let problems = Mutex::new(Vec::new());
    let note = |event: Event<'_>| {
        if let Event::Test(outcome) = event
            && let Some(problem) = &outcome.problem
        {
            problems.lock().expect("no panic").push(format!("{}: {problem}", outcome.test));
        }
    };
    let summary = run(files, &options(), &note);
    assert_eq!(summary.unreadable, []);
    assert_eq!(problems.into_inner().expect("no panic"), <[String; 0]>::default());
    assert_eq!(summary.passed, count);
}

/// Where no block is to be refused.
const NONE: &str = "no reason";

fn assert_blocks_pass(files: &[PathBuf], count: u64) {
    assert_all_pass(files, count, |files, options, note| {
        run_block_tests(files, options, note).expect("the options make sense")
    });
}

/// The blockchain tests of a kind of faults. Where a block is to be refused for whatever reason, `reason` takes its place.
fn assert_faults_pass(kind: &str, reason: &str, count: u64) {
    let Some(folder) = shared(&format!("faults/{kind}")) else { return };
    let files = find_tests(&[folder]).expect("the folder can be read");
    let copies = tempfile::tempdir().expect("a temporary folder");
    let tests = files.iter().filter(|file| file.ends_with("test.json")).enumerate().map(|(index, file)| {
        let text = std::fs::read_to_string(file).expect("the file can be read");
        let copy = copies.path().join(format!("{index}.json"));
        let stated =
            text.replace("\"expectException\": \"x\"", &format!("\"expectException\": \"{reason}\""));
        std::fs::write(&copy, stated).expect("the folder can be written to");
        copy
    });
    assert_blocks_pass(&tests.collect::<Vec<_>>(), count);
}

/// The blockchain tests of an official file.
fn assert_official_pass(name: &str, count: u64) {
    if let Some(file) = shared(&format!("eest/failing/{name}")) {
        assert_blocks_pass(&[file], count);
    }
}

#[test]
fn an_account_that_was_only_touched_does_not_exist_for_a_later_authorization() {
    assert_faults_pass("01-touched-authority", NONE, 4);
}

#[test]
fn code_that_begins_like_a_delegation_is_code() {
    assert_faults_pass("04-code-ef01", "TransactionException.SENDER_NOT_EOA", 4);
}

#[test]
fn deposits_have_one_layout() {
    assert_faults_pass("05-deposit-layout", NONE, 3);
    assert_official_pass("deposit_layout.json", 24);
}

#[test]
fn system_calls_have_thirty_million_gas() {
    assert_faults_pass("06-system-call-gas", "BlockException.SYSTEM_CONTRACT_CALL_FAILED", 4);
    assert_official_pass("system_call_gas.json", 4);
}

#[test]
fn invalid_blocks_are_refused() {
    assert_official_pass("accepted_though_invalid.json", 28);
}

#[test]
fn nothing_is_created_where_there_is_storage() {
    assert_faults_pass("07-eip7610-import", NONE, 2);
}

#[test]
fn a_chain_that_goes_through_a_fork_passes() {
    assert_faults_pass("08-genesis-changed", NONE, 1);
}

#[test]
fn a_system_contract_may_be_deployed_by_the_block_that_calls_it() {
    assert_official_pass("system_contract_deployed_one_thread.json", 1);
}

#[test]
fn a_transaction_may_break_several_rules() {
    assert_official_pass("gas_limit_and_base_fee.json", 6);
}

#[test]
fn reasons_go_by_several_names() {
    assert_official_pass("name_invalid_block_hash.json", 12);
    assert_official_pass("name_invalid_versioned_hashes.json", 1);
}

#[test]
fn a_refused_transaction_leaves_the_state_untouched() {
    let Some(file) = shared("eest/failing/state_refused_touches_coinbase.json") else { return };
    assert_all_pass(&[file], 4, |files, options, note| {
        run_state_tests(files, options, note).expect("the options make sense")
    });
}

/// A file that comes to be there must not go untested.
#[test]
fn each_kind_has_a_test() {
    let (Some(official), Some(faults)) = (shared("eest/failing"), shared("faults")) else { return };
    let files = find_tests(&[official, faults.clone()]).expect("the folders can be read");
    let source = include_str!("shared.rs");
    for file in files {
        let kind = match file.strip_prefix(&faults) {
            Ok(below) if !below.ends_with("test.json") => continue,
            Ok(below) => below.components().next().map(|kind| kind.as_os_str()),
            Err(_) => file.file_name(),
        };
        let kind = kind.and_then(|kind| kind.to_str()).expect("a name in UTF-8");
        assert!(source.contains(&format!("{kind}\"")), "{kind}");
    }
}
