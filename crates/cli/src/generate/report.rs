use super::settings::Settings;
use crate::shared::builder::{Builder, Built};
use crate::shared::failure::Failure;
use crate::shared::output::results;
use alloy_primitives::B256;
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;
use tandem_workload::ChainConfig;

/// The generated chain, as JSON and as a table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    workload: &'static str,
    seed: u64,
    chain_id: u64,
    /// Of the genesis state.
    accounts: usize,
    senders: usize,
    slots: usize,
    genesis_hash: B256,
    genesis_root: B256,
    blocks: usize,
    txs: usize,
    failed: usize,
    gas: u64,
    head_hash: B256,
    state_root: B256,
    files: Vec<(&'static str, u64)>,
    ms: f64,
    #[serde(skip)]
    rows: Vec<Row>,
}

/// One block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    number: u64,
    hash: B256,
    state_root: B256,
    txs: usize,
    /// Transactions whose execution reverted or halted.
    failed: usize,
    gas: u64,
    gas_limit: u64,
    base_fee: u64,
}

impl Row {
    pub(super) fn new(built: &Built) -> Self {
        let header = &built.sealed.header;
        Self {
            number: header.number,
            hash: built.sealed.hash(),
            state_root: header.state_root,
            txs: built.senders.len(),
            failed: built.receipts.iter().filter(|receipt| !receipt.success).count(),
            gas: header.gas_used,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas.unwrap_or_default(),
        }
    }
}

impl Report {
    /// A report on a chain that has its genesis block alone.
    pub(super) fn new(config: &ChainConfig, builder: &Builder<'_>) -> Self {
        let (genesis, head) = (builder.genesis(), builder.head());
        Self {
            workload: config.workload.name(),
            seed: config.seed,
            chain_id: builder.chain().chain_id(),
            accounts: genesis.account_count(),
            senders: config.accounts,
            slots: genesis.slot_count(),
            genesis_hash: head.hash(),
            genesis_root: head.state_root,
            blocks: 0,
            txs: 0,
            failed: 0,
            gas: 0,
            head_hash: head.hash(),
            state_root: head.state_root,
            files: Vec::new(),
            ms: 0.0,
            rows: Vec::with_capacity(config.blocks),
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        self.blocks += 1;
        self.txs += row.txs;
        self.failed += row.failed;
        self.gas += row.gas;
        (self.head_hash, self.state_root) = (row.hash, row.state_root);
        self.rows.push(row);
    }

    /// Notes a file and its length in bytes.
    pub(super) fn wrote(&mut self, file: &'static str, length: u64) {
        self.files.push((file, length));
    }

    /// Prints all rows and the summary.
    pub(super) fn print(mut self, settings: &Settings, time: Duration) -> Result<(), Failure> {
        self.ms = time.as_secs_f64() * 1e3;
        results(|out| if settings.json { self.json(out) } else { self.table(out, settings) })
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.rows {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        writeln!(out, "{}", serde_json::json!({ "summary": self }))
    }

    fn table(&self, out: &mut dyn Write, settings: &Settings) -> io::Result<()> {
        writeln!(
            out,
            "{:>7} {:>5} {:>6} {:>11} {:>4} {:>11}  hash",
            "block", "txs", "failed", "gas", "full", "base fee"
        )?;
        for row in &self.rows {
            writeln!(
                out,
                "{:>7} {:>5} {:>6} {:>11} {:>3}% {:>11}  {}",
                row.number,
                row.txs,
                row.failed,
                row.gas,
                row.gas * 100 / row.gas_limit,
                row.base_fee,
                row.hash,
            )?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "workload {}, seed {}: genesis of {} accounts ({} send) and {} slots",
            self.workload, self.seed, self.accounts, self.senders, self.slots,
        )?;
        writeln!(
            out,
            "{} blocks, {} transactions ({} failed), {} gas",
            self.blocks, self.txs, self.failed, self.gas,
        )?;
        writeln!(out, "genesis hash {}, state root {}", self.genesis_hash, self.genesis_root)?;
        writeln!(out, "head    hash {}, state root {}", self.head_hash, self.state_root)?;
        for (file, length) in &self.files {
            writeln!(out, "{} ({length} bytes)", settings.out.join(file).display())?;
        }
        if settings.fixtures {
            writeln!(out, "{} block directories for `tandem run {}`", self.blocks, settings.out.display())?;
        }
        writeln!(out, "in {:.3} s", self.ms / 1e3)
    }
}
