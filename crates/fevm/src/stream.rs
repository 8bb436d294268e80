//! Workers over one tipset: whoever finds the frontier free serves it, the others speculate inside a bounded window.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use fvm::externs::Externs;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::METHOD_SEND;
use fvm_shared::address::Address;
use parking_lot::{Condvar, Mutex};

use crate::checks::Conflict;
use crate::frontier::Frontier;
use crate::speculation::{Outcome, Speculator};
use crate::step::{MessageResult, Step};

/// Nobody has started the step.
const READY: u8 = 0;
/// Somebody executes it.
const RUNNING: u8 = 1;
/// It has been speculated on; the result waits for its turn.
const DONE: u8 = 2;

/// How long a sleeper waits before it looks by itself.
const NAP: Duration = Duration::from_millis(2);

/// How many steps after the frontier's own speculation leaves alone if there is something beyond them.
const LEFT: usize = 2;

/// The longest that speculation on one recipient pauses, in messages.
const LONGEST_PAUSE: u32 = 64;

struct Slot {
    /// READY to RUNNING by compare-exchange, by whoever thereby owns the step; RUNNING to DONE by the owner, with the result
    /// in place (Release), read by the frontier (Acquire).
    phase: AtomicU8,
    result: Mutex<Option<Outcome>>,
}

/// The frontier and what has become final.
struct Turn<B: Blockstore + 'static, E: Externs + 'static> {
    frontier: Frontier<B, E>,
    results: Vec<MessageResult>,
    failed: Option<anyhow::Error>,
}

/// How conflicts with one recipient went of late.
#[derive(Clone, Copy, Default)]
struct Heat {
    penalty: u32,
    skip: u32,
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
    turn: Mutex<Turn<B, E>>,
    /// Set when a step or a worker failed: everybody leaves.
    stop: AtomicBool,
    /// Advisory: messages to these recipients wait for their turn, for a while.
    heat: Mutex<HashMap<Address, Heat>>,
    asleep: Mutex<usize>,
    wake: Condvar,
    sleepers: AtomicUsize,
    /// Called for each step that becomes final.
    done: &'a Done<'a>,
}

