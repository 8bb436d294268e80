pub(crate) mod disk;
pub(crate) mod dump;
pub(crate) mod model;
pub(crate) mod rng;
pub(crate) mod scenario;

use disk::Disk;
use tandem_state::database::{Database, DatabaseError, DatabaseOptions};

pub(crate) fn options() -> DatabaseOptions {
    DatabaseOptions::new().cache_bytes(4 << 20)
}

pub(crate) fn open(disk: &Disk) -> Result<Database, DatabaseError> {
    Database::open_with_backend(disk.clone(), &options())
}
