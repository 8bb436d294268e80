use super::error::ImportError;
use tandem_state::database::{Database, DatabaseError, Head, Unwind};
use tandem_state::trie::StateTrie;

/// Takes back the blocks above `to`. Returns the new head.
///
/// The state is brought back as if by a block, on the current rayon pool, and its root compared with that of the header,
/// before anything is written.
///
/// # Errors
///
/// If the block is not in the database, or that fails.
pub fn unwind(database: &Database, to: u64) -> Result<Head, ImportError> {
    let snapshot = database.snapshot()?;
    let head = snapshot.head().ok_or(DatabaseError::NoGenesis)?;
    let undo = snapshot.undo_to(to)?;
    let target =
        snapshot.header(to)?.ok_or(ImportError::Internal("a block below the head is not in the database"))?;
    let mut trie = StateTrie::new(head.state_root);
    trie.update(&undo.changes(), &snapshot)?;
    let (root, _) = trie.finish_block(&snapshot)?;
    if root != target.state_root {
        return Err(ImportError::Internal("the undo records do not lead back to the state of the block"));
    }
    let (_, nodes) = trie.take_nodes();
    drop(snapshot);
    database.commit_unwind(&Unwind { from: head.hash, to, nodes })?;
    database.head()?.ok_or(ImportError::Database(DatabaseError::NoGenesis))
}
