//! Workers over one tipset: a thread that finds the frontier free serves it. The other threads speculate inside a bounded window, and
//! worker processes on messages that the frontier's thread gives them.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fvm::externs::Externs;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::METHOD_SEND;
use parking_lot::{Condvar, Mutex};

use crate::frontier::Frontier;
use crate::heat::{Heat, Lessons};
use crate::process::ProcessPool;
use crate::speculation::{Outcome, Speculator};
use crate::step::{MessageResult, Step};
use crate::store::Layered;

/// The step is not started.
const READY: u8 = 0;
/// A worker executes it.
const RUNNING: u8 = 1;
/// It has been speculated on; the result waits for its turn.
const DONE: u8 = 2;
/// A worker process has been given it.
const LENT: u8 = 3;

/// How long a sleeper waits before it looks by itself. The frontier's thread wakes it long before.
const NAP: Duration = Duration::from_millis(20);

/// How long the frontier's thread goes on before it looks for answers of worker processes: looking takes a system call. Where a
/// process has the step at the frontier it looks at once.
const LOOK: Duration = Duration::from_micros(50);

/// How many steps after the frontier's own speculation leaves alone if there is something beyond them.
const LEFT: usize = 2;

struct Slot {
    /// READY to RUNNING or LENT by compare-exchange, by which a worker owns the step; RUNNING to DONE by the owner, with the result
    /// in place (Release), read by the frontier (Acquire). Only the holder of `turn` lends; LENT to DONE when the process has answered,
    /// or to RUNNING when it takes too long.
    phase: AtomicU8,
    /// The outcome, and the process that it is from.
    result: Mutex<Option<(Outcome, Option<usize>)>>,
}

/// The frontier, the final steps, and the worker processes.
struct Turn<'a, B: Blockstore + 'static, E: Externs + 'static> {
    frontier: Frontier<B, E>,
    results: Vec<MessageResult>,
    failed: Option<anyhow::Error>,
    process_pool: &'a mut ProcessPool,
    /// Where processes' blocks go.
    store: Layered<B>,
    /// When to look next for answers of processes.
    look: Instant,
}

/// The workers on a tipset.
pub(crate) struct Workers<'a> {
    pub(crate) threads: usize,
    pub(crate) process_pool: &'a mut ProcessPool,
    /// How many of its processes can take part.
    pub(crate) processes: usize,
}

pub(crate) struct Stream<'a, B: Blockstore + 'static, E: Externs + 'static> {
    steps: &'a [Step],
    window: usize,
    /// How many steps after the frontier's are left to it.
    left: usize,
    slots: Vec<Slot>,
    /// For each position the next one from there on that is worth speculating on.
    worth: Vec<usize>,
    /// No step before this one is worth a look. Only a hint: claims are made on the slot.
    next: AtomicUsize,
    /// The position of the frontier. Written by the holder of `turn`.
    committed: AtomicUsize,
    turn: Mutex<Turn<'a, B, E>>,
    /// Set when a step or a worker failed: everybody leaves.
    stop: AtomicBool,
    heat: Heat<'a>,
    /// How many threads may speculate: all but the one that serves the frontier.
    others: usize,
    /// How many worker processes may.
    processes: usize,
    /// How many steps have been claimed.
    claims: AtomicUsize,
    /// How many of them sleep. Changed under `asleep`.
    sleepers: AtomicUsize,
    asleep: Mutex<()>,
    wake: Condvar,
    /// Called for each step that becomes final.
    done: &'a Done<'a>,
}

/// The callback for each step that becomes final.
pub(crate) type Done<'a> = dyn Fn() + Sync + 'a;

/// Whether executing it early could save anything: a plain send takes less time than validating its result.
pub(crate) fn worth_speculating(step: &Step) -> bool {
    matches!(step, Step::Explicit { message, .. } if message.method_num != METHOD_SEND)
}

impl<'a, B: Blockstore + 'static, E: Externs + 'static> Stream<'a, B, E> {
    pub(crate) fn new(
        steps: &'a [Step],
        frontier: Frontier<B, E>,
        window: usize,
        workers: Workers<'a>,
        lessons: Option<&Lessons>,
        done: &'a Done<'a>,
    ) -> Self {
        let mut worth = vec![steps.len(); steps.len() + 1];
        for (position, step) in steps.iter().enumerate().rev() {
            worth[position] = match worth_speculating(step) {
                true => position,
                false => worth[position + 1],
            };
        }
        let Workers { threads, process_pool, processes } = workers;
        let store = frontier.store();
        let results = Vec::with_capacity(steps.len());
        Self {
            steps,
            window,
            left: LEFT.min(window / 2),
            slots: steps
                .iter()
                .map(|_| Slot { phase: AtomicU8::new(READY), result: Mutex::default() })
                .collect(),
            worth,
            next: AtomicUsize::new(1),
            committed: AtomicUsize::new(0),
            turn: Mutex::new(Turn {
                frontier,
                results,
                failed: None,
                process_pool,
                store,
                look: Instant::now(),
            }),
            stop: AtomicBool::new(false),
            heat: Heat::new(steps, lessons),
            others: threads - 1,
            processes,
            claims: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            asleep: Mutex::new(()),
            wake: Condvar::new(),
            done,
        }
    }

