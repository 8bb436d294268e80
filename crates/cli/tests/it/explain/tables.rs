//! The tables for other tools, read back and compared with the report.

use super::{all, assert_fails, explain, generate, tandem};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

type Row = BTreeMap<String, Field>;

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).expect("a table")).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    rows.map(|row| row.expect("a row").into_columns().into_iter().collect()).collect()
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match &row[column] {
        Field::Str(text) => text,
        other => panic!("{column}: {other}"),
    }
}

fn number(row: &Row, column: &str) -> i64 {
    match row[column] {
        Field::Long(number) => number,
        ref other => panic!("{column}: {other}"),
    }
}

#[test]
fn tables_say_what_the_report_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("nft", folder.path());
    let tables = folder.path().join("tables/of/this");
    let lines = explain(folder.path(), &["--parquet", tables.to_str().expect("a path in UTF-8")]);
    let summary = all(&lines, "summary")[0];
    let transactions = rows(&tables.join("transactions.parquet"));
    assert_eq!(summary["txs"], transactions.len());
    let dependent = transactions.iter().filter(|row| row["dependent"] == Field::Bool(true));
    assert_eq!(summary["dependent"], dependent.count());
    let chain = all(&lines, "chain")[0];
    let longest = transactions.iter().map(|row| number(row, "chain_length")).max().expect("a transaction");
    assert!(longest as usize >= chain["links"].as_array().expect("links").len() - 1);
    for row in &transactions {
        assert_eq!((text(row, "hash").len(), text(row, "sender").len()), (66, 42));
        assert_eq!(row["dependent"] == Field::Bool(true), number(row, "needs") > 0);
        assert_eq!(row["distance"] == Field::Null, number(row, "needs") == 0);
    }
    // Conflicts, by place: the transactions that have any, as the report counts them.
    let conflicts = rows(&tables.join("conflicts.parquet"));
    let mut places = BTreeMap::<&str, BTreeSet<(&str, String)>>::new();
    for row in &conflicts {
        assert!(number(row, "distance") > 0);
        places.entry(text(row, "name")).or_default().insert((text(row, "block"), row["index"].to_string()));
    }
    for location in all(&lines, "location") {
        let name = location["name"].as_str().expect("a name");
        assert_eq!(location["conflicts"], places[name].len(), "{name}");
    }
    assert!(conflicts.iter().any(|row| text(row, "field") == "slot" && text(row, "slot").len() == 66));
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("a file");
    std::fs::write(&file, "").expect("a file");
    let below = file.join("tables");
    let below = below.to_str().expect("a path in UTF-8");
    assert_fails(&tandem(&["explain", "/nowhere", "--parquet", below]), 2, &[below, "cannot be written"]);
}
