//! What a chain decides and the engine does not.

mod assembly;
mod block;
pub(crate) mod collisions;
pub(crate) mod errors;
pub(crate) mod forward;
pub(crate) mod sender;
pub(crate) mod tracing;
pub(crate) mod transaction;

use collisions::StorageCollisions;
use errors::{EvmError, SystemError};
use sender::SenderRule;
use transaction::Transaction;

use crate::error::{BlockId, InvalidBlock, Refusal};
use crate::state::StoreError;
use alloy_evm::EvmEnv;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use revm::context::result::{ExecutionResult, HaltReason};
use revm::context::{BlockEnv, CfgEnv, ContextTr, LocalContext};
use revm::database_interface::Database;
use revm::handler::{EthFrame, EvmTr, Handler, PrecompileProvider};
use revm::inspector::JournalExt;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::{Instruction, InterpreterResult};
use revm::primitives::hardfork::SpecId;
use std::fmt::Debug;
use std::sync::Arc;

/// Everything that a chain decides and the engine does not: forks, kinds of transactions, precompiles, fees, what happens at a
/// block's start and end, receipts.
///
/// A value of it is one chain: its parameters. [`crate::ChainSpec`] is Ethereum's; `examples/own_chain.rs` is a chain to copy.
///
/// # What must hold
///
/// The engine executes a transaction any number of times, on values that may be stale, and uses the result whose reads turn out to be
/// right. So everything here must be a function of its arguments and of what it reads through the host or through revm's context: no
/// clock, no counter, no cache that outlives the call. In particular:
///
/// * [`Protocol::Context`] is made anew for each transaction. State that a handler caches there does not reach the next one.
/// * Handlers, precompiles and instructions read and change state through revm's journal, whose entries tell of changes. A read behind
///   it, by `db_mut()`, is recorded as well, and gives a slot or an account as the step found it.
/// * What they read of accounts is relied on exactly as it was seen, unless the protocol says less: [`Protocol::sender_rule`],
///   [`Protocol::is_stateless`].
pub trait Protocol: Clone + Debug + Send + Sync + 'static {
    /// What a block has besides its transactions: on Ethereum header, ommers and withdrawals.
    type Body: Clone + Debug + Send + Sync;
    /// A transaction as revm executes it. Cloned for each execution.
    type Tx: revm::context::Transaction + Clone + Debug + Default + Send + Sync;
    /// The chain's own part of revm's context.
    type Context: Default + Debug + Send;
    /// A transaction's receipt.
    type Receipt: Clone + Debug + PartialEq + Send + Sync;
    /// What a block's last step yields: on Ethereum, the requests of system contracts.
    type End: Debug + Send;
    /// What a finished block has besides receipts: on Ethereum, all requests.
    type Summary: Clone + Debug + Default + PartialEq + Send + Sync;
    /// The precompiles.
    type Precompiles<C: ContextOf<Self>>: PrecompileProvider<C, Output = InterpreterResult>;
    /// The rules by which revm executes a transaction: any handler.
    type Handler<E: EvmOf<Self>>: Handler<Evm = E, Error = EvmError, HaltReason = HaltReason> + Default;

    /// The block's name in messages.
    fn block_id(&self, body: &Self::Body) -> BlockId;

    /// The block's environment.
    ///
    /// # Errors
    ///
    /// If the block is of a fork that is not known, or lacks what its rules demand. Then it is not executed.
    fn environment(&self, body: &Self::Body) -> Result<EvmEnv, Refusal>;

    /// The hash of the parent, for BLOCKHASH in this block and in later ones; `None` if the body does not tell it.
    fn parent_hash(&self, body: &Self::Body) -> Option<B256> {
        let _ = body;
        None
    }

    /// Tells the rules of one block from those of others: blocks with the same number have the same precompiles and instructions.
    fn rules(&self, block: &Block<Self>) -> u32 {
        block.spec_id() as u32
    }

    /// Whether anything happens before the first transaction.
    fn has_start(&self, block: &Block<Self>) -> bool {
        let _ = block;
        false
    }

    /// What happens before the first transaction, if [`Protocol::has_start`] says so.
    ///
    /// # Errors
    ///
    /// If it breaks a rule of the block, or the host fails.
    fn start(&self, block: &Block<Self>, host: &mut dyn Host<Self>) -> Result<(), SystemError> {
        let _ = (block, host);
        Ok(())
    }

    /// What happens after the last transaction.
    ///
    /// # Errors
    ///
    /// As for [`Protocol::start`].
    fn end(&self, block: &Block<Self>, host: &mut dyn Host<Self>) -> Result<Self::End, SystemError>;

    /// The chain's part of the context for the transaction at `index`.
    fn context(&self, block: &Block<Self>, index: usize) -> Self::Context {
        let _ = (block, index);
        Self::Context::default()
    }

    /// Whether handlers, precompiles and instructions read and change state by the methods of revm's journal alone. Then one thread is spared
    /// the record of what transactions load: the journal has it. No if in doubt.
    fn keeps_to_journal(&self) -> bool {
        false
    }

    /// How the handler looks at the sender's nonce and funds.
    fn sender_rule(&self, tx: &Self::Tx) -> SenderRule {
        SenderRule::standard(tx)
    }

    /// Pays the fees of a transaction. The engine does this, and not the handler: balances that get fees are not read, so that
    /// transactions do not depend on one another for them.
    fn pay_fees(&self, charge: &Charge<'_, Self>, pay: &mut dyn FnMut(Address, U256));

    /// Whether the transaction, if it calls an account without code, is a plain transfer: it moves its value, pays its fees by
    /// [`Protocol::pay_fees`], and does nothing else. Then the engine does not enter the interpreter. No if in doubt: a recipient that is a
    /// precompile, for one, must be told apart here.
    fn is_plain_transfer(&self, block: &Block<Self>, tx: &Self::Tx) -> bool {
        let _ = (block, tx);
        false
    }

    /// The precompiles of the block's rules.
    fn precompiles<C: ContextOf<Self>>(&self, block: &Block<Self>) -> Self::Precompiles<C>;

    /// Whether the precompile at this address reads nothing but its input. All that a transaction has loaded is relied on exactly as it
    /// was seen if it calls another one.
    fn is_stateless(&self, precompile: &Address) -> bool {
        let _ = precompile;
        false
    }

    /// Instructions in place of revm's.
    fn instructions<C: ContextOf<Self>>(&self, block: &Block<Self>) -> Vec<ReplacedInstruction<C>> {
        let _ = block;
        Vec::new()
    }

    /// Accounts with storage but neither nonce nor code, where no contract can be created. None unless the chain's first blocks left some.
    fn storage_collisions(&self) -> Option<&Arc<StorageCollisions>> {
        None
    }

    /// Whether the state's changes are told transaction by transaction, as receipts that hold state roots need it.
    fn tells_each_transaction(&self, block: &Block<Self>) -> bool {
        let _ = block;
        false
    }

    /// Says, before a transaction's effects are applied, whether the block has room for it after those that used `gas_used`.
    ///
    /// # Errors
    ///
    /// If it has not. The block that holds the transaction is invalid then, or the transaction is skipped.
    fn admit(&self, block: &Block<Self>, index: usize, gas_used: u64) -> Result<(), InvalidBlock> {
        block.check_gas_limit(index, gas_used)
    }

    /// Adds a transaction that is final, whose gas is counted already: pushes its receipt.
    ///
    /// # Errors
    ///
    /// If what it did makes the block invalid.
    fn add_transaction(
        &self,
        block: &Block<Self>,
        index: usize,
        executed: Executed,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock>;

    /// Adds what the block's last step yields.
    ///
    /// # Errors
    ///
    /// If the block is invalid with it.
    fn add_end(
        &self,
        block: &Block<Self>,
        end: Self::End,
        assembly: &mut Assembly<Self>,
    ) -> Result<(), InvalidBlock>;
}

/// A block to execute: decoded, its senders known.
#[derive(Clone, Debug)]
pub struct Block<P: Protocol> {
    id: BlockId,
    protocol: Arc<P>,
    body: P::Body,
    pub(crate) transactions: Vec<Transaction<P::Tx>>,
    env: EvmEnv,
    /// Whether anything but the transactions happens: system calls, requests, withdrawals, rewards.
    has_system_steps: bool,
    /// Why the block is not executed at all, if it is not.
    refusal: Option<Refusal>,
}

/// What a receipt is made of. (A [`tracing::Tracing`] sees the whole result.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Whether the transaction succeeded.
    pub success: bool,
    /// Gas used, after refunds.
    pub gas_used: u64,
    /// What it logged.
    pub logs: Vec<Log>,
}