    /// The frontier, all results and the lessons, or the first error.
    pub(crate) fn finish(self) -> anyhow::Result<(Frontier<B, E>, Vec<MessageResult>, Lessons)> {
        let lessons = self.heat.lessons();
        let turn = self.turn.into_inner();
        match turn.failed {
            Some(error) => Err(error),
            None if turn.results.len() < self.steps.len() => {
                Err(anyhow::anyhow!("a worker ended before the tipset did"))
            }
            None => Ok((turn.frontier, turn.results, lessons)),
        }
    }

    fn over(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.committed.load(Ordering::Acquire) == self.steps.len()
    }

    /// One worker, until the tipset is over. Starts a speculator when it first has something to speculate on; `None` leaves
    /// everything to the frontier.
    pub(crate) fn work(&self, start: impl Fn() -> Option<Speculator<B, E>>) {
        let mut speculator = None;
        let mut idle = 0_u32;
        while !self.over() {
            if self.serve(false) {
                idle = 0;
                continue;
            }
            match self.claim() {
                Some(position) => {
                    idle = 0;
                    let speculator = speculator.get_or_insert_with(&start);
                    let step = &self.steps[position];
                    let merges = self.heat.merges(position);
                    let outcome =
                        speculator.as_mut().and_then(|speculator| speculator.speculate_step(step, merges));
                    self.put(position, outcome.map(|outcome| (outcome, None)));
                }
                // Only a process's messages are left: rather twice than late.
                None if self.processes > 0 && self.serve(true) => idle = 0,
                None if idle < 64 => {
                    idle += 1;
                    std::hint::spin_loop();
                    if idle.is_multiple_of(8) {
                        std::thread::yield_now();
                    }
                }
                None => self.sleep(),
            }
        }
        self.wake_all();
    }

    fn put(&self, position: usize, result: Option<(Outcome, Option<usize>)>) {
        let slot = &self.slots[position];
        *slot.result.lock() = result;
        slot.phase.store(DONE, Ordering::Release);
    }

    /// Makes steps final as far as possible; `take_back` does not leave the first one to a worker process. Whether any became so.
    fn serve(&self, mut take_back: bool) -> bool {
        let Some(mut turn) = self.turn.try_lock() else {
            return false;
        };
        let mut progress = false;
        loop {
            let position = self.committed.load(Ordering::Relaxed);
            if position == self.steps.len() || turn.failed.is_some() {
                break;
            }
            if let Err(error) = self.exchange(&mut turn, position) {
                self.fail(&mut turn, error);
                break;
            }
            let slot = &self.slots[position];
            let taken = slot.phase.compare_exchange(READY, RUNNING, Ordering::Acquire, Ordering::Acquire);
            let outcome = match taken {
                Ok(_) => None,
                Err(DONE) => slot.result.lock().take(),
                Err(LENT) if take_back => {
                    slot.phase.store(RUNNING, Ordering::Relaxed);
                    None
                }
                Err(_) => break,
            };
            take_back = false;
            match self.finalize(&mut turn, position, outcome) {
                Ok(result) => turn.results.push(result),
                Err(error) => {
                    let message = self.steps[position].message();
                    let error = error.context(format!(
                        "message {position} of the tipset (from {}, sequence {}) cannot be executed",
                        message.from, message.sequence
                    ));
                    self.fail(&mut turn, error);
                    break;
                }
            }
            progress = true;
            self.committed.store(position + 1, Ordering::Release);
            (self.done)();
            if self.sleepers.load(Ordering::Relaxed) > 0 && self.ahead(position + 1, self.left).is_some() {
                if let Err(error) = turn.frontier.publish_changes() {
                    self.fail(&mut turn, error);
                    break;
                }
                self.wake.notify_one();
            }
        }
        progress
    }

    fn fail(&self, turn: &mut Turn<'_, B, E>, error: anyhow::Error) {
        turn.failed = Some(error);
        self.stop.store(true, Ordering::Release);
    }

    /// Makes the step at the frontier final, and learns from it.
    fn finalize(
        &self,
        turn: &mut Turn<'_, B, E>,
        position: usize,
        outcome: Option<(Outcome, Option<usize>)>,
    ) -> anyhow::Result<MessageResult> {
        let (frontier, step) = (&mut turn.frontier, &self.steps[position]);
        match outcome {
            Some((outcome, process)) => {
                let before = frontier.stats.merged;
                let (result, conflict) = frontier.settle(step, outcome, process)?;
                self.heat.learn(position, conflict.is_none(), frontier.stats.merged > before);
                Ok(result)
            }
            None => {
                // No worker that is awake follows: sleepers are told before they are woken.
                let publish = self.sleepers.load(Ordering::Relaxed) < self.others
                    && self.worth[position + 1] <= position + self.window;
                frontier.execute(step, publish)
            }
        }
    }

