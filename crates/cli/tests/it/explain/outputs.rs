//! Files are there when they are complete, and not before.

use super::{Blocks, assert_fails, explain, generate, stderr, tandem};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All outputs, in a folder.
fn outputs(folder: &Path) -> Vec<String> {
    let option = |option: &str, name: &str| [option.to_owned(), text(&folder.join(name)).to_owned()];
    [option("--html", "page"), option("--trace", "new/trace"), option("--parquet", "tables")].concat()
}

#[test]
fn nothing_is_left_of_a_run_that_fails() {
    const NAME: &str = "1-22615247";
    let Some(blocks) = Blocks::copy(&[NAME]) else { return };
    let sender = blocks.sender(NAME, 0);
    blocks.edit(NAME, "pre_state.json.gz", |state| state[&sender]["balance"] = "0x0".into());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outputs = outputs(folder.path());
    let args = ["explain", text(blocks.path()), "--repeat", "1"].into_iter();
    let args: Vec<_> = args.chain(outputs.iter().map(String::as_str)).collect();
    assert_fails(&tandem(&args), 1, &[NAME, "transaction 0"]);
    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
}

#[test]
fn nothing_is_left_of_a_run_that_is_stopped() {
    let (blocks, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    generate("nft", blocks.path());
    fs::write(folder.path().join("page"), "kept").expect("a file");
    let mut run = Command::new(env!("CARGO_BIN_EXE_tandem"));
    run.args(["explain", text(blocks.path()), "--repeat", "100000000"]).args(outputs(folder.path()));
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command starts");
    std::thread::sleep(Duration::from_secs(2));
    assert!(run.try_wait().expect("a state").is_none(), "it goes on for long");
    run.kill().expect("it can be stopped");
    run.wait().expect("it ends");
    assert_eq!(names(folder.path()), ["page"]);
    assert_eq!(fs::read(folder.path().join("page")).expect("a file"), b"kept");
}

#[test]
fn what_was_there_is_replaced_by_all_of_the_new() {
    let (blocks, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    generate("nft", blocks.path());
    fs::write(folder.path().join("page"), "x".repeat(1 << 20)).expect("a file");
    let outputs = outputs(folder.path());
    explain(blocks.path(), &outputs.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(names(folder.path()), ["new", "page", "tables"]);
    assert_eq!(names(&folder.path().join("new")), ["trace"]);
    assert_eq!(names(&folder.path().join("tables")), ["conflicts.parquet", "transactions.parquet"]);
    let page = fs::read_to_string(folder.path().join("page")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{} bytes", page.len());
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for path in [text(folder.path()).to_owned(), format!("{}/new/", text(folder.path()))] {
        let output = tandem(&["explain", "/nowhere", "--html", &path]);
        assert_fails(&output, 2, &[&path, "cannot be written"]);
    }
    assert!(names(folder.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn links_stay_and_devices_are_written_to() {
    let (blocks, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    generate("nft", blocks.path());
    let (page, link, trace) =
        (folder.path().join("page"), folder.path().join("link"), folder.path().join("trace"));
    fs::write(&page, "old").expect("a file");
    std::os::unix::fs::symlink(&page, &link).expect("a link");
    explain(blocks.path(), &["--html", text(&link), "--trace", "/dev/null"]);
    assert!(link.is_symlink());
    assert!(fs::metadata(&page).expect("a file").len() > 1_000);
    assert!(!fs::metadata("/dev/null").expect("a device").is_file());
    // All or none: the page cannot be written, so there is no trace.
    let args = ["explain", text(blocks.path()), "--repeat", "1", "--trace", text(&trace)];
    let full = tandem(&[args.as_slice(), &["--html", "/dev/full"]].concat());
    assert_fails(&full, 2, &["/dev/full cannot be written"]);
    assert!(!trace.exists(), "{}", stderr(&full));
}
