use crate::code;
use revm::bytecode::Bytecode;
use revm::database_interface::{DBErrorMarker, DatabaseRef};
use revm::primitives::{Address, B256, StorageKey, StorageValue};
use revm::state::AccountInfo;
use tandem_state::Store;

/// A [`Store`] as revm's [`DatabaseRef`].
#[derive(Debug)]
pub struct StoreRef<'a, S>(pub &'a S);

impl<S> Clone for StoreRef<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for StoreRef<'_, S> {}

/// A [`Store`]'s error, fit for revm.
#[derive(Debug)]
pub struct StoreRefError<E>(pub E);

impl<E: std::fmt::Display> std::fmt::Display for StoreRefError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: std::error::Error> std::error::Error for StoreRefError<E> {}
impl<E: std::error::Error + Send + Sync + 'static> DBErrorMarker for StoreRefError<E> {}

impl<S: Store> DatabaseRef for StoreRef<'_, S> {
    type Error = StoreRefError<S::Error>;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let account = self.0.account(address).map_err(StoreRefError)?;
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        self.0.code(code_hash).map(code::decode).map_err(StoreRefError)
    }

    fn storage_ref(&self, address: Address, index: StorageKey) -> Result<StorageValue, Self::Error> {
        self.0.storage(address, index).map_err(StoreRefError)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.0.block_hash(number).map_err(StoreRefError)
    }
}
