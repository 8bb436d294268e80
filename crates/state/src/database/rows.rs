//! Values of rows.

use super::error::DatabaseError;
use alloy_primitives::{B256, U256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::TrieAccount;

/// The RLP of an account, as it stands in the trie and in `accounts`.
pub(super) fn account(account: &TrieAccount) -> Vec<u8> {
    alloy_rlp::encode(account)
}

/// The account in a row of `accounts`, `key` being its hashed address.
pub(super) fn decode_account(key: B256, row: &[u8]) -> Result<TrieAccount, DatabaseError> {
    decode(row, || format!("account {key}"))
}

/// A slot's value without leading zeros; none is left of zero.
pub(super) fn value(value: U256) -> Vec<u8> {
    value.to_be_bytes_trimmed_vec()
}

/// The value in a row of `storage`.
pub(super) fn decode_value(row: &[u8]) -> Result<U256, DatabaseError> {
    U256::try_from_be_slice(row)
        .ok_or_else(|| DatabaseError::Inconsistent(format!("a slot has a value of {} bytes", row.len())))
}

/// The value of a slot's leaf in the trie, from its row: the RLP of the value.
pub(super) fn trie_value(row: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(row)
}

/// The RLP of a header, a body or a list of receipts.
pub(super) fn rlp(value: &impl Encodable) -> Vec<u8> {
    alloy_rlp::encode(value)
}

/// The value whose RLP takes all of `row`; `what` names the row if it does not.
pub(super) fn decode<T: Decodable>(
    mut row: &[u8],
    what: impl FnOnce() -> String,
) -> Result<T, DatabaseError> {
    let value = T::decode(&mut row);
    match value {
        Ok(value) if row.is_empty() => Ok(value),
        Ok(_) => Err(DatabaseError::Inconsistent(format!("the row of {} is too long", what()))),
        Err(error) => {
            Err(DatabaseError::Inconsistent(format!("the row of {} is malformed: {error}", what())))
        }
    }
}
