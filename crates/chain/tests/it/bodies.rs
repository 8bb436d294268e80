//! Bodies that do not belong to their headers, or that their forks do not allow.
#![allow(clippy::unwrap_used)]

use crate::common::made_up::{self, FORKS};
use alloy_consensus::proofs::calculate_transaction_root;
use alloy_consensus::{
    Block, BlockBody, Header, SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip4844WithSidecar,
    TxEip7702, TxEnvelope, TxLegacy,
};
use alloy_eips::eip4844::BlobTransactionSidecar;
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::{B256, Bytes, Sealable, Signature, U256};
use alloy_rlp::Encodable;
use tandem_chain::{BodyFault, validate_body};
use tandem_evm::ChainSpec;

const GAS_PER_BLOB: u64 = 131_072;

fn signed<T: SignableTransaction<Signature>>(transaction: T) -> TxEnvelope
where
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    transaction.into_signed(Signature::new(U256::ONE, U256::ONE, false)).into()
}

/// A transaction of each type; that of type 3 has two blobs.
fn transaction(ty: u8) -> TxEnvelope {
    match ty {
        0 => signed(TxLegacy::default()),
        1 => signed(TxEip2930::default()),
        2 => signed(TxEip1559::default()),
        3 => signed(TxEip4844 { blob_versioned_hashes: vec![B256::ZERO; 2], ..TxEip4844::default() }),
        _ => signed(TxEip7702::default()),
    }
}

/// The second block of a chain that has the first so many forks.
fn block(forks: usize, transactions: Vec<TxEnvelope>) -> (ChainSpec, Block<TxEnvelope>) {
    let chain = made_up::chain(forks);
    let header = made_up::child(&chain, &made_up::genesis(&chain), 12, b"");
    let blobs = transactions.iter().filter(|transaction| transaction.is_eip4844()).count() as u64 * 2;
    let header = Header {
        transactions_root: calculate_transaction_root(&transactions),
        blob_gas_used: header.blob_gas_used.map(|_| blobs * GAS_PER_BLOB),
        ..header
    };
    let withdrawals = header.withdrawals_root.map(|_| Withdrawals::default());
    (chain, Block { header, body: BlockBody { transactions, ommers: Vec::new(), withdrawals } })
}

fn forks_up_to(name: &str) -> usize {
    FORKS.iter().position(|(fork, _)| fork.name() == name).unwrap() + 1
}

fn fault(chain: &ChainSpec, block: &Block<TxEnvelope>) -> Option<BodyFault> {
    validate_body(chain, block).err().map(|error| {
        assert_eq!((error.number, error.hash), (block.header.number, block.header.hash_slow()));
        error.fault
    })
}

#[test]
fn each_fork_has_its_types_of_transactions() {
    for (ty, first) in [(0, "Homestead"), (1, "Berlin"), (2, "London"), (3, "Cancun"), (4, "Prague")] {
        let first = forks_up_to(first);
        for forks in 1..=FORKS.len() {
            let (chain, block) = block(forks, vec![transaction(0), transaction(ty)]);
            let fork = chain.fork(1, 12).unwrap();
            let hash = *block.body.transactions[1].tx_hash();
            let expected =
                (forks < first).then_some(BodyFault::TransactionType { index: 1, hash, found: ty, fork });
            assert_eq!(fault(&chain, &block), expected, "type {ty} in {fork}");
        }
    }
}

#[test]
fn blob_gas_is_that_of_the_transactions() {
    let (chain, mut block) = block(FORKS.len(), vec![transaction(3), transaction(2), transaction(3)]);
    assert_eq!(block.header.blob_gas_used, Some(4 * GAS_PER_BLOB));
    assert_eq!(fault(&chain, &block), None);
    for found in [Some(3 * GAS_PER_BLOB), Some(5 * GAS_PER_BLOB), Some(0), None] {
        block.header.blob_gas_used = found;
        assert_eq!(fault(&chain, &block), Some(BodyFault::BlobGasUsed { found, expected: 4 * GAS_PER_BLOB }));
    }
}

#[test]
fn the_lists_are_those_of_the_header() {
    let (chain, right) = block(FORKS.len(), vec![transaction(0), transaction(2)]);
    assert_eq!(fault(&chain, &right), None);
    let mut block = right.clone();
    block.body.transactions.swap(0, 1);
    assert!(matches!(fault(&chain, &block), Some(BodyFault::TransactionsRoot { .. })));
    block.body.transactions.clear();
    assert!(matches!(fault(&chain, &block), Some(BodyFault::TransactionsRoot { .. })));
    let mut block = right.clone();
    block.body.ommers.push(Header::default());
    assert!(matches!(fault(&chain, &block), Some(BodyFault::OmmersHash { .. })));
    let mut block = right;
    block.body.withdrawals = None;
    assert!(matches!(fault(&chain, &block), Some(BodyFault::WithdrawalsRoot { expected: None, .. })));
    block.body.withdrawals = Some(Withdrawals::new(vec![Withdrawal::default()]));
    assert!(matches!(fault(&chain, &block), Some(BodyFault::WithdrawalsRoot { expected: Some(_), .. })));
    let (chain, mut block) = self::block(forks_up_to("Paris"), Vec::new());
    block.body.withdrawals = Some(Withdrawals::default());
    assert!(matches!(fault(&chain, &block), Some(BodyFault::WithdrawalsRoot { found: None, .. })));
}

#[test]
fn blobs_stay_outside() {
    let sidecar = BlobTransactionSidecarVariant::Eip4844(BlobTransactionSidecar::default());
    let transaction = signed(TxEip4844WithSidecar { tx: TxEip4844::default(), sidecar });
    let hash = *transaction.tx_hash();
    let (chain, mut block) = block(FORKS.len(), vec![transaction]);
    block.header.blob_gas_used = Some(0);
    assert_eq!(fault(&chain, &block), Some(BodyFault::Sidecar { index: 0, hash }));
}

/// EIP-7934: 8,388,608 bytes and no more, from Osaka on.
#[test]
fn blocks_are_not_too_large_from_osaka_on() {
    const LIMIT: usize = 8_388_608;
    let with_input = |forks, bytes| {
        block(forks, vec![signed(TxLegacy { input: Bytes::from(vec![1; bytes]), ..TxLegacy::default() })])
    };
    let osaka = forks_up_to("Osaka");
    let rest = with_input(osaka, LIMIT).1.length() - LIMIT;
    let (chain, largest) = with_input(osaka, LIMIT - rest);
    assert_eq!(largest.length(), LIMIT);
    assert_eq!(fault(&chain, &largest), None);
    let (chain, larger) = with_input(osaka, LIMIT - rest + 1);
    let found = LIMIT + 1;
    assert_eq!(fault(&chain, &larger), Some(BodyFault::Size { found, limit: LIMIT }));
    let (chain, prague) = with_input(forks_up_to("Prague"), LIMIT + 1);
    assert_eq!(fault(&chain, &prague), None);
}

#[test]
fn messages_name_the_block_and_the_field() {
    let (chain, mut block) = block(FORKS.len(), vec![transaction(0)]);
    block.header.transactions_root = B256::ZERO;
    let hash = block.header.clone().seal_slow().hash();
    let expected = calculate_transaction_root(&block.body.transactions);
    assert_eq!(
        validate_body(&chain, &block).unwrap_err().to_string(),
        format!(
            "block 1 ({hash}): field transactionsRoot is {}, expected {expected}, the root of the body's transactions",
            B256::ZERO
        )
    );
}
