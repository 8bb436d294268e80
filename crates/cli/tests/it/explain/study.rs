//! The study of dispatchers.

use super::{assert_fails, generate, stderr, stdout, tandem};
use serde_json::Value;
use std::path::Path;

fn study(folder: &Path) -> Vec<Value> {
    let output = tandem(&["study", folder.to_str().expect("a path in UTF-8"), "--repeat", "1", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = stdout(&output);
    lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["study"].clone()).collect()
}

#[test]
fn all_variants_are_simulated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("nft", folder.path());
    let rows = study(folder.path());
    // Two dispatchers, two ways to confirm, four steps, six numbers of slots.
    assert_eq!(rows.len(), 2 * 2 * 4 * 6);
    for row in &rows {
        let conflicts = row["conflicts"].as_f64().expect("a share");
        assert!((0.0..=1.0).contains(&conflicts), "{row}");
        assert!(row["speedUp"].as_f64().expect("a number") > 0.0, "{row}");
        // Everybody takes the next number of one collection, the first of each block excepted.
        if row["dispatch"] == "same from/to" {
            assert_eq!(conflicts, 0.0, "{row}");
        } else if row["confirmation"] == "pipeline (1.0)" {
            assert!(conflicts > 0.4, "{row}");
        }
    }
    let output = tandem(&["study", folder.path().to_str().expect("a path in UTF-8"), "--repeat", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("2 blocks, 80 transactions"), "{text}");
    for title in ["idle slot, pipeline (1.0)", "same from/to, streaming (2.0)"] {
        assert!(text.contains(title), "{text}");
    }
}

#[test]
fn what_cannot_be_studied_is_told() {
    assert_fails(&tandem(&["study", "/nowhere"]), 2, &["/nowhere"]);
    assert_fails(&tandem(&["study", "/nowhere", "--repeat", "0"]), 2, &["--repeat must be at least 1"]);
    assert_fails(&tandem(&["study"]), 2, &["<PATHS>"]);
}
