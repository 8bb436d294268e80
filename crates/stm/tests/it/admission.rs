//! Steps that become final without effects: those that fail at their turn and are rejected, and those that the sink skips.

use crate::toy::harness::{Ending, Gate, engine, held_until, in_time};
use crate::toy::oracle::serial;
use crate::toy::{Op, Rules, Step, Toy, ToyError, step};
use std::collections::VecDeque;
use std::sync::mpsc::{self, Sender};
use tandem_stm::{Admission, Arena, Changes, Cut, History, Metrics, Outcome, Sink};

type Final = Vec<(Vec<i64>, History)>;

/// Ends the output of a step that was skipped.
const SKIPPED: i64 = -7;

/// Skips the steps at some positions, and hands on what becomes final.
struct Picky<F> {
    skips: F,
    /// Outputs of the steps that it was asked about and that are not final.
    asked: VecDeque<Vec<i64>>,
    finals: u64,
    sender: Sender<(Vec<i64>, History)>,
}

impl<F: Fn(u64) -> bool + Send> Sink<Toy> for Picky<F> {
    fn admit(&mut self, _: &Step, output: &mut Vec<i64>) -> Admission {
        // A step that is not asked about is final before the next one is.
        let skip = (self.skips)(self.finals + self.asked.len() as u64);
        output.extend(skip.then_some(SKIPPED));
        self.asked.push_back(output.clone());
        if skip { Admission::Skip } else { Admission::Take }
    }

    fn finalize(
        &mut self,
        _: Step,
        output: Vec<i64>,
        _: &mut Changes<'_, Toy>,
        history: History,
    ) -> Result<(), ToyError> {
        if history.outcome != Outcome::Rejected {
            assert_eq!(self.asked.pop_front().as_ref(), Some(&output), "asked in another order, or twice");
            assert_eq!(history.outcome == Outcome::Skipped, (self.skips)(self.finals));
        }
        self.finals += 1;
        self.sender.send((output, history)).map_err(|_| ToyError::Refused)
    }
}

/// Executes one batch, and skips the steps at some positions.
fn execute(
    threads: usize,
    toy: &Toy,
    steps: Vec<Step>,
    skips: impl Fn(u64) -> bool + Send,
) -> (Final, Metrics, Ending) {
    let (sender, finals) = mpsc::channel();
    let sink = Picky { skips, asked: VecDeque::new(), finals: 0, sender };
    let input = std::iter::once(steps);
    let ((), metrics, ending) =
        engine(threads, 256).stream(toy, &mut Arena::default(), input, Cut::Never, sink, |_| ());
    (finals.try_iter().collect(), metrics, ending)
}

/// Executes a step ahead of its turn, then one that reads number 1, and then commits `first` before them; and executes another one that
/// reads number 1 ahead of its turn when all these are final. With two threads there is one beside the step that waits, and it executes
/// the others in order.
fn left_out(first: Op, ops: impl Into<Vec<Op>>, skips: bool) -> (Final, Metrics) {
    let ops = ops.into();
    in_time(move || {
        let (beside, behind) = (Gate::default(), Gate::default());
        let steps = vec![
            step([beside.waiting(), first]),
            step(ops),
            step([Op::Read(1), beside.opening()]),
            step([behind.waiting()]),
            step([Op::Read(1)]),
            step([behind.opening()]),
        ];
        let toy = Toy { rules: Rules { rejects: true, limit: None }, ..Toy::default() };
        let (log, metrics, ending) = execute(2, &toy, steps, |position| skips && position == 1);
        assert_eq!(ending, Ok(()));
        assert_eq!((&log[2].0, &log[4].0), (&vec![41], &vec![41]), "a step without effects has some");
        assert_eq!(log[4].1.conflicts, 0, "what is taken back is still visible");
        (log, metrics)
    })
}

#[test]
fn a_step_that_fails_at_its_turn_leaves_nothing() {
    let (log, metrics) = left_out(Op::Add(0, -1), [Op::Write(1, 0), Op::Demand(0, 40)], false);
    let (output, history) = &log[1];
    assert_eq!(output[0], 0, "which number fails the demand");
    assert_eq!(
        *history,
        History { executions: 2, conflicts: 1, outcome: Outcome::Rejected, ..History::default() }
    );
    // The reader saw the number that was written ahead.
    assert_eq!((log[2].1.conflicts, metrics.rejected, metrics.skipped), (1, 1, 0));
}

