use crate::domain::Domain;
use crate::record::{Effects, Violation};
use crate::view::View;

/// What the engine drives: it knows how to execute one step.
///
/// Whatever it executes ahead of a step's turn may be shown values that never were. So a panic there is held back like an error (but
/// the process's panic hook reports it, and a program that aborts on panics ends).
pub trait Vm: Sync {
    /// What its steps read and change.
    type Domain: Domain;
    /// One unit of the stream.
    type Step: Send;
    /// What executing a step yields besides its effects.
    type Output: Send;
    /// Why a step cannot execute. Real only when it arises at the step's turn. So is a panic.
    type Error: Send;
    /// What one thread needs to execute steps: interpreter, buffers and its [`View`].
    type Worker<'r>
    where
        Self: 'r;

    /// Makes the state of one worker; called once per thread and stream, and again after a panic in one of the methods that are given
    /// the state to execute steps with, which may have been left half-way and is dropped.
    fn worker<'r>(&'r self, view: View<'r, Self::Domain>) -> Self::Worker<'r>
    where
        Self: Sized;

    /// The view inside a worker.
    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Self::Domain>
    where
        Self: Sized + 'r;

    /// Told that the worker is about to execute `step`, and likely those after it, `count` in all: a chance to bring what they
    /// will read into the view, many at once. Called where steps are so short that waiting for memory is much of their time.
    fn approach<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Self::Step, count: usize)
    where
        Self: Sized + 'r,
    {
        let _ = (worker, step, count);
    }

    /// The group of `step`, if it is in one: steps that may well depend on one another, such as calls of one contract. While
    /// those of a group turn out to do so, they are executed one after the other. A hint.
    fn group<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Self::Step) -> Option<u64>
    where
        Self: Sized + 'r,
    {
        let _ = (worker, step);
        None
    }

    /// How long `step` may take to execute, in any unit. Asked where the stream is cut into batches: the longest steps of one are
    /// started first, so that no worker is left with one of them at its end. A hint.
    fn weight<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Self::Step) -> u64
    where
        Self: Sized + 'r,
    {
        let _ = (worker, step);
        0
    }

    /// Executes `step` through the worker's view.
    ///
    /// # Errors
    ///
    /// While speculating, an error or a panic only says that the step cannot be judged yet. At the step's turn a panic ends the stream,
    /// and [`Vm::reject`] says what an error means.
    ///
    /// What a step did that failed need not be undone, in the worker's state or in its view: a run in which one fails is forgotten and
    /// begun again without it.
    fn execute<'r>(
        &'r self,
        worker: &mut Self::Worker<'r>,
        step: &Self::Step,
    ) -> Result<Self::Output, Self::Error>
    where
        Self: Sized;

    /// Whether the step behind the one that the worker has executed last may be executed in one *run* with it: as if the two were one
    /// step. Then [`Vm::execute`] is called for it with what the worker holds of the run so far ([`View::is_continued`]), and
    /// [`Vm::report`] after the run's last step.
    ///
    /// What all steps of a run read and change is told, validated and made final once. Where one of them conflicts, all of them
    /// execute again.
    fn continues<'r>(&'r self, worker: &Self::Worker<'r>) -> bool
    where
        Self: Sized + 'r,
    {
        let _ = worker;
        false
    }

    /// Told that a run ends: whatever [`Vm::execute`] did not report to the view of the run's observations and effects is to be
    /// reported now. `output` is that of the run's first step.
    ///
    /// # Errors
    ///
    /// Like [`Vm::execute`].
    fn report<'r>(
        &'r self,
        worker: &mut Self::Worker<'r>,
        output: &mut Self::Output,
    ) -> Result<(), Self::Error>
    where
        Self: Sized + 'r,
    {
        let _ = (worker, output);
        Ok(())
    }

    /// Says what an error at a step's turn means: whether the stream ends, as it does by default, or the step becomes final without
    /// effects.
    ///
    /// `error` is that of an execution of `step` alone on the state that all earlier steps left, so that it is the same however the
    /// stream was executed. Asked once per such step. A consumer that leaves out invalid transactions answers with an output that says
    /// why.
    ///
    /// With an output, the step counts as any other one: it has its turn in [`Sink::finalize`](crate::Sink::finalize), with this output
    /// and [`Outcome::Rejected`](crate::Outcome::Rejected). Whatever the failed execution reported to the view is dropped.
    /// [`Sink::admit`](crate::Sink::admit) is not asked about it, since there is nothing left to admit.
    ///
    /// # Errors
    ///
    /// An error ends the stream at this step ([`StreamError::Step`](crate::StreamError::Step)). So does a panic; a panic of the
    /// execution itself ends it without asking.
    fn reject(&self, step: &Self::Step, error: Self::Error) -> Result<Self::Output, Self::Error> {
        let _ = step;
        Err(error)
    }

    /// Whether steps that execute at the frontier record their observations, too, for a sink that wants to see them
    /// ([`crate::Sink::record`]).
    fn records_always(&self) -> bool {
        false
    }

    /// Tries to make a result valid whose observations do not all hold, without executing the step again.
    ///
    /// Called at the step's turn, with final values. On `true` the engine commits the effects as the hook left them.
    ///
    /// What is laid open is what one execution of `step` alone reported, and all of it: its observations that do not hold, its effects,
    /// its output. Results of steps that were executed in one run with others are not repaired, and nothing of a step that failed
    /// behind it is among them. Which of the observations do not hold may be any of those that the execution reported: the hook must
    /// compare their entries with those that it can make up for.
    fn repair(&self, step: &Self::Step, repair: &mut Repair<'_, Self>) -> bool
    where
        Self: Sized,
    {
        let _ = (step, repair);
        false
    }
}

/// A conflicted result, laid open to [`Vm::repair`].
pub struct Repair<'a, V: Vm> {
    /// The observations that do not hold.
    pub violated: &'a [Violation<V::Domain>],
    /// Everything the step does; the hook may change, add and remove.
    pub effects: &'a mut Effects<V::Domain>,
    /// The step's output.
    pub output: &'a mut V::Output,
}

impl<V: Vm> std::fmt::Debug for Repair<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repair")
            .field("violated", &self.violated.len())
            .field("effects", &self.effects.len())
            .finish_non_exhaustive()
    }
}
