use super::context::CtxOf;
use crate::protocol::Protocol;
use revm::handler::{EthFrame, EvmTr};
use std::sync::Arc;

/// An EVM over a worker's view: a machine, or one that is watched.
pub(crate) trait Recorder<'r>:
    EvmTr<Context = CtxOf<'r, <Self as Recorder<'r>>::Protocol>, Frame = EthFrame>
{
    type Protocol: Protocol;

    /// The chain.
    fn protocol(&self) -> Arc<<Self as Recorder<'r>>::Protocol>;
}
