//! From a directory or a backend to an open engine with tables of the right format.

use super::error::DatabaseError;
use super::lock::unwritable;
use super::meta;
use super::options::DatabaseOptions;
use super::tables::{META, ReadTables, WriteTables};
use redb::{ConcurrencyMode, ReadableDatabase, TableError};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// The file within the data directory.
const FILE: &str = "database.redb";
/// Where the file is made before it gets its name, so that a crash meanwhile leaves no half-made database.
const UNFINISHED: &str = "database.redb.new";

/// The file of the database in `dir`.
pub(super) fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Makes sure that `dir` is a directory, and one with a database unless one may be created.
pub(super) fn require_directory(dir: &Path, create: bool) -> Result<(), DatabaseError> {
    match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => Err(DatabaseError::NotADirectory { path: dir.to_owned() }),
        Ok(_) if create || dir.join(FILE).exists() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(not_a_directory(dir)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DatabaseError::Io { source: error }),
        Err(_) if create => create_directory(dir),
        Ok(_) | Err(_) => Err(DatabaseError::Missing { dir: dir.to_owned() }),
    }
}

fn create_directory(dir: &Path) -> Result<(), DatabaseError> {
    fs::create_dir(dir).map_err(|source| match (source.kind(), dir.parent()) {
        (io::ErrorKind::NotFound, Some(parent)) => {
            DatabaseError::MissingParent { dir: dir.to_owned(), parent: parent.to_owned() }
        }
        _ => unwritable(dir, source),
    })
}

/// Names the file that stands where `path` has a directory.
fn not_a_directory(path: &Path) -> DatabaseError {
    let file = path.ancestors().find(|ancestor| ancestor.is_file()).unwrap_or(path);
    DatabaseError::NotADirectory { path: file.to_owned() }
}

/// Opens the database in `dir`, which this process has locked; creates it if it is not there.
pub(super) fn open_file(dir: &Path, options: &DatabaseOptions) -> Result<redb::Database, DatabaseError> {
    let file = dir.join(FILE);
    if !file.exists() {
        create_file(dir, &file, options)?;
    }
    let opened = OpenOptions::new().read(true).write(true).open(&file).map_err(|source| {
        if source.kind() == io::ErrorKind::IsADirectory {
            return DatabaseError::NotADatabase { file: file.clone() };
        }
        unwritable(&file, source)
    })?;
    if opened.metadata().map_err(|source| DatabaseError::Io { source })?.len() == 0 {
        return Err(DatabaseError::NotADatabase { file });
    }
    let engine = file_builder(options).create_file(opened).map_err(|error| open_error(error, &file))?;
    check_version(&engine)?.ok_or(DatabaseError::NotADatabase { file })?;
    Ok(engine)
}

/// Opens the database in `dir` for reading, even if another process has locked it; `None` if it has to be repaired.
pub(super) fn open_file_to_read(
    dir: &Path,
    options: &DatabaseOptions,
) -> Result<Option<redb::ReadOnlyDatabase>, DatabaseError> {
    let file = dir.join(FILE);
    let metadata = fs::metadata(&file).map_err(|source| DatabaseError::Io { source })?;
    if metadata.is_dir() || metadata.len() == 0 {
        return Err(DatabaseError::NotADatabase { file });
    }
    let engine = match file_builder(options).open_read_only(&file) {
        Err(redb::DatabaseError::RepairAborted) => return Ok(None),
        engine => engine.map_err(|error| open_error(error, &file))?,
    };
    check_version(&engine)?.ok_or(DatabaseError::NotADatabase { file })?;
    Ok(Some(engine))
}

/// Opens the database in a backend; creates it if the backend is empty.
pub(super) fn open_backend(
    backend: impl redb::StorageBackend,
    options: &DatabaseOptions,
) -> Result<redb::Database, DatabaseError> {
    let engine = builder(options)
        .create_with_backend(backend)
        .map_err(|error| open_error(error, Path::new("the storage")))?;
    if check_version(&engine)?.is_none() {
        initialize(&engine)?;
    }
    Ok(engine)
}

fn create_file(dir: &Path, file: &Path, options: &DatabaseOptions) -> Result<(), DatabaseError> {
    let unfinished = dir.join(UNFINISHED);
    let made = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)
        .map_err(|source| unwritable(&unfinished, source))?;
    let engine = file_builder(options).create_file(made).map_err(|error| open_error(error, &unfinished))?;
    initialize(&engine)?;
    drop(engine);
    fs::rename(&unfinished, file)
        .and_then(|()| sync_directory(dir))
        .map_err(|source| DatabaseError::Io { source })
}

/// Makes the name of a new file durable, where the system needs that.
fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Opens files. Other processes may read one while this one writes it.
fn file_builder(options: &DatabaseOptions) -> redb::Builder {
    let mut builder = builder(options);
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

fn builder(options: &DatabaseOptions) -> redb::Builder {
    let mut builder = redb::Builder::new();
    let on_repair = options.on_repair.clone();
    builder.set_cache_size(options.cache_bytes);
    builder.set_repair_callback(move |session| on_repair(session.progress()));
    builder
}

fn open_error(error: redb::DatabaseError, file: &Path) -> DatabaseError {
    let place = || -> PathBuf { file.to_owned() };
    match error {
        redb::DatabaseError::Storage(redb::StorageError::Io(source))
            if source.kind() == io::ErrorKind::InvalidData =>
        {
            DatabaseError::NotADatabase { file: place() }
        }
        redb::DatabaseError::UpgradeRequired(_) => DatabaseError::NotADatabase { file: place() },
        redb::DatabaseError::DatabaseAlreadyOpen => {
            DatabaseError::InUse { dir: file.parent().unwrap_or(file).to_owned() }
        }
        other => other.into(),
    }
}

/// Refuses tables of another format. `None` if there are no tables yet.
fn check_version(engine: &impl ReadableDatabase) -> Result<Option<()>, DatabaseError> {
    let transaction = engine.begin_read()?;
    let version = match transaction.open_table(META) {
        Ok(table) => meta::version(&table)?,
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    match version {
        None => Ok(None),
        Some(meta::VERSION) => ReadTables::open(&transaction).map(|_| Some(())),
        Some(found) => Err(DatabaseError::Version { found, supported: meta::VERSION }),
    }
}

fn initialize(engine: &redb::Database) -> Result<(), DatabaseError> {
    let mut transaction = engine.begin_write()?;
    transaction.set_quick_repair(true);
    let mut tables = WriteTables::open(&transaction)?;
    meta::set_version(&mut tables.meta)?;
    drop(tables);
    Ok(transaction.commit()?)
}
