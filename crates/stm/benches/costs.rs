//! The engine's costs per step, read, write, validation and commit, in nanoseconds.
//!
//! `cargo bench -p tandem-stm --bench costs -- [STEPS] [SAMPLES]` runs streams of steps that do nothing but read and
//! write: keys and values have the size of the EVM's, so that memory traffic is the same. A cost per operation is the
//! difference between two streams that differ in that operation alone, by the number of operations.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hash::Hash;
use std::time::{Duration, Instant};
use tandem_stm::{
    Arena, Cell, Changes, Check, Config, Cut, Domain, Engine, History, Metrics, Read, Sink, View, Vm, Words,
};

/// Keys that steps share out among themselves.
const KEYS: u64 = 4_096;
/// Operations of a kind in each step.
const OPERATIONS: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    number: u64,
    rest: [u64; 7],
}

impl Key {
    fn new(number: u64) -> Self {
        Self { number, rest: [7; 7] }
    }
}

#[derive(Debug, Default)]
struct KeyCell(Words<8>);

impl Cell<Key> for KeyCell {
    fn load(&self) -> Key {
        Key { number: self.0.word(0), rest: self.0.words(1) }
    }

    fn store(&self, key: Key) {
        self.0.set_word(0, key.number);
        self.0.set_words(1, key.rest);
    }
}

#[derive(Debug, Default)]
struct ValueCell(Words<11>);

impl Cell<[u64; 11]> for ValueCell {
    fn load(&self) -> [u64; 11] {
        self.0.load()
    }

    fn store(&self, value: [u64; 11]) {
        self.0.store(value);
    }
}

enum Numbers {}

impl Domain for Numbers {
    type Key = Key;
    type KeyCell = KeyCell;
    type Value = [u64; 11];
    type Cell = ValueCell;
    type Observation = [u64; 11];
    type Effect = u64;

    const KINDS: &'static [&'static str] = &["number"];

    fn check(observation: &[u64; 11], value: &[u64; 11]) -> Check {
        if observation == value { Check::Holds } else { Check::Violated(0) }
    }

    fn apply(effect: &u64, value: &mut [u64; 11]) -> bool {
        std::mem::replace(&mut value[1], *effect) != *effect
    }
}

/// The operations of each step of a stream, on keys of its own.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    reads: u64,
    writes: u64,
    /// Rounds of arithmetic, so that steps last long enough for several workers to take part.
    work: u64,
}

struct Bench(Shape);

struct Worker<'r>(View<'r, Numbers>);

impl Vm for Bench {
    type Domain = Numbers;
    type Step = u64;
    type Output = u64;
    type Error = ();
    type Worker<'r>
        = Worker<'r>
    where
        Self: 'r;

    fn worker<'r>(&'r self, view: View<'r, Numbers>) -> Worker<'r> {
        Worker(view)
    }

    fn view<'w, 'r>(&self, worker: &'w mut Worker<'r>) -> &'w mut View<'r, Numbers>
    where
        Self: 'r,
    {
        &mut worker.0
    }

    fn execute<'r>(&'r self, worker: &mut Worker<'r>, step: &u64) -> Result<u64, ()> {
        let view = &mut worker.0;
        let Shape { reads, writes, work } = self.0;
        let key = |at: u64| Key::new((step * 2 * OPERATIONS + at) % KEYS);
        let base = || Ok::<_, ()>([1; 11]);
        let mut sum = 0;
        for at in 0..reads {
            let Read { value, sighting } = view.read(&key(at), base)?;
            view.observe(sighting, value);
            sum += value[1];
        }
        for at in 0..writes {
            let entry = view.resolve(&key(OPERATIONS + at), base)?;
            view.effect(entry, step + at);
        }
        for round in 0..work {
            sum = std::hint::black_box(sum.wrapping_mul(31) ^ round);
        }
        Ok(sum)
    }
}

struct Nowhere;

impl Sink<Bench> for Nowhere {
    fn finalize(&mut self, _: u64, _: u64, changes: &mut Changes<'_, Bench>, _: History) -> Result<(), ()> {
        // As at the end of a block: takes the changes and drops them.
        changes.take(|key, before, after| {
            std::hint::black_box((key, before, after));
        });
        Ok(())
    }
}

/// One stream's time and counters.
fn stream(engine: &Engine, shape: Shape, steps: u64) -> (Duration, Metrics) {
    let start = Instant::now();
    let ((), metrics, outcome) = engine.stream(
        &Bench(shape),
        &mut Arena::default(),
        std::iter::once(0..steps),
        Cut::Never,
        Nowhere,
        |_| (),
    );
    outcome.unwrap();
    (start.elapsed(), metrics)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let steps = arguments.next().unwrap_or(200_000);
    let samples = arguments.next().unwrap_or(11);
    let one = Engine::new(&Config::default().threads(1)).unwrap();
    let two = Engine::new(&Config::default().threads(2).timing(true)).unwrap();
    let shapes = [
        Shape::default(),
        Shape { reads: OPERATIONS, ..Shape::default() },
        Shape { writes: OPERATIONS, ..Shape::default() },
    ];
    let mut times = [const { Vec::new() }; 3];
    let (mut validations, mut commits, mut executions) = (Vec::new(), Vec::new(), Vec::new());
    let work = Shape { reads: OPERATIONS, writes: OPERATIONS, work: 2_000 };
    for _ in 0..samples {
        for (shape, times) in shapes.iter().zip(&mut times) {
            times.push(stream(&one, *shape, steps).0.as_nanos() as f64 / steps as f64);
        }
        let (_, metrics) = stream(&two, work, steps / 4);
        let each = |time: Duration, count: u64| time.as_nanos() as f64 / count.max(1) as f64;
        let speculated = metrics.steps - metrics.frontier_executions;
        validations.push(each(metrics.validate_time, speculated * OPERATIONS));
        commits.push(each(metrics.commit_time, metrics.steps * OPERATIONS));
        executions.push(100.0 * speculated as f64 / metrics.steps as f64);
    }
    let [nothing, reads, writes] = times.map(median);
    println!("medians of {samples} samples of {steps} steps, nanoseconds:");
    println!("one worker: a step that does nothing {nothing:.0}");
    println!("  a read {:.0}", (reads - nothing) / OPERATIONS as f64);
    println!("  a write, committed and handed on {:.0}", (writes - nothing) / OPERATIONS as f64);
    println!("two workers, {:.0} % of the steps speculated:", median(executions));
    println!("  a validated observation {:.0}", median(validations));
    println!("  a committed effect, the timer's share included {:.0}", median(commits));
}
