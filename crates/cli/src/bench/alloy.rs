//! Execution by alloy-evm's executor over revm's `State`, as nodes do it today.

use super::block_set::BlockSet;
use crate::shared::executed::{ExecutedBlock, Output};
use crate::shared::failure::Failure;
use crate::shared::output::complain;
use crate::shared::slow_store::SlowStore;
use std::borrow::Cow;
use std::time::{Duration, Instant};
use tandem_evm::{AlloyBlock, AlloyExecutor, StoreRef};

/// alloy-evm's executor on the blocks of a block set.
pub(super) struct Alloy {
    executor: AlloyExecutor,
    /// The plain loop's results of each block: the expected results, and the next state.
    expected: Vec<Output>,
    /// Blocks that gave something else, and were named. alloy-evm's faults explain it.
    differs: Vec<bool>,
}

impl Alloy {
    pub(super) fn new() -> Self {
        Self { executor: AlloyExecutor::new(), expected: Vec::new(), differs: Vec::new() }
    }

    /// Says what the plain loop made of the blocks.
    pub(super) fn expect(&mut self, executed: impl IntoIterator<Item = ExecutedBlock>) {
        self.expected = executed.into_iter().map(|executed| executed.output).collect();
        self.differs = vec![false; self.expected.len()];
    }

    /// Runs the blocks of the block set one after the other, each on a fresh `State`, and compares receipts, gas and requests with the plain
    /// loop's. Gives the time of each: of execution, with the block's bundle made and not applied. Reads of the state take at least
    /// as long as `latency`.
    pub(super) fn run(&mut self, set: &mut BlockSet, latency: Duration) -> Result<Vec<Duration>, Failure> {
        let BlockSet { names, worlds, chains, .. } = set;
        let mut times = Vec::with_capacity(self.expected.len());
        let mut current = None;
        for (index, expected) in self.expected.iter().enumerate() {
            let world = chains[index];
            let mut state = match current.take() {
                Some((last, state)) if last == world => state,
                _ => Cow::Borrowed(&worlds[world]),
            };
            let block = &expected.block;
            let start = Instant::now();
            let executed = self.executor.execute(&StoreRef(&SlowStore { store: &state, latency }), block);
            times.push(start.elapsed());
            let difference = match executed {
                Ok(executed) => difference(&executed, expected),
                Err(error) => Some(error.to_string()),
            };
            if let Some(difference) = difference
                && !self.differs[index]
            {
                let difference =
                    format!("{}: alloy-evm differs from the plain loop: {difference}", names[index]);
                let Some(why) = AlloyExecutor::may_differ(block) else {
                    return Err(Failure::fault(difference));
                };
                complain!("warning: {difference}; {why}");
                self.differs[index] = true;
            }
            if chains.get(index + 1) == Some(&world) {
                let header = block.header();
                expected.changes.apply(state.to_mut());
                state.to_mut().set_block_hash(header.number.saturating_sub(1), header.parent_hash);
                current = Some((world, state));
            }
        }
        Ok(times)
    }
}

/// The difference from the plain loop, if there is one.
fn difference(found: &AlloyBlock, expected: &Output) -> Option<String> {
    if found.gas_used != expected.gas_used {
        return Some(format!("{} gas instead of {}", found.gas_used, expected.gas_used));
    }
    let mut receipts = found.receipts.iter().zip(&expected.receipts);
    if let Some(index) = receipts.position(|(found, expected)| found != expected) {
        return Some(format!("the receipt of transaction {index}"));
    }
    (found.requests != expected.requests).then(|| "the requests".to_owned())
}
