use crate::error::ForkError;
use crate::protocol::collisions::StorageCollisions;
use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::{Address, B256, U256, address};
use revm::primitives::hardfork::SpecId;
use std::ops::Range;
use std::sync::Arc;

/// The rules of one chain: which fork is active when, and what depends on it.
#[derive(Clone, Debug)]
pub struct ChainSpec {
    chain_id: u64,
    hardforks: EthereumChainHardforks,
    deposit_contract: Address,
    /// From which timestamp (seconds) which parameters hold, ascending; empty where blobs never come.
    blob_schedule: Vec<(u64, BlobParams)>,
    /// Whether Paris begins exactly at the block number that its condition names. Otherwise that number is only the
    /// latest possible one, and total difficulties decide.
    merge_is_exact: bool,
    /// The DAO fork's block, and whether the chain followed the fork.
    dao_fork: Option<(u64, bool)>,
    /// The blocks between Constantinople and Petersburg, which have EIP-1283.
    net_gas: Range<u64>,
    /// Accounts with storage, but without nonce and code.
    collisions: Arc<StorageCollisions>,
}

/// The forks that change execution and whose rules are known, newest first, with the names used in tables.
const FORKS: &[(EthereumHardfork, &str)] = &[
    (EthereumHardfork::Bpo5, "BPO5"),
    (EthereumHardfork::Bpo4, "BPO4"),
    (EthereumHardfork::Bpo3, "BPO3"),
    (EthereumHardfork::Bpo2, "BPO2"),
    (EthereumHardfork::Bpo1, "BPO1"),
    (EthereumHardfork::Osaka, "Osaka"),
    (EthereumHardfork::Prague, "Prague"),
    (EthereumHardfork::Cancun, "Cancun"),
    (EthereumHardfork::Shanghai, "Shanghai"),
    (EthereumHardfork::Paris, "Paris"),
    (EthereumHardfork::London, "London"),
    (EthereumHardfork::Berlin, "Berlin"),
    (EthereumHardfork::Istanbul, "Istanbul"),
    (EthereumHardfork::Petersburg, "Petersburg"),
    (EthereumHardfork::Byzantium, "Byzantium"),
    (EthereumHardfork::SpuriousDragon, "SpuriousDragon"),
    (EthereumHardfork::Tangerine, "Tangerine"),
    (EthereumHardfork::Dao, "DAO"),
    (EthereumHardfork::Homestead, "Homestead"),
];

/// The other forks that are known: the first one, those that only delay the difficulty bomb, and Constantinople, which is
/// never without Petersburg, see [`ChainSpec::new`]. Any fork that is in neither list is refused.
const UNNAMED: &[EthereumHardfork] = &[
    EthereumHardfork::Frontier,
    EthereumHardfork::Constantinople,
    EthereumHardfork::MuirGlacier,
    EthereumHardfork::ArrowGlacier,
    EthereumHardfork::GrayGlacier,
];

fn is_known(fork: EthereumHardfork) -> bool {
    UNNAMED.contains(&fork) || FORKS.iter().any(|(known, _)| *known == fork)
}

impl ChainSpec {
    /// The rules of a known chain: 1 (mainnet), 17000 (Holesky) or 11155111 (Sepolia).
    pub fn known(chain_id: u64) -> Option<Self> {
        match chain_id {
            1 => Some(Self::new(1, EthereumChainHardforks::mainnet(), MAINNET_DEPOSIT_CONTRACT_ADDRESS)),
            17000 => Some(Self::new(
                17000,
                EthereumChainHardforks::holesky(),
                address!("4242424242424242424242424242424242424242"),
            )),
            11155111 => Some(Self::new(
                11155111,
                EthereumChainHardforks::sepolia(),
                address!("7f02c3e3c98b133055b8b348b2ac625669ed295d"),
            )),
            _ => None,
        }
    }

