use crate::domain::Domain;
use crate::record::{Effects, Violation};
use crate::view::View;

/// What a VM's values are stored under.
type Key<V> = <<V as Vm>::Domain as Domain>::Key;
/// What a VM's steps read and change.
type Value<V> = <<V as Vm>::Domain as Domain>::Value;

/// Executes steps for the engine.
///
/// A speculative execution may read values that no serial execution would. So the engine catches its panics, like its errors. The
/// process's panic hook still reports them, and a program that aborts on panics ends.
pub trait Vm: Sync {
    /// The state that steps read and change.
    type Domain: Domain;
    /// One unit of the stream.
    type Step: Send;
    /// The result of a step, apart from its effects.
    type Output: Send;
    /// Why a step cannot execute. An error counts only at the step's turn. So does a panic.
    type Error: Send;
    /// The state of one thread that executes steps: interpreter, buffers and its [`View`].
    type Worker<'r>
    where
        Self: 'r;

    /// Makes the state of one worker. The engine calls it once per thread and stream, and again after a panic in a method that takes
    /// the state: the panic may have left the state half-changed, so the engine drops it.
    fn worker<'r>(&'r self, view: View<'r, Self::Domain>) -> Self::Worker<'r>
    where
        Self: Sized;

    /// The view inside a worker.
    fn view<'w, 'r>(&self, worker: &'w mut Self::Worker<'r>) -> &'w mut View<'r, Self::Domain>
    where
        Self: Sized + 'r;

    /// Brings what `step` and the steps after it will read into the caches, `count` steps in all: the worker probably executes them next.
    /// The engine calls this only while steps are so short that cache misses are much of their time. A hint.
    fn prefetch<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Self::Step, count: usize)
    where
        Self: Sized + 'r,
    {
        let _ = (worker, step, count);
    }

    /// The conflict class of `step`, if it has one. Steps of one class are likely to depend on one another, such as calls of one function
    /// of one contract. While they turn out to, the engine executes them one after the other. A hint.
    fn conflict_class<'r>(&'r self, worker: &mut Self::Worker<'r>, step: &Self::Step) -> Option<u64>
    where
        Self: Sized + 'r,
    {
        let _ = (worker, step);
        None
    }

    /// An estimate of how long `step` takes, in any unit. Where the stream is cut into batches ([`Cut::Batch`](crate::Cut::Batch)),
    /// workers start the longest steps of a batch first, so that the batch does not end with one worker on a long step and all others
    /// idle. A hint.
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
    /// Ahead of the step's turn, an error or a panic only blocks the step until a later execution. At the step's turn a panic ends the
    /// stream, and [`Vm::reject`] decides what an error means.
    ///
    /// A step that fails need not undo what it did to the worker's state or its view: the engine drops the whole run and executes it
    /// again without that step.
    fn execute<'r>(
        &'r self,
        worker: &mut Self::Worker<'r>,
        step: &Self::Step,
    ) -> Result<Self::Output, Self::Error>
    where
        Self: Sized;

    /// Whether the worker may execute the next step in one *run* with the step that it has executed last, as if the two were one step.
    /// Then the engine calls [`Vm::execute`] for it with the worker's state of the run so far ([`View::is_continued`]), and
    /// [`Vm::report`] after the run's last step.
    ///
    /// The observations and effects of a run are published, validated and committed once. If one of its steps conflicts, all of them
    /// execute again.
    fn continues<'r>(&'r self, worker: &Self::Worker<'r>) -> bool
    where
        Self: Sized + 'r,
    {
        let _ = worker;
        false
    }

    /// Ends a run: reports to the view those of the run's observations and effects that [`Vm::execute`] has not reported. `output` is the
    /// output of the run's first step.
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

    /// Decides what an error at a step's turn means: the stream ends, which is the default, or the step becomes final without effects.
    ///
    /// `error` comes from an execution of `step` alone on the state left by all earlier steps, so it does not depend on how the stream
    /// was executed. The engine asks once per failed step. To leave out invalid transactions, answer with an output that says why.
    ///
    /// With an output, the step counts like any other: [`Sink::finalize`](crate::Sink::finalize) receives it with this output and
    /// [`Outcome::Rejected`](crate::Outcome::Rejected). The engine drops what the failed execution reported to the view, and does not
    /// call [`Sink::admit`](crate::Sink::admit) for the step.
    ///
    /// # Errors
    ///
    /// An error ends the stream at this step ([`StreamError::Step`](crate::StreamError::Step)). So does a panic; a panic of the
    /// execution itself ends it without asking.
    fn reject(&self, step: &Self::Step, error: Self::Error) -> Result<Self::Output, Self::Error> {
        let _ = step;
        Err(error)
    }

    /// Whether steps that execute at the frontier record their observations, too, for [`crate::Sink::record`]. Turns runs off.
    fn records_always(&self) -> bool {
        false
    }

    /// Takes over the values that the stream's steps have changed, because the values of a stream take more memory than
    /// [`Config::memory`](crate::Config::memory). All steps that were pulled are final, the sink has taken all changes, and all workers have been
    /// dropped, but for one that has just been made. On `true` the stream forgets all values: from here on the bases that are passed to
    /// [`View::read`] must give the values of `changed` for its keys, and what they gave before for all other keys.
    ///
    /// May wait, for instance until a consumer has written the results to the base state. On `false`, the default, the stream keeps its
    /// values until it ends. A panic ends the stream.
    fn retire(&self, changed: &mut dyn Iterator<Item = (Key<Self>, Value<Self>)>) -> bool {
        let _ = changed;
        false
    }

    /// Tries to make an invalid result valid without executing the step again.
    ///
    /// The engine calls this at the step's turn, with final values. On `true` it commits the effects as the hook left them.
    ///
    /// `repair` holds everything that one execution of `step` alone reported: the observations that do not hold, the effects and the
    /// output. The engine never repairs results of runs of several steps. Any of the reported observations may be violated: the hook
    /// must compare their entries with those that it can repair.
    fn repair(&self, step: &Self::Step, repair: &mut Repair<'_, Self>) -> bool
    where
        Self: Sized,
    {
        let _ = (step, repair);
        false
    }
}

/// An invalid result, for [`Vm::repair`].
pub struct Repair<'a, V: Vm> {
    /// The observations that do not hold.
    pub violated: &'a [Violation<V::Domain>],
    /// All effects of the step; the hook may change, add and remove some.
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
