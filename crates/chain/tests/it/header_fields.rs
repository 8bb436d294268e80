//! Every field of a header is bound by a rule, and the error names the field.
#![allow(clippy::unwrap_used)]

use crate::common::Recorded;
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, Sealable, Sealed, U256};
use std::sync::Arc;
use tandem_chain::{BlockError, HeaderChain, validate_header};

/// Blocks of the recorded chain whose ancestors, itself included, have different sets of fields and rules.
const BLOCKS: &[(u64, &str)] = &[
    (1, "Homestead"),
    (10, "Byzantium"),
    (16, "Petersburg"),
    (27, "London"),
    (28, "London"),
    (36, "Paris"),
    (37, "Paris"),
    (39, "Shanghai"),
    (40, "Shanghai"),
    (42, "Cancun"),
    (43, "Cancun"),
    (45, "Prague"),
    (46, "Prague"),
    (48, "Osaka"),
    (49, "Osaka"),
    (51, "BPO1"),
    (54, "BPO2"),
];

/// Present where it is absent and the other way round.
fn toggle<T: Default>(field: &mut Option<T>) {
    *field = if field.is_some() { None } else { Some(T::default()) };
}

/// A change to a header that its parent, the first argument, does not allow.
type Change = fn(&Header, &mut Header);

/// The field that an error should name, the change, and whether it changes anything in blocks without that field.
const CHANGES: &[(&str, Change)] = &[
    ("parentHash", |_, header| header.parent_hash = B256::repeat_byte(1)),
    ("number", |_, header| header.number += 1),
    ("number", |_, header| header.number -= 1),
    ("timestamp", |parent, header| header.timestamp = parent.timestamp),
    ("timestamp", |parent, header| header.timestamp = parent.timestamp / 2),
    ("extraData", |_, header| header.extra_data = Bytes::from(vec![0; 33])),
    ("gasLimit", |parent, header| header.gas_limit = parent.gas_limit * 3),
    ("gasLimit", |parent, header| header.gas_limit = parent.gas_limit / 2),
    ("gasLimit", |_, header| header.gas_limit = 0),
    ("gasLimit", |_, header| header.gas_limit = u64::MAX),
    ("gasUsed", |_, header| header.gas_used = header.gas_limit + 1),
    ("difficulty", |_, header| header.difficulty += U256::ONE),
    ("difficulty", |_, header| header.difficulty = U256::from(2)),
    ("baseFeePerGas", |_, header| toggle(&mut header.base_fee_per_gas)),
    ("withdrawalsRoot", |_, header| toggle(&mut header.withdrawals_root)),
    ("blobGasUsed", |_, header| toggle(&mut header.blob_gas_used)),
    ("excessBlobGas", |_, header| toggle(&mut header.excess_blob_gas)),
    ("parentBeaconBlockRoot", |_, header| toggle(&mut header.parent_beacon_block_root)),
    ("requestsHash", |_, header| toggle(&mut header.requests_hash)),
    ("blockAccessListHash", |_, header| toggle(&mut header.block_access_list_hash)),
    ("slotNumber", |_, header| toggle(&mut header.slot_number)),
];

/// The same for fields that London brings.
const SINCE_LONDON: &[(&str, Change)] = &[
    ("baseFeePerGas", |_, header| header.base_fee_per_gas = header.base_fee_per_gas.map(|fee| fee + 1)),
    ("baseFeePerGas", |_, header| header.base_fee_per_gas = Some(0)),
];

/// The same for proof of stake.
const SINCE_PARIS: &[(&str, Change)] = &[
    ("nonce", |_, header| header.nonce = B64::repeat_byte(1)),
    ("sha3Uncles", |_, header| header.ommers_hash = B256::repeat_byte(1)),
];

/// The same for blobs.
const SINCE_CANCUN: &[(&str, Change)] = &[
    ("blobGasUsed", |_, header| header.blob_gas_used = Some(1)),
    ("blobGasUsed", |_, header| header.blob_gas_used = Some(131_071)),
    ("blobGasUsed", |_, header| header.blob_gas_used = Some(131_072 * 22)),
    ("blobGasUsed", |_, header| header.blob_gas_used = Some(u64::MAX - 131_071)),
    ("excessBlobGas", |_, header| header.excess_blob_gas = Some(131_072)),
    ("excessBlobGas", |_, header| header.excess_blob_gas = Some(u64::MAX)),
];

#[test]
fn a_changed_field_is_named() {
    let Some(recorded) = Recorded::load() else { return };
    let (headers, totals) = (recorded.headers(), recorded.total_difficulties());
    let chain = recorded.genesis.chain();
    let mut checked = 0;
    for (number, fork) in BLOCKS {
        let index = *number as usize;
        let (parent, header) = (&headers[index - 1], &headers[index]);
        assert_eq!(chain.fork(*number, header.timestamp), Ok(*fork), "block {number}");
        let total = Some(totals[index - 1]);
        assert_eq!(validate_header(chain, parent, total, header), Ok(()));
        let changes = CHANGES
            .iter()
            .chain(SINCE_LONDON.iter().filter(|_| header.base_fee_per_gas.is_some()))
            .chain(SINCE_PARIS.iter().filter(|_| header.difficulty.is_zero()))
            .chain(SINCE_CANCUN.iter().filter(|_| header.blob_gas_used.is_some()));
        for (field, change) in changes {
            let mut changed = header.inner().clone();
            change(parent, &mut changed);
            assert_ne!(changed, *header.inner(), "block {number}, {field}");
            let error = validate_header(chain, parent, total, &changed).unwrap_err();
            assert_eq!(error.fault.field(), *field, "block {number}: {error}");
            let start = format!("block {} ({}): field {field} is ", changed.number, changed.hash_slow());
            assert!(error.to_string().starts_with(&start), "{error}");
            checked += 1;
        }
    }
    println!("{checked} changes, each named");
}

