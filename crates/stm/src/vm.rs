use crate::{Cell, Check, EntryId, View};
use std::hash::Hash;

/// What the engine drives: it knows how to execute one step and what its locations hold.
///
/// Locations that are always found together can share a key (an account's balance, nonce and code, say): the
/// [`Vm::Value`] then holds all of them, and [`Vm::Observation`] and [`Vm::Effect`] say which they are about, so that
/// conflicts are still told apart location by location.
pub trait Vm: Sync {
    /// Identity of a location or of a group of them. Compared in full: a hash only places it.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// What is stored under a key.
    type Value: Copy + PartialEq + Send + Sync;
    /// How a value is kept so that it can be read while it changes.
    type Cell: Cell<Self::Value>;
    /// What a step relied on under a key.
    type Observation: Copy + Send;
    /// What a step does under a key.
    type Effect: Copy + Send;
    /// One unit of the stream.
    type Step: Send;
    /// What executing a step yields besides its effects.
    type Output: Send;
    /// Why a step cannot execute. Real only when it arises at the step's turn.
    type Error: Send;
    /// What one thread needs to execute steps: interpreter, buffers and its [`View`].
    type Worker<'r>
    where
        Self: 'r;

    /// Names of the kinds of location, for counting conflicts.
    const KINDS: &'static [&'static str];

    /// Makes the state of one worker; called once per thread and stream.
    fn worker<'r>(&'r self, view: View<'r, Self>) -> Self::Worker<'r>
    where
        Self: Sized;

    /// The view inside a worker.
    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Self>
    where
        Self: Sized + 'r;

    /// Executes `step` through the worker's view.
    ///
    /// # Errors
    ///
    /// While speculating, an error only says that the step cannot be judged yet. At the frontier it ends the stream.
    fn execute<'r>(
        &'r self,
        worker: &mut Self::Worker<'r>,
        step: &Self::Step,
    ) -> Result<Self::Output, Self::Error>
    where
        Self: Sized;

    /// Tests an observation.
    fn check(observation: &Self::Observation, value: &Self::Value) -> Check;

    /// Applies an effect. Must be total: speculation can apply it to any value.
    fn apply(effect: &Self::Effect, value: &mut Self::Value);

    /// Tries to make a result valid whose observations do not all hold, without executing the step again.
    ///
    /// Called at the step's turn, with final values. On `true` the engine commits the effects as the hook left them.
    fn repair(&self, step: &Self::Step, repair: &mut Repair<'_, Self>) -> bool
    where
        Self: Sized,
    {
        let _ = (step, repair);
        false
    }
}

/// A conflicted result, laid open to [`Vm::repair`].
#[derive(Debug)]
pub struct Repair<'a, V: Vm> {
    /// The observations that do not hold, each with the value that is true now.
    pub violated: &'a [(EntryId, V::Observation, V::Value)],
    /// Everything the step does; the hook may change, add and remove.
    pub effects: &'a mut Vec<(EntryId, V::Effect)>,
    /// The step's output.
    pub output: &'a mut V::Output,
}
