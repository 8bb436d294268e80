//! Genesis files: all the ways to write them, and what is said of those that are wrong.
#![allow(clippy::unwrap_used)]

use crate::common::{shared, state_root};
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, B64, B256, Bytes, U256, address, keccak256};
use serde_json::{Value, json};
use std::fs;
use std::io::{self, Read};
use tandem_chain::{Genesis, GenesisError};
use tandem_evm::ChainSpec;

/// A chain with all forks from its genesis on.
fn all_forks() -> Value {
    json!({
        "config": {
            "chainId": 1337,
            "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0, "byzantiumBlock": 0,
            "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0, "muirGlacierBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "arrowGlacierBlock": 0, "grayGlacierBlock": 0,
            "shanghaiTime": 0, "cancunTime": 0, "pragueTime": 0, "osakaTime": 0,
            "terminalTotalDifficulty": 0,
            "depositContractAddress": "0x00000000219ab540356cbb839cbe05303d7705fa",
        },
        "gasLimit": "0x1c9c380",
        "difficulty": "0x0",
        "alloc": {},
    })
}

/// The same with one value put in, or taken out by `null`; the path goes through dots.
fn with(mut json: Value, path: &str, value: Value) -> Value {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let object = parents.split('.').filter(|name| !name.is_empty()).fold(&mut json, |json, name| {
        let object = json.as_object_mut().unwrap();
        object.entry(name).or_insert_with(|| json!({}))
    });
    let object = object.as_object_mut().unwrap();
    if value.is_null() {
        object.remove(last);
    } else {
        object.insert(last.to_owned(), value);
    }
    json
}

fn read(json: &Value) -> Result<Genesis, GenesisError> {
    Genesis::read(json.to_string().as_bytes())
}

#[test]
fn the_header_has_the_fields_of_its_forks() {
    let full = read(&all_forks()).unwrap().header(B256::repeat_byte(1));
    assert_eq!(full.state_root, B256::repeat_byte(1));
    assert_eq!(full.base_fee_per_gas, Some(1_000_000_000));
    assert!(full.withdrawals_root.is_some() && full.parent_beacon_block_root == Some(B256::ZERO));
    assert_eq!((full.blob_gas_used, full.excess_blob_gas), (Some(0), Some(0)));
    assert!(full.requests_hash.is_some() && full.block_access_list_hash.is_none());
    // Each line has the fields of the one before, less those that a fork brought.
    let mut json = all_forks();
    for (forks, fields) in [
        (&["osakaTime"][..], "baseFee withdrawals blobs beacon requests"),
        (&["pragueTime"], "baseFee withdrawals blobs beacon"),
        (&["cancunTime"], "baseFee withdrawals"),
        (&["shanghaiTime"], "baseFee"),
        (&["londonBlock", "arrowGlacierBlock", "grayGlacierBlock"], ""),
    ] {
        for fork in forks {
            json = with(json, &format!("config.{fork}"), Value::Null);
        }
        let header = read(&json).unwrap().header(B256::ZERO);
        let found = [
            (header.base_fee_per_gas.is_some(), "baseFee"),
            (header.withdrawals_root.is_some(), "withdrawals"),
            (header.blob_gas_used.is_some() && header.excess_blob_gas.is_some(), "blobs"),
            (header.parent_beacon_block_root.is_some(), "beacon"),
            (header.requests_hash.is_some(), "requests"),
        ];
        let found: Vec<_> =
            found.into_iter().filter(|(is_there, _)| *is_there).map(|(_, field)| field).collect();
        assert_eq!(found.join(" "), fields, "without {forks:?}");
    }
}

fn without(forks: &[&str]) -> Value {
    forks.iter().fold(all_forks(), |json, fork| with(json, &format!("config.{fork}"), Value::Null))
}

#[test]
fn the_header_has_the_values_of_the_file() {
    let mut json = all_forks();
    for (field, value) in [
        ("nonce", json!("0x42")),
        ("timestamp", json!(1_700_000_000)),
        ("extraData", json!("0x1234")),
        ("gasLimit", json!("30000000")),
        ("difficulty", json!("0x20000")),
        ("mixHash", json!(B256::repeat_byte(2))),
        ("coinbase", json!(Address::repeat_byte(3))),
        ("number", json!("0x0")),
        ("gasUsed", json!(7)),
        ("parentHash", json!(B256::repeat_byte(4))),
        ("baseFeePerGas", json!("0x7")),
        ("excessBlobGas", json!("0x8")),
        ("blobGasUsed", json!("131072")),
        ("somethingElse", json!([1, {"a": "b"}])),
    ] {
        json = with(json, field, value);
    }
    let header = read(&json).unwrap().header(B256::ZERO);
    assert_eq!(header.nonce, B64::from(0x42_u64));
    assert_eq!((header.timestamp, header.gas_limit, header.gas_used), (1_700_000_000, 30_000_000, 7));
    assert_eq!(
        (header.extra_data, header.difficulty),
        (Bytes::from_static(&[0x12, 0x34]), U256::from(0x20000))
    );
    assert_eq!((header.mix_hash, header.beneficiary), (B256::repeat_byte(2), Address::repeat_byte(3)));
    assert_eq!((header.parent_hash, header.number), (B256::repeat_byte(4), 0));
    assert_eq!((header.base_fee_per_gas, header.excess_blob_gas), (Some(7), Some(8)));
    assert_eq!(header.blob_gas_used, Some(131_072));
}

