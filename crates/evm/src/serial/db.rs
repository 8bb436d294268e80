use crate::code;
use crate::state::{BaseState, StoreError};
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256};
use revm::bytecode::Bytecode;
use revm::database_interface::Database;
use revm::primitives::{StorageKey, StorageValue};
use revm::state::AccountInfo;

/// The store with the codes that were used before.
pub(super) struct PlainDb<'s> {
    pub(super) store: &'s dyn BaseState,
    pub(super) codes: B256Map<Bytecode>,
    /// Whether codes can be delegations (EIP-7702).
    pub(super) delegates: bool,
    /// Number and hash of the parent, if it is known.
    pub(super) parent: Option<(u64, B256)>,
}

impl Database for PlainDb<'_> {
    type Error = StoreError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let mut info = self.store.account(address)?;
        if let Some(code) = info.as_mut().and_then(|info| info.code.as_mut()) {
            *code = code::under_rules(code, self.delegates);
        }
        Ok(info)
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        if let Some(code) = self.codes.get(&code_hash) {
            return Ok(code::under_rules(code, self.delegates));
        }
        let code = self.store.code(code_hash)?;
        let executed = code::under_rules(&code, self.delegates);
        self.codes.insert(code_hash, code);
        Ok(executed)
    }

    fn storage(&mut self, address: Address, index: StorageKey) -> Result<StorageValue, Self::Error> {
        self.store.slot(address, index)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        match self.parent {
            Some((parent, hash)) if parent == number => Ok(hash),
            _ => self.store.block_hash(number),
        }
    }
}
