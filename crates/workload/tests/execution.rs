//! The genesis state is consistent, and the blocks execute on it without a failure.
#![allow(clippy::unwrap_used)]

use alloy_consensus::Transaction;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
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
use tandem_workload::{
    ChainConfig, GeneratedChain, MAX_TRANSACTIONS,
    contracts::{Artifact, EXCHANGE, TOKEN_A, TOKEN_B, mapping_slot},
    generate,
};

struct Genesis<'a>(&'a MemoryStore);

impl DatabaseRef for Genesis<'_> {
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

/// Executes every block with revm's own handler, and checks every transaction and the exchange at the end.
fn execute(chain: &GeneratedChain) {
    let cfg = CfgEnv::new_with_spec(SpecId::OSAKA).with_chain_id(1);
    let context = Context::mainnet().with_db(CacheDB::new(Genesis(&chain.genesis))).with_cfg(cfg);
    let mut evm = context.build_mainnet();
    for block in &chain.blocks {
        let header = &block.header;
        let mut env = BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            basefee: header.base_fee_per_gas.unwrap(),
            prevrandao: Some(header.mix_hash),
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
                .build()
                .unwrap();
            assert!(used + transaction.gas_limit() <= header.gas_limit);
            let result = evm.transact_commit(env).unwrap();
            assert!(result.is_success(), "transaction {index} of block {}: {result:?}", header.number);
            used += result.tx_gas_used();
        }
    }
    let (token, exchange) = (Artifact::token().unwrap(), Artifact::exchange().unwrap());
    let held = mapping_slot(token.slot("balanceOf").unwrap(), EXCHANGE);
    let state = &evm.ctx.journaled_state.database;
    let mut product = U256::from(1);
    let mut product_before = U256::from(1);
    for (address, reserve) in [(TOKEN_A, "reserve0"), (TOKEN_B, "reserve1")] {
        let slot = exchange.slot(reserve).unwrap();
        let reserve = state.storage_ref(EXCHANGE, slot).unwrap();
        assert_eq!(reserve, state.storage_ref(address, held).unwrap());
        product *= reserve;
        product_before *= chain.genesis.storage(EXCHANGE, slot).unwrap();
    }
    assert!(product > product_before);
}

#[test]
fn every_transaction_of_the_default_chain_succeeds() {
    execute(&generate(&ChainConfig::default()).unwrap());
}

#[test]
fn every_transaction_succeeds_with_many_seeds() {
    for seed in [0, 2, 3, u64::MAX] {
        execute(&generate(&ChainConfig::default().with_blocks(2).with_seed(seed)).unwrap());
    }
}

#[test]
fn every_transaction_of_full_blocks_by_one_account_succeeds() {
    let config = ChainConfig::default().with_blocks(3).with_transactions(MAX_TRANSACTIONS).with_accounts(1);
    execute(&generate(&config).unwrap());
}

#[test]
fn token_balances_sum_up_to_the_supply() {
    let chain = generate(&ChainConfig::default()).unwrap();
    let token = Artifact::token().unwrap();
    let balances = token.slot("balanceOf").unwrap();
    for address in [TOKEN_A, TOKEN_B] {
        let sum: U256 = chain
            .genesis
            .accounts()
            .map(|(holder, _)| chain.genesis.storage(address, mapping_slot(balances, *holder)).unwrap())
            .sum();
        assert!(!sum.is_zero());
        assert_eq!(sum, chain.genesis.storage(address, token.slot("totalSupply").unwrap()).unwrap());
    }
}

#[test]
fn senders_are_funded_accounts_without_code() {
    let chain = generate(&ChainConfig::default().with_blocks(2)).unwrap();
    for sender in chain.blocks.iter().flat_map(|block| &block.senders) {
        let account = chain.genesis.account(*sender).unwrap().unwrap();
        assert_eq!((account.nonce, account.code_hash), (0, KECCAK256_EMPTY));
        assert!(!account.balance.is_zero());
    }
}

#[test]
fn genesis_holds_the_system_contracts() {
    let chain = generate(&ChainConfig::default().with_blocks(1)).unwrap();
    for (address, code) in [
        (eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
        (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
        (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
        (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
    ] {
        let account = chain.genesis.account(address).unwrap().unwrap();
        assert_eq!((account.nonce, account.code_hash), (1, keccak256(code)));
        assert_eq!(chain.genesis.code(account.code_hash).unwrap(), *code);
    }
}
