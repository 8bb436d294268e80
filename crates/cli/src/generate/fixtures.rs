use super::output::Folder;
use super::recorder::{Reads, Recorder};
use crate::shared::builder::{Builder, Built};
use crate::shared::failure::Failure;
use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::{Recovered, TransactionInfo};
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Sealed, U64, U256, keccak256};
use alloy_rpc_types_eth as rpc;
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use std::collections::BTreeMap;
use tandem_chain::SealedBlock;
use tandem_evm::{PlainExecutor, StoreRef};

/// How hard zstd tries.
const ZSTD_LEVEL: i32 = 9;

/// Writes each block into a directory of its own, with the state that executing it reads.
pub(super) struct Fixtures {
    folder: Folder,
    executor: PlainExecutor,
    codes: BTreeMap<B256, Bytes>,
}

impl Fixtures {
    pub(super) fn new(folder: Folder, builder: &Builder<'_>) -> Self {
        let codes = builder
            .genesis()
            .accounts()
            .filter(|account| !account.code.is_empty())
            .map(|account| (keccak256(&account.code), account.code))
            .collect();
        Self { folder, executor: PlainExecutor::new(), codes }
    }

    /// Writes a block that `builder` has not advanced beyond yet.
    pub(super) fn write(&mut self, builder: &Builder<'_>, built: &Built) -> Result<(), Failure> {
        let name = format!("{}-{}", builder.chain().chain_id(), built.sealed.number);
        let folder = self.folder.create(&name)?;
        folder.write("block.json.gz", &gzip_json(&rpc_block(&built.sealed, &built.senders))?)?;
        let reads = self.reads(builder, built)?;
        folder.write("pre_state.json.gz", &gzip_json(&pre_state(&reads))?)?;
        let hashes: BTreeMap<_, _> =
            reads.block_hashes.iter().map(|(number, hash)| (U64::from(*number), hash)).collect();
        folder.write("block_hashes.json", &json(&hashes)?)?;
        self.add_codes(&built.changes.codes);
        Ok(())
    }

    /// Writes the parts that all blocks share.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let codes = zstd::encode_all(&*json(&self.codes)?, ZSTD_LEVEL).map_err(Failure::fault)?;
        self.folder.write("codes.json.zst", &codes)
    }

    fn add_codes(&mut self, codes: &B256Map<Bytes>) {
        self.codes.extend(codes.iter().map(|(hash, code)| (*hash, code.clone())));
    }

    /// The reads of a plain run.
    fn reads(&mut self, builder: &Builder<'_>, built: &Built) -> Result<Reads, Failure> {
        let recorder = Recorder::new(builder.state());
        self.executor.execute(&StoreRef(&recorder), &built.block).map_err(Failure::fault)?;
        Ok(recorder.into_reads())
    }
}

/// The block as `eth_getBlockByNumber` gives it.
fn rpc_block(sealed: &SealedBlock, senders: &[Address]) -> rpc::Block {
    let header = rpc::Header::from_sealed(Sealed::new_unchecked(sealed.header.clone(), sealed.hash()));
    let transaction = |(index, (transaction, sender)): (u64, (&TxEnvelope, &Address))| {
        let info = TransactionInfo {
            hash: Some(*transaction.tx_hash()),
            index: Some(index),
            block_hash: Some(sealed.hash()),
            block_number: Some(sealed.number),
            base_fee: sealed.base_fee_per_gas,
            block_timestamp: None,
        };
        rpc::Transaction::from_transaction(Recovered::new_unchecked(transaction.clone(), *sender), info)
    };
    let transactions = (0..).zip(sealed.body.transactions.iter().zip(senders)).map(transaction).collect();
    rpc::Block {
        header,
        uncles: Vec::new(),
        transactions: rpc::BlockTransactions::Full(transactions),
        withdrawals: sealed.body.withdrawals.clone(),
    }
}

/// An account before a block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreAccount {
    balance: U256,
    nonce: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_hash: Option<B256>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    storage: BTreeMap<B256, B256>,
}

fn pre_state(reads: &Reads) -> BTreeMap<Address, PreAccount> {
    let mut accounts: BTreeMap<_, _> = reads
        .accounts
        .iter()
        .map(|(address, account)| {
            // An account that does not exist is listed as empty, so that it is known to be no omission.
            let account = account.unwrap_or_default();
            let code_hash = (account.code_hash != KECCAK256_EMPTY).then_some(account.code_hash);
            let (balance, nonce) = (account.balance, U64::from(account.nonce));
            (*address, PreAccount { balance, nonce, code_hash, storage: BTreeMap::new() })
        })
        .collect();
    for ((address, slot), value) in &reads.storage {
        // Storage is read of accounts that are there, or of ones that the block creates: theirs is empty.
        if let Some(account) = accounts.get_mut(address) {
            account.storage.insert(B256::from(*slot), B256::from(*value));
        }
    }
    accounts
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(Failure::fault)
}

fn gzip_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    serde_json::to_writer(&mut encoder, value).map_err(Failure::fault)?;
    encoder.finish().map_err(Failure::fault)
}
