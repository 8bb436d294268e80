//! Creations that fail since the address has storage (EIP-7610).

use alloy_primitives::map::{AddressMap, B256Set};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use revm::context::{ContextTr, JournalTr};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::database_interface::Database;
use revm::handler::FrameResult;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::{CreateInputs, CreateOutcome, FrameInput, Gas, InstructionResult, InterpreterResult};
use revm::primitives::constants::CALL_STACK_LIMIT;

/// Accounts with storage, but without nonce and code. No contract can be created there.
#[derive(Clone, Debug, Default)]
pub struct StorageCollisions {
    /// Each with a slot that is not zero. The account may be gone in the state that a block is executed on, and its
    /// address in use again; then the slot is zero.
    pub(crate) addresses: AddressMap<U256>,
    /// Keccak-256 of more addresses, whose accounts are in that state.
    pub(crate) hashes: B256Set,
}

impl StorageCollisions {
    pub(crate) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.hashes.is_empty()
    }

    pub(crate) fn contains(&self, address: &Address) -> bool {
        self.addresses.contains_key(address) || self.has_hash(address)
    }

    /// A slot of an account of the base state that tells whether the storage is there; `None` if it is for sure.
    pub(crate) fn slot(&self, address: &Address) -> Option<U256> {
        self.addresses.get(address).copied().filter(|_| !self.has_hash(address))
    }

    fn has_hash(&self, address: &Address) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&keccak256(address))
    }
}

type DbError<C> = <<C as ContextTr>::Db as Database>::Error;

/// Ends a creation that fails for no other reason than that its address has storage: the gas is gone, the creator's nonce
/// is raised, and the address is warm, as where code is in the way. `None` if the creation is for revm to judge.
///
/// `has_storage` says whether an account of the base state still has its storage and nothing else that is in the way, and warms
/// its address.
pub(crate) fn collide<C: ContextTr>(
    ctx: &mut C,
    collisions: &StorageCollisions,
    frame: &FrameInit,
    has_storage: impl FnOnce(&mut C, Address) -> Result<bool, DbError<C>>,
) -> Result<Option<FrameResult>, DbError<C>> {
    let FrameInput::Create(inputs) = &frame.frame_input else { return Ok(None) };
    if frame.depth > CALL_STACK_LIMIT as usize {
        return Ok(None);
    }
    let creator = ctx.journal_mut().load_account(inputs.caller())?.data.info.clone();
    let address = inputs.created_address(creator.nonce);
    let can_create = creator.balance >= inputs.value() && creator.nonce < u64::MAX;
    if !can_create || !collisions.contains(&address) || !has_storage(ctx, address)? {
        return Ok(None);
    }
    ctx.journal_mut().load_account_mut(inputs.caller())?.data.bump_nonce();
    Ok(Some(FrameResult::Create(collision(inputs))))
}

fn collision(inputs: &CreateInputs) -> CreateOutcome {
    CreateOutcome {
        result: InterpreterResult {
            result: InstructionResult::CreateCollision,
            gas: Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit(), inputs.reservoir()),
            output: Bytes::new(),
        },
        address: None,
        charged_create_state_gas: inputs.charged_create_state_gas(),
    }
}
