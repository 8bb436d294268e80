//! The recorded chain obeys every rule, and its headers can be made anew from what their builder knew.
#![allow(clippy::unwrap_used)]

use crate::common::Recorded;
use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{B256, Bloom, Sealed};
use std::sync::Arc;
use tandem_chain::{
    BlockAttributes, Executed, HeaderChain, next_header, seal, signed_block, validate_execution,
};

#[test]
fn block_1_follows_the_genesis() {
    let Some(recorded) = Recorded::load() else { return };
    assert_eq!(recorded.blocks[0].block.parent_hash, recorded.root.hash());
    assert_eq!(recorded.genesis.chain().chain_id(), 3_503_995_874_084_926);
}

#[test]
fn every_block_passes() {
    let Some(recorded) = Recorded::load() else { return };
    let mut headers = HeaderChain::new(Arc::new(recorded.genesis.chain().clone()), recorded.root.clone());
    let mut forks = Vec::new();
    for file in &recorded.blocks {
        headers.push(&file.block).unwrap();
        let fork = headers.chain().fork(file.block.number, file.block.timestamp).unwrap();
        if forks.last() != Some(&fork) {
            forks.push(fork);
        }
    }
    assert_eq!(headers.tip().number as usize, recorded.blocks.len());
    let expected = [
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
    ];
    assert_eq!(forks, expected);
    let chain = headers.chain();
    assert_eq!(chain.merge_block(), Some(36));
    assert!(headers.total_difficulty() >= chain.terminal_total_difficulty());
    let hashes: Vec<_> = headers.block_hashes().collect();
    assert_eq!(hashes[0], (0, recorded.root.hash()));
    assert_eq!(hashes.last(), Some(&(headers.tip().number, headers.tip().hash())));
    assert!(hashes.iter().all(|(number, hash)| headers.block_hash(*number) == Some(*hash)));
    assert_eq!(headers.block_hash(headers.tip().number + 1), None);
}

#[test]
fn blob_parameters_are_those_of_the_schedule() {
    let Some(recorded) = Recorded::load() else { return };
    let chain = recorded.genesis.chain();
    for (timestamp, params) in [
        (419, None),
        (420, Some(BlobParams::cancun())),
        (450, Some(BlobParams::prague())),
        (480, Some(BlobParams::osaka())),
        (510, Some(BlobParams::bpo1())),
        (540, Some(BlobParams::bpo2())),
    ] {
        assert_eq!(chain.blob_params(timestamp), params, "{timestamp}");
    }
}

#[test]
fn senders_can_be_recovered() {
    let Some(recorded) = Recorded::load() else { return };
    let chain = Arc::new(recorded.genesis.chain().clone());
    for file in &recorded.blocks {
        let block = file.block.inner().clone();
        let transactions = block.body.transactions.len();
        let recovered = signed_block(&chain, block).recover().unwrap();
        assert_eq!(recovered.transaction_count(), transactions);
    }
}

/// What a header says of execution.
fn executed(header: &Header) -> Executed {
    Executed {
        gas_used: header.gas_used,
        logs_bloom: header.logs_bloom,
        receipts_root: Some(header.receipts_root),
        requests_hash: header.requests_hash,
        state_root: Some(header.state_root),
    }
}

#[test]
fn every_header_can_be_made_anew() {
    let Some(recorded) = Recorded::load() else { return };
    let chain = recorded.genesis.chain();
    let parents: Vec<Sealed<Header>> = recorded.headers();
    let totals = recorded.total_difficulties();
    for ((file, parent), total) in recorded.blocks.iter().zip(&parents).zip(totals) {
        let block = &file.block;
        let attributes = BlockAttributes {
            timestamp: block.timestamp,
            beneficiary: block.beneficiary,
            gas_limit: block.gas_limit,
            extra_data: block.extra_data.clone(),
            prev_randao: block.mix_hash,
            parent_beacon_block_root: block.parent_beacon_block_root.unwrap_or_default(),
        };
        let mut header = next_header(chain, parent, Some(total), &attributes);
        header.nonce = block.nonce;
        let sealed =
            seal(chain, parent, Some(total), header, block.body.clone(), &executed(&block.header)).unwrap();
        assert_eq!(sealed.header, block.header);
        assert_eq!(sealed.hash(), block.hash());
    }
}

#[test]
fn execution_is_compared_field_by_field() {
    let Some(recorded) = Recorded::load() else { return };
    for file in &recorded.blocks {
        let header = &file.block.header;
        let right = executed(header);
        assert_eq!(validate_execution(header, &right), Ok(Vec::new()));
        let unchecked = Executed { receipts_root: None, state_root: None, ..right };
        assert_eq!(validate_execution(header, &unchecked), Ok(vec!["receiptsRoot", "stateRoot"]));
        let wrong = Some(B256::repeat_byte(7));
        for (field, executed) in [
            ("gasUsed", Executed { gas_used: header.gas_used + 1, ..right }),
            ("logsBloom", Executed { logs_bloom: Bloom::repeat_byte(1), ..right }),
            ("receiptsRoot", Executed { receipts_root: wrong, ..right }),
            ("requestsHash", Executed { requests_hash: wrong, ..right }),
            ("stateRoot", Executed { state_root: wrong, ..right }),
        ] {
            let message = validate_execution(header, &executed).unwrap_err().to_string();
            let start = format!("block {} ({}): field {field} is ", header.number, file.block.hash());
            assert!(message.starts_with(&start), "{message}");
        }
    }
}
