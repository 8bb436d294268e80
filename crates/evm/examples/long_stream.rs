//! A stream that never ends, in bounded memory: blocks of transfers between accounts that nothing touched before, with the memory after each
//! tenth of them. `cargo run --release -p tandem-evm --example long_stream -- --blocks 10000 --transfers 1000 --memory 256`.

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, TxKind, U256};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tandem_evm::revm::bytecode::Bytecode;
use tandem_evm::revm::context::{BlockEnv, CfgEnv, TxEnv};
use tandem_evm::revm::primitives::hardfork::SpecId;
use tandem_evm::revm::{DatabaseRef, state::AccountInfo};
use tandem_evm::{Block, BlockInput, ChainSpec, Config, EvmEnv, Executor, FinishedBlock};

const BENEFICIARY: Address = Address::repeat_byte(0xbe);

/// A store of as many senders as there are, each with one ether. Of what is committed it keeps what is read again: the beneficiary.
#[derive(Default)]
struct Senders(Mutex<AddressMap<AccountInfo>>);

impl Senders {
    /// The address of an account of one of two sorts.
    fn address(sort: u8, index: u64) -> Address {
        let mut address = [sort; 20];
        address[12..].copy_from_slice(&index.to_be_bytes());
        address.into()
    }

    fn commit(&self, block: &FinishedBlock) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let accounts = block.evm_states().into_iter().flatten();
        let beneficiary = accounts.filter(|(address, _)| *address == BENEFICIARY);
        kept.extend(beneficiary.map(|(address, account)| (address, account.info)));
    }
}

impl DatabaseRef for Senders {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        if address[0] == 1 {
            return Ok(Some(AccountInfo::from_balance(U256::from(10).pow(U256::from(18)))));
        }
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned())
    }

    fn code_by_hash_ref(&self, _: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, _: Address, _: U256) -> Result<U256, Infallible> {
        Ok(U256::ZERO)
    }

    fn block_hash_ref(&self, _: u64) -> Result<B256, Infallible> {
        Ok(B256::ZERO)
    }
}

/// A block of transfers, each from a sender of its own to an account of its own.
fn block(chain: &Arc<ChainSpec>, number: u64, transfers: u64) -> Block {
    let block_env = BlockEnv {
        number: U256::from(number),
        beneficiary: BENEFICIARY,
        gas_limit: 21_000 * transfers,
        ..BlockEnv::default()
    };
    let env = EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), block_env };
    let indexes = number * transfers..(number + 1) * transfers;
    let transfers = indexes.map(|index| TxEnv {
        caller: Senders::address(1, index),
        kind: TxKind::Call(Senders::address(2, index)),
        value: U256::from(1),
        gas_limit: 21_000,
        gas_price: 1,
        ..TxEnv::default()
    });
    Block::from_env(chain, env, B256::ZERO, transfers)
}

/// The memory that the process holds, in MiB, where the operating system tells.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? >> 10)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options: BTreeMap<String, u64> =
        [("--blocks", 1_000), ("--transfers", 1_000), ("--memory", 64), ("--threads", 2)]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let usage =
            "usage: long_stream [--blocks COUNT] [--transfers COUNT] [--memory MIB] [--threads COUNT]";
        *options.get_mut(&name).ok_or(usage)? = arguments.next().ok_or(usage)?.parse()?;
    }
    let [blocks, transfers] = ["--blocks", "--transfers"].map(|name| options[name]);
    let config = Config::default().threads(options["--threads"] as usize);
    let executor = Executor::new(&config.memory((options["--memory"] as usize) << 20))?;
    let chain = Arc::new(ChainSpec::known(1).ok_or("mainnet is known")?);
    let store = Senders::default();
    let inputs = (0..blocks).map(|number| BlockInput::new(block(&chain, number, transfers), &store));
    println!("{:>10}  {:>12}  {:>6}  {:>10}", "blocks", "accounts", "rounds", "memory MiB");
    let (result, metrics) = executor.stream(inputs).consumer_commits().run(|mut finished| {
        let mut done = 0;
        while let Some(block) = finished.next() {
            let block = block?;
            if block.gas_used != 21_000 * transfers || !block.receipts.iter().all(|receipt| receipt.success) {
                return Ok(false);
            }
            store.commit(&block);
            done += 1;
            if done * 10 / blocks > (done - 1) * 10 / blocks {
                let rounds = finished.metrics().retirements + 1;
                let memory = resident_memory().map_or("-".to_owned(), |memory| memory.to_string());
                println!("{done:>10}  {:>12}  {rounds:>6}  {memory:>10}", 2 * done * transfers);
            }
        }
        Ok::<_, tandem_evm::ExecutionError<Infallible>>(true)
    });
    // All fees have come together, though the beneficiary was forgotten and read again.
    let paid = store.basic_ref(BENEFICIARY)?.unwrap_or_default().balance;
    let right = result? && paid == U256::from(blocks * transfers) * U256::from(21_000);
    println!(
        "{blocks} blocks in {} rounds: {}",
        metrics.retirements + 1,
        if right { "right" } else { "wrong" }
    );
    if right { Ok(()) } else { Err("the results are wrong".into()) }
}
