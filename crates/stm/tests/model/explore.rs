//! Running scenarios under many schedules.

use crate::toy::harness::{Ending, Recorder, batches, compare_by, small_engine};
use crate::toy::oracle::{Log, serial_by};
use crate::toy::vm::Numbers;
use crate::toy::{Op, Rules, Step, Toy, ToyError, hook, strategy};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use shuttle::rand::RngCore;
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::sync::mpsc::{Receiver, Sender, channel};
use shuttle::{MaxSteps, Runner};
use std::sync::Once;
use tandem_stm::{Admission, Arena, Changes, Cut, Engine, History, Metrics, Sink, StreamHandle};

/// Schedules of each scenario and scheduler, unless `TANDEM_SCHEDULES` says otherwise. They are the same each time, unless `TANDEM_SEED`
/// does.
const SCHEDULES: usize = 1_000;
/// A schedule with more steps counts as a live-lock. Usual ones have some thousands.
const MOST_STEPS: usize = 300_000;
/// Most preemptions that the priority-based schedulers insert, and one.
const DEPTHS: [usize; 3] = [2, 4, 8];

/// Chooses inputs, as the schedule's random numbers say.
pub(crate) struct Chooser(TestRunner);

impl Chooser {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 32];
        shuttle::rand::thread_rng().fill_bytes(&mut seed);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        Self(TestRunner::new_with_rng(ProptestConfig::default(), rng))
    }

    pub(crate) fn choose<T: std::fmt::Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).expect("nothing is filtered").current()
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.choose(0..bound)
    }

    /// An engine for streams of a few steps, and the size of its window: zero with one thread, which needs none.
    pub(crate) fn engine(&mut self) -> (Engine, usize) {
        self.small_engine(usize::MAX)
    }

    /// The same, whose streams forget their values once these take so many bytes.
    pub(crate) fn small_engine(&mut self, memory: usize) -> (Engine, usize) {
        let threads = self.choose(prop_oneof![1 => Just(1), 6 => Just(2), 4 => Just(3)]);
        let window = self.choose(prop_oneof![Just(2), Just(4), Just(8)]);
        (small_engine(threads, window, memory), if threads > 1 { window } else { 0 })
    }

    pub(crate) fn cut(&mut self) -> Cut {
        self.choose(prop_oneof![3 => Just(Cut::Never), 1 => Just(Cut::Batch)])
    }

    /// A stream of a few steps over few keys. `strict` lets some of them fail.
    pub(crate) fn stream(&mut self, strict: bool) -> Vec<Vec<Step>> {
        let mut steps = self.choose(strategy::steps(strict, 3, 2..8));
        for op in steps.iter_mut().flat_map(|step| &mut step.ops) {
            if matches!(op, Op::Spin(_)) {
                *op = hook(|_| shuttle::thread::yield_now());
            }
        }
        let sizes = [self.below(4), 1 + self.below(4)];
        batches(steps, &sizes)
    }
}

/// Runs a scenario under many schedules.
pub(crate) fn explore(scenario: fn(&mut Chooser)) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        // Shuttle installs its panic hook on its first use. This one replaces it: intended panics need no report.
        shuttle::check_random(|| {}, 1);
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref() != Some(&"boom") {
                report(info);
            }
        }));
    });
    if let Ok(file) = std::env::var("TANDEM_REPLAY") {
        let schedule = std::fs::read_to_string(file).expect("a file with a schedule");
        return explore_with(ReplayScheduler::new_from_encoded(schedule.trim()), scenario);
    }
    let number = |name, usual| std::env::var(name).map_or(usual, |number| number.parse().expect("a number"));
    let (schedules, seed) = (number("TANDEM_SCHEDULES", SCHEDULES as u64) as usize, number("TANDEM_SEED", 1));
    explore_with(RandomScheduler::new_from_seed(seed, schedules), scenario);
    for depth in DEPTHS {
        explore_with(PctScheduler::new_from_seed(seed, depth, schedules / DEPTHS.len()), scenario);
    }
}

fn explore_with(scheduler: impl Scheduler + 'static, scenario: fn(&mut Chooser)) {
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 18;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(move || scenario(&mut Chooser::new()));
}

