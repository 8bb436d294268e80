use super::db::Db;
use crate::protocol::Protocol;
use alloy_primitives::{Address, U256};
use revm::context::{BlockEnv, CfgEnv, Context, Journal, Transaction};
use revm::interpreter::InstructionContext;
use revm::interpreter::interpreter::EthInterpreter;

/// revm's context over a worker's view, with transactions `T` and a chain's own context `C`.
pub(crate) type Ctx<'r, T, C> = Context<BlockEnv, T, CfgEnv, Db<'r>, Journal<Db<'r>>, C>;

/// The context of a chain's transactions.
pub(crate) type CtxOf<'r, P> = Ctx<'r, <P as Protocol>::Tx, <P as Protocol>::Context>;

/// What an instruction is given.
pub(crate) type Ictx<'a, 'r, T, C> = InstructionContext<'a, Ctx<'r, T, C>, EthInterpreter>;

/// The same context, for a shorter time.
pub(crate) fn reborrow<'a, 'r, T: Transaction, C>(context: &'a mut Ictx<'_, 'r, T, C>) -> Ictx<'a, 'r, T, C> {
    InstructionContext { interpreter: context.interpreter, host: context.host }
}

/// The current balance of an account that the run has loaded.
pub(crate) fn balance<T: Transaction, C>(ctx: &Ctx<'_, T, C>, address: Address) -> Option<U256> {
    ctx.journaled_state.inner.state.get(&address).map(|account| account.info.balance)
}
