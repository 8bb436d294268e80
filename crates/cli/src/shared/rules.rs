use super::failure::Failure;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_chain::Genesis;
use tandem_evm::ChainSpec;

/// The rules of the chains that blocks belong to, each read once.
#[derive(Default)]
pub(crate) struct Rules(HashMap<PathBuf, Arc<ChainSpec>>);

impl Rules {
    /// The rules for a block: those of the `genesis.json` in the folder above its directory, else those that its chain
    /// id is known for.
    pub(crate) fn of(&mut self, directory: &Path, chain_id: u64) -> Result<Arc<ChainSpec>, Failure> {
        let genesis = directory.join("..").join("genesis.json");
        if genesis.exists() {
            let genesis = genesis.canonicalize().unwrap_or(genesis);
            let chain = match self.0.entry(genesis) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let chain = read_rules(entry.key())?;
                    entry.insert(Arc::new(chain))
                }
            };
            if chain.chain_id() != chain_id {
                return Err(Failure::Input(format!(
                    "{}: the chain id in genesis.json beside it is {}",
                    directory.display(),
                    chain.chain_id()
                )));
            }
            return Ok(chain.clone());
        }
        ChainSpec::known(chain_id).map(Arc::new).ok_or_else(|| {
            Failure::Input(format!(
                "{}: chain id {chain_id} is unknown; known are 1 (mainnet), 17000 (Holesky) and 11155111 (Sepolia), \
                 others need a genesis.json in the folder above",
                directory.display(),
            ))
        })
    }
}

fn read_rules(path: &Path) -> Result<ChainSpec, Failure> {
    let named = |error: &dyn Display| Failure::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    let genesis = Genesis::read(file).map_err(|error| named(&error))?;
    Ok(genesis.chain().clone())
}
