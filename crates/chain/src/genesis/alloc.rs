use super::json_path::JsonPath;
use super::number::{Number, parse_word};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256, keccak256};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt::Formatter;
use tandem_state::Account;

/// An account of the genesis state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Its address.
    pub address: Address,
    /// Its fields.
    pub account: Account,
    /// The code that the fields name by hash.
    pub code: Bytes,
    /// Its slots and their values, by ascending slot; no value is zero.
    pub storage: Vec<(U256, U256)>,
}

impl GenesisAccount {
    /// The first slot of an account that has storage, but neither nonce nor code (EIP-7610).
    pub(super) fn occupied(&self) -> Option<U256> {
        let Account { nonce, code_hash, .. } = self.account;
        self.storage.first().filter(|_| nonce == 0 && code_hash == KECCAK256_EMPTY).map(|(slot, _)| *slot)
    }
}

/// Reads the object `alloc`, account by account.
pub(super) struct AllocSeed<'p> {
    pub(super) path: &'p JsonPath,
}

impl<'de> DeserializeSeed<'de> for AllocSeed<'_> {
    type Value = Vec<GenesisAccount>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AllocSeed<'_> {
    type Value = Vec<GenesisAccount>;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of accounts by address")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut accounts = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            let digits = key.strip_prefix("0x").unwrap_or(&key);
            self.path.enter_account(format!("0x{digits}"));
            let address: Address =
                digits.parse().map_err(|_| A::Error::custom("the key is not an address of 20 bytes"))?;
            accounts.push(map.next_value_seed(AccountSeed { address, path: self.path })?);
        }
        self.path.leave_account();
        accounts.sort_unstable_by_key(|account: &GenesisAccount| account.address);
        if let Some(pair) = accounts.windows(2).find(|pair| pair[0].address == pair[1].address) {
            self.path.enter_account(format!("{:#x}", pair[0].address));
            return Err(A::Error::custom("the account occurs twice"));
        }
        Ok(accounts)
    }
}

struct AccountSeed<'p> {
    address: Address,
    path: &'p JsonPath,
}

impl<'de> DeserializeSeed<'de> for AccountSeed<'_> {
    type Value = GenesisAccount;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<GenesisAccount, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AccountSeed<'_> {
    type Value = GenesisAccount;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("an account")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GenesisAccount, A::Error> {
        let (mut balance, mut nonce, mut code, mut storage) = (None, 0, Bytes::new(), Vec::new());
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "balance" => {
                    self.path.set_field("balance");
                    balance = Some(map.next_value::<Number>()?.0);
                }
                "nonce" => {
                    self.path.set_field("nonce");
                    let number: Option<Number> = map.next_value()?;
                    nonce = number.unwrap_or_default().0.try_into().map_err(A::Error::custom)?;
                }
                "code" => {
                    self.path.set_field("code");
                    code = map.next_value::<Option<Bytes>>()?.unwrap_or_default();
                }
                "storage" => {
                    self.path.set_field("storage");
                    storage = map.next_value_seed(StorageSeed)?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.path.set_field("balance");
        let balance = balance.ok_or_else(|| A::Error::custom("it is missing"))?;
        let code_hash = if code.is_empty() { KECCAK256_EMPTY } else { keccak256(&code) };
        let account = Account { balance, nonce, code_hash };
        Ok(GenesisAccount { address: self.address, account, code, storage })
    }
}

/// Reads an account's storage, which may be `null`.
struct StorageSeed;

impl<'de> DeserializeSeed<'de> for StorageSeed {
    type Value = Vec<(U256, U256)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for StorageSeed {
    type Value = Vec<(U256, U256)>;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of values by slot")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut storage = Vec::new();
        while let Some((Text(slot), Text(value))) = map.next_entry()? {
            let slot = parse_word(&slot).map_err(A::Error::custom)?;
            storage.push((slot, parse_word(&value).map_err(A::Error::custom)?));
        }
        storage.sort_unstable_by_key(|(slot, _)| *slot);
        if let Some(pair) = storage.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(A::Error::custom(format!("the slot {:#x} occurs twice", pair[0].0)));
        }
        storage.retain(|(_, value)| !value.is_zero());
        Ok(storage)
    }
}

/// A string, borrowed where the input allows it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
