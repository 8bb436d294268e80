//! Blockchain tests that pass, that fail, and that are none.

use crate::common::{failure, options, run, unchecked};
use alloy_consensus::crypto::secp256k1::sign_message;
use alloy_consensus::proofs::calculate_transaction_root;
use alloy_consensus::{
    Block, BlockBody, EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header, SignableTransaction, TxEnvelope,
    TxLegacy,
};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, TxKind, U256, hex};
use alloy_rlp::Encodable;
use alloy_trie::TrieAccount;
use alloy_trie::root::state_root_unhashed;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tandem_chain::next_difficulty;
use tandem_conformance::{Problem, run_block_tests};
use tandem_evm::ChainSpec;

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);

/// Two ether, the reward of a block in Berlin.
const REWARD: u64 = 2_000_000_000_000_000_000;

type Balances = BTreeMap<Address, U256>;

fn root(balances: &Balances) -> B256 {
    state_root_unhashed(balances.iter().map(|(address, balance)| {
        let account = TrieAccount {
            nonce: 0,
            balance: *balance,
            storage_root: EMPTY_ROOT_HASH,
            code_hash: KECCAK256_EMPTY,
        };
        (*address, account)
    }))
}

fn berlin() -> ChainSpec {
    let forks = EthereumHardfork::VARIANTS
        .iter()
        .take_while(|fork| **fork <= EthereumHardfork::Berlin)
        .map(|fork| (*fork, ForkCondition::Block(0)));
    ChainSpec::new(1, EthereumChainHardforks::new(forks), Address::ZERO)
}

/// An empty block with the state after it.
#[derive(Clone)]
struct Made {
    header: Header,
    balances: Balances,
}

impl Made {
    fn genesis() -> Self {
        let balances = Balances::from([(ALICE, U256::from(5))]);
        let header = Header {
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            difficulty: U256::from(1 << 20),
            gas_limit: 1_000_000,
            state_root: root(&balances),
            timestamp: 100,
            ..Header::default()
        };
        Self { header, balances }
    }

    /// A child `seconds` later, whose miner gets the reward.
    fn child(&self, seconds: u64, miner: Address) -> Self {
        let mut balances = self.balances.clone();
        *balances.entry(miner).or_default() += U256::from(REWARD);
        let timestamp = self.header.timestamp + seconds;
        let header = Header {
            parent_hash: self.header.hash_slow(),
            beneficiary: miner,
            number: self.header.number + 1,
            timestamp,
            difficulty: next_difficulty(&berlin(), &self.header, timestamp),
            state_root: root(&balances),
            ..self.header.clone()
        };
        Self { header, balances }
    }

    /// The same with another header.
    fn spoilt(&self, spoil: impl FnOnce(&mut Header)) -> Self {
        let mut spoilt = self.clone();
        spoil(&mut spoilt.header);
        spoilt
    }

    fn rlp(&self) -> Vec<u8> {
        let body = BlockBody::<TxEnvelope> { transactions: vec![], ommers: vec![], withdrawals: None };
        let mut rlp = Vec::new();
        Block::new(self.header.clone(), body).encode(&mut rlp);
        rlp
    }

    fn hash(&self) -> B256 {
        self.header.hash_slow()
    }

    fn valid(&self) -> Value {
        json!({"rlp": hex::encode_prefixed(self.rlp()), "blockHeader": {"hash": self.hash()}})
    }

    fn invalid(&self, reason: &str) -> Value {
        json!({"rlp": hex::encode_prefixed(self.rlp()), "expectException": reason})
    }
}

fn accounts(balances: &Balances) -> Value {
    let account = |(address, balance): (&Address, &U256)| {
        (address.to_string(), json!({"balance": balance, "code": "0x", "nonce": "0x00", "storage": {}}))
    };
    Value::Object(balances.iter().map(account).collect())
}

