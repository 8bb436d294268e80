//! The genesis of a chain, as geth's JSON describes it.

mod alloc;
mod config;
mod error;
mod json_path;
mod number;
mod read;

pub use alloc::GenesisAccount;
pub use error::GenesisError;

use alloy_consensus::Header;
use alloy_primitives::B256;
use serde_json::value::RawValue;
use tandem_evm::ChainSpec;

/// The first block of a chain, the state it leaves, and the chain's rules.
///
/// The state is a list of accounts, in ascending order of address, that can be hashed, sorted and loaded piece by piece.
/// A million accounts without code or storage take about 150 MB.
#[derive(Clone, Debug)]
pub struct Genesis {
    chain: ChainSpec,
    /// All but the state root.
    header: Header,
    accounts: Vec<GenesisAccount>,
    /// The text of `config`.
    config: Box<RawValue>,
}

impl Genesis {
    /// The chain's rules, accounts of the state at whose addresses nothing can be created (EIP-7610) among them.
    pub fn chain(&self) -> &ChainSpec {
        &self.chain
    }

    /// All of the JSON that it takes to know the chain's rules, without the state: a genesis that [`Genesis::read`]
    /// reads. Of the accounts it has those at whose addresses nothing can be created (EIP-7610), with a slot each.
    pub fn description(&self) -> String {
        let Header { difficulty, gas_limit, timestamp, number, .. } = &self.header;
        let config = &self.config;
        let occupied = self.accounts.iter().filter_map(|account| {
            let (address, slot) = (account.address, account.occupied()?);
            Some(format!(r#""{address:#x}":{{"balance":"0x0","storage":{{"{slot:#x}":"0x1"}}}}"#))
        });
        let alloc = occupied.collect::<Vec<_>>().join(",");
        format!(
            r#"{{"config":{config},"difficulty":"{difficulty:#x}","gasLimit":"{gas_limit:#x}","timestamp":"{timestamp:#x}","number":"{number:#x}","alloc":{{{alloc}}}}}"#
        )
    }

    /// The header, given the root of the state that [`Genesis::accounts`] make.
    pub fn header(&self, state_root: B256) -> Header {
        Header { state_root, ..self.header.clone() }
    }

    /// The accounts of the state, by ascending address, empty ones included.
    pub fn accounts(&self) -> &[GenesisAccount] {
        &self.accounts
    }

    /// The accounts of the state, by ascending address, empty ones included.
    pub fn into_accounts(self) -> Vec<GenesisAccount> {
        self.accounts
    }
}
