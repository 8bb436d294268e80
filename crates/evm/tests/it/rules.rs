//! Rules that revm does not have, and blocks of nothing but transactions.

use crate::common::contracts::{address2, factory2, mortal};
use crate::common::{Fork, Scenario, Tx, assert_same, at, execute_plainly, with_executor};
use alloy_consensus::Header;
use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::Recovered;
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, U256, hex, keccak256};
use std::sync::Arc;
use tandem_evm::{
    Block, ChainSpec, ExecutionError, FinishedBlock, ForkError, InvalidBlock, PlainExecutor, StoreRef,
    StoreRefError,
};
use tandem_state::{MemoryStore, MissingCode, Store};

/// A chain with the forks up to Constantinople, without Petersburg.
fn constantinople() -> Arc<ChainSpec> {
    let forks = EthereumHardfork::VARIANTS
        .iter()
        .take_while(|fork| **fork != EthereumHardfork::Petersburg)
        .filter(|fork| **fork != EthereumHardfork::Dao)
        .map(|fork| (*fork, ForkCondition::Block(0)));
    Arc::new(ChainSpec::new(1, EthereumChainHardforks::new(forks), Address::ZERO))
}

fn header(fork: Fork) -> Header {
    Header { gas_limit: 100_000_000, ..fork.header(0) }
}

#[test]
fn storage_in_constantinople_has_the_prices_of_eip_1283() {
    // Code, the slot's value before, gas used, refund: from the table of test cases in EIP-1283.
    let cases: [(&[u8], u64, u64, u64); 13] = [
        (&hex!("60006000556000600055"), 0, 412, 0),
        (&hex!("60006000556001600055"), 0, 20_212, 0),
        (&hex!("60016000556000600055"), 0, 20_212, 19_800),
        (&hex!("60016000556002600055"), 0, 20_212, 0),
        (&hex!("60016000556001600055"), 0, 20_212, 0),
        (&hex!("60006000556000600055"), 1, 5_212, 15_000),
        (&hex!("60006000556001600055"), 1, 5_212, 4_800),
        (&hex!("60006000556002600055"), 1, 5_212, 0),
        (&hex!("60026000556000600055"), 1, 5_212, 15_000),
        (&hex!("60026000556003600055"), 1, 5_212, 0),
        (&hex!("60016000556000600055"), 1, 5_212, 15_000),
        (&hex!("600160005560006000556001600055"), 0, 40_218, 19_800),
        (&hex!("600060005560016000556000600055"), 1, 10_218, 19_800),
    ];
    let mut s = Scenario::new(Fork::Petersburg);
    let mut transactions = Vec::new();
    for (index, (code, before, ..)) in (0..).zip(cases) {
        s.contract(at(index), code, 0);
        s.set_storage(at(index), 0, before);
        transactions.push(Tx::call(s.user(index), at(index)).build(0));
    }
    let header = header(Fork::Petersburg);
    let block = Block::new(&constantinople(), header, transactions, vec![], Default::default());
    let (blocks, store) = ([block], &s.store);
    let report = assert_same(&blocks, store, &[], execute_plainly(&blocks, store), 0..3).all_succeed();
    let mut total = 0;
    for (receipt, (code, before, used, refund)) in report.blocks[0].receipts.iter().zip(cases) {
        let used = 21_000 + used;
        let expected = used - refund.min(used / 2);
        let found = receipt.cumulative_gas_used - total;
        assert_eq!(found, expected, "{} {before}", hex::encode(code));
        total = receipt.cumulative_gas_used;
    }
}

