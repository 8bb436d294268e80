use crate::graph::Graph;
use crate::model::{Model, REPAIR_SHARE};
use crate::trace::Trace;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Range;
use std::time::Duration;

/// Steps beyond the first unfinished one that may be worked on in a stream, unless told.
pub const LOOK_AHEAD: usize = 3_000;

/// One piece of work: a step, or the redoing of a part of it.
struct Job {
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
    let mut jobs = jobs(trace, graph, model, range.clone());
    let mut open: Vec<usize> = vec![0; range.len()];
    for job in &jobs {
        open[job.step] += 1;
    }
    let mut ready: BTreeSet<usize> = (0..jobs.len()).filter(|job| jobs[*job].waits_for == 0).collect();
    let mut running = BinaryHeap::<Reverse<(u64, usize)>>::new();
    let (mut now, mut first) = (0, 0);
    loop {
        while running.len() < threads {
            let Some(&job) = ready.first() else { break };
            if jobs[job].step >= first + look_ahead {
                break;
            }
            ready.remove(&job);
            if let Some(repair) = jobs[job].repair
                && jobs[repair].waits_for == 1
            {
                jobs[repair].nanoseconds = 0;
            }
            running.push(Reverse((now + jobs[job].nanoseconds, job)));
        }
        let Some(Reverse((end, job))) = running.pop() else { break };
        now = end;
        open[jobs[job].step] -= 1;
        while open.get(first) == Some(&0) {
            first += 1;
        }
        for next in std::mem::take(&mut jobs[job].then) {
            jobs[next].waits_for -= 1;
            if jobs[next].waits_for == 0 {
                ready.insert(next);
            }
        }
    }
    Duration::from_nanos(now)
}

/// The least time of the steps in `range` on so many threads, whatever the schedule: all their time shared evenly, or the
/// longest chain of steps of which each needs the one before, if that is longer.
pub fn limit(trace: &Trace, graph: &Graph, range: Range<usize>, threads: usize) -> Duration {
    let work: Duration = trace.steps[range.clone()].iter().map(|step| step.time).sum();
    let chain = graph.chain_ends(trace, range).iter().map(|end| end.time).max().unwrap_or_default();
    (work / u32::try_from(threads.max(1)).unwrap_or(u32::MAX)).max(chain)
}

/// The pieces of work of some steps, in their order. Needs outside of `range` are met.
fn jobs(trace: &Trace, graph: &Graph, model: Model, range: Range<usize>) -> Vec<Job> {
    let mut jobs = Vec::<Job>::with_capacity(range.len());
    // The piece with which each step is done.
    let mut last = Vec::with_capacity(range.len());
    for step in range.clone() {
        let nanoseconds = trace.steps[step].time.as_nanos() as u64;
        let at = step - range.start;
        let mut needs: Vec<usize> = graph.edges[step]
            .iter()
            .filter(|edge| edge.on >= range.start)
            .map(|edge| last[edge.on - range.start])
            .collect();
        needs.sort_unstable();
        needs.dedup();
        if model == Model::DeltaRepair && trace.steps[step].keeps_path && !needs.is_empty() {
            needs.push(jobs.len());
            let repair = Some(jobs.len() + 1);
            jobs.push(Job { step: at, nanoseconds, waits_for: 0, then: Vec::new(), repair });
            push(&mut jobs, at, (nanoseconds as f64 * REPAIR_SHARE) as u64, &needs);
        } else {
            push(&mut jobs, at, nanoseconds, &needs);
        }
        last.push(jobs.len() - 1);
    }
    jobs
}

fn push(jobs: &mut Vec<Job>, step: usize, nanoseconds: u64, needs: &[usize]) {
    let index = jobs.len();
    for need in needs {
        jobs[*need].then.push(index);
    }
    jobs.push(Job { step, nanoseconds, waits_for: needs.len(), then: Vec::new(), repair: None });
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
