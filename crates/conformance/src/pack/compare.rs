use super::build::Pack;
use crate::engines::Engine;
use crate::world::{Base, BlockHashes, World};
use tandem_evm::{BlockInput, ExecutionError, FinishedBlock, InvalidBlock, PlainBlock, StoreRef};
use tandem_state::StateChanges;

/// Executes a pack in parallel and plainly, and compares. A transaction that both refuse for the same reason is removed
/// with what follows it from its sender, and the rest is executed again. Gives the number of those removed.
pub(crate) fn compare(pack: &mut Pack, engine: &mut Engine) -> Result<usize, String> {
    let world = World::new(&pack.accounts)
        .map_err(|address| format!("the nonce of account {address} is too large"))?;
    let base = Base { world: &world, block_hashes: BlockHashes::OfNumbers };
    let store = StoreRef(&base);
    let mut removed = 0;
    loop {
        let block = pack.block();
        let plain = engine.plain.execute(&store, &block);
        let parallel = engine.execute_all(&[BlockInput::new(block, &store)]).pop();
        let parallel = parallel.ok_or("the engine gave no result")?;
        match (&parallel, &plain) {
            (Ok(parallel), Ok(plain)) => {
                let plainly = plain.state_changes(&store).map_err(|error| error.to_string())?;
                return difference(parallel, plain, &plainly).map_or(Ok(removed), Err);
            }
            (Err(parallel), Err(plain)) if parallel.to_string() == plain.to_string() => {
                let index = refused(parallel).ok_or_else(|| parallel.to_string())?;
                removed += pack.remove(index);
            }
            _ => {
                let show = |result: Option<String>| result.unwrap_or_else(|| "executes it".to_owned());
                let parallel = show(parallel.err().map(|error| error.to_string()));
                let plain = show(plain.err().map(|error| error.to_string()));
                return Err(format!("the engine: {parallel}; the plain loop: {plain}"));
            }
        }
    }
}

/// The index of the transaction that makes a block invalid.
fn refused(error: &ExecutionError<impl Sized>) -> Option<usize> {
    match error {
        ExecutionError::Transaction { index, .. }
        | ExecutionError::Block { error: InvalidBlock::GasLimit { index, .. }, .. } => Some(*index),
        _ => None,
    }
}

/// The first difference between what the engine and the plain loop give.
fn difference(parallel: &FinishedBlock, plain: &PlainBlock, plainly: &StateChanges) -> Option<String> {
    let differing = parallel.receipts.iter().zip(&plain.receipts).position(|(one, other)| one != other);
    if let Some(index) = differing {
        let (one, other) = (&parallel.receipts[index], &plain.receipts[index]);
        return Some(format!("the receipt of transaction {index} is {one:?}, plainly {other:?}"));
    }
    if parallel.receipts.len() != plain.receipts.len() || parallel.gas_used != plain.gas_used {
        return Some(format!("gas used is {}, plainly {}", parallel.gas_used, plain.gas_used));
    }
    let changes = parallel.state_changes();
    let mut addresses = changes.accounts.keys().chain(plainly.accounts.keys());
    if let Some(address) =
        addresses.find(|address| changes.accounts.get(*address) != plainly.accounts.get(*address))
    {
        let (one, other) = (changes.accounts.get(address), plainly.accounts.get(address));
        return Some(format!("the change of account {address} is {one:?}, plainly {other:?}"));
    }
    let missing = plainly.codes.iter().find(|(hash, code)| changes.codes.get(*hash) != Some(*code));
    missing.map(|(hash, _)| format!("the code {hash} is not among the changes"))
}
