//! Blocks executed by [`AlloyExecutor`], whose page names what alloy-evm has wrong. Codes and deposits are read here once more, by code of
//! their own. Where alloy-evm lets balances stop at 2^256 - 1, tests say so ([`Scenario::unlike_alloy`](super::Scenario::unlike_alloy)).

use super::bundles;
use super::draft::{CHAIN, Draft};
use super::harness::{Expected, Report, unequal};
use alloy_consensus::Header;
use alloy_eips::eip6110::{DEPOSIT_REQUEST_TYPE, MAINNET_DEPOSIT_CONTRACT_ADDRESS};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork};
use alloy_primitives::{Address, B256, Log, U256, b256};
use revm::bytecode::Bytecode;
use revm::database::{State, WrapDatabaseRef};
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use std::sync::{Arc, LazyLock};
use tandem_evm::{
    AlloyBlock, AlloyExecutor, ChainSpec, ExecutionError, InvalidBlock, Receipt, StoreRef, StoreRefError,
};
use tandem_state::{MemoryStore, MissingCode, Store};

/// The rules of [`CHAIN`], but for deposits, of which there are none.
static NO_DEPOSITS: LazyLock<Arc<ChainSpec>> =
    LazyLock::new(|| Arc::new(ChainSpec::new(1, EthereumChainHardforks::mainnet(), Address::ZERO)));

/// revm's `State` over a store.
pub(crate) type StateOver<'s> = State<WrapDatabaseRef<Base<'s>>>;

/// The state under the rules that know delegations (EIP-7702), or do not.
pub(crate) fn state_over(store: &MemoryStore, delegates: bool) -> StateOver<'_> {
    State::builder().with_database(WrapDatabaseRef(Base { store, delegates })).with_bundle_update().build()
}

/// A store, where code is what the rules make of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'s> {
    store: &'s MemoryStore,
    delegates: bool,
}

impl DatabaseRef for Base<'_> {
    type Error = StoreRefError<MissingCode>;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        StoreRef(self.store).basic_ref(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        let code = self.store.code(hash).map_err(StoreRefError)?;
        let delegation = self.delegates && code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00]);
        Ok(if delegation { Bytecode::new_raw(code) } else { Bytecode::new_legacy(code) })
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        StoreRef(self.store).storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        StoreRef(self.store).block_hash_ref(number)
    }
}

/// The first thing in which alloy-evm's execution of the blocks differs from that in `report`.
pub(crate) fn disagreement(drafts: &[Draft], store: &MemoryStore, report: &Report) -> Option<String> {
    let mut states = vec![store.clone()];
    for (index, draft) in drafts.iter().enumerate() {
        let before = states.last()?;
        let (reference, expected) = match (execute(before, draft, &CHAIN), report.blocks.get(index)) {
            (Ok(reference), Some(expected)) => (reference, expected),
            (Err(refusal), None) if refused_for_nothing(before, draft, &refusal) => {
                return Some(format!("block {index}: {refusal:?}, though its deposits are all right"));
            }
            (Err(refusal), None) => {
                let (found, expected) = (format!("{refusal:?}"), report.error.as_ref()?);
                return (judgement(&found) != judgement(expected))
                    .then(|| format!("{found}, not {expected}"));
            }
            (Ok(_), None) => return Some(format!("block {index} is valid, not {:?}", report.error)),
            (Err(refusal), Some(_)) => return Some(format!("block {index}: {refusal:?}, not valid")),
        };
        let difference = difference(&reference, expected)
            .or_else(|| bundles::difference(before, &reference.bundle, &expected.changes));
        if let Some(difference) = difference {
            return Some(format!("block {index}: {difference}"));
        }
        let mut after = before.clone();
        expected.changes.apply(&mut after);
        after.set_block_hash(draft.header.number, super::fork::block_hash(draft.header.number));
        states.push(after);
    }
    bundles::undo_difference(&states, &report.blocks)
}

/// An error's text without what only explains it.
fn judgement(text: &str) -> &str {
    text.split_inclusive("Deposit").next().unwrap_or(text)
}

fn execute(
    store: &MemoryStore,
    draft: &Draft,
    chain: &Arc<ChainSpec>,
) -> Result<AlloyBlock, ExecutionError<StoreRefError<MissingCode>>> {
    let Header { number, timestamp, .. } = draft.header;
    let delegates = CHAIN.is_active(EthereumHardfork::Prague, number, timestamp);
    AlloyExecutor::new().execute(&Base { store, delegates }, &draft.build_on(chain))
}

/// Whether a block was refused for deposits that are all right.
fn refused_for_nothing<E>(store: &MemoryStore, draft: &Draft, refusal: &ExecutionError<E>) -> bool {
    matches!(refusal, ExecutionError::Block { error: InvalidBlock::Deposit(_), .. })
        && execute(store, draft, &NO_DEPOSITS).is_ok_and(|block| deposits(&block.receipts).is_some())
}

/// What is not as expected, the state left aside.
fn difference(block: &AlloyBlock, expected: &Expected) -> Option<String> {
    let mut receipts = block.receipts.iter().zip(&expected.receipts).enumerate();
    if let Some((index, (found, expected))) = receipts.find(|(_, (found, expected))| found != expected) {
        return unequal(&format!("receipt {index}"), found, expected);
    }
    if block.receipts.len() != expected.receipts.len() {
        return unequal("receipts", &block.receipts.len(), &expected.receipts.len());
    }
    if block.gas_used != expected.gas_used {
        return unequal("gas", &block.gas_used, &expected.gas_used);
    }
    if block.requests != expected.requests {
        return unequal("requests", &block.requests, &expected.requests);
    }
    let requests = expected.requests.as_ref()?;
    let stated = requests.iter().find(|request| request.first() == Some(&DEPOSIT_REQUEST_TYPE));
    let stated = stated.map(|request| request[1..].to_vec()).unwrap_or_default();
    let found = deposits(&block.receipts);
    if found.as_ref() != Some(&stated) { unequal("deposits", &Some(stated), &found) } else { None }
}

/// All deposits of a block; `None` if a log is none that should be.
fn deposits(receipts: &[Receipt]) -> Option<Vec<u8>> {
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs).filter(|log| is_deposit(log));
    let deposits: Option<Vec<_>> = logs.map(|log| deposit(&log.data.data)).collect();
    Some(deposits?.concat())
}

/// The first topic of a deposit's log.
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");

fn is_deposit(log: &Log) -> bool {
    log.address == MAINNET_DEPOSIT_CONTRACT_ADDRESS && log.data.topics().first() == Some(&DEPOSIT_EVENT)
}

/// The deposit in a log's data, whose layout is EIP-6110's: five offsets, and at each a length and so many bytes.
fn deposit(data: &[u8]) -> Option<Vec<u8>> {
    const FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];
    let number = |at: usize| {
        let (high, low) = data.get(at..at + 32)?.split_at(24);
        high.iter()
            .all(|byte| *byte == 0)
            .then(|| low.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    if data.len() != 576 {
        return None;
    }
    let mut deposit = Vec::new();
    for (index, (offset, length)) in FIELDS.into_iter().enumerate() {
        if number(32 * index)? != offset || number(offset)? != length {
            return None;
        }
        deposit.extend(data.get(offset + 32..offset + 32 + length)?);
    }
    Some(deposit)
}
