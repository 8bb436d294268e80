use crate::accounts::Signer;
use crate::config::ChainConfig;
use crate::contracts::DELEGATE;
use crate::error::WorkloadError;
use crate::fees::{CHAIN_ID, transaction};
use crate::genesis::{BENEFICIARY, Genesis, TIMESTAMP};
use crate::load::call::Load;
use crate::load::load;
use crate::rng::SplitMix64;
use crate::world::World;
use alloy_consensus::{SignableTransaction, TxEnvelope, TypedTransaction};
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Signature, U256};
use rayon::prelude::*;
use std::sync::Arc;

/// Seconds from a block to the next.
const SECONDS_PER_BLOCK: u64 = 12;

/// The most withdrawals in a block.
const MAX_WITHDRAWALS: u64 = 2;

/// A chain: where it starts, and how it goes on.
#[derive(Debug)]
pub struct Chain {
    /// The genesis block and the state that it leaves.
    pub genesis: Genesis,
    /// The source of the blocks on top of it.
    pub proposer: Proposer,
}

impl Chain {
    /// Derives the accounts, on the current rayon pool, and places the contracts.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::OutOfRange`] and [`WorkloadError::Hot`] for a configuration that [`ChainConfig::validate`]
    /// refuses. The other errors mean that the crate itself is broken, or that a seed is unlucky beyond all
    /// expectation.
    pub fn new(config: &ChainConfig) -> Result<Self, WorkloadError> {
        config.validate()?;
        let world = Arc::new(World::new(config)?);
        let load = load(config, &world)?;
        let gas_limit = load.gas(config.transactions).block_limit();
        let genesis = Genesis::new(world.clone(), load.contracts()?, gas_limit)?;
        let proposer = Proposer {
            nonces: vec![0; world.signers.len()],
            world,
            load,
            transactions: config.transactions,
            gas_limit,
            rng: SplitMix64::new(config.seed),
            timestamp: TIMESTAMP,
            withdrawal: 0,
        };
        Ok(Self { genesis, proposer })
    }
}

/// The choices of a block's proposer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The recipient of the priority fees.
    pub beneficiary: Address,
    /// The gas limit, the same in all blocks.
    pub gas_limit: u64,
    /// The beacon chain's randomness (EIP-4399).
    pub prev_randao: B256,
    /// The parent's root on the beacon chain (EIP-4788).
    pub parent_beacon_block_root: B256,
    /// The signed transactions in order.
    pub transactions: Vec<TxEnvelope>,
    /// The signer of each transaction.
    pub senders: Vec<Address>,
    /// The withdrawals in order.
    pub withdrawals: Withdrawals,
}

/// Proposes one block after another, without end.
///
/// Every transaction succeeds when the blocks are executed in order on the genesis state.
#[derive(Debug)]
pub struct Proposer {
    world: Arc<World>,
    load: Box<dyn Load>,
    transactions: usize,
    gas_limit: u64,
    nonces: Vec<u64>,
    rng: SplitMix64,
    timestamp: u64,
    withdrawal: u64,
}

impl Proposer {
    /// The next block, given its base fee in wei per gas, which the header before it determines (EIP-1559).
    ///
    /// Transactions are signed on the current rayon pool.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Key`], which does not happen.
    pub fn propose(&mut self, base_fee: u64) -> Result<Proposal, WorkloadError> {
        self.propose_with(base_fee, sign)
    }

    /// The next block like [`Self::propose`], but with the same meaningless signature for every transaction: for chains that
    /// are too long to sign, executed without recovering the stated senders.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Key`], which does not happen.
    pub fn propose_unsigned(&mut self, base_fee: u64) -> Result<Proposal, WorkloadError> {
        let placeholder = Signature::new(U256::ONE, U256::ONE, false);
        self.propose_with(base_fee, |unsigned, _| {
            Ok(unsigned.into_iter().map(|(_, transaction)| transaction.into_envelope(placeholder)).collect())
        })
    }

    fn propose_with(
        &mut self,
        base_fee: u64,
        sign: impl FnOnce(Vec<(usize, TypedTransaction)>, &[Signer]) -> Result<Vec<TxEnvelope>, WorkloadError>,
    ) -> Result<Proposal, WorkloadError> {
        let calls = self.load.calls(self.transactions, &self.world, &mut self.rng);
        let mut unsigned = Vec::with_capacity(calls.len());
        for call in calls {
            let sender = call.sender;
            let nonce = self.next_nonce(sender);
            let authorization = call.authority.map(|authority| self.authorize(authority)).transpose()?;
            unsigned.push((sender, transaction(call, nonce, base_fee, authorization, &mut self.rng)));
        }
        let signers = &self.world.signers;
        self.timestamp += SECONDS_PER_BLOCK;
        Ok(Proposal {
            timestamp: self.timestamp,
            beneficiary: BENEFICIARY,
            gas_limit: self.gas_limit,
            prev_randao: self.rng.b256(),
            parent_beacon_block_root: self.rng.b256(),
            senders: unsigned.iter().map(|(sender, _)| signers[*sender].address()).collect(),
            transactions: sign(unsigned, signers)?,
            withdrawals: self.withdrawals(),
        })
    }

    fn next_nonce(&mut self, signer: usize) -> u64 {
        let nonce = self.nonces[signer];
        self.nonces[signer] += 1;
        nonce
    }

    /// Has a signer delegate to the wallet's code (EIP-7702), which takes a nonce.
    fn authorize(&mut self, signer: usize) -> Result<SignedAuthorization, WorkloadError> {
        let nonce = self.next_nonce(signer);
        let authorization = Authorization { chain_id: U256::from(CHAIN_ID), address: DELEGATE, nonce };
        let signature = self.world.signers[signer].sign(authorization.signature_hash())?;
        Ok(authorization.into_signed(signature))
    }

    fn withdrawals(&mut self) -> Withdrawals {
        let count = self.rng.below(MAX_WITHDRAWALS + 1);
        let withdrawals = (0..count).map(|_| {
            let index = self.withdrawal;
            self.withdrawal += 1;
            Withdrawal {
                index,
                validator_index: self.rng.below(1_000_000),
                address: self.world.signers[self.rng.index(self.world.signers.len())].address(),
                // In gwei: a validator's gain of some days.
                amount: 10_000_000 + self.rng.below(10_000_000),
            }
        });
        Withdrawals::new(withdrawals.collect())
    }
}

/// Signs a block's transactions, which takes most of the time of proposing it.
fn sign(
    unsigned: Vec<(usize, TypedTransaction)>,
    signers: &[Signer],
) -> Result<Vec<TxEnvelope>, WorkloadError> {
    unsigned
        .into_par_iter()
        .map(|(sender, transaction)| {
            let signature = signers[sender].sign(transaction.signature_hash())?;
            Ok(transaction.into_envelope(signature))
        })
        .collect()
}
