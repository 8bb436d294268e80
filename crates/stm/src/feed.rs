use crate::config::{Cut, Settings};
use crate::conflict_class::{ClassId, LastOfClass};
use crate::cursors::AtInput;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::vm::Vm;
use crate::window::Phase;

/// Steps are put into the window in chunks of so many, or of the size of a claim if that is larger. Workers see them chunk by chunk.
const CHUNK: u64 = 32;

/// The VM's hints about steps that are not executed yet.
pub(crate) trait StepHints<S> {
    /// See [`Vm::conflict_class`].
    fn conflict_class(&mut self, step: &S) -> Option<u64>;
    /// See [`Vm::weight`].
    fn weight(&mut self, step: &S) -> u64;
    /// How many workers there are.
    fn workers(&self) -> usize;
}

/// The input of a stream: batches of steps, pulled only as far as there is room in the window.
pub(crate) struct Feed<I, B> {
    role: AtInput,
    batches: I,
    current: Option<B>,
    cut: Cut,
    hints: bool,
    /// Upper bound on the memory of values, in bytes (see [`crate::Config::memory`]).
    memory: usize,
    /// Whether the round ends here: nothing more is pulled until the next one.
    exhausted: bool,
    /// Whether that is for want of memory, and not of input.
    full: bool,
    /// Set while input is pulled. A worker that acquires the lock and finds it set knows that the input panicked: steps may be missing, so
    /// nothing more is pulled.
    busy: bool,
    last: LastOfClass,
    /// Weights and positions of the batch's steps, if it is fed at once.
    weights: Vec<(u64, u64)>,
}

impl<I, B> Feed<I, B> {
    pub(crate) fn new(batches: I, cut: Cut, settings: &Settings, role: AtInput) -> Self {
        Self {
            role,
            batches,
            current: None,
            cut,
            hints: settings.hints,
            memory: settings.memory,
            exhausted: false,
            full: false,
            busy: false,
            last: LastOfClass::default(),
            weights: Vec::new(),
        }
    }

    /// Whether the round ended for want of memory.
    pub(crate) fn is_full(&self) -> bool {
        self.full && !self.busy
    }

    /// Begins the next round, in which values may take so much memory, when all workers have left.
    pub(crate) fn begin_round<V: Vm>(&mut self, shared: &Shared<V>, memory: usize) {
        self.memory = memory;
        self.exhausted = false;
        self.full = false;
        shared.end.reset(&mut self.role);
    }

    /// The bound on the memory of values, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Puts steps into the window, from at most one new batch, whose production may block. `claim` is how many steps a worker claims at
    /// once. Returns whether anything changed.
    pub(crate) fn feed<V: Vm>(
        &mut self,
        shared: &Shared<V>,
        claim: u64,
        step_hints: impl StepHints<V::Step>,
    ) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        if std::mem::replace(&mut self.busy, true) {
            return false;
        }
        let changed = self.pull(shared, claim, step_hints);
        self.busy = false;
        changed
    }

    fn pull<V: Vm>(&mut self, shared: &Shared<V>, claim: u64, mut step_hints: impl StepHints<V::Step>) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        let mut fed = shared.fed.get_own(&self.role);
        let start = fed;
        let hints = self.hints;
        // Whether a step is long depends on all weights of its batch.
        let at_once = hints && self.cut == Cut::Batch;
        let most = if at_once { u64::MAX } else { claim.max(CHUNK) };
        while !self.exhausted && fed - start < most {
            let frontier = shared.frontier.get();
            if fed == frontier + shared.window.len() {
                break;
            }
            let Some(batch) = &mut self.current else {
                if fed > start || (self.cut == Cut::Batch && frontier < fed) {
                    break;
                }
                self.full = shared.store.used() > self.memory;
                self.current =
                    if self.full { None } else { self.batches.next().map(IntoIterator::into_iter) };
                if self.current.is_none() {
                    self.exhausted = true;
                    shared.end.set(&mut self.role, fed);
                    shared.control.signal.notify();
                    return true;
                }
                continue;
            };
            let Some(step) = batch.next() else {
                self.current = None;
                continue;
            };
            let slot = shared.window.slot(fed);
            slot.successor.store(0, Ordering::Relaxed);
            slot.predecessor.store(0, Ordering::Relaxed);
            let mut body = slot.body.lock();
            if at_once {
                self.weights.push((step_hints.weight(&step), fed));
            }
            body.class = if hints { step_hints.conflict_class(&step).map(ClassId::of) } else { None };
            body.predecessor = body.class.and_then(|class| self.last.replace(class, fed));
            body.step = Some(step);
            body.output = None;
            body.len = 1;
            body.record.clear();
            body.incarnation = 0;
            body.conflicts = 0;
            body.repaired = false;
            body.wasted = false;
            body.near_predecessor = false;
            body.depended = false;
            body.checked = 0;
            drop(body);
            shared.window.set(fed, Phase::Ready);
            fed += 1;
            if at_once && (fed - start).is_multiple_of(CHUNK) {
                // Workers need not wait for the rest of the batch.
                shared.fed.publish(&mut self.role, fed);
                shared.control.signal.notify();
            }
        }
        if fed == start {
            return false;
        }
        if at_once {
            shared.longest_first.replace(&mut self.weights, step_hints.workers());
        }
        shared.fed.publish(&mut self.role, fed);
        shared.control.signal.notify();
        true
    }
}
