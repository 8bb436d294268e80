use super::context::CtxOf;
use super::machine::Machine;
use super::ordered::Ordered;
use super::recorder::Recorder;
use crate::protocol::Protocol;
use crate::protocol::errors::EvmError;
use crate::state::StoreError;
use revm::context::result::HaltReason;
use revm::context::{ContextError, FrameStack};
use revm::handler::evm::{ContextDbError, EvmTr, FrameInitResult, FrameTr};
use revm::handler::{EthFrame, FrameInitOrResult, Handler};
use revm::inspector::{Inspector, InspectorEvmTr, InspectorHandler};
use revm::interpreter::interpreter::EthInterpreter;

/// A machine whose transaction is watched.
pub(crate) struct Inspected<'a, 'r, P: Protocol, I> {
    pub(crate) machine: &'a mut Machine<'r, P>,
    pub(crate) inspector: I,
}

impl<'r, P: Protocol, I> Recorder<'r> for Inspected<'_, 'r, P, I> {
    type Protocol = P;

    fn ctx_and_protocol(&mut self) -> (&mut CtxOf<'r, P>, &P) {
        self.machine.ctx_and_protocol()
    }
}

impl<'r, P: Protocol, I> EvmTr for Inspected<'_, 'r, P, I> {
    type Context = CtxOf<'r, P>;
    type Instructions = <Machine<'r, P> as EvmTr>::Instructions;
    type Precompiles = <Machine<'r, P> as EvmTr>::Precompiles;
    type Frame = EthFrame<EthInterpreter>;

    fn all(&self) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<Self::Frame>) {
        self.machine.all()
    }

    fn all_mut(
        &mut self,
    ) -> (&mut Self::Context, &mut Self::Instructions, &mut Self::Precompiles, &mut FrameStack<Self::Frame>)
    {
        self.machine.all_mut()
    }

    fn frame_init(
        &mut self,
        frame: <Self::Frame as FrameTr>::FrameInit,
    ) -> Result<FrameInitResult<'_, Self::Frame>, ContextDbError<Self::Context>> {
        self.machine.frame_init(frame)
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, ContextDbError<Self::Context>> {
        self.machine.frame_run()
    }

    fn frame_return_result(
        &mut self,
        result: <Self::Frame as FrameTr>::FrameResult,
    ) -> Result<Option<<Self::Frame as FrameTr>::FrameResult>, ContextError<StoreError>> {
        self.machine.frame_return_result(result)
    }
}

impl<'r, P, I> InspectorEvmTr for Inspected<'_, 'r, P, I>
where
    P: Protocol,
    I: Inspector<CtxOf<'r, P>>,
{
    type Inspector = I;

    fn all_inspector(
        &self,
    ) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<Self::Frame>, &I) {
        let (context, instructions, precompiles, frames) = self.machine.all();
        (context, instructions, precompiles, frames, &self.inspector)
    }

    fn all_mut_inspector(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
        &mut I,
    ) {
        let (context, instructions, precompiles, frames) = self.machine.all_mut();
        (context, instructions, precompiles, frames, &mut self.inspector)
    }
}

impl<'a, 'r: 'a, P, I, H> InspectorHandler for Ordered<H>
where
    P: Protocol,
    I: Inspector<CtxOf<'r, P>>,
    H: Handler<Evm = Inspected<'a, 'r, P, I>, Error = EvmError, HaltReason = HaltReason>,
{
    type IT = EthInterpreter;
}
