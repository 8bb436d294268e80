//! A chain whose precompile reads state behind revm's journal, as the transaction found it.

use crate::common::rng::Rng;
use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use std::sync::Arc;
use tandem_evm::revm::context::{CfgEnv, JournalTr, TxEnv};
use tandem_evm::revm::database::{CacheDB, EmptyDB};
use tandem_evm::revm::handler::{EthFrame, EthPrecompiles, MainnetHandler, PrecompileProvider};
use tandem_evm::revm::interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult};
use tandem_evm::revm::primitives::hardfork::SpecId;
use tandem_evm::revm::state::AccountInfo;
use tandem_evm::revm::{Database, DatabaseCommit, DatabaseRef, bytecode::Bytecode};
use tandem_evm::{
    Assembly, Block, BlockId, BlockInput, Charge, Config, ContextOf, EvmEnv, EvmError, EvmOf, Executed,
    Executor, Host, InvalidBlock, PlainExecutor, Protocol, Refusal, StoreError, SystemError, to_evm_states,
};

/// The precompile: notes for its caller the balance of COUNTER or PAYEE, or the count, read behind the journal.
const SPY: Address = address!("00000000000000000000000000000000000005b1");
/// A contract that counts its calls in slot 0.
const COUNTER: Address = address!("0000000000000000000000000000000000c00e70");
/// Gets transfers.
const PAYEE: Address = address!("000000000000000000000000000000000000fa1e");

#[derive(Clone, Debug)]
struct Chain;

impl Protocol for Chain {
    type Body = u64;
    type Tx = TxEnv;
    type Context = ();
    type Receipt = u64;
    type End = ();
    type Summary = ();
    type Precompiles<C: ContextOf<Self>> = Precompiles;
    type Handler<E: EvmOf<Self>> = MainnetHandler<E, EvmError, EthFrame>;

    fn block_id(&self, number: &u64) -> BlockId {
        BlockId { chain_id: 1, number: *number }
    }

    fn environment(&self, _number: &u64) -> Result<EvmEnv, Refusal> {
        let mut env: EvmEnv = EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), ..EvmEnv::default() };
        env.block_env.gas_limit = 1 << 40;
        Ok(env)
    }

    fn end(&self, _block: &Block<Self>, _host: &mut dyn Host<Self>) -> Result<(), SystemError> {
        Ok(())
    }

    fn pay_fees(&self, _charge: &Charge<'_, Self>, _pay: &mut dyn FnMut(Address, U256)) {}

    fn is_plain_transfer(&self, _block: &Block<Self>, tx: &TxEnv) -> bool {
        tx.kind == TxKind::Call(PAYEE)
    }

    fn precompiles<C: ContextOf<Self>>(&self, block: &Block<Self>) -> Precompiles {
        let ethereum = EthPrecompiles::new(block.spec_id());
        let mut addresses = ethereum.warm_addresses().clone();
        addresses.insert(SPY);
        Precompiles { ethereum, addresses }
    }

    fn add_transaction(
        &self,
        _block: &Block<Self>,
        _index: usize,
        executed: Executed,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        assembly.receipts.push(executed.gas_used);
        Ok(())
    }

    fn add_end(
        &self,
        _block: &Block<Self>,
        (): (),
        _assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        Ok(())
    }
}

#[derive(Debug)]
struct Precompiles {
    ethereum: EthPrecompiles,
    addresses: AddressSet,
}

