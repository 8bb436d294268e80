use super::invalid::{Invalid, show};
use alloy_primitives::{B64, B256, Bytes, U256};
use tandem_evm::ForkError;
use thiserror::Error;

/// A header that breaks a rule.
pub type HeaderError = Invalid<HeaderFault>;

/// A field of a header that is not what the parent and the chain's forks demand, with what was found.
///
/// Fields are named as in the JSON of Ethereum's RPC.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeaderFault {
    /// The header names another parent.
    #[error("field parentHash is {found}, expected {expected}")]
    ParentHash {
        /// The header's value.
        found: B256,
        /// The parent's hash.
        expected: B256,
    },
    /// The number is not the parent's plus one.
    #[error("field number is {found}, expected {expected}")]
    Number {
        /// The header's value.
        found: u64,
        /// The parent's number plus one.
        expected: u64,
    },
    /// The block is not younger than its parent. In seconds.
    #[error("field timestamp is {found}, expected more than the parent's {parent}")]
    Timestamp {
        /// The header's value.
        found: u64,
        /// The parent's.
        parent: u64,
    },
    /// The rules at that time are not known, so that nothing can be said of the block's validity.
    #[error("field timestamp is {found}: {error}")]
    Fork {
        /// The header's value.
        found: u64,
        /// The unknown part of the rules.
        error: ForkError,
    },
    /// The gas limit moved too far, or out of its bounds.
    #[error("field gasLimit is {found}, expected {lowest} to {highest}")]
    GasLimit {
        /// The header's value.
        found: u64,
        /// The least that the parent's limit allows.
        lowest: u64,
        /// The most that the parent's limit allows.
        highest: u64,
    },
    /// More gas used than there is.
    #[error("field gasUsed is {found}, expected at most the gas limit {limit}")]
    GasUsed {
        /// The header's value.
        found: u64,
        /// The header's gas limit.
        limit: u64,
    },
    /// The extra data is too long, or on the wrong side of the DAO fork.
    #[error("field extraData is {found}, expected {expected}")]
    ExtraData {
        /// The header's value.
        found: Bytes,
        /// The right value.
        expected: ExtraDataRule,
    },
    /// Proof of work: not the difficulty that follows from the parent. Proof of stake: not zero.
    #[error("field difficulty is {found}, expected {expected}")]
    Difficulty {
        /// The header's value.
        found: U256,
        /// The rules' value.
        expected: U256,
    },
    /// Proof of stake: the nonce is not zero (EIP-3675).
    #[error("field nonce is {found}, expected {}", B64::ZERO)]
    Nonce {
        /// The header's value.
        found: B64,
    },
    /// Proof of stake: the list of ommers is not empty (EIP-3675).
    #[error("field sha3Uncles is {found}, expected {expected}")]
    OmmersHash {
        /// The header's value.
        found: B256,
        /// The hash of the empty list.
        expected: B256,
    },
    /// Not the base fee that follows from the parent (EIP-1559). In wei.
    #[error("field baseFeePerGas is {}, expected {}", show(found), show(expected))]
    BaseFee {
        /// The header's value.
        found: Option<u64>,
        /// The rules' value; `None` before London.
        expected: Option<u64>,
    },
    /// Absent from Shanghai on, or present before (EIP-4895).
    #[error("field withdrawalsRoot is {}, expected {}", show(found), presence(*required))]
    WithdrawalsRoot {
        /// The header's value.
        found: Option<B256>,
        /// Whether the fork requires it.
        required: bool,
    },
    /// Absent from Cancun on, present before, no whole number of blobs, or too many (EIP-4844).
    #[error("field blobGasUsed is {}, expected {}", show(found), blob_gas_range(*highest))]
    BlobGasUsed {
        /// The header's value.
        found: Option<u64>,
        /// The most that the schedule allows; `None` before Cancun.
        highest: Option<u64>,
    },
    /// Not the excess that follows from the parent (EIP-4844, EIP-7918).
    #[error("field excessBlobGas is {}, expected {}", show(found), show(expected))]
    ExcessBlobGas {
        /// The header's value.
        found: Option<u64>,
        /// The rules' value; `None` before Cancun.
        expected: Option<u64>,
    },
    /// Absent from Cancun on, or present before (EIP-4788).
    #[error("field parentBeaconBlockRoot is {}, expected {}", show(found), presence(*required))]
    ParentBeaconBlockRoot {
        /// The header's value.
        found: Option<B256>,
        /// Whether the fork requires it.
        required: bool,
    },
    /// Absent from Prague on, or present before (EIP-7685).
    #[error("field requestsHash is {}, expected {}", show(found), presence(*required))]
    RequestsHash {
        /// The header's value.
        found: Option<B256>,
        /// Whether the fork requires it.
        required: bool,
    },
    /// Present before its fork (EIP-7928).
    #[error("field blockAccessListHash is {found}, expected absent")]
    BlockAccessListHash {
        /// The header's value.
        found: B256,
    },
    /// Present before its fork (EIP-7843).
    #[error("field slotNumber is {found}, expected absent")]
    SlotNumber {
        /// The header's value.
        found: u64,
    },
}

impl HeaderFault {
    /// The field's name in the JSON of Ethereum's RPC.
    pub fn field(&self) -> &'static str {
        match self {
            Self::ParentHash { .. } => "parentHash",
            Self::Number { .. } => "number",
            Self::Timestamp { .. } | Self::Fork { .. } => "timestamp",
            Self::GasLimit { .. } => "gasLimit",
            Self::GasUsed { .. } => "gasUsed",
            Self::ExtraData { .. } => "extraData",
            Self::Difficulty { .. } => "difficulty",
            Self::Nonce { .. } => "nonce",
            Self::OmmersHash { .. } => "sha3Uncles",
            Self::BaseFee { .. } => "baseFeePerGas",
            Self::WithdrawalsRoot { .. } => "withdrawalsRoot",
            Self::BlobGasUsed { .. } => "blobGasUsed",
            Self::ExcessBlobGas { .. } => "excessBlobGas",
            Self::ParentBeaconBlockRoot { .. } => "parentBeaconBlockRoot",
            Self::RequestsHash { .. } => "requestsHash",
            Self::BlockAccessListHash { .. } => "blockAccessListHash",
            Self::SlotNumber { .. } => "slotNumber",
        }
    }
}

/// The rule of extra data.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ExtraDataRule {
    /// At most 32 bytes (Yellow Paper, 4.4.4).
    #[error("at most 32 bytes")]
    Short,
    /// In the first ten blocks of the DAO fork, its mark.
    #[error("0x64616f2d686172642d666f726b, the mark of the DAO fork")]
    DaoFork,
    /// In the same blocks of a chain that refused the fork, anything but its mark.
    #[error("anything but the mark of the DAO fork")]
    NotDaoFork,
}

fn presence(required: bool) -> &'static str {
    if required { "a value" } else { "absent" }
}

fn blob_gas_range(highest: Option<u64>) -> String {
    highest.map_or_else(
        || "absent".to_owned(),
        |highest| format!("a multiple of {} up to {highest}", super::fees::GAS_PER_BLOB),
    )
}