    /// The rules of any other chain.
    ///
    /// `deposit_contract` is the contract whose logs are deposit requests (EIP-6110). Blobs have mainnet's parameters:
    /// see [`ChainSpec::with_blob_schedule`]. If Paris has a block number, that is where the merge is: see
    /// [`ChainSpec::with_merge_by`]. A DAO fork at block 0 is none, since there is nothing to move.
    ///
    /// Blocks from Constantinople to Petersburg have Petersburg's rules but for the price of storage (EIP-1283).
    pub fn new(chain_id: u64, hardforks: EthereumChainHardforks, deposit_contract: Address) -> Self {
        let activation = |fork| hardforks.ethereum_fork_activation(fork);
        let blob_schedule = [
            (EthereumHardfork::Cancun, BlobParams::cancun()),
            (EthereumHardfork::Prague, BlobParams::prague()),
            (EthereumHardfork::Osaka, BlobParams::osaka()),
            (EthereumHardfork::Bpo1, BlobParams::bpo1()),
            (EthereumHardfork::Bpo2, BlobParams::bpo2()),
        ]
        .into_iter()
        .filter_map(|(fork, params)| Some((activation(fork).as_timestamp()?, params)))
        .collect();
        let merge_is_exact = activation(EthereumHardfork::Paris).block_number().is_some();
        let dao_fork = activation(EthereumHardfork::Dao).block_number().filter(|number| *number > 0);
        let dao_fork = dao_fork.map(|number| (number, true));
        let constantinople = activation(EthereumHardfork::Constantinople).block_number();
        let petersburg = activation(EthereumHardfork::Petersburg).block_number();
        let net_gas = match (constantinople, petersburg) {
            (Some(first), second) if second.is_none_or(|second| first < second) => {
                first..second.unwrap_or(u64::MAX)
            }
            _ => 0..0,
        };
        let spec = Self {
            chain_id,
            hardforks,
            deposit_contract,
            blob_schedule,
            merge_is_exact,
            dao_fork,
            net_gas: net_gas.clone(),
            collisions: Arc::default(),
        };
        if net_gas.is_empty() {
            return spec;
        }
        // revm has one set of rules for both forks.
        spec.with_activation(EthereumHardfork::Petersburg, ForkCondition::Block(net_gas.start))
    }

    /// Adds accounts that have storage, but neither nonce nor code, each with one of its slots that is not zero. Nothing
    /// can be created there while the slot is not zero (EIP-7610): without code, slots only change all at once.
    ///
    /// Since EIP-161 no account can come to be so. A chain has them from its genesis or its first years, if at all;
    /// mainnet has 28, whose addresses no creation reaches.
    #[must_use]
    pub fn with_occupied_addresses(self, accounts: impl IntoIterator<Item = (Address, U256)>) -> Self {
        let mut collisions = StorageCollisions::clone(&self.collisions);
        collisions.addresses.extend(accounts);
        Self { collisions: Arc::new(collisions), ..self }
    }

    /// The addresses of accounts that are known by [`ChainSpec::with_occupied_addresses`], in no order.
    pub fn occupied_addresses(&self) -> impl Iterator<Item = Address> {
        self.collisions.addresses.keys().copied()
    }

    /// Adds such accounts by the Keccak-256 of their addresses, for who knows a state by its trie. They must have storage
    /// in the very state that blocks are executed on.
    #[must_use]
    pub fn with_occupied_hashes(self, hashes: impl IntoIterator<Item = B256>) -> Self {
        let mut collisions = StorageCollisions::clone(&self.collisions);
        collisions.hashes.extend(hashes);
        Self { collisions: Arc::new(collisions), ..self }
    }

    /// Sets from which timestamp (seconds) which blob parameters hold (EIP-7840, EIP-7892), in ascending order.
    ///
    /// A timestamp may occur several times; the last entry holds.
    pub fn with_blob_schedule(mut self, schedule: Vec<(u64, BlobParams)>) -> Self {
        self.blob_schedule = schedule;
        self
    }

    /// Says that the DAO fork is at block `number`, and whether this chain follows it, as Ethereum does, or refuses it, as
    /// Ethereum Classic did.
    pub fn with_dao_fork(self, number: u64, followed: bool) -> Self {
        let condition = if followed { ForkCondition::Block(number) } else { ForkCondition::Never };
        Self { dao_fork: Some((number, followed)), ..self.with_activation(EthereumHardfork::Dao, condition) }
    }

    /// Says that block `number` is the first one of proof of stake (EIP-3675).
    pub fn with_merge_at(self, number: u64) -> Self {
        Self { merge_is_exact: true, ..self.with_paris_at(number) }
    }

    /// Says that the merge happens as soon as total difficulty reaches its bound, and at block `number` if that has not
    /// happened before; `u64::MAX` if no such number is known.
    pub fn with_merge_by(self, number: u64) -> Self {
        Self { merge_is_exact: false, ..self.with_paris_at(number) }
    }

