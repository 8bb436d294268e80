//! Blocks executed by alloy-evm's executor, too, and compared with the engine's.

use super::check::{Checks, Verdict};
use crate::shared::progress::progress;
use crate::shared::states::States;
use tandem_conformance::alloy_difference;
use tandem_evm::{AlloyExecutor, FinishedBlock, StoreRef};
use tandem_state::MemoryStore;

/// A block by the engine beside the same block by alloy-evm.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Both have the same results.
    Same,
    /// They differ, in words.
    Differs(String),
    /// alloy-evm may give other results than Ethereum's, for this reason, and was not asked.
    MayDiffer(&'static str),
    /// The engine has no results.
    NotExecuted,
}

/// Executes blocks by alloy-evm's executor, each on the state before it, and compares.
pub(super) fn compare(
    blocks: &[Result<FinishedBlock, String>],
    worlds: &[MemoryStore],
    chains: &[usize],
    quiet: bool,
) -> Vec<Comparison> {
    let bar = progress(blocks.len(), "alloy-evm", quiet);
    let mut executor = AlloyExecutor::new();
    let mut states = States::new(worlds, chains);
    let compare = |(index, block): (usize, &Result<FinishedBlock, String>)| {
        bar.inc(1);
        let Ok(finished) = block else { return Comparison::NotExecuted };
        let state = states.before(index);
        let comparison = if let Some(why) = AlloyExecutor::may_differ(&finished.block) {
            Comparison::MayDiffer(why)
        } else {
            let executed = executor.execute(&StoreRef(state), &finished.block);
            alloy_difference(Ok(finished), &executed).map_or(Comparison::Same, Comparison::Differs)
        };
        states.advance(index, &finished.block, &finished.state_changes());
        comparison
    };
    let comparisons = blocks.iter().enumerate().map(compare).collect();
    bar.finish_and_clear();
    comparisons
}

impl Comparison {
    /// Whether alloy-evm executed the block.
    pub(super) fn was_made(&self) -> bool {
        matches!(self, Self::Same | Self::Differs(_))
    }

    /// Makes it one of the block's checks.
    pub(super) fn add_to(&self, checks: &mut Checks) {
        checks.alloy = Some(match self {
            Self::Same => Verdict::Ok,
            Self::Differs(difference) => {
                checks.differences.push(difference.clone());
                Verdict::Fail
            }
            Self::MayDiffer(why) => {
                checks.notes.push(format!("not compared with alloy-evm's executor: {why}"));
                Verdict::NotApplicable
            }
            Self::NotExecuted => Verdict::NotApplicable,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use alloy_primitives::{Address, U256};
    use std::sync::Arc;
    use tandem_evm::{Block, ChainSpec, Config, Executor};

    /// A block without transactions on a state without accounts: its miner is rewarded.
    fn rewarded(chain: ChainSpec) -> FinishedBlock {
        let header = Header { number: 1, ..Header::default() };
        let block = Block::new(&Arc::new(chain), header, [], Vec::new(), Default::default());
        let executor = Executor::new(&Config::default().threads(1)).unwrap();
        executor.execute(&StoreRef(&MemoryStore::default()), block).unwrap()
    }

    fn compared(blocks: &[Result<FinishedBlock, String>]) -> Vec<Comparison> {
        let worlds = vec![MemoryStore::default(); blocks.len()];
        let chains: Vec<_> = (0..blocks.len()).collect();
        compare(blocks, &worlds, &chains, true)
    }

    #[test]
    fn a_difference_is_a_failed_check() {
        let right = rewarded(ChainSpec::known(1).unwrap());
        let mut wrong = right.clone();
        wrong.gas_used = 7;
        let comparisons = compared(&[Ok(wrong), Ok(right)]);
        let [differs, same] = &comparisons[..] else { panic!("{comparisons:?}") };
        let mut checks = Checks::default();
        same.add_to(&mut checks);
        assert!((checks.alloy, checks.passed()) == (Some(Verdict::Ok), true), "{checks:?}");
        differs.add_to(&mut checks);
        assert!((checks.alloy, checks.passed()) == (Some(Verdict::Fail), false), "{checks:?}");
        assert_eq!(checks.differences, ["by alloy-evm: gas used 0, not 7"]);
    }

    #[test]
    fn a_block_that_is_not_compared_is_not_called_ok() {
        let occupied = [(Address::repeat_byte(1), U256::ONE)];
        let block = rewarded(ChainSpec::known(1).unwrap().with_occupied_addresses(occupied));
        for comparison in compared(&[Ok(block), Err("invalid".to_owned())]) {
            let mut checks = Checks::default();
            comparison.add_to(&mut checks);
            assert!(!comparison.was_made());
            assert_eq!((checks.alloy, checks.passed()), (Some(Verdict::NotApplicable), true));
            let why = checks.notes.first().map_or("", String::as_str);
            assert!(comparison == Comparison::NotExecuted || why.contains("EIP-7610"), "{checks:?}");
        }
    }
}
