use super::args::DataArgs;
use crate::shared::failure::Failure;
use crate::shared::output::complain;
use tandem_chain::import::ImportError;
use tandem_evm::ExecutionError;
use tandem_state::database::{Database, DatabaseError, DatabaseOptions, Snapshot};

/// Opens the database; `create` says whether a new one may be made.
pub(super) fn open(args: &DataArgs, create: bool) -> Result<Database, Failure> {
    Database::open(&args.datadir, &options(args).create(create)).map_err(|error| failure(&error))
}

fn options(args: &DataArgs) -> DatabaseOptions {
    DatabaseOptions::new().cache_bytes(args.page_cache.saturating_mul(1 << 20))
}

/// Opens the database to import into, with no genesis to make one from.
pub(super) fn open_existing(args: &DataArgs) -> Result<Database, Failure> {
    let options = options(args).create(false);
    Database::open(&args.datadir, &options).map_err(|error| match error {
        DatabaseError::Missing { dir } => Failure::Input(format!(
            "{} holds no database; check the path, or name the chain's genesis by --genesis to make one",
            dir.display()
        )),
        error => failure(&error),
    })
}

/// Opens the database to read from it, be it that an import is at work.
pub(super) fn open_to_read(args: &DataArgs) -> Result<Database, Failure> {
    Database::open_to_read(&args.datadir, &options(args)).map_err(|error| failure(&error))
}

/// The database as it is after the last commit.
pub(super) fn snapshot(args: &DataArgs) -> Result<Snapshot, Failure> {
    let snapshot = open_to_read(args)?.snapshot().map_err(|error| failure(&error))?;
    if snapshot.head().is_none() {
        return Err(failure(&DatabaseError::NoGenesis));
    }
    Ok(snapshot)
}

/// A database's error by consequence: a directory that cannot be used is the user's to change, the rest are faults.
pub(super) fn failure(error: &DatabaseError) -> Failure {
    match error {
        DatabaseError::Io { .. }
        | DatabaseError::Stopped
        | DatabaseError::Inconsistent(_)
        | DatabaseError::Corrupt(_)
        | DatabaseError::Internal(_) => Failure::fault(error),
        _ => Failure::input(error),
    }
}

/// An import's error by consequence. A bad block is reported here.
pub(super) fn import_failure(error: &ImportError) -> Failure {
    if error.is_invalid_block() {
        complain!("error: {error}");
        return Failure::Check;
    }
    match error {
        ImportError::Read(_) | ImportError::Settings(_) | ImportError::Incompatible { .. } => {
            Failure::input(error)
        }
        // Of a fork that is not supported: see `is_invalid_block`.
        ImportError::Block { .. } => Failure::input(error),
        ImportError::Execution(execution) if matches!(**execution, ExecutionError::Fork { .. }) => {
            Failure::input(error)
        }
        ImportError::Database(error) => failure(error),
        _ => Failure::fault(error),
    }
}