    fn with_paris_at(self, number: u64) -> Self {
        let condition = match self.activation(EthereumHardfork::Paris) {
            ForkCondition::TTD { fork_block, total_difficulty, .. } => {
                ForkCondition::TTD { activation_block_number: number, fork_block, total_difficulty }
            }
            _ => ForkCondition::Block(number),
        };
        self.with_activation(EthereumHardfork::Paris, condition)
    }

    fn with_activation(self, changed: EthereumHardfork, condition: ForkCondition) -> Self {
        let forks = EthereumHardfork::VARIANTS
            .iter()
            .map(|fork| (*fork, if *fork == changed { condition } else { self.activation(*fork) }))
            .filter(|(_, condition)| *condition != ForkCondition::Never);
        Self { hardforks: EthereumChainHardforks::new(forks), ..self }
    }

    /// The chain's id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Where deposit requests come from (EIP-6110).
    pub fn deposit_contract(&self) -> Address {
        self.deposit_contract
    }

    /// The newest fork active in a block with this number and timestamp (seconds), by name.
    ///
    /// # Errors
    ///
    /// If the block is of a fork whose rules are not supported, or if a fork begins at a kind of point at which it cannot.
    pub fn fork(&self, number: u64, timestamp: u64) -> Result<&'static str, ForkError> {
        for fork in EthereumHardfork::VARIANTS {
            self.check_activation(*fork)?;
            if !is_known(*fork) && self.is_active(*fork, number, timestamp) {
                return Err(ForkError::Unsupported { fork: fork.name() });
            }
        }
        let newest = FORKS.iter().find(|(fork, _)| self.is_active(*fork, number, timestamp));
        Ok(newest.map_or("Frontier", |(_, name)| name))
    }

    /// Forks before the merge begin at a block, the merge with a total difficulty or at a block, later ones at a time.
    fn check_activation(&self, fork: EthereumHardfork) -> Result<(), ForkError> {
        let expected = match fork {
            EthereumHardfork::Paris => "a total difficulty or a block",
            fork if fork > EthereumHardfork::Paris => "a time",
            _ => "a block",
        };
        let found = match self.activation(fork) {
            ForkCondition::Never => return Ok(()),
            ForkCondition::Block(_) => "a block",
            ForkCondition::TTD { .. } => "a total difficulty",
            ForkCondition::Timestamp(_) => "a time",
        };
        if expected.contains(found) {
            return Ok(());
        }
        Err(ForkError::Activation { fork: fork.name(), found, expected })
    }

    /// revm's name for the rules of a block with this number and timestamp.
    ///
    /// # Errors
    ///
    /// As for [`ChainSpec::fork`].
    pub fn spec_id(&self, number: u64, timestamp: u64) -> Result<SpecId, ForkError> {
        self.fork(number, timestamp)?;
        Ok(alloy_evm::spec_by_timestamp_and_block_number(&self.hardforks, timestamp, number))
    }

    /// Limits and price parameters of blobs (EIP-7840) at this time; `None` before Cancun.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        self.blob_schedule.iter().rev().find(|(from, _)| *from <= timestamp).map(|(_, params)| *params)
    }

    /// Whether a fork is active in a block with this number and timestamp (seconds).
    pub fn is_active(&self, fork: EthereumHardfork, number: u64, timestamp: u64) -> bool {
        self.activation(fork).active_at_timestamp_or_number(timestamp, number)
    }

    /// Whether accounts with neither balance, nonce nor code do not exist in a block with this number and timestamp
    /// (EIP-161).
    pub fn clears_empty_accounts(&self, number: u64, timestamp: u64) -> bool {
        self.is_active(EthereumHardfork::SpuriousDragon, number, timestamp)
    }

    /// When a fork becomes active.
    pub fn activation(&self, fork: EthereumHardfork) -> ForkCondition {
        self.hardforks.ethereum_fork_activation(fork)
    }

    /// The first block of proof of stake (EIP-3675), if its number is known for certain.
    pub fn merge_block(&self) -> Option<u64> {
        self.activation(EthereumHardfork::Paris).block_number().filter(|_| self.merge_is_exact)
    }

    /// The total difficulty with which proof of work ends (EIP-3675); `None` on a chain without a merge.
    pub fn terminal_total_difficulty(&self) -> Option<U256> {
        self.activation(EthereumHardfork::Paris).ttd()
    }

    /// The block of the DAO fork, and whether this chain follows that fork.
    pub fn dao_fork(&self) -> Option<(u64, bool)> {
        self.dao_fork
    }

    /// Whether this is the block of the DAO's irregular state change.
    pub(crate) fn is_dao_fork(&self, number: u64) -> bool {
        self.dao_fork == Some((number, true))
    }

    /// Whether SSTORE in this block costs what EIP-1283 says.
    pub(crate) fn has_net_gas(&self, number: u64) -> bool {
        self.net_gas.contains(&number)
    }

    /// Accounts with storage, but without nonce and code.
    pub(crate) fn collisions(&self) -> &Arc<StorageCollisions> {
        &self.collisions
    }

    pub(crate) fn hardforks(&self) -> &EthereumChainHardforks {
        &self.hardforks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mainnet_forks_begin_where_they_did() {
        let chain = ChainSpec::known(1).unwrap();
        let at = |number, timestamp| chain.fork(number, timestamp).unwrap();
        assert_eq!(at(1_149_999, 0), "Frontier");
        assert_eq!(at(1_150_000, 0), "Homestead");
        assert_eq!(at(1_920_000, 0), "DAO");
        assert_eq!(at(2_463_000, 0), "Tangerine");
        assert_eq!(at(2_675_000, 0), "SpuriousDragon");
        assert_eq!(at(7_280_000, 0), "Petersburg");
        assert_eq!(at(15_537_393, 1_663_224_162), "London");
        assert_eq!(at(15_537_394, 1_663_224_179), "Paris");
        assert_eq!(at(19_426_587, 1_710_338_135), "Cancun");
        assert_eq!(at(25_000_000, 1_767_747_671), "BPO2");
        assert!(chain.is_dao_fork(1_920_000) && !chain.is_dao_fork(1_920_001));
        assert_eq!(chain.blob_params(1_767_747_671).map(|p| p.update_fraction), Some(11_684_671));
        assert!(ChainSpec::known(2).is_none());
    }

    #[test]
    fn blob_parameters_follow_the_schedule() {
        let chain = ChainSpec::known(1).unwrap();
        let fraction = |timestamp| chain.blob_params(timestamp).map(|params| params.update_fraction);
        assert_eq!(fraction(1_710_338_134), None);
        assert_eq!(fraction(1_710_338_135), Some(3_338_477));
        let own = BlobParams { max_blob_count: 72, ..BlobParams::bpo2() };
        let chain = chain.with_blob_schedule(vec![(5, BlobParams::cancun()), (9, own)]);
        assert_eq!(chain.blob_params(4), None);
        assert_eq!(chain.blob_params(8), Some(BlobParams::cancun()));
        assert_eq!(chain.blob_params(u64::MAX), Some(own));
    }

    #[test]
    fn the_merge_is_where_it_is_found() {
        let chain = ChainSpec::known(1).unwrap();
        assert_eq!(chain.merge_block(), Some(15_537_394));
        let chain = chain.with_merge_by(100);
        assert_eq!(chain.merge_block(), None);
        assert_eq!(chain.spec_id(100, 0), Ok(SpecId::MERGE));
        let chain = chain.with_merge_at(50);
        assert_eq!(chain.merge_block(), Some(50));
        assert_eq!(chain.spec_id(50, 0), Ok(SpecId::MERGE));
        assert_ne!(chain.spec_id(49, 0), Ok(SpecId::MERGE));
        assert_eq!(
            chain.terminal_total_difficulty(),
            ChainSpec::known(1).unwrap().terminal_total_difficulty()
        );
    }

    #[test]
    fn a_chain_follows_the_dao_fork_or_refuses_it() {
        assert_eq!(ChainSpec::known(1).unwrap().dao_fork(), Some((1_920_000, true)));
        assert_eq!(ChainSpec::known(11155111).unwrap().dao_fork(), None);
        let none = EthereumChainHardforks::new([(EthereumHardfork::Frontier, ForkCondition::Block(0))]);
        let chain = ChainSpec::new(61, none, Address::ZERO);
        assert_eq!((chain.dao_fork(), chain.merge_block()), (None, None));
        let refusing = chain.clone().with_dao_fork(7, false);
        assert_eq!(refusing.dao_fork(), Some((7, false)));
        assert!(!refusing.is_dao_fork(7) && refusing.fork(7, 0) == Ok("Frontier"));
        assert!(chain.with_dao_fork(7, true).is_dao_fork(7));
    }

    #[test]
    fn constantinople_has_the_instructions_of_petersburg() {
        let forks = [(EthereumHardfork::Byzantium, 9), (EthereumHardfork::Constantinople, 12)]
            .map(|(fork, number)| (fork, ForkCondition::Block(number)));
        let chain = ChainSpec::new(5, EthereumChainHardforks::new(forks), Address::ZERO);
        assert_eq!(chain.spec_id(11, 0), Ok(SpecId::BYZANTIUM));
        assert_eq!(chain.spec_id(12, 0), Ok(SpecId::PETERSBURG));
        assert!(!chain.has_net_gas(11) && chain.has_net_gas(12));
        assert!(!ChainSpec::known(1).unwrap().has_net_gas(7_280_000));
    }

    /// A chain on which one fork begins with block 1, or at second 1, as it has to, after all that come before it.
    fn beginning_with(last: EthereumHardfork) -> ChainSpec {
        let forks = EthereumHardfork::VARIANTS.iter().filter(|fork| **fork <= last).map(|fork| {
            let point = u64::from(*fork == last);
            let condition = if *fork > EthereumHardfork::Paris {
                ForkCondition::Timestamp(point)
            } else {
                ForkCondition::Block(point)
            };
            (*fork, condition)
        });
        ChainSpec::new(7, EthereumChainHardforks::new(forks), Address::ZERO)
    }

    #[test]
    fn each_fork_of_the_dependency_is_known_or_refused_by_name() {
        let unsupported = [EthereumHardfork::Amsterdam, EthereumHardfork::Bogota];
        for fork in EthereumHardfork::VARIANTS {
            let chain = beginning_with(*fork);
            assert_ne!(is_known(*fork), unsupported.contains(fork), "{fork:?} is in none of the lists");
            let refused = |found: Result<_, ForkError>| {
                let error = found.unwrap_err();
                assert!(error.to_string().contains(error.fork()), "{error}");
                assert!(matches!(error, ForkError::Unsupported { .. }), "{error}");
                error.fork()
            };
            if is_known(*fork) {
                let (name, spec) = (chain.fork(1, 1).unwrap(), chain.spec_id(1, 1).unwrap());
                let named = FORKS.iter().find(|(known, _)| known == fork);
                assert!(named.is_none_or(|(_, expected)| name == *expected), "{fork:?}: {name}");
                assert!(spec < SpecId::AMSTERDAM, "{fork:?}: {spec:?}");
            } else {
                // The first of those that are active is named, whatever comes after it.
                assert_eq!(refused(chain.fork(1, 1)), "Amsterdam");
                assert_eq!(refused(chain.spec_id(1, 1).map(|_| "")), "Amsterdam");
            }
        }
        let chain = beginning_with(EthereumHardfork::Amsterdam);
        assert_eq!(chain.fork(0, 0), Ok("BPO5"), "before the fork its chain is as others");
    }

    #[test]
    fn sepolia_is_known_until_amsterdam() {
        let chain = ChainSpec::known(11155111).unwrap();
        let begin = chain.activation(EthereumHardfork::Amsterdam).as_timestamp().unwrap();
        assert_eq!(chain.fork(11_856_336, begin - 1), Ok("BPO2"));
        assert_eq!(chain.fork(11_856_337, begin), Err(ForkError::Unsupported { fork: "Amsterdam" }));
    }

    #[test]
    fn forks_begin_at_the_kind_of_point_that_they_can() {
        let chain = |fork, condition| {
            let forks = [(EthereumHardfork::Frontier, ForkCondition::Block(0)), (fork, condition)];
            ChainSpec::new(7, EthereumChainHardforks::new(forks), Address::ZERO)
        };
        for (fork, condition, words) in [
            (EthereumHardfork::Cancun, ForkCondition::Block(5), ["Cancun", "a time", "a block"]),
            (EthereumHardfork::London, ForkCondition::Timestamp(5), ["London", "a block", "a time"]),
            (EthereumHardfork::Paris, ForkCondition::Timestamp(5), ["Paris", "a total difficulty", "a time"]),
        ] {
            // Whether or not it is active: what comes before it may be wrong as well.
            for point in [4, 5] {
                let error = chain(fork, condition).fork(point, point).unwrap_err().to_string();
                assert!(words.iter().all(|word| error.contains(word)), "{error}");
            }
        }
    }
}
