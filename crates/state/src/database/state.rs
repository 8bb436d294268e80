//! A snapshot as the state that execution reads.

use super::error::DatabaseError;
use super::snapshot::Snapshot;
use super::{keys, rows};
use crate::store::{Account, Store};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::TrieAccount;
use redb::ReadableTable;

impl Snapshot {
    /// The account at a hashed address, with its storage root.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn trie_account(&self, key: B256) -> Result<Option<TrieAccount>, DatabaseError> {
        self.read(|tables| {
            let row = tables.accounts.get(&key.0)?;
            row.map(|row| rows::decode_account(key, row.value())).transpose()
        })
    }

    /// The value of a hashed slot; zero where nothing is stored.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn hashed_slot(&self, owner: B256, slot: B256) -> Result<U256, DatabaseError> {
        self.read(|tables| {
            let row = tables.storage.get(&keys::slot(owner, slot))?;
            row.map_or(Ok(U256::ZERO), |row| rows::decode_value(row.value()))
        })
    }
}

/// The state after the head.
impl Store for Snapshot {
    type Error = DatabaseError;

    fn account(&self, address: Address) -> Result<Option<Account>, DatabaseError> {
        let account = self.trie_account(keccak256(address))?;
        Ok(account.map(|account| Account {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
        }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, DatabaseError> {
        self.hashed_slot(keccak256(address), keccak256(slot.to_be_bytes::<32>()))
    }

    fn code(&self, hash: B256) -> Result<Bytes, DatabaseError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let code = self.read(|tables| {
            let row = tables.codes.get(&hash.0)?;
            Ok(row.map(|row| Bytes::copy_from_slice(row.value())))
        })?;
        code.ok_or_else(|| DatabaseError::Inconsistent(format!("the code with hash {hash} is missing")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, DatabaseError> {
        Ok(self.header(number)?.map(|header| header.hash_slow()).unwrap_or_default())
    }
}