#[test]
fn a_step_that_fails_whenever_it_is_executed_is_rejected_once() {
    let (log, metrics) = left_out(Op::Add(0, -1), [Op::Write(1, 0), Op::Demand(0, 41)], false);
    assert_eq!((log[1].1.outcome, log[1].1.executions), (Outcome::Rejected, 2));
    assert_eq!((log[2].1.conflicts, metrics.blocked, metrics.rejected), (0, 1, 1));
}

#[test]
fn what_a_skipped_step_did_ahead_is_taken_back() {
    let (log, metrics) = left_out(Op::Add(0, 1), [Op::Write(1, 0)], true);
    let skipped = History { executions: 1, outcome: Outcome::Skipped, ..History::default() };
    assert_eq!(log[1], (vec![SKIPPED], skipped));
    assert_eq!((log[2].1.conflicts, metrics.skipped, metrics.rejected), (1, 1, 0));
}

#[test]
fn a_result_is_right_before_the_sink_is_asked() {
    // Executed again at its turn.
    let (log, _) = left_out(Op::Add(0, 1), [Op::Read(0), Op::Write(1, 0)], true);
    let skipped = History { outcome: Outcome::Skipped, ..History::default() };
    assert_eq!(log[1], (vec![41, SKIPPED], History { executions: 2, conflicts: 1, ..skipped }));
    // Repaired.
    let (log, metrics) = left_out(Op::Add(0, 2), [Op::Sweep(0, 1)], true);
    let repaired = History { executions: 1, conflicts: 1, repaired: true, ..skipped };
    assert_eq!(log[1], (vec![42, SKIPPED], repaired));
    assert_eq!((metrics.repairs, metrics.skipped), (1, 1));
    // Repaired such that nothing is left to take back.
    let (log, _) = left_out(Op::Write(0, 0), [Op::Sweep(0, 1)], true);
    assert_eq!(log[1], (vec![0, SKIPPED], repaired));
}

/// Cheap steps, until workers claim many at once, and then some that are in each other's way.
fn cheap() -> Vec<Step> {
    let quiet = (0..100).map(|i| step([Op::Read(50 + i), Op::Add(5, 1)]));
    let busy = (0..140_u8).map(|i| match i % 4 {
        0 => step([Op::Read(i % 3), Op::Write((i + 1) % 3, 1)]),
        1 => step([Op::Require(i % 3, 30), Op::Add(i % 3, -1), Op::Pay(3, 1)]),
        2 => step([Op::ReadSlot(0, i % 2), Op::WriteSlot(0, 0, 1)]),
        _ => step([Op::Read(10 + i), Op::Write(10 + i, 1)]),
    });
    quiet.chain(busy).collect()
}

/// Which steps to skip.
type Skips = fn(u64) -> bool;

#[test]
fn a_run_is_taken_apart_at_the_steps_that_are_skipped() {
    let skips: [Skips; 6] = [
        |at| at == 0,
        |at| at == 130,
        |at| at % 50 == 17,
        |at| at % 3 == 1,
        |at| (150..=160).contains(&at),
        |_| true,
    ];
    for (threads, skips) in [1, 2, 4].into_iter().flat_map(|threads| skips.map(|skips| (threads, skips))) {
        let (log, metrics) = in_time(move || {
            let steps = if threads > 1 { held_until(cheap(), 239) } else { cheap() };
            let toy = Toy { runs: true, ..Toy::default() };
            let (log, metrics, ending) = execute(threads, &toy, steps, skips);
            assert_eq!(ending, Ok(()));
            (log, metrics)
        });
        let mut taken = cheap();
        taken.iter_mut().zip(0..).filter(|(_, at)| skips(*at)).for_each(|(step, _)| step.ops.clear());
        let (expected, _) = serial(&[taken]);
        for (at, ((output, history), expected)) in (0..).zip(log.iter().zip(&expected.outputs)) {
            assert!(skips(at) || output == expected, "step {at}: {output:?}, not {expected:?}");
            assert_eq!(history.outcome == Outcome::Skipped, skips(at));
        }
        assert_eq!((log.len(), metrics.steps), (240, 240));
        assert_eq!(metrics.skipped, (0..240).filter(|at| skips(*at)).count() as u64);
        assert!(threads == 1 || metrics.joined_ahead > 0, "{metrics:?}");
    }
}

#[test]
fn skipping_all_that_follow_costs_one_execution_each() {
    let (_, metrics, ending) = in_time(|| {
        let steps = (0..2_000).map(|i| step([Op::Add((i % 7) as u8, 1)])).collect();
        execute(1, &Toy { runs: true, ..Toy::default() }, steps, |position| position >= 1_000)
    });
    assert_eq!(ending, Ok(()));
    assert_eq!(metrics.skipped, 1_000);
    assert!(metrics.executions < 2_000 + 200, "{metrics:?}");
}
