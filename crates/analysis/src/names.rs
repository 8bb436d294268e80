use crate::trace::{StateKey, Trace};
use alloy_primitives::map::{HashMap, HashSet};
use alloy_primitives::{Address, B256, U256, address, b256};
use tandem_evm::Field;
use tandem_workload::WorkloadError;
use tandem_workload::contracts::{
    AIRDROP, Artifact, BOOK, COLLECTIONS, DELEGATE, FACTORY, LENDING, MAX_TOKENS, ORACLE, PROVERS, ROUTER,
    SPLITTER, collection, exchange, prover, token,
};

/// `Transfer(address,address,uint256)` (ERC-20, ERC-721).
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `Sync(uint112,uint112)` of a Uniswap V2 pair.
const SYNC: B256 = b256!("1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1");
/// Where such a pair keeps its reserves.
const PAIR_RESERVES: u64 = 8;
/// `Swap(address,address,int256,int256,uint160,uint128,int24)` of a Uniswap V3 pool.
const SWAP: B256 = b256!("c42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67");
/// Variables at most that share a place in a mapping.
const STRUCT_WORDS: u64 = 16;
/// Numbers of variables that mappings are looked for at.
const VARIABLES: u64 = 1 << 16;

/// Contracts on mainnet that recur in reports.
const KNOWN: &[(Address, &str)] = &[
    (address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"), "WETH"),
    (address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC"),
    (address!("dAC17F958D2ee523a2206206994597C13D831ec7"), "USDT"),
    (address!("6B175474E89094C44Da98b954EedeAC495271d0F"), "DAI"),
    (address!("2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599"), "WBTC"),
    (address!("000000000004444c5dc75cB358380D2e3dE08A90"), "Uniswap V4"),
    (address!("BA12222222228d8Ba445958a75a0704d566BF2C8"), "Balancer"),
];

/// Readable names for places, as far as a trace tells what they are.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Hashed words: mappings keep values at hashes of two words.
    hashed: HashMap<B256, (B256, B256)>,
    /// The holders of each contract's tokens, as its logs say.
    holders: HashSet<(Address, Address)>,
    pairs: HashSet<Address>,
    pools: HashSet<Address>,
    /// Accounts whose code was set by an authorization (EIP-7702), as far as the transaction's type tells.
    delegated: HashSet<Address>,
    contracts: HashMap<Address, String>,
    variables: HashMap<(Address, U256), &'static str>,
}

impl Names {
    /// The names that a trace tells.
    ///
    /// # Errors
    ///
    /// If an artifact of the generated chain's contracts does not parse.
    pub fn new(trace: &Trace) -> Result<Self, WorkloadError> {
        let mut names = Self::default();
        names.add_generated()?;
        if trace.blocks.iter().all(|block| block.chain_id == 1) {
            names.contracts.extend(KNOWN.iter().map(|(address, name)| (*address, (*name).to_owned())));
        }
        for step in &trace.steps {
            let Some(transaction) = &step.transaction else { continue };
            for (hash, first, second) in &step.notes.hashed {
                names.hashed.insert(*hash, (*first, *second));
            }
            if transaction.tx_type == 4 {
                let codes = step.writes.iter().map(|write| trace.location(write.location));
                let codes = codes.filter(|location| location.field == Field::Code);
                names.delegated.extend(codes.map(|location| location.address));
            }
            for log in &transaction.logs {
                match log.data.topics() {
                    [TRANSFER, from, to, ..] => {
                        let holders = [from, to].map(|holder| (log.address, Address::from_word(*holder)));
                        names.holders.extend(holders);
                    }
                    [SYNC, ..] => {
                        names.pairs.insert(log.address);
                    }
                    [SWAP, ..] => {
                        names.pools.insert(log.address);
                    }
                    _ => {}
                }
            }
        }
        Ok(names)
    }

    /// The contracts of generated chains, and their variables.
    fn add_generated(&mut self) -> Result<(), WorkloadError> {
        for (address, name) in [
            (AIRDROP, "airdrop"),
            (BOOK, "order book"),
            (DELEGATE, "delegate"),
            (FACTORY, "factory"),
            (ROUTER, "router"),
            (SPLITTER, "splitter"),
        ] {
            self.contracts.insert(address, name.to_owned());
        }
        for index in 0..PROVERS {
            self.contracts.insert(prover(index), format!("prover {index}"));
        }
        self.add("oracle", ORACLE, &Artifact::oracle()?, &["price"])?;
        self.add("lending", LENDING, &Artifact::lending()?, &["index", "updated", "totalShares"])?;
        let artifact = Artifact::token()?;
        for index in 0..MAX_TOKENS {
            self.add(&format!("token {index}"), token(index), &artifact, &["totalSupply"])?;
        }
        let artifact = Artifact::exchange()?;
        for index in 0..MAX_TOKENS / 2 {
            self.add(&format!("exchange {index}"), exchange(index), &artifact, &["reserve0", "reserve1"])?;
        }
        let artifact = Artifact::collection()?;
        for index in 0..COLLECTIONS {
            self.add(&format!("collection {index}"), collection(index), &artifact, &["nextId", "limit"])?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        name: &str,
        address: Address,
        artifact: &Artifact,
        variables: &[&'static str],
    ) -> Result<(), WorkloadError> {
        self.contracts.insert(address, name.to_owned());
        for variable in variables {
            self.variables.insert((address, artifact.slot(variable)?), variable);
        }
        Ok(())
    }

    /// The words for an account: its name if it has one, and its address.
    pub fn account(&self, address: Address) -> String {
        self.contracts.get(&address).map_or_else(|| address.to_string(), |name| format!("{name} ({address})"))
    }

    /// The name of a state key.
    pub fn state_key(&self, key: StateKey) -> String {
        let StateKey { address, field } = key;
        let account = self.account(address);
        match field {
            Field::Balance => format!("ether of {account}"),
            Field::Nonce => format!("nonce of {account}"),
            Field::Code if self.delegated.contains(&address) => {
                format!("delegation (EIP-7702) of {account}")
            }
            Field::Code => format!("code of {account}"),
            Field::Existence => format!("existence of {account}"),
            Field::Generation => format!("storage of {account} as a whole"),
            Field::Slot { slot, .. } => format!("{} in {account}", self.slot(address, slot)),
        }
    }

    /// The words for a slot's content.
    fn slot(&self, address: Address, slot: U256) -> String {
        if let Some(variable) = self.variables.get(&(address, slot)) {
            return format!("{variable} (slot {slot})");
        }
        if self.pairs.contains(&address) && slot == PAIR_RESERVES {
            return "exchange reserves".to_owned();
        }
        if self.pools.contains(&address) && slot.is_zero() {
            return "pool price (slot 0)".to_owned();
        }
        for word in 0..STRUCT_WORDS {
            let Some((variable, keys)) = self.mapping(slot.wrapping_sub(U256::from(word))) else { continue };
            if let [holder] = keys[..]
                && word == 0
                && self.holders.contains(&(address, Address::from_word(holder)))
            {
                return format!("token balance of {}", self.account(Address::from_word(holder)));
            }
            let keys: String = keys.iter().map(|key| format!("[{}]", self.key(*key))).collect();
            let word = if word > 0 { format!(" word {word}") } else { String::new() };
            return format!("mapping {variable}{keys}{word}");
        }
        if slot < U256::from(VARIABLES) { format!("slot {slot}") } else { format!("slot {slot:#x}") }
    }

    /// The variable's number and the keys, if a slot is a place in a mapping.
    fn mapping(&self, slot: U256) -> Option<(u64, Vec<B256>)> {
        let (first, second) = *self.hashed.get(&B256::from(slot))?;
        let small = |word: B256| u64::try_from(U256::from_be_bytes(word.0)).ok().filter(|n| *n < VARIABLES);
        if let Some(variable) = small(second) {
            return Some((variable, vec![first]));
        }
        // Vyper hashes the variable's number first.
        if let Some(variable) = small(first) {
            return Some((variable, vec![second]));
        }
        let (outer, inner) = match (self.hashed.get(&second), self.hashed.get(&first)) {
            (Some(_), _) => (second, first),
            (None, Some(_)) => (first, second),
            (None, None) => return None,
        };
        let (variable, mut keys) = self.mapping(outer.into())?;
        keys.push(inner);
        Some((variable, keys))
    }

    fn key(&self, key: B256) -> String {
        if key[..12] == [0; 12] && key[12..16] != [0; 4] {
            return self.account(Address::from_word(key));
        }
        let number = U256::from_be_bytes(key.0);
        if number < U256::from(u64::MAX) { number.to_string() } else { key.to_string() }
    }
}
