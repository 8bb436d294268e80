use super::handler::{Plain, Serial};
use crate::code;
use crate::protocol::errors::{EvmError, SystemError};
use crate::protocol::{Host, Protocol};
use alloy_primitives::{Address, Bytes, U256};
use revm::context::JournalTr;
use revm::context::result::{ExecutionResult, HaltReason};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::handler::Handler;

/// What a block's start and end may do in the plain loop.
pub(super) struct SerialHost<'a, 'b, 's, P: Protocol, H> {
    pub(super) evm: &'a mut Plain<'s, P>,
    pub(super) handler: &'a mut Serial<'b, P, H>,
}

impl<'s, P, H> Host<P> for SerialHost<'_, '_, 's, P, H>
where
    P: Protocol,
    H: Handler<Evm = Plain<'s, P>, Error = EvmError, HaltReason = HaltReason>,
{
    fn call(&mut self, tx: P::Tx) -> Result<ExecutionResult, SystemError> {
        self.evm.ctx.tx = tx;
        self.evm.ctx.chain = P::Context::default();
        Ok(self.handler.run_system_call(self.evm)?)
    }

    fn has_code(&mut self, address: Address) -> Result<bool, SystemError> {
        Ok(!self.evm.ctx.journaled_state.load_account(address)?.data.info.is_empty_code_hash())
    }

    fn nonce(&mut self, address: Address) -> Result<u64, SystemError> {
        Ok(self.evm.ctx.journaled_state.load_account(address)?.data.info.nonce)
    }

    fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), SystemError> {
        let journal = &mut self.evm.ctx.journaled_state;
        let code = if journal.database.delegates { code::decode(code) } else { code::plain(code) };
        let mut account = journal.load_account_mut(address)?.data;
        account.set_code(code.hash_slow(), code);
        account.touch();
        Ok(())
    }

    fn credit(&mut self, address: Address, amount: U256) -> Result<(), SystemError> {
        Ok(self.evm.ctx.journaled_state.balance_incr(address, amount)?)
    }

    fn drain(&mut self, address: Address) -> Result<U256, SystemError> {
        let mut account = self.evm.ctx.journaled_state.load_account_mut(address)?.data;
        let balance = *account.balance();
        account.set_balance(U256::ZERO);
        Ok(balance)
    }
}
