//! Blocks that are sealed here are valid, whatever their builder chose.
#![allow(clippy::unwrap_used)]

use crate::common::made_up::{self, FORKS};
use alloy_consensus::{
    BlockBody, Header, SignableTransaction, TxEip4844, TxEip4844WithSidecar, TxEnvelope, TxLegacy,
};
use alloy_eips::eip4844::BlobTransactionSidecar;
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, B256, Bloom, Bytes, Sealed, Signature, U256};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::Arc;
use tandem_chain::{
    BlockAttributes, BodyFault, ExecutionFields, HeaderChain, SealError, SealedBlock, decode_block,
    next_header, seal, signed_block,
};
use tandem_evm::ChainSpec;

fn signature() -> Signature {
    Signature::new(U256::ONE, U256::ONE, false)
}

fn plain(nonce: u64) -> TxEnvelope {
    TxLegacy { nonce, ..TxLegacy::default() }.into_signed(signature()).into()
}

fn with_blobs(blobs: usize) -> TxEnvelope {
    let blob_versioned_hashes = vec![B256::ZERO; blobs];
    TxEip4844 { blob_versioned_hashes, ..TxEip4844::default() }.into_signed(signature()).into()
}

/// What executing a block might give.
fn executed(chain: &ChainSpec, header: &Header, gas_used: u64) -> ExecutionFields {
    let is_prague = chain.is_active(EthereumHardfork::Prague, header.number, header.timestamp);
    ExecutionFields {
        gas_used,
        logs_bloom: Bloom::repeat_byte(7),
        receipts_root: Some(B256::repeat_byte(8)),
        requests_hash: is_prague.then_some(EMPTY_REQUESTS_HASH),
        state_root: Some(B256::repeat_byte(9)),
    }
}

/// A builder's choices.
#[derive(Clone, Debug)]
struct Choice {
    seconds: u64,
    gas_limit: u64,
    /// Of the gas limit, in parts of 255.
    gas_used: u8,
    extra: Vec<u8>,
    randao: [u8; 32],
    transactions: usize,
    blobs: usize,
    withdrawals: Option<usize>,
}

fn choices() -> impl Strategy<Value = Choice> {
    let numbers = (1..22_u64, prop_oneof![Just(u64::MAX), Just(0), 4_000..80_000_000_u64], any::<u8>());
    let data = (vec(any::<u8>(), 0..=32), any::<[u8; 32]>());
    let lists = (0..4_usize, 0..=22_usize, prop_oneof![Just(None), (0..5_usize).prop_map(Some)]);
    (numbers, data, lists).prop_map(|(numbers, (extra, randao), (transactions, blobs, withdrawals))| {
        let (seconds, gas_limit, gas_used) = numbers;
        Choice { seconds, gas_limit, gas_used, extra, randao, transactions, blobs, withdrawals }
    })
}

/// Makes the block that follows the tip.
fn build(chain: &HeaderChain, choice: &Choice) -> SealedBlock {
    let (spec, parent, total) = (chain.chain(), chain.tip(), chain.total_difficulty());
    let timestamp = parent.timestamp + choice.seconds;
    let attributes = BlockAttributes {
        timestamp,
        beneficiary: Address::from_slice(&choice.randao[..20]),
        gas_limit: choice.gas_limit,
        extra_data: Bytes::from(choice.extra.clone()),
        prev_randao: B256::from(choice.randao),
        parent_beacon_block_root: B256::from(choice.randao),
    };
    let header = next_header(spec, parent, total, &attributes);
    let max_blobs = spec.blob_params(timestamp).map_or(0, |params| params.max_blob_count as usize);
    let blobs = choice.blobs.min(max_blobs);
    let mut transactions: Vec<_> = (0..choice.transactions as u64).map(plain).collect();
    transactions.extend((blobs > 0).then(|| with_blobs(blobs)));
    let withdrawals = header.withdrawals_root.and(choice.withdrawals).map(|count| {
        Withdrawals::new(
            (0..count as u64).map(|index| Withdrawal { index, ..Withdrawal::default() }).collect(),
        )
    });
    let executed = executed(spec, &header, header.gas_limit / 255 * u64::from(choice.gas_used));
    let body = BlockBody { transactions, ommers: Vec::new(), withdrawals };
    seal(spec, parent, total, header, body, &executed).unwrap()
}

/// A chain whose forks come one after another, a new one every two blocks; the merge by total difficulty.
fn spec_of_all_forks() -> ChainSpec {
    use alloy_hardforks::{EthereumChainHardforks, ForkCondition};
    let forks = FORKS.iter().enumerate().map(|(index, (fork, by_time))| {
        let index = index as u64;
        let condition = match fork {
            EthereumHardfork::Paris => ForkCondition::TTD {
                activation_block_number: u64::MAX,
                fork_block: None,
                total_difficulty: U256::from(25_u64 << 20),
            },
            _ if *by_time => ForkCondition::Timestamp(index * 40),
            _ => ForkCondition::Block(index * 2),
        };
        (*fork, condition)
    });
    ChainSpec::new(1337, EthereumChainHardforks::new(forks), Address::ZERO).with_merge_by(u64::MAX)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn sealed_blocks_are_valid(choices in vec(choices(), 1..50), forks in 1..=FORKS.len(), all in any::<bool>()) {
        let spec = if all { spec_of_all_forks() } else { made_up::chain(forks) };
        let genesis = made_up::genesis(&spec);
        let mut chain = HeaderChain::new(Arc::new(spec), genesis);
        for choice in choices {
            // Time forks must not come before the merge.
            let is_open = chain.chain().merge_block().is_none();
            let is_late = all && is_open && chain.tip().timestamp + choice.seconds >= 13 * 40;
            if is_late {
                break;
            }
            let block = build(&chain, &choice);
            let bytes = alloy_rlp::encode(block.inner());
            prop_assert_eq!(&decode_block(&bytes).unwrap(), &block);
            chain.push(&block).unwrap();
            let transactions = block.body.transactions.len();
            let signed = signed_block(chain.chain(), block.into_inner());
            prop_assert_eq!(signed.transactions.len(), transactions);
        }
    }
}