#[test]
fn body_fields_are_named() {
    let Some(recorded) = Recorded::load() else { return };
    let (headers, totals) = (recorded.headers(), recorded.total_difficulties());
    for (number, _) in BLOCKS {
        let index = *number as usize;
        let block = &recorded.blocks[index - 1].block;
        let changes: [(&str, Change); 4] = [
            ("transactionsRoot", |_, header| header.transactions_root = B256::ZERO),
            ("sha3Uncles", |_, header| header.ommers_hash = B256::ZERO),
            ("withdrawalsRoot", |_, header| header.withdrawals_root = Some(B256::ZERO)),
            ("blobGasUsed", |_, header| {
                header.blob_gas_used = header.blob_gas_used.map(|used| used ^ 131_072);
            }),
        ];
        for (field, change) in changes {
            let mut changed = block.inner().clone();
            change(&headers[index - 1], &mut changed.header);
            if changed.header == block.header {
                continue;
            }
            let error = tandem_chain::validate_body(recorded.genesis.chain(), &changed).unwrap_err();
            let start = format!("block {number} ({}): field {field} is ", changed.header.hash_slow());
            assert!(error.to_string().starts_with(&start), "{error}");
            assert!(totals[index] >= totals[index - 1]);
        }
    }
}

/// No rule binds these fields to the parent; but they change the block's hash, which its child names.
#[test]
fn whatever_else_changes_breaks_the_link_to_the_child() {
    let Some(recorded) = Recorded::load() else { return };
    let headers = recorded.headers();
    let changes: [(&str, Change); 6] = [
        ("miner", |_, header| header.beneficiary = Address::repeat_byte(1)),
        ("stateRoot", |_, header| header.state_root = B256::ZERO),
        ("receiptsRoot", |_, header| header.receipts_root = B256::ZERO),
        ("logsBloom", |_, header| header.logs_bloom = Bloom::repeat_byte(1)),
        ("mixHash", |_, header| header.mix_hash = B256::repeat_byte(1)),
        ("extraData", |_, header| header.extra_data = Bytes::from_static(b"other")),
    ];
    for (number, _) in BLOCKS {
        let index = *number as usize;
        if index + 1 == headers.len() {
            continue;
        }
        for (field, change) in changes {
            let mut chain =
                HeaderChain::new(Arc::new(recorded.genesis.chain().clone()), recorded.root.clone());
            for header in &headers[1..index] {
                chain.push_header(header.clone(), &[]).unwrap();
            }
            let mut changed = headers[index].inner().clone();
            change(&headers[index - 1], &mut changed);
            chain.push_header(changed.seal_slow(), &[]).unwrap();
            match chain.push_header(headers[index + 1].clone(), &[]) {
                Err(BlockError::Header(error)) => assert_eq!(error.fault.field(), "parentHash", "{field}"),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}

/// A chain's worth of gas limits around the bounds that a parent sets.
#[test]
fn gas_limits_stay_within_their_bounds() {
    let Some(recorded) = Recorded::load() else { return };
    let chain = recorded.genesis.chain();
    let headers = recorded.headers();
    // (parent's number, parent's limit, child's limit, whether it may have it)
    for (index, parent_limit, limit, fits) in [
        (40, 30_000_000, 30_000_000, true),
        (40, 30_000_000, 30_029_295, true),
        (40, 30_000_000, 30_029_296, false),
        (40, 30_000_000, 29_970_705, true),
        (40, 30_000_000, 29_970_704, false),
        (40, 5_000, 5_000, true),
        (40, 5_000, 5_003, true),
        (40, 5_000, 4_999, false),
        (40, 1_023, 5_000, false),
        (40, i64::MAX as u64, i64::MAX as u64, true),
        (40, i64::MAX as u64, i64::MAX as u64 + 1, false),
        (40, u64::MAX, u64::MAX, false),
        // The first block of London has twice the limit.
        (26, 30_000_000, 60_000_000, true),
        (26, 30_000_000, 30_000_000, false),
        (26, 30_000_000, 60_058_592, true),
        (26, 30_000_000, 60_058_593, false),
    ] {
        let parent = Header { gas_limit: parent_limit, gas_used: 0, ..headers[index].inner().clone() };
        let parent: Sealed<Header> = parent.seal_slow();
        let child = headers[index + 1].inner().clone();
        let base_fee = tandem_chain::next_base_fee(chain, &parent);
        let child = Header {
            parent_hash: parent.hash(),
            gas_limit: limit,
            gas_used: 0,
            base_fee_per_gas: base_fee,
            ..child
        };
        let result = validate_header(chain, &parent, None, &child);
        let field = result.as_ref().err().map(|error| error.fault.field());
        assert_eq!(field, (!fits).then_some("gasLimit"), "{parent_limit} to {limit}: {result:?}");
    }
}
