//! Running streams and comparing them with the oracle.

use super::oracle::{Log, serial_by};
use super::vm::Numbers;
use super::{Op, Rules, Step, Toy, ToyError, hook};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tandem_stm::{
    Admission, Arena, Changes, Config, Cut, Engine, History, Metrics, Outcome, Sink, StreamError,
};

/// A number that the environment may give instead of the usual one.
pub(crate) fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |number| number.parse().expect("a number"))
}

/// The place in `Metrics::runs_ahead` of the longest runs that tests may ask for. The engine ends a run ahead of its turn when it takes
/// long, so that under emulation, which `TANDEM_EMULATED=1` tells of, 32 cheap steps do not make a run.
pub(crate) fn longest_ahead() -> usize {
    if setting("TANDEM_EMULATED", 0) == 0 { 5 } else { 2 }
}

pub(crate) fn engine(threads: usize, window: usize) -> Engine {
    small_engine(threads, window, usize::MAX)
}

/// An engine whose streams forget their values once these take so many bytes.
pub(crate) fn small_engine(threads: usize, window: usize, memory: usize) -> Engine {
    let config = Config::default().threads(threads).window(window).memory(memory);
    Engine::new(&config).expect("sensible settings")
}

/// Cuts steps into batches of the given sizes, used in turn.
pub(crate) fn batches(steps: Vec<Step>, sizes: &[usize]) -> Vec<Vec<Step>> {
    let mut steps = steps.into_iter().peekable();
    let mut batches = Vec::new();
    for &size in sizes.iter().cycle() {
        if steps.peek().is_none() {
            break;
        }
        let mut batch: Vec<_> = steps.by_ref().take(size).collect();
        if let Some(step) = batch.last_mut() {
            step.ends_batch = true;
        }
        batches.push(batch);
    }
    batches
}

/// Records the steps that become final, by rules.
pub(crate) struct Recorder<'a> {
    pub(crate) log: &'a mut Log,
    rules: Rules,
    /// The cost of the batch's steps so far.
    spent: i64,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(log: &'a mut Log) -> Self {
        Self::by(Rules::default(), log)
    }

    pub(crate) fn by(rules: Rules, log: &'a mut Log) -> Self {
        Self { log, rules, spent: 0 }
    }
}

impl Sink<Toy> for Recorder<'_> {
    fn admit(&mut self, _: &Step, output: &mut Vec<i64>) -> Admission {
        let outcome = self.rules.admit(&mut self.spent, output);
        self.log.asked.push_back(output.clone());
        if outcome == Outcome::Taken { Admission::Take } else { Admission::Skip }
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Vec<i64>,
        changes: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        if history.outcome != Outcome::Rejected {
            assert_eq!(self.log.asked.pop_front().as_ref(), Some(&output), "asked in another order");
        }
        self.log.outputs.push(output);
        self.log.outcomes.push(history.outcome);
        if step.ends_batch {
            self.spent = 0;
            let mut segment = BTreeMap::new();
            changes.take(|key, before, after| {
                segment.insert(key, (before.number(), after.number()));
            });
            self.log.segments.push(segment);
        }
        Ok(())
    }
}

/// A sink made of a closure over position, output and history.
pub(crate) struct Closure<F>(u64, F);

impl<F> Closure<F> {
    pub(crate) fn new(code: F) -> Self {
        Self(0, code)
    }
}

impl<F: FnMut(u64, Vec<i64>, History) -> Result<(), ToyError> + Send> Sink<Toy> for Closure<F> {
    fn finalize(
        &mut self,
        _: Step,
        output: Vec<i64>,
        _: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        self.0 += 1;
        (self.1)(self.0 - 1, output, history)
    }
}

/// Holds steps back until it is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<AtomicBool>);

impl Gate {
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits until the gate is open; panics after 20 seconds.
    pub(crate) fn wait(&self) {
        let start = Instant::now();
        while !self.is_open() {
            assert!(start.elapsed() < Duration::from_secs(20), "the gate stays closed");
            std::thread::yield_now();
        }
    }

