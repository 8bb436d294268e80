use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// An account's fields as the state trie holds them, its storage left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Balance in wei.
    pub balance: U256,
    /// Number of transactions sent, or of contracts created by a contract.
    pub nonce: u64,
    /// Keccak-256 of the code; [`KECCAK256_EMPTY`] for an account without code.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self { balance: U256::ZERO, nonce: 0, code_hash: KECCAK256_EMPTY }
    }
}

/// A read-only view of one Ethereum state, shared by all workers.
///
/// A store answers for one state and keeps answering for it while blocks execute on top of it. Its errors are
/// faults (a disk that fails, a code that is missing), never statements about a block's validity.
pub trait Store: Sync {
    /// What can go wrong while reading.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The account at `address`, or `None` if the state trie holds none.
    fn account(&self, address: Address) -> Result<Option<Account>, Self::Error>;

    /// The value of a storage slot; zero where nothing is stored.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, Self::Error>;

    /// The code with this hash. An unknown hash is an error: some account names it.
    fn code(&self, hash: B256) -> Result<Bytes, Self::Error>;

    /// The hash of the block with this number, for the BLOCKHASH instruction.
    fn block_hash(&self, number: u64) -> Result<B256, Self::Error>;
}
