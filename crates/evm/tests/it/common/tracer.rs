//! Everything that revm-inspectors' tracers tell of a transaction, by the engine and one by one.

use super::reference::state_over;
use alloy_evm::{Evm, EvmFactory, eth::EthEvmFactory};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_trace::geth::{CallConfig, FourByteFrame, GethDefaultTracingOptions, PreStateConfig};
use revm::bytecode::Bytecode;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::context::{ContextTr, JournalTr};
use revm::database_interface::{Database, DatabaseCommit, DatabaseRef};
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm_inspectors::tracing::{FourByteInspector, TracingInspector, TracingInspectorConfig};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tandem_evm::{Block, ContextOf, Protocol, Tracing};
use tandem_state::MemoryStore;

/// What watches a transaction: the tracer of calls, instructions and states, and that of function selectors.
type Inspectors = (TracingInspector, FourByteInspector);

fn inspectors() -> Inspectors {
    (TracingInspector::new(TracingInspectorConfig::all()), FourByteInspector::default())
}

/// What is looked at besides calls, instructions and selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Nowhere,
    /// At the accounts that a transaction has loaded, as it leaves them.
    AtTheEnd,
    /// At those accounts before the transaction and after it.
    AtBothEnds,
}

/// Has transactions watched.
pub(crate) struct Tracers(pub(crate) Look);

impl<P: Protocol> Tracing<P> for Tracers {
    type Inspector<C: ContextOf<P>> = Inspectors;
    type Trace = Value;

    fn looks_at_state(&self) -> bool {
        self.0 != Look::Nowhere
    }

    fn begin<C: ContextOf<P>>(&self, _block: &tandem_evm::protocol::Block<P>, _index: usize) -> Inspectors {
        inspectors()
    }

    fn end<C: ContextOf<P>>(
        &self,
        inspectors: Inspectors,
        result: &ExecutionResult,
        context: &mut C,
    ) -> Value {
        let state = context.journal().evm_state().clone();
        let outcome = ResultAndState { result: result.clone(), state };
        let db = Before(RefCell::new(context.db_mut()));
        trace(&inspectors, &outcome, db, self.0)
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

/// All that the tracers tell.
fn trace(
    (tracer, selectors): &Inspectors,
    outcome: &ResultAndState,
    before: impl DatabaseRef,
    look: Look,
) -> Value {
    let gas_used = outcome.result.tx_gas_used();
    let builder = tracer.geth_builder();
    let call = CallConfig { with_log: Some(true), ..CallConfig::default() };
    let options = GethDefaultTracingOptions { enable_memory: Some(true), ..Default::default() };
    let output = outcome.result.output().cloned().unwrap_or_else(Bytes::new);
    let loaded = outcome.state.iter().map(|(address, account)| (*address, &account.info));
    let accounts: BTreeMap<_, _> =
        loaded.map(|(address, info)| (address, (info.balance, info.nonce))).collect();
    let states = (look == Look::AtBothEnds).then(|| {
        [false, true].map(|diff_mode| {
            let config = PreStateConfig { diff_mode: Some(diff_mode), ..Default::default() };
            let traced = builder.geth_prestate_traces(outcome, &config, &before);
            json!(traced.map_err(|error| error.to_string()).unwrap())
        })
    });
    json!({
        "calls": builder.geth_call_traces(call, gas_used),
        "instructions": builder.geth_traces(gas_used, output, options),
        "selectors": FourByteFrame::from(selectors),
        "accounts": (look != Look::Nowhere).then_some(accounts),
        "states": states,
    })
}

/// The traces of a block's transactions, executed one by one by alloy-evm.
pub(crate) fn trace_serially(block: &Block, store: &MemoryStore, look: Look) -> Vec<Value> {
    let mut db = state_over(store, block.spec_id().is_enabled_in(SpecId::PRAGUE));
    (0..block.transaction_count())
        .map(|index| {
            let mut evm = EthEvmFactory::default().create_evm_with_inspector(
                &mut db,
                block.env().clone(),
                inspectors(),
            );
            let outcome = evm.transact(block.transaction(index).as_ref().clone()).unwrap();
            let inspectors = std::mem::replace(evm.inspector_mut(), inspectors());
            drop(evm);
            let traced = trace(&inspectors, &outcome, Before(RefCell::new(&mut db)), look);
            db.commit(outcome.state);
            traced
        })
        .collect()
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
