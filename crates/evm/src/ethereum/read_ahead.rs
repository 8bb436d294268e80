use super::chain_spec::ChainSpec;
use crate::protocol::Block;
use alloy_primitives::{Address, U256};
use revm::context_interface::transaction::AccessListItemTr;
use revm::primitives::TxKind;

/// Something that executing a block will probably read. A hint: it may be used to read ahead, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadHint {
    /// An account's fields; and its code, if it has one.
    Account(Address),
    /// A storage slot.
    Slot(Address, U256),
}

impl Block<ChainSpec> {
    /// What the block says about its reads: senders, recipients, access lists (EIP-2930), the beneficiary, recipients of
    /// withdrawals. May name the same place more than once.
    pub fn read_hints(&self) -> impl Iterator<Item = ReadHint> + '_ {
        let transactions = self.transactions.iter().flat_map(|transaction| {
            let env = &*transaction.tx;
            let recipient = match env.kind {
                TxKind::Call(address) => Some(address),
                TxKind::Create => None,
            };
            let accounts = std::iter::once(env.caller).chain(recipient).map(ReadHint::Account);
            accounts.chain(env.access_list.iter().flat_map(|item| {
                let address = *item.address();
                let slots = item.storage_slots();
                let slots = slots.map(move |slot| ReadHint::Slot(address, U256::from_be_bytes(slot.0)));
                std::iter::once(ReadHint::Account(address)).chain(slots)
            }))
        });
        let credited = self.body().withdrawals.iter().map(|withdrawal| withdrawal.address);
        transactions.chain(credited.chain([self.header().beneficiary]).map(ReadHint::Account))
    }
}
