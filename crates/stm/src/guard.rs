//! Calls of the VM, with panics caught: a speculative execution may read values that no serial execution would, and panic over them.

use crate::error::{StreamError, message};
use crate::prefetching::PREFETCHED;
use crate::vm::Vm;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a step has no result.
pub(crate) enum Failure<E> {
    /// The VM's error.
    Error(E),
    /// The VM panicked with this message.
    Panic(String),
}

impl<E> Failure<E> {
    /// The error that ends the stream if the step at `position` failed like this at its turn.
    pub(crate) fn at(self, position: u64) -> StreamError<E> {
        match self {
            Self::Error(error) => StreamError::Step { position, error },
            Self::Panic(message) => StreamError::Panic { position: Some(position), message },
        }
    }
}

/// Calls the VM. A panic may leave the worker's state half-changed, so it is made anew.
pub(crate) fn guarded<'r, V: Vm, T>(
    vm: &'r V,
    state: &mut V::Worker<'r>,
    call: impl FnOnce(&'r V, &mut V::Worker<'r>) -> Result<T, V::Error>,
) -> Result<T, Failure<V::Error>> {
    match catch_unwind(AssertUnwindSafe(|| call(vm, state))) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(Failure::Error(error)),
        Err(panic) => {
            let view = vm.view(state).successor();
            let old = std::mem::replace(state, vm.worker(view));
            let _ = catch_unwind(AssertUnwindSafe(|| drop(old)));
            Err(Failure::Panic(message(panic)))
        }
    }
}

/// Asks the VM about the failure of `step` at its turn. Gives the output with which the step becomes final, or the failure that ends the
/// stream.
pub(crate) fn reject<'r, V: Vm>(
    vm: &'r V,
    state: &mut V::Worker<'r>,
    step: &V::Step,
    failure: Failure<V::Error>,
) -> Result<V::Output, Failure<V::Error>> {
    let Failure::Error(error) = failure else { return Err(failure) };
    guarded(vm, state, |vm, _| vm.reject(step, error))
}

/// Lets the VM prefetch for `step` and the steps behind it. Fails if the VM panicked: then the run that is being executed has lost its record.
/// No other failure counts: the execution that needs the value fails, too.
pub(crate) fn prefetch<'r, V: Vm>(
    vm: &'r V,
    state: &mut V::Worker<'r>,
    step: &V::Step,
) -> Result<(), Failure<V::Error>> {
    guarded(vm, state, |vm, state| {
        vm.prefetch(state, step, PREFETCHED as usize);
        Ok(())
    })
}
