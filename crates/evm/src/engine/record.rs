//! What frames and instructions rely on.

use super::context::{Ctx, balance};
use alloy_primitives::{Address, U256};
use revm::context::Transaction;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::{CallValue, FrameInput};
use revm::primitives::hardfork::SpecId;

/// Notes the funds check with which a frame begins, what is created, and the nonces that this depends on.
pub(crate) fn note_frame<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>, frame: &FrameInit) {
    let is_recording = ctx.journaled_state.database.is_recording();
    match &frame.frame_input {
        FrameInput::Call(inputs) => {
            if is_recording && let CallValue::Transfer(value) = inputs.value {
                note_outflow(ctx, inputs.caller, value);
            }
        }
        FrameInput::Create(inputs) => {
            let caller = inputs.caller();
            if is_recording {
                note_outflow(ctx, caller, inputs.value());
            }
            let nonce = ctx.journaled_state.inner.state.get(&caller).map(|account| account.info.nonce);
            let ledger = &mut ctx.journaled_state.database.ledger;
            if let Some(access) = ledger.access(caller) {
                access.nonce = true;
            }
            if let Some(nonce) = nonce {
                ledger.creations.push(inputs.created_address(nonce));
            }
        }
        FrameInput::Empty => {}
    }
}

/// Notes that `value` is about to be taken from an account if it is there.
pub(crate) fn note_outflow<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>, from: Address, value: U256) {
    if value.is_zero() {
        return;
    }
    let left = balance(ctx, from).and_then(|balance| balance.checked_sub(value));
    let ledger = &mut ctx.journaled_state.database.ledger;
    match left {
        Some(left) => ledger.rely_on_funds(from, left),
        None => ledger.show_balance(from),
    }
}

/// Notes that a result depends on whether an account is empty, given its balance now.
pub(crate) fn note_emptiness<T: Transaction, C>(ctx: &mut Ctx<'_, T, C>, address: Address, balance: U256) {
    let Some(info) = ctx.journaled_state.inner.state.get(&address).map(|account| &account.info) else {
        return;
    };
    let (nonce, has_code) = (info.nonce, !info.is_empty_code_hash());
    let before_eip_161 = !ctx.cfg.spec.is_enabled_in(SpecId::SPURIOUS_DRAGON);
    let Some(access) = ctx.journaled_state.database.ledger.access(address) else { return };
    if before_eip_161 {
        access.exists = true;
    } else if has_code {
        // Code is always observed.
    } else if let Some(left) = balance.checked_sub(U256::ONE) {
        access.rely_on_funds(left);
    } else {
        access.nonce = true;
        access.balance |= nonce == 0;
    }
}
