//! Generated chains as input.

use super::load::{Input, InputBlock};
use crate::failure::Failure;
use crate::generate::Builder;
use tandem_chain::signed_block;
use tandem_evm::Executor;
use tandem_workload::ChainConfig;

/// Generates a chain with all that its headers state, so that there is something to check against.
pub(crate) fn generate(executor: &Executor, config: &ChainConfig) -> Result<Input, Failure> {
    let mut builder = Builder::new(executor, config, |_| {})?;
    let mut input = Input { complete: true, ..Input::default() };
    input.worlds.push(builder.state().clone());
    for _ in 0..config.blocks {
        let built = builder.build()?;
        builder.advance(&built);
        input.blocks.push(InputBlock {
            name: format!("generated block {}", built.sealed.number),
            signed: signed_block(builder.chain(), built.sealed.into_inner()),
            expected_senders: built.senders,
            world: 0,
            proof: None,
        });
    }
    Ok(input)
}
