use crate::rows::{Batch, Row};
use std::{error::Error, path::Path};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Memory that an engine may use for its cache.
pub const CACHE: usize = 256 << 20;

/// What Tandem needs of a storage engine.
pub trait Engine: Sync {
    /// Fills a table of a new database; rows are sorted.
    fn load(&self, table: usize, rows: Vec<Row>) -> Result<()>;

    /// Writes one block, durable on return.
    fn commit(&self, batch: &Batch) -> Result<()>;

    /// A view that stays as it is while blocks are written.
    fn reader(&self) -> Result<Box<dyn Reader + '_>>;
}

/// A view of the database.
pub trait Reader {
    /// The length of a value, or `None` if there is none.
    fn get(&self, table: usize, key: &[u8]) -> Result<Option<usize>>;
}

/// The engines and settings that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Redb,
    RedbQuickRepair,
    Fjall,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Redb, Self::RedbQuickRepair, Self::Fjall];

    pub fn name(self) -> &'static str {
        match self {
            Self::Redb => "redb",
            Self::RedbQuickRepair => "redb, quick repair",
            Self::Fjall => "fjall",
        }
    }

    pub fn open(self, dir: &Path) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Self::Redb => Box::new(crate::redb_engine::Redb::open(dir, false)?),
            Self::RedbQuickRepair => Box::new(crate::redb_engine::Redb::open(dir, true)?),
            Self::Fjall => Box::new(crate::fjall_engine::Fjall::open(dir)?),
        })
    }
}
