use super::Genesis;
use super::alloc::{AllocSeed, GenesisAccount};
use super::config::Config;
use super::error::GenesisError;
use super::json_path::JsonPath;
use super::number::Number;
use alloy_consensus::Header;
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{Address, B64, B256, Bytes, U256};
use serde::Deserializer;
use serde::de::{Deserialize, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt::Formatter;
use std::io::{BufReader, Read};

/// How much of the input is read at once.
const BUFFER: usize = 1 << 18;

/// The gas limit of a genesis that states none; geth's default.
const DEFAULT_GAS_LIMIT: u64 = 4_712_388;

impl Genesis {
    /// Reads geth's JSON.
    ///
    /// The alloc's addresses may lack `0x`; numbers may be decimal or hexadecimal, in quotes or not, of any length.
    /// Unknown fields are ignored, but not those of the configuration that look like a fork's: a fork that is left out
    /// would go unnoticed until blocks fail.
    ///
    /// Blob parameters that the schedule leaves out are those of EIP-4844 (Cancun) and EIP-7691 (Prague); Osaka has
    /// Prague's.
    ///
    /// # Errors
    ///
    /// If reading fails, or for the first field that is not what it should be.
    pub fn read(reader: impl Read) -> Result<Self, GenesisError> {
        let path = JsonPath::default();
        let mut deserializer =
            serde_json::Deserializer::from_reader(BufReader::with_capacity(BUFFER, reader));
        let fields = deserializer.deserialize_map(FieldsVisitor { path: &path });
        let fields = fields.and_then(|fields| deserializer.end().map(|()| fields));
        fields.map_err(|error| path.explain(error)).and_then(Fields::assemble)
    }
}

/// The top level of the file.
#[derive(Default)]
struct Fields {
    config: Option<Box<RawValue>>,
    alloc: Option<Vec<GenesisAccount>>,
    nonce: u64,
    timestamp: u64,
    extra_data: Bytes,
    gas_limit: Option<u64>,
    difficulty: Option<U256>,
    mix_hash: B256,
    coinbase: Address,
    number: u64,
    gas_used: u64,
    parent_hash: B256,
    base_fee: Option<u64>,
    excess_blob_gas: Option<u64>,
    blob_gas_used: Option<u64>,
}

impl Fields {
    fn assemble(self) -> Result<Genesis, GenesisError> {
        let missing = |field: &str| GenesisError::field(field, "it is missing");
        let text = self.config.ok_or_else(|| missing("config"))?;
        let config = Config::parse(&text)?;
        let accounts = self.alloc.ok_or_else(|| missing("alloc"))?;
        let difficulty = self.difficulty.ok_or_else(|| missing("difficulty"))?;
        let gas_limit = self.gas_limit.ok_or_else(|| missing("gasLimit"))?;
        let chain = config.into_chain(difficulty)?;
        let since = |fork| chain.is_active(fork, self.number, self.timestamp);
        if let Err(error) = chain.fork(self.number, self.timestamp) {
            return Err(GenesisError::field("timestamp", error.to_string()));
        }
        let has_blobs = since(EthereumHardfork::Cancun);
        let empty = Header::default();
        let header = Header {
            parent_hash: self.parent_hash,
            beneficiary: self.coinbase,
            difficulty,
            number: self.number,
            gas_limit: if gas_limit == 0 { DEFAULT_GAS_LIMIT } else { gas_limit },
            gas_used: self.gas_used,
            timestamp: self.timestamp,
            extra_data: self.extra_data,
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce),
            base_fee_per_gas: since(EthereumHardfork::London)
                .then(|| self.base_fee.unwrap_or(INITIAL_BASE_FEE)),
            withdrawals_root: since(EthereumHardfork::Shanghai).then_some(empty.transactions_root),
            blob_gas_used: has_blobs.then(|| self.blob_gas_used.unwrap_or(0)),
            excess_blob_gas: has_blobs.then(|| self.excess_blob_gas.unwrap_or(0)),
            parent_beacon_block_root: has_blobs.then_some(B256::ZERO),
            requests_hash: since(EthereumHardfork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..empty
        };
        let occupied = accounts.iter().filter_map(|account| Some((account.address, account.occupied()?)));
        let chain = chain.with_occupied_addresses(occupied);
        Ok(Genesis { chain, header, accounts, config: text })
    }
}

struct FieldsVisitor<'p> {
    path: &'p JsonPath,
}

impl<'de> Visitor<'de> for FieldsVisitor<'_> {
    type Value = Fields;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a genesis object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<String>()? {
            self.path.enter(&key);
            match key.as_str() {
                "config" => fields.config = Some(map.next_value()?),
                "alloc" => fields.alloc = Some(map.next_value_seed(AllocSeed { path: self.path })?),
                "nonce" => fields.nonce = u64_value(&mut map)?.unwrap_or_default(),
                "timestamp" => fields.timestamp = u64_value(&mut map)?.unwrap_or_default(),
                "extraData" => fields.extra_data = value(&mut map)?.unwrap_or_default(),
                "gasLimit" => fields.gas_limit = u64_value(&mut map)?,
                "difficulty" => fields.difficulty = value(&mut map)?.map(|number: Number| number.0),
                "mixHash" | "mixhash" => fields.mix_hash = value(&mut map)?.unwrap_or_default(),
                "coinbase" => fields.coinbase = value(&mut map)?.unwrap_or_default(),
                "number" => fields.number = u64_value(&mut map)?.unwrap_or_default(),
                "gasUsed" => fields.gas_used = u64_value(&mut map)?.unwrap_or_default(),
                "parentHash" => fields.parent_hash = value(&mut map)?.unwrap_or_default(),
                "baseFeePerGas" => fields.base_fee = u64_value(&mut map)?,
                "excessBlobGas" => fields.excess_blob_gas = u64_value(&mut map)?,
                "blobGasUsed" => fields.blob_gas_used = u64_value(&mut map)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            self.path.leave();
        }
        Ok(fields)
    }
}

fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<Option<T>, A::Error> {
    map.next_value()
}

fn u64_value<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<u64>, A::Error> {
    let number: Option<Number> = map.next_value()?;
    number
        .map(|Number(number)| {
            number.try_into().map_err(|_| A::Error::custom(format!("{number} has more than 64 bits")))
        })
        .transpose()
}
