use super::context::CtxOf;
use crate::protocol::{Block, Protocol};
use alloy_primitives::Address;
use alloy_primitives::map::AddressSet;
use revm::handler::PrecompileProvider;
use revm::interpreter::{CallInputs, InterpreterResult};
use revm::primitives::hardfork::SpecId;
use std::sync::{Arc, LazyLock};

/// A chain's precompiles; calls of those that may read state are noted.
#[derive(Debug)]
pub(crate) struct Recording<P, T>(Option<(Arc<P>, T)>);

impl<P, T> Default for Recording<P, T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<P: Protocol, T> Recording<P, T> {
    pub(crate) fn new(block: &Block<P>, precompiles: T) -> Self {
        Self(Some((block.protocol().clone(), precompiles)))
    }
}

/// Of a machine that was given no block yet.
static NONE: LazyLock<AddressSet> = LazyLock::new(AddressSet::default);

impl<'r, P, T> PrecompileProvider<CtxOf<'r, P>> for Recording<P, T>
where
    P: Protocol,
    T: PrecompileProvider<CtxOf<'r, P>, Output = InterpreterResult>,
{
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        self.0.as_mut().is_some_and(|(_, precompiles)| precompiles.set_spec(spec))
    }

    fn run(
        &mut self,
        context: &mut CtxOf<'r, P>,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let Some((protocol, precompiles)) = &mut self.0 else { return Ok(None) };
        let result = precompiles.run(context, inputs)?;
        if result.is_some() && !protocol.is_stateless(&inputs.bytecode_address) {
            context.journaled_state.database.ledger.exact = true;
        }
        Ok(result)
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.0.as_ref().map_or(&NONE, |(_, precompiles)| precompiles.warm_addresses())
    }

    fn contains(&self, address: &Address) -> bool {
        self.0.as_ref().is_some_and(|(_, precompiles)| precompiles.contains(address))
    }
}