    /// Takes the answers of worker processes, and gives them more. Never waits for them.
    fn exchange(&self, turn: &mut Turn<'_, B, E>, committed: usize) -> anyhow::Result<()> {
        if self.processes == 0 {
            return Ok(());
        }
        let Turn { frontier, process_pool, store, look, .. } = turn;
        let now = Instant::now();
        if now < *look && self.slots[committed].phase.load(Ordering::Relaxed) != LENT {
            return Ok(());
        }
        *look = now + LOOK;
        if !process_pool.engaged() && self.ahead(committed, self.left).is_none() {
            return Ok(());
        }
        process_pool.engage();
        let wanted = |position: usize| self.slots[position].phase.load(Ordering::Relaxed) == LENT;
        for arrival in process_pool.collect(store, wanted) {
            let result = arrival.outcome.map(|outcome| (outcome, Some(arrival.process)));
            self.put(arrival.position, result);
        }
        let mut lent = false;
        while let Some((process, load)) = process_pool.free() {
            // It gets to it after as many others; what becomes final meanwhile would be too late.
            let beyond = (1 + self.others + self.processes) * (load + 1) - 1;
            let Some(position) = self.find(committed, beyond, LENT) else {
                break;
            };
            if !lent {
                frontier.publish_changes()?;
                lent = true;
            }
            if let Some((log, journal)) = frontier.news() {
                let step = (position, &self.steps[position]);
                process_pool.lend(process, step, self.heat.merges(position), log, journal);
            }
        }
        if lent {
            process_pool.flush();
        }
        Ok(())
    }

    /// The next step to speculate on inside the window, so many beyond a frontier at `committed`; passes over those that are to wait
    /// for their turn.
    ///
    /// The first few are left to the frontier's thread, where executing one is cheaper than speculating on it and then
    /// validating.
    fn ahead(&self, committed: usize, beyond: usize) -> Option<usize> {
        let end = self.steps.len().min(committed + self.window);
        let mut position = self.next.load(Ordering::Relaxed).max(committed + 1 + beyond);
        while let Some(next) = self.worth.get(position).copied().filter(|next| *next < end) {
            if !self.heat.pass_over(next) {
                return Some(next);
            }
            position = next + 1;
            self.next.fetch_max(position, Ordering::Relaxed);
        }
        None
    }

    /// Takes a step ahead of the frontier, if one inside the window is worth it: one of the first few only if there is nothing
    /// farther ahead.
    fn claim(&self) -> Option<usize> {
        let committed = self.committed.load(Ordering::Acquire);
        self.find(committed, self.left, RUNNING).or_else(|| self.passed(committed, 0, RUNNING))
    }

    /// Takes a step at least so far beyond the frontier, for `phase`.
    fn find(&self, committed: usize, beyond: usize, phase: u8) -> Option<usize> {
        while let Some(next) = self.ahead(committed, beyond) {
            // Of as many steps as there are workers, one is left to the frontier's thread.
            let claims = 1 + self.claims.fetch_add(1, Ordering::Relaxed);
            let left = claims.is_multiple_of(self.others + self.processes);
            let after = if left { self.worth[next + 1] + 1 } else { next + 1 };
            self.next.fetch_max(after, Ordering::Relaxed);
            if self.take(next, phase) {
                self.heat.tried(next);
                return Some(next);
            }
        }
        self.passed(committed, beyond, phase)
    }

    /// Takes one of the steps in the window that were left, the nearest first.
    fn passed(&self, committed: usize, beyond: usize, phase: u8) -> Option<usize> {
        let end = self.steps.len().min(committed + self.window);
        let free = |position: &usize| self.worth[*position] == *position && !self.heat.paused(*position);
        let mut left = (committed + 1 + beyond..end).filter(free);
        let found = match phase {
            // A process is not done at once.
            LENT => left.rev().find(|position| self.take(*position, phase)),
            _ => left.find(|position| self.take(*position, phase)),
        };
        found.inspect(|position| self.heat.tried(*position))
    }

    fn take(&self, position: usize, phase: u8) -> bool {
        let slot = &self.slots[position].phase;
        slot.compare_exchange(READY, phase, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn sleep(&self) {
        let mut asleep = self.asleep.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        if !self.over() {
            self.wake.wait_for(&mut asleep, NAP);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    fn wake_all(&self) {
        let _asleep = self.asleep.lock();
        self.wake.notify_all();
    }

    /// A worker fell over: no other one must wait for the step that it held.
    pub(crate) fn abandon(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake_all();
    }
}
