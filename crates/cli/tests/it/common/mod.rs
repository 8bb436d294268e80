//! Running the command on copies of recorded blocks, whole or spoilt.

pub(crate) mod datadir;
pub(crate) mod official;
pub(crate) mod recorded;
#[cfg(unix)]
pub(crate) mod terminal;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of recorded blocks, beside the checkout. Absent, a test says so, or fails in CI.
pub(crate) fn recorded_blocks() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/blocks");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "recorded blocks are absent: {}", folder.display());
    println!("skipped: recorded blocks are absent: {}", folder.display());
    None
}

/// The folder of inputs that were once handled wrongly, beside the checkout. Absent, a test says so, or fails in CI.
pub(crate) fn faults() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/faults");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the faults are absent: {}", folder.display());
    println!("skipped: the faults are absent: {}", folder.display());
    None
}

/// Copies of recorded blocks, in a folder that goes away with them.
pub(crate) struct Blocks {
    folder: tempfile::TempDir,
}

impl Blocks {
    /// A generated chain of two blocks with its block directories.
    pub(crate) fn generate() -> Self {
        Self::generate_many(2)
    }

    /// A longer one.
    pub(crate) fn generate_many(blocks: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().to_str().expect("a path in UTF-8");
        let blocks = blocks.to_string();
        let sizes = ["--blocks", &blocks, "--txs", "12", "--accounts", "6", "--workload", "token"];
        let output = tandem(&[&["generate", "--fixtures", "--out", out][..], &sizes].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        Self { folder }
    }

    /// The names of the block directories.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut names: Vec<_> = entries
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().into_string().expect("a name in UTF-8"))
            .collect();
        names.sort();
        names
    }

    /// Rewrites the genesis.
    pub(crate) fn edit_genesis(&self, edit: impl FnOnce(&mut Value)) {
        let path = self.path().join("genesis.json");
        let mut json = serde_json::from_slice(&fs::read(&path).expect("a genesis")).expect("JSON");
        edit(&mut json);
        fs::write(&path, json.to_string()).expect("writing");
    }

    pub(crate) fn copy(names: &[&str]) -> Option<Self> {
        let recorded = recorded_blocks()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::copy(recorded.join("codes.json.zst"), folder.path().join("codes.json.zst")).expect("codes");
        for name in names {
            let copy = folder.path().join(name);
            fs::create_dir(&copy).expect("a block directory");
            for file in ["block.json.gz", "pre_state.json.gz", "block_hashes.json"] {
                fs::copy(recorded.join(name).join(file), copy.join(file)).expect("a block's file");
            }
        }
        Some(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Rewrites one of a block's compressed JSON files.
    pub(crate) fn edit(&self, name: &str, file: &str, edit: impl FnOnce(&mut Value)) {
        let path = self.path().join(name).join(file);
        let mut text = String::new();
        GzDecoder::new(fs::File::open(&path).expect("a file")).read_to_string(&mut text).expect("gzip");
        let mut json = serde_json::from_str(&text).expect("JSON");
        edit(&mut json);
        fs::remove_file(&path).expect("the copy can be replaced");
        let mut encoder = GzEncoder::new(fs::File::create(&path).expect("a file"), Compression::fast());
        encoder.write_all(json.to_string().as_bytes()).expect("writing");
        encoder.finish().expect("writing");
    }

    /// Replaces one of a block's files.
    pub(crate) fn write(&self, name: &str, file: &str, content: &[u8]) {
        let path = self.path().join(name).join(file);
        fs::remove_file(&path).expect("the copy can be replaced");
        fs::write(path, content).expect("writing");
    }

    /// The sender of a block's transaction.
    pub(crate) fn sender(&self, name: &str, index: usize) -> String {
        let mut sender = String::new();
        self.edit(name, "block.json.gz", |block| {
            sender = block["transactions"][index]["from"].as_str().expect("a sender").to_owned();
        });
        sender
    }
}

/// Runs `tandem`.
pub(crate) fn tandem(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem")).args(args).output().expect("the command starts")
}

/// Runs `tandem run` on a folder, with more arguments.
pub(crate) fn run(folder: &Path, more: &[&str]) -> Output {
    let mut args = vec!["run", folder.to_str().expect("a path in UTF-8")];
    args.extend(more);
    tandem(&args)
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Checks exit code and message; a panic is never the way out.
pub(crate) fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}
