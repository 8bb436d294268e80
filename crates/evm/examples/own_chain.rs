//! A chain of one's own on Tandem: `cargo run --release -p tandem-evm --example own_chain -- --transactions 100000`.
//!
//! A precompile with state, a vault for all fees, deposits (transactions without signature and nonce), a system call with a receipt at
//! each block's end, a base fee of zero. The second half executes random blocks on 1, 2, 4 and 8 threads, and compares with one by one.

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256, address, keccak256};
use std::sync::Arc;
use std::time::Duration;
use tandem_evm::revm::context::result::{ExecutionResult, HaltReason};
use tandem_evm::revm::context::{CfgEnv, ContextTr, JournalTr, Transaction, TxEnv};
use tandem_evm::revm::context_interface::journaled_state::account::JournaledAccountTr;
use tandem_evm::revm::database::{CacheDB, EmptyDB};
use tandem_evm::revm::handler::{EthFrame, EthPrecompiles, Handler, MainnetHandler, PrecompileProvider};
use tandem_evm::revm::interpreter::{
    CallInputs, Gas, InitialAndFloorGas, InstructionResult, InterpreterResult,
};
use tandem_evm::revm::{
    DatabaseCommit, DatabaseRef, bytecode::Bytecode, primitives::hardfork::SpecId, state::AccountInfo,
};
use tandem_evm::{
    Assembly, Block, BlockId, BlockInput, Charge, Config, ContextOf, EvmEnv, EvmError, EvmOf, Executed,
    Executor, Host, InvalidBlock, PlainExecutor, Protocol, Refusal, SenderRule, StoreError, SystemError,
    to_evm_states,
};

/// Gets all fees.
const VAULT: Address = address!("00000000000000000000000000000000000fee00");
/// The precompile: adds the caller's balance to what it has noted for it.
const METER: Address = address!("0000000000000000000000000000000000c07e40");
/// The contract that each block calls at its end.
const CLOCK: Address = address!("0000000000000000000000000000000000c10c40");
/// A contract that adds the balance of the vault to a slot.
const READER: Address = address!("00000000000000000000000000000000004ead00");
const DEPOSIT: u8 = 0x7e;

#[derive(Clone, Debug)]
struct OwnChain;

#[derive(Clone, Debug, PartialEq)]
struct Receipt {
    /// The transaction's type; `None` for the system call.
    tx_type: Option<u8>,
    success: bool,
    cumulative_gas: u64,
    logs: Vec<Log>,
}

impl Protocol for OwnChain {
    /// All that a block has besides its transactions is its number.
    type Body = u64;
    type Tx = TxEnv;
    type Context = ();
    type Receipt = Receipt;
    type End = ExecutionResult;
    type Summary = ();
    type Precompiles<C: ContextOf<Self>> = Precompiles;
    type Handler<E: EvmOf<Self>> = Rules<E>;

    fn block_id(&self, number: &u64) -> BlockId {
        BlockId { chain_id: 4711, number: *number }
    }

