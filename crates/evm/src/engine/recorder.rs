use super::context::CtxOf;
use crate::protocol::Protocol;
use revm::handler::{EthFrame, EvmTr};

/// An EVM over a worker's view: a machine, or one that is watched.
pub(crate) trait Recorder<'r>:
    EvmTr<Context = CtxOf<'r, <Self as Recorder<'r>>::Protocol>, Frame = EthFrame>
{
    type Protocol: Protocol;

    /// The context, and the chain.
    fn ctx_and_protocol(
        &mut self,
    ) -> (&mut CtxOf<'r, <Self as Recorder<'r>>::Protocol>, &<Self as Recorder<'r>>::Protocol);
}
