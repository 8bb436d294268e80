//! The recorded blocks that lie beside the repository, read whole.

use alloy_consensus::transaction::SignerRecoverable;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use tandem_state::fixture::{Loader, discover};

/// The folder of recorded blocks, or `None` where there is none and that is allowed.
fn recorded_blocks() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/blocks");
    if folder.is_dir() {
        return Some(folder);
    }
    let absent = format!("there are no recorded blocks at {}", folder.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{absent}, and CI must not pass without them");
    println!("skipped: {absent}");
    None
}

#[test]
fn every_recorded_block_is_read_and_fits_its_header() {
    let Some(folder) = recorded_blocks() else { return };
    let index = fs::read_to_string(folder.join("INDEX.tsv")).unwrap();
    let mut rows = index.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = rows.next().unwrap();
    let column = |name: &str| columns.iter().position(|column| *column == name).unwrap();
    let [chain, number, txs, witness] = ["chain", "number", "txs", "witness"].map(column);
    let mut expected: HashMap<String, (usize, bool)> = rows
        .map(|row| {
            (format!("{}-{}", row[chain], row[number]), (row[txs].parse().unwrap(), row[witness] == "yes"))
        })
        .collect();
    let expected_transactions: usize = expected.values().map(|(transactions, _)| transactions).sum();

    let dirs = discover(&[folder]).unwrap();
    assert_eq!(dirs.len(), 102);
    let mut loader = Loader::new();
    let mut transactions = 0;
    for dir in &dirs {
        let fixture = loader.load(dir).unwrap_or_else(|error| panic!("{error}"));
        let name = &fixture.name;
        assert_eq!(fixture.inconsistencies(), [""; 0], "{name}");
        // Signatures before Homestead (EIP-2) may be in their other form, hence unchecked.
        let signers: Result<Vec<_>, _> =
            fixture.transactions.iter().map(SignerRecoverable::recover_signer_unchecked).collect();
        assert_eq!(signers.unwrap(), fixture.expected_senders, "{name}");
        assert_eq!(expected.remove(name), Some((fixture.transactions.len(), fixture.witness)), "{name}");
        transactions += fixture.transactions.len();
    }
    assert!(expected.is_empty(), "listed but not there: {expected:?}");
    assert_eq!(transactions, expected_transactions);
}
