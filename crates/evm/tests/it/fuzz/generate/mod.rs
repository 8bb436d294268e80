//! Turns a seed into a case. The shapes are those that engines like this one have got wrong: many conflicts over few
//! accounts, accounts that come and go, and whatever depends on them.

mod broken;
mod cast;
mod quiet;
mod system;
mod touched;
mod transaction;

use crate::common::rng::Rng;
use crate::common::{Fork, Signer, Tx, at};
use crate::fuzz::bytecode::Programmer;
use crate::fuzz::case::{Case, CaseBlock, CaseTx, Settler};
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes};
use std::sync::LazyLock;

/// Who can sign authorizations, the same in every case: keys take long to make.
static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| (0..3).map(Signer::new).collect());

/// A case in the making.
struct Generator {
    rng: Rng,
    fork: Fork,
    users: Vec<Address>,
    /// Everybody who matters.
    hot: Vec<Address>,
    /// Contracts with random code.
    programs: Vec<Address>,
    /// The codes that factories deploy.
    children: Vec<Vec<u8>>,
    settler: Settler,
    case: Case,
    /// Authorizations by signer in the block being made.
    authorized: AddressMap<u64>,
    /// Transactions so far.
    planned: u64,
    /// How many of [`touched::FRESH`] are taken.
    fresh: usize,
    /// Transactions that are to come later in the block.
    due: Vec<Tx>,
}

/// The case with this number.
pub(crate) fn generate(seed: u64) -> Case {
    let mut rng = Rng(seed);
    // Neighbouring seeds give neighbouring sequences otherwise.
    let mut rng = Rng(rng.next());
    if rng.chance(4) {
        return quiet::case(&mut rng);
    }
    let fork = *rng.pick(&Fork::ALL);
    let mut generator = Generator::new(rng, fork);
    for index in 0..1 + generator.rng.below(4) as usize {
        let mut block = generator.block().at(index);
        let goes_on = generator.settler.settle(&mut block);
        generator.case.blocks.push(block);
        if !goes_on {
            break;
        }
        if generator.rng.chance(10) && generator.fork == fork {
            generator.next_fork();
        }
    }
    if generator.case.blocks.last().is_some_and(|block| block.fork != fork) {
        // Blocks before the change have other numbers than they were made for.
        generator.case.settle();
    }
    generator.case
}

impl Generator {
    fn new(rng: Rng, fork: Fork) -> Self {
        // The newest fork that blocks can reach decides what the system brings along.
        let mut case = Case {
            accounts: vec![],
            absent: vec![],
            slow: vec![],
            blocks: vec![CaseBlock::new(fork)],
            quiet: false,
        };
        let settler = Settler::new(case.store());
        case.blocks.clear();
        let mut generator = Self {
            rng,
            fork,
            users: vec![],
            hot: vec![],
            programs: vec![],
            children: vec![],
            settler,
            case,
            authorized: AddressMap::default(),
            planned: 0,
            fresh: 0,
            due: vec![],
        };
        generator.cast();
        generator
    }

    /// Goes on with later rules, where the system's contracts are the same.
    fn next_fork(&mut self) {
        let later = match self.fork {
            Fork::Cancun | Fork::Bpo2 => return,
            Fork::Shanghai => Fork::Shanghai,
            fork => Fork::ALL[Fork::ALL.iter().position(|other| *other == fork).unwrap_or(0) + 1],
        };
        self.fork = later;
    }

    fn programmer(&mut self) -> Programmer<'_> {
        Programmer { rng: &mut self.rng, fork: self.fork, hot: &self.hot }
    }

    fn target(&mut self) -> Address {
        *self.rng.pick(&self.hot)
    }

    fn init(&mut self) -> Bytes {
        self.programmer().init().into()
    }

    /// A little, mostly.
    fn value(&mut self) -> u64 {
        match self.rng.below(6) {
            0 | 1 => 0,
            2 | 3 => self.rng.below(4),
            4 => self.rng.below(60),
            _ => self.rng.below(1_000_000),
        }
    }

    fn block(&mut self) -> CaseBlock {
        self.authorized.clear();
        let mut block = CaseBlock::new(self.fork);
        if self.rng.chance(35) {
            block.beneficiary = self.target();
        }
        if self.rng.chance(20) {
            block.base_fee = self.rng.below(10);
        }
        if self.rng.chance(30) {
            block.excess_blob_gas = self.rng.below(8_000_000);
        }
        for _ in 0..self.rng.below(3) {
            let (address, amount) = (self.target(), self.rng.below(3));
            if self.fork >= Fork::Shanghai {
                block.withdrawals.push((address, amount));
            } else if self.fork < Fork::Paris {
                block.ommers.push((1 + amount, address));
            }
        }
        let count = match self.rng.below(20) {
            0 => self.rng.below(3),
            1 => 120,
            _ => 20 + self.rng.below(41),
        };
        // Where nothing is destroyed and no tip paid, runs get long, and the beneficiary may stay empty.
        let calm = self.rng.chance(20);
        let frugal = self.rng.chance(15);
        if frugal && self.fork >= Fork::Prague {
            block.beneficiary = self.fresh().address;
            let beneficiary = self.authorization_of_last();
            self.due.push(beneficiary);
        }
        let count = if calm { count.max(80) } else { count };
        let mut planned = Vec::new();
        for _ in 0..count {
            planned.push(if calm { self.calm() } else { self.transaction(&block) });
            if !calm && self.has_create2() && self.rng.chance(5) {
                planned.extend(self.cycle());
            }
            if self.fork >= Fork::Prague && self.rng.chance(6) {
                planned.push(self.touch());
            }
            if !self.due.is_empty() && self.rng.chance(15) {
                planned.push(self.due.remove(0));
            }
        }
        planned.append(&mut self.due);
        if frugal {
            planned.iter_mut().for_each(|tx| (tx.price, tx.tip) = (u128::from(block.base_fee), 0));
        }
        if self.case.blocks.is_empty() {
            let deployments = self.deployments();
            for tx in deployments {
                let place = self.rng.below(1 + planned.len() as u64) as usize;
                planned.insert(place, tx);
            }
        }
        block.transactions.extend(planned.into_iter().map(|tx| CaseTx { tx, broken: false }));
        if self.rng.chance(12) {
            self.break_block(&mut block);
        }
        block
    }

    /// Where nobody is.
    fn nobody(n: u64) -> Address {
        at(900 + n)
    }
}
