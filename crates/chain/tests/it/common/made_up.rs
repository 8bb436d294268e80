//! Chains made up for tests.

use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, Bytes, Sealable, Sealed, U256};
use tandem_chain::{BlockAttributes, next_header};
use tandem_evm::ChainSpec;

/// Forks in their order, with whether they begin by time.
pub const FORKS: &[(EthereumHardfork, bool)] = &[
    (EthereumHardfork::Homestead, false),
    (EthereumHardfork::Tangerine, false),
    (EthereumHardfork::SpuriousDragon, false),
    (EthereumHardfork::Byzantium, false),
    (EthereumHardfork::Constantinople, false),
    (EthereumHardfork::Petersburg, false),
    (EthereumHardfork::Istanbul, false),
    (EthereumHardfork::MuirGlacier, false),
    (EthereumHardfork::Berlin, false),
    (EthereumHardfork::London, false),
    (EthereumHardfork::ArrowGlacier, false),
    (EthereumHardfork::GrayGlacier, false),
    (EthereumHardfork::Paris, false),
    (EthereumHardfork::Shanghai, true),
    (EthereumHardfork::Cancun, true),
    (EthereumHardfork::Prague, true),
    (EthereumHardfork::Osaka, true),
    (EthereumHardfork::Bpo1, true),
    (EthereumHardfork::Bpo2, true),
];

/// A chain that has the first so many [`FORKS`] from its genesis on.
pub fn chain(forks: usize) -> ChainSpec {
    let forks = FORKS[..forks].iter().map(|(fork, by_time)| {
        let begin = if *by_time { ForkCondition::Timestamp(0) } else { ForkCondition::Block(0) };
        (*fork, begin)
    });
    ChainSpec::new(1337, EthereumChainHardforks::new(forks), Address::ZERO)
}

/// The genesis of a chain whose forks are there from the beginning.
pub fn genesis(chain: &ChainSpec) -> Sealed<Header> {
    let is_active = |fork| chain.is_active(fork, 0, 0);
    let blobs: Option<BlobParams> = chain.blob_params(0);
    let header = Header {
        difficulty: U256::from(1 << 20),
        gas_limit: 30_000_000,
        base_fee_per_gas: is_active(EthereumHardfork::London).then_some(1_000_000_000),
        blob_gas_used: blobs.map(|_| 0),
        excess_blob_gas: blobs.map(|_| 0),
        ..Header::default()
    };
    header.seal_slow()
}

/// A block without transactions, some seconds after its parent.
pub fn child(chain: &ChainSpec, parent: &Sealed<Header>, seconds: u64, extra: &[u8]) -> Header {
    let attributes = BlockAttributes {
        timestamp: parent.timestamp + seconds,
        gas_limit: parent.gas_limit,
        extra_data: Bytes::copy_from_slice(extra),
        ..BlockAttributes::default()
    };
    next_header(chain, parent, None, &attributes)
}