/// A test of these blocks, with this one as the last.
fn test(blocks: &[Value], last: &Made) -> Value {
    let genesis = Made::genesis();
    json!({"a test": {
        "network": "Berlin",
        "sealEngine": "NoProof",
        "genesisBlockHeader": {"hash": genesis.hash()},
        "genesisRLP": hex::encode_prefixed(genesis.rlp()),
        "pre": accounts(&genesis.balances),
        "blocks": blocks,
        "lastblockhash": last.hash(),
        "postState": accounts(&last.balances),
    }})
}

#[track_caller]
fn assert_passes(blocks: &[Value], last: &Made) {
    assert_eq!(failure(run_block_tests, &test(blocks, last)), None);
}

#[track_caller]
fn assert_fails(test: &Value, words: &str) {
    let failure = failure(run_block_tests, test).expect("the test fails");
    assert!(failure.contains(words), "{words:?} is not in: {failure}");
}

#[test]
fn a_chain_passes_if_its_end_is_as_stated() {
    let first = Made::genesis().child(13, ALICE);
    let second = first.child(13, BOB);
    let blocks = [first.valid(), second.valid()];
    assert_passes(&blocks, &second);
    let (_, summary) = run(run_block_tests, &options(), &[test(&blocks, &second).to_string()]);
    // Two blocks of one step each, with two numbers of threads, alone and as a stream.
    assert_eq!((summary.work.blocks, summary.work.metrics.steps), (2, 2 * 2 * 2));
    assert_passes(&[], &Made::genesis());
    assert_fails(&test(&blocks, &first), "the last block's hash is");
    let mut wrong = test(&blocks, &second);
    wrong["a test"]["postState"][BOB.to_string()]["balance"] = json!("0x05");
    assert_fails(&wrong, "its balance is 2000000000000000000, expected 5");
    let mut missing = test(&blocks, &second);
    missing["a test"]["postState"] = accounts(&first.balances);
    assert_fails(&missing, "should not exist");
    let mut by_root = test(&blocks, &second);
    by_root["a test"]["postState"] = Value::Null;
    assert_fails(&by_root, "says nothing of the state");
    by_root["a test"]["postStateHash"] = json!(root(&second.balances));
    assert_eq!(failure(run_block_tests, &by_root), None);
    by_root["a test"]["postStateHash"] = json!(B256::ZERO);
    assert_fails(&by_root, "the state root is");
}

#[test]
fn the_branch_with_the_greatest_total_difficulty_is_chosen() {
    let one = Made::genesis().child(5, ALICE);
    let other = Made::genesis().child(50, BOB);
    let after_other = other.child(5, BOB);
    // Less difficult: the first stays. Then the other branch is longer, and its state is another.
    assert_passes(&[one.valid(), other.valid()], &one);
    assert_passes(&[other.valid(), one.valid()], &one);
    assert_passes(&[one.valid(), other.valid(), after_other.valid()], &after_other);
    // Of equals the first stays.
    let equal = Made::genesis().child(5, BOB);
    assert_passes(&[one.valid(), equal.valid()], &one);
}

