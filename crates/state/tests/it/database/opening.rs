//! Opening a directory: contents that are found, and errors for contents that cannot be used.

use super::support::{options, scenario::Scenario};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tandem_state::database::{Database, DatabaseError, check};
use tempfile::TempDir;

const FILE: &str = "database.redb";

fn error(dir: &Path) -> DatabaseError {
    Database::open(dir, &options()).unwrap_err()
}

/// A directory with a small chain.
fn stored(scenario: &Scenario) -> (TempDir, PathBuf) {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("data");
    scenario.load_all(&Database::open(&dir, &options()).unwrap());
    (parent, dir)
}

#[test]
fn a_directory_is_created_and_found_again() {
    let scenario = Scenario::new(1, 3, 2);
    let (_parent, dir) = stored(&scenario);
    for _ in 0..2 {
        let database = Database::open(&dir, &options().create(false)).unwrap();
        check::check(&database.snapshot().unwrap(), |_| {}).unwrap();
        assert_eq!(database.head().unwrap().unwrap().number, 6);
        assert_eq!(database.stats().unwrap().file_bytes, Some(fs::metadata(dir.join(FILE)).unwrap().len()));
    }
}

#[test]
fn a_database_is_only_created_where_that_is_wanted() {
    let parent = TempDir::new().unwrap();
    let absent = parent.path().join("absent");
    for dir in [parent.path(), &absent] {
        let error = Database::open(dir, &options().create(false)).unwrap_err();
        assert!(matches!(&error, DatabaseError::Missing { dir: named } if named == dir), "{error}");
        assert!(error.to_string().contains("holds no database; check the path"), "{error}");
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn a_path_without_a_parent_is_not_made_up() {
    let parent = TempDir::new().unwrap();
    let error = error(&parent.path().join("a/b"));
    assert!(
        matches!(&error, DatabaseError::MissingParent { parent: named, .. } if named.ends_with("a")),
        "{error}"
    );
    assert!(error.to_string().contains("/a does not exist; create it first"), "{error}");
}

#[test]
fn a_file_is_no_directory() {
    let parent = TempDir::new().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "text").unwrap();
    for path in [&file, &file.join("data")] {
        let error = error(path);
        assert!(matches!(&error, DatabaseError::NotADirectory { path } if *path == file), "{error}");
        assert!(error.to_string().contains("file is not a directory; give a directory"), "{error}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"text");
}

#[test]
fn a_database_in_use_is_left_alone() {
    let (_parent, dir) = stored(&Scenario::new(2, 1, 1));
    let first = Database::open(&dir, &options()).unwrap();
    let error = error(&dir);
    assert!(matches!(&error, DatabaseError::InUse { dir: named } if *named == dir), "{error}");
    assert!(error.to_string().contains("is in use; wait until the other process has ended"), "{error}");
    let snapshot = first.snapshot().unwrap();
    drop(first);
    // A reader keeps it open.
    assert!(matches!(Database::open(&dir, &options()), Err(DatabaseError::InUse { .. })));
    drop(snapshot);
    Database::open(&dir, &options()).unwrap();
}

#[test]
fn what_is_no_database_is_named_and_not_touched() {
    for content in [&b""[..], b"x", b"something else that is longer than any header".repeat(100).as_slice()] {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join(FILE);
        fs::write(&file, content).unwrap();
        let error = error(dir.path());
        assert!(matches!(&error, DatabaseError::NotADatabase { file: named } if *named == file), "{error}");
        assert!(error.to_string().contains("is not a database of this program; move it away"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join(FILE)).unwrap();
    assert!(matches!(error(dir.path()), DatabaseError::NotADatabase { .. }));
}

#[test]
fn a_database_of_another_program_is_named() {
    let dir = TempDir::new().unwrap();
    let other = redb::Database::create(dir.path().join(FILE)).unwrap();
    let transaction = other.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(other);
    assert!(matches!(error(dir.path()), DatabaseError::NotADatabase { .. }));
    let other = redb::Database::open(dir.path().join(FILE)).unwrap();
    assert_eq!(other.begin_read().unwrap().list_tables().unwrap().count(), 1);
}

#[test]
fn a_truncated_file_is_damaged() {
    let (_parent, dir) = stored(&Scenario::new(3, 2, 2));
    let whole = fs::read(dir.join(FILE)).unwrap();
    for length in [10, 100, 4096, 5000, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        fs::write(dir.join(FILE), &whole[..length]).unwrap();
        let result = Database::open(&dir, &options())
            .and_then(|database| check::check(&database.snapshot()?, |_| {}).map(|_| ()));
        if let Err(error) = result {
            assert!(matches!(error, DatabaseError::Corrupt(_)), "{length}: {error:?}");
            assert!(error.to_string().contains("check the disk"), "{error}");
        } else {
            // The end of the file was not in use.
            assert!(length + 4096 >= whole.len(), "{length} of {}", whole.len());
        }
    }
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_changed() {
    let (_parent, dir) = stored(&Scenario::new(4, 1, 1));
    const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
    let engine = redb::Database::open(dir.join(FILE)).unwrap();
    let transaction = engine.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert("version", 7u32.to_be_bytes().as_slice()).unwrap();
    // A newer version may have other tables, and the old ones in another form.
    transaction.delete_table(TableDefinition::<u64, &[u8]>::new("undo")).unwrap();
    transaction.open_table(TableDefinition::<u32, u32>::new("undo")).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(engine);

    let error = error(&dir);
    assert!(matches!(error, DatabaseError::Version { found: 7, supported: 1 }), "{error}");
    assert!(
        error.to_string().contains("the database has the format 7, this program reads format 1; use"),
        "{error}"
    );
    let engine = redb::Database::open(dir.join(FILE)).unwrap();
    let transaction = engine.begin_read().unwrap();
    assert_eq!(transaction.open_table(META).unwrap().get("version").unwrap().unwrap().value(), [0, 0, 0, 7]);
    assert_eq!(transaction.list_tables().unwrap().count(), 12);
}

#[test]
fn what_a_crash_while_creating_left_is_replaced() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("database.redb.new"), "half a file").unwrap();
    let database = Database::open(dir.path(), &options()).unwrap();
    assert_eq!(database.head().unwrap(), None);
    assert!(!dir.path().join("database.redb.new").exists());
}

/// `/proc` refuses new files even to the superuser, whom permissions do not bind.
#[test]
#[cfg(target_os = "linux")]
fn a_place_that_cannot_be_written_is_named() {
    for dir in ["/proc", "/sys/kernel"] {
        let error = error(Path::new(dir));
        assert!(matches!(error, DatabaseError::Unwritable { .. }), "{dir}: {error:?}");
        let says = error.to_string();
        assert!(says.contains(&format!("cannot write to {dir}/LOCK: ")), "{says}");
    }
}

#[test]
#[cfg(unix)]
fn a_directory_without_permission_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let (_parent, dir) = stored(&Scenario::new(5, 1, 1));
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let empty = TempDir::new().unwrap();
    set(empty.path(), 0o555);
    set(&dir.join(FILE), 0o444);
    // Permissions do not bind the superuser.
    let bound = fs::write(empty.path().join("probe"), "").is_err();
    for dir in [empty.path(), &dir] {
        match Database::open(dir, &options()) {
            Err(error) => {
                assert!(matches!(error, DatabaseError::Unwritable { .. }), "{error}");
                assert!(
                    error.to_string().contains("make it writable or choose another directory"),
                    "{error}"
                );
            }
            Ok(_) => assert!(!bound),
        }
    }
    set(empty.path(), 0o755);
}
