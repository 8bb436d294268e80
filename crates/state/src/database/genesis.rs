use super::block::{BlockBody, BlockRecord};
use super::commit::insert_block;
use super::connection::Connection;
use super::error::DatabaseError;
use super::guard::guarded;
use super::tables::{WriteTables, delete_all};
use super::{leaves, meta, nodes};
use crate::trie::{LeafUpdates, NodeUpdates};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};

/// Loads a genesis in as many commits as it takes. There is no head until [`Self::finish`].
#[derive(Debug)]
pub struct GenesisLoader<'d> {
    connection: &'d Connection,
    hash: B256,
}

/// See `Database::begin_genesis`.
pub(super) fn begin<'d>(
    connection: &'d Connection,
    hash: B256,
    config: &[u8],
) -> Result<GenesisLoader<'d>, DatabaseError> {
    let transaction = connection.begin_write()?;
    {
        let tables = WriteTables::open(&transaction)?;
        if meta::head(&tables.meta)?.is_some() {
            let found = meta::genesis(&tables.meta)?.unwrap_or_default();
            return Err(if found == hash {
                DatabaseError::HasGenesis(found)
            } else {
                DatabaseError::Genesis { found, wanted: hash }
            });
        }
    }
    delete_all(&transaction)?;
    {
        let mut tables = WriteTables::open(&transaction)?;
        meta::set_version(&mut tables.meta)?;
        meta::set_genesis(&mut tables.meta, hash, config)?;
    }
    transaction.commit()?;
    Ok(GenesisLoader { connection, hash })
}

/// See `Database::replace_config`.
pub(super) fn replace_config(connection: &Connection, config: &[u8]) -> Result<(), DatabaseError> {
    let transaction = connection.begin_write()?;
    {
        let mut tables = WriteTables::open(&transaction)?;
        let genesis = meta::genesis(&tables.meta)?.ok_or(DatabaseError::NoGenesis)?;
        meta::set_genesis(&mut tables.meta, genesis, config)?;
    }
    Ok(transaction.commit()?)
}

impl GenesisLoader<'_> {
    /// Adds a part of the state in a commit of its own. Parts may come in any order, and may add to each other; sorted
    /// ones load fastest.
    ///
    /// # Errors
    ///
    /// If the database cannot be written.
    pub fn load(
        &mut self,
        leaves: &LeafUpdates,
        nodes: &NodeUpdates,
        codes: &[(B256, Bytes)],
    ) -> Result<(), DatabaseError> {
        guarded(|| {
            let transaction = self.connection.begin_write()?;
            {
                let mut tables = WriteTables::open(&transaction)?;
                leaves::apply(&mut tables, leaves, codes)?;
                nodes::write(&mut tables, nodes)?;
            }
            Ok(transaction.commit()?)
        })
    }

    /// Makes the genesis block, which has no body, the head.
    ///
    /// # Errors
    ///
    /// If the header does not have the hash with which loading began, or the database cannot be written.
    pub fn finish(self, header: Header) -> Result<(), DatabaseError> {
        let hash = header.hash_slow();
        if hash != self.hash {
            return Err(DatabaseError::Genesis { found: self.hash, wanted: hash });
        }
        let body = BlockBody {
            withdrawals: header.withdrawals_root.map(|_| Default::default()),
            ..BlockBody::default()
        };
        let block = BlockRecord {
            header,
            hash,
            body,
            receipts: Vec::new(),
            leaves: LeafUpdates::default(),
            codes: Vec::new(),
        };
        guarded(|| {
            let transaction = self.connection.begin_write()?;
            {
                let mut tables = WriteTables::open(&transaction)?;
                let head = insert_block(&mut tables, &block)?;
                meta::set_head(&mut tables.meta, &head)?;
            }
            Ok(transaction.commit()?)
        })
    }
}
