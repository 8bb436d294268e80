use super::error::DatabaseError;
use super::guard::guarded;
use super::snapshot::Snapshot;
use super::{keys, rows};
use alloy_primitives::{B256, U256};
use alloy_trie::TrieAccount;
use redb::OwnedRange;

/// All accounts by hashed address, ascending. Holds one page of them at a time.
pub struct Accounts {
    rows: OwnedRange<&'static [u8; 32], &'static [u8]>,
    /// Keeps the database open.
    _snapshot: Snapshot,
}

/// All slots of one account by hashed slot, ascending. Holds one page of them at a time.
pub struct Slots {
    rows: OwnedRange<&'static [u8; 64], &'static [u8]>,
    /// Keeps the database open.
    _snapshot: Snapshot,
}

impl Snapshot {
    /// All accounts by hashed address, ascending.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn accounts(&self) -> Result<Accounts, DatabaseError> {
        let rows = self.read(|tables| Ok(tables.accounts.range_owned(..)?))?;
        Ok(Accounts { rows, _snapshot: self.clone() })
    }

    /// All slots of the account at a hashed address, by hashed slot, ascending.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn slots(&self, owner: B256) -> Result<Slots, DatabaseError> {
        let (first, last) = keys::slots_of(owner);
        let rows = self.read(|tables| Ok(tables.storage.range_owned(&first..=&last)?))?;
        Ok(Slots { rows, _snapshot: self.clone() })
    }
}

impl Iterator for Accounts {
    type Item = Result<(B256, TrieAccount), DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = guarded(|| {
            let Some((key, row)) = self.rows.next().transpose()? else { return Ok(None) };
            let key = B256::new(*key.value());
            Ok(Some((key, rows::decode_account(key, row.value())?)))
        });
        next.transpose()
    }
}

impl Iterator for Slots {
    type Item = Result<(B256, U256), DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = guarded(|| {
            let Some((key, row)) = self.rows.next().transpose()? else { return Ok(None) };
            Ok(Some((keys::split_slot(key.value()).1, rows::decode_value(row.value())?)))
        });
        next.transpose()
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}
