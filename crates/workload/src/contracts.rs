//! The contracts of the generated chain, as compiled from the workspace's `contracts` folder, and where they lie.

use crate::error::WorkloadError;
use crate::limits::MAX_TRANSACTIONS;
use alloy_primitives::{Address, Bytes, U256, keccak256, uint};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Number of tokens, where a workload does not bring its own number.
pub const TOKENS: usize = 8;

/// Number of tokens of [`Workload::Mainnet`](crate::Workload::Mainnet). Token 0 is ether, 1 and 2 are the most frequent ones; 2 lies
/// behind a proxy.
pub(crate) const MAINNET_TOKENS: usize = 48;

/// The most tokens that any workload has.
pub const MAX_TOKENS: usize = 2 * MAX_TRANSACTIONS;

/// Number of exchanges. Exchange `i` is between the tokens `2 i` and `2 i + 1`.
pub const EXCHANGES: usize = TOKENS / 2;

/// Number of collections that can be minted.
pub const COLLECTIONS: usize = 4;

/// The contract for payments to many recipients.
pub const AIRDROP: Address = Address::new(*b"tandem-airdrop------");

/// The contract that swaps along paths of exchanges.
pub const ROUTER: Address = Address::new(*b"tandem-router-------");

/// The order book.
pub const BOOK: Address = Address::new(*b"tandem-book---------");

/// The contract that lends a token.
pub const LENDING: Address = Address::new(*b"tandem-lending------");

/// Where that contract gets prices from.
pub const ORACLE: Address = Address::new(*b"tandem-oracle-------");

/// The contract that pays several accounts in ether.
pub const SPLITTER: Address = Address::new(*b"tandem-splitter-----");

/// The contract that deploys others.
pub const FACTORY: Address = Address::new(*b"tandem-factory------");

/// The code that accounts delegate to (EIP-7702).
pub const DELEGATE: Address = Address::new(*b"tandem-delegate-----");

/// Number of contracts that compute.
pub const PROVERS: usize = 8;

/// Number of contracts that touch accounts and slots, each in a way of its own.
pub const TOUCHERS: usize = 4;

/// The code of tokens that lie behind a proxy.
pub const TOKEN_CODE: Address = Address::new(*b"tandem-token-code---");

/// Where a proxy keeps the address of its implementation (EIP-1967).
pub const IMPLEMENTATION_SLOT: U256 =
    uint!(0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc_U256);

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

/// Where a contract lies that computes.
pub const fn prover(index: usize) -> Address {
    numbered(*b"tandem-prover-?-----", index)
}

/// Where a contract lies that touches accounts or slots.
pub const fn toucher(index: usize) -> Address {
    numbered(*b"tandem-toucher-?----", index)
}

/// Puts a number in place of the question mark, and of as many of the characters after it as it needs.
const fn numbered(mut name: [u8; 20], number: usize) -> Address {
    let mut place = 0;
    while name[place] != b'?' {
        place += 1;
    }
    let mut rest = number;
    while rest >= 10 {
        rest /= 10;
        place += 1;
    }
    rest = number;
    name[place] = b'0' + (rest % 10) as u8;
    while rest >= 10 {
        rest /= 10;
        place -= 1;
        name[place] = b'0' + (rest % 10) as u8;
    }
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
        Self::parse("Token", include_str!("../artifacts/Token.json"))
    }

    /// A constant-product pool of two tokens: `contracts/Exchange.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn exchange() -> Result<Self, WorkloadError> {
        Self::parse("Exchange", include_str!("../artifacts/Exchange.json"))
    }

    /// Tokens that anyone may mint, numbered by one counter: `contracts/Collection.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn collection() -> Result<Self, WorkloadError> {
        Self::parse("Collection", include_str!("../artifacts/Collection.json"))
    }

    /// Payments to many recipients in one transaction: `contracts/Airdrop.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn airdrop() -> Result<Self, WorkloadError> {
        Self::parse("Airdrop", include_str!("../artifacts/Airdrop.json"))
    }

    /// Ether as an ERC-20 token: `contracts/Wrapper.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn wrapper() -> Result<Self, WorkloadError> {
        Self::parse("Wrapper", include_str!("../artifacts/Wrapper.json"))
    }

    /// Swaps along a path of exchanges: `contracts/Router.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn router() -> Result<Self, WorkloadError> {
        Self::parse("Router", include_str!("../artifacts/Router.json"))
    }

    /// An order book: `contracts/Book.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn book() -> Result<Self, WorkloadError> {
        Self::parse("Book", include_str!("../artifacts/Book.json"))
    }

    /// A price: `contracts/Oracle.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn oracle() -> Result<Self, WorkloadError> {
        Self::parse("Oracle", include_str!("../artifacts/Oracle.json"))
    }

    /// Loans against collateral: `contracts/Lending.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn lending() -> Result<Self, WorkloadError> {
        Self::parse("Lending", include_str!("../artifacts/Lending.json"))
    }

    /// Payments of ether to several accounts: `contracts/Splitter.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn splitter() -> Result<Self, WorkloadError> {
        Self::parse("Splitter", include_str!("../artifacts/Splitter.json"))
    }

    /// A proxy by EIP-1967: `contracts/Proxy.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn proxy() -> Result<Self, WorkloadError> {
        Self::parse("Proxy", include_str!("../artifacts/Proxy.json"))
    }

    /// Deployments with CREATE2: `contracts/Factory.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn factory() -> Result<Self, WorkloadError> {
        Self::parse("Factory", include_str!("../artifacts/Factory.json"))
    }

    /// The code that accounts delegate to (EIP-7702): `contracts/Delegate.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn delegate() -> Result<Self, WorkloadError> {
        Self::parse("Delegate", include_str!("../artifacts/Delegate.json"))
    }

    /// A computation: `contracts/Prover.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn prover() -> Result<Self, WorkloadError> {
        Self::parse("Prover", include_str!("../artifacts/Prover.json"))
    }

    /// The logs of the beacon chain's deposit contract: `contracts/Deposit.sol`.
    ///
    /// # Errors
    ///
    /// [`WorkloadError::Artifact`] if the artifact does not parse.
    pub fn deposit() -> Result<Self, WorkloadError> {
        Self::parse("Deposit", include_str!("../artifacts/Deposit.json"))
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
    word_mapping_slot(slot, address_word(key))
}

/// The same for any key of one word.
pub(crate) fn word_mapping_slot(slot: U256, key: U256) -> U256 {
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(&key.to_be_bytes::<32>());
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
    fn every_artifact_parses() {
        for artifact in [
            Artifact::wrapper(),
            Artifact::router(),
            Artifact::book(),
            Artifact::oracle(),
            Artifact::lending(),
            Artifact::collection(),
            Artifact::airdrop(),
            Artifact::splitter(),
            Artifact::proxy(),
            Artifact::factory(),
            Artifact::delegate(),
            Artifact::prover(),
            Artifact::deposit(),
        ] {
            assert!(!artifact.unwrap().code().is_empty());
        }
    }

    #[test]
    fn the_proxy_finds_its_implementation_where_eip_1967_has_it() {
        assert_eq!(
            U256::from_be_bytes(keccak256("eip1967.proxy.implementation").0) - U256::ONE,
            IMPLEMENTATION_SLOT
        );
    }

    #[test]
    fn numbered_addresses_differ() {
        let all: std::collections::HashSet<_> = (0..MAX_TOKENS).map(token).collect();
        assert_eq!(all.len(), MAX_TOKENS);
        assert_eq!(token(0), Address::new(*b"tandem-token-0------"));
        assert_eq!(exchange(1_999), Address::new(*b"tandem-exchange-1999"));
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
