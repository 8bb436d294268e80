use crate::config::Cut;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::vm::Vm;
use crate::window::Phase;

/// Steps put into the window before workers hear of them, if one worker does not claim more than this at once.
const CHUNK: u64 = 32;

/// The input of a stream: batches of steps, pulled only as far as the workers can look ahead.
pub(crate) struct Feed<I, B> {
    batches: I,
    current: Option<B>,
    cut: Cut,
    exhausted: bool,
    /// Set while input is pulled. Found set on acquiring the lock, it tells that the input panicked: steps may be
    /// missing, so nothing more is pulled.
    busy: bool,
}

impl<I, B> Feed<I, B> {
    pub(crate) fn new(batches: I, cut: Cut) -> Self {
        Self { batches, current: None, cut, exhausted: false, busy: false }
    }

    /// Puts steps into the window, and at most one new batch, whose production may block. Returns whether anything
    /// changed.
    pub(crate) fn feed<V: Vm>(&mut self, shared: &Shared<V>, run: u64) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        if std::mem::replace(&mut self.busy, true) {
            return false;
        }
        let changed = self.pull(shared, run);
        self.busy = false;
        changed
    }

    fn pull<V: Vm>(&mut self, shared: &Shared<V>, run: u64) -> bool
    where
        I: Iterator,
        I::Item: IntoIterator<IntoIter = B>,
        B: Iterator<Item = V::Step>,
    {
        let mut fed = shared.fed.load(Ordering::Relaxed);
        let start = fed;
        while !self.exhausted && fed < start + if run > 1 { run } else { CHUNK } {
            let frontier = shared.frontier.load(Ordering::Acquire);
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
                        shared.end.store(fed, Ordering::SeqCst);
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
            let mut body = shared.window.slot(fed).body.lock();
            body.step = Some(step);
            body.output = None;
            body.record.clear();
            body.incarnation = 0;
            body.conflicts = 0;
            body.futile = false;
            body.checked = 0;
            drop(body);
            shared.window.set(fed, Phase::Ready);
            fed += 1;
        }
        if fed == start {
            return false;
        }
        shared.fed.store(fed, Ordering::Release);
        shared.signal.notify();
        true
    }
}
