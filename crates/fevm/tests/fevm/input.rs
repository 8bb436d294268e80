//! Files that are wrong, and messages that are: a clear error or the reference's own receipt, and nothing half-applied.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::common::Pair;
use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_car::{Block, CarHeader, CarWriter};
use fvm_ipld_encoding::{CborStore, to_vec};
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use multihash_codetable::Code;
use tandem_fevm::workload::{Fixed, Program, World};
use tandem_fevm::{Config, Executor, Input, MemoryStore, Step, reference};

/// A tipset of a few messages, as files.
struct Files {
    folder: tempfile::TempDir,
    world: World,
    steps: Vec<Step>,
}

const HEAD: &str = r#"{"networkVersion":27,"epoch":7,"timestamp":1700000000,"baseFee":100,"circulatingSupply":0,"chainId":0}"#;

fn hex(step: &Step) -> String {
    let data = to_vec(step.message()).expect("a message");
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Files {
    fn new() -> Self {
        let mut world = World::new(4, 1, 20).expect("a world");
        let to = world.contract(0);
        let steps = (0..4)
            .map(|from| {
                let program = Program::new().add(&World::key(0, from), 1);
                World::step(world.call(from, to, &program))
            })
            .collect();
        let files = Self { folder: tempfile::tempdir().expect("a folder"), world, steps };
        let manifest = files.manifest(|_| true);
        files.archive("bundle", manifest, |_| true);
        files.archive("state", files.world.context.initial_state_root, |_| true);
        files.messages(HEAD, &files.steps.iter().map(hex).collect::<Vec<_>>());
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The bundle's root: a manifest of the world's actors, or some of them.
    fn manifest(&self, keep: impl Fn(&str) -> bool) -> Cid {
        let store = &self.world.store;
        let mut actors: Vec<(String, Cid)> = store
            .cids()
            .iter()
            .filter_map(|cid| store.get_cbor(cid).ok().flatten())
            .find(|actors: &Vec<(String, Cid)>| actors.len() > 5)
            .expect("the list of actors");
        actors.retain(|(name, _)| keep(name));
        let list = store.put_cbor(&actors, Code::Blake2b256).expect("a list");
        store.put_cbor(&(1_u32, list), Code::Blake2b256).expect("a manifest")
    }

    fn archive(&self, name: &str, root: Cid, keep: impl Fn(&Cid) -> bool) {
        let file = fs::File::create(self.path(name)).expect("a file");
        let mut writer = CarWriter::new(CarHeader::new(vec![root], 1), file).expect("a head");
        for cid in self.world.store.cids().into_iter().filter(|cid| keep(cid)) {
            let data = self.world.store.get(&cid).expect("a block").expect("a block");
            writer.write(Block { cid, data }).expect("a block written");
        }
        writer.flush().expect("a file written");
    }

    fn messages(&self, head: &str, messages: &[String]) {
        let lines = messages.iter().map(|message| format!("{{\"message\":\"{message}\"}}\n"));
        let text = format!("{head}\n{}", lines.collect::<String>());
        fs::write(self.path("messages"), text).expect("a file written");
    }

    fn read(&self) -> Result<Input, String> {
        let read = Input::read(&self.path("bundle"), &self.path("state"), &self.path("messages"));
        read.map_err(|error| format!("{error:#}"))
    }

    fn refused(&self, because: &[&str]) {
        let error = self.read().err().expect("an error");
        for part in because {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
}

fn execute(input: &Input, threads: usize) -> anyhow::Result<tandem_fevm::TipsetResult> {
    let config = Config::new(threads).contracts([input.evm]);
    let executor = Executor::new(super::common::engines(), config)?;
    executor.execute(&input.context, &input.store, &Fixed, &input.steps)
}

#[test]
fn good_files_execute_as_the_reference_does() {
    let files = Files::new();
    let input = files.read().expect("good files");
    assert_eq!(input.steps, files.steps);
    let store = Arc::new(input.store.copy());
    let expected =
        reference::execute(super::common::engines().pool(), &input.context, store, Fixed, &input.steps);
    let expected = expected.expect("the reference");
    assert!(expected.results.iter().all(|result| result.receipt.exit_code == ExitCode::OK));
    for threads in [1, 2] {
        execute(&input, threads).expect("a result").compare(&expected).expect("the same");
    }
}

#[test]
fn a_bundle_without_an_evm_actor() {
    let files = Files::new();
    files.archive("bundle", files.manifest(|name| name != "evm"), |_| true);
    files.refused(&["bundle", "EVM actor", "no actor `evm`"]);
}

#[test]
fn a_bundle_without_some_code() {
    let files = Files::new();
    let evm = files.world.evm;
    let manifest = files.manifest(|_| true);
    files.archive("bundle", manifest, |cid| *cid != evm);
    files.refused(&["bundle", "code of the actor `evm` is missing"]);
}

#[test]
fn archives_that_are_none() {
    for name in ["bundle", "state"] {
        let files = Files::new();
        fs::write(files.path(name), b"not an archive").expect("a file written");
        files.refused(&[name, "not a readable CAR archive"]);
        fs::remove_file(files.path(name)).expect("a file removed");
        files.refused(&[name, "No such file"]);
    }
}

#[test]
fn a_block_that_is_not_what_its_name_says() {
    let files = Files::new();
    let mut data = fs::read(files.path("state")).expect("a file");
    let last = data.len() - 1;
    data[last] ^= 1;
    fs::write(files.path("state"), data).expect("a file written");
    files.refused(&["state", "not a readable CAR archive"]);
}

#[test]
fn an_unknown_network() {
    for version in [0, 20, 30, 99] {
        let files = Files::new();
        files.messages(&HEAD.replace("27", &version.to_string()), &[]);
        files.refused(&["messages", &format!("network version {version} is not supported")]);
    }
}

#[test]
fn messages_that_are_none() {
    let files = Files::new();
    let good = hex(&files.steps[0]);
    for (bad, because) in [
        ("xyz", "not hexadecimal"),
        ("abc", "not hexadecimal"),
        ("00", "not a message in CBOR"),
        (&good[..good.len() - 2], "not a message in CBOR"),
    ] {
        files.messages(HEAD, &[good.clone(), bad.to_owned()]);
        files.refused(&["messages, line 3", because]);
    }
    files.messages("{}", std::slice::from_ref(&good));
    files.refused(&["messages, line 1", "networkVersion"]);
    fs::write(files.path("messages"), b"").expect("a file written");
    files.refused(&["messages", "is empty"]);
}

/// For each missing block of the state: either it is not needed, or there is an error, and then no block was written.
#[test]
fn a_state_with_a_missing_block() {
    let files = Files::new();
    let whole = files.read().expect("good files");
    let executor =
        Executor::new(super::common::engines(), Config::new(2).contracts([whole.evm])).expect("engines");
    let run = |input: &Input| executor.execute(&input.context, &input.store, &Fixed, &input.steps);
    let expected = run(&whole).expect("a result");
    let mut missed = 0;
    for missing in files.world.store.cids() {
        if missing == whole.evm {
            continue;
        }
        let input = files.read().expect("good files");
        input.store.remove(&missing);
        let before = input.store.len();
        match run(&input) {
            Ok(result) => {
                // Where the reference meets a fault in a message, so do we.
                let twin = Arc::new(files.read().expect("good files").store.copy());
                twin.remove(&missing);
                let theirs = reference::execute(
                    super::common::engines().pool(),
                    &input.context,
                    twin,
                    Fixed,
                    &input.steps,
                );
                result.compare(&theirs.expect("the reference")).expect("the same");
                missed += usize::from(result.root != expected.root);
            }
            Err(error) => {
                assert_eq!(input.store.len(), before, "{error:#}");
                missed += 1;
            }
        }
    }
    assert!(missed > 3, "{missed}");
}

/// Messages that cannot start have the reference's receipt; the others are not touched by it.
#[test]
fn wrong_sequences_and_missing_funds() {
    let mut pair = Pair::new(World::new(4, 1, 20).expect("a world"));
    let world = &mut pair.world;
    let to = world.contract(0);
    let mut steps = Vec::new();
    for (sequence, fee) in [(1, 1), (0, 1), (0, 1), (u64::MAX, 1), (1, u64::MAX)] {
        let mut message = world.call(0, to, &Program::new().add(&World::key(0, 0), 1));
        message.sequence = sequence;
        message.gas_fee_cap = TokenAmount::from_atto(fee) * 200_u64;
        steps.push(World::step(message));
    }
    let expected = pair.reference(&steps);
    let codes: Vec<_> = expected.results.iter().map(|result| result.receipt.exit_code).collect();
    let refused = ExitCode::SYS_SENDER_STATE_INVALID;
    assert_eq!(codes, [refused, ExitCode::OK, refused, refused, refused]);
    for threads in [1, 2, 4] {
        let result = pair.execute(&pair.executor(Config::new(threads)), &steps);
        result.compare(&expected).expect("the same");
    }
}

/// No block may contain a message without gas. The error names it, and the good messages before it leave nothing behind.
#[test]
fn a_message_that_no_block_may_contain() {
    let files = Files::new();
    let mut input = files.read().expect("good files");
    if let Step::Explicit { message, .. } = &mut input.steps[2] {
        message.gas_limit = 0;
    }
    let before = input.store.len();
    for threads in [1, 2] {
        let error = format!("{:#}", execute(&input, threads).expect_err("an error"));
        assert!(error.contains("message 2 of the tipset") && error.contains("gas limit"), "{error}");
        assert_eq!(input.store.len(), before);
    }
}

#[test]
fn an_unreadable_folder_is_named() {
    let error = Input::read(Path::new("/nowhere"), Path::new("/nowhere"), Path::new("/nowhere"));
    assert!(format!("{:#}", error.err().expect("an error")).contains("/nowhere"));
    assert!(MemoryStore::default().is_empty());
}
