//! The genesis block as geth's JSON has it.

use crate::fees::{CHAIN_ID, FIRST_BASE_FEE};
use crate::genesis::{Genesis, GenesisAccount, TIMESTAMP};
use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
use alloy_primitives::{Address, B256, Bytes, U64};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};
use std::io::{self, Write};

impl Genesis {
    /// Writes the genesis file that geth and others read, account by account.
    ///
    /// All forks up to Osaka's second blob schedule (BPO2) are active from the start.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_json(&self, out: impl Write) -> io::Result<()> {
        write(self, Alloc(Some(self)), out)
    }

    /// The same file without accounts: the rules of the chain, and its first header but for the state root.
    pub fn json_without_accounts(&self) -> Vec<u8> {
        let mut json = Vec::new();
        // Nothing fails that writes to memory.
        let _ = write(self, Alloc(None), &mut json);
        json
    }
}

fn write(genesis: &Genesis, alloc: Alloc<'_>, out: impl Write) -> io::Result<()> {
    let file = File {
        config: config(),
        nonce: U64::ZERO,
        timestamp: U64::from(TIMESTAMP),
        extra_data: Bytes::from_static(b"tandem"),
        gas_limit: U64::from(genesis.gas_limit()),
        difficulty: U64::ZERO,
        mix_hash: B256::ZERO,
        coinbase: Address::ZERO,
        base_fee_per_gas: U64::from(FIRST_BASE_FEE),
        excess_blob_gas: U64::ZERO,
        blob_gas_used: U64::ZERO,
        alloc,
    };
    Ok(serde_json::to_writer(out, &file)?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    config: Value,
    nonce: U64,
    timestamp: U64,
    extra_data: Bytes,
    gas_limit: U64,
    difficulty: U64,
    mix_hash: B256,
    coinbase: Address,
    base_fee_per_gas: U64,
    excess_blob_gas: U64,
    blob_gas_used: U64,
    alloc: Alloc<'a>,
}

struct Alloc<'a>(Option<&'a Genesis>);

impl Serialize for Alloc<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let accounts = self.0.into_iter().flat_map(Genesis::accounts);
        serializer.collect_map(accounts.map(|account| (account.address, Fields(account))))
    }
}

/// An account's fields, those left out that are empty.
struct Fields<'a>(GenesisAccount<'a>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = &self.0;
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("balance", &account.balance)?;
        if account.nonce > 0 {
            fields.serialize_entry("nonce", &U64::from(account.nonce))?;
        }
        if !account.code.is_empty() {
            fields.serialize_entry("code", &account.code)?;
        }
        if account.has_storage() {
            fields.serialize_entry("storage", &Slots(account))?;
        }
        fields.end()
    }
}

struct Slots<'a>(&'a GenesisAccount<'a>);

impl Serialize for Slots<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.storage().map(|(slot, value)| (B256::from(slot), B256::from(value))))
    }
}

/// The rules of the chain.
fn config() -> Value {
    let mut config = json!({
        "chainId": CHAIN_ID,
        "terminalTotalDifficulty": 0,
        "terminalTotalDifficultyPassed": true,
        "depositContractAddress": MAINNET_DEPOSIT_CONTRACT_ADDRESS,
        // As mainnet has them; Osaka changed nothing of Prague's.
        "blobSchedule": {
            "cancun": { "target": 3, "max": 6, "baseFeeUpdateFraction": 3_338_477 },
            "prague": { "target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716 },
            "osaka": { "target": 6, "max": 9, "baseFeeUpdateFraction": 5_007_716 },
            "bpo1": { "target": 10, "max": 15, "baseFeeUpdateFraction": 8_346_193 },
            "bpo2": { "target": 14, "max": 21, "baseFeeUpdateFraction": 11_684_671 },
        },
    });
    for fork in [
        "homesteadBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "muirGlacierBlock",
        "berlinBlock",
        "londonBlock",
        "arrowGlacierBlock",
        "grayGlacierBlock",
        "mergeNetsplitBlock",
        "shanghaiTime",
        "cancunTime",
        "pragueTime",
        "osakaTime",
        "bpo1Time",
        "bpo2Time",
    ] {
        config[fork] = 0.into();
    }
    config
}
