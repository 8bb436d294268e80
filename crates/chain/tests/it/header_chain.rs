//! Following a chain from its genesis or from where it was left, through the merge.
#![allow(clippy::unwrap_used)]

use crate::common::{Recorded, made_up};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, Sealable, Sealed, U256};
use std::sync::Arc;
use tandem_chain::{
    Ancestor, BlockAttributes, BlockError, BrokenChain, ExtraDataRule, HeaderChain, HeaderFault, next_header,
    validate_header,
};
use tandem_evm::{ChainSpec, ForkError};

fn field(result: Result<(), BlockError>) -> Option<&'static str> {
    match result {
        Ok(()) => None,
        Err(BlockError::Header(error)) => Some(error.fault.field()),
        Err(other) => panic!("{other}"),
    }
}

/// Without the number of the merge block, total difficulty finds it.
#[test]
fn total_difficulty_finds_the_merge() {
    let Some(recorded) = Recorded::load() else { return };
    let spec = recorded.genesis.chain().clone().with_merge_by(u64::MAX);
    let mut chain = HeaderChain::new(Arc::new(spec), recorded.root.clone());
    for file in &recorded.blocks {
        assert_eq!(chain.chain().merge_block(), (file.block.number > 36).then_some(36));
        chain.push(&file.block).unwrap();
    }
    let total = *recorded.total_difficulties().last().unwrap();
    assert_eq!(chain.total_difficulty(), Some(total));
}

#[test]
fn proof_of_work_and_proof_of_stake_do_not_mix() {
    let Some(recorded) = Recorded::load() else { return };
    let spec = recorded.genesis.chain().clone().with_merge_by(u64::MAX);
    let (headers, totals) = (recorded.headers(), recorded.total_difficulties());
    let check = |spec: &ChainSpec, index: usize, total: Option<U256>, difficulty: U256| {
        let header = Header { difficulty, ..headers[index].inner().clone() };
        validate_header(spec, &headers[index - 1], total, &header).err().map(|error| error.fault)
    };
    let work = headers[35].difficulty;
    let refused = |found, expected| Some(HeaderFault::Difficulty { found, expected });
    // Too early, and too late.
    assert_eq!(check(&spec, 35, Some(totals[34]), U256::ZERO), refused(U256::ZERO, work));
    assert_eq!(check(&spec, 36, Some(totals[35]), work), refused(work, U256::ZERO));
    // After a block of proof of stake there is no way back, whatever is known of total difficulty.
    assert_eq!(check(&spec, 37, None, work), refused(work, U256::ZERO));
    assert_eq!(check(&spec, 37, Some(U256::ZERO), work), refused(work, U256::ZERO));
    // A known merge block decides alone.
    let known = spec.clone().with_merge_at(36);
    assert_eq!(check(&known, 35, Some(U256::MAX), U256::ZERO), refused(U256::ZERO, work));
    assert_eq!(check(&known, 36, None, U256::ZERO), None);
    assert_eq!(check(&known, 36, None, work), refused(work, U256::ZERO));
    // So does the latest possible one, from there on.
    let by = spec.clone().with_merge_by(36);
    assert_eq!(check(&by, 36, Some(U256::ZERO), work), refused(work, U256::ZERO));
    // With nothing known, a header is believed.
    assert_eq!(check(&spec, 36, None, U256::ZERO), None);
    assert_eq!(check(&spec, 35, None, work), None);
    // A chain without a merge has none.
    let never = made_up::chain(12);
    let genesis = made_up::genesis(&never);
    let child = Header { difficulty: U256::ZERO, ..made_up::child(&never, &genesis, 12, b"") };
    let error = validate_header(&never, &genesis, Some(U256::MAX), &child).unwrap_err();
    assert_eq!(error.fault.field(), "difficulty");
}

fn ancestors(recorded: &Recorded, tip: usize, count: usize) -> Vec<Ancestor> {
    let blocks = recorded.blocks[..tip].iter().map(|file| Ancestor {
        header: Sealed::new_unchecked(file.block.header.clone(), file.block.hash()),
        ommers: file.block.body.ommers.iter().map(Header::hash_slow).collect(),
    });
    let root = Ancestor { header: recorded.root.clone(), ommers: Vec::new() };
    let all: Vec<_> = std::iter::once(root).chain(blocks).collect();
    all[all.len().saturating_sub(count)..].to_vec()
}

#[test]
fn a_chain_continues_from_any_block() {
    let Some(recorded) = Recorded::load() else { return };
    let spec = Arc::new(recorded.genesis.chain().clone().with_merge_by(u64::MAX));
    for (tip, total) in recorded.total_difficulties().into_iter().enumerate() {
        let resume = |count| {
            HeaderChain::resume(Arc::clone(&spec), ancestors(&recorded, tip, count), Some(total)).unwrap()
        };
        let (mut chain, mut short) = (resume(256), resume(8));
        assert_eq!(chain.tip().number, tip as u64);
        assert_eq!(chain.block_hash(0), Some(recorded.root.hash()));
        assert_eq!(short.block_hashes().count(), (tip + 1).min(8));
        for file in recorded.blocks[tip..].iter().take(8) {
            chain.push(&file.block).unwrap();
            short.push(&file.block).unwrap();
        }
        let is_merged = chain.tip().difficulty.is_zero();
        assert_eq!(chain.chain().merge_block().is_some(), is_merged);
    }
}

