//! A case: a state and blocks on it, as data that can be written down, taken apart and put together again.

use crate::common::{Draft, Fork, Scenario, Tx, apply, at, block_hash, set_dao};
use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes, U256};
use revm::context::result::InvalidTransaction;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tandem_evm::{ExecutionError, InvalidBlock, PlainExecutor, StoreRef};
use tandem_state::{Account, MemoryStore, Store};

thread_local! {
    /// What each fork's states have in common: the system's contracts and the hashes of earlier blocks.
    static BASES: RefCell<BTreeMap<Fork, MemoryStore>> = RefCell::default();
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CaseAccount {
    pub(crate) address: Address,
    pub(crate) balance: U256,
    pub(crate) nonce: u64,
    pub(crate) code: Bytes,
    pub(crate) storage: Vec<(U256, U256)>,
}

#[derive(Clone, Debug)]
pub(crate) struct CaseTx {
    /// Its nonce is set.
    pub(crate) tx: Tx,
    /// Meant to be invalid. Any other transaction is left out where it is not valid.
    pub(crate) broken: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct CaseBlock {
    pub(crate) fork: Fork,
    /// So many blocks after the start of this fork, or before it.
    pub(super) place: (Fork, i64),
    pub(crate) beneficiary: Address,
    pub(crate) gas_limit: u64,
    /// Base fee in wei, from London on.
    pub(crate) base_fee: u64,
    /// Decides the price of blob gas, from Cancun on.
    pub(crate) excess_blob_gas: u64,
    /// To whom, and how many gwei.
    pub(crate) withdrawals: Vec<(Address, u64)>,
    /// How many blocks back, and whose.
    pub(crate) ommers: Vec<(u64, Address)>,
    pub(crate) transactions: Vec<CaseTx>,
    /// The gas limit is meant to be too low for the transactions.
    pub(crate) crowded: bool,
}

impl CaseBlock {
    pub(crate) fn new(fork: Fork) -> Self {
        Self {
            fork,
            place: (fork, 0),
            beneficiary: at(0xc0_1b_a5_e0),
            gas_limit: 200_000_000,
            base_fee: 7,
            excess_blob_gas: 0,
            withdrawals: vec![],
            ommers: vec![],
            transactions: vec![],
            crowded: false,
        }
    }

    /// The first block, or one so many blocks after it, as long as no other fork has begun.
    pub(crate) fn at(self, index: usize) -> Self {
        Self { place: (self.fork, index as i64), ..self }
    }

    pub(crate) fn header(&self) -> Header {
        let (origin, offset) = self.place;
        let header = self.fork.header_at(origin, offset);
        Header {
            beneficiary: self.beneficiary,
            gas_limit: self.gas_limit,
            base_fee_per_gas: header.base_fee_per_gas.map(|_| self.base_fee),
            excess_blob_gas: header.excess_blob_gas.map(|_| self.excess_blob_gas),
            ..header
        }
    }

    pub(crate) fn draft(&self) -> Draft {
        let header = self.header();
        let ommers = self.ommers.iter().map(|(depth, beneficiary)| Header {
            number: header.number - depth,
            beneficiary: *beneficiary,
            ..header.clone()
        });
        let withdrawals = self.withdrawals.iter().enumerate().map(|(n, (address, amount))| {
            let index = n as u64;
            Withdrawal { index, validator_index: index, address: *address, amount: *amount }
        });
        let (ommers, withdrawals) = (ommers.collect(), withdrawals.collect());
        let transactions =
            self.transactions.iter().map(|CaseTx { tx, .. }| tx.clone().build(tx.nonce.unwrap_or_default()));
        Draft { transactions: transactions.collect(), ommers, withdrawals, header }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Apart from the base that the newest fork brings.
    pub(crate) accounts: Vec<CaseAccount>,
    /// Accounts of the base that are not there.
    pub(crate) absent: Vec<Address>,
    /// Accounts that are slow to read.
    pub(crate) slow: Vec<Address>,
    pub(crate) blocks: Vec<CaseBlock>,
    /// No transaction changes anything that another one relies on, so that nothing may be found in conflict.
    pub(crate) quiet: bool,
}

impl Case {
    pub(crate) fn store(&self) -> MemoryStore {
        let newest = self.blocks.iter().map(|block| block.fork).max().unwrap_or(Fork::Frontier);
        let mut store = BASES.with_borrow_mut(|bases| {
            bases.entry(newest).or_insert_with(|| Scenario::new(newest).store).clone()
        });
        if self.blocks.first().is_some_and(|block| block.fork == Fork::Dao) {
            set_dao(&mut store, 1_000);
        }
        if let Some(block) = self.blocks.first() {
            let number = block.header().number;
            (number.saturating_sub(8)..number).for_each(|n| store.set_block_hash(n, block_hash(n)));
        }
        self.absent.iter().for_each(|address| store.remove_account(*address));
        for CaseAccount { address, balance, nonce, code, storage } in &self.accounts {
            let code_hash = store.add_code(code.clone());
            store.set_account(*address, Account { balance: *balance, nonce: *nonce, code_hash });
            for (slot, value) in storage {
                store.set_storage(*address, *slot, *value);
            }
        }
        store
    }

    pub(crate) fn drafts(&self) -> Vec<Draft> {
        self.blocks.iter().map(CaseBlock::draft).collect()
    }

    pub(crate) fn transactions(&self) -> usize {
        self.blocks.iter().map(|block| block.transactions.len()).sum()
    }

    /// Gives the blocks their places: one after the other, so that the first one of another fork is where that fork begins.
    pub(crate) fn number_blocks(&mut self) {
        let Some(first) = self.blocks.first().map(|block| block.fork) else { return };
        let change = self.blocks.iter().position(|block| block.fork != first).unwrap_or(0);
        let origin = self.blocks[change].fork;
        for (index, block) in self.blocks.iter_mut().enumerate() {
            block.place = (origin, index as i64 - change as i64);
        }
    }

    /// Numbers the blocks. Gives each transaction that is meant to be valid the nonce that it needs, and leaves it out where it is not valid.
    /// Nothing follows a block that is invalid as it is meant to be.
    pub(crate) fn settle(&mut self) {
        self.number_blocks();
        let mut settler = Settler::new(self.store());
        for index in 0..self.blocks.len() {
            if !settler.settle(&mut self.blocks[index]) {
                self.blocks.truncate(index + 1);
                break;
            }
        }
    }
}

/// Executes a case's blocks as they come into being.
pub(crate) struct Settler {
    /// The state after the last block.
    pub(crate) state: MemoryStore,
    plain: PlainExecutor,
}

impl Settler {
    pub(crate) fn new(state: MemoryStore) -> Self {
        Self { state, plain: PlainExecutor::new() }
    }

    /// See [`Case::settle`]. `false` if the block is invalid as it is meant to be, or for something else than a transaction.
    pub(crate) fn settle(&mut self, block: &mut CaseBlock) -> bool {
        let mut nonces: AddressMap<u64> = AddressMap::default();
        for CaseTx { tx, .. } in block.transactions.iter_mut().filter(|tx| !tx.broken) {
            let known = || self.state.account(tx.from).unwrap().unwrap_or_default().nonce;
            let nonce = nonces.entry(tx.from).or_insert_with(known);
            tx.nonce = Some(*nonce);
            *nonce += 1;
        }
        loop {
            let store = StoreRef(&self.state);
            let (wrong, error) = match self.plain.execute(&store, &block.draft().build()) {
                Ok(executed) => {
                    let changes = executed.state_changes(&store).unwrap();
                    apply(&mut self.state, &changes);
                    let number = block.header().number;
                    self.state.set_block_hash(number, block_hash(number));
                    return true;
                }
                Err(ExecutionError::Transaction { index, error, .. }) => (index, Some(error)),
                Err(ExecutionError::Block { error: InvalidBlock::GasLimit { .. }, .. }) if block.crowded => {
                    return false;
                }
                Err(ExecutionError::Block { error: InvalidBlock::GasLimit { index, .. }, .. }) => {
                    (index, None)
                }
                Err(ExecutionError::Block { .. }) => return false,
                Err(error) => panic!("{error}"),
            };
            let transactions = &mut block.transactions;
            match error {
                _ if transactions[wrong].broken => return false,
                Some(
                    InvalidTransaction::NonceTooHigh { state, .. }
                    | InvalidTransaction::NonceTooLow { state, .. },
                ) => {
                    let from = transactions[wrong].tx.from;
                    let later =
                        transactions[wrong..].iter_mut().filter(|tx| !tx.broken && tx.tx.from == from);
                    later.zip(state..).for_each(|(tx, nonce)| tx.tx.nonce = Some(nonce));
                }
                _ => drop(transactions.remove(wrong)),
            }
        }
    }
}