impl From<ExecutionResult> for Executed {
    fn from(result: ExecutionResult) -> Self {
        Self { success: result.is_success(), gas_used: result.tx_gas_used(), logs: result.into_logs() }
    }
}

/// A block's results so far, in order.
#[derive(Clone, Debug)]
pub struct Assembly<P: Protocol> {
    /// Receipts of the transactions that are final.
    pub receipts: Vec<P::Receipt>,
    /// Gas that they used.
    pub gas_used: u64,
    /// What the chain collects besides.
    pub summary: P::Summary,
}

/// What a transaction's fees depend on.
#[derive(Debug)]
pub struct Charge<'a, P: Protocol> {
    /// The transaction.
    pub tx: &'a P::Tx,
    /// Its block's environment.
    pub block: &'a BlockEnv,
    /// Its block's rules.
    pub spec: SpecId,
    /// Gas used, after refunds.
    pub gas_used: u64,
}

/// What may happen to the state before a block's first and after its last transaction. The engine and the serial loop have one each, so
/// that a chain states its rules once.
///
/// # Errors
///
/// Each method fails if the store does.
pub trait Host<P: Protocol> {
    /// Executes `tx` as a system call: nobody signs it or pays for it, and no nonce changes.
    fn call(&mut self, tx: P::Tx) -> Result<ExecutionResult, SystemError>;

