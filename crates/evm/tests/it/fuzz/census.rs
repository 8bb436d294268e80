//! Looks at what happens in a case, by executing it once more under an inspector.

use crate::common::{Fork, apply};
use crate::fuzz::case::{Case, CaseBlock};
use crate::fuzz::lives::{Done, Lives};
use crate::fuzz::run::Trial;
use crate::fuzz::shapes::{Counts, Shape};
use alloy_eips::eip6110::DEPOSIT_REQUEST_TYPE;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_evm::{EvmEnv, FromRecoveredTx};
use alloy_hardforks::EthereumChainHardforks;
use alloy_primitives::map::{AddressMap, AddressSet, HashSet};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::bytecode::opcode as op;
use revm::context::result::{ExecutionResult, HaltReason};
use revm::context::{Block as _, Context, ContextTr, Journal, JournalTr, Transaction, TxEnv};
use revm::context_interface::transaction::AuthorizationTr;
use revm::database::CacheDB;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_types::Jumps;
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
};
use revm::state::{AccountInfo, EvmState};
use revm::{DatabaseCommit, DatabaseRef, InspectEvm, Inspector, MainBuilder};
use tandem_evm::{ChainSpec, StoreRef};
use tandem_state::MemoryStore;

const SYSTEM_CONTRACTS: [Address; 4] = [
    eip4788::BEACON_ROOTS_ADDRESS,
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
];

/// The inspector.
#[derive(Default)]
struct Witness {
    counts: Counts,
    /// In whose favour the transaction destroyed contracts.
    heirs: AddressSet,
    precompiles: AddressSet,
    beneficiary: Address,
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for Witness {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, _: &mut CTX) {
        let shape = match interpreter.bytecode.opcode() {
            op::BALANCE => {
                let shown = interpreter.stack.peek(0).unwrap_or_default();
                let beneficiary = Address::from_word(B256::from(shown)) == self.beneficiary;
                self.counts.note(Shape::BeneficiaryShown, beneficiary);
                Shape::BalanceShown
            }
            op::SELFBALANCE => Shape::BalanceShown,
            op::EXTCODEHASH => Shape::HashShown,
            op::BLOCKHASH => Shape::BlockHash,
            op::TLOAD | op::TSTORE => Shape::Transient,
            op::SSTORE => Shape::Writes,
            op::CALLCODE | op::DELEGATECALL => Shape::Delegatecalls,
            _ => return,
        };
        self.counts.add(shape, 1);
    }

    fn call_end(&mut self, _: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        let result = outcome.result.result;
        if self.precompiles.contains(&inputs.bytecode_address) {
            let shape = if result.is_ok() { Shape::Precompiles } else { Shape::PrecompilesFail };
            self.counts.add(shape, 1);
        }
        self.counts.note(Shape::CallsReverted, result == InstructionResult::Revert);
        self.counts.note(Shape::CallsOutOfGas, result == InstructionResult::OutOfGas);
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        let collision = outcome.result.result == InstructionResult::CreateCollision;
        self.counts.note(Shape::Collisions, collision);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, _: U256) {
        self.heirs.insert(target);
        self.counts.note(Shape::SweptToBeneficiary, target == self.beneficiary);
        self.counts.note(Shape::SweptToSelf, target == contract);
    }
}

/// Counts what is in a case.
pub(crate) fn count(case: &Case, trial: &Trial<'_>, counts: &mut Counts) {
    let mut state = trial.store.clone();
    let mut destroyed = AddressSet::default();
    counts.note(Shape::Quiet, case.quiet);
    let forks: HashSet<_> = case.blocks.iter().map(|block| block.fork as u8).collect();
    counts.note(Shape::ForkChanges, forks.len() > 1);
    for (index, block) in case.blocks.iter().enumerate() {
        counts.add(Shape::Withdrawals, block.withdrawals.len() as u64);
        counts.add(Shape::Ommers, block.ommers.len() as u64);
        count_block(block, &state, &mut destroyed, counts);
        if let Some(expected) = trial.report.blocks.get(index) {
            apply(&mut state, &expected.changes);
            for request in expected.requests.iter().flat_map(|all| all.iter()) {
                let deposits = request.first() == Some(&DEPOSIT_REQUEST_TYPE);
                counts.add(if deposits { Shape::Deposits } else { Shape::Requests }, 1);
            }
        }
    }
    if let Some(error) = &trial.report.error {
        let shape = match error {
            error if error.contains("NonceToo") => Shape::InvalidNonce,
            error if error.contains("LackOfFund") => Shape::InvalidFunds,
            error if error.contains("GasLimit {") => Shape::Crowded,
            error if error.contains("Deposit") => Shape::InvalidDeposit,
            error if error.contains("System") => Shape::InvalidSystem,
            _ => Shape::InvalidOther,
        };
        counts.add(shape, 1);
    }
}

