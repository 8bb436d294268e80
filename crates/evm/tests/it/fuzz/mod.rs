//! Random blocks, executed by the plain loop, by alloy-evm's executor, and by the engine on each number of threads in random ways.
//!
//! A case is a state and a stream of blocks, made from a number. Some of `TANDEM_FUZZ_TRANSACTIONS` (how many to try),
//! `TANDEM_FUZZ_FIRST` (the first case's number) and `TANDEM_FUZZ_CASES` (how many cases to try, whatever they hold) say
//! which ones are tried. A case that fails is made smaller, and written down as text; put into `corpus/`, it is tried
//! again with every test run, in all ways.

mod bytecode;
mod case;
mod census;
mod generate;
mod inspected;
mod lives;
mod minimise;
mod results;
mod rounds;
mod run;
mod shapes;
mod skipping;
mod text;
mod watchdog;

use crate::common::rng::Rng;
use crate::common::runs_of;
use minimise::Minimiser;
use run::{ExecutionMode, Trial};
use shapes::{Counts, Shape};
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use tandem_evm::{Metrics, conflict_kinds};
use watchdog::{Watchdog, failure_file};

/// Transactions to try where nobody says how many.
const TRANSACTIONS: u64 = 20_000;
/// From so many transactions on, every shape must have occurred.
const ENOUGH: u64 = 10_000;
/// Times that each entry of the corpus is executed in each way.
const REPLAYS: usize = 5;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// Says something at once: tests hold back what is printed in the usual way until they end.
fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

#[test]
fn random_blocks_give_what_plain_execution_gives() {
    let first = setting("TANDEM_FUZZ_FIRST").unwrap_or(0);
    let cases = setting("TANDEM_FUZZ_CASES");
    let wanted = setting("TANDEM_FUZZ_TRANSACTIONS").unwrap_or(TRANSACTIONS);
    let watchdog = Watchdog::new();
    let start = Instant::now();
    let (mut counts, mut metrics) = (Counts::default(), Metrics::default());
    let (mut transactions, mut blocks, mut tried) = (0, 0, 0);
    while cases.map_or(transactions < wanted, |cases| tried < cases) {
        let number = first + tried;
        let case = generate::generate(number);
        let name = format!("case-{number}");
        watchdog.name(&name);
        let trial = Trial::new(&case);
        let mut rng = Rng(number ^ 0x7a9d);
        for mode in ExecutionMode::some(&mut rng) {
            match trial.run(mode, &watchdog) {
                Ok(run) => metrics.merge(&run),
                Err(difference) => {
                    say(&format!("{name} fails after {:.1} s, {mode:?}", start.elapsed().as_secs_f64()));
                    report(&case, &name, mode, difference, &watchdog);
                }
            }
        }
        census::count(&case, &trial, &mut counts);
        transactions += case.transactions() as u64;
        blocks += case.blocks.len();
        tried += 1;
        if tried % 500 == 0 {
            say(&format!(
                "{transactions} transactions in {tried} cases, {:.0} s",
                start.elapsed().as_secs_f64()
            ));
        }
    }
    for (shape, count) in [
        (Shape::Conflicts, metrics.conflicts),
        (Shape::Reexecutions, metrics.reexecutions),
        (Shape::EarlyReexecutions, metrics.early_reexecutions),
        (Shape::Moved, metrics.moved),
        (Shape::Repairs, metrics.repairs),
        (Shape::Blocked, metrics.blocked),
        (Shape::Joined, metrics.joined),
        (Shape::JoinedAhead, metrics.joined_ahead),
        (Shape::RunsOf16, runs_of(16, &metrics)),
        (Shape::RunsOf64, runs_of(64, &metrics)),
        (Shape::Waits, metrics.waits),
    ] {
        counts.add(shape, count);
    }
    print!("{counts}");
    for (kind, count) in conflict_kinds().iter().zip(&metrics.conflicts_by_kind) {
        println!("{count:>10}  conflicts over {kind}");
    }
    println!(
        "{transactions} transactions in {blocks} blocks of {tried} cases, each by the plain loop, by alloy-evm, and on 1, 2, 4 \
         and 8 threads: 0 differences, {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let missing = counts.missing();
    assert!(transactions < ENOUGH || missing.is_empty(), "never occurred: {missing:?}");
}

/// Makes the case smaller, writes it down, and fails.
fn report(case: &case::Case, name: &str, mode: ExecutionMode, difference: String, watchdog: &Watchdog) -> ! {
    let file = failure_file(name);
    std::fs::write(&file, case.to_string()).unwrap();
    let (small, difference) = Minimiser::new(mode, watchdog).minimise(case, difference);
    let text = small.to_string();
    std::fs::write(&file, &text).unwrap();
    println!("made smaller, {} transactions, in {}:\n{text}", small.transactions(), file.display());
    panic!("{name}: {difference}");
}

#[test]
fn kept_cases_give_what_plain_execution_gives() {
    let watchdog = Watchdog::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut rng = Rng(0);
    for file in &files {
        let case = text::read(&std::fs::read_to_string(file).unwrap());
        let name = file.file_stem().unwrap().to_string_lossy();
        watchdog.name(&name);
        let trial = Trial::new(&case);
        for mode in (0..REPLAYS).flat_map(|_| ExecutionMode::all(&mut rng)) {
            trial.run(mode, &watchdog).unwrap_or_else(|difference| panic!("{name}, {mode:?}: {difference}"));
        }
    }
    assert!(!files.is_empty());
}

#[test]
fn a_case_survives_being_written_and_read() {
    for number in 0..60 {
        let case = generate::generate(number);
        let text = case.to_string();
        let read = text::read(&text);
        assert_eq!(read.to_string(), text);
        assert!(read.store() == case.store());
        assert_eq!(Trial::new(&read).report.blocks, Trial::new(&case).report.blocks);
    }
}
