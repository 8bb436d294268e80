//! Bytes that are not quite a block's: an error or another block, never a panic, never the same block twice.
#![allow(clippy::unwrap_used)]

use crate::common::Recorded;
use alloy_consensus::{
    Block, BlockBody, Header, SignableTransaction, TxEip4844, TxEip4844WithSidecar, TxEnvelope,
};
use alloy_eips::Typed2718;
use alloy_eips::eip4844::BlobTransactionSidecar;
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::{Signature, U256};
use alloy_rlp::{Decodable, Header as Head};
use std::collections::BTreeSet;
use tandem_chain::{DecodeError, decode_block};

/// Blocks of the recorded chain with all kinds of fields: from Homestead's to BPO2's, with all types of transactions.
const BLOCKS: &[u64] = &[1, 13, 25, 28, 38, 41, 44, 45, 50, 53];

fn encoded(recorded: &Recorded, number: u64) -> Vec<u8> {
    alloy_rlp::encode(recorded.blocks[number as usize - 1].block.inner())
}

/// Decodes, and makes sure that whatever decodes is written in the same bytes again.
fn decode_strictly(bytes: &[u8]) -> Result<(), DecodeError> {
    let block = decode_block(bytes)?;
    assert!(alloy_rlp::encode(block.inner()) == bytes, "two encodings of block {}", block.number);
    assert_eq!(block.hash(), block.header.hash_slow());
    Ok(())
}

#[test]
fn flipped_bits_give_errors_or_other_blocks() {
    let Some(recorded) = Recorded::load() else { return };
    let (mut errors, mut others) = (0_u64, 0_u64);
    for number in BLOCKS {
        let mut bytes = encoded(&recorded, *number);
        decode_strictly(&bytes).unwrap();
        for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            bytes[at] ^= 1 << bit;
            match decode_strictly(&bytes) {
                Ok(()) => others += 1,
                Err(error) => {
                    assert!(error.offset <= bytes.len() && !error.field.is_empty(), "{error}");
                    errors += 1;
                }
            }
            bytes[at] ^= 1 << bit;
        }
    }
    println!("{errors} errors, {others} other blocks");
    assert!(errors > 0 && others > 0);
}

#[test]
fn cut_blocks_are_refused() {
    let Some(recorded) = Recorded::load() else { return };
    for number in BLOCKS {
        let bytes = encoded(&recorded, *number);
        for cut in 0..bytes.len() {
            assert!(decode_block(&bytes[..cut]).is_err(), "block {number} cut at {cut}");
        }
        let error = decode_block(&[&bytes[..], &[0]].concat()).unwrap_err();
        assert_eq!((error.field.as_str(), error.offset), ("end of the block", bytes.len()));
    }
}

/// The items of a list, each with its head.
fn items(mut list: &[u8]) -> Vec<Vec<u8>> {
    let mut payload = Head::decode_bytes(&mut list, true).unwrap();
    let mut items = Vec::new();
    while !payload.is_empty() {
        let start = payload;
        let head = Head::decode(&mut payload).unwrap();
        payload = &payload[head.payload_length..];
        items.push(start[..start.len() - payload.len()].to_vec());
    }
    items
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut bytes = Vec::new();
    Head { list: true, payload_length: payload.len() }.encode(&mut bytes);
    [bytes, payload].concat()
}