    fn environment(&self, number: &u64) -> Result<EvmEnv, Refusal> {
        let mut env: EvmEnv = EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), ..EvmEnv::default() };
        env.cfg_env.chain_id = 4711;
        env.block_env.number = U256::from(*number);
        env.block_env.timestamp = U256::from(12 * *number);
        env.block_env.gas_limit = 1 << 40;
        Ok(env)
    }

    fn end(&self, block: &Block<Self>, host: &mut dyn Host<Self>) -> Result<ExecutionResult, SystemError> {
        let number = B256::from(U256::from(*block.body()));
        let kind = TxKind::Call(CLOCK);
        host.call(TxEnv { kind, data: number.into(), gas_limit: 1_000_000, ..TxEnv::default() })
    }

    fn sender_rule(&self, tx: &TxEnv) -> SenderRule {
        if tx.tx_type == DEPOSIT { SenderRule::Exact } else { SenderRule::standard(tx) }
    }

    fn pay_fees(&self, charge: &Charge<'_, Self>, pay: &mut dyn FnMut(Address, U256)) {
        pay(VAULT, U256::from(charge.tx.gas_price) * U256::from(charge.gas_used));
    }

    fn is_plain_transfer(&self, block: &Block<Self>, tx: &TxEnv) -> bool {
        let ethereum = EthPrecompiles::new(block.spec_id());
        let is_account = |to: &Address| *to != METER && !ethereum.contains(to);
        tx.tx_type == 0 && tx.data.is_empty() && tx.kind.to().is_some_and(is_account)
    }

    fn precompiles<C: ContextOf<Self>>(&self, block: &Block<Self>) -> Precompiles {
        Precompiles::new(block.spec_id())
    }

    fn is_stateless(&self, precompile: &Address) -> bool {
        *precompile != METER
    }

    fn add_transaction(
        &self,
        block: &Block<Self>,
        index: usize,
        executed: Executed,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        assembly.receipts.push(Receipt {
            tx_type: Some(block.transaction(index).tx_type),
            success: executed.success,
            cumulative_gas: assembly.gas_used,
            logs: executed.logs,
        });
        Ok(())
    }

    fn add_end(
        &self,
        _block: &Block<Self>,
        end: ExecutionResult,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock> {
        if !end.is_success() {
            return Err(InvalidBlock::SystemCall(CLOCK));
        }
        let (success, cumulative_gas, logs) = (true, assembly.gas_used, end.into_logs());
        assembly.receipts.push(Receipt { tx_type: None, success, cumulative_gas, logs });
        Ok(())
    }
}

/// Ethereum's rules, but for deposits.
struct Rules<E>(MainnetHandler<E, EvmError, EthFrame>);

impl<E> Default for Rules<E> {
    fn default() -> Self {
        Self(MainnetHandler::default())
    }
}

impl<E: EvmOf<OwnChain>> Handler for Rules<E> {
    type Evm = E;
    type Error = EvmError;
    type HaltReason = HaltReason;

    /// A deposit mints what it sends, and nobody has to have signed it.
    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut E,
        gas: &mut InitialAndFloorGas,
    ) -> Result<(), EvmError> {
        if evm.ctx().tx().tx_type != DEPOSIT {
            return self.0.validate_against_state_and_deduct_caller(evm, gas);
        }
        let (tx, journal) = evm.ctx().tx_journal_mut();
        let (sender, value) = (tx.caller(), tx.value());
        journal.load_account_with_code_mut(sender)?.data.incr_balance(value);
        Ok(())
    }
}

/// Ethereum's precompiles and the meter.
#[derive(Debug)]
struct Precompiles {
    ethereum: EthPrecompiles,
    addresses: AddressSet,
}

impl Precompiles {
    fn new(spec: SpecId) -> Self {
        let ethereum = EthPrecompiles::new(spec);
        let mut addresses = ethereum.warm_addresses().clone();
        addresses.insert(METER);
        Self { ethereum, addresses }
    }
}

impl<C: ContextOf<OwnChain>> PrecompileProvider<C> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: SpecId) -> bool {
        PrecompileProvider::<C>::set_spec(&mut self.ethereum, spec)
    }

    /// Reads and writes through revm's journal, and so may be executed any number of times.
    fn run(&mut self, context: &mut C, call: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        if call.bytecode_address != METER {
            return self.ethereum.run(context, call);
        }
        let mut gas = Gas::new(call.gas_limit);
        if call.is_static || call.target_address != METER || !gas.record_regular_cost(25_000) {
            return Ok(Some(InterpreterResult::new(InstructionResult::PrecompileError, Bytes::new(), gas)));
        }
        let slot = call.caller.into_word().into();
        let journal = context.journal_mut();
        let mut note = || -> Result<(), StoreError> {
            let balance = journal.load_account(call.caller)?.data.info.balance;
            journal.load_account(METER)?;
            let noted = journal.sload(METER, slot)?.data;
            journal.sstore(METER, slot, noted.wrapping_add(balance))?;
            Ok(())
        };
        note().map_err(|error| error.to_string())?;
        Ok(Some(InterpreterResult::new(InstructionResult::Return, Bytes::new(), gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.addresses
    }
}

// What follows is a test of the chain.

/// A store whose reads of accounts take some time, at random.
struct SlowStore(CacheDB<EmptyDB>);

impl DatabaseRef for SlowStore {
    type Error = std::convert::Infallible;
    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        std::thread::sleep(Duration::from_micros(u64::from(keccak256(address)[0]) / 12));
        self.0.basic_ref(address)
    }
    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Self::Error> {
        self.0.code_by_hash_ref(hash)
    }
    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.0.storage_ref(address, slot)
    }
    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.0.block_hash_ref(number)
    }
}

