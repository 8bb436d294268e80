//! Every transaction of every workload succeeds, and blocks are about half full.
#![allow(clippy::unwrap_used)]

use crate::common::{BASE_FEE, chain, config};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, U256};
use revm::{
    Context, DatabaseRef, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext,
    bytecode::Bytecode,
    context::{BlockEnv, CfgEnv, TxEnv},
    database::CacheDB,
    database_interface::ErasedError,
    primitives::hardfork::SpecId,
    state::AccountInfo,
};
use tandem_state::{MemoryStore, Store};
use tandem_workload::{ChainConfig, MAX_TRANSACTIONS, Proposal, Workload};

struct State(MemoryStore);

impl DatabaseRef for State {
    type Error = ErasedError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ErasedError> {
        let account = self.0.account(address).map_err(ErasedError::new)?;
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: None,
            account_id: None,
        }))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, ErasedError> {
        Ok(Bytecode::new_raw(self.0.code(hash).map_err(ErasedError::new)?))
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ErasedError> {
        self.0.storage(address, slot).map_err(ErasedError::new)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ErasedError> {
        self.0.block_hash(number).map_err(ErasedError::new)
    }
}

/// Executes every transaction with revm's own handler. Returns how full each block is, in per cent.
fn execute(config: &ChainConfig) -> Vec<u64> {
    let (genesis, blocks) = chain(config);
    let cfg = CfgEnv::new_with_spec(SpecId::OSAKA).with_chain_id(1);
    let context = Context::mainnet().with_db(CacheDB::new(State(genesis.store()))).with_cfg(cfg);
    let mut evm = context.build_mainnet();
    let execute = |(number, block): (u64, &Proposal)| {
        let mut env = BlockEnv {
            number: U256::from(number),
            beneficiary: block.beneficiary,
            timestamp: U256::from(block.timestamp),
            gas_limit: block.gas_limit,
            basefee: BASE_FEE,
            prevrandao: Some(block.prev_randao),
            ..BlockEnv::default()
        };
        env.set_blob_excess_gas_and_price(0, 11_684_671);
        evm.set_block(env);
        let mut used = 0;
        for (index, (transaction, sender)) in block.transactions.iter().zip(&block.senders).enumerate() {
            let env = TxEnv::builder()
                .tx_type(Some(transaction.tx_type() as u8))
                .caller(*sender)
                .gas_limit(transaction.gas_limit())
                .gas_price(transaction.max_fee_per_gas())
                .gas_priority_fee(transaction.max_priority_fee_per_gas())
                .kind(transaction.kind())
                .value(transaction.value())
                .data(transaction.input().clone())
                .nonce(transaction.nonce())
                .chain_id(transaction.chain_id())
                .authorization_list_signed(transaction.authorization_list().unwrap_or_default().to_vec())
                .build()
                .unwrap();
            assert!(
                used + transaction.gas_limit() <= block.gas_limit,
                "transaction {index} of block {number}"
            );
            let result = evm.transact_commit(env).unwrap();
            assert!(result.is_success(), "transaction {index} of block {number}: {result:?}");
            used += result.tx_gas_used();
        }
        used * 100 / block.gas_limit
    };
    (1..).zip(&blocks).map(execute).collect()
}

/// The mix has few transactions that use much, so its blocks differ.
fn assert_mix_is_half_full(fullness: &[u64]) {
    assert!(fullness.iter().all(|full| (20..60).contains(full)), "{fullness:?}");
    assert!(fullness.iter().sum::<u64>() < 50 * fullness.len() as u64, "{fullness:?}");
}

/// So the base fee stays as it is or falls, but never rises much.
#[test]
fn blocks_of_every_workload_are_about_half_full() {
    for workload in Workload::ALL {
        for hot in [None, Some(0.0), Some(0.5), Some(1.0)] {
            let fullness = execute(&ChainConfig { hot, ..config(workload) });
            if workload == Workload::Mainnet {
                assert_mix_is_half_full(&fullness);
                continue;
            }
            assert!((44..50).contains(&fullness[0]), "{workload} {hot:?}: {fullness:?}");
            // Later mints of the same accounts use less gas.
            assert!(fullness.iter().all(|full| (34..50).contains(full)), "{workload} {hot:?}: {fullness:?}");
        }
    }
}

#[test]
fn blocks_that_pay_newcomers_are_at_most_half_full() {
    for workload in Workload::ALL {
        for hot in [0.0, 1.0] {
            let fullness = execute(&config(workload).with_slots(0).with_hot(hot));
            if workload == Workload::Mainnet {
                assert_mix_is_half_full(&fullness);
                continue;
            }
            assert!((30..50).contains(&fullness[0]), "{workload} {hot}: {fullness:?}");
            assert!(fullness.iter().all(|full| *full < 50), "{workload} {hot}: {fullness:?}");
        }
    }
}

#[test]
fn every_transaction_succeeds_with_many_seeds() {
    for workload in Workload::ALL {
        for seed in [0, 3, u64::MAX] {
            execute(&config(workload).with_seed(seed));
        }
    }
}

#[test]
fn every_transaction_of_full_blocks_by_one_account_succeeds() {
    for workload in Workload::ALL {
        let config = ChainConfig::default()
            .with_workload(workload)
            .with_blocks(2)
            .with_transactions(MAX_TRANSACTIONS)
            .with_accounts(1)
            .with_population(10)
            .with_slots(20);
        execute(&config);
    }
}

#[test]
fn every_transaction_of_the_smallest_blocks_succeeds() {
    for workload in Workload::ALL {
        for transactions in [1, 2, 3, 5] {
            let config =
                ChainConfig { transactions, accounts: 1, population: 0, slots: 0, ..config(workload) };
            execute(&config);
        }
    }
}
