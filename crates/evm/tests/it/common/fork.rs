use alloy_consensus::Header;
use alloy_primitives::{B256, U256, keccak256};

/// A fork of mainnet's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fork {
    Frontier,
    Homestead,
    Dao,
    Tangerine,
    SpuriousDragon,
    Byzantium,
    Petersburg,
    Istanbul,
    Berlin,
    London,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
    Bpo2,
}

impl Fork {
    pub(crate) const ALL: [Self; 16] = [
        Self::Frontier,
        Self::Homestead,
        Self::Dao,
        Self::Tangerine,
        Self::SpuriousDragon,
        Self::Byzantium,
        Self::Petersburg,
        Self::Istanbul,
        Self::Berlin,
        Self::London,
        Self::Paris,
        Self::Shanghai,
        Self::Cancun,
        Self::Prague,
        Self::Osaka,
        Self::Bpo2,
    ];

    /// Number and timestamp of the fork's first block, or of one a little later.
    fn start(self) -> (u64, u64) {
        match self {
            Self::Frontier => (100, 1_438_270_000),
            Self::Homestead => (1_150_000, 1_457_981_393),
            Self::Dao => (1_920_000, 1_469_020_840),
            Self::Tangerine => (2_463_000, 1_476_796_771),
            Self::SpuriousDragon => (2_675_000, 1_479_831_344),
            Self::Byzantium => (4_370_000, 1_508_131_331),
            Self::Petersburg => (7_280_000, 1_551_383_524),
            Self::Istanbul => (9_069_000, 1_575_764_709),
            Self::Berlin => (12_244_000, 1_618_481_223),
            Self::London => (12_965_000, 1_628_166_822),
            Self::Paris => (15_537_394, 1_663_224_179),
            Self::Shanghai => (17_034_870, 1_681_338_455),
            Self::Cancun => (19_426_587, 1_710_338_135),
            Self::Prague => (22_431_084, 1_746_612_311),
            Self::Osaka => (23_935_694, 1_764_798_551),
            Self::Bpo2 => (24_200_000, 1_767_747_671),
        }
    }

    /// The header of one of the fork's blocks, counted from its start.
    pub(crate) fn header(self, index: u64) -> Header {
        self.header_at(self, index as i64)
    }

    /// The header of one of the fork's blocks that is so many blocks after the start of `origin`, or before it.
    pub(crate) fn header_at(self, origin: Self, offset: i64) -> Header {
        let (number, timestamp) = origin.start();
        let number = number.saturating_add_signed(offset);
        let merged = self >= Self::Paris;
        Header {
            parent_hash: block_hash(number - 1),
            beneficiary: super::at(0xc0_1b_a5_e0),
            difficulty: if merged { U256::ZERO } else { U256::from(131_072) },
            number,
            gas_limit: 30_000_000,
            timestamp: timestamp.saturating_add_signed(12 * offset),
            mix_hash: keccak256(number.to_be_bytes()),
            base_fee_per_gas: (self >= Self::London).then_some(7),
            blob_gas_used: (self >= Self::Cancun).then_some(0),
            excess_blob_gas: (self >= Self::Cancun).then_some(0),
            parent_beacon_block_root: (self >= Self::Cancun).then(|| keccak256(number.to_le_bytes())),
            ..Header::default()
        }
    }
}

/// The hash that blocks of scenarios have.
pub(crate) fn block_hash(number: u64) -> B256 {
    keccak256([b"block".as_slice(), &number.to_be_bytes()].concat())
}
