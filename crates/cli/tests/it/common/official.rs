//! Official tests, as small as they can be.

use serde_json::{Value, json};

/// A state test whose only transaction must be refused, since its sender has nothing. The root is that of no accounts.
pub(crate) fn refused() -> Value {
    json!({"refused": {
        "env": {
            "currentCoinbase": "0x3333333333333333333333333333333333333333",
            "currentGasLimit": "0x0f4240",
            "currentNumber": "0x01",
            "currentTimestamp": "0x03e8",
            "currentBaseFee": "0x07",
            "currentRandom": format!("0x{:064x}", 0),
        },
        "pre": {},
        "transaction": {
            "data": ["0x"],
            "gasLimit": ["0x5208"],
            "gasPrice": "0x0a",
            "nonce": "0x00",
            "secretKey": format!("0x{:064x}", 1),
            "to": "0x2222222222222222222222222222222222222222",
            "value": ["0x00"],
        },
        "post": {"Shanghai": [{
            "hash": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
            "logs": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
            "indexes": {"data": 0, "gas": 0, "value": 0},
            "expectException": "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS",
        }]},
    }})
}

/// A blockchain test of a genesis with no accounts and nothing after it.
pub(crate) fn genesis() -> Value {
    let zeros = |bytes: usize| "00".repeat(bytes);
    let no_ommers = "a01dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";
    let nothing = "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421".repeat(3);
    let (parent, beneficiary, bloom, mix_hash) = (zeros(32), zeros(20), zeros(256), zeros(32));
    let numbers = format!("8302000080830f4240808080a0{mix_hash}88{}", zeros(8));
    let header = format!("a0{parent}{no_ommers}94{beneficiary}{nothing}b90100{bloom}{numbers}");
    let hash = "0x2ef48721da2c227f7c35a61240682349f6f548b0850b00eabcf52d0ccb498428";
    json!({"genesis": {
        "network": "Berlin",
        "genesisBlockHeader": {"hash": hash},
        "genesisRLP": format!("0xf901f8f901f3{header}c0c0"),
        "pre": {},
        "blocks": [],
        "lastblockhash": hash,
        "postState": {},
    }})
}