#[test]
fn an_invalid_block_must_be_refused_for_the_stated_reason() {
    let good = Made::genesis().child(13, ALICE);
    let cases = [
        (good.spoilt(|header| header.state_root = B256::ZERO), "BlockException.INVALID_STATE_ROOT"),
        (good.spoilt(|header| header.gas_used = 1), "BlockException.INVALID_GAS_USED"),
        (good.spoilt(|header| header.gas_limit = 4_000), "BlockException.INVALID_GASLIMIT"),
        (good.spoilt(|header| header.number = 7), "BlockException.INVALID_BLOCK_NUMBER"),
        (good.spoilt(|header| header.parent_hash = B256::ZERO), "BlockException.UNKNOWN_PARENT"),
        (good.spoilt(|header| header.difficulty += U256::ONE), "BlockException.INVALID_DIFFICULTY"),
        (good.spoilt(|header| header.receipts_root = B256::ZERO), "BlockException.INVALID_RECEIPTS_ROOT"),
        (
            good.spoilt(|header| header.transactions_root = B256::ZERO),
            "BlockException.INVALID_TRANSACTIONS_ROOT",
        ),
        (good.spoilt(|header| header.extra_data = vec![0; 33].into()), "BlockException.EXTRA_DATA_TOO_BIG"),
    ];
    for (bad, reason) in &cases {
        assert_passes(&[bad.invalid(reason), good.valid()], &good);
        let other = if reason.ends_with("NUMBER") { "INVALID_GAS_USED" } else { "INVALID_BLOCK_NUMBER" };
        let other = format!("BlockException.{other}");
        assert_fails(&test(&[bad.invalid(&other)], &Made::genesis()), &format!("expected {other}"));
        assert_fails(&test(&[bad.valid()], &Made::genesis()), "block 0 of the list");
    }
    let odd = test(&[cases[0].0.invalid("BlockException.ODD")], &Made::genesis());
    assert_eq!(unchecked(run_block_tests, &odd), ["BlockException.ODD"]);
    assert_fails(&test(&[good.invalid("BlockException.ODD")], &good), "expected BlockException.ODD");
    assert_fails(&test(&[good.invalid("BlockException.INVALID_STATE_ROOT")], &good), "it is valid");
}

#[test]
fn one_of_several_names_is_enough_and_those_of_the_engine_api_mean_the_rules_of_a_block() {
    let genesis = Made::genesis();
    let good = genesis.child(13, ALICE);
    let body = good.spoilt(|header| header.transactions_root = B256::ZERO);
    let state = good.spoilt(|header| header.state_root = B256::ZERO);
    let names = "BlockException.INVALID_WITHDRAWALS_ROOT|BlockException.INVALID_BLOCK_HASH";
    assert_passes(&[body.invalid(names)], &genesis);
    assert_fails(&test(&[state.invalid(names)], &genesis), &format!("expected {names}"));
    let names = "BlockException.INVALID_STATE_ROOT|BlockException.INVALID_VERSIONED_HASHES";
    assert_passes(&[state.invalid(names)], &genesis);
    let alone = "BlockException.INVALID_VERSIONED_HASHES";
    assert_fails(&test(&[state.invalid(alone)], &genesis), &format!("expected {alone}"));
}

/// The execution specification looks at the block's gas limit first, revm at the price.
#[test]
fn a_transaction_with_several_faults_may_be_refused_for_another_one_than_stated() {
    let mut genesis = Made::genesis();
    genesis.header.base_fee_per_gas = Some(1_000);
    let unsigned = TxLegacy {
        chain_id: None,
        nonce: 0,
        gas_price: 10,
        gas_limit: genesis.header.gas_limit + 1,
        to: TxKind::Call(BOB),
        value: U256::ZERO,
        input: Bytes::new(),
    };
    let signature = sign_message(B256::with_last_byte(1), unsigned.signature_hash()).expect("a key");
    let transaction = TxEnvelope::from(unsigned.into_signed(signature));
    let mut block = genesis.child(13, ALICE);
    block.header.base_fee_per_gas = Some(875);
    block.header.transactions_root = calculate_transaction_root(std::slice::from_ref(&transaction));
    let body = BlockBody { transactions: vec![transaction], ommers: vec![], withdrawals: None };
    let mut rlp = Vec::new();
    Block::new(block.header, body).encode(&mut rlp);
    let test = |reason: &str| {
        let block = json!({"rlp": hex::encode_prefixed(&rlp), "expectException": reason});
        json!({"a test": {
            "network": "London",
            "genesisBlockHeader": {"hash": genesis.hash()},
            "genesisRLP": hex::encode_prefixed(genesis.rlp()),
            "pre": accounts(&genesis.balances),
            "blocks": [block],
            "lastblockhash": genesis.hash(),
            "postState": accounts(&genesis.balances),
        }})
    };
    for reason in ["GAS_ALLOWANCE_EXCEEDED", "INSUFFICIENT_MAX_FEE_PER_GAS"] {
        let test = test(&format!("TransactionException.{reason}"));
        assert_eq!(failure(run_block_tests, &test), None, "{reason}");
    }
    assert_fails(&test("TransactionException.NONCE_IS_MAX"), "expected TransactionException.NONCE_IS_MAX");
}

