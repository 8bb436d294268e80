//! Whether two ways of executing a block give the same.

use alloy_eips::eip7685::Requests;
use alloy_primitives::Address;
use std::fmt::Display;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::{ExecutionError, FinishedBlock, PlainBlock, Receipt};
use tandem_state::StateChanges;

/// What one way of executing a block gave.
pub(crate) struct Execution<'b> {
    /// The way, as in "the block is refused" + "with 4 threads".
    way: String,
    result: Result<Given<'b>, String>,
}

/// What executing a valid block gives.
struct Given<'b> {
    receipts: &'b [Receipt],
    gas_used: u64,
    requests: Option<&'b Requests>,
    changes: StateChanges,
}

impl<'b> Execution<'b> {
    /// What the engine gave.
    pub(crate) fn parallel<E: Display>(
        way: String,
        result: &'b Result<FinishedBlock, ExecutionError<E>>,
    ) -> Self {
        let given = |block: &'b FinishedBlock| Given {
            receipts: &block.receipts,
            gas_used: block.gas_used,
            requests: block.requests.as_ref(),
            changes: block.state_changes(),
        };
        Self { way, result: result.as_ref().map(given).map_err(ToString::to_string) }
    }

    /// What the plain loop gave on the state in `store`.
    pub(crate) fn plain<S: DatabaseRef>(
        store: &S,
        result: &'b Result<PlainBlock, ExecutionError<S::Error>>,
    ) -> Self
    where
        S::Error: Display,
    {
        let given = |block: &'b PlainBlock| {
            let changes = block.state_changes(store).map_err(|error| error.to_string())?;
            let (receipts, requests) = (block.receipts.as_slice(), block.requests.as_ref());
            Ok(Given { receipts, gas_used: block.gas_used, requests, changes })
        };
        let result = result.as_ref().map_err(ToString::to_string).and_then(given);
        Self { way: "in the plain loop".to_owned(), result }
    }

    /// The first difference from what another way gave, in words: in whether the block is valid, receipts, gas used,
    /// requests, and changes of the state.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let found = match (&self.result, &other.result) {
            (Err(one), Err(other)) => (one != other).then(|| (one.clone(), other.clone())),
            (Ok(_), Err(error)) => Some(("it is executed".to_owned(), error.clone())),
            (Err(error), Ok(_)) => Some((error.clone(), "it is executed".to_owned())),
            (Ok(one), Ok(other)) => one.difference(other),
        };
        found.map(|(one, two)| format!("{}: {one}; {}: {two}", self.way, other.way))
    }
}

impl Given<'_> {
    fn difference(&self, other: &Self) -> Option<(String, String)> {
        let differing = self.receipts.iter().zip(other.receipts).position(|(one, other)| one != other);
        if let Some(index) = differing {
            let show =
                |receipts: &[Receipt]| format!("the receipt of transaction {index} is {:?}", receipts[index]);
            return Some((show(self.receipts), show(other.receipts)));
        }
        let gas = |given: &Self| format!("{} receipts, gas used {}", given.receipts.len(), given.gas_used);
        if (self.receipts.len(), self.gas_used) != (other.receipts.len(), other.gas_used) {
            return Some((gas(self), gas(other)));
        }
        if self.requests != other.requests {
            let show = |given: &Self| format!("the requests are {:?}", given.requests);
            return Some((show(self), show(other)));
        }
        let mut addresses = self.changes.accounts.keys().chain(other.changes.accounts.keys());
        let change = |given: &Self, address: &Address| given.changes.accounts.get(address).cloned();
        let differs = |address: &&Address| change(self, address) != change(other, address);
        if let Some(address) = addresses.find(differs) {
            let show =
                |given: &Self| format!("the change of account {address} is {:?}", change(given, address));
            return Some((show(self), show(other)));
        }
        // The engine may add codes of accounts that are gone by the end of the block.
        let mut codes = other.changes.codes.iter();
        let missing = codes.find(|(hash, code)| self.changes.codes.get(*hash) != Some(*code));
        let missing = missing.map(|(hash, _)| format!("the code {hash}"));
        missing.map(|code| (format!("{code} is not among the changes"), format!("{code} is among them")))
    }
}
