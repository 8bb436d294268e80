//! Generated chains as input.

use super::builder::Builder;
use super::failure::Failure;
use super::input::{Input, InputBlock, PreState};
use super::progress::progress;
use tandem_chain::signed_block;
use tandem_evm::Executor;
use tandem_workload::ChainConfig;

/// Generates a chain with all that its headers state, so that there is something to check against.
pub(crate) fn generate(executor: &Executor, config: &ChainConfig, quiet: bool) -> Result<Input, Failure> {
    let bar = progress(config.blocks, "generating", quiet);
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
            pre_state: PreState::complete(),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(input)
}