#[test]
fn accounts_can_be_written_in_many_ways() {
    let json = with(
        all_forks(),
        "alloc",
        json!({
            "00000000000000000000000000000000000000ff": { "balance": "1000000000000000000000", "nonce": "0x5" },
            "0x00000000000000000000000000000000000000AA": {
                "balance": "0x0", "code": "0x6001", "storage": { "0x01": "0x02", "3": "0x0000", "0a": "ff" },
            },
            "0x0000000000000000000000000000000000000001": {
                "balance": 0, "nonce": null, "code": null, "storage": null,
            },
            "0x0000000000000000000000000000000000000002": { "balance": "", "nonce": 7, "secretKey": "0x", "code": "" },
        }),
    );
    let genesis = read(&json).unwrap();
    let accounts = genesis.accounts();
    let addresses: Vec<_> = accounts.iter().map(|account| account.address).collect();
    let last = |byte| Address::with_last_byte(byte);
    assert_eq!(addresses, [last(1), last(2), last(0xaa), last(0xff)]);
    assert_eq!(accounts[0].account, tandem_state::Account::default());
    assert_eq!(accounts[1].account.nonce, 7);
    assert_eq!(accounts[2].code, Bytes::from_static(&[0x60, 0x01]));
    assert_eq!(accounts[2].account.code_hash, keccak256([0x60, 0x01]));
    assert_eq!(accounts[2].storage, [(U256::from(1), U256::from(2)), (U256::from(10), U256::from(255))]);
    assert_eq!(accounts[3].account.balance, "1000000000000000000000".parse::<U256>().unwrap());
    assert_eq!(accounts[3].account.nonce, 5);
    assert_eq!(genesis.into_accounts().len(), 4);
}

/// The recorded chain's accounts, written with and without `0x`, give the same state.
#[test]
fn prefixes_make_no_difference() {
    let Some(folder) = shared("chain") else { return };
    let text = fs::read_to_string(folder.join("genesis.json")).unwrap();
    let plain = Genesis::read(text.as_bytes()).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let alloc = json["alloc"].as_object().unwrap().clone();
    json["alloc"] = alloc.into_iter().map(|(address, account)| (format!("0x{address}"), account)).collect();
    let prefixed = read(&json).unwrap();
    assert_eq!(plain.accounts(), prefixed.accounts());
    assert_eq!(state_root(plain.accounts()), state_root(prefixed.accounts()));
    assert!(plain.accounts().is_sorted_by_key(|account| account.address));
}