fn execute(
    store: &MemoryStore,
    chain: ChainSpec,
    transactions: &[Recovered<TxEnvelope>],
) -> Vec<FinishedBlock> {
    let chain = Arc::new(chain);
    let block =
        || Block::new(&chain, header(Fork::Cancun), transactions.to_vec(), vec![], Default::default());
    let run = |threads| with_executor(threads, 0).execute(&StoreRef(store), block()).unwrap();
    let blocks: Vec<_> = [1, 2, 4, 8].into_iter().map(run).collect();
    let plain = PlainExecutor::new().execute(&StoreRef(store), &block()).unwrap();
    let plainly = plain.state_changes(&StoreRef(store)).unwrap();
    for block in &blocks {
        assert_eq!(block.receipts, plain.receipts);
        assert_eq!(block.state_changes().accounts, plainly.accounts);
    }
    blocks
}

#[test]
fn nothing_is_created_where_there_is_storage() {
    let mainnet = || ChainSpec::known(1).unwrap();
    let mut s = Scenario::new(Fork::Cancun);
    let factory = at(1);
    s.contract(factory, &factory2(&mortal()), 0);
    let child = address2(factory, 7, &mortal());
    s.fund(child, 10);
    s.set_storage(child, 3, 4);
    let transactions: Vec<_> =
        (0..6).map(|n| Tx::call(s.user(n), factory).words(&[U256::from(7)]).build(0)).collect();
    let free = execute(&s.store, mainnet(), &transactions);
    let mut state = s.store.clone();
    free[0].state_changes().apply(&mut state);
    assert_eq!(state.account(child).unwrap().unwrap().nonce, 1);
    let occupied =
        execute(&s.store, mainnet().with_occupied_addresses([(child, U256::from(3))]), &transactions);
    let mut state = s.store.clone();
    occupied[0].state_changes().apply(&mut state);
    assert_eq!(state.account(child), s.store.account(child));
    assert_eq!(state.storage(child, U256::from(3)), Ok(U256::from(4)));
    // Each attempt raises the creator's nonce.
    assert_eq!(state.account(factory).unwrap().unwrap().nonce, 7);
    assert!(occupied[0].gas_used > free[0].gas_used);
}

#[test]
fn an_occupied_account_that_is_gone_leaves_its_address_free() {
    let mut s = Scenario::new(Fork::Cancun);
    let factory = at(1);
    s.contract(factory, &factory2(&mortal()), 0);
    let child = address2(factory, 7, &mortal());
    // Empty in the sense of EIP-161, so a touch removes it with its storage.
    s.fund(child, 0);
    s.set_storage(child, 3, 4);
    let (toucher, creator) = (s.user(0), s.user(1));
    let transactions =
        [Tx::pay(toucher, child, 0).build(0), Tx::call(creator, factory).words(&[U256::from(7)]).build(0)];
    let chain = ChainSpec::known(1).unwrap().with_occupied_addresses([(child, U256::from(3))]);
    let blocks = execute(&s.store, chain, &transactions);
    let mut state = s.store.clone();
    blocks[0].state_changes().apply(&mut state);
    assert_eq!(state.account(child).unwrap().unwrap().nonce, 1);
    assert_eq!(state.storage(child, U256::from(3)), Ok(U256::ZERO));
}

#[test]
fn without_system_steps_there_are_transactions_and_a_reward_of_zero() {
    for fork in Fork::ALL {
        let mut s = Scenario::new(fork);
        let (payer, beneficiary) = (s.user(0), at(77));
        // No system contract is there to be missed.
        s.store.remove_account(alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS);
        let header = Header { beneficiary, base_fee_per_gas: None, ..header(fork) };
        let chain = Arc::new(ChainSpec::known(1).unwrap());
        let payment = Tx::pay(payer, at(78), 5).price(0).build(0);
        let block = Block::new(&chain, header, [payment], vec![], Default::default()).without_system_steps();
        let (blocks, store) = ([block], &s.store);
        let report = assert_same(&blocks, store, &[], execute_plainly(&blocks, store), 0..2).all_succeed();
        assert_eq!(report.account(beneficiary).is_some(), fork < Fork::SpuriousDragon, "{fork:?}");
        assert_eq!(report.blocks[0].requests, None);
        assert_eq!(report.account(at(78)).unwrap().balance, U256::from(5));
    }
}

