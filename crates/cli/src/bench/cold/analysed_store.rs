use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, U256};
use tandem_evm::StoreRef;
use tandem_evm::revm::bytecode::Bytecode;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::revm::state::AccountInfo;
use tandem_state::MemoryStore;

/// Codes by their hash, analysed.
pub(super) type AnalysedCodes = B256Map<Bytecode>;

/// A state with codes that were analysed before, as a node keeps them: an engine that asks for a code does not pay for its analysis.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnalysedStore<'a> {
    state: StoreRef<'a, MemoryStore>,
    codes: &'a AnalysedCodes,
}

impl<'a> AnalysedStore<'a> {
    pub(super) fn new(state: &'a MemoryStore, codes: &'a AnalysedCodes) -> Self {
        Self { state: StoreRef(state), codes }
    }
}

impl<'a> DatabaseRef for AnalysedStore<'a> {
    type Error = <StoreRef<'a, MemoryStore> as DatabaseRef>::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.state.basic_ref(address)
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Self::Error> {
        match self.codes.get(&code_hash) {
            Some(code) => Ok(code.clone()),
            None => self.state.code_by_hash_ref(code_hash),
        }
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.state.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.state.block_hash_ref(number)
    }
}

/// Analyses the codes that accounts of a state have. A code that the state lacks is left out.
pub(super) fn analyse(state: &MemoryStore, codes: &mut AnalysedCodes) {
    for (_, account) in state.accounts() {
        if !codes.contains_key(&account.code_hash)
            && let Ok(code) = StoreRef(state).code_by_hash_ref(account.code_hash)
        {
            codes.insert(account.code_hash, code);
        }
    }
}
