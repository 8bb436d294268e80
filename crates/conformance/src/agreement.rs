//! Whether two ways of executing a block give the same.

use alloy_eips::eip7685::Requests;
use alloy_primitives::Address;
use std::fmt::Display;
use tandem_evm::revm::database_interface::DatabaseRef;
use tandem_evm::{AlloyBlock, ExecutionError, FinishedBlock, PlainBlock, Receipt, bundle_difference};
use tandem_state::StateChanges;

/// The results of one way of executing a block.
pub(crate) struct Execution<'b> {
    /// The way, as in "the block is refused" + "with 4 threads".
    way: String,
    result: Result<Given<'b>, String>,
}

/// The results of a valid block.
struct Given<'b> {
    receipts: &'b [Receipt],
    gas_used: u64,
    requests: Option<&'b Requests>,
    changes: StateChanges,
}

impl<'b> Execution<'b> {
    /// The engine's results.
    pub(crate) fn parallel<E: Display>(
        way: String,
        result: &'b Result<FinishedBlock, ExecutionError<E>>,
    ) -> Self {
        let given = |block: &'b FinishedBlock| Given {
            receipts: &block.receipts,
            gas_used: block.gas_used,
            requests: block.requests(),
            changes: block.state_changes(),
        };
        Self { way, result: result.as_ref().map(given).map_err(ToString::to_string) }
    }

    /// The plain loop's results on the state in `store`.
    pub(crate) fn plain<S: DatabaseRef>(
        store: &S,
        result: &'b Result<PlainBlock, ExecutionError<S::Error>>,
    ) -> Self
    where
        S::Error: Display,
    {
        let given = |block: &'b PlainBlock| {
            let changes = block.state_changes(store).map_err(|error| error.to_string())?;
            let (receipts, requests) = (block.receipts.as_slice(), block.requests());
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

/// The first thing in which a block executed by alloy-evm differs from the engine's, in words: in whether it is valid, receipts, gas used,
/// requests, and the bundle with its reverts. The reasons for which a block is refused may be different ones.
pub fn alloy_difference<E: Display>(
    engine: Result<&FinishedBlock, &ExecutionError<E>>,
    alloy: &Result<AlloyBlock, ExecutionError<E>>,
) -> Option<String> {
    let difference = match (engine, alloy) {
        (Err(_), Err(_)) => None,
        (Ok(_), Err(error)) => Some(format!("refused: {error}")),
        (Err(error), Ok(_)) => Some(format!("executed, and not refused: {error}")),
        (Ok(engine), Ok(alloy)) => executed_difference(engine, alloy),
    };
    difference.map(|difference| format!("by alloy-evm: {difference}"))
}

fn executed_difference(engine: &FinishedBlock, alloy: &AlloyBlock) -> Option<String> {
    let mut receipts = alloy.receipts.iter().zip(&engine.receipts).enumerate();
    if let Some((index, (alloy, engine))) = receipts.find(|(_, (alloy, engine))| alloy != engine) {
        return Some(format!("receipt {index} is {alloy:?}, not {engine:?}"));
    }
    let (found, expected) = (alloy.receipts.len(), engine.receipts.len());
    if found != expected {
        return Some(format!("{found} receipts, not {expected}"));
    }
    if alloy.gas_used != engine.gas_used {
        return Some(format!("gas used {}, not {}", alloy.gas_used, engine.gas_used));
    }
    let (found, expected) = (alloy.requests.as_ref(), engine.requests());
    if found != expected {
        return Some(format!("the requests are {found:?}, not {expected:?}"));
    }
    bundle_difference(&alloy.bundle, &engine.bundle_state())
        .map(|difference| format!("another bundle: {difference}"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Base, BlockHashes, World};
    use alloy_consensus::transaction::Recovered;
    use alloy_consensus::{Header, SignableTransaction, TxEnvelope, TxLegacy};
    use alloy_primitives::{Signature, TxKind, U256};
    use serde_json::json;
    use std::sync::Arc;
    use tandem_evm::{AlloyExecutor, Block, ChainSpec, Config, Executor, PlainExecutor, StoreRef};

    const SENDER: Address = Address::repeat_byte(1);
    const RECIPIENT: Address = Address::repeat_byte(2);

    /// A state with the sender's balance and the recipient's code.
    fn world(balance: u64, code: &str) -> World {
        let account = |balance: u64, code: &str| json!({"balance": format!("{balance:#x}"), "code": code, "nonce": "0x0", "storage": {}});
        let accounts =
            json!({SENDER.to_string(): account(balance, "0x"), RECIPIENT.to_string(): account(0, code)});
        World::new(&serde_json::from_value(accounts).unwrap()).unwrap()
    }

    /// A block with one transaction, which sends 5 wei.
    fn block() -> Block {
        let transaction = TxLegacy {
            chain_id: None,
            nonce: 0,
            gas_price: 1,
            gas_limit: 100_000,
            to: TxKind::Call(RECIPIENT),
            value: U256::from(5),
            input: Default::default(),
        };
        let signed = TxEnvelope::from(transaction.into_signed(Signature::new(U256::ONE, U256::ONE, false)));
        let header = Header { gas_limit: 1_000_000, number: 1, ..Header::default() };
        let transaction = Recovered::new_unchecked(signed, SENDER);
        let chain = Arc::new(ChainSpec::known(1).unwrap());
        Block::new(&chain, header, [transaction], Vec::new(), Default::default())
    }

    /// The difference of the engine on one state from the plain loop on another.
    fn difference(parallel: &World, plain: &World) -> Option<String> {
        let base = |world| Base { world, block_hashes: BlockHashes::OfNumbers };
        let (one, other) = (base(parallel), base(plain));
        let executor = Executor::new(&Config::default().threads(1)).unwrap();
        let parallel = executor.execute(&StoreRef(&one), block());
        let plain = PlainExecutor::new().execute(&StoreRef(&other), &block());
        let plain = Execution::plain(&StoreRef(&other), &plain);
        Execution::parallel("in parallel".to_owned(), &parallel).difference(&plain)
    }

    #[test]
    fn whatever_differs_is_found() {
        let rich = world(1_000_000, "0x");
        assert_eq!(difference(&rich, &rich), None);
        let poor = world(4, "0x");
        assert_eq!(difference(&poor, &poor), None);
        for (one, other, words) in [
            (&rich, &poor, "in parallel: it is executed; in the plain loop: block 1-1: transaction 0"),
            (&poor, &rich, "in the plain loop: it is executed"),
            (&rich, &world(1_000_001, "0x"), "the change of account 0x0101"),
            (&rich, &world(1_000_000, "0xfe"), "the receipt of transaction 0 is"),
        ] {
            let difference = difference(one, other).expect("a difference");
            assert!(difference.contains(words), "{words:?} is not in: {difference}");
        }
    }

    #[test]
    fn whatever_alloy_evm_gives_otherwise_is_found() {
        let world = world(1_000_000, "0x");
        let base = Base { world: &world, block_hashes: BlockHashes::OfNumbers };
        let executor = Executor::new(&Config::default().threads(1)).unwrap();
        let engine = executor.execute(&StoreRef(&base), block());
        let alloy = AlloyExecutor::new().execute(&StoreRef(&base), &block());
        assert_eq!(alloy_difference(engine.as_ref(), &alloy), None);

        type Change = fn(&mut AlloyBlock);
        let changes: [(Change, &str); 6] = [
            (|block| block.receipts[0].success = false, "by alloy-evm: receipt 0 is "),
            (|block| block.receipts.clear(), "by alloy-evm: 0 receipts, not 1"),
            (|block| block.gas_used += 1, "by alloy-evm: gas used 21001, not 21000"),
            (|block| block.requests = Some(Requests::default()), "by alloy-evm: the requests are Some("),
            (
                |block| {
                    let account = block.bundle.state.get_mut(&RECIPIENT).unwrap();
                    account.info.as_mut().unwrap().balance = U256::from(6);
                },
                "by alloy-evm: another bundle: account 0x0202",
            ),
            (|block| block.bundle.reverts.clear(), "by alloy-evm: another bundle: revert of 0x"),
        ];
        for (change, words) in changes {
            let mut other = alloy.as_ref().unwrap().clone();
            change(&mut other);
            let difference = alloy_difference(engine.as_ref(), &Ok(other)).expect("a difference");
            assert!(difference.starts_with(words), "{words:?} does not begin: {difference}");
            assert_eq!(difference.matches("alloy-evm").count(), 1, "{difference}");
        }
    }
}