#[test]
fn an_occupied_account_that_is_gone_from_the_base_state_leaves_its_address_free() {
    let mut s = Scenario::new(Fork::Cancun);
    let factory = at(1);
    s.contract(factory, &factory2(&mortal()), 0);
    let child = address2(factory, 7, &mortal());
    // An earlier block removed the account with its storage, and a later one paid to the address.
    s.fund(child, 1);
    let creation = [Tx::call(s.user(0), factory).words(&[U256::from(7)]).build(0)];
    let created = |chain: ChainSpec| {
        let blocks = execute(&s.store, chain, &creation);
        let mut state = s.store.clone();
        blocks[0].state_changes().apply(&mut state);
        state.account(child).unwrap().unwrap().nonce == 1
    };
    let mainnet = || ChainSpec::known(1).unwrap();
    assert!(created(mainnet().with_occupied_addresses([(child, U256::from(3))])));
    // Who names an account by its hash says that it is there.
    assert!(!created(mainnet().with_occupied_hashes([keccak256(child)])));
    assert!(created(mainnet().with_occupied_hashes([keccak256(at(9))])));
}

/// What the plain loop and the engine, with 1, 2 and 8 threads, say of a block: all the same, in words.
fn refusal(chain: &ChainSpec, header: Header) -> ExecutionError<StoreRefError<MissingCode>> {
    let mut s = Scenario::new(Fork::Cancun);
    let block = Block::new(
        &Arc::new(chain.clone()),
        header,
        [Tx::pay(s.user(0), at(9), 1).build(0)],
        vec![],
        Default::default(),
    );
    let plain = PlainExecutor::new().execute(&StoreRef(&s.store), &block).unwrap_err();
    for threads in [1, 2, 8] {
        let parallel = with_executor(threads, 0).execute(&StoreRef(&s.store), block.clone());
        assert_eq!(parallel.unwrap_err().to_string(), plain.to_string());
    }
    plain
}

#[test]
fn a_block_of_a_fork_that_is_not_supported_is_refused_by_name() {
    let sepolia = ChainSpec::known(11155111).unwrap();
    let begin = sepolia.activation(EthereumHardfork::Amsterdam).as_timestamp().unwrap();
    let header = Header { timestamp: begin, excess_blob_gas: Some(0), ..header(Fork::Bpo2) };
    let error = refusal(&sepolia, header);
    assert!(
        matches!(error, ExecutionError::Fork { error: ForkError::Unsupported { fork: "Amsterdam" }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("fork Amsterdam is not supported"), "{error}");
}

#[test]
fn a_block_without_what_its_blobs_cost_is_refused() {
    let mainnet = ChainSpec::known(1).unwrap();
    let error = refusal(&mainnet, Header { excess_blob_gas: None, ..header(Fork::Cancun) });
    assert!(
        matches!(
            &error,
            ExecutionError::Block { error: InvalidBlock::MissingField { field: "excessBlobGas", .. }, .. }
        ),
        "{error}"
    );
    let error = refusal(&mainnet.with_blob_schedule(Vec::new()), header(Fork::Cancun));
    assert!(matches!(error, ExecutionError::Fork { error: ForkError::NoBlobParams { .. }, .. }), "{error}");
}

#[test]
fn forks_at_the_wrong_kind_of_point_are_refused() {
    let forks = [
        (EthereumHardfork::London, ForkCondition::Block(0)),
        (EthereumHardfork::Paris, ForkCondition::Block(0)),
        (EthereumHardfork::Cancun, ForkCondition::Block(0)),
    ];
    let chain = ChainSpec::new(1, EthereumChainHardforks::new(forks), Address::ZERO);
    let error = refusal(&chain, header(Fork::Cancun));
    assert!(
        error.to_string().contains("fork Cancun begins at a block, but can only begin at a time"),
        "{error}"
    );
}
