//! Net gas metering for SSTORE as Constantinople had it (EIP-1283), which revm does not know. Petersburg took it back, and
//! Istanbul brought it again with other prices and a guard against re-entrancy (EIP-2200), which revm knows.

use revm::context_interface::Host;
use revm::context_interface::cfg::gas_params::{GasId, GasParams};
use revm::interpreter::instructions::host::sstore_with_gas_accounting;
use revm::interpreter::interpreter_types::InterpreterTypes;
use revm::interpreter::{InstructionContext, InstructionExecResult, InstructionResult};
use revm::primitives::hardfork::SpecId;

/// The prices of the fork's other instructions, and those of EIP-1283.
pub(crate) fn gas_params() -> GasParams {
    let mut params = GasParams::new_spec(SpecId::PETERSBURG);
    params.override_gas([
        (GasId::sstore_static(), 200),
        (GasId::sstore_set_without_load_cost(), 20_000 - 200),
        (GasId::sstore_reset_without_cold_load_cost(), 5_000 - 200),
        (GasId::sstore_set_refund(), 20_000 - 200),
        (GasId::sstore_reset_refund(), 5_000 - 200),
        (GasId::sstore_clearing_slot_refund(), 15_000),
    ]);
    params
}

/// SSTORE with the rules of Istanbul, but for the guard.
pub(crate) fn sstore<H: Host + ?Sized, I: InterpreterTypes>(
    context: InstructionContext<'_, H, I>,
) -> InstructionExecResult {
    sstore_with_gas_accounting(context, |context, _, load| {
        let params = context.host.gas_params();
        let cost = params.sstore_dynamic_gas(true, &load.data, load.is_cold);
        let refund = params.sstore_refund(true, &load.data);
        let gas = &mut context.interpreter.gas;
        if !gas.record_regular_cost(cost) {
            return Err(InstructionResult::OutOfGas);
        }
        gas.record_refund(refund);
        Ok(())
    })
}
