//! alloy-evm's executor where no scenario takes it: what it is helped with on other chains than mainnet, what it has wrong, and its errors.

use crate::common::contracts::{address2, factory2, mortal};
use crate::common::{Fork, Scenario, Tx, at};
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Header, TxEnvelope};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, B256, U256, hex};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_evm::{AlloyExecutor, Block, ChainSpec, ExecutionError, PlainExecutor, StoreRef};
use tandem_state::Account;

fn block(chain: ChainSpec, fork: Fork, transactions: Vec<Recovered<TxEnvelope>>) -> Block {
    let header = Header { gas_limit: 100_000_000, ..fork.header(0) };
    Block::new(&Arc::new(chain), header, transactions, vec![], Default::default())
}

fn mainnet() -> ChainSpec {
    ChainSpec::known(1).unwrap()
}

/// A chain with the forks up to this one.
fn chain_until(last: EthereumHardfork) -> ChainSpec {
    let forks = EthereumHardfork::VARIANTS
        .iter()
        .filter(|fork| **fork <= last && **fork != EthereumHardfork::Dao)
        .map(|fork| (*fork, ForkCondition::Block(0)));
    ChainSpec::new(1, EthereumChainHardforks::new(forks), Address::ZERO)
}

#[test]
fn storage_in_constantinople_has_the_prices_of_eip_1283() {
    let mut s = Scenario::new(Fork::Petersburg);
    s.contract(at(1), &hex!("60016000556002600055"), 0);
    let transactions = vec![Tx::call(s.user(0), at(1)).build(0)];
    let gas = [EthereumHardfork::Constantinople, EthereumHardfork::Petersburg].map(|fork| {
        let block = block(chain_until(fork), Fork::Petersburg, transactions.clone());
        let store = StoreRef(&s.store);
        let alloy = AlloyExecutor::new().execute(&store, &block).unwrap();
        assert_eq!(alloy.receipts, PlainExecutor::new().execute(&store, &block).unwrap().receipts);
        alloy.gas_used
    });
    // The second store changes a slot that the transaction has changed.
    assert_eq!(gas, [21_000 + 12 + 20_000 + 200, 21_000 + 12 + 20_000 + 5_000]);
}

#[test]
fn that_it_creates_where_there_is_storage_is_told() {
    let mut s = Scenario::new(Fork::Cancun);
    s.contract(at(1), &factory2(&mortal()), 0);
    let child = address2(at(1), 7, &mortal());
    s.fund(child, 10);
    s.set_storage(child, 3, 4);
    let transactions = vec![Tx::call(s.user(0), at(1)).words(&[U256::from(7)]).build(0)];
    let free = block(mainnet(), Fork::Cancun, transactions.clone());
    let occupied =
        block(mainnet().with_occupied_addresses([(child, U256::from(3))]), Fork::Cancun, transactions);
    assert_eq!(AlloyExecutor::may_differ(&free), None);
    assert!(AlloyExecutor::may_differ(&occupied).is_some_and(|why| why.contains("EIP-7610")));
    let store = StoreRef(&s.store);
    let [alloy, plain] = [
        AlloyExecutor::new().execute(&store, &occupied).unwrap().gas_used,
        PlainExecutor::new().execute(&store, &occupied).unwrap().gas_used,
    ];
    assert_eq!(alloy, AlloyExecutor::new().execute(&store, &free).unwrap().gas_used);
    assert!(plain > alloy, "{plain} {alloy}");
}

#[test]
fn a_fault_of_the_store_is_told_as_it_is() {
    let mut s = Scenario::new(Fork::Prague);
    let code_hash = B256::repeat_byte(1);
    let transactions = vec![Tx::call(s.user(0), at(1)).build(0)];
    // In a transaction, and in a system call.
    for lacking in [at(1), alloy_eips::eip4788::BEACON_ROOTS_ADDRESS] {
        let mut store = s.store.clone();
        store.set_account(lacking, Account { code_hash, nonce: 1, ..Account::default() });
        let block = block(mainnet(), Fork::Prague, transactions.clone());
        let error = AlloyExecutor::new().execute(&StoreRef(&store), &block).unwrap_err();
        let ExecutionError::Fault { error, .. } = error else { panic!("{error}") };
        assert_eq!(error.0.to_string(), tandem_state::MissingCode(code_hash).to_string());
    }
}

#[test]
fn codes_are_kept_from_fork_to_fork() {
    let mut alloy = AlloyExecutor::new();
    for fork in [Fork::Cancun, Fork::Prague, Fork::Cancun] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &[&hex!("ef0100")[..], at(2).as_slice()].concat(), 0);
        s.contract(at(2), &hex!("00"), 0);
        let block = block(mainnet(), fork, vec![Tx::call(s.user(0), at(1)).build(0)]);
        let executed = alloy.execute(&StoreRef(&s.store), &block).unwrap();
        // A delegation from Prague on, before that a code whose first instruction is invalid.
        assert_eq!(executed.receipts[0].success, fork == Fork::Prague, "{fork:?}");
    }
}

#[test]
fn that_it_removes_what_the_dao_fork_empties_is_told() {
    let dao = block(mainnet(), Fork::Dao, vec![]);
    assert!(AlloyExecutor::may_differ(&dao).is_some_and(|why| why.contains("DAO")));
    assert_eq!(AlloyExecutor::may_differ(&dao.without_system_steps()), None);
}

#[test]
fn in_a_block_without_system_steps_nothing_happens_but_its_transactions() {
    let mut s = Scenario::new(Fork::Prague);
    let transactions = vec![Tx::pay(s.user(0), at(9), 1).build(0)];
    let block = block(mainnet(), Fork::Prague, transactions).without_system_steps();
    let executed = AlloyExecutor::new().execute(&StoreRef(&s.store), &block).unwrap();
    assert_eq!((executed.receipts.len(), executed.gas_used, executed.requests), (1, 21_000, None));
    let changed: BTreeSet<_> = executed.bundle.state.keys().copied().collect();
    assert_eq!(changed, BTreeSet::from([s.user(0), at(9), block.header().beneficiary]));
}
