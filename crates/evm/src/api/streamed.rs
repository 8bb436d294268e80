//! What the consumer of a stream gets.

use super::core::execution_error;
use super::finished::{FinishedBlock, InspectedBlock};
use crate::engine::vm::EvmVm;
use crate::error::ExecutionError;
use crate::protocol::Protocol;
use crate::protocol::tracing::{NoTracing, Tracing};
use crossbeam_channel::Receiver;
use revm::database_interface::DatabaseRef;
use std::marker::PhantomData;
use tandem_stm::{Metrics, StreamHandle};

/// The finished blocks of a stream, in order, each with what inspectors made of its transactions. Waits for each; ends after the last
/// block or the first error.
///
/// Dropping it early ends the stream.
#[derive(Debug)]
pub struct Inspected<'a, 's, S, P: Protocol, T: Tracing<P>> {
    blocks: Option<Receiver<InspectedBlock<P, T::Trace>>>,
    running: StreamHandle<'a, EvmVm<'s, P, T>>,
    vm: &'a EvmVm<'s, P, T>,
    store: PhantomData<&'s S>,
}

impl<'a, 's, S, P: Protocol, T: Tracing<P>> Inspected<'a, 's, S, P, T> {
    pub(super) fn new(
        blocks: Receiver<InspectedBlock<P, T::Trace>>,
        vm: &'a EvmVm<'s, P, T>,
        running: StreamHandle<'a, EvmVm<'s, P, T>>,
    ) -> Self {
        Self { blocks: Some(blocks), running, vm, store: PhantomData }
    }

    /// The engine's counters so far: see [`Finished::metrics`].
    pub fn metrics(&self) -> Metrics {
        self.running.metrics()
    }
}

impl<S: DatabaseRef, P: Protocol, T: Tracing<P>> Iterator for Inspected<'_, '_, S, P, T> {
    type Item = Result<InspectedBlock<P, T::Trace>, ExecutionError<S::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.vm.consumption.ask();
        match self.blocks.as_ref()?.recv() {
            Ok(block) => Some(Ok(block)),
            Err(_) => {
                self.running.take_failure().map(|failure| Err(execution_error(self.vm, failure).of_store()))
            }
        }
    }
}

impl<S, P: Protocol, T: Tracing<P>> Drop for Inspected<'_, '_, S, P, T> {
    fn drop(&mut self) {
        // The receiver first: a worker that waits for room in the channel must see that there will be none.
        self.blocks = None;
        self.running.cancel();
        self.vm.consumption.leave();
    }
}

/// The finished blocks of a stream, in order. Waits for each; ends after the last block or the first error.
///
/// Dropping it early ends the stream.
#[derive(Debug)]
pub struct Finished<'a, 's, S, P: Protocol>(pub(super) Inspected<'a, 's, S, P, NoTracing>);

impl<S, P: Protocol> Finished<'_, '_, S, P> {
    /// The engine's counters so far. None ever falls. Each worker adds what it counted at least every 64 steps, so that the last ones may
    /// be missing; the stream's end returns all.
    pub fn metrics(&self) -> Metrics {
        self.0.metrics()
    }
}

impl<S: DatabaseRef, P: Protocol> Iterator for Finished<'_, '_, S, P> {
    type Item = Result<FinishedBlock<P>, ExecutionError<S::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|inspected| inspected.block))
    }
}