    /// Whether an account has code now.
    fn has_code(&mut self, address: Address) -> Result<bool, SystemError>;

    /// An account's nonce now.
    fn nonce(&mut self, address: Address) -> Result<u64, SystemError>;

    /// Gives an account other code. Empty takes it away.
    fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), SystemError>;

    /// Adds wei to a balance, without reading it. Touches the account, even with none.
    fn credit(&mut self, address: Address, amount: U256) -> Result<(), SystemError>;

    /// Takes all wei from a balance.
    fn drain(&mut self, address: Address) -> Result<U256, SystemError>;
}

/// An instruction in place of one of revm's.
#[derive(Debug)]
pub struct ReplacedInstruction<C> {
    /// Its code.
    pub opcode: u8,
    /// What it does.
    pub instruction: Instruction<EthInterpreter, C>,
    /// Its static gas; `None` leaves it as it is.
    pub gas: Option<u16>,
    /// Whether it may show more of an account than revm's own instruction with this code: its balance, nonce or existence. Then all
    /// transactions of the block rely on everything that they load exactly as it was seen.
    pub shows_accounts: bool,
}

/// A context of revm's in which a chain's transactions execute.
pub trait ContextOf<P: Protocol>:
    ContextTr<
        Block = BlockEnv,
        Tx = P::Tx,
        Cfg = CfgEnv<SpecId>,
        Chain = P::Context,
        Local = LocalContext,
        Journal: JournalExt,
        Db: Database<Error = StoreError>,
    >
{
}

impl<P: Protocol, C> ContextOf<P> for C where
    C: ContextTr<
            Block = BlockEnv,
            Tx = P::Tx,
            Cfg = CfgEnv<SpecId>,
            Chain = P::Context,
            Local = LocalContext,
            Journal: JournalExt,
            Db: Database<Error = StoreError>,
        >
{
}

/// An EVM of revm's that executes a chain's transactions.
pub trait EvmOf<P: Protocol>: EvmTr<Context: ContextOf<P>, Frame = EthFrame> {}

impl<P: Protocol, E> EvmOf<P> for E where E: EvmTr<Context: ContextOf<P>, Frame = EthFrame> {}
