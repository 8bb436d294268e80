//! Makes a case that fails smaller for as long as it still fails.

use crate::common::rng::Rng;
use crate::fuzz::case::{Case, CaseBlock};
use crate::fuzz::run::{ExecutionMode, Trial};
use crate::fuzz::watchdog::Watchdog;
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Bytes, U256};
use std::time::{Duration, Instant};

/// How often a smaller case is tried before it counts as one that does not fail: much depends on the schedule.
const ATTEMPTS: usize = 40;
/// The search's end, however far it got.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) struct Minimiser<'a> {
    pub(crate) mode: ExecutionMode,
    pub(crate) watchdog: &'a Watchdog,
    pub(crate) rng: Rng,
    end: Instant,
}

impl<'a> Minimiser<'a> {
    pub(crate) fn new(mode: ExecutionMode, watchdog: &'a Watchdog) -> Self {
        Self { mode, watchdog, rng: Rng(1), end: Instant::now() + LIMIT }
    }

    /// The smallest case found, and what is wrong with it.
    pub(crate) fn minimise(&mut self, case: &Case, difference: String) -> (Case, String) {
        let mut best = (case.clone(), difference);
        loop {
            let before = size(&best.0);
            self.drop_blocks(&mut best);
            self.drop_transactions(&mut best);
            self.simplify(&mut best);
            self.drop_accounts(&mut best);
            if size(&best.0) == before || Instant::now() > self.end {
                return best;
            }
        }
    }

    /// Takes the candidate for the best case if it fails, too.
    fn take(&mut self, best: &mut (Case, String), mut candidate: Case) -> bool {
        if Instant::now() > self.end {
            return false;
        }
        candidate.settle();
        if candidate.transactions() == 0 || size(&candidate) >= size(&best.0) {
            return false;
        }
        let trial = Trial::new(&candidate);
        let modes = self.mode.like(ATTEMPTS, &mut self.rng);
        let found = modes.into_iter().find_map(|mode| trial.run(mode, self.watchdog).err());
        drop(trial);
        let Some(difference) = found else { return false };
        *best = (candidate, difference);
        true
    }

    fn drop_blocks(&mut self, best: &mut (Case, String)) {
        let mut index = best.0.blocks.len();
        while index > 0 {
            index -= 1;
            let mut candidate = best.0.clone();
            candidate.blocks.remove(index);
            if !candidate.blocks.is_empty() {
                self.take(best, candidate);
            }
        }
    }

    /// Drops runs of transactions, long ones first.
    fn drop_transactions(&mut self, best: &mut (Case, String)) {
        for block in 0..best.0.blocks.len() {
            let mut length = best.0.blocks[block].transactions.len();
            while length > 0 {
                let mut start = 0;
                while let Some(transactions) = best.0.blocks.get(block).map(|block| block.transactions.len())
                    && start < transactions
                {
                    let mut candidate = best.0.clone();
                    let end = transactions.min(start + length);
                    candidate.blocks[block].transactions.drain(start..end);
                    if !self.take(best, candidate) {
                        start += length;
                    }
                }
                length /= 2;
            }
        }
    }

    /// Takes away from transactions and blocks what they can do without.
    fn simplify(&mut self, best: &mut (Case, String)) {
        let mut candidate = best.0.clone();
        candidate.slow.clear();
        self.take(best, candidate);
        for block in 0..best.0.blocks.len() {
            let Some(plain) = best.0.blocks.get(block).map(|block| CaseBlock::new(block.fork)) else { break };
            let mut candidate = best.0.clone();
            let transactions = candidate.blocks[block].transactions.clone();
            candidate.blocks[block] = CaseBlock { transactions, ..plain };
            self.take(best, candidate);
            for index in 0.. {
                let Some(tx) = best.0.blocks.get(block).and_then(|block| block.transactions.get(index))
                else {
                    break;
                };
                let original = &tx.tx;
                let simpler = [
                    (original.input != Bytes::new()).then(|| original.clone().input(Bytes::new())),
                    (original.value != U256::ZERO).then(|| original.clone().value(U256::ZERO)),
                    (original.ty != 0).then(|| {
                        let mut simpler = original.clone().ty(0);
                        simpler.authorizations.clear();
                        simpler.access_list = AccessList::default();
                        simpler
                    }),
                ];
                for simpler in simpler.into_iter().flatten() {
                    let mut candidate = best.0.clone();
                    candidate.blocks[block].transactions[index].tx = simpler;
                    self.take(best, candidate);
                    if best.0.blocks.get(block).is_none_or(|block| block.transactions.len() <= index) {
                        break;
                    }
                }
            }
        }
    }

    fn drop_accounts(&mut self, best: &mut (Case, String)) {
        let mut length = best.0.accounts.len() / 2;
        while length > 0 {
            let mut start = 0;
            while start < best.0.accounts.len() {
                let mut candidate = best.0.clone();
                let end = candidate.accounts.len().min(start + length);
                candidate.accounts.drain(start..end);
                if !self.take(best, candidate) {
                    start += length;
                }
            }
            length /= 2;
        }
    }
}

/// What is made smaller: the length of the text.
fn size(case: &Case) -> usize {
    case.to_string().len()
}
