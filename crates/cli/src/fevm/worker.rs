use super::args::{Kind, WorkerArgs};
use crate::shared::failure::Failure;
use std::sync::Arc;
use tandem_fevm::workload::Fixed;
use tandem_fevm::{MemoryStore, serve};

/// Standard input is the parent's socket; errors go to standard error, which is the parent's.
pub(super) fn worker(args: &WorkerArgs) -> Result<(), Failure> {
    let input = |error: anyhow::Error| Failure::input(format!("{error:#}"));
    let store = match args.workload {
        Some(Kind(workload)) => workload.world().map_err(input)?.store,
        None => {
            let store = MemoryStore::default();
            args.archives.iter().try_for_each(|path| store.read(path).map(|_| ())).map_err(input)?;
            Arc::new(store)
        }
    };
    serve(store, Fixed).map_err(input)
}
