//! Blocks of public chains obey the rules: their headers as far as their parents are at hand, and their bodies.
#![allow(clippy::unwrap_used)]

use crate::common::shared;
use alloy_consensus::{Block, BlockBody, Header, TxEnvelope};
use alloy_primitives::{Bytes, Sealable, Sealed};
use alloy_rlp::Decodable;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use tandem_chain::{decode_block, validate_body, validate_header};
use tandem_evm::ChainSpec;
use tandem_state::fixture::{Fixture, Loader, discover};

#[derive(Deserialize)]
struct Witness {
    headers: Vec<Bytes>,
}

/// The headers of a witness; the last one is the parent's.
fn witness_headers(folder: &Path) -> Vec<Sealed<Header>> {
    let file = GzDecoder::new(File::open(folder.join("witness.json.gz")).unwrap());
    let witness: Witness = serde_json::from_reader(file).unwrap();
    witness.headers.iter().map(|bytes| Header::decode(&mut &bytes[..]).unwrap().seal_slow()).collect()
}

fn fixtures() -> Option<Vec<Fixture>> {
    let mut loader = Loader::new();
    let folders = discover(&[shared("blocks")?]).unwrap();
    Some(folders.iter().map(|folder| loader.load(folder).unwrap()).collect())
}

#[test]
fn headers_follow_their_parents() {
    let Some(fixtures) = fixtures() else { return };
    let mut known: BTreeMap<(u64, u64), Sealed<Header>> = BTreeMap::new();
    for fixture in &fixtures {
        known.insert((fixture.chain_id, fixture.number), fixture.header.clone().seal_slow());
        for header in if fixture.witness { witness_headers(&fixture.dir) } else { Vec::new() } {
            known.insert((fixture.chain_id, header.number), header);
        }
    }
    let mut forks = BTreeSet::new();
    let mut checked = 0;
    for ((chain_id, number), header) in &known {
        let Some(parent) = known.get(&(*chain_id, *number - 1)) else { continue };
        let chain = ChainSpec::known(*chain_id).unwrap();
        validate_header(&chain, parent, None, header).unwrap();
        forks.insert(chain.fork(*number, header.timestamp).unwrap());
        checked += 1;
    }
    println!("{checked} headers checked against their parents, in {forks:?}");
    assert!(checked >= 60, "{checked}");
    for fork in ["Homestead", "Tangerine", "SpuriousDragon", "Byzantium", "Petersburg", "Istanbul", "Berlin"]
    {
        assert!(forks.contains(fork), "{fork}");
    }
    for fork in ["London", "Paris", "Shanghai", "Cancun", "Prague", "BPO2"] {
        assert!(forks.contains(fork), "{fork}");
    }
}

#[test]
fn bodies_belong_to_their_headers() {
    let Some(fixtures) = fixtures() else { return };
    let (mut whole, mut without_ommers) = (0, 0);
    for fixture in fixtures {
        let chain = ChainSpec::known(fixture.chain_id).unwrap();
        let body: BlockBody<TxEnvelope> = BlockBody {
            transactions: fixture.transactions,
            ommers: Vec::new(),
            withdrawals: fixture.withdrawals,
        };
        let block = Block { header: fixture.header, body };
        let decoded = decode_block(&alloy_rlp::encode(&block)).unwrap();
        assert_eq!((decoded.hash(), decoded.inner()), (fixture.hash, &block));
        let result = validate_body(&chain, &block);
        if fixture.ommer_hashes.is_empty() {
            result.unwrap();
            whole += 1;
        } else {
            // The recording names ommers by hash only.
            let message = result.unwrap_err().to_string();
            assert!(message.contains("field sha3Uncles is "), "{message}");
            without_ommers += 1;
        }
    }
    println!("{whole} bodies checked, {without_ommers} blocks whose ommers are not recorded");
    assert!(whole >= 90);
}
