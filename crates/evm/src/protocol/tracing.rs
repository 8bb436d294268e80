use super::{Block, ContextOf, Protocol};
use revm::context::result::ExecutionResult;
use revm::inspector::{Inspector, NoOpInspector};

/// Has each transaction watched by an inspector of its own, and keeps what that made of the execution that became final.
///
/// A transaction may execute several times, on values that turn out to be stale. Each execution gets an inspector from
/// [`Tracing::begin`], which is dropped with what it saw if the execution is. So an inspector must not write to anything outside itself.
///
/// ```
/// use tandem_evm::revm::context::result::ExecutionResult;
/// use tandem_evm::revm::inspector::Inspector;
/// use tandem_evm::revm::interpreter::{CallInputs, CallOutcome, interpreter::EthInterpreter};
/// use tandem_evm::{ContextOf, Protocol, Tracing, protocol::Block};
///
/// /// Counts calls.
/// struct Calls;
///
/// struct Counter(usize);
///
/// impl<C> Inspector<C, EthInterpreter> for Counter {
///     fn call(&mut self, _context: &mut C, _inputs: &mut CallInputs) -> Option<CallOutcome> {
///         self.0 += 1;
///         None
///     }
/// }
///
/// impl<P: Protocol> Tracing<P> for Calls {
///     type Inspector<C: ContextOf<P>> = Counter;
///     type Trace = usize;
///
///     fn looks_at_state(&self) -> bool {
///         false
///     }
///
///     fn begin<C: ContextOf<P>>(&self, _block: &Block<P>, _index: usize) -> Counter {
///         Counter(0)
///     }
///
///     fn end<C: ContextOf<P>>(&self, counter: Counter, _result: &ExecutionResult, _context: &mut C) -> usize {
///         counter.0
///     }
/// }
/// ```
pub trait Tracing<P: Protocol>: Sync {
    /// The inspector: any of revm's kind.
    type Inspector<C: ContextOf<P>>: Inspector<C>;
    /// What is made of an execution.
    type Trace: Send;

    /// Whether transactions are watched at all.
    #[doc(hidden)]
    const IS_ON: bool = true;

    /// Whether an inspector, or [`Tracing::end`], looks at the state beyond what transactions themselves show: balances, nonces, the
    /// changes of the transaction. Then a trace depends on all accounts that the transaction loads, among them those that get fees, so that
    /// most transactions of a block depend on one another. For inspectors that watch calls, instructions, logs and storage alone say
    /// no: they are faster.
    fn looks_at_state(&self) -> bool {
        true
    }

    /// An inspector for one execution of the transaction at `index`.
    fn begin<C: ContextOf<P>>(&self, block: &Block<P>, index: usize) -> Self::Inspector<C>;

    /// Makes a trace of an execution that has ended.
    ///
    /// If [`Tracing::looks_at_state`], the context's journal holds what the transaction did (`context.journal().evm_state()`), and the
    /// database (`context.db_mut()`) what was there before it.
    fn end<C: ContextOf<P>>(
        &self,
        inspector: Self::Inspector<C>,
        result: &ExecutionResult,
        context: &mut C,
    ) -> Self::Trace;
}

/// Nothing is watched.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTracing;

impl<P: Protocol> Tracing<P> for NoTracing {
    type Inspector<C: ContextOf<P>> = NoOpInspector;
    type Trace = ();

    const IS_ON: bool = false;

    fn begin<C: ContextOf<P>>(&self, _block: &Block<P>, _index: usize) -> NoOpInspector {
        NoOpInspector
    }

    fn end<C: ContextOf<P>>(&self, _inspector: NoOpInspector, _result: &ExecutionResult, _context: &mut C) {}
}
