//! The state after earlier blocks, from the undo records of the later ones.

use super::error::DatabaseError;
use super::snapshot::Snapshot;
use super::undo_row;
use alloy_primitives::{Address, U256, keccak256};
use alloy_trie::TrieAccount;
use redb::ReadableTable;

impl Snapshot {
    /// The account at `address` after block `number`. Reads the undo records of later blocks until one tells.
    ///
    /// # Errors
    ///
    /// If the block is not in the chain or the database cannot be read.
    pub fn account_at(&self, address: Address, number: u64) -> Result<Option<TrieAccount>, DatabaseError> {
        let key = keccak256(address);
        let overwritten = self.overwritten(number, |block, row| undo_row::find_account(block, row, key))?;
        overwritten.map_or_else(|| self.trie_account(key), Ok)
    }

    /// The value of a slot of the account at `address` after block `number`. Reads the undo records of later blocks
    /// until one tells.
    ///
    /// # Errors
    ///
    /// If the block is not in the chain or the database cannot be read.
    pub fn storage_at(&self, address: Address, slot: U256, number: u64) -> Result<U256, DatabaseError> {
        let (owner, slot) = (keccak256(address), keccak256(slot.to_be_bytes::<32>()));
        let overwritten =
            self.overwritten(number, |block, row| undo_row::find_slot(block, row, owner, slot))?;
        overwritten.map_or_else(|| self.hashed_slot(owner, slot), Ok)
    }

    /// The result of `find` in the first undo record above `number` that has it.
    fn overwritten<T>(
        &self,
        number: u64,
        find: impl Fn(u64, &[u8]) -> Result<Option<T>, DatabaseError>,
    ) -> Result<Option<T>, DatabaseError> {
        if self.header(number)?.is_none() {
            return Err(self.unknown(number));
        }
        self.read(|tables| {
            for record in tables.undo.range(number + 1..)? {
                let (block, row) = record?;
                if let Some(found) = find(block.value(), row.value())? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }
}
