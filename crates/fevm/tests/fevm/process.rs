//! Worker processes that do not do what they should: results are the reference's all the same, in time, and the executor says what
//! happened.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::common::{Pair, TIPSET, engines};
use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use tandem_fevm::workload::{Fixed, Mix, Workload, World};
use tandem_fevm::{Config, Executor, MemoryStore, WorkerCommand, serve};

/// A generated world by name: a workload's, or that of random messages.
pub(crate) fn world(name: &str) -> Option<World> {
    match Workload::ALL.iter().find(|workload| workload.name() == name) {
        Some(workload) => workload.world().ok(),
        None if name == "random" => World::new(40, 6, 150).ok(),
        None => None,
    }
}

/// The event after so many reads of blocks.
struct Trouble {
    store: Arc<MemoryStore>,
    left: AtomicU32,
    what: fn(),
}

impl Blockstore for Trouble {
    fn get(&self, cid: &Cid) -> anyhow::Result<Option<Vec<u8>>> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            (self.what)();
        }
        self.store.get(cid)
    }

    fn put_keyed(&self, cid: &Cid, data: &[u8]) -> anyhow::Result<()> {
        self.store.put_keyed(cid, data)
    }
}

fn killed() {
    let killed = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    panic!("still there: {killed:?}");
}

fn hang() {
    std::thread::sleep(Duration::from_secs(3600));
}

/// No test, but what other tests start as a worker process. The words after the test's name say what state it has, and what happens
/// to it.
#[test]
#[ignore = "other tests start it as a worker process"]
fn be_a_worker() {
    let args: Vec<String> = std::env::args().collect();
    let Some(store) = args.iter().find_map(|arg| match &**arg {
        "empty" => Some(Arc::default()),
        name => world(name).map(|world| world.store),
    }) else {
        return;
    };
    let trouble = args.iter().find_map(|arg| match &**arg {
        "killed" => Some(killed as fn()),
        "hangs" => Some(hang as fn()),
        "ends" => Some((|| std::process::exit(7)) as fn()),
        _ => None,
    });
    let served = match trouble {
        Some(what) => serve(Arc::new(Trouble { store, left: AtomicU32::new(200), what }), Fixed),
        None => serve(store, Fixed),
    };
    served.expect("a parent");
}

/// Random tipsets through the reference and this executor, until something holds of how many results of each came from processes.
fn compare(pair: &mut Pair, executor: &Executor, until: impl Fn(&[u64]) -> bool) {
    let mut mix = Mix::new(1);
    let mut by_processes = Vec::new();
    while !until(&by_processes) {
        assert!(by_processes.len() < 100, "{by_processes:?}, {:?}", executor.lost());
        let steps = mix.tipset(&mut pair.world, TIPSET);
        let expected = pair.reference(&steps);
        let result = pair.execute(executor, &steps);
        result.compare(&expected).expect("the same");
        pair.world.advance(result.root);
        by_processes.push(result.stats.by_processes);
    }
}

fn random() -> Pair {
    Pair::new(world("random").expect("a world"))
}

/// A process ends in the middle of a message, some time after it has sent results; everything goes on without it.
fn ends(word: &str, how: &str) {
    let mut pair = random();
    let executor = pair.executor_with(Config::new(1), 1, &["random", word]);
    compare(&mut pair, &executor, |by_processes| {
        let without = by_processes.iter().rev().take_while(|results| **results == 0).count();
        without >= 2 && without < by_processes.len() && !executor.lost().is_empty()
    });
    let lost = executor.lost();
    assert!(lost.len() == 1 && lost[0].contains(how), "{lost:?}");
}

#[test]
fn a_process_is_killed() {
    ends("killed", "signal: 9");
}

#[test]
fn a_process_ends() {
    ends("ends", "exit status: 7");
}

/// It is given no more than it takes at once, and the executor does not wait for it.
#[test]
fn a_process_hangs() {
    let mut pair = random();
    let executor = pair.executor_with(Config::new(1), 1, &["random", "hangs"]);
    compare(&mut pair, &executor, |by_processes| {
        by_processes.iter().any(|results| *results > 0) && by_processes.ends_with(&[0, 0, 0])
    });
    assert_eq!(executor.lost(), Vec::<String>::new());
}

