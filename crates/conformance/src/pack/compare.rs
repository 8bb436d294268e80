use super::build::Pack;
use crate::engines::Engine;
use crate::world::{Base, BlockHashes, World};
use tandem_evm::{BlockInput, ExecutionError, InvalidBlock, StoreRef};

/// Executes a pack in every way. A transaction that all refuse for the same reason is removed with what follows it from its
/// sender, and the rest is executed again. Gives the number of those removed.
pub(crate) fn compare(pack: &mut Pack, engine: &mut Engine) -> Result<usize, String> {
    let world = World::new(&pack.accounts)
        .map_err(|address| format!("the nonce of account {address} is too large"))?;
    let base = Base { world: &world, block_hashes: BlockHashes::OfNumbers };
    let store = StoreRef(&base);
    let mut removed = 0;
    loop {
        let executed = engine.execute_all(&[BlockInput::new(pack.block(), &store)]).pop();
        match executed.ok_or("the engine gave no result")? {
            Ok(_) => return Ok(removed),
            Err(error) => {
                let index = refused(&error).ok_or_else(|| error.to_string())?;
                removed += pack.remove(index);
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
