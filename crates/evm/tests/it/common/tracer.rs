//! Everything that revm-inspectors' tracers tell of a transaction, by the engine and one by one.

use super::reference::state_over;
use alloy_evm::{Evm, EvmFactory, eth::EthEvmFactory};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rpc_types_trace::geth::{
    CallConfig, CallFrame, DefaultFrame, FourByteFrame, GethDefaultTracingOptions, PreStateConfig,
    PreStateFrame,
};
use revm::bytecode::Bytecode;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::context::{ContextTr, JournalTr};
use revm::database_interface::{Database, DatabaseCommit, DatabaseRef};
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm_inspectors::tracing::{FourByteInspector, TracingInspector, TracingInspectorConfig};
use serde::Serialize;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use tandem_evm::{Block, ContextOf, Protocol, Tracing};
use tandem_state::MemoryStore;

/// What watches a transaction: the tracer of calls, instructions and states, and that of function selectors.
type Inspectors = (TracingInspector, FourByteInspector);

/// What is looked at besides calls, instructions and selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Nowhere,
    /// At the accounts that a transaction has loaded, as it leaves them.
    AtTheEnd,
    /// At those accounts before the transaction and after it.
    AtBothEnds,
}

/// The traces of a transaction by all tracers.
#[derive(Serialize)]
struct AllTraces {
    calls: CallFrame,
    instructions: DefaultFrame,
    selectors: FourByteFrame,
    accounts: Option<BTreeMap<Address, (U256, u64)>>,
    /// By the tracer of states: before the transaction, and both.
    states: Option<[PreStateFrame; 2]>,
}

/// Traces transactions by all tracers, and makes a `T` of the traces.
pub(crate) struct Tracers<T> {
    look: Look,
    /// Whether the memory is recorded at each instruction.
    memory: bool,
    make: fn(&AllTraces) -> T,
}

/// Everything, as JSON.
pub(crate) fn whole_traces(look: Look) -> Tracers<Value> {
    Tracers { look, memory: true, make: |told| json!(told) }
}

/// A hash of all but the memory, for traces that are too long to be kept.
pub(crate) fn hashed_traces(look: Look) -> Tracers<B256> {
    let make = |told: &AllTraces| keccak256(serde_json::to_vec(told).unwrap());
    Tracers { look, memory: false, make }
}

impl<T> Tracers<T> {
    fn inspectors(&self) -> Inspectors {
        let config = TracingInspectorConfig::all().set_memory_snapshots(self.memory);
        (TracingInspector::new(config), FourByteInspector::default())
    }

    /// Makes a trace of a transaction that has ended.
    fn trace(
        &self,
        (tracer, selectors): &Inspectors,
        outcome: &ResultAndState,
        before: impl DatabaseRef<Error: Debug>,
    ) -> T {
        let gas_used = outcome.result.tx_gas_used();
        let builder = tracer.geth_builder();
        let call = CallConfig { with_log: Some(true), ..CallConfig::default() };
        let options = GethDefaultTracingOptions { enable_memory: Some(self.memory), ..Default::default() };
        let output = outcome.result.output().cloned().unwrap_or_else(Bytes::new);
        let accounts = || {
            let loaded = outcome.state.iter();
            loaded.map(|(address, account)| (*address, (account.info.balance, account.info.nonce))).collect()
        };
        let states = || {
            [false, true].map(|diff_mode| {
                let config = PreStateConfig { diff_mode: Some(diff_mode), ..Default::default() };
                builder.geth_prestate_traces(outcome, &config, &before).unwrap()
            })
        };
        (self.make)(&AllTraces {
            calls: builder.geth_call_traces(call, gas_used),
            instructions: builder.geth_traces(gas_used, output, options),
            selectors: FourByteFrame::from(selectors),
            accounts: (self.look != Look::Nowhere).then(accounts),
            states: (self.look == Look::AtBothEnds).then(states),
        })
    }

    /// The traces of a block's transactions, executed one by one by alloy-evm.
    pub(crate) fn serially(&self, block: &Block, store: &MemoryStore) -> Vec<T> {
        let mut db = state_over(store, block.spec_id().is_enabled_in(SpecId::PRAGUE));
        (0..block.transaction_count())
            .map(|index| {
                let (env, inspectors) = (block.env().clone(), self.inspectors());
                let mut evm = EthEvmFactory::default().create_evm_with_inspector(&mut db, env, inspectors);
                let outcome = evm.transact(block.transaction(index).as_ref().clone()).unwrap();
                let inspectors = std::mem::replace(evm.inspector_mut(), self.inspectors());
                drop(evm);
                let trace = self.trace(&inspectors, &outcome, Before(RefCell::new(&mut db)));
                db.commit(outcome.state);
                trace
            })
            .collect()
    }
}

impl<P: Protocol, T: Send> Tracing<P> for Tracers<T> {
    type Inspector<C: ContextOf<P>> = Inspectors;
    type Trace = T;

    fn looks_at_state(&self) -> bool {
        self.look != Look::Nowhere
    }

    fn begin<C: ContextOf<P>>(&self, _block: &tandem_evm::protocol::Block<P>, _index: usize) -> Inspectors {
        self.inspectors()
    }

    fn end<C: ContextOf<P>>(&self, inspectors: Inspectors, result: &ExecutionResult, context: &mut C) -> T {
        let state = context.journal().evm_state().clone();
        let outcome = ResultAndState { result: result.clone(), state };
        self.trace(&inspectors, &outcome, Before(RefCell::new(context.db_mut())))
    }
}

/// The state before a transaction, whoever has it.
struct Before<'a, D>(RefCell<&'a mut D>);

impl<D: Database> DatabaseRef for Before<'_, D> {
    type Error = D::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        self.0.borrow_mut().code_by_hash(hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.0.borrow_mut().storage(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.0.borrow_mut().block_hash(number)
    }
}

/// Where two traces differ first.
pub(crate) fn first_difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let keys = ours.keys().chain(theirs.keys());
            keys.into_iter().find_map(|key| {
                let (one, other) =
                    (one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null));
                first_difference(one, other).map(|rest| format!("{key}.{rest}"))
            })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => ours
            .iter()
            .zip(theirs)
            .enumerate()
            .find_map(|(index, (one, other))| Some(format!("{index}.{}", first_difference(one, other)?))),
        _ => (one != other).then(|| format!(": {one} and {other}")),
    }
}
