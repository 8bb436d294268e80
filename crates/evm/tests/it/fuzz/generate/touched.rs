//! Accounts that do not exist, are touched, and sign an authorization later in the block (EIP-7702): whether there is somebody decides
//! about a refund. And blocks in which many transactions follow one another in one run.

use super::cast::*;
use super::{Generator, SIGNERS};
use crate::common::asm::{addr, asm, word};
use crate::common::{Signer, Tx, at};
use alloy_primitives::{Address, U256};
use std::sync::LazyLock;

/// Who has no account at first, and can sign.
pub(super) static FRESH: LazyLock<Vec<Signer>> = LazyLock::new(|| (100..164).map(Signer::new).collect());

impl Generator {
    /// The next one without an account, or the last if there are no more.
    pub(super) fn fresh(&mut self) -> &'static Signer {
        self.fresh = (self.fresh + 1).min(FRESH.len());
        &FRESH[self.fresh - 1]
    }

    /// The authorization of the one that was taken last.
    pub(super) fn authorization_of_last(&mut self) -> Tx {
        let signer = &FRESH[self.fresh - 1];
        let target = if self.rng.chance(20) { Address::ZERO } else { at(COUNTER) };
        let (from, to) = (self.payer(), if self.rng.chance(50) { signer.address } else { at(COUNTER) });
        Tx::delegate(from, to, vec![signer.authorize(target, 0)])
    }

    /// Touches somebody who has no account. Their authorization is due later; some are paid before it, or touched again.
    pub(super) fn touch(&mut self) -> Tx {
        let address = self.fresh().address;
        let touch = self.touch_of(address);
        if self.rng.chance(30) {
            let again =
                if self.rng.chance(30) { Tx::pay(self.payer(), address, 1) } else { self.touch_of(address) };
            self.due.push(again);
        }
        let authorization = self.authorization_of_last();
        self.due.push(authorization);
        touch
    }

    fn touch_of(&mut self, address: Address) -> Tx {
        let from = self.payer();
        match self.rng.below(3) {
            0 => Tx::call(from, address),
            1 => Tx::call(from, at(FORWARDER)).words(&[word(address), U256::ZERO]),
            // A contract that has nothing to leave.
            _ => Tx::create(from, asm().selfdestruct(addr(address)).build()),
        }
    }

    /// Somebody who can pay.
    fn payer(&mut self) -> Address {
        self.users[self.rng.below(4) as usize]
    }

    /// A transaction that destroys nothing.
    pub(super) fn calm(&mut self) -> Tx {
        let from = self.payer();
        let value = self.rng.below(3);
        self.planned += 1;
        match self.rng.below(12) {
            0..=2 => Tx::call(from, self.payer()).value(value),
            3 => Tx::call(from, at(COUNTER)),
            4 => Tx::call(from, at(RESTORER)).words(&[U256::from(value)]),
            5 => {
                let (number, _) = *self.rng.pick(&LOOKERS);
                Tx::call(from, at(number)).words(&[word(self.target())])
            }
            6 => Tx::call(from, Address::with_last_byte(1 + self.rng.below(0x11) as u8)).value(value),
            7 => Tx::call(from, at(FORWARDER)).words(&[word(self.target()), U256::from(value)]),
            8 => Tx::call(from, self.rng.pick(&SIGNERS).address).value(value).words(&[word(from)]),
            9 => Tx::call(from, at(TIPPER)).value(value),
            _ => Tx::call(from, Self::nobody(10 + self.planned / 16)).value(value),
        }
    }
}