/// Records the steps that become final, and notes when it is dropped.
pub(crate) struct Watched<'a> {
    recorder: Recorder<'a>,
    /// The step that is refused.
    refused: Option<usize>,
    outputs: Sender<Vec<i64>>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(log: &'a mut Log, refused: Option<usize>) -> (Self, Receiver<Vec<i64>>) {
        Self::by(Rules::default(), log, refused)
    }

    pub(crate) fn by(rules: Rules, log: &'a mut Log, refused: Option<usize>) -> (Self, Receiver<Vec<i64>>) {
        let (outputs, receiver) = channel();
        (Self { recorder: Recorder::by(rules, log), refused, outputs }, receiver)
    }
}

impl Sink<Toy> for Watched<'_> {
    fn admit(&mut self, step: &Step, output: &mut Vec<i64>) -> Admission {
        self.recorder.admit(step, output)
    }

    fn finalize(
        &mut self,
        step: Step,
        output: Vec<i64>,
        changes: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        if self.refused == Some(self.recorder.log.outputs.len()) {
            return Err(ToyError::Refused);
        }
        // The consumer may have hung up.
        let _ = self.outputs.send(output.clone());
        self.recorder.finalize(step, output, changes, history)
    }
}

/// Asserts the invariants now and then until the stream ends, and those of its end.
///
/// Gives the counters at its end, too.
pub(crate) fn observe(
    running: &StreamHandle<'_, Toy>,
    outputs: &Receiver<Vec<i64>>,
    looks: usize,
) -> (Ending, Metrics) {
    let mut steps = 0;
    for _ in 0..looks {
        running.assert_invariants();
        let before = std::mem::replace(&mut steps, running.metrics().steps);
        assert!(steps >= before, "a counter falls");
        shuttle::thread::yield_now();
    }
    while outputs.recv().is_ok() {}
    running.assert_invariants();
    let ending = match running.take_failure() {
        Some(error) => Err(error),
        None => {
            running.assert_complete();
            Ok(())
        }
    };
    (ending, running.metrics())
}

/// Runs a stream while observing it.
pub(crate) fn observed(
    chooser: &mut Chooser,
    engine: &Engine,
    arena: &mut Arena<Numbers>,
    toy: &Toy,
    input: impl IntoIterator<Item: IntoIterator<Item = Step, IntoIter: Send>, IntoIter: Send>,
    refused: Option<usize>,
) -> (Log, Metrics, Ending) {
    let (cut, looks) = (chooser.cut(), chooser.below(4));
    let mut log = Log::default();
    let (sink, outputs) = Watched::by(toy.rules, &mut log, refused);
    let ((seen, last), metrics, outcome) =
        engine.stream(toy, arena, input.into_iter(), cut, sink, |running| observe(&running, &outputs, looks));
    assert_eq!(outcome, Ok(()), "a failure is told once");
    assert_eq!(last, metrics);
    (log, metrics, seen)
}

/// Runs a stream and compares it with serial execution.
pub(crate) fn check(
    chooser: &mut Chooser,
    engine: &Engine,
    arena: &mut Arena<Numbers>,
    batches: &[Vec<Step>],
) -> Metrics {
    check_by(Rules::default(), chooser, engine, arena, batches)
}

/// Runs a stream by rules and compares it with serial execution.
pub(crate) fn check_by(
    rules: Rules,
    chooser: &mut Chooser,
    engine: &Engine,
    arena: &mut Arena<Numbers>,
    batches: &[Vec<Step>],
) -> Metrics {
    let input = batches.iter().cloned();
    let toy = Toy { rules, runs: chooser.below(2) == 0, ..Toy::default() };
    let (log, metrics, outcome) = observed(chooser, engine, arena, &toy, input, None);
    compare_by(rules, batches, &log, &metrics, &outcome);
    metrics
}

/// Asserts that what became final is how serial execution of `batches` begins.
pub(crate) fn assert_prefix(batches: &[Vec<Step>], log: &Log) {
    assert_prefix_by(Rules::default(), batches, log);
}

/// Asserts that what became final is how serial execution of `batches` by rules begins.
pub(crate) fn assert_prefix_by(rules: Rules, batches: &[Vec<Step>], log: &Log) {
    let (expected, _) = serial_by(rules, batches);
    assert!(log.outputs.len() <= expected.outputs.len());
    assert_eq!(log.outputs, expected.outputs[..log.outputs.len()]);
    assert_eq!(log.outcomes, expected.outcomes[..log.outputs.len()]);
    assert_eq!(log.segments, expected.segments[..log.segments.len()]);
}
