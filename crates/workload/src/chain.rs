use crate::{
    BASE_FEE, ChainConfig, GAS_LIMIT, WorkloadError,
    accounts::Signer,
    genesis::genesis,
    rng::SplitMix64,
    traffic::{Traffic, Unsigned},
};
use alloy_consensus::{
    Header, SignableTransaction, TxEnvelope,
    proofs::{calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::{
    eip4895::{Withdrawal, Withdrawals},
    eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bytes};
use rayon::prelude::*;
use tandem_state::MemoryStore;

/// The first block's number. Together with its timestamp it lies after every fork that mainnet has scheduled up to
/// Osaka's second blob schedule (BPO2).
pub const FIRST_NUMBER: u64 = 25_200_001;

/// The first block's timestamp, in seconds since 1970.
pub const FIRST_TIMESTAMP: u64 = 1_780_000_000;

/// Seconds from a block to the next.
pub const SECONDS_PER_BLOCK: u64 = 12;

/// Who receives the priority fees of every block.
pub(crate) const BENEFICIARY: Address = Address::new(*b"tandem-beneficiary--");

/// The first withdrawal's index: earlier ones belong to blocks before the genesis state.
const FIRST_WITHDRAWAL: u64 = 100_000_000;

/// The most withdrawals in a block.
const MAX_WITHDRAWALS: u64 = 2;

/// A genesis state and the blocks on top of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedChain {
    /// The state before the first block. It answers BLOCKHASH for that block's parent only.
    pub genesis: MemoryStore,
    /// The blocks in order; each names the one before as its parent.
    pub blocks: Vec<GeneratedBlock>,
}

/// A block as its proposer would know it before executing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedBlock {
    /// The header. What only execution can tell is left at its default: the state and receipts roots (that of an
    /// empty trie), the logs bloom and the gas used (zero). The base fee stays the same from block to block.
    pub header: Header,
    /// The signed transactions in order.
    pub transactions: Vec<TxEnvelope>,
    /// Who signed each of the transactions.
    pub senders: Vec<Address>,
    /// The withdrawals in order.
    pub withdrawals: Withdrawals,
}

/// Generates a chain.
///
/// Of a block's transactions 45 % transfer ether, 35 % transfer a token and 20 % swap two tokens, in random order;
/// one recipient in ten is fresh. A block has at most two withdrawals.
///
/// # Errors
///
/// [`WorkloadError::OutOfRange`] for a configuration that [`ChainConfig::validate`] refuses. The other errors mean
/// that the crate itself is broken, or that a seed is unlucky beyond all expectation.
pub fn generate(config: &ChainConfig) -> Result<GeneratedChain, WorkloadError> {
    config.validate()?;
    let signers = Signer::derive_all(config.seed, config.accounts)?;
    let mut genesis = genesis(&signers)?;
    let mut generator = Generator::new(config, &signers);
    genesis.set_block_hash(FIRST_NUMBER - 1, generator.parent_hash);
    let blocks = (0..config.blocks).map(|_| generator.block()).collect::<Result<_, _>>()?;
    Ok(GeneratedChain { genesis, blocks })
}

/// Where a chain's next block continues.
struct Generator<'a> {
    signers: &'a [Signer],
    transactions: usize,
    rng: SplitMix64,
    traffic: Traffic<'a>,
    parent_hash: B256,
    number: u64,
    timestamp: u64,
    withdrawal: u64,
}

impl<'a> Generator<'a> {
    fn new(config: &ChainConfig, signers: &'a [Signer]) -> Self {
        let mut rng = SplitMix64::new(config.seed);
        Self {
            signers,
            transactions: config.transactions,
            parent_hash: rng.b256(),
            rng,
            traffic: Traffic::new(signers),
            number: FIRST_NUMBER,
            timestamp: FIRST_TIMESTAMP,
            withdrawal: FIRST_WITHDRAWAL,
        }
    }

    fn block(&mut self) -> Result<GeneratedBlock, WorkloadError> {
        let unsigned = self.traffic.block(self.transactions, &mut self.rng);
        let senders = unsigned.iter().map(|unsigned| self.signers[unsigned.sender].address()).collect();
        let transactions = sign(unsigned, self.signers)?;
        let withdrawals = self.withdrawals();
        let header = Header {
            parent_hash: self.parent_hash,
            beneficiary: BENEFICIARY,
            transactions_root: calculate_transaction_root(&transactions),
            number: self.number,
            gas_limit: GAS_LIMIT,
            timestamp: self.timestamp,
            extra_data: Bytes::from_static(b"tandem"),
            mix_hash: self.rng.b256(),
            base_fee_per_gas: Some(BASE_FEE),
            withdrawals_root: Some(calculate_withdrawals_root(&withdrawals)),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(self.rng.b256()),
            // No transaction calls a contract that makes requests.
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        };
        self.parent_hash = header.hash_slow();
        self.number += 1;
        self.timestamp += SECONDS_PER_BLOCK;
        Ok(GeneratedBlock { header, transactions, senders, withdrawals })
    }

    fn withdrawals(&mut self) -> Withdrawals {
        let count = self.rng.below(MAX_WITHDRAWALS + 1);
        let withdrawals = (0..count).map(|_| {
            let index = self.withdrawal;
            self.withdrawal += 1;
            Withdrawal {
                index,
                validator_index: self.rng.below(1_000_000),
                address: self.signers[self.rng.index(self.signers.len())].address(),
                // In gwei: what a validator gains in some days.
                amount: 10_000_000 + self.rng.below(10_000_000),
            }
        });
        Withdrawals::new(withdrawals.collect())
    }
}

/// Signs a block's transactions, which takes most of the time of generating it, on all cores.
fn sign(unsigned: Vec<Unsigned>, signers: &[Signer]) -> Result<Vec<TxEnvelope>, WorkloadError> {
    unsigned
        .into_par_iter()
        .map(|Unsigned { sender, transaction }| {
            let signature = signers[sender].sign(transaction.signature_hash())?;
            Ok(transaction.into_envelope(signature))
        })
        .collect()
}
