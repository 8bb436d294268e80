//! Whether a genesis has the rules that the blocks in a database were checked by.

use super::error::ImportError;
use super::tip::header_chain;
use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumHardfork, ForkCondition};
use std::fmt::Display;
use tandem_evm::ChainSpec;
use tandem_state::database::{DatabaseError, Snapshot};

/// The blocks that rules may matter for.
struct Blocks<'s> {
    snapshot: &'s Snapshot,
    head: u64,
}

/// Compares the rules of a genesis with those that a database has, for the blocks behind the genesis that are there.
pub(super) fn check(stored: &ChainSpec, given: &ChainSpec, snapshot: &Snapshot) -> Result<(), ImportError> {
    let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?.number;
    let blocks = Blocks { snapshot, head };
    let ids = (stored.chain_id(), given.chain_id());
    blocks.compare("chainId", ids, Some(1))?;
    for fork in EthereumHardfork::VARIANTS {
        let both = (stored.activation(*fork), given.activation(*fork));
        match fork {
            EthereumHardfork::Paris => {
                let first = if both.0 == both.1 { None } else { blocks.merge(stored, given)? };
                blocks.compare(fork.name(), (show(both.0), show(both.1)), first)?;
            }
            // Whether a chain follows the fork is told below.
            EthereumHardfork::Dao => {}
            _ => {
                let first = blocks.earlier(both.0, both.1)?;
                blocks.compare(fork.name(), (show(both.0), show(both.1)), first)?;
            }
        }
    }
    let both = [stored.dao_fork(), given.dao_fork()];
    let first = both.into_iter().flatten().map(|(number, _)| number).min();
    let [old, new] = both.map(|fork| match fork {
        None => "nowhere".to_owned(),
        Some((number, true)) => format!("at block {number}, followed"),
        Some((number, false)) => format!("at block {number}, refused"),
    });
    blocks.compare("daoForkBlock", (old, new), first)?;
    let prague = blocks
        .earlier(stored.activation(EthereumHardfork::Prague), given.activation(EthereumHardfork::Prague))?;
    blocks.compare(
        "depositContractAddress",
        (stored.deposit_contract(), given.deposit_contract()),
        prague,
    )?;
    for fork in EthereumHardfork::VARIANTS {
        // Forks begin at the same time, if any block is subject to them.
        let Some(time) = given.activation(*fork).as_timestamp() else { continue };
        let both = [stored, given].map(|chain| match chain.blob_params(time) {
            None => "nothing".to_owned(),
            Some(BlobParams { target_blob_count: target, max_blob_count: max, update_fraction, .. }) => {
                format!("target {target}, max {max}, baseFeeUpdateFraction {update_fraction}")
            }
        });
        let name = format!("blobSchedule.{}", fork.name().to_lowercase());
        let [old, new] = both;
        blocks.compare(&name, (old, new), blocks.first_from(time)?)?;
    }
    Ok(())
}

/// Where a fork begins, in words.
fn show(condition: ForkCondition) -> String {
    match condition {
        ForkCondition::Block(number) => format!("at block {number}"),
        ForkCondition::Timestamp(time) => format!("at time {time}"),
        ForkCondition::TTD { total_difficulty, fork_block: None, .. } => {
            format!("at total difficulty {total_difficulty}")
        }
        ForkCondition::TTD { total_difficulty, fork_block: Some(number), .. } => {
            format!("at total difficulty {total_difficulty} or block {number}")
        }
        ForkCondition::Never => "nowhere".to_owned(),
    }
}

impl Blocks<'_> {
    /// Refuses a difference for which there is a `first` block that is subject to it.
    fn compare<T: PartialEq + Display>(
        &self,
        what: &str,
        (stored, found): (T, T),
        first: Option<u64>,
    ) -> Result<(), ImportError> {
        let Some(block) = first.map(|first| first.max(1)).filter(|first| *first <= self.head) else {
            return Ok(());
        };
        if stored == found {
            return Ok(());
        }
        let (stored, found) = (stored.to_string(), found.to_string());
        Err(ImportError::Incompatible { what: what.to_owned(), stored, found, block })
    }

    /// The first block that one of two conditions admits.
    fn earlier(&self, one: ForkCondition, other: ForkCondition) -> Result<Option<u64>, ImportError> {
        let first = |condition| match condition {
            ForkCondition::Block(number) => Ok(Some(number)),
            ForkCondition::Timestamp(time) => self.first_from(time),
            _ => Ok(None),
        };
        Ok(first(one)?.into_iter().chain(first(other)?).min())
    }

    /// The first block whose timestamp is `time` or later.
    fn first_from(&self, time: u64) -> Result<Option<u64>, ImportError> {
        self.first_that(|header| header.timestamp >= time)
    }

    /// The first block that the merge may be at, given that two chains differ in it.
    fn merge(&self, stored: &ChainSpec, given: &ChainSpec) -> Result<Option<u64>, ImportError> {
        if let Some(first) = self.first_that(|header| header.number > 0 && header.difficulty.is_zero())? {
            return Ok(Some(first));
        }
        let total = header_chain(self.snapshot)?.total_difficulty().unwrap_or_default();
        let is_reached = |chain: &ChainSpec| {
            let number = chain.merge_block().is_some_and(|number| number <= self.head);
            number || chain.terminal_total_difficulty().is_some_and(|terminal| terminal <= total)
        };
        Ok((is_reached(stored) || is_reached(given)).then_some(self.head))
    }

    /// The first block behind the genesis for which `holds`, as it then does for all that follow.
    fn first_that(&self, holds: impl Fn(&Header) -> bool) -> Result<Option<u64>, ImportError> {
        let (mut low, mut high) = (1, self.head + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let missing = ImportError::Internal("a block below the head is not in the database");
            let header = self.snapshot.header(middle)?.ok_or(missing)?;
            if holds(&header) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok((low <= self.head).then_some(low))
    }
}
