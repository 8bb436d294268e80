use alloy_primitives::{Address, B256, U256};

/// What tracing notes while a transaction executes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Slots that it named in an SSTORE.
    pub(crate) stores: Vec<(Address, U256)>,
    /// Two words that it hashed, behind their hash.
    pub(crate) hashed: Vec<(B256, B256, B256)>,
}
