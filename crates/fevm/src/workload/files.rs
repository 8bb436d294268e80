//! Generated tipsets as files, in the formats that [`crate::Input`] reads.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::Context as _;
use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_car::{Block, CarHeader, CarWriter};
use fvm_ipld_encoding::DAG_CBOR;
use fvm_shared::econ::TokenAmount;
use serde_json::json;

use super::world::World;
use crate::cbor;
use crate::input::Head;
use crate::step::Step;

/// Writes `bundle.car`, `state.car` and `messages.jsonl` into a folder that exists.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path, world: &World, steps: &[Step]) -> anyhow::Result<()> {
    let mut written = HashSet::new();
    archive(&folder.join("bundle.car"), world, world.manifest, &mut written)?;
    archive(&folder.join("state.car"), world, world.context.initial_state_root, &mut written)?;
    let path = folder.join("messages.jsonl");
    std::fs::write(&path, messages(world, steps)?).with_context(|| format!("{}", path.display()))
}

/// Writes the blocks under `root` that are not written yet.
fn archive(path: &Path, world: &World, root: Cid, written: &mut HashSet<Cid>) -> anyhow::Result<()> {
    let mut write = || {
        let file = BufWriter::new(File::create(path)?);
        let mut writer = CarWriter::new(CarHeader::new(vec![root], 1), file)?;
        let mut todo = vec![root];
        while let Some(cid) = todo.pop() {
            // The target of a link may be on another chain, or nowhere.
            let Some(data) = world.store.get(&cid)?.filter(|_| written.insert(cid)) else {
                continue;
            };
            if cid.codec() == DAG_CBOR {
                let links = cbor::links(&data).with_context(|| format!("{cid} is not DAG-CBOR"))?;
                todo.extend(links.iter().filter_map(cbor::Link::cid));
            }
            writer.write(Block { cid, data })?;
        }
        anyhow::Ok(writer.flush()?)
    };
    write().with_context(|| format!("{}", path.display()))
}

fn messages(world: &World, steps: &[Step]) -> anyhow::Result<String> {
    let context = &world.context;
    let atto = |amount: &TokenAmount| u128::try_from(amount.atto().clone());
    let head = Head {
        network_version: context.network_version.into(),
        epoch: context.epoch,
        timestamp: context.timestamp,
        base_fee: atto(&context.base_fee)?,
        circulating_supply: atto(&context.circ_supply)?,
        chain_id: context.network.chain_id.into(),
    };
    let mut text = serde_json::to_string(&head)?;
    text.push('\n');
    for step in steps {
        let mut digits = String::new();
        for byte in fvm_ipld_encoding::to_vec(step.message())? {
            write!(digits, "{byte:02x}")?;
        }
        let line = match step {
            Step::Explicit { raw_length, .. } => json!({ "message": digits, "rawLength": raw_length }),
            Step::Implicit { .. } => json!({ "message": digits, "implicit": true }),
        };
        writeln!(text, "{line}")?;
    }
    Ok(text)
}
