use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::{Address, address};
use revm::primitives::hardfork::SpecId;

/// The rules of one chain: which fork is active when, and what depends on it.
#[derive(Clone, Debug)]
pub struct ChainSpec {
    chain_id: u64,
    hardforks: EthereumChainHardforks,
    deposit_contract: Address,
}

/// The forks that change execution, newest first, with the names used in tables.
const FORKS: &[(EthereumHardfork, &str)] = &[
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
    (EthereumHardfork::Constantinople, "Constantinople"),
    (EthereumHardfork::Byzantium, "Byzantium"),
    (EthereumHardfork::SpuriousDragon, "SpuriousDragon"),
    (EthereumHardfork::Tangerine, "Tangerine"),
    (EthereumHardfork::Dao, "DAO"),
    (EthereumHardfork::Homestead, "Homestead"),
];

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
    /// `deposit_contract` is the contract whose logs are deposit requests (EIP-6110).
    pub fn new(chain_id: u64, hardforks: EthereumChainHardforks, deposit_contract: Address) -> Self {
        Self { chain_id, hardforks, deposit_contract }
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
    pub fn fork(&self, number: u64, timestamp: u64) -> &'static str {
        FORKS
            .iter()
            .find(|(fork, _)| self.is_active(*fork, number, timestamp))
            .map_or("Frontier", |(_, name)| name)
    }

    /// revm's name for the rules of a block with this number and timestamp.
    pub fn spec_id(&self, number: u64, timestamp: u64) -> SpecId {
        alloy_evm::spec_by_timestamp_and_block_number(&self.hardforks, timestamp, number)
    }

    /// Limits and price parameters of blobs (EIP-7840) at this time; `None` before Cancun.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        let is_active = |fork| self.hardforks.is_ethereum_fork_active_at_timestamp(fork, timestamp);
        if is_active(EthereumHardfork::Bpo2) {
            Some(BlobParams::bpo2())
        } else if is_active(EthereumHardfork::Bpo1) {
            Some(BlobParams::bpo1())
        } else if is_active(EthereumHardfork::Osaka) {
            Some(BlobParams::osaka())
        } else if is_active(EthereumHardfork::Prague) {
            Some(BlobParams::prague())
        } else if is_active(EthereumHardfork::Cancun) {
            Some(BlobParams::cancun())
        } else {
            None
        }
    }

    /// Whether this is the block of the DAO's irregular state change.
    pub(crate) fn is_dao_fork(&self, number: u64) -> bool {
        self.hardforks.ethereum_fork_activation(EthereumHardfork::Dao) == ForkCondition::Block(number)
    }

    pub(crate) fn hardforks(&self) -> &EthereumChainHardforks {
        &self.hardforks
    }

    fn is_active(&self, fork: EthereumHardfork, number: u64, timestamp: u64) -> bool {
        self.hardforks.ethereum_fork_activation(fork).active_at_timestamp_or_number(timestamp, number)
            || (fork == EthereumHardfork::Paris && self.hardforks.is_paris_active_at_block(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mainnet_forks_begin_where_they_did() {
        let chain = ChainSpec::known(1).unwrap();
        let at = |number, timestamp| chain.fork(number, timestamp);
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
}
