//! The machine that both speculation and the frontier execute on: `fvm`'s own, but for the shared block store and the record.

use std::cell::RefCell;

use anyhow::Context as _;
use cid::Cid;
use fvm::externs::Externs;
use fvm::machine::limiter::DefaultMemoryLimiter;
use fvm::machine::{Machine, MachineContext, Manifest};
use fvm::state_tree::StateTree;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::CborStore;

use crate::record::Record;
use crate::store::Layered;

/// The system actor, whose state names the manifest of built-in actors.
const SYSTEM: u64 = 0;

/// A machine over the shared store with a state tree of its own.
pub(crate) struct Overlay<B, E> {
    context: MachineContext,
    externs: E,
    tree: StateTree<Layered<B>>,
    manifest: Manifest,
    pub(crate) record: RefCell<Record>,
}

/// The manifest that a state's system actor names, or the context's override.
pub(crate) fn manifest<S: Blockstore>(
    context: &MachineContext,
    tree: &StateTree<S>,
) -> anyhow::Result<Manifest> {
    let store = tree.store();
    let (version, list) = match context.builtin_actors_override {
        Some(cid) => store
            .get_cbor::<(u32, Cid)>(&cid)?
            .with_context(|| format!("the manifest of built-in actors {cid} is missing"))?,
        None => {
            let system = tree
                .get_actor(SYSTEM)
                .map_err(|error| anyhow::anyhow!("{error}"))?
                .context("the state has no system actor")?;
            let (list,) = store
                .get_cbor::<(Cid,)>(&system.state)?
                .with_context(|| format!("the system actor's state {} is missing", system.state))?;
            (1, list)
        }
    };
    Manifest::load(store, &list, version)
}

impl<B, E> Overlay<B, E>
where
    B: Blockstore + 'static,
    E: Externs + 'static,
{
    pub(crate) fn new(context: &MachineContext, store: Layered<B>, externs: E) -> anyhow::Result<Self> {
        let tree = StateTree::new_from_root(store, &context.initial_state_root)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self {
            manifest: manifest(context, &tree)?,
            context: context.clone(),
            externs,
            tree,
            record: RefCell::default(),
        })
    }
}

impl<B, E> Machine for Overlay<B, E>
where
    B: Blockstore + 'static,
    E: Externs + 'static,
{
    type Blockstore = Layered<B>;
    type Externs = E;
    type Limiter = DefaultMemoryLimiter;

    fn blockstore(&self) -> &Self::Blockstore {
        self.tree.store()
    }

    fn context(&self) -> &MachineContext {
        &self.context
    }

    fn externs(&self) -> &E {
        &self.externs
    }

    fn builtin_actors(&self) -> &Manifest {
        &self.manifest
    }

    fn state_tree(&self) -> &StateTree<Self::Blockstore> {
        &self.tree
    }

    fn state_tree_mut(&mut self) -> &mut StateTree<Self::Blockstore> {
        &mut self.tree
    }

    fn into_store(self) -> Self::Blockstore {
        self.tree.into_store()
    }

    fn machine_id(&self) -> &str {
        // Names folders for debug artifacts.
        "tandem"
    }

    fn new_limiter(&self) -> Self::Limiter {
        DefaultMemoryLimiter::for_network(&self.context.network)
    }
}
