use alloy_primitives::B256;

/// A transaction, made ready to be executed any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Transaction<T> {
    pub(crate) hash: B256,
    pub(crate) tx: T,
    /// Says which function of which contract it calls, if it calls one. A hint: different ones may have the same number.
    pub(crate) callee: Option<u64>,
    /// That of `tx`: here, too, for whoever looks at many transactions and would wait for the memory of each.
    pub(crate) gas_limit: u64,
}

/// What tells the function that a transaction calls from others.
fn callee(tx: &impl revm::context::Transaction) -> Option<u64> {
    let selector = u32::from_le_bytes(*tx.input().first_chunk()?);
    let callee = *tx.kind().to()?;
    let (head, _) = callee.split_first_chunk()?;
    Some(u64::from_le_bytes(*head) ^ u64::from(selector))
}

impl<T: revm::context::Transaction> Transaction<T> {
    pub(super) fn new(hash: B256, tx: T) -> Self {
        Self { hash, callee: callee(&tx), gas_limit: tx.gas_limit(), tx }
    }
}
