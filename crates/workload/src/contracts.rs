//! The contracts of the generated chain, as compiled from the workspace's `contracts` folder, and where they lie.

use crate::WorkloadError;
use alloy_primitives::{Address, Bytes, U256, keccak256};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Number of tokens.
pub const TOKENS: usize = 8;

/// Number of exchanges. Exchange `i` is between the tokens `2 i` and `2 i + 1`.
pub const EXCHANGES: usize = TOKENS / 2;

/// Number of collections that can be minted.
pub const COLLECTIONS: usize = 4;

/// The contract for payments to many recipients.
pub const AIRDROP: Address = Address::new(*b"tandem-airdrop------");

/// Where a token lies.
pub const fn token(index: usize) -> Address {
    numbered(*b"tandem-token-?------", index)
}

/// Where an exchange lies.
pub const fn exchange(index: usize) -> Address {
    numbered(*b"tandem-exchange-?---", index)
}

/// Where a collection lies.
pub const fn collection(index: usize) -> Address {
    numbered(*b"tandem-collection-?-", index)
}

/// Puts a digit in place of the question mark.
const fn numbered(mut name: [u8; 20], number: usize) -> Address {
    let mut place = 0;
    while name[place] != b'?' {
        place += 1;
    }
    name[place] = b'0' + number as u8;
    Address::new(name)
}

/// A contract's code, and the slots of its variables.
#[derive(Clone, Debug)]
pub struct Artifact {
    contract: &'static str,
    code: Bytes,
    slots: BTreeMap<String, U256>,
}

impl Artifact {
    /// An ERC-20 token: `contracts/Token.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn token() -> Result<Self, WorkloadError> {
        Self::parse("Token", include_str!("../../../contracts/artifacts/Token.json"))
    }

    /// A constant-product pool of two tokens: `contracts/Exchange.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn exchange() -> Result<Self, WorkloadError> {
        Self::parse("Exchange", include_str!("../../../contracts/artifacts/Exchange.json"))
    }

    /// Tokens that anyone may mint, numbered by one counter: `contracts/Collection.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn collection() -> Result<Self, WorkloadError> {
        Self::parse("Collection", include_str!("../../../contracts/artifacts/Collection.json"))
    }

    /// Payments to many recipients in one transaction: `contracts/Airdrop.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn airdrop() -> Result<Self, WorkloadError> {
        Self::parse("Airdrop", include_str!("../../../contracts/artifacts/Airdrop.json"))
    }

    /// The logs of the beacon chain's deposit contract: `contracts/Deposit.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn deposit() -> Result<Self, WorkloadError> {
        Self::parse("Deposit", include_str!("../../../contracts/artifacts/Deposit.json"))
    }

    /// The deployed bytecode.
    pub const fn code(&self) -> &Bytes {
        &self.code
    }

    /// The slot of a variable, or of a mapping's (empty) head.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the contract has no variable of this name.
    pub fn slot(&self, variable: &str) -> Result<U256, WorkloadError> {
        self.slots.get(variable).copied().ok_or_else(|| WorkloadError::Artifact {
            contract: self.contract,
            reason: format!("it has no variable {variable}"),
        })
    }

    fn parse(contract: &'static str, text: &str) -> Result<Self, WorkloadError> {
        let unusable = |reason: String| WorkloadError::Artifact { contract, reason };
        let file: ArtifactFile = serde_json::from_str(text).map_err(|error| unusable(error.to_string()))?;
        let mut slots = BTreeMap::new();
        for variable in file.storage_layout {
            // A packed variable shares its slot, which a value for the whole slot would overwrite.
            if variable.offset != 0 {
                return Err(unusable(format!("{} is packed", variable.label)));
            }
            let slot = U256::from_str_radix(&variable.slot, 10)
                .map_err(|error| unusable(format!("slot of {}: {error}", variable.label)))?;
            slots.insert(variable.label, slot);
        }
        Ok(Self { contract, code: file.deployed_bytecode, slots })
    }
}

/// Where Solidity keeps the value for `key` in the mapping at `slot`: at keccak256(key . slot).
pub fn mapping_slot(slot: U256, key: Address) -> U256 {
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(key.into_word().as_slice());
    preimage[32..].copy_from_slice(&slot.to_be_bytes::<32>());
    keccak256(preimage).into()
}

/// Calldata for a function whose arguments are all one word long.
pub(crate) fn encode_call(signature: &str, arguments: &[U256]) -> Bytes {
    let mut data = Vec::with_capacity(4 + 32 * arguments.len());
    data.extend_from_slice(&keccak256(signature)[..4]);
    for argument in arguments {
        data.extend_from_slice(&argument.to_be_bytes::<32>());
    }
    data.into()
}

/// An address as an argument or as a storage value.
pub(crate) fn address_word(address: Address) -> U256 {
    address.into_word().into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactFile {
    deployed_bytecode: Bytes,
    storage_layout: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    label: String,
    slot: String,
    offset: u8,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    #[test]
    fn artifacts_hold_the_variables_that_genesis_sets() {
        let token = Artifact::token().unwrap();
        assert_eq!(token.slot("balanceOf"), Ok(U256::ZERO));
        assert_eq!(token.slot("allowance"), Ok(U256::from(1)));
        assert_eq!(token.slot("totalSupply"), Ok(U256::from(2)));
        let exchange = Artifact::exchange().unwrap();
        for (number, variable) in ["token0", "token1", "reserve0", "reserve1"].into_iter().enumerate() {
            assert_eq!(exchange.slot(variable), Ok(U256::from(number)));
        }
    }

    #[test]
    fn an_unknown_variable_is_an_error() {
        let error = Artifact::token().unwrap().slot("owner").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the artifact of the contract Token cannot be used: it has no variable owner"
        );
    }

    #[test]
    fn a_broken_or_packed_artifact_is_an_error() {
        assert!(Artifact::parse("Token", "{}").is_err());
        let packed = r#"{"deployedBytecode":"0x00","storageLayout":[{"label":"a","slot":"0","offset":16}]}"#;
        assert!(Artifact::parse("Token", packed).is_err());
    }

    #[test]
    fn calls_are_encoded_by_the_abi() {
        let data = encode_call("transfer(address,uint256)", &[address_word(token(0)), U256::from(1)]);
        assert_eq!(data[..4], hex!("a9059cbb"));
        assert_eq!(data[4..16], [0; 12]);
        assert_eq!(data[16..36], token(0)[..]);
        assert_eq!((data.len(), data[67]), (68, 1));
    }
}
