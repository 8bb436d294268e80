use super::machine::Machine;
use super::ordered::{OrderedOf, credit};
use crate::code;
use crate::protocol::errors::SystemError;
use crate::protocol::{Host, Protocol};
use alloy_primitives::{Address, Bytes, U256};
use revm::context::JournalTr;
use revm::context::result::ExecutionResult;
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::handler::{EvmTr, Handler};

impl<'r, P: Protocol> Host<P> for Machine<'r, P> {
    fn call(&mut self, tx: P::Tx) -> Result<ExecutionResult, SystemError> {
        self.set_transaction(tx, P::Context::default());
        Ok(OrderedOf::<P, Self>::default().run_system_call(self)?)
    }

    fn has_code(&mut self, address: Address) -> Result<bool, SystemError> {
        // All that is loaded is relied on with its code.
        Ok(!self.ctx().journaled_state.load_account(address)?.data.info.is_empty_code_hash())
    }

    fn nonce(&mut self, address: Address) -> Result<u64, SystemError> {
        let ctx = self.ctx();
        let nonce = ctx.journaled_state.load_account(address)?.data.info.nonce;
        if let Some(access) = ctx.journaled_state.database.ledger.access(address) {
            access.nonce = true;
        }
        Ok(nonce)
    }

    fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), SystemError> {
        let journal = &mut self.ctx().journaled_state;
        let code = if journal.database.delegates { code::decode(code) } else { code::plain(code) };
        let mut account = journal.load_account_mut(address)?.data;
        account.set_code(code.hash_slow(), code);
        account.touch();
        Ok(())
    }

    fn credit(&mut self, address: Address, amount: U256) -> Result<(), SystemError> {
        let ctx = self.ctx();
        credit(&mut ctx.journaled_state, ctx.cfg.spec, address, amount);
        Ok(())
    }

    fn drain(&mut self, address: Address) -> Result<U256, SystemError> {
        let journal = &mut self.ctx().journaled_state;
        let mut account = journal.load_account_mut(address)?.data;
        let balance = *account.balance();
        account.set_balance(U256::ZERO);
        journal.database.ledger.show_balance(address);
        Ok(balance)
    }
}
