use crate::state_test::StateTest;
use crate::world::{StatedAccount, StatedAccounts};
use alloy_consensus::{TxEip4844Variant, TypedTransaction};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes, TxKind, U256, keccak256};

/// An address that begins with so many zeros is pushed by code without them, and would not be found.
const MAX_ZEROS: usize = 3;

/// Other addresses for the accounts of a test, so that tests that use the same addresses fit into one state.
///
/// Addresses are replaced wherever their bytes occur. Those that code computes are not, so a renamed test may take
/// another path; executed in any way, it must still give the same.
#[derive(Clone, Debug)]
pub(crate) struct Renaming {
    names: AddressMap<Address>,
    /// Which bytes an address that is replaced begins with.
    first: [bool; 256],
}

impl Renaming {
    /// Other addresses for a test; `id` tells its addresses from those of other tests.
    pub(crate) fn new(id: usize, test: &StateTest) -> Self {
        let is_renamed = |address: &&Address| {
            **address != test.env.current_coinbase && address[..=MAX_ZEROS].iter().any(|byte| *byte != 0)
        };
        let rename = |address: &Address| (*address, Address::from_word(keccak256(format!("{id} {address}"))));
        let names: AddressMap<_> = test.pre.keys().filter(is_renamed).map(rename).collect();
        let mut first = [false; 256];
        names.keys().for_each(|address| first[usize::from(address[0])] = true);
        Self { names, first }
    }

    pub(crate) fn accounts(&self, accounts: &StatedAccounts) -> StatedAccounts {
        let rename = |(address, account): (&Address, &StatedAccount)| {
            let StatedAccount { balance, code, nonce, storage } = account;
            let storage = storage.iter().map(|(slot, value)| (self.word(*slot), self.word(*value))).collect();
            let account = StatedAccount { balance: *balance, code: self.bytes(code), nonce: *nonce, storage };
            (self.address(*address), account)
        };
        accounts.iter().map(rename).collect()
    }

    pub(crate) fn transaction(&self, mut transaction: TypedTransaction) -> TypedTransaction {
        match &mut transaction {
            TypedTransaction::Legacy(transaction) => {
                self.call(&mut transaction.to, &mut transaction.input);
            }
            TypedTransaction::Eip2930(transaction) => {
                self.call(&mut transaction.to, &mut transaction.input);
                self.access_list(&mut transaction.access_list);
            }
            TypedTransaction::Eip1559(transaction) => {
                self.call(&mut transaction.to, &mut transaction.input);
                self.access_list(&mut transaction.access_list);
            }
            TypedTransaction::Eip4844(variant) => {
                let transaction = match variant {
                    TxEip4844Variant::TxEip4844(transaction) => transaction,
                    TxEip4844Variant::TxEip4844WithSidecar(with) => &mut with.tx,
                };
                transaction.to = self.address(transaction.to);
                transaction.input = self.bytes(&transaction.input);
                self.access_list(&mut transaction.access_list);
            }
            // The authorities of the list stay: they are what their signatures say.
            TypedTransaction::Eip7702(transaction) => {
                transaction.to = self.address(transaction.to);
                transaction.input = self.bytes(&transaction.input);
                self.access_list(&mut transaction.access_list);
            }
        }
        transaction
    }

    pub(crate) fn address(&self, address: Address) -> Address {
        self.names.get(&address).copied().unwrap_or(address)
    }

    fn call(&self, to: &mut TxKind, input: &mut Bytes) {
        if let TxKind::Call(to) = to {
            *to = self.address(*to);
        }
        *input = self.bytes(input);
    }

    fn access_list(&self, list: &mut AccessList) {
        for item in &mut list.0 {
            item.address = self.address(item.address);
        }
    }

    fn word(&self, word: U256) -> U256 {
        let bytes = word.to_be_bytes::<32>();
        let address = Address::from_slice(&bytes[12..]);
        match self.names.get(&address) {
            Some(name) if bytes[..12] == [0; 12] => U256::from_be_bytes(name.into_word().0),
            _ => word,
        }
    }

    fn bytes(&self, bytes: &Bytes) -> Bytes {
        let mut renamed = bytes.to_vec();
        let mut start = 0;
        while let Some(window) = bytes.get(start..start + Address::len_bytes()) {
            let found = self.first[usize::from(window[0])].then(|| self.names.get(window)).flatten();
            match found {
                Some(name) => {
                    renamed[start..start + window.len()].copy_from_slice(name.as_slice());
                    start += window.len();
                }
                None => start += 1,
            }
        }
        renamed.into()
    }
}
