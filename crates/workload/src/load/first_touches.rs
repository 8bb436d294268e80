use super::call::{Call, Gas, Load};
use crate::contract::Contract;
use crate::contracts::{TOUCHERS, toucher};
use crate::error::WorkloadError;
use crate::pick::Pick;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_primitives::{B256, U256};

const GAS_LIMIT: u64 = 160_000;

/// Gas of a transaction, over the four contracts.
const GAS: u64 = 148_000;

/// Accounts or slots that a transaction touches.
const TOUCHES: u64 = 50;

/// Transactions at the hot spot touch what follows this.
const HOT: U256 = U256::from_limbs([1 << 32; 4]);

/// How each contract touches what is at the sum of the two words on the stack. It leaves one more word there. Calls have no value, no
/// input, no output and no gas.
const INSTRUCTIONS: [&[u8]; TOUCHERS] = [
    // DUP2 DUP2 ADD BALANCE
    &[0x81, 0x81, 0x01, 0x31],
    // DUP2 DUP2 ADD EXTCODESIZE
    &[0x81, 0x81, 0x01, 0x3b],
    // DUP2 DUP2 ADD SLOAD
    &[0x81, 0x81, 0x01, 0x54],
    // PUSH1 0, five times; DUP7 DUP7 ADD PUSH1 0 CALL
    &[0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x86, 0x86, 0x01, 0x60, 0, 0xf1],
];

/// Transactions that do nothing but touch accounts and slots that no transaction touched before, each in one way: BALANCE, EXTCODESIZE,
/// SLOAD or CALL. The accounts do not exist, the slots are zero.
#[derive(Debug)]
pub(super) struct FirstTouches {
    senders: Pick,
    hot: f64,
}

impl FirstTouches {
    /// `hot` is the share of the transactions that touch the same accounts and slots.
    pub(super) const fn new(senders: Pick, hot: f64) -> Self {
        Self { senders, hot }
    }
}

/// A contract that touches the accounts or slots after the first word of its input, as many as the second word says.
fn code(touch: &[u8]) -> Vec<u8> {
    // PUSH1 0 CALLDATALOAD PUSH1 32 CALLDATALOAD JUMPDEST
    let mut code = vec![0x60, 0, 0x35, 0x60, 32, 0x35, 0x5b];
    code.extend_from_slice(touch);
    // POP PUSH1 1 SWAP1 SUB DUP1 PUSH1 6 JUMPI
    code.extend_from_slice(&[0x50, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 6, 0x57]);
    code
}

impl Load for FirstTouches {
    fn contracts(&self) -> Result<Vec<Contract>, WorkloadError> {
        let contracts = INSTRUCTIONS.iter().enumerate();
        Ok(contracts.map(|(index, touch)| Contract::new(toucher(index), code(touch).into())).collect())
    }

    fn gas(&self, calls: usize) -> Gas {
        Gas::new(calls, GAS, GAS_LIMIT)
    }

    fn calls(&mut self, count: usize, _: &World, rng: &mut SplitMix64) -> Vec<Call> {
        let call = |_| {
            let sender = self.senders.draw(rng);
            let to = toucher(rng.index(TOUCHERS));
            let base = if rng.share(self.hot) { HOT } else { U256::from_be_bytes(rng.b256().0) };
            let input = [B256::from(base), B256::from(U256::from(TOUCHES))].concat();
            Call::new(sender, to, input.into(), GAS_LIMIT)
        };
        (0..count).map(call).collect()
    }
}
