//! Execution by alloy-evm's executor over revm's `State`, as nodes do it today.

use super::block_set::BlockSet;
use crate::shared::executed::{ExecutedBlock, Output};
use crate::shared::failure::Failure;
use crate::shared::output::complain;
use crate::shared::slow_store::SlowStore;
use crate::shared::states::States;
use std::collections::HashSet;
use std::fmt::Display;
use std::time::{Duration, Instant};
use tandem_evm::{AlloyBlock, AlloyExecutor, StoreRef};

/// alloy-evm's executor on the blocks of a block set.
pub(super) struct Alloy {
    executor: AlloyExecutor,
    /// The plain loop's results of each block: the expected results, and the next state.
    expected: Vec<Output>,
    differences: Differences,
}

impl Alloy {
    pub(super) fn new() -> Self {
        Self { executor: AlloyExecutor::new(), expected: Vec::new(), differences: Differences::default() }
    }

    /// Says what the plain loop made of the blocks.
    pub(super) fn expect(&mut self, executed: impl IntoIterator<Item = ExecutedBlock>) {
        self.expected = executed.into_iter().map(|executed| executed.output).collect();
    }

    /// Runs the blocks of the block set one after the other, each on a fresh `State`, and compares receipts, gas and requests with the plain
    /// loop's. Gives the time of each: of execution, with the block's bundle made and not applied. Reads of the state take at least
    /// as long as `latency`.
    pub(super) fn run(&mut self, set: &mut BlockSet, latency: Duration) -> Result<Vec<Duration>, Failure> {
        let BlockSet { names, worlds, chains, .. } = set;
        let mut times = Vec::with_capacity(self.expected.len());
        let mut states = States::new(worlds, chains);
        for (index, expected) in self.expected.iter().enumerate() {
            let store = SlowStore { store: states.before(index), latency };
            let start = Instant::now();
            let executed = self.executor.execute(&StoreRef(&store), &expected.block);
            times.push(start.elapsed());
            self.differences.check(&names[index], executed, expected)?;
            states.advance(index, &expected.block, &expected.changes);
        }
        Ok(times)
    }
}

/// The names of blocks of which alloy-evm gave something else than the plain loop, and that were told of. alloy-evm's faults explain
/// it.
#[derive(Debug, Default)]
pub(super) struct Differences(HashSet<String>);

impl Differences {
    /// Compares receipts, gas and requests of the block `name` with the plain loop's.
    pub(super) fn check(
        &mut self,
        name: &str,
        executed: Result<AlloyBlock, impl Display>,
        expected: &Output,
    ) -> Result<(), Failure> {
        let difference = match executed {
            Ok(executed) => difference(&executed, expected),
            Err(error) => Some(error.to_string()),
        };
        let Some(difference) = difference else { return Ok(()) };
        let difference = format!("{name}: alloy-evm differs from the plain loop: {difference}");
        let Some(why) = AlloyExecutor::may_differ(&expected.block) else {
            return Err(Failure::fault(difference));
        };
        if self.0.insert(name.to_owned()) {
            complain!("warning: {difference}; {why}");
        }
        Ok(())
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