/// A block of 100 random transactions; `nonces` are those of the 50 senders, `random` gives a number below its argument.
fn block(number: u64, nonces: &mut [u64; 50], random: &mut impl FnMut(u64) -> u64) -> Block<OwnChain> {
    let account = |index| Address::with_last_byte(100 + index as u8);
    let transactions = (0..100).map(|_| {
        let sender = random(50);
        let to = [METER, READER, VAULT, account(random(60)), account(random(60))][random(5) as usize];
        let mut tx =
            TxEnv { caller: account(sender), gas_limit: 200_000, chain_id: Some(4711), ..TxEnv::default() };
        (tx.kind, tx.value) = (TxKind::Call(to), U256::from(random(3) * random(1_000_000)));
        if random(4) == 0 {
            tx.tx_type = DEPOSIT;
        } else {
            (tx.gas_price, tx.nonce) = (random(20).into(), nonces[sender as usize]);
            nonces[sender as usize] += 1;
        }
        (B256::from(U256::from(random(u64::MAX))), tx)
    });
    Block::of(&Arc::new(OwnChain), number, transactions)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u64 = match std::env::args().collect::<Vec<_>>().get(1..) {
        None | Some([]) => 100_000,
        Some([option, count]) if option == "--transactions" => count.parse()?,
        Some(_) => return Err("usage: own_chain [--transactions COUNT]".into()),
    };
    let mut state = CacheDB::new(EmptyDB::new());
    let funded = AccountInfo::from_balance(U256::from(10).pow(U256::from(15)));
    (100..150).for_each(|index| state.insert_account_info(Address::with_last_byte(index), funded.clone()));
    // CLOCK stores the number of the block in slot 0 and logs it. READER adds the vault's balance to slot 0.
    let clock = "5f355f555f5f525f355f5260205fa0";
    let reader = format!("73{VAULT:x}315f54015f5500");
    for (address, code) in [(CLOCK, clock), (READER, &reader), (METER, "00")] {
        let code = Bytecode::new_raw(code.parse()?);
        state.insert_account_info(address, AccountInfo::from_bytecode(code).with_nonce(1));
    }
    let genesis = SlowStore(state.clone());
    let mut seed = 4711_u64;
    let mut random = |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut nonces, numbers) = ([0; 50], 1..=count.div_ceil(100));
    let blocks: Vec<_> = numbers.map(|number| block(number, &mut nonces, &mut random)).collect();
    let mut serial = Vec::new();
    for block in &blocks {
        let executed = PlainExecutor::for_protocol().execute(&state, block)?;
        let changes = executed.state_changes(&state)?;
        for change in to_evm_states(&changes, |address| state.basic_ref(address))? {
            state.commit(change);
        }
        serial.push((changes, executed.receipts));
    }
    let mut differences = 0;
    for threads in [1, 2, 4, 8] {
        let executor = Executor::for_protocol(&Config::default().threads(threads))?;
        let inputs = blocks.iter().map(|block| BlockInput::new(block.clone(), &genesis));
        let (parallel, metrics) = executor.stream(inputs).run(|blocks| blocks.collect::<Result<Vec<_>, _>>());
        let results = parallel?.into_iter().map(|block| (block.state_changes(), block.receipts));
        differences += blocks.len() - results.zip(&serial).filter(|(found, serial)| found == *serial).count();
        println!("{threads} threads: {} conflicts", metrics.conflicts);
    }
    println!("{} transactions, {differences} differences", 100 * blocks.len());
    Ok(())
}
