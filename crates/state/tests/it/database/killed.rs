//! A process that is killed while it commits.

use super::support::{options, scenario::Scenario};
use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tandem_state::database::{Database, DatabaseError, check};
use tempfile::TempDir;

const DIR: &str = "TANDEM_TEST_DATABASE";

fn scenario() -> Scenario {
    Scenario::new(1, 150, 2)
}

/// The other process: it commits until it is killed or has no more blocks.
#[test]
#[ignore = "run by the other tests of this file, in a process of its own"]
fn commit_everything() {
    let Some(dir) = env::var_os(DIR) else { return };
    let scenario = scenario();
    let dir = PathBuf::from(dir);
    let database = Database::open(&dir.join("data"), &options()).unwrap();
    fs::write(dir.join("ready"), "").unwrap();
    let stored = database.head().unwrap().unwrap().number as usize / 2;
    for batch in &scenario.batches[stored..] {
        database.commit(batch).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_secs(60));
}

fn spawn(dir: &TempDir) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "database::killed::commit_everything", "--ignored"])
        .env(DIR, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the other process has the database open.
fn wait_until_in_use(dir: &TempDir) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::remove_file(dir.path().join("ready")).is_err() {
        assert!(Instant::now() < deadline, "the other process did not start");
        thread::sleep(Duration::from_millis(5));
    }
    let refused = Database::open(&dir.path().join("data"), &options());
    assert!(matches!(refused, Err(DatabaseError::InUse { .. })), "{refused:?}");
}

#[test]
fn a_killed_process_leaves_whole_blocks_and_no_lock() {
    let scenario = scenario();
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    scenario.load_genesis(&Database::open(&data, &options()).unwrap());
    let mut last = 0;
    for round in 0..5 {
        let mut child = spawn(&dir);
        wait_until_in_use(&dir);
        thread::sleep(Duration::from_millis(30 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();

        let database = Database::open(&data, &options().on_repair(|_| panic!("it needs repair"))).unwrap();
        let snapshot = database.snapshot().unwrap();
        let head = snapshot.head().unwrap().number;
        assert!(head.is_multiple_of(2) && head >= last, "{last} -> {head}");
        check::check(&snapshot, |_| {}).unwrap();
        scenario.states[head as usize].assert_read_by(&snapshot);
        last = head;
    }
    assert!(last > 0);
}