#[test]
fn forks_begin_where_the_configuration_says() {
    let mut json = all_forks();
    for (field, value) in [
        ("homesteadBlock", json!(1)),
        ("daoForkBlock", json!(2)),
        ("daoForkSupport", json!(true)),
        ("eip150Block", json!("0x3")),
        ("eip155Block", json!("4")),
        ("eip158Block", json!(4)),
        ("byzantiumBlock", json!(5)),
        ("constantinopleBlock", json!(6)),
        ("petersburgBlock", json!(6)),
        ("istanbulBlock", json!(8)),
        ("muirGlacierBlock", Value::Null),
        ("berlinBlock", json!(10)),
        ("londonBlock", json!(11)),
        ("arrowGlacierBlock", json!(12)),
        ("grayGlacierBlock", json!(13)),
        ("mergeNetsplitBlock", json!(20)),
        ("terminalTotalDifficulty", json!(1_000_000)),
        ("shanghaiTime", json!(100)),
        ("cancunTime", json!("0x65")),
        ("pragueTime", json!(102)),
        ("osakaTime", json!(103)),
        ("bpo1Time", json!(104)),
        ("bpo2Time", Value::Null),
        ("bpo3Time", json!(106)),
        ("amsterdamTime", json!(107)),
        ("ethash", json!({})),
        (
            "blobSchedule",
            json!({
                "cancun": { "target": 1, "max": 2, "baseFeeUpdateFraction": 3 },
                "prague": { "target": "0x4", "max": "5", "baseFeeUpdateFraction": 6 },
                "bpo1": { "target": 7, "max": 8, "baseFeeUpdateFraction": 9 },
                "bpo3": { "target": 10, "max": 11, "baseFeeUpdateFraction": 12 },
                "bpo4": { "target": 10, "max": 11, "baseFeeUpdateFraction": 12 },
            }),
        ),
    ] {
        json = with(json, &format!("config.{field}"), value);
    }
    let genesis = read(&json).unwrap();
    let chain = genesis.chain();
    let names = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (8, 0), (10, 0), (11, 0), (20, 0)]
        .map(|(number, timestamp)| chain.fork(number, timestamp).unwrap());
    assert_eq!(
        names,
        [
            "Frontier",
            "Homestead",
            "DAO",
            "Tangerine",
            "SpuriousDragon",
            "Byzantium",
            "Petersburg",
            "Istanbul",
            "Berlin",
            "London",
            "Paris",
        ]
    );
    let names = [100, 101, 102, 103, 104, 106].map(|timestamp| chain.fork(30, timestamp).unwrap());
    assert_eq!(names, ["Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO3"]);
    assert_eq!(chain.activation(EthereumHardfork::MuirGlacier), ForkCondition::Never);
    assert_eq!(chain.activation(EthereumHardfork::GrayGlacier), ForkCondition::Block(13));
    assert_eq!(chain.activation(EthereumHardfork::Amsterdam), ForkCondition::Timestamp(107));
    assert_eq!(chain.dao_fork(), Some((2, true)));
    assert_eq!(chain.terminal_total_difficulty(), Some(U256::from(1_000_000)));
    assert_eq!(chain.merge_block(), None, "it may come before block 20");
    assert_eq!(chain.deposit_contract(), address!("00000000219ab540356cbb839cbe05303d7705fa"));
    let params = |timestamp| chain.blob_params(timestamp).unwrap();
    let numbers =
        |params: BlobParams| (params.target_blob_count, params.max_blob_count, params.update_fraction);
    assert_eq!(chain.blob_params(100), None);
    assert_eq!(numbers(params(101)), (1, 2, 3));
    assert_eq!(numbers(params(102)), (4, 5, 6));
    assert_eq!(numbers(params(103)), (4, 5, 6), "Osaka has Prague's");
    assert_eq!(numbers(params(105)), (7, 8, 9));
    assert_eq!(numbers(params(u64::MAX)), (10, 11, 12));
    assert_eq!([101, 102, 103, 106].map(|time| params(time).blob_base_cost), [0, 0, 8192, 8192]);
    assert_eq!([101, 102, 103, 106].map(|time| params(time).max_blobs_per_tx), [2, 5, 6, 6]);
}

#[test]
fn blob_parameters_have_defaults() {
    let genesis = read(&all_forks()).unwrap();
    assert_eq!(genesis.chain().blob_params(0), Some(BlobParams::osaka()));
    let prague = read(&without(&["osakaTime"])).unwrap();
    assert_eq!(prague.chain().blob_params(0), Some(BlobParams::prague()));
    let cancun = read(&without(&["osakaTime", "pragueTime"])).unwrap();
    assert_eq!(cancun.chain().blob_params(0), Some(BlobParams::cancun()));
}

#[test]
fn the_merge_is_found_in_many_ways() {
    let before = |path: &str, value| {
        let json =
            without(&["osakaTime", "pragueTime", "cancunTime", "shanghaiTime", "terminalTotalDifficulty"]);
        with(with(json, "difficulty", json!("0x20000")), path, value)
    };
    let merge = |json: &Value| -> (Option<U256>, Option<u64>) {
        let genesis = read(json).unwrap();
        let chain: &ChainSpec = genesis.chain();
        (chain.terminal_total_difficulty(), chain.merge_block())
    };
    assert_eq!(merge(&all_forks()), (Some(U256::ZERO), Some(0)));
    assert_eq!(merge(&before("nonce", json!(0))), (None, None));
    let ttd = |ttd: Value| before("config.terminalTotalDifficulty", ttd);
    assert_eq!(merge(&ttd(json!(0x20000))), (Some(U256::from(0x20000)), Some(0)), "reached by the genesis");
    assert_eq!(merge(&ttd(json!(0x20001))), (Some(U256::from(0x20001)), None));
    assert_eq!(
        merge(&ttd(json!("0xc70d808a128d7380000"))).0,
        Some(U256::from(58_750_000_000_000_000_000_000_u128))
    );
    let netsplit = before("config.mergeNetsplitBlock", json!(9));
    assert_eq!(merge(&netsplit), (None, Some(9)));
    let passed = before("config.terminalTotalDifficultyPassed", json!(true));
    assert_eq!(merge(&passed), (Some(U256::ZERO), Some(0)));
    // A number without quotes, too long for 64 bits and close to mainnet's.
    let text = ttd(json!("TTD")).to_string().replace("\"TTD\"", "58750000000000000000001");
    let genesis = Genesis::read(text.as_bytes()).unwrap();
    assert_eq!(
        genesis.chain().terminal_total_difficulty(),
        Some(U256::from(58_750_000_000_000_000_000_001_u128))
    );
}

