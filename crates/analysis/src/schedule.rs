use crate::graph::Graph;
use crate::model::{Model, REPAIR_SHARE};
use crate::trace::Trace;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Range;
use std::time::Duration;

/// Steps beyond the first unfinished one that may be worked on in a stream, unless told.
pub const LOOK_AHEAD: usize = 3_000;

/// What an engine costs on top of the steps' own time.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// All time in executing, as a multiple of the steps' own.
    pub execution: f64,
    /// Time that each step takes on any thread beside executing.
    pub input: Duration,
    /// Time that each step takes on some thread in order, one step after the other.
    pub ordered: Duration,
}

impl Costs {
    /// Those of an engine without overhead.
    const NONE: Self = Self { execution: 1.0, input: Duration::ZERO, ordered: Duration::ZERO };

    /// The time of a step with the given time of its own, in nanoseconds.
    fn of(&self, own: Duration) -> u64 {
        let executing = own.as_nanos() as f64 * self.execution;
        executing as u64 + (self.input + self.ordered).as_nanos() as u64
    }
}

/// One piece of work: a step, or the redoing of a part of it.
struct Task {
    step: usize,
    nanoseconds: u64,
    waits_for: usize,
    then: Vec<usize>,
    /// The piece that redoes a part of this one, if what it needs is not there when this one starts.
    repair: Option<usize>,
}

/// The time of the steps in `range` on so many threads: an idle thread takes the first piece of work that needs nothing
/// unfinished. No overhead, and steps execute once.
///
/// `look_ahead` is how many steps beyond the first unfinished one may be worked on.
pub fn makespan(
    trace: &Trace,
    graph: &Graph,
    model: Model,
    range: Range<usize>,
    threads: usize,
    look_ahead: usize,
) -> Duration {
    let tasks = tasks(trace, graph, model, range.clone(), Costs::NONE);
    execute(tasks, range.len(), threads, look_ahead, Duration::ZERO)
}

/// The same for an engine with costs, whose steps become final one after the other. An estimate: nothing is executed again where it need
/// not be, and memory is as fast for many threads as for those that the costs were measured with.
pub fn simulate(
    trace: &Trace,
    graph: &Graph,
    range: Range<usize>,
    threads: usize,
    look_ahead: usize,
    costs: Costs,
) -> Duration {
    let tasks = tasks(trace, graph, Model::Delta, range.clone(), costs);
    execute(tasks, range.len(), threads, look_ahead, costs.ordered)
}

/// The time of the tasks of so many steps. Each step becomes final after the one before it, and that takes as long as `ordered`.
fn execute(
    mut tasks: Vec<Task>,
    steps: usize,
    threads: usize,
    look_ahead: usize,
    ordered: Duration,
) -> Duration {
    let ordered = ordered.as_nanos() as u64;
    // When the last final step became final.
    let mut last_final = 0;
    let mut open: Vec<usize> = vec![0; steps];
    for task in &tasks {
        open[task.step] += 1;
    }
    let mut ready: BTreeSet<usize> = (0..tasks.len()).filter(|task| tasks[*task].waits_for == 0).collect();
    let mut running = BinaryHeap::<Reverse<(u64, usize)>>::new();
    let (mut now, mut first) = (0, 0);
    loop {
        while running.len() < threads {
            let Some(&task) = ready.first() else { break };
            if tasks[task].step >= first + look_ahead {
                break;
            }
            ready.remove(&task);
            if let Some(repair) = tasks[task].repair
                && tasks[repair].waits_for == 1
            {
                tasks[repair].nanoseconds = 0;
            }
            running.push(Reverse((now + tasks[task].nanoseconds, task)));
        }
        let Some(Reverse((end, task))) = running.pop() else { break };
        now = end;
        open[tasks[task].step] -= 1;
        while open.get(first) == Some(&0) {
            first += 1;
            last_final = now.max(last_final) + ordered;
        }
        for next in std::mem::take(&mut tasks[task].then) {
            tasks[next].waits_for -= 1;
            if tasks[next].waits_for == 0 {
                ready.insert(next);
            }
        }
    }
    Duration::from_nanos(now.max(last_final))
}

/// The least time of the steps in `range` on so many threads, whatever the schedule: all their time shared evenly, or the
/// longest chain of steps of which each needs the one before, if that is longer.
pub fn limit(trace: &Trace, graph: &Graph, range: Range<usize>, threads: usize) -> Duration {
    let work: Duration = trace.steps[range.clone()].iter().map(|step| step.time).sum();
    let chain = graph.chain_ends(trace, range).iter().map(|end| end.time).max().unwrap_or_default();
    (work / u32::try_from(threads.max(1)).unwrap_or(u32::MAX)).max(chain)
}

/// The pieces of work of some steps, in their order. Needs outside of `range` are met.
fn tasks(trace: &Trace, graph: &Graph, model: Model, range: Range<usize>, costs: Costs) -> Vec<Task> {
    let mut tasks = Vec::<Task>::with_capacity(range.len());
    // The piece with which each step is done.
    let mut last = Vec::with_capacity(range.len());
    for step in range.clone() {
        let nanoseconds = costs.of(trace.steps[step].time);
        let at = step - range.start;
        let mut needs: Vec<usize> = graph.edges[step]
            .iter()
            .filter(|edge| edge.on >= range.start)
            .map(|edge| last[edge.on - range.start])
            .collect();
        needs.sort_unstable();
        needs.dedup();
        if model == Model::DeltaRepair && trace.steps[step].keeps_path && !needs.is_empty() {
            needs.push(tasks.len());
            let repair = Some(tasks.len() + 1);
            tasks.push(Task { step: at, nanoseconds, waits_for: 0, then: Vec::new(), repair });
            push(&mut tasks, at, (nanoseconds as f64 * REPAIR_SHARE) as u64, &needs);
        } else {
            push(&mut tasks, at, nanoseconds, &needs);
        }
        last.push(tasks.len() - 1);
    }
    tasks
}

fn push(tasks: &mut Vec<Task>, step: usize, nanoseconds: u64, needs: &[usize]) {
    let index = tasks.len();
    for need in needs {
        tasks[*need].then.push(index);
    }
    tasks.push(Task { step, nanoseconds, waits_for: needs.len(), then: Vec::new(), repair: None });
}

/// The time of all blocks on so many threads, one block at a time.
pub fn by_block(trace: &Trace, graph: &Graph, model: Model, threads: usize) -> Duration {
    let blocks = trace.blocks.iter();
    blocks.map(|block| makespan(trace, graph, model, block.steps.clone(), threads, usize::MAX / 2)).sum()
}

/// The time of all blocks on so many threads, as one stream.
pub fn as_stream(trace: &Trace, graph: &Graph, model: Model, threads: usize, look_ahead: usize) -> Duration {
    makespan(trace, graph, model, 0..trace.steps.len(), threads, look_ahead)
}

/// How many times as fast `time` is as `base`.
pub fn speed_up(base: Duration, time: Duration) -> f64 {
    if time.is_zero() { 1.0 } else { base.as_secs_f64() / time.as_secs_f64() }
}
