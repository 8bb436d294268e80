//! `tandem import` killed at any moment: the database stays whole, and the next import goes on where it was.
//!
//! `TANDEM_CRASHES` sets how often it is killed.

use crate::common::datadir::{Datadir, Head, Rng};
use crate::common::{assert_fails, stderr, tandem};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tandem_chain::ChainFile;
use tempfile::TempDir;

const SIGKILL: i32 = 9;

/// A generated chain.
struct Chain {
    _folder: TempDir,
    genesis: PathBuf,
    file: PathBuf,
    /// The hashes of its blocks, by number.
    hashes: BTreeMap<u64, String>,
}

impl Chain {
    fn generate() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("chain");
        let output = tandem(
            &[
                &["generate", "--out", out.to_str().unwrap(), "--workload", "mixed"],
                ["--blocks", "60", "--txs", "20", "--accounts", "50", "--population", "1000"].as_slice(),
            ]
            .concat(),
        );
        assert!(output.status.success(), "{}", stderr(&output));
        let (genesis, file) = (out.join("genesis.json"), out.join("chain.rlp"));
        let blocks = ChainFile::open(&file).unwrap().map(Result::unwrap);
        let hashes = blocks.map(|file| (file.block.header.number, file.block.hash().to_string())).collect();
        Self { _folder: folder, genesis, file, hashes }
    }

    fn last(&self) -> u64 {
        *self.hashes.last_key_value().unwrap().0
    }

    fn spawn(&self, data: &Datadir, settings: &[String]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.arg("import").arg("--datadir").arg(data.path()).arg("--genesis").arg(&self.genesis);
        command.args(settings).arg(&self.file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Imports all blocks that are missing. Returns how long that took.
    fn complete(&self, data: &Datadir, settings: &[String]) -> Duration {
        let start = Instant::now();
        assert!(self.spawn(data, settings).wait().unwrap().success());
        let time = start.elapsed();
        assert_eq!(self.known(data), Some(self.last()));
        time
    }

    /// The last block of a database that passes the check, or `None` if it has no genesis yet.
    fn known(&self, data: &Datadir) -> Option<u64> {
        let check = data.command(&["db", "check"], &["--json"]);
        if check.status.code() == Some(2) {
            let says = stderr(&check);
            assert!(says.contains("holds no database") || says.contains("has no genesis"), "{says}");
            assert_fails(&data.command(&["head"], &[]), 2, &[]);
            return None;
        }
        assert!(check.status.success(), "{}", stderr(&check));
        let Head { number, hash, .. } = data.head();
        if number > 0 {
            assert_eq!(hash, self.hashes[&number]);
        }
        Some(number)
    }
}

/// Commits of a few blocks, by any kind of import.
fn settings(rng: &mut Rng) -> Vec<String> {
    let (batch, segment) = (1 + rng.below(5), 10 + rng.below(90));
    let mut settings = vec![format!("--batch={batch}"), format!("--segment={segment}")];
    match rng.below(4) {
        0 => settings.push("--one-by-one".to_owned()),
        threads => settings.push(format!("--threads={threads}")),
    }
    settings
}

/// Kills the process after a while, unless it has ended. Returns whether it was killed.
fn kill_after(mut child: Child, delay: Duration, what: &str) -> bool {
    let end = Instant::now() + delay;
    while Instant::now() < end && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(2).min(delay / 8));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    if status.signal() == Some(SIGKILL) {
        return true;
    }
    assert!(status.success(), "{what}: {status}");
    false
}

fn crashes() -> u64 {
    std::env::var("TANDEM_CRASHES").map_or(25, |crashes| crashes.parse().unwrap())
}

fn has_database(path: &Path) -> bool {
    path.join("database.redb").exists()
}

#[test]
fn an_import_that_is_killed_loses_no_committed_block_and_goes_on() {
    let chain = Chain::generate();
    let mut rng = Rng::new(1);
    let mut whole = chain.complete(&Datadir::new(), &settings(&mut rng));
    let crashes = crashes();
    let (mut killed, mut completed, mut unharmed) = (0, 0, 0);
    // Where the kills struck.
    let (mut no_database, mut no_genesis, mut only_genesis, mut complete) = (0, 0, 0, 0);
    let mut heads = BTreeMap::<u64, u64>::new();
    while killed < crashes {
        let data = Datadir::new();
        let mut last = None;
        while killed < crashes {
            let settings = settings(&mut rng);
            // The first moments are as eventful as all that follows.
            let span = if rng.below(4) == 0 { whole / 5 } else { whole };
            let delay = span.mul_f64(rng.below(1 << 20) as f64 / f64::from(1 << 20));
            let what = format!("crash {killed}: {settings:?}, killed after {delay:?}");
            let start = Instant::now();
            let was_killed = kill_after(chain.spawn(&data, &settings), delay, &what);
            killed += u64::from(was_killed);
            let known = chain.known(&data);
            assert!(known >= last, "{what}: {last:?} -> {known:?}");
            let from_scratch = last.is_none();
            last = known;
            if !was_killed {
                assert_eq!(known, Some(chain.last()), "{what}");
                // Imports slow down and speed up with what else the machine does.
                whole = if from_scratch { whole.min(start.elapsed()) } else { whole };
                unharmed += 1;
            } else {
                match known {
                    None if has_database(data.path()) => no_genesis += 1,
                    None => no_database += 1,
                    Some(0) => only_genesis += 1,
                    Some(head) if head == chain.last() => complete += 1,
                    Some(head) => *heads.entry(head).or_default() += 1,
                }
            }
            if known == Some(chain.last()) {
                completed += 1;
                break;
            }
        }
        // The rest of the last kill is completed, too.
        if last != Some(chain.last()) {
            chain.complete(&data, &settings(&mut rng));
        }
    }
    let between: u64 = heads.values().sum();
    println!(
        "an import takes {whole:?}; {killed} kills: {no_database} before there was a database, {no_genesis} \
         before it had its genesis, {only_genesis} before the first block, {between} between blocks, at {} \
         different heads, {complete} after the last; {completed} chains completed, {unharmed} imports ended before \
         they could be killed",
        heads.len()
    );
    assert!(5 * between > killed, "only {between} of {killed} kills struck between blocks");
}