/// What is called for each step that becomes final.
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
        done: &'a Done<'a>,
    ) -> Self {
        let mut worth = vec![steps.len(); steps.len() + 1];
        for (position, step) in steps.iter().enumerate().rev() {
            worth[position] = match worth_speculating(step) {
                true => position,
                false => worth[position + 1],
            };
        }
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
            turn: Mutex::new(Turn { frontier, results: Vec::with_capacity(steps.len()), failed: None }),
            stop: AtomicBool::new(false),
            heat: Mutex::default(),
            asleep: Mutex::new(0),
            wake: Condvar::new(),
            sleepers: AtomicUsize::new(0),
            done,
        }
    }

    /// The frontier and all results, or the first error.
    pub(crate) fn finish(self) -> anyhow::Result<(Frontier<B, E>, Vec<MessageResult>)> {
        let turn = self.turn.into_inner();
        match turn.failed {
            Some(error) => Err(error),
            None if turn.results.len() < self.steps.len() => {
                Err(anyhow::anyhow!("a worker ended before the tipset did"))
            }
            None => Ok((turn.frontier, turn.results)),
        }
    }

    fn over(&self) -> bool {
        self.stop.load(Ordering::Acquire) || self.committed.load(Ordering::Acquire) == self.steps.len()
    }

    /// One worker, until the tipset is over.
    pub(crate) fn work(&self, mut speculator: Option<Speculator<B, E>>) {
        let mut idle = 0_u32;
        while !self.over() {
            if self.serve() {
                idle = 0;
                continue;
            }
            let claimed = speculator.as_mut().and_then(|speculator| {
                let position = self.claim()?;
                Some((position, speculator.speculate_step(&self.steps[position])))
            });
            match claimed {
                Some((position, outcome)) => {
                    idle = 0;
                    let slot = &self.slots[position];
                    *slot.result.lock() = outcome;
                    slot.phase.store(DONE, Ordering::Release);
                }
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

    /// Makes steps final as far as possible. Whether any became so.
    fn serve(&self) -> bool {
        let Some(mut turn) = self.turn.try_lock() else {
            return false;
        };
        let mut progress = false;
        loop {
            let position = self.committed.load(Ordering::Relaxed);
            if position == self.steps.len() || turn.failed.is_some() {
                break;
            }
            let slot = &self.slots[position];
            let taken = slot.phase.compare_exchange(READY, RUNNING, Ordering::Acquire, Ordering::Acquire);
            let outcome = match taken {
                Ok(_) => None,
                Err(DONE) => slot.result.lock().take(),
                Err(_) => break,
            };
            let step = &self.steps[position];
            let done = match outcome {
                Some(outcome) => turn.frontier.settle(step, outcome),
                None => {
                    let publish = self.worth[position + 1] <= position + self.window;
                    turn.frontier.execute(step, publish).map(|result| (result, None))
                }
            };
            match done {
                Ok((result, conflict)) => {
                    turn.results.push(result);
                    if taken.is_err() {
                        self.learn(&step.message().to, conflict);
                    }
                }
                Err(error) => {
                    let message = step.message();
                    turn.failed = Some(error.context(format!(
                        "message {position} of the tipset (from {}, sequence {}) cannot be executed",
                        message.from, message.sequence
                    )));
                    self.stop.store(true, Ordering::Release);
                    break;
                }
            }
            progress = true;
            self.committed.store(position + 1, Ordering::Release);
            (self.done)();
            self.wake_if_work(position + 1);
        }
        progress
    }

    fn learn(&self, recipient: &Address, conflict: Option<Conflict>) {
        let mut heat = self.heat.lock();
        match conflict {
            None => {
                if let Some(entry) = heat.get_mut(recipient) {
                    entry.penalty /= 2;
                    if entry.penalty == 0 {
                        heat.remove(recipient);
                    }
                }
            }
            Some(_) => {
                let entry = heat.entry(*recipient).or_default();
                entry.penalty = (entry.penalty * 2).clamp(1, LONGEST_PAUSE);
                entry.skip = entry.penalty - 1;
            }
        }
    }

    /// Takes a step ahead of the frontier, if one inside the window is worth it.
    ///
    /// The next few are left to whoever serves the frontier, where executing one is cheaper than speculating on it and then
    /// validating, as long as there is something farther ahead.
    fn claim(&self) -> Option<usize> {
        let committed = self.committed.load(Ordering::Acquire);
        let end = self.steps.len().min(committed + self.window);
        let near = committed + 1 + self.left;
        let mut position = self.next.load(Ordering::Relaxed).max(near);
        while let Some(next) = self.worth.get(position).copied().filter(|next| *next < end) {
            self.next.fetch_max(next + 1, Ordering::Relaxed);
            if !self.pass_over(&self.steps[next].message().to) && self.take(next) {
                return Some(next);
            }
            position = next + 1;
        }
        let mut position = committed + 1;
        while let Some(next) = self.worth.get(position).copied().filter(|next| *next < end.min(near)) {
            if !self.paused(&self.steps[next].message().to) && self.take(next) {
                return Some(next);
            }
            position = next + 1;
        }
        None
    }

    fn take(&self, position: usize) -> bool {
        let slot = &self.slots[position].phase;
        slot.compare_exchange(READY, RUNNING, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Whether messages to this recipient wait for their turn.
    fn paused(&self, recipient: &Address) -> bool {
        self.heat.lock().get(recipient).is_some_and(|entry| entry.skip > 0)
    }

    /// The same, for the next one of them: counts it.
    fn pass_over(&self, recipient: &Address) -> bool {
        let mut heat = self.heat.lock();
        match heat.get_mut(recipient) {
            Some(entry) if entry.skip > 0 => {
                entry.skip -= 1;
                true
            }
            _ => false,
        }
    }

    fn sleep(&self) {
        let mut asleep = self.asleep.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        *asleep += 1;
        if !self.over() {
            self.wake.wait_for(&mut asleep, NAP);
        }
        *asleep -= 1;
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes a sleeper if there is something to speculate on. A missed one wakes by itself after a nap.
    fn wake_if_work(&self, committed: usize) {
        if self.sleepers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let next = self.next.load(Ordering::Relaxed).max(committed + 1);
        let work = self.worth.get(next).copied().unwrap_or(usize::MAX);
        if work < self.steps.len().min(committed + self.window) {
            self.wake.notify_one();
        }
    }

    fn wake_all(&self) {
        let _asleep = self.asleep.lock();
        self.wake.notify_all();
    }

    /// A worker fell over: nobody must wait for what it held.
    pub(crate) fn abandon(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake_all();
    }
}