/// A shell script instead of a worker; it can print what one says first.
fn script(script: &str) -> Executor {
    let hello = [&[0, 5][..], env!("CARGO_PKG_VERSION").as_bytes(), &[1]].concat();
    let frame = [&(hello.len() as u32).to_le_bytes()[..], &hello].concat();
    let digits: String = frame.iter().map(|byte| format!("\\{byte:03o}")).collect();
    let script = script.replace("hello", &digits);
    let pair = random();
    let command = WorkerCommand::new("sh").args(["-c", &script]);
    let executor = pair.executor(Config::new(1).processes(1, command));
    executor.prepare(&pair.world.context, Duration::from_millis(500));
    executor
}

#[test]
fn a_process_that_makes_no_sense_is_given_up() {
    for (nonsense, why) in [
        ("head -c 100000 /dev/zero >&0; exec sleep 60", "a frame that makes no sense"),
        ("printf '\\377\\377\\377\\377' >&0; exec sleep 60", "a frame of 4294967295 bytes"),
        ("printf 'hellohello' >&0; exec sleep 60", "it says hello twice"),
        // At once: a moment later there may be something to be ready for.
        ("printf 'hello\\001\\0\\0\\0\\001' >&0; exec sleep 60", "it is ready for nothing"),
        ("printf 'hello\\004\\0\\0\\0\\002\\0\\0\\0' >&0; exec sleep 60", "it answers what nobody asked"),
        ("printf '\\010\\0\\0\\0\\0\\0050.0.9\\001' >&0; exec sleep 60", "it speaks 0.0.9/1"),
        ("printf 'hello' >&0; exit 7", "exit status: 7"),
        ("exit 8", "exit status: 8"),
    ] {
        let executor = script(nonsense);
        compare(&mut random(), &executor, |by_processes| {
            assert!(by_processes.iter().all(|results| *results == 0));
            !by_processes.is_empty() && !executor.lost().is_empty()
        });
        let lost = executor.lost();
        assert!(lost.len() == 1 && lost[0].contains(why), "{nonsense}: {lost:?}");
    }
}

/// It is heard and never gets ready.
#[test]
fn a_process_that_says_nothing_more_is_not_waited_for() {
    let executor = script("printf 'hello' >&0; exec sleep 60");
    compare(&mut random(), &executor, |by_processes| by_processes == [0, 0]);
    assert_eq!(executor.lost(), Vec::<String>::new());
}

#[test]
fn a_process_without_the_state_asks_for_it() {
    let mut pair = random();
    let executor = pair.executor_with(Config::new(1), 1, &["empty"]);
    compare(&mut pair, &executor, |by_processes| by_processes.iter().any(|results| *results > 0));
}

/// Tipsets that no process took part in leave states, too, which those know that take part later.
#[test]
fn a_process_follows_states_that_others_left() {
    let mut pair = random();
    let executor = pair.executor_with(Config::new(1), 1, &["random"]);
    for account in 0..3 {
        let to = pair.world.account(account + 1);
        let steps = vec![World::step(pair.world.send(account, to, 1_000))];
        let root = pair.execute(&executor, &steps).root;
        assert_eq!(root, pair.reference(&steps).root);
        pair.world.advance(root);
    }
    compare(&mut pair, &executor, |by_processes| by_processes.iter().any(|results| *results > 0));
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let config = Config::new(1).processes(1, WorkerCommand::new("/no/such/worker"));
    let error = Executor::new(engines(), config).err().expect("an error");
    let text = format!("{error:#}");
    assert!(text.contains("/no/such/worker") && text.contains("cannot be started"), "{text}");
}

#[test]
fn without_a_parent_there_is_nothing_to_serve() {
    let output = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "process::be_a_worker", "--ignored", "--nocapture", "random"])
        .stdin(Stdio::null())
        .output()
        .expect("a process");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("standard input is not the socket of an executor"), "{said}");
}
