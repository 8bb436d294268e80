use super::args::{AccountArgs, HeadArgs, ReceiptArgs};
use super::import::HeadLine;
use super::open::{failure, snapshot};
use crate::shared::failure::Failure;
use crate::shared::output::say;
use alloy_consensus::TxReceipt;
use serde_json::json;
use tandem_state::database::DatabaseError;

/// `tandem head`
pub(crate) fn head(args: &HeadArgs) -> Result<(), Failure> {
    let snapshot = snapshot(&args.data)?;
    let Some(head) = snapshot.head() else { return Err(failure(&DatabaseError::NoGenesis)) };
    if args.data.json {
        say!("{}", json!(HeadLine::from(head)));
    } else {
        say!("block      {}\nhash       {}\nstate root {}", head.number, head.hash, head.state_root);
    }
    Ok(())
}

/// `tandem account`
pub(crate) fn account(args: &AccountArgs) -> Result<(), Failure> {
    let failed = |error: DatabaseError| failure(&error);
    let snapshot = snapshot(&args.data)?;
    let head = snapshot.head().map_or(0, |head| head.number);
    let block = args.block.unwrap_or(head);
    let account = snapshot.account_at(args.address, block).map_err(failed)?;
    let value = match args.slot {
        Some(slot) => Some((slot, snapshot.storage_at(args.address, slot, block).map_err(failed)?)),
        None => None,
    };
    if args.data.json {
        let mut line = json!({
            "address": args.address,
            "block": block,
            "account": account.map(|account| json!({
                "balance": account.balance,
                "nonce": account.nonce,
                "codeHash": account.code_hash,
                "storageRoot": account.storage_root,
            })),
        });
        if let Some((slot, value)) = value {
            (line["slot"], line["value"]) = (json!(slot), json!(value));
        }
        say!("{line}");
        return Ok(());
    }
    match account {
        None => say!("{} does not exist after block {block}", args.address),
        Some(account) => {
            say!("{} after block {block}", args.address);
            say!("balance      {} wei", account.balance);
            say!("nonce        {}", account.nonce);
            say!("code hash    {}", account.code_hash);
            say!("storage root {}", account.storage_root);
        }
    }
    if let Some((slot, value)) = value {
        say!("slot {slot:#x} holds {value:#x}");
    }
    Ok(())
}

/// `tandem receipt`
pub(crate) fn receipt(args: &ReceiptArgs) -> Result<(), Failure> {
    let failed = |error: DatabaseError| failure(&error);
    let snapshot = snapshot(&args.data)?;
    let Some((number, index)) = snapshot.find_transaction(args.hash).map_err(failed)? else {
        return Err(Failure::Input(format!("the database has no transaction {}", args.hash)));
    };
    let receipts = snapshot.receipts(number).map_err(failed)?.unwrap_or_default();
    let at = index as usize;
    let Some(receipt) = receipts.get(at) else {
        return Err(Failure::fault(format!("block {number} has no receipt {index}")));
    };
    let before = at.checked_sub(1).map_or(0, |before| receipts[before].cumulative_gas_used);
    let gas = receipt.cumulative_gas_used - before;
    if args.data.json {
        let logs: Vec<_> = receipt
            .logs
            .iter()
            .map(|log| json!({ "address": log.address, "topics": log.topics(), "data": log.data.data }))
            .collect();
        let line = json!({
            "transactionHash": args.hash,
            "blockNumber": number,
            "transactionIndex": index,
            "type": u8::from(receipt.tx_type),
            "status": receipt.success,
            "gasUsed": gas,
            "cumulativeGasUsed": receipt.cumulative_gas_used,
            "logs": logs,
        });
        say!("{line}");
        return Ok(());
    }
    say!("transaction {index} of block {number}, type {}", u8::from(receipt.tx_type));
    say!("{}", if receipt.success { "succeeded" } else { "failed" });
    say!("gas used {gas}, {} with the transactions before it", receipt.cumulative_gas_used);
    for log in receipt.logs() {
        say!("log of {}", log.address);
        for topic in log.topics() {
            say!("  topic {topic}");
        }
        say!("  data  {}", log.data.data);
    }
    Ok(())
}