/// Puts something else in place of each field of the header, of each length; the error names the field.
#[test]
fn wrong_header_fields_are_named() {
    let Some(recorded) = Recorded::load() else { return };
    let fields = [
        "parentHash",
        "sha3Uncles",
        "miner",
        "stateRoot",
        "transactionsRoot",
        "receiptsRoot",
        "logsBloom",
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "extraData",
        "mixHash",
        "nonce",
        "baseFeePerGas",
        "withdrawalsRoot",
        "blobGasUsed",
        "excessBlobGas",
        "parentBeaconBlockRoot",
        "requestsHash",
    ];
    for number in BLOCKS {
        let parts = items(&encoded(&recorded, *number));
        let header = items(&parts[0]);
        assert!(header.len() <= fields.len());
        for (index, name) in fields.iter().enumerate().take(header.len()) {
            // A list, a number with a leading zero, a number of 33 bytes; the last two are extra data, too.
            let zeros = vec![0x82, 0, 1];
            let long = [vec![0xa1, 1], vec![0; 32]].concat();
            for (wrong, is_bytes) in [(vec![0xc0], false), (zeros, true), (long, true)] {
                let mut changed = header.clone();
                changed[index] = wrong;
                let mut parts = parts.clone();
                parts[0] = list(&changed);
                let result = decode_block(&list(&parts));
                if is_bytes && *name == "extraData" {
                    assert!(result.is_ok());
                    continue;
                }
                let error = result.unwrap_err();
                assert_eq!(error.field, format!("header.{name}"), "block {number}: {error}");
                let before: usize = changed[..index].iter().map(Vec::len).sum();
                let heads = Head { list: true, payload_length: parts.concat().len() }.length()
                    + Head { list: true, payload_length: changed.concat().len() }.length();
                assert_eq!(error.offset, heads + before, "block {number}: {error}");
            }
        }
        for (missing, name) in fields.iter().enumerate().take(15) {
            let mut changed = header.clone();
            changed.remove(missing);
            let mut parts = parts.clone();
            parts[0] = list(&changed);
            assert!(decode_block(&list(&parts)).is_err(), "block {number} without {name}");
        }
    }
}

#[test]
fn wrong_parts_are_named() {
    let Some(recorded) = Recorded::load() else { return };
    let parts = items(&encoded(&recorded, 53));
    assert_eq!(parts.len(), 4);
    let with = |index: usize, part: Vec<u8>| {
        let mut parts = parts.clone();
        parts[index] = part;
        decode_block(&list(&parts)).unwrap_err().field
    };
    assert_eq!(with(0, vec![0x80]), "header");
    assert_eq!(with(1, vec![0x80]), "transactions");
    assert_eq!(with(2, vec![0x80]), "uncles");
    assert_eq!(with(3, vec![0x80]), "withdrawals");
    assert_eq!(with(2, list(&[vec![0xc0]])), "uncles[0].parentHash");
    assert_eq!(with(3, list(&[vec![0xc0]])), "withdrawals[0]");
    let mut transactions = items(&parts[1]);
    transactions.push(vec![0xc0]);
    assert_eq!(with(1, list(&transactions)), format!("transactions[{}]", transactions.len() - 1));
    let more = [parts.clone(), vec![vec![0xc0]]].concat();
    assert_eq!(decode_block(&list(&more)).unwrap_err().field, "end of the block");
    let fewer = &parts[..2];
    assert_eq!(decode_block(&list(fewer)).unwrap_err().field, "uncles");
    assert_eq!(decode_block(&[0x80]).unwrap_err().field, "block");
}

#[test]
fn blobs_do_not_belong_into_blocks() {
    let signature = Signature::new(U256::ONE, U256::ONE, false);
    let sidecar = BlobTransactionSidecarVariant::Eip4844(BlobTransactionSidecar::default());
    let plain: TxEnvelope = TxEip4844::default().into_signed(signature).into();
    let carrying = TxEip4844WithSidecar { tx: TxEip4844::default(), sidecar };
    let carrying: TxEnvelope = carrying.into_signed(signature).into();
    let block = |transaction| {
        let body: BlockBody<TxEnvelope> =
            BlockBody { transactions: vec![transaction], ommers: Vec::new(), withdrawals: None };
        alloy_rlp::encode(Block { header: Header::default(), body })
    };
    decode_strictly(&block(plain)).unwrap();
    assert!(TxEnvelope::decode(&mut &alloy_rlp::encode(&carrying)[..]).is_ok());
    let error = decode_block(&block(carrying)).unwrap_err();
    assert_eq!(error.field, "transactions[0]");
    assert!(error.to_string().contains("carries its blobs"), "{error}");
}

#[test]
fn all_types_of_transactions_are_covered() {
    let Some(recorded) = Recorded::load() else { return };
    let types: BTreeSet<u8> = BLOCKS
        .iter()
        .flat_map(|number| &recorded.blocks[*number as usize - 1].block.body.transactions)
        .map(Typed2718::ty)
        .collect();
    assert_eq!(types, (0..=4).collect());
}
