//! Blocks that are invalid.

use super::Generator;
use super::cast::COUNTER;
use crate::case::{CaseBlock, CaseTx};
use crate::common::{Fork, Tx, at, ether};
use alloy_primitives::U256;
use tandem_state::Store;

impl Generator {
    /// Puts a transaction somewhere that is not valid there, or lowers the block's gas limit.
    pub(super) fn break_block(&mut self, block: &mut CaseBlock) {
        let user = self.users[self.rng.below(4) as usize];
        let valid = Tx::call(user, at(COUNTER));
        let nonce = self.settler.state.account(user).unwrap().unwrap_or_default().nonce;
        let mut tx = match self.rng.below(14) {
            0 => {
                block.crowded = true;
                block.gas_limit = 2_000_000;
                return;
            }
            // How many transactions of the sender come first is not known yet: far away in any case, or close.
            1 => valid.nonce(nonce + 1_000),
            2 => valid.nonce(nonce + 1 + self.rng.below(3)),
            3 => Tx::call(user, at(COUNTER)).nonce(nonce.saturating_sub(1)),
            4 => Tx::call(user, at(COUNTER)).nonce(0),
            5 => valid.value(ether(1)),
            6 => valid.value(U256::MAX),
            7 => valid.gas(21_000 - self.rng.below(3)).input(vec![1; 3]),
            8 => valid.gas(block.gas_limit + 1),
            9 => Tx::call(at(COUNTER), user),
            10 => Tx { chain_id: 5, ..valid }.ty(self.kind(1)),
            11 => valid.price(6).ty(self.kind(2)),
            12 => Tx { blobs: self.rng.below(2) as usize * 12, ..valid }.ty(3),
            _ => Tx { blob_price: 0, ..valid }.ty(*self.rng.pick(&[1, 2, 3, 4])),
        };
        tx.nonce = tx.nonce.or(Some(nonce));
        let place = self.rng.below(1 + block.transactions.len() as u64) as usize;
        let earlier = block.transactions[..place].iter().filter(|other| other.tx.from == user).count() as u64;
        if tx.nonce == Some(nonce) && self.rng.chance(70) {
            tx.nonce = Some(nonce + earlier);
        }
        block.transactions.insert(place, CaseTx { tx, broken: true });
    }

    /// The type, if the fork knows it.
    fn kind(&self, ty: u8) -> u8 {
        let since = [Fork::Frontier, Fork::Berlin, Fork::London][usize::from(ty)];
        if self.fork >= since { ty } else { 0 }
    }
}