#[test]
fn stored_blocks_must_follow_one_another() {
    let Some(recorded) = Recorded::load() else { return };
    let spec = Arc::new(recorded.genesis.chain().clone());
    let resume = |blocks| HeaderChain::resume(Arc::clone(&spec), blocks, None).err();
    assert_eq!(resume(Vec::new()), Some(BrokenChain::Empty));
    let mut blocks = ancestors(&recorded, 9, 9);
    let gap = blocks.remove(4);
    let next = &blocks[4].header;
    assert_eq!(next.parent_hash, gap.header.hash());
    let (number, hash) = (next.number, next.hash());
    assert_eq!(resume(blocks), Some(BrokenChain::Gap { number, hash }));
}

#[test]
fn a_refused_block_changes_nothing() {
    let Some(recorded) = Recorded::load() else { return };
    let mut chain = HeaderChain::new(Arc::new(recorded.genesis.chain().clone()), recorded.root.clone());
    for (index, file) in recorded.blocks.iter().enumerate() {
        // A gap, a repetition, and a body that is not the header's.
        if let Some(later) = recorded.blocks.get(index + 1) {
            assert_eq!(field(chain.push(&later.block)), Some("parentHash"));
        }
        if index > 0 {
            assert_eq!(field(chain.push(&recorded.blocks[index - 1].block)), Some("parentHash"));
        }
        let (mut block, hash) = file.block.clone().split();
        block.header.transactions_root = B256::ZERO;
        let wrong = Sealed::new_unchecked(block, hash);
        assert!(matches!(chain.push(&wrong), Err(BlockError::Body(_))));
        assert_eq!(chain.tip().number, index as u64);
        assert_eq!(chain.block_hashes().count(), index + 1);
        chain.push(&file.block).unwrap();
    }
}

#[test]
fn it_remembers_256_hashes() {
    let spec = Arc::new(made_up::chain(made_up::FORKS.len()));
    let mut chain = HeaderChain::new(Arc::clone(&spec), made_up::genesis(&spec));
    let mut hashes = vec![chain.tip().hash()];
    for _ in 0..300 {
        let child = made_up::child(&spec, chain.tip(), 12, b"").seal_slow();
        hashes.push(child.hash());
        chain.push_header(child, &[]).unwrap();
    }
    assert_eq!(chain.block_hash(44), None);
    let recent: Vec<_> = (45..=300).zip(hashes[45..].iter().copied()).collect();
    assert_eq!(chain.block_hashes().collect::<Vec<_>>(), recent);
    assert!(recent.iter().all(|(number, hash)| chain.block_hash(*number) == Some(*hash)));
}

/// Ten blocks after the fork, and no others.
#[test]
fn the_dao_fork_marks_its_blocks() {
    let mark = b"dao-hard-fork";
    for (followed, expected) in [(true, ExtraDataRule::DaoFork), (false, ExtraDataRule::NotDaoFork)] {
        let spec = Arc::new(made_up::chain(1).with_dao_fork(3, followed));
        let mut chain = HeaderChain::new(Arc::clone(&spec), made_up::genesis(&spec));
        for number in 1..20 {
            let is_marked = (3..13).contains(&number);
            let extra: &[u8] = if is_marked && followed { mark } else { b"" };
            let other: &[u8] = if extra.is_empty() { mark } else { b"dao-hard-for" };
            let wrong = made_up::child(&spec, chain.tip(), 13, other).seal_slow();
            let result = chain.clone().push_header(wrong, &[]);
            match result {
                Ok(()) => assert!(!is_marked, "{number}"),
                Err(BlockError::Header(error)) => {
                    let found = Bytes::copy_from_slice(other);
                    assert_eq!(error.fault, HeaderFault::ExtraData { found, expected });
                    assert!(is_marked, "{number}");
                }
                Err(other) => panic!("{other}"),
            }
            let right = made_up::child(&spec, chain.tip(), 13, extra).seal_slow();
            chain.push_header(right, &[]).unwrap();
        }
    }
}

#[test]
fn forks_that_are_not_supported_are_refused() {
    let spec = ChainSpec::known(11_155_111).unwrap();
    let begin = 1_791_294_816;
    let parent = Header {
        number: 11_856_336,
        timestamp: begin - 24,
        gas_limit: 60_000_000,
        base_fee_per_gas: Some(7),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        ..Header::default()
    };
    let parent = parent.seal_slow();
    let child = |timestamp| {
        let attributes = BlockAttributes { timestamp, gas_limit: 60_000_000, ..BlockAttributes::default() };
        next_header(&spec, &parent, None, &attributes)
    };
    validate_header(&spec, &parent, None, &child(begin - 12)).unwrap();
    let error = validate_header(&spec, &parent, None, &child(begin)).unwrap_err();
    assert_eq!(
        error.fault,
        HeaderFault::Fork { found: begin, error: ForkError::Unsupported { fork: "Amsterdam" } }
    );
    assert!(error.to_string().contains("Amsterdam"), "{error}");
}

#[test]
fn no_block_follows_the_last_number() {
    let spec = made_up::chain(made_up::FORKS.len());
    let parent = Header { number: u64::MAX, ..made_up::genesis(&spec).inner().clone() };
    let parent = parent.seal_slow();
    let child = made_up::child(&spec, &parent, 12, b"");
    assert_eq!(validate_header(&spec, &parent, None, &child).unwrap_err().fault.field(), "number");
}
