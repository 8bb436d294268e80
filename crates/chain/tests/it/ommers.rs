//! Which ommers a block may have (Yellow Paper, 11.1).
#![allow(clippy::unwrap_used)]

use crate::common::{Recorded, made_up};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, Sealable, Sealed, U256};
use std::sync::Arc;
use tandem_chain::{Ancestor, BlockError, HeaderChain, OmmerFault, validate_ommers};
use tandem_evm::ChainSpec;

/// Ten blocks without ommers, the genesis first, and the header of an eleventh.
struct Line {
    chain: ChainSpec,
    ancestors: Vec<Ancestor>,
    next: Header,
}

impl Line {
    fn new() -> Self {
        let chain = made_up::chain(1);
        let mut headers = vec![made_up::genesis(&chain)];
        for _ in 0..9 {
            let next = made_up::child(&chain, &headers[headers.len() - 1], 13, b"").seal_slow();
            headers.push(next);
        }
        let next = made_up::child(&chain, &headers[9], 13, b"");
        let ancestors = headers.into_iter().map(|header| Ancestor { header, ommers: Vec::new() }).collect();
        Self { chain, ancestors, next }
    }

    /// A sibling of the ancestor that lies `depth` generations above the block: its parent is one further up.
    fn ommer(&self, depth: usize, extra: &[u8]) -> Header {
        let parent = &self.ancestors[self.ancestors.len() - depth - 1];
        made_up::child(&self.chain, &parent.header, 14, extra)
    }

    fn check(&self, ommers: &[Header]) -> Option<OmmerFault> {
        let result = validate_ommers(&self.chain, &self.next, ommers, &self.ancestors);
        result.err().map(|error| {
            let start = format!("block {} ({}): ", self.next.number, self.next.hash_slow());
            assert!(error.to_string().starts_with(&start), "{error}");
            error.fault
        })
    }
}

#[test]
fn up_to_two_ommers_of_up_to_six_generations() {
    let line = Line::new();
    assert_eq!(line.check(&[]), None);
    for depth in 1..=6 {
        assert_eq!(line.check(&[line.ommer(depth, b"a")]), None, "{depth}");
    }
    assert_eq!(line.check(&[line.ommer(1, b"a"), line.ommer(1, b"b")]), None);
    assert_eq!(line.check(&[line.ommer(1, b"a"), line.ommer(6, b"b")]), None);
    let three = [line.ommer(1, b"a"), line.ommer(2, b"b"), line.ommer(3, b"c")];
    assert_eq!(line.check(&three), Some(OmmerFault::TooMany { found: 3 }));
}

#[test]
fn an_ommer_is_rewarded_once() {
    let mut line = Line::new();
    let ommer = line.ommer(2, b"a");
    let hash = ommer.hash_slow();
    let twice = [ommer.clone(), ommer.clone()];
    assert_eq!(line.check(&twice), Some(OmmerFault::Repeated { index: 1, hash, of: 10 }));
    for age in 1..=7 {
        let at = line.ancestors.len() - age;
        line.ancestors[at].ommers.push(hash);
        let of = line.ancestors[at].header.number;
        let found = line.check(&[line.ommer(1, b"b"), ommer.clone()]);
        assert_eq!(found, Some(OmmerFault::Repeated { index: 1, hash, of }), "{age}");
        line.ancestors[at].ommers.clear();
    }
    // The rules look no further back.
    line.ancestors[2].ommers.push(hash);
    assert_eq!(line.check(&[ommer]), None);
}

#[test]
fn an_ommer_is_a_relative_but_no_ancestor() {
    let line = Line::new();
    let ancestor = line.ancestors[8].header.inner().clone();
    let hash = ancestor.hash_slow();
    assert_eq!(line.check(&[ancestor]), Some(OmmerFault::IsAncestor { index: 0, hash }));
    let sibling = made_up::child(&line.chain, &line.ancestors[9].header, 14, b"a");
    let too_old = line.ommer(7, b"a");
    let mut stranger = line.ommer(1, b"a");
    stranger.parent_hash = B256::repeat_byte(3);
    // Its parent is an ommer, not an ancestor.
    let nephew = made_up::child(&line.chain, &line.ommer(3, b"a").seal_slow(), 14, b"b");
    for ommer in [sibling, too_old, stranger, nephew] {
        let (hash, parent) = (ommer.hash_slow(), ommer.parent_hash);
        assert_eq!(line.check(&[ommer]), Some(OmmerFault::Unrelated { index: 0, hash, parent }));
    }
}

#[test]
fn an_ommers_header_obeys_the_rules() {
    let line = Line::new();
    type Change = fn(&mut Header);
    let changes: [(&str, Change); 7] = [
        ("number", |ommer| ommer.number += 1),
        ("timestamp", |ommer| ommer.timestamp = 0),
        ("extraData", |ommer| ommer.extra_data = Bytes::from(vec![0; 33])),
        ("gasLimit", |ommer| ommer.gas_limit *= 2),
        ("gasUsed", |ommer| ommer.gas_used = u64::MAX),
        ("difficulty", |ommer| ommer.difficulty += U256::ONE),
        ("difficulty", |ommer| ommer.difficulty = U256::ZERO),
    ];
    for (field, change) in changes {
        let mut ommer = line.ommer(2, b"a");
        change(&mut ommer);
        match line.check(&[ommer]) {
            Some(OmmerFault::Header { index: 0, fault, .. }) => assert_eq!(fault.field(), field),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn near_the_genesis_there_are_fewer_ancestors() {
    let mut line = Line::new();
    line.next = line.ancestors[2].header.inner().clone();
    line.ancestors.truncate(2);
    assert_eq!(line.check(&[line.ommer(1, b"a")]), None);
    line.ancestors.truncate(0);
    let ommer = made_up::child(&line.chain, &made_up::genesis(&line.chain), 14, b"a");
    assert!(matches!(line.check(&[ommer]), Some(OmmerFault::Unrelated { .. })));
}

/// An ommer of the recorded chain cannot come again within seven blocks, nor as part of a block that follows.
#[test]
fn recorded_ommers_cannot_come_again() {
    let Some(recorded) = Recorded::load() else { return };
    let mut headers = HeaderChain::new(Arc::new(recorded.genesis.chain().clone()), recorded.root.clone());
    let mut seen: Vec<Header> = Vec::new();
    for file in &recorded.blocks {
        let header = Sealed::new_unchecked(file.block.header.clone(), file.block.hash());
        for ommer in seen.iter().rev().take(3) {
            if header.number - ommer.number <= 6 && !header.difficulty.is_zero() {
                let error = headers.push_header(header.clone(), std::slice::from_ref(ommer)).unwrap_err();
                assert!(
                    matches!(&error, BlockError::Ommers(error)
                    if matches!(error.fault, OmmerFault::Repeated { .. })),
                    "{error}"
                );
            }
        }
        headers.push(&file.block).unwrap();
        seen.extend(file.block.body.ommers.iter().cloned());
    }
    println!("{} ommers", seen.len());
    assert!(!seen.is_empty());
}