fn count_block(block: &CaseBlock, state: &MemoryStore, destroyed: &mut AddressSet, counts: &mut Counts) {
    let header = block.header();
    let blob_params = ChainSpec::known(1).and_then(|chain| chain.blob_params(header.timestamp));
    let hardforks = EthereumChainHardforks::mainnet();
    let EvmEnv { cfg_env, block_env, .. } = EvmEnv::for_eth_block(&header, hardforks, 1, blob_params);
    let spec = cfg_env.spec;
    let mut journal: Journal<_> = Journal::new(CacheDB::new(StoreRef(state)));
    journal.set_spec_id(spec);
    let ctx = Context {
        block: block_env,
        tx: TxEnv::default(),
        cfg: cfg_env,
        journaled_state: journal,
        chain: (),
        local: Default::default(),
        error: Ok(()),
    };
    let mut evm = ctx.build_mainnet_with_inspector(Witness::default());
    evm.inspector.precompiles = evm.precompiles.warm_addresses().clone();
    evm.inspector.beneficiary = evm.ctx.block.beneficiary();
    let mut lives = Lives::default();
    for planned in &block.transactions {
        let (transaction, sender) =
            planned.tx.clone().build(planned.tx.nonce.unwrap_or_default()).into_parts();
        let env = TxEnv::from_recovered_tx(&transaction, sender);
        let before = |address: Address| evm.ctx.journaled_state.database.basic_ref(address).ok().flatten();
        let [from, to] = [Some(sender), env.kind.to().copied()]
            .map(|address| address.is_some_and(|address| is_delegated(before(address).as_ref())));
        evm.inspector.heirs.clear();
        let Ok(done) = evm.inspect_tx(env.clone()) else { break };
        let precompile = env.kind.to().is_some_and(|address| evm.inspector.precompiles.contains(address));
        let Witness { counts, heirs, .. } = &mut evm.inspector;
        let followed = Done { tx: &env, state: &done.state, heirs, beneficiary: block.beneficiary };
        lives.follow(&followed, counts);
        counts.note(Shape::SentToPrecompile, precompile);
        let counts = &mut evm.inspector.counts;
        let beneficiary = block.beneficiary;
        counts.note(Shape::SentByDelegated, from);
        counts.note(Shape::SentToDelegated, to);
        counts.note(Shape::SentByBeneficiary, sender == beneficiary);
        counts.note(Shape::SentToBeneficiary, env.kind.to() == Some(&beneficiary));
        count_transaction(&env, &done.result, &done.state, counts);
        let db = &evm.ctx.journaled_state.database;
        for (address, account) in &done.state {
            let holds =
                |slot: u64| db.storage_ref(*address, U256::from(slot)).is_ok_and(|value| !value.is_zero());
            if account.is_selfdestructed() {
                counts.add(Shape::Destroyed, 1);
                counts.note(Shape::CreatedAndDestroyed, account.is_created());
                counts.note(Shape::Wiped, (0..3).any(holds));
                destroyed.insert(*address);
            } else if account.is_created() {
                counts.add(Shape::Created, 1);
                counts.note(Shape::CreatedAgain, destroyed.contains(address));
                counts.note(Shape::SystemDeployed, SYSTEM_CONTRACTS.contains(address));
            } else if block.fork >= Fork::SpuriousDragon && account.is_touched() && account.is_empty() {
                counts.note(Shape::Emptied, !account.is_loaded_as_not_existing());
            }
        }
        evm.ctx.journaled_state.database.commit(done.state);
    }
    counts.merge(&evm.inspector.counts);
}

fn count_transaction(env: &TxEnv, result: &ExecutionResult, state: &EvmState, counts: &mut Counts) {
    let types = [Shape::Legacy, Shape::Type1, Shape::Type2, Shape::Blobs, Shape::Type4];
    counts.add(types[usize::from(env.tx_type)], 1);
    counts.note(Shape::AccessLists, !env.access_list.is_empty());
    counts.note(Shape::Deployments, env.kind.is_create());
    match result {
        ExecutionResult::Success { .. } => {}
        ExecutionResult::Revert { .. } => counts.add(Shape::Reverted, 1),
        ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => counts.add(Shape::OutOfGas, 1),
        ExecutionResult::Halt { .. } => counts.add(Shape::Halted, 1),
    }
    if let Some(sender) = state.get(&env.caller) {
        counts.note(Shape::Poor, sender.info.balance < U256::from(1_000));
        counts.note(Shape::Penniless, sender.info.balance.is_zero());
    }
    let authorities: AddressMap<()> =
        env.authorization_list().filter_map(|signed| Some((signed.authority()?, ()))).collect();
    for account in authorities.keys().filter_map(|authority| state.get(authority)) {
        let [before, after] = [account.original_info().code_hash, account.info.code_hash];
        let shape = match (before == KECCAK256_EMPTY, after == KECCAK256_EMPTY) {
            _ if before == after => continue,
            (true, _) => Shape::DelegationsSet,
            (_, true) => Shape::DelegationsCleared,
            _ => Shape::DelegationsChanged,
        };
        counts.add(shape, 1);
    }
}

/// Whether these are the fields of an account that can sign, and that has code.
fn is_delegated(info: Option<&AccountInfo>) -> bool {
    info.and_then(|info| info.code.as_ref()).is_some_and(|code| code.is_eip7702())
}