    /// An operation that opens the gate.
    pub(crate) fn opening(&self) -> Op {
        let gate = self.clone();
        hook(move |_| gate.open())
    }

    /// An operation that waits for the gate.
    pub(crate) fn waiting(&self) -> Op {
        let gate = self.clone();
        hook(move |_| gate.wait())
    }
}

pub(crate) type Ending = Result<(), StreamError<ToyError>>;

thread_local! {
    /// Handed from stream to stream, so that whatever one leaves in it would show in the next.
    static ARENA: RefCell<Arena<Numbers>> = RefCell::default();
}

/// Executes a stream to its end.
pub(crate) fn execute(
    engine: &Engine,
    toy: &Toy,
    batches: impl IntoIterator<Item = Vec<Step>, IntoIter: Send>,
    cut: Cut,
) -> (Log, Metrics, Ending) {
    let mut log = Log::default();
    let ((), metrics, outcome) = ARENA.with_borrow_mut(|arena| {
        engine.stream(toy, arena, batches.into_iter(), cut, Recorder::by(toy.rules, &mut log), |_| ())
    });
    (log, metrics, outcome)
}

/// Executes a stream step by step, and again in runs. Compares everything that it leaves behind with the oracle, up to the first failing
/// step.
pub(crate) fn check(engine: &Engine, batches: &[Vec<Step>], cut: Cut) -> Metrics {
    check_by(Rules::default(), engine, || batches.to_vec(), cut)
}

/// Like [`check`], by rules, with a stream that is made each time.
pub(crate) fn check_by(
    rules: Rules,
    engine: &Engine,
    make: impl Fn() -> Vec<Vec<Step>>,
    cut: Cut,
) -> Metrics {
    let mut sum = Metrics::default();
    for runs in [false, true] {
        let (toy, batches) = (Toy { runs, rules, ..Toy::default() }, make());
        let (log, metrics, outcome) = execute(engine, &toy, batches.iter().cloned(), cut);
        compare_by(rules, &batches, &log, &metrics, &outcome);
        sum.merge(&metrics);
    }
    sum
}

/// Makes the first of these steps wait until the step at `open`, and so all in between, have executed ahead of their turn. Needs more
/// than one thread, and room for these steps in the window.
pub(crate) fn held_until(mut steps: Vec<Step>, open: usize) -> Vec<Step> {
    let gate = Gate::default();
    steps[0].ops.insert(0, gate.waiting());
    steps[open].ops.insert(0, gate.opening());
    steps
}

/// Compares the log of a stream with the oracle.
pub(crate) fn compare(batches: &[Vec<Step>], log: &Log, metrics: &Metrics, ending: &Ending) {
    compare_by(Rules::default(), batches, log, metrics, ending);
}

/// Compares the log of a stream with the oracle, by rules.
pub(crate) fn compare_by(rules: Rules, batches: &[Vec<Step>], log: &Log, metrics: &Metrics, ending: &Ending) {
    let (expected, failure) = serial_by(rules, batches);
    let failure = failure.map(|(position, error)| StreamError::Step { position, error });
    assert_eq!(*ending, failure.map_or(Ok(()), Err));
    if let Some(at) = (0..expected.outputs.len()).find(|&i| log.outputs.get(i) != expected.outputs.get(i)) {
        panic!("output {at} is {:?}, not {:?}", log.outputs.get(at), expected.outputs[at]);
    }
    assert_eq!(*log, expected);
    assert_eq!(log.state(), expected.state());
    assert_eq!(metrics.steps, expected.outputs.len() as u64);
    let count = |outcome| expected.outcomes.iter().filter(|other| **other == outcome).count() as u64;
    assert_eq!((metrics.skipped, metrics.rejected), (count(Outcome::Skipped), count(Outcome::Rejected)));
}

/// Runs `code` in a thread of its own and fails if that takes longer than a minute.
pub(crate) fn in_time<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = sender.send(code());
    });
    match receiver.recv_timeout(Duration::from_secs(60)) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("the thread sends before it ends"),
        },
    }
}
