use super::failure::Failure;
use super::load::load_executable;
use super::output::complain;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_analysis::Input;
use tandem_state::MemoryStore;

/// Blocks with their senders, and their states.
pub(crate) struct Blocks {
    names: Vec<String>,
    blocks: Vec<Arc<tandem_evm::Block>>,
    states: Vec<MemoryStore>,
}

impl Blocks {
    /// Reads the blocks that have at least the number `from`.
    pub(crate) fn load(paths: &[PathBuf], from: u64, quiet: bool) -> Result<Self, Failure> {
        let input = load_executable(paths, quiet)?;
        let (mut names, mut blocks, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (block, state) in input.blocks.into_iter().zip(input.worlds) {
            if block.signed.header.number < from {
                continue;
            }
            let recovered = block.signed.recover().map_err(|error| {
                complain!("error: {}: {error}", block.name);
                Failure::Check
            })?;
            names.push(block.name);
            blocks.push(Arc::new(recovered));
            states.push(state);
        }
        if blocks.is_empty() {
            return Err(Failure::Input(format!("no block has a number of at least {from}")));
        }
        Ok(Self { names, blocks, states })
    }

    pub(crate) fn inputs(&self) -> Vec<Input<'_, MemoryStore>> {
        let blocks = self.names.iter().zip(&self.blocks).zip(&self.states);
        blocks
            .map(|((name, block), store)| Input { name: name.clone(), block: block.clone(), store })
            .collect()
    }
}
