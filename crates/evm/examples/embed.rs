//! Executes a block over a store of one's own: `cargo run --release --example embed`.

use alloy_consensus::{Header, SignableTransaction, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_primitives::{Address, Signature, TxKind, U256};
use std::sync::Arc;
use tandem_evm::revm::database::{CacheDB, EmptyDB};
use tandem_evm::revm::{DatabaseCommit, DatabaseRef, state::AccountInfo};
use tandem_evm::{Block, ChainSpec, Config, Executor, to_evm_states};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The store: anything that implements revm's `DatabaseRef` and is `Sync`.
    let mut store = CacheDB::new(EmptyDB::new());
    let senders: Vec<_> = (1..=100).map(Address::with_last_byte).collect();
    for sender in &senders {
        store.insert_account_info(*sender, AccountInfo::from_balance(U256::from(10).pow(U256::from(18))));
    }

    // The block: here with senders that are simply stated; `SignedBlock::recover` finds them from signatures.
    let chain = Arc::new(ChainSpec::known(1).ok_or("mainnet is known")?);
    let header =
        Header { number: 18_000_000, timestamp: 1_693_066_895, gas_limit: 30_000_000, ..Header::default() };
    let transfer = |sender: &Address| {
        let transaction = TxEip1559 {
            chain_id: 1,
            gas_limit: 21_000,
            to: TxKind::Call(Address::repeat_byte(0xee)),
            value: U256::from(1_000),
            ..TxEip1559::default()
        };
        let signed = transaction.into_signed(Signature::test_signature());
        Recovered::new_unchecked(TxEnvelope::Eip1559(signed), *sender)
    };
    let block = Block::new(&chain, header, senders.iter().map(transfer), Vec::new(), Default::default());

    // Execution, on all cores; then the results, in a form that the store can commit.
    let executor = Executor::new(&Config::default())?;
    let finished = executor.execute(&store, block)?;
    let changes = finished.state_changes();
    println!(
        "{} receipts, {} gas, {} changed accounts",
        finished.receipts.len(),
        finished.gas_used,
        changes.accounts.len()
    );
    for state in to_evm_states(&changes, |address| store.basic_ref(address))? {
        store.commit(state);
    }
    let paid = store.basic_ref(Address::repeat_byte(0xee))?.unwrap_or_default().balance;
    println!("the payee now has {paid} wei");
    Ok(())
}
