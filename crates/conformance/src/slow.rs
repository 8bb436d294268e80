use alloy_primitives::{Address, B256, U256};
use std::time::Duration;
use tandem_evm::revm::bytecode::Bytecode;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::revm::state::AccountInfo;

/// About the time of a read from a disk.
const READ: Duration = Duration::from_micros(50);

/// A store in memory whose reads take as long as from a disk.
///
/// The transactions of a test are done in less time than it takes to wake a thread: few are executed ahead of their turn.
/// While a worker waits for a read, others get ahead of it.
#[derive(Debug)]
pub(crate) struct SlowReads<'s, S>(pub(crate) &'s S);

impl<S: DatabaseRef> DatabaseRef for SlowReads<'_, S> {
    type Error = S::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, S::Error> {
        std::thread::sleep(READ);
        self.0.basic_ref(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, S::Error> {
        self.0.code_by_hash_ref(hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, S::Error> {
        std::thread::sleep(READ);
        self.0.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, S::Error> {
        self.0.block_hash_ref(number)
    }
}
