//! Blocks that are invalid.

use super::Generator;
use super::cast::{COUNTER, OUTSIDER};
use crate::common::{Fork, Tx, at, ether};
use crate::fuzz::case::{CaseBlock, CaseTx};
use alloy_primitives::U256;
use tandem_state::Store;

impl Generator {
    /// Puts a transaction somewhere that is not valid there, or lowers the block's gas limit.
    pub(super) fn break_block(&mut self, block: &mut CaseBlock) {
        let user = self.users[self.rng.below(4) as usize];
        let of_user = Tx::call(user, at(COUNTER));
        let nonce = self.settler.state.account(user).unwrap().unwrap_or_default().nonce;
        // Somebody who sends nothing else, so that the nonce is right.
        let valid = Tx::call(at(OUTSIDER), at(COUNTER)).nonce(0);
        let bad_deposit = self.fork >= Fork::Prague && self.rng.chance(20);
        let tx = match self.rng.below(20) {
            _ if bad_deposit => self.bad_deposit(at(OUTSIDER)).nonce(0),
            0..=2 => {
                block.crowded = true;
                block.gas_limit = 2_000_000;
                return;
            }
            // How many transactions of the sender come first is not known yet: far away in any case, or close.
            3 => of_user.nonce(nonce + 1_000),
            4 => of_user.nonce(nonce + 1 + self.rng.below(3)),
            5 => of_user.nonce(nonce.saturating_sub(1)),
            6 => of_user.nonce(0),
            7..=9 => valid.value(ether(1)),
            10 => valid.value(U256::MAX),
            11 => valid.gas(21_000 - self.rng.below(3)).input(vec![1; 3]),
            12 => valid.gas(block.gas_limit + 1),
            13 => Tx::call(at(COUNTER), user).nonce(1),
            14 => Tx { chain_id: 5, ..valid }.ty(self.kind(1)),
            15 => valid.price(6).ty(self.kind(2)),
            16 => Tx { blobs: self.rng.below(2) as usize * 12, ..valid }.ty(3),
            17 => Tx { blob_price: 0, ..valid }.ty(3),
            _ => valid.ty(*self.rng.pick(&[1, 2, 3, 4])),
        };
        let place = self.rng.below(1 + block.transactions.len() as u64) as usize;
        block.transactions.insert(place, CaseTx { tx, broken: true });
    }

    /// The type, if the fork knows it.
    fn kind(&self, ty: u8) -> u8 {
        let since = [Fork::Frontier, Fork::Berlin, Fork::London][usize::from(ty)];
        if self.fork >= since { ty } else { 0 }
    }
}