#[test]
fn the_dao_fork_is_followed_or_refused() {
    let at = |support: Value| {
        let json = with(all_forks(), "config.daoForkBlock", json!(5));
        read(&with(json, "config.daoForkSupport", support)).unwrap().chain().dao_fork()
    };
    assert_eq!(at(json!(true)), Some((5, true)));
    assert_eq!(at(json!(false)), Some((5, false)));
    assert_eq!(at(Value::Null), Some((5, false)));
    assert_eq!(read(&all_forks()).unwrap().chain().dao_fork(), None);
}

#[test]
fn what_is_wrong_is_named() {
    let account = |field: &str, value: Value| {
        let address = "00000000000000000000000000000000000000ff";
        let account = with(json!({ "balance": "0x1" }), field, value);
        with(all_forks(), "alloc", json!({ address: account }))
    };
    let of = |path: &str, value: Value| with(all_forks(), path, value);
    let bpo =
        |entry: Value| with(of("config.bpo1Time", json!(9)), "config.blobSchedule", json!({ "bpo1": entry }));
    let key = "0x00000000000000000000000000000000000000ff";
    let cases: Vec<(Value, String)> = vec![
        (of("config", Value::Null), "config".into()),
        (of("config", json!(3)), "config".into()),
        (of("alloc", Value::Null), "alloc".into()),
        (of("alloc", json!([])), "alloc".into()),
        (of("difficulty", Value::Null), "difficulty".into()),
        (of("gasLimit", Value::Null), "gasLimit".into()),
        (of("gasLimit", json!("0x10000000000000000")), "gasLimit".into()),
        (of("gasLimit", json!(-1)), "gasLimit".into()),
        (of("nonce", json!("x")), "nonce".into()),
        (of("timestamp", json!(1.5)), "timestamp".into()),
        (of("extraData", json!("0xz")), "extraData".into()),
        (of("mixHash", json!("0x12")), "mixHash".into()),
        (of("coinbase", json!("0x12")), "coinbase".into()),
        (of("baseFeePerGas", json!([])), "baseFeePerGas".into()),
        (account("balance", json!("one")), format!("alloc.{key}.balance")),
        (account("balance", Value::Null), format!("alloc.{key}.balance")),
        (account("nonce", json!("0x10000000000000000")), format!("alloc.{key}.nonce")),
        (account("code", json!("0x123")), format!("alloc.{key}.code")),
        (account("storage", json!({ "0x1": 5 })), format!("alloc.{key}.storage")),
        (account("storage", json!({ "one": "0x1" })), format!("alloc.{key}.storage")),
        (account("storage", json!({ "1": "0x1", "0x01": "0x1" })), format!("alloc.{key}.storage")),
        (of("alloc", json!({ "0x12": { "balance": 1 } })), "alloc.0x12".into()),
        (of("alloc", json!({ key: 1 })), format!("alloc.{key}")),
        (of("alloc", json!({ key: { "balance": 1 }, &key[2..]: { "balance": 1 } })), format!("alloc.{key}")),
        (of("config.chainId", Value::Null), "config.chainId".into()),
        (of("config.chainId", json!("0x10000000000000000")), "config.chainId".into()),
        (of("config.londonBlock", json!("soon")), "config.londonBlock".into()),
        (of("config.londonBlock", json!(-1)), "config.londonBlock".into()),
        (of("config.londonBlock", Value::Null), "config.londonBlock".into()),
        (of("config.berlinBlock", Value::Null), "config.berlinBlock".into()),
        (of("config.byzantiumBlock", json!(1)), "config.constantinopleBlock".into()),
        (of("config.eip155Block", json!(1)), "config.eip155Block".into()),
        (of("config.cancunTime", Value::Null), "config.cancunTime".into()),
        (of("config.cancunTime", json!(1)), "config.pragueTime".into()),
        (of("config.verkleTime", json!(1)), "config.verkleTime".into()),
        (of("config.someBlock", json!(1)), "config.someBlock".into()),
        (of("config.terminalTotalDifficulty", Value::Null), "config.terminalTotalDifficulty".into()),
        (of("config.terminalTotalDifficulty", json!("x")), "config.terminalTotalDifficulty".into()),
        (of("config.depositContractAddress", json!("0x1")), "config.depositContractAddress".into()),
        (of("config.daoForkBlock", json!({})), "config.daoForkBlock".into()),
        (of("config.bpo1Time", json!(9)), "config.blobSchedule.bpo1".into()),
        (of("config.blobSchedule", json!({ "cancun": 1 })), "config.blobSchedule".into()),
        (
            bpo(json!({ "target": 1, "max": 2, "baseFeeUpdateFraction": 0 })),
            "config.blobSchedule.bpo1".into(),
        ),
        (
            bpo(json!({ "target": 3, "max": 2, "baseFeeUpdateFraction": 1 })),
            "config.blobSchedule.bpo1".into(),
        ),
        (
            bpo(json!({ "target": 0, "max": 0, "baseFeeUpdateFraction": 1 })),
            "config.blobSchedule.bpo1".into(),
        ),
        (
            bpo(json!({ "target": 1, "max": 1_u64 << 40, "baseFeeUpdateFraction": 1 })),
            "config.blobSchedule.bpo1".into(),
        ),
        (
            with(of("config.clique", json!({})), "config.terminalTotalDifficulty", json!(9)),
            "config.clique".into(),
        ),
        (of("config.amsterdamTime", json!(0)), "timestamp".into()),
    ];
    for (json, expected) in cases {
        match read(&json) {
            Err(GenesisError::Field { field, reason }) => {
                assert_eq!(field, expected, "{reason}");
                assert!(!reason.is_empty());
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in ["", "{", "[]", "{\"alloc\": {", "{\"config\": {}} x", "{\"gasLimit\": 0x1}"] {
        assert!(matches!(Genesis::read(text.as_bytes()), Err(GenesisError::Syntax(_))), "{text}");
    }
    let text = all_forks().to_string();
    for cut in 0..text.len() {
        assert!(Genesis::read(&text.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let error = Genesis::read(Failing).unwrap_err();
    assert!(matches!(error, GenesisError::Io(_)), "{error}");
}

/// The part of a genesis that is kept for the chain's rules.
#[test]
fn the_description_has_the_same_rules() {
    let Some(folder) = shared("chain") else { return };
    let genesis = Genesis::read(fs::File::open(folder.join("genesis.json")).unwrap()).unwrap();
    let again = Genesis::read(genesis.description().as_bytes()).unwrap();
    assert!(again.accounts().is_empty());
    assert_eq!(format!("{:?}", again.chain()), format!("{:?}", genesis.chain()));
}

#[test]
fn accounts_where_nothing_can_be_created_are_part_of_the_rules() {
    let [occupied, paid, sent, code, emptied] = [1, 2, 3, 4, 5].map(Address::with_last_byte);
    let storage = json!({"0x07": "0x08", "0x01": "0x00"});
    let json = with(
        all_forks(),
        "alloc",
        json!({
            occupied.to_string(): {"balance": "0x0", "storage": storage},
            paid.to_string(): {"balance": "0x1"},
            sent.to_string(): {"balance": "0x0", "nonce": "0x1", "storage": storage},
            code.to_string(): {"balance": "0x0", "code": "0x00", "storage": storage},
            emptied.to_string(): {"balance": "0x0", "storage": {"0x01": "0x00"}},
        }),
    );
    let genesis = read(&json).unwrap();
    let found = |genesis: &Genesis| genesis.chain().occupied_addresses().collect::<Vec<_>>();
    assert_eq!(found(&genesis), [occupied]);
    // Without the state they are still known.
    let description = genesis.description();
    assert_eq!(found(&Genesis::read(description.as_bytes()).unwrap()), [occupied]);
    assert_eq!(Genesis::read(description.as_bytes()).unwrap().description(), description);
}

#[test]
fn a_fork_at_the_other_kind_of_point_is_named_with_the_right_one() {
    for (wrong, right) in [("cancunBlock", "cancunTime"), ("londonTime", "londonBlock")] {
        let error = read(&with(all_forks(), &format!("config.{wrong}"), json!(0))).unwrap_err().to_string();
        assert!(error.contains(&format!("config.{wrong}")) && error.contains(right), "{error}");
    }
    let error = read(&with(all_forks(), "config.verkleTime", json!(0))).unwrap_err().to_string();
    assert!(error.contains("not known"), "{error}");
}