/// One after another through all forks, by their number and time.
#[test]
fn a_chain_is_sealed_through_every_fork() {
    let spec = spec_of_all_forks();
    let genesis = made_up::genesis(&spec);
    let mut chain = HeaderChain::new(Arc::new(spec), genesis);
    let choice = Choice {
        seconds: 15,
        gas_limit: 36_000_000,
        gas_used: 200,
        extra: Vec::new(),
        randao: [3; 32],
        transactions: 2,
        blobs: 22,
        withdrawals: None,
    };
    let mut forks = vec!["Frontier"];
    while forks.last() != Some(&"BPO2") {
        let block = build(&chain, &choice);
        chain.push(&block).unwrap();
        let fork = chain.chain().fork(block.number, block.timestamp).unwrap();
        if forks.last() != Some(&fork) {
            forks.push(fork);
        }
    }
    assert_eq!(
        forks,
        [
            "Frontier",
            "Homestead",
            "Tangerine",
            "SpuriousDragon",
            "Byzantium",
            "Petersburg",
            "Istanbul",
            "Berlin",
            "London",
            "Paris",
            "Shanghai",
            "Cancun",
            "Prague",
            "Osaka",
            "BPO1",
            "BPO2",
        ]
    );
    let merge = chain.chain().merge_block().unwrap();
    assert!(chain.block_hashes().any(|(number, _)| number == merge));
}

fn post_merge() -> (ChainSpec, Sealed<Header>) {
    let spec = made_up::chain(FORKS.len());
    let genesis = made_up::genesis(&spec);
    (spec, genesis)
}

fn body(transactions: Vec<TxEnvelope>) -> BlockBody<TxEnvelope> {
    BlockBody { transactions, ommers: Vec::new(), withdrawals: None }
}

#[test]
fn missing_results_are_named() {
    let (spec, parent) = post_merge();
    let header = made_up::child(&spec, &parent, 12, b"");
    let full = executed(&spec, &header, 0);
    let seal = |executed| seal(&spec, &parent, None, header.clone(), body(Vec::new()), &executed);
    let without = ExecutionFields { state_root: None, ..full };
    assert_eq!(seal(without), Err(SealError::Missing("stateRoot")));
    let without = ExecutionFields { receipts_root: None, ..full };
    assert_eq!(seal(without), Err(SealError::Missing("receiptsRoot")));
    for (executed, field) in [
        (ExecutionFields { requests_hash: None, ..full }, "requestsHash"),
        (ExecutionFields { gas_used: u64::MAX, ..full }, "gasUsed"),
    ] {
        match seal(executed) {
            Err(SealError::Header(error)) => assert_eq!(error.fault.field(), field),
            other => panic!("{other:?}"),
        }
    }
    let sealed = seal(full).unwrap();
    assert_eq!(sealed.body.withdrawals, Some(Withdrawals::default()));
}

#[test]
fn invalid_choices_are_refused() {
    let (spec, parent) = post_merge();
    let seal = |header: Header, body| {
        let executed = executed(&spec, &header, 0);
        seal(&spec, &parent, None, header, body, &executed).unwrap_err()
    };
    let field = |error| match error {
        SealError::Header(error) => error.fault.field(),
        other => panic!("{other}"),
    };
    let late = made_up::child(&spec, &parent, 0, b"");
    assert_eq!(field(seal(late, body(Vec::new()))), "timestamp");
    let long = made_up::child(&spec, &parent, 12, &[0; 33]);
    assert_eq!(field(seal(long, body(Vec::new()))), "extraData");
    let header = made_up::child(&spec, &parent, 12, b"");
    assert_eq!(field(seal(header.clone(), body(vec![with_blobs(22)]))), "blobGasUsed");
    let sidecar = BlobTransactionSidecarVariant::Eip4844(BlobTransactionSidecar::default());
    let carrying = TxEip4844WithSidecar { tx: TxEip4844::default(), sidecar };
    let carrying: TxEnvelope = carrying.into_signed(signature()).into();
    let error = seal(header, body(vec![carrying]));
    assert!(
        matches!(&error, SealError::Body(error) if matches!(error.fault, BodyFault::Sidecar { .. })),
        "{error}"
    );
}

#[test]
fn a_gas_limit_moves_as_near_as_it_may() {
    let (spec, parent) = post_merge();
    let limit = |wish| {
        let attributes = BlockAttributes { gas_limit: wish, timestamp: 12, ..BlockAttributes::default() };
        next_header(&spec, &parent, None, &attributes).gas_limit
    };
    assert_eq!(parent.gas_limit, 30_000_000);
    assert_eq!(
        [0, 29_999_999, 30_000_001, u64::MAX].map(limit),
        [29_970_705, 29_999_999, 30_000_001, 30_029_295]
    );
}
