use fvm_ipld_encoding::strict_bytes;
use fvm_ipld_kamt::Config;
use serde::{Deserialize, Serialize};

/// How the EVM actor lays its slots out.
pub(super) const LAYOUT: Config = Config { bit_width: 5, min_data_depth: 0, max_array_width: 1 };

/// A slot's key: at most 32 bytes, big-endian, without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Slot(#[serde(with = "strict_bytes")] pub(super) Vec<u8>);

/// A slot's value, as it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Value(#[serde(with = "strict_bytes")] pub(super) Vec<u8>);

impl Slot {
    /// From 32 bytes.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(trim(key))
    }
}

impl Value {
    /// A number; zero is no value.
    pub(crate) fn new(value: u64) -> Option<Self> {
        (value != 0).then(|| Self(trim(&value.to_be_bytes())))
    }
}

fn trim(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}
