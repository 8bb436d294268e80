use super::nodes::Witness;
use crate::store::{Account, Store};
use crate::trie::error::TrieError;
use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use std::convert::Infallible;
use std::sync::Arc;

/// The state before a block as its witness proves it.
///
/// A read that the witness does not prove is an error, never empty. Speculation may ask for more than executing in order does:
/// an error there only sets the step aside.
#[derive(Clone, Debug)]
pub struct WitnessStore {
    witness: Arc<Witness>,
    codes: Arc<HashMap<B256, Bytes>>,
    block_hashes: HashMap<u64, B256>,
}

/// Why a witness cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum WitnessStoreError {
    /// The nodes on the way to an account or a slot are not all there.
    #[error("the witness does not prove {}: {error}", read(address, slot.as_ref()))]
    Unproven {
        /// The account that is read, or whose slot is.
        address: Address,
        /// The slot.
        slot: Option<U256>,
        /// The missing part.
        error: Box<TrieError<Infallible>>,
    },
    /// A code is not there.
    #[error("the witness lacks the code with hash {0}")]
    MissingCode(B256),
    /// A code goes by another hash than its own.
    #[error("the code listed as {listed} has the hash {actual}")]
    OtherCode {
        /// The hash that it goes by.
        listed: B256,
        /// Its Keccak-256.
        actual: B256,
    },
    /// No header tells the hash of a block.
    #[error("the witness does not tell the hash of block {0}")]
    UnknownBlock(u64),
}

fn unproven(address: Address, slot: Option<U256>, error: TrieError<Infallible>) -> WitnessStoreError {
    WitnessStoreError::Unproven { address, slot, error: Box::new(error) }
}

fn read(address: &Address, slot: Option<&U256>) -> String {
    slot.map_or_else(|| format!("the account {address}"), |slot| format!("the slot {slot:#x} of {address}"))
}

impl WitnessStore {
    /// A store on a witness, whose headers answer BLOCKHASH. `codes` are looked at if the witness has none of its own; each
    /// has to have the hash that it goes by.
    pub fn new(witness: Arc<Witness>, codes: Arc<HashMap<B256, Bytes>>) -> Self {
        let mut block_hashes = HashMap::default();
        for (hash, header) in witness.headers() {
            block_hashes.insert(header.number, *hash);
            if let Some(before) = header.number.checked_sub(1) {
                block_hashes.insert(before, header.parent_hash);
            }
        }
        Self { witness, codes, block_hashes }
    }

    /// The witness that the store answers from.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }
}

impl Store for WitnessStore {
    type Error = WitnessStoreError;

    fn account(&self, address: Address) -> Result<Option<Account>, WitnessStoreError> {
        let account = self.witness.account(keccak256(address));
        let account = account.map_err(|error| unproven(address, None, error))?;
        Ok(account.map(|account| Account {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
        }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, WitnessStoreError> {
        let value = self.witness.storage(keccak256(address), keccak256(slot.to_be_bytes::<32>()));
        value.map_err(|error| unproven(address, Some(slot), error))
    }

    fn code(&self, hash: B256) -> Result<Bytes, WitnessStoreError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let own = self.witness.codes();
        let code = own.map_or_else(|| self.codes.get(&hash), |codes| codes.get(&hash));
        let code = code.ok_or(WitnessStoreError::MissingCode(hash))?;
        match keccak256(code) {
            actual if actual == hash => Ok(code.clone()),
            actual => Err(WitnessStoreError::OtherCode { listed: hash, actual }),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, WitnessStoreError> {
        self.block_hashes.get(&number).copied().ok_or(WitnessStoreError::UnknownBlock(number))
    }
}
