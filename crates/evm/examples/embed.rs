//! Executes and commits three consecutive blocks over a store of one's own: `cargo run --release -p tandem-evm --example embed`.

use alloy_primitives::{Address, B256, TxKind, U256};
use std::sync::Arc;
use tandem_evm::revm::context::{BlockEnv, CfgEnv, TxEnv};
use tandem_evm::revm::database::{CacheDB, EmptyDB};
use tandem_evm::revm::{DatabaseCommit, DatabaseRef, primitives::hardfork::SpecId, state::AccountInfo};
use tandem_evm::{Block, ChainSpec, Config, EvmEnv, Executor};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The store: anything that implements revm's `DatabaseRef` and is `Sync`.
    let mut store = CacheDB::new(EmptyDB::new());
    let senders: Vec<_> = (1..=100).map(Address::with_last_byte).collect();
    for sender in &senders {
        store.insert_account_info(*sender, AccountInfo::from_balance(U256::from(10).pow(U256::from(18))));
    }

    // One executor for the life of the program: it keeps threads and memory.
    let executor = Executor::new(&Config::default())?;
    let chain = Arc::new(ChainSpec::known(1).ok_or("mainnet is known")?);
    let payee = Address::repeat_byte(0xee);
    let mut parent_hash = B256::ZERO;
    for number in 1..=3 {
        // The block: what a loop over revm has at hand. `Block::new` takes blocks of alloy's instead, with system calls and withdrawals.
        let env = EvmEnv {
            cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE),
            block_env: BlockEnv { number: U256::from(number), gas_limit: 30_000_000, ..BlockEnv::default() },
        };
        let transfers = senders.iter().map(|sender| TxEnv {
            caller: *sender,
            kind: TxKind::Call(payee),
            value: U256::from(1_000),
            gas_limit: 21_000,
            nonce: number - 1,
            ..TxEnv::default()
        });
        let block = Block::from_env(&chain, env, parent_hash, transfers);

        // Execution, on all cores; then the results, in a form that the store can commit.
        let finished = executor.execute(&store, block)?;
        finished.evm_states().into_iter().for_each(|state| store.commit(state));
        println!("block {number}: {} receipts, {} gas", finished.receipts.len(), finished.gas_used);
        parent_hash = B256::with_last_byte(number as u8);
    }
    let paid = store.basic_ref(payee)?.unwrap_or_default().balance;
    println!("the payee has {paid} wei");
    Ok(())
}
