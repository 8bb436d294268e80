//! The row of an undo record, laid out so that one leaf is found without decoding the others.
//!
//! All numbers are four bytes, big-endian. Keys ascend.
//!
//! | part | content |
//! |---|---|
//! | codes | count; the hashes |
//! | accounts | count; for each its key, one byte of length, the row as in `accounts`, empty if there was none |
//! | storage | count; for each account its key, the length of what follows, and for each slot its key, one byte of length, the row as in `storage`, empty for zero |

use super::error::DatabaseError;
use super::rows;
use super::undo::UndoRecord;
use alloy_primitives::{B256, U256};
use alloy_trie::TrieAccount;

/// The row of a record.
pub(super) fn encode(record: &UndoRecord) -> Vec<u8> {
    let mut row = Vec::new();
    put_number(&mut row, record.codes.len());
    for code in &record.codes {
        row.extend_from_slice(code.as_slice());
    }
    put_number(&mut row, record.accounts.len());
    for (key, account) in &record.accounts {
        put_leaf(&mut row, *key, &account.as_ref().map(rows::account).unwrap_or_default());
    }
    put_number(&mut row, record.storage.len());
    let mut slots_row = Vec::new();
    for (owner, slots) in &record.storage {
        slots_row.clear();
        for (slot, value) in slots {
            put_leaf(&mut slots_row, *slot, &rows::value(*value));
        }
        row.extend_from_slice(owner.as_slice());
        put_number(&mut row, slots_row.len());
        row.extend_from_slice(&slots_row);
    }
    row
}

/// The record in the row of block `number`.
pub(super) fn decode(number: u64, row: &[u8]) -> Result<UndoRecord, DatabaseError> {
    let mut reader = Reader { number, rest: row };
    let mut record = UndoRecord::default();
    for _ in 0..reader.number()? {
        record.codes.push(reader.hash()?);
    }
    for _ in 0..reader.number()? {
        let (key, account) = reader.leaf()?;
        record.accounts.insert(key, old_account(key, account)?);
    }
    for _ in 0..reader.number()? {
        let (owner, mut slots) = reader.storage()?;
        let values = record.storage.entry(owner).or_default();
        while !slots.rest.is_empty() {
            let (slot, value) = slots.leaf()?;
            values.insert(slot, rows::decode_value(value)?);
        }
    }
    if reader.rest.is_empty() { Ok(record) } else { Err(reader.malformed()) }
}

/// The entry of one account in the row of block `number`; `None` if nothing.
pub(super) fn find_account(
    number: u64,
    row: &[u8],
    account: B256,
) -> Result<Option<Option<TrieAccount>>, DatabaseError> {
    let mut reader = Reader { number, rest: row };
    reader.skip_codes()?;
    for _ in 0..reader.number()? {
        let (key, old) = reader.leaf()?;
        if key >= account {
            return if key == account { old_account(key, old).map(Some) } else { Ok(None) };
        }
    }
    Ok(None)
}

/// The entry of one slot in the row of block `number`; `None` if nothing.
pub(super) fn find_slot(
    number: u64,
    row: &[u8],
    account: B256,
    slot: B256,
) -> Result<Option<U256>, DatabaseError> {
    let mut reader = Reader { number, rest: row };
    reader.skip_codes()?;
    for _ in 0..reader.number()? {
        reader.leaf()?;
    }
    for _ in 0..reader.number()? {
        let (owner, mut slots) = reader.storage()?;
        if owner == account {
            while !slots.rest.is_empty() {
                let (key, value) = slots.leaf()?;
                if key == slot {
                    return rows::decode_value(value).map(Some);
                }
            }
        }
    }
    Ok(None)
}

fn old_account(key: B256, row: &[u8]) -> Result<Option<TrieAccount>, DatabaseError> {
    if row.is_empty() { Ok(None) } else { rows::decode_account(key, row).map(Some) }
}

fn put_number(row: &mut Vec<u8>, number: usize) {
    row.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
}

/// `value` is shorter than 256 bytes: an account's row takes at most 110, a slot's 32.
fn put_leaf(row: &mut Vec<u8>, key: B256, value: &[u8]) {
    row.extend_from_slice(key.as_slice());
    row.push(value.len() as u8);
    row.extend_from_slice(value);
}

/// Takes the parts of a row off its front.
struct Reader<'r> {
    /// The block whose record this is.
    number: u64,
    rest: &'r [u8],
}

impl<'r> Reader<'r> {
    fn malformed(&self) -> DatabaseError {
        DatabaseError::Inconsistent(format!("the undo record of block {} is malformed", self.number))
    }

    fn take(&mut self, length: usize) -> Result<&'r [u8], DatabaseError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize, DatabaseError> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn hash(&mut self) -> Result<B256, DatabaseError> {
        self.take(32).map(B256::from_slice)
    }

    fn leaf(&mut self) -> Result<(B256, &'r [u8]), DatabaseError> {
        let key = self.hash()?;
        let length = self.take(1)?[0];
        Ok((key, self.take(usize::from(length))?))
    }

    fn storage(&mut self) -> Result<(B256, Self), DatabaseError> {
        let owner = self.hash()?;
        let length = self.number()?;
        Ok((owner, Self { number: self.number, rest: self.take(length)? }))
    }

    fn skip_codes(&mut self) -> Result<(), DatabaseError> {
        let codes = self.number()?;
        self.take(codes.saturating_mul(32)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> UndoRecord {
        let account = TrieAccount { nonce: u64::MAX, balance: U256::MAX, ..TrieAccount::default() };
        let [a, b, c] = [1, 2, 3].map(B256::repeat_byte);
        UndoRecord {
            accounts: [(a, Some(account)), (c, None)].into(),
            storage: [(a, [(b, U256::MAX)].into()), (c, [(a, U256::ZERO), (c, U256::from(256))].into())]
                .into(),
            codes: vec![b, a],
        }
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        for record in [UndoRecord::default(), record()] {
            assert_eq!(decode(1, &encode(&record)).unwrap(), record);
        }
    }

    #[test]
    fn single_leaves_are_found_and_others_are_not() {
        let record = record();
        let row = encode(&record);
        for byte in 0..5 {
            let key = B256::repeat_byte(byte);
            assert_eq!(find_account(1, &row, key).unwrap().as_ref(), record.accounts.get(&key));
            for byte in 0..5 {
                let slot = B256::repeat_byte(byte);
                let expected = record.storage.get(&key).and_then(|slots| slots.get(&slot));
                assert_eq!(find_slot(1, &row, key, slot).unwrap().as_ref(), expected);
            }
        }
    }

    #[test]
    fn a_row_cut_short_or_with_more_behind_it_is_malformed() {
        let row = encode(&record());
        for length in 0..row.len() {
            assert!(matches!(decode(7, &row[..length]), Err(DatabaseError::Inconsistent(_))), "{length}");
        }
        assert!(decode(7, &[row.as_slice(), &[0]].concat()).is_err());
    }
}
