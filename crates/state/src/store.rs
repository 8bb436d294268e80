use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// An account's fields as the state trie holds them, its storage left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
/// # What a store has to be
///
/// * It answers for one state, and keeps answering for it while blocks execute on top of it. Changes of these blocks are
///   not to be seen through it before the stream ends.
/// * The same question gets the same answer every time, on every thread. Workers ask at once, in any order, several times,
///   and ahead of a transaction's turn: for accounts and slots that executing in order never reads, too.
/// * Whether an account exists is told by `Some`, its fields aside: before EIP-161 an account with neither balance, nonce
///   nor code can exist, and what a transaction costs depends on that.
/// * Each code hash that an account has is one that [`Store::code`] knows. [`KECCAK256_EMPTY`] stands for no code.
/// * It does not wait for work on the executor's own threads: these are the ones that ask.
///
/// Errors are faults (a disk that fails, a code that is missing), never statements about a block's validity. An error ahead
/// of a transaction's turn is forgotten and the transaction executed again; one at its turn ends the stream.
///
/// # Databases that are not `Sync`
///
/// A lock around the only handle makes reads wait for one another. It is better to have a handle for each thread that reads at
/// once: make them as they are needed and keep them, with all of them on the same snapshot.
///
/// ```
/// use std::sync::{Mutex, PoisonError};
///
/// /// Handles of a database, as many as there were readers at once. `D` is `Send`; it need not be `Sync`.
/// struct Handles<D, F> {
///     idle: Mutex<Vec<D>>,
///     open: F,
/// }
///
/// impl<D, F: Fn() -> D> Handles<D, F> {
///     /// What each method of `Store` calls.
///     fn read<T>(&self, read: impl FnOnce(&mut D) -> T) -> T {
///         let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
///         let handle = idle().pop();
///         let mut handle = handle.unwrap_or_else(|| (self.open)());
///         let answer = read(&mut handle);
///         idle().push(handle);
///         answer
///     }
/// }
///
/// let handles = Handles { idle: Mutex::default(), open: || std::cell::Cell::new(7) };
/// fn is_sync<T: Sync>(_: &T) {}
/// is_sync(&handles);
/// assert_eq!(handles.read(|cell| cell.get()), 7);
/// ```
pub trait Store: Sync {
    /// An error while reading.
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
