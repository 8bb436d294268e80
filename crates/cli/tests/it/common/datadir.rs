//! Data directories, and the commands on them.

use crate::common::{stderr, stdout, tandem};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// The folder of the recorded chain, beside the checkout. Absent, a test says so, or fails in CI.
pub(crate) fn recorded_chain() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/chain");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the chain is absent: {}", folder.display());
    println!("skipped: the chain is absent: {}", folder.display());
    None
}

/// A data directory that goes away with its value. At first it does not exist.
pub(crate) struct Datadir {
    parent: TempDir,
    path: PathBuf,
}

/// A database's last block, as `tandem head` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: String,
    pub(crate) state_root: String,
}

impl Datadir {
    pub(crate) fn new() -> Self {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let path = parent.path().join("data");
        Self { parent, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path beside the data directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.parent.path().join(name)
    }

    /// Writes a file beside the data directory.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.beside(name);
        std::fs::write(&path, content).expect("writing");
        path
    }

    /// Runs a command of `tandem` on the directory.
    pub(crate) fn command(&self, command: &[&str], more: &[&str]) -> Output {
        tandem(&[command, &["--datadir", self.path.to_str().expect("a path in UTF-8")], more].concat())
    }

    /// Runs `tandem import` on the directory.
    pub(crate) fn import(&self, genesis: Option<&Path>, files: &[&Path], more: &[&str]) -> Output {
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let genesis = genesis.map(|genesis| ["--genesis".to_owned(), text(genesis)]);
        let files = files.iter().map(|file| text(file));
        let args: Vec<String> = genesis.into_iter().flatten().chain(files).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.command(&["import"], &args)
    }

    /// The last block by `tandem head`.
    pub(crate) fn head(&self) -> Head {
        let output = self.command(&["head"], &["--json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let text = |name: &str| json[name].as_str().expect("text").to_owned();
        let number = json["number"].as_u64().expect("a number");
        Head { number, hash: text("hash"), state_root: text("stateRoot") }
    }

    /// Passes `tandem db check`. Returns the last block.
    pub(crate) fn check(&self) -> Head {
        let output = self.command(&["db", "check"], &["--json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let head = self.head();
        assert_eq!((&json["ok"], &json["stateRoot"]), (&true.into(), &head.state_root.clone().into()));
        head
    }
}

/// Splitmix64: the same numbers for the same seed, everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
