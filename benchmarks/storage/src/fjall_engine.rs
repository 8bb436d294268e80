use crate::{
    engine::{CACHE, Engine, Reader, Result},
    rows::{Batch, Row, TABLES},
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};
use std::path::Path;

pub struct Fjall {
    database: Database,
    tables: Vec<Keyspace>,
}

impl Fjall {
    pub fn open(dir: &Path) -> Result<Self> {
        let database = Database::builder(dir.join("dir")).cache_size(CACHE as u64).open()?;
        let open = |name: &&str| database.keyspace(name, KeyspaceCreateOptions::default);
        let tables = TABLES.iter().map(open).collect::<std::result::Result<_, _>>()?;
        Ok(Self { database, tables })
    }
}

impl Engine for Fjall {
    fn load(&self, table: usize, rows: Vec<Row>) -> Result<()> {
        let mut ingestion = self.tables[table].start_ingestion()?;
        for (key, value) in rows {
            ingestion.write(key, value)?;
        }
        ingestion.finish()?;
        Ok(self.database.persist(PersistMode::SyncData)?)
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let mut write = self.database.batch().durability(Some(PersistMode::SyncData));
        for (table, rows) in self.tables.iter().zip(batch) {
            for (key, value) in rows {
                write.insert(table, key.as_slice(), value.as_slice());
            }
        }
        Ok(write.commit()?)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        Ok(Box::new(View { snapshot: self.database.snapshot(), tables: &self.tables }))
    }
}

struct View<'d> {
    snapshot: Snapshot,
    tables: &'d [Keyspace],
}

impl Reader for View<'_> {
    fn get(&self, table: usize, key: &[u8]) -> Result<Option<usize>> {
        Ok(self.snapshot.get(&self.tables[table], key)?.map(|value| value.len()))
    }
}