impl<C: ContextOf<Chain>> PrecompileProvider<C> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<C>::set_spec(&mut self.ethereum, spec)
    }

    fn run(&mut self, context: &mut C, call: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        if call.bytecode_address != SPY {
            return self.ethereum.run(context, call);
        }
        let slot = call.caller.into_word().into();
        let mut spy = || -> Result<(), StoreError> {
            let db = context.db_mut();
            let seen = match call.caller[19] % 3 {
                0 => db.basic(COUNTER)?.unwrap_or_default().balance,
                1 => db.basic(PAYEE)?.unwrap_or_default().balance,
                _ => db.storage(COUNTER, U256::ZERO)?,
            };
            let journal = context.journal_mut();
            journal.load_account(SPY)?;
            journal.sstore(SPY, slot, seen)?;
            Ok(())
        };
        spy().map_err(|error| error.to_string())?;
        let gas = Gas::new(call.gas_limit);
        Ok(Some(InterpreterResult::new(InstructionResult::Return, Bytes::new(), gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.addresses
    }
}

fn sender(index: u64) -> Address {
    Address::with_last_byte(100 + index as u8)
}

fn transactions(rng: &mut Rng) -> Vec<TxEnv> {
    let mut nonces = [0; 8];
    let transactions = (0..60).map(|_| {
        let from = rng.below(8);
        let nonce = nonces[from as usize];
        nonces[from as usize] += 1;
        let to = [COUNTER, PAYEE, SPY, sender(rng.below(8))][rng.below(4) as usize];
        let value = U256::from(if to == SPY { 0 } else { rng.below(1000) });
        let caller = sender(from);
        TxEnv { caller, nonce, kind: TxKind::Call(to), value, gas_limit: 200_000, ..TxEnv::default() }
    });
    transactions.collect()
}

fn block(transactions: impl IntoIterator<Item = TxEnv>) -> Block<Chain> {
    let transactions = transactions.into_iter();
    let numbered = transactions.enumerate().map(|(index, tx)| (B256::from(U256::from(index)), tx));
    Block::of(&Arc::new(Chain), 1, numbered)
}

#[test]
fn reads_behind_the_journal_give_what_the_transaction_found() {
    let mut genesis = CacheDB::new(EmptyDB::new());
    for index in 0..8 {
        genesis.insert_account_info(sender(index), AccountInfo::from_balance(U256::from(1_000_000)));
    }
    for (address, code) in [(COUNTER, "5f546001015f55"), (SPY, "00")] {
        let code = Bytecode::new_raw(code.parse().unwrap());
        genesis.insert_account_info(address, AccountInfo::from_bytecode(code).with_nonce(1));
    }
    let mut rng = Rng(4711);
    let (mut spied, mut joined) = (0, 0);
    for case in 0..40 {
        let transactions = transactions(&mut rng);
        // One by one: each transaction on the state that those before it have left.
        let mut state = genesis.clone();
        let mut receipts = Vec::new();
        for transaction in &transactions {
            let executed =
                PlainExecutor::for_protocol().execute(&state, &block([transaction.clone()])).unwrap();
            receipts.extend(executed.receipts.iter().copied());
            let changes = executed.state_changes(&state).unwrap();
            for change in to_evm_states(&changes, |address| state.basic_ref(address)).unwrap() {
                state.commit(change);
            }
        }
        for threads in [1, 2, 4] {
            let config = Config::default().threads(threads).alone_below(0);
            let executor = Executor::for_protocol(&config).unwrap();
            let input = BlockInput::new(block(transactions.clone()), &genesis);
            let (found, metrics) = executor.stream([input]).run(|mut blocks| blocks.next());
            let found = found.unwrap().unwrap();
            assert_eq!(found.receipts, receipts, "case {case} on {threads} threads");
            let mut reached = genesis.clone();
            found.evm_states().into_iter().for_each(|change| reached.commit(change));
            let accounts = (0..8).map(sender).chain([COUNTER, PAYEE, SPY]);
            for account in accounts {
                let (found, expected) = (reached.basic_ref(account), state.basic_ref(account));
                assert_eq!(found, expected, "{account}, case {case} on {threads} threads");
                let slot = U256::from_be_bytes(account.into_word().0);
                let (found, expected) = (reached.storage_ref(SPY, slot), state.storage_ref(SPY, slot));
                assert_eq!(found, expected, "slot of {account}, case {case} on {threads} threads");
                spied += u64::from(!expected.unwrap().is_zero());
            }
            joined += metrics.joined;
        }
    }
    assert!(spied > 500 && joined > 1_000, "{spied} slots, {joined} steps joined others");
}
