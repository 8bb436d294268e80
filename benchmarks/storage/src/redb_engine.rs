use crate::{
    engine::{CACHE, Engine, Reader, Result},
    rows::{Batch, Row, TABLES},
};
use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};
use std::path::Path;

type Bytes = &'static [u8];

pub struct Redb {
    database: Database,
    quick_repair: bool,
}

fn table(index: usize) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(TABLES[index])
}

impl Redb {
    pub fn open(dir: &Path, quick_repair: bool) -> Result<Self> {
        let database = Database::builder().set_cache_size(CACHE).create(dir.join("file"))?;
        Ok(Self { database, quick_repair })
    }
}

impl Engine for Redb {
    fn load(&self, index: usize, rows: Vec<Row>) -> Result<()> {
        for chunk in rows.chunks(200_000) {
            let transaction = self.database.begin_write()?;
            let mut rows = transaction.open_table(table(index))?;
            for (key, value) in chunk {
                rows.insert(key.as_slice(), value.as_slice())?;
            }
            drop(rows);
            transaction.commit()?;
        }
        Ok(())
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(self.quick_repair);
        for (index, rows) in batch.iter().enumerate() {
            let mut table = transaction.open_table(table(index))?;
            for (key, value) in rows {
                table.insert(key.as_slice(), value.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn reader(&self) -> Result<Box<dyn Reader + '_>> {
        let transaction = self.database.begin_read()?;
        Ok(Box::new(View([transaction.open_table(table(0))?, transaction.open_table(table(1))?])))
    }
}

struct View([ReadOnlyTable<Bytes, Bytes>; 2]);

impl Reader for View {
    fn get(&self, table: usize, key: &[u8]) -> Result<Option<usize>> {
        Ok(self.0[table].get(key)?.map(|value| value.value().len()))
    }
}
