use super::chain_spec::ChainSpec;
use crate::error::BlockId;
use crate::protocol::Block;
use alloy_consensus::transaction::{Recovered, SignerRecoverable};
use alloy_consensus::{Header, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::B256;
use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;
use tandem_stm::Background;
use thiserror::Error;

/// A decoded block whose senders are not known yet.
#[derive(Clone, Debug)]
pub struct SignedBlock {
    /// The rules of its chain.
    pub chain: Arc<ChainSpec>,
    /// The header.
    pub header: Header,
    /// The transactions as signed.
    pub transactions: Vec<TxEnvelope>,
    /// Ommer headers, for their rewards.
    pub ommers: Vec<Header>,
    /// Withdrawals; empty before Shanghai.
    pub withdrawals: Withdrawals,
}

/// A signature from which no sender can be recovered; the block that holds the transaction is invalid.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("block {block}: transaction {index} ({hash}) is invalid: its signature does not recover to a sender")]
pub struct SenderError {
    /// The block.
    pub block: BlockId,
    /// The transaction's index in the block.
    pub index: usize,
    /// The transaction's hash.
    pub hash: B256,
}

type RecoveredTransaction = Result<Recovered<TxEnvelope>, SenderError>;

impl SignedBlock {
    /// Recovers the senders, in parallel on the current rayon pool. High `s` values are refused from Homestead on
    /// (EIP-2).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use tandem_evm::{ChainSpec, Config, Executor, SignedBlock};
    /// # let (header, transactions) = (alloy_consensus::Header::default(), vec![]);
    /// let chain = Arc::new(ChainSpec::known(1).unwrap());
    /// let signed = SignedBlock { chain, header, transactions, ommers: vec![], withdrawals: Default::default() };
    /// let executor = Executor::new(&Config::default().threads(2)).unwrap();
    /// let block = executor.background().run(|| signed.recover()).unwrap();
    /// assert_eq!(block.transaction_count(), 0);
    /// ```
    ///
    /// # Errors
    ///
    /// For the first transaction in the block whose signature does not recover.
    pub fn recover(self) -> Result<Block<ChainSpec>, SenderError> {
        self.recover_by(|transactions, recover| {
            transactions
                .into_par_iter()
                .enumerate()
                .map(|(index, transaction)| recover(index, transaction))
                .collect()
        })
    }

    /// Like [`SignedBlock::recover`], on this thread alone.
    ///
    /// For background work that the input of a stream waits for, block by block: while a thread waits for a part of its work it may
    /// begin with another block, and gets back to the first one only after that.
    ///
    /// # Errors
    ///
    /// As for [`SignedBlock::recover`].
    pub fn recover_alone(self) -> Result<Block<ChainSpec>, SenderError> {
        self.recover_by(|transactions, recover| {
            let transactions = transactions.into_iter().enumerate();
            transactions.map(|(index, transaction)| recover(index, transaction)).collect()
        })
    }

    fn recover_by(
        self,
        map: impl FnOnce(
            Vec<TxEnvelope>,
            &(dyn Fn(usize, TxEnvelope) -> RecoveredTransaction + Sync),
        ) -> Vec<RecoveredTransaction>,
    ) -> Result<Block<ChainSpec>, SenderError> {
        let Self { chain, header, transactions, ommers, withdrawals } = self;
        let any_s = !chain.is_active(EthereumHardfork::Homestead, header.number, header.timestamp);
        let block = BlockId { chain_id: chain.chain_id(), number: header.number };
        let recover = |index: usize, transaction: TxEnvelope| {
            let sender =
                if any_s { transaction.recover_signer_unchecked() } else { transaction.recover_signer() };
            match sender {
                Ok(sender) => Ok(Recovered::new_unchecked(transaction, sender)),
                Err(_) => Err(SenderError { block, index, hash: *transaction.tx_hash() }),
            }
        };
        let recovered = map(transactions, &recover);
        let transactions = recovered.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Block::new(&chain, header, transactions, ommers, withdrawals))
    }
}

/// Recovers the senders of a sequence of blocks ahead of whoever consumes it, and hands them over in order.
///
/// Recovery is background work on the threads of an executor. A block that none of them has begun with is recovered by whoever asks for
/// it, so that it comes even where all these threads wait.
#[derive(Debug)]
pub struct RecoverAhead<I> {
    threads: Background,
    blocks: I,
    ahead: usize,
    pending: VecDeque<(Arc<Pending>, Receiver<RecoveredBlock>)>,
}

type RecoveredBlock = Result<Block<ChainSpec>, SenderError>;

/// A block, and where it goes. Taken by whoever recovers it.
#[derive(Debug)]
struct Pending(Mutex<Option<(SignedBlock, Sender<RecoveredBlock>)>>);

impl Pending {
    /// Recovers the block, unless somebody else does.
    fn recover(&self) {
        let pending = self.0.lock().take();
        if let Some((block, recovered)) = pending {
            let _ = recovered.send(block.recover_alone());
        }
    }
}

impl<I: Iterator<Item = SignedBlock>> RecoverAhead<I> {
    /// Keeps up to `ahead` blocks (at least one) recovered or in recovery.
    pub fn new(threads: Background, blocks: I, ahead: usize) -> Self {
        Self { threads, blocks, ahead: ahead.max(1), pending: VecDeque::new() }
    }
}

impl<I: Iterator<Item = SignedBlock>> Iterator for RecoverAhead<I> {
    type Item = RecoveredBlock;

    fn next(&mut self) -> Option<Self::Item> {
        while self.pending.len() < self.ahead
            && let Some(block) = self.blocks.next()
        {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            let block = Arc::new(Pending(Mutex::new(Some((block, sender)))));
            self.pending.push_back((block.clone(), receiver));
            self.threads.spawn(move || block.recover());
        }
        let (block, recovered) = self.pending.pop_front()?;
        block.recover();
        recovered.recv().ok()
    }
}
