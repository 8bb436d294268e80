//! Tipsets from files: actors and state as CAR archives, messages as lines of JSON.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cid::Cid;
use fvm::machine::{MachineContext, NetworkConfig};
use fvm_ipld_car::CarReader;
use fvm_ipld_encoding::{CborStore, from_slice};
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use fvm_shared::version::NetworkVersion;
use serde::{Deserialize, Serialize};

use crate::executor::NETWORKS;
use crate::step::Step;
use crate::store::MemoryStore;

/// A tipset's state and messages.
pub struct Input {
    /// The blocks of both archives.
    pub store: Arc<MemoryStore>,
    /// Network, epoch, base fee and the state's root.
    pub context: MachineContext,
    /// The code CID of the bundle's EVM actor.
    pub evm: Cid,
    /// The messages.
    pub steps: Vec<Step>,
}

/// The first line of a file of messages.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) network_version: u32,
    pub(crate) epoch: i64,
    pub(crate) timestamp: u64,
    /// In atto.
    pub(crate) base_fee: u128,
    /// In atto.
    pub(crate) circulating_supply: u128,
    pub(crate) chain_id: u64,
}

/// Every other line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    /// The message in CBOR, in hexadecimal digits.
    message: String,
    /// The bytes it took on the chain; the length of its CBOR unless given.
    raw_length: Option<usize>,
    /// Sent by the system.
    #[serde(default)]
    implicit: bool,
}

impl Input {
    /// Reads a bundle of actors whose root is a manifest, a state whose root is a state tree's, and a file of messages: a line with
    /// network version, epoch, timestamp, base fee, circulating supply and chain ID, then one for each message.
    ///
    /// # Errors
    /// If a file cannot be read or is not what it should be; the message names the file, and the line.
    pub fn read(bundle: &Path, state: &Path, messages: &Path) -> anyhow::Result<Self> {
        let store = Arc::new(MemoryStore::default());
        let manifest = store.read(bundle)?;
        let evm = evm(&store, &manifest)
            .with_context(|| format!("{}: not a bundle of actors with an EVM actor", bundle.display()))?;
        let root = store.read(state)?;
        let (head, steps) = lines(messages)?;
        let version = NetworkVersion::from(head.network_version);
        anyhow::ensure!(
            NETWORKS.contains(&version),
            "{}: network version {version} is not supported: only {} to {} are",
            messages.display(),
            NETWORKS.start(),
            NETWORKS.end()
        );
        let mut network = NetworkConfig::new(version);
        network.chain_id(head.chain_id.into());
        network.override_actors(manifest);
        let mut context = network.for_epoch(head.epoch, head.timestamp, root);
        context.set_base_fee(TokenAmount::from_atto(head.base_fee));
        context.set_circulating_supply(TokenAmount::from_atto(head.circulating_supply));
        Ok(Self { store, context, evm, steps })
    }
}

impl MemoryStore {
    /// Adds the blocks of a CAR archive, each checked against its CID; gives the archive's first root.
    ///
    /// # Errors
    /// If the file cannot be read or is no archive with a root; the message names it.
    pub fn read(&self, path: &Path) -> anyhow::Result<Cid> {
        let read = || {
            let reader = CarReader::new(BufReader::new(File::open(path)?))?;
            let roots = reader.read_into(&self)?;
            roots.first().copied().context("it has no root")
        };
        read().with_context(|| format!("{}: not a readable CAR archive", path.display()))
    }
}

/// The EVM actor's code, if the manifest has it and the bundle has the code.
fn evm(store: &MemoryStore, manifest: &Cid) -> anyhow::Result<Cid> {
    use fvm_ipld_blockstore::Blockstore as _;
    let (version, list): (u32, Cid) = store.get_cbor(manifest)?.context("its root is no manifest")?;
    anyhow::ensure!(version == 1, "manifests of version {version} are not known");
    let actors: Vec<(String, Cid)> = store.get_cbor(&list)?.context("the list of actors is missing")?;
    for (name, code) in &actors {
        anyhow::ensure!(store.has(code)?, "the code of the actor `{name}` is missing");
    }
    let evm = actors.iter().find(|(name, _)| name == "evm");
    evm.map(|(_, code)| *code).context("it has no actor `evm`")
}

fn lines(path: &Path) -> anyhow::Result<(Head, Vec<Step>)> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
    let mut lines = BufReader::new(file).lines();
    let first = lines.next().with_context(|| format!("{name}: is empty"))?;
    let head = serde_json::from_str(&first?)
        .with_context(|| format!("{name}, line 1: not the description of a tipset"))?;
    let mut steps = Vec::new();
    for (index, line) in lines.enumerate() {
        let line = line.with_context(|| format!("{name}: cannot be read"))?;
        if !line.trim().is_empty() {
            let step = step(&line).with_context(|| format!("{name}, line {}", index + 2))?;
            steps.push(step);
        }
    }
    Ok((head, steps))
}

fn step(line: &str) -> anyhow::Result<Step> {
    let line: Line = serde_json::from_str(line)?;
    let data = hex(&line.message).context("`message` is not hexadecimal")?;
    let message: Message = from_slice(&data).context("`message` is not a message in CBOR")?;
    Ok(match line.implicit {
        true => Step::Implicit { message },
        false => Step::Explicit { message, raw_length: line.raw_length.unwrap_or(data.len()) },
    })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
