use super::build::Builder;
use super::compare::compare;
use crate::engines::Engine;
use crate::options::Options;
use crate::outcome::{Computed, Event, Outcome, Problem, Summary};
use crate::state_test::{Case, StateTest, nothing_expected};
use crate::suite::{self, Kind, Source, SuiteError};
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// How to pack state tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Transactions of different tests, or of different combinations of one test, in a block at most.
    pub pack: NonZeroUsize,
    /// How often each of them is in the block.
    pub repeat: NonZeroUsize,
}

/// Counts of packing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackingCounts {
    /// Blocks.
    pub packs: u64,
    /// Transactions that were executed in them and compared.
    pub transactions: u64,
    /// Transactions that both ways of executing refused for the same reason.
    pub refused: u64,
    /// Combinations of state tests left out: their transaction must be refused, or does not fit into any block.
    pub left_out: u64,
}

/// Runs state tests in packs; each pack is a test. Packs are made from neighbouring files.
///
/// # Errors
///
/// If the options make no sense. Faults of files are in the summary.
pub fn run_packed_state_tests(
    files: &[PathBuf],
    packing: Packing,
    options: &Options,
    observer: &(dyn Fn(Event<'_>) + Sync),
) -> Result<(Summary, PackingCounts), SuiteError> {
    let kind = Packs { packing, counts: Mutex::default() };
    let summary = suite::run(&kind, files, options, observer)?;
    Ok((summary, kind.counts.into_inner()))
}

struct Packs {
    packing: Packing,
    counts: Mutex<PackingCounts>,
}

impl Kind for Packs {
    type Test = StateTest;
    const GROUP: usize = 256;

    fn run(
        &self,
        sources: &[Source<StateTest>],
        engine: &mut Engine,
        report: &mut (dyn FnMut(Outcome) + Send),
    ) {
        let Packing { pack, repeat } = self.packing;
        let mut builder = Builder::new(pack.get(), repeat.get() as u64);
        let mut counts = PackingCounts::default();
        let mut spoilt = |file: &Path, name: &str, fork: &str, index, problem| {
            report(Outcome {
                file: file.to_owned(),
                test: name.to_owned(),
                fork: fork.to_owned(),
                index,
                problem: Some(problem),
                computed: Computed::default(),
            });
        };
        let tests = sources.iter().flat_map(|source| source.tests.iter().map(move |test| (source, test)));
        for (id, (source, (name, test))) in tests.enumerate() {
            if test.expected().next().is_none() {
                spoilt(&source.path, name, "", None, nothing_expected());
            }
            for (fork, expected) in test.expected() {
                match Case::new(test, fork, expected) {
                    Ok(case) => {
                        let member = format!("{name} {fork} {}", expected.indexes);
                        let is_packed =
                            expected.exception.is_none() && builder.add(member, id, test, fork, &case);
                        counts.left_out += u64::from(!is_packed);
                    }
                    Err(problem) => spoilt(&source.path, name, fork, Some(expected.indexes), problem),
                }
            }
        }
        for mut pack in builder.finish() {
            let (first, last) = (pack.members.first(), pack.members.last());
            let name = |member: Option<&super::build::Member>| member.map(|member| member.name.clone());
            let name = format!(
                "{} transactions from {} to {}",
                pack.members.len(),
                name(first).unwrap_or_default(),
                name(last).unwrap_or_default()
            );
            let result = compare(&mut pack, engine);
            counts.packs += 1;
            counts.transactions += pack.members.len() as u64;
            counts.refused += *result.as_ref().unwrap_or(&0) as u64;
            report(Outcome {
                file: sources.first().map(|source| source.path.clone()).unwrap_or_default(),
                test: name,
                fork: pack.fork().to_owned(),
                index: None,
                problem: result.err().map(Problem::Failed),
                computed: Computed::default(),
            });
        }
        let mut sum = self.counts.lock();
        sum.packs += counts.packs;
        sum.transactions += counts.transactions;
        sum.refused += counts.refused;
        sum.left_out += counts.left_out;
    }
}
