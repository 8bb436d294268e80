use crate::{
    MAX_BLOCKS, MAX_TRANSACTIONS,
    accounts::Signer,
    contracts::{EXCHANGE, TOKEN_A, address_word, encode_call},
    genesis::{ETHER_EACH, RESERVE, TOKENS_EACH, UNIT},
    rng::SplitMix64,
};
use alloy_consensus::{TxEip1559, TxLegacy, TypedTransaction};
use alloy_primitives::{Address, Bytes, TxKind, U256};

/// The chain id of every transaction: mainnet's, so that mainnet's rules apply.
pub const CHAIN_ID: u64 = 1;

/// Every block's gas limit.
pub const GAS_LIMIT: u64 = 60_000_000;

/// Every block's base fee, in wei per gas.
pub const BASE_FEE: u64 = GWEI;

const GWEI: u64 = 1_000_000_000;

/// The most that a transaction pays above the base fee as priority fee, and as slack above both, in wei per gas.
const MAX_MARKUP: u64 = 2 * GWEI;

/// The most that a transaction transfers, in wei.
const MAX_VALUE: u64 = (UNIT / 10) as u64;

/// The most that a transaction moves of a token, in its units.
const MAX_TOKENS: u64 = (10 * UNIT) as u64;

/// How many transactions in a hundred call the token; the rest, after these and the swaps, transfer ether.
const TOKEN_PERCENT: usize = 35;
const SWAP_PERCENT: usize = 20;

/// How many transactions in a hundred go to an address that no transaction named before.
const FRESH_PERCENT: u64 = 10;

/// How many transactions in a hundred have no type (from before EIP-2718).
const LEGACY_PERCENT: u64 = 10;

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Transfer,
    Token,
    Swap,
}

impl Kind {
    const fn gas_limit(self) -> u64 {
        match self {
            Self::Transfer => 21_000,
            Self::Token => 100_000,
            Self::Swap => 300_000,
        }
    }

    /// The kinds of a block's transactions, in no meaningful order.
    fn mix(transactions: usize) -> Vec<Self> {
        let tokens = transactions * TOKEN_PERCENT / 100;
        let swaps = transactions * SWAP_PERCENT / 100;
        let mut kinds = vec![Self::Transfer; transactions];
        kinds[..tokens].fill(Self::Token);
        kinds[tokens..tokens + swaps].fill(Self::Swap);
        kinds
    }
}

/// No block can run out of gas, and no signer out of funds even if it sends everything there is. The exchange's
/// price moves little enough for what [`Traffic::swap`] asks at least: no direction takes more than 1 % of a reserve.
const _: () = {
    let (tokens, swaps) = (MAX_TRANSACTIONS * TOKEN_PERCENT / 100, MAX_TRANSACTIONS * SWAP_PERCENT / 100);
    let transfers = MAX_TRANSACTIONS - tokens - swaps;
    let gas = transfers as u64 * Kind::Transfer.gas_limit()
        + tokens as u64 * Kind::Token.gas_limit()
        + swaps as u64 * Kind::Swap.gas_limit();
    assert!(gas <= GAS_LIMIT);

    let all = (MAX_BLOCKS * MAX_TRANSACTIONS) as u128;
    let fee = Kind::Swap.gas_limit() as u128 * (BASE_FEE + 2 * MAX_MARKUP) as u128;
    assert!(all * (MAX_VALUE as u128 + fee) <= ETHER_EACH);
    assert!(all * MAX_TOKENS as u128 <= TOKENS_EACH);
    assert!((MAX_BLOCKS * swaps) as u128 * MAX_TOKENS as u128 * 100 <= RESERVE);
};

/// A transaction that its sender has yet to sign.
#[derive(Clone, Debug)]
pub(crate) struct Unsigned {
    /// The sender's index among the signers.
    pub(crate) sender: usize,
    pub(crate) transaction: TypedTransaction,
}

/// The source of a chain's transactions.
#[derive(Debug)]
pub(crate) struct Traffic<'a> {
    signers: &'a [Signer],
    nonces: Vec<u64>,
}

impl<'a> Traffic<'a> {
    pub(crate) fn new(signers: &'a [Signer]) -> Self {
        Self { signers, nonces: vec![0; signers.len()] }
    }

    /// The next block's transactions.
    pub(crate) fn block(&mut self, transactions: usize, rng: &mut SplitMix64) -> Vec<Unsigned> {
        let mut kinds = Kind::mix(transactions);
        rng.shuffle(&mut kinds);
        kinds.into_iter().map(|kind| self.transaction(kind, rng)).collect()
    }

    fn transaction(&mut self, kind: Kind, rng: &mut SplitMix64) -> Unsigned {
        let sender = rng.index(self.signers.len());
        let (to, value, input) = match kind {
            Kind::Transfer => (self.recipient(rng), U256::from(1 + rng.below(MAX_VALUE)), Bytes::new()),
            Kind::Token => {
                let arguments = [address_word(self.recipient(rng)), U256::from(1 + rng.below(MAX_TOKENS))];
                (TOKEN_A, U256::ZERO, encode_call("transfer(address,uint256)", &arguments))
            }
            Kind::Swap => (EXCHANGE, U256::ZERO, Self::swap(rng)),
        };
        let nonce = self.nonces[sender];
        self.nonces[sender] += 1;
        Unsigned { sender, transaction: envelope(kind.gas_limit(), nonce, to, value, input, rng) }
    }

    fn recipient(&self, rng: &mut SplitMix64) -> Address {
        if rng.chance(FRESH_PERCENT) {
            rng.address()
        } else {
            self.signers[rng.index(self.signers.len())].address()
        }
    }

    /// A swap in either direction that asks for at least nine tenths of what it pays.
    fn swap(rng: &mut SplitMix64) -> Bytes {
        let zero_for_one = U256::from(rng.below(2));
        let amount_in = 1_000 + rng.below(MAX_TOKENS - 1_000);
        let arguments = [zero_for_one, U256::from(amount_in), U256::from(amount_in / 10 * 9)];
        encode_call("swap(bool,uint256,uint256)", &arguments)
    }
}

fn envelope(
    gas_limit: u64,
    nonce: u64,
    to: Address,
    value: U256,
    input: Bytes,
    rng: &mut SplitMix64,
) -> TypedTransaction {
    let to = TxKind::Call(to);
    let priority_fee = rng.below(MAX_MARKUP);
    if rng.chance(LEGACY_PERCENT) {
        let gas_price = u128::from(BASE_FEE + priority_fee);
        let chain_id = Some(CHAIN_ID);
        return TypedTransaction::Legacy(TxLegacy {
            chain_id,
            nonce,
            gas_price,
            gas_limit,
            to,
            value,
            input,
        });
    }
    TypedTransaction::Eip1559(TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: u128::from(BASE_FEE + priority_fee + rng.below(MAX_MARKUP)),
        max_priority_fee_per_gas: u128::from(priority_fee),
        to,
        value,
        access_list: Default::default(),
        input,
    })
}
