use crate::config::Cut;
use crate::cursors::AtInput;
use crate::groups::{Last, Place};
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::vm::Vm;
use crate::window::Phase;

/// Steps put into the window before workers hear of them, if one worker does not claim more than this at once.
const CHUNK: u64 = 32;

/// What workers know of steps before they execute them.
pub(crate) trait Scout<S> {
    /// See [`Vm::group`].
    fn group(&mut self, step: &S) -> Option<u64>;
    /// See [`Vm::weight`].
    fn weight(&mut self, step: &S) -> u64;
    /// How many workers there are.
    fn workers(&self) -> usize;
}

/// The input of a stream: batches of steps, pulled only as far as the workers can look ahead.
pub(crate) struct Feed<I, B> {
    role: AtInput,
    batches: I,
    current: Option<B>,
    cut: Cut,
    hints: bool,
    exhausted: bool,
    /// Set while input is pulled. Found set on acquiring the lock, it tells that the input panicked: steps may be
    /// missing, so nothing more is pulled.
    busy: bool,
    last: Last,
    /// Weights and positions of the batch's steps, where it is fed at once.
    weights: Vec<(u64, u64)>,
}

impl<I, B> Feed<I, B> {
    pub(crate) fn new(batches: I, cut: Cut, hints: bool, role: AtInput) -> Self {
        Self {
            role,
            batches,
            current: None,
            cut,
            hints,
            exhausted: false,
            busy: false,
            last: Last::default(),
            weights: Vec::new(),
        }
    }

    /// Puts steps into the window, and at most one new batch, whose production may block. Returns whether anything
    /// changed.
    pub(crate) fn feed<V: Vm>(&mut self, shared: &Shared<V>, run: u64, scout: impl Scout<V::Step>) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        if std::mem::replace(&mut self.busy, true) {
            return false;
        }
        let changed = self.pull(shared, run, scout);
        self.busy = false;
        changed
    }

    fn pull<V: Vm>(&mut self, shared: &Shared<V>, run: u64, mut scout: impl Scout<V::Step>) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        let mut fed = shared.fed.get_own(&self.role);
        let start = fed;
        // One worker has nobody to leave steps to.
        let hints = self.hints && scout.workers() > 1;
        // Which steps of a batch are heavy, all of them together tell.
        let at_once = hints && self.cut == Cut::Batch;
        let most = if at_once { u64::MAX } else { run.max(CHUNK) };
        while !self.exhausted && fed - start < most {
            let frontier = shared.frontier.get();
            if fed == frontier + shared.window.len() {
                break;
            }
            let Some(batch) = &mut self.current else {
                if fed > start || (self.cut == Cut::Batch && frontier < fed) {
                    break;
                }
                match self.batches.next() {
                    Some(batch) => self.current = Some(batch.into_iter()),
                    None => {
                        self.exhausted = true;
                        shared.end.set(&mut self.role, fed);
                        shared.signal.notify();
                        return true;
                    }
                }
                continue;
            };
            let Some(step) = batch.next() else {
                self.current = None;
                continue;
            };
            let slot = shared.window.slot(fed);
            slot.next.store(0, Ordering::Relaxed);
            slot.previous.store(0, Ordering::Relaxed);
            let mut body = slot.body.lock();
            if at_once {
                self.weights.push((scout.weight(&step), fed));
            }
            body.group = if hints { scout.group(&step).map(Place::of) } else { None };
            body.before = body.group.and_then(|group| self.last.replace(group, fed));
            body.step = Some(step);
            body.output = None;
            body.len = 1;
            body.record.clear();
            body.incarnation = 0;
            body.conflicts = 0;
            body.repaired = false;
            body.futile = false;
            body.near = false;
            body.needed = false;
            body.checked = 0;
            drop(body);
            shared.window.set(fed, Phase::Ready);
            fed += 1;
            if at_once && (fed - start).is_multiple_of(CHUNK) {
                // Nobody needs to wait for the rest of the batch.
                shared.fed.publish(&mut self.role, fed);
                shared.signal.notify();
            }
        }
        if fed == start {
            return false;
        }
        if at_once {
            shared.heavy.replace(&mut self.weights, scout.workers());
        }
        shared.fed.publish(&mut self.role, fed);
        shared.signal.notify();
        true
    }
}