#[test]
fn a_network_with_a_fork_that_is_not_supported_is_counted_by_its_name() {
    for network in ["Amsterdam", "BPO2ToAmsterdamAtTime15k"] {
        let mut test = test(&[], &Made::genesis());
        test["a test"]["network"] = json!(network);
        let (outcomes, summary) = run(run_block_tests, &options(), &[test.to_string()]);
        assert_eq!((summary.passed, summary.failed), (0, 0));
        assert_eq!(summary.unsupported.into_iter().collect::<Vec<_>>(), [("Amsterdam", 1)]);
        assert_eq!(outcomes[0].problem, Some(Problem::Unsupported("Amsterdam")));
    }
}

#[test]
fn a_block_with_several_faults_may_be_refused_for_another_one_than_stated() {
    let bad = Made::genesis().child(13, ALICE).spoilt(|header| {
        header.gas_limit = 4_000;
        header.state_root = B256::ZERO;
    });
    assert_passes(&[bad.invalid("BlockException.INVALID_STATE_ROOT")], &Made::genesis());
    assert_fails(
        &test(&[bad.invalid("BlockException.INVALID_GAS_USED")], &Made::genesis()),
        "expected BlockException.INVALID_GAS_USED",
    );
}

#[test]
fn bytes_that_are_no_block_are_refused() {
    let genesis = Made::genesis();
    let rlp = genesis.child(13, ALICE).rlp();
    let mut blocks: Vec<_> = (0..rlp.len()).map(|length| rlp[..length].to_vec()).collect();
    blocks.extend((0..rlp.len()).map(|index| {
        let mut longer = rlp.clone();
        longer.insert(index, 0xc0);
        longer
    }));
    blocks.push([rlp.as_slice(), &[0]].concat());
    blocks.push(vec![0xff; 64]);
    let blocks: Vec<_> = blocks
        .iter()
        .map(|rlp| {
            let any = "BlockException.RLP_STRUCTURES_ENCODING|BlockException.EXTRA_DATA_TOO_BIG|\
                       BlockException.UNKNOWN_PARENT|BlockException.INVALID_STATE_ROOT";
            json!({"rlp": hex::encode_prefixed(rlp), "expectException": any})
        })
        .collect();
    assert_passes(&blocks, &genesis);
}

#[test]
fn a_test_that_contradicts_itself_fails() {
    let block = Made::genesis().child(13, ALICE);
    let good = test(&[block.valid()], &block);
    let spoilt = |field: &str, value: Value| {
        let mut spoilt = good.clone();
        spoilt["a test"][field] = value;
        spoilt
    };
    assert_fails(&spoilt("network", json!("Atlantis")), "network Atlantis is unknown");
    assert_fails(&spoilt("genesisRLP", json!("0xc0")), "genesisRLP cannot be decoded");
    assert_fails(&spoilt("genesisBlockHeader", json!({"hash": B256::ZERO})), "the hash of the genesis is");
    assert_fails(&spoilt("pre", json!({})), "the state root of the genesis is");
    let mut header = good.clone();
    header["a test"]["blocks"][0]["blockHeader"]["hash"] = json!(B256::ZERO);
    assert_fails(&header, "its hash is");
}

#[test]
fn a_file_that_is_none_of_block_tests_is_named() {
    for content in ["", "{}", "{\"a\": ", "[]", "{\"a\": {}}", "{\"a\": {\"network\": \"Berlin\"}}"] {
        let (outcomes, summary) = run(run_block_tests, &options(), &[content.to_owned()]);
        assert!(outcomes.is_empty());
        assert_eq!(summary.unreadable.len(), 1, "{content}");
    }
}
