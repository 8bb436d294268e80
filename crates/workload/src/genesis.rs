use crate::{
    WorkloadError,
    contract::Contract,
    contracts::{Artifact, TOKENS, mapping_slot, token},
    world::World,
};
use alloy_eips::{
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
    eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS,
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_CODE},
};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, U256, keccak256};
use std::{fmt, iter, sync::Arc};
use tandem_state::{Account, MemoryStore};

/// 10^18: wei in an ether, and units in a token of 18 decimals.
pub(crate) const UNIT: u128 = 1_000_000_000_000_000_000;

/// What each signer holds, in wei.
pub(crate) const ETHER_EACH: u128 = 10_000_000 * UNIT;

/// What each signer holds of each token, in its units.
pub(crate) const TOKENS_EACH: u128 = 1_000_000_000 * UNIT;

/// What an exchange holds of each of its tokens, in their units.
pub(crate) const RESERVE: u128 = 100_000_000_000 * UNIT;

/// Who receives the priority fees of every block.
pub(crate) const BENEFICIARY: Address = Address::new(*b"tandem-beneficiary--");

/// The genesis block's timestamp, in seconds since 1970.
pub(crate) const TIMESTAMP: u64 = 1_780_000_000;

/// The block before the first one, and the state that it leaves.
///
/// The state is computed account by account, so that it may be larger than what memory holds.
#[derive(Clone, Debug)]
pub struct Genesis {
    world: Arc<World>,
    contracts: Vec<Contract>,
    token: TokenLayout,
    gas_limit: u64,
}

/// The token's code, and the slots of its variables.
#[derive(Clone, Debug)]
struct TokenLayout {
    code: Bytes,
    balances: U256,
    allowances: U256,
    supply: U256,
}

/// An account of the genesis state.
#[derive(Clone)]
pub struct GenesisAccount<'a> {
    /// Its address.
    pub address: Address,
    /// Its balance in wei.
    pub balance: U256,
    /// 1 for a contract, as EIP-161 has it, else 0.
    pub nonce: u64,
    /// Its code, if any.
    pub code: Bytes,
    storage: Storage<'a>,
}

#[derive(Clone)]
enum Storage<'a> {
    Listed(&'a [(U256, U256)]),
    /// Of the token with this index.
    Token(&'a Genesis, usize),
}

impl Genesis {
    /// The system's contracts are added to those given.
    pub(crate) fn new(
        world: Arc<World>,
        mut contracts: Vec<Contract>,
        gas_limit: u64,
    ) -> Result<Self, WorkloadError> {
        let token = Artifact::token()?;
        contracts.extend([
            Contract::new(BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE.clone()),
            Contract::new(HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone()),
            Contract::new(MAINNET_DEPOSIT_CONTRACT_ADDRESS, Artifact::deposit()?.code().clone()),
            Contract::new(WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE.clone()),
            Contract::new(
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                CONSOLIDATION_REQUEST_PREDEPLOY_CODE.clone(),
            ),
        ]);
        let token = TokenLayout {
            code: token.code().clone(),
            balances: token.slot("balanceOf")?,
            allowances: token.slot("allowance")?,
            supply: token.slot("totalSupply")?,
        };
        Ok(Self { world, contracts, token, gas_limit })
    }

    /// The gas limit of this block and of all that follow.
    pub const fn gas_limit(&self) -> u64 {
        self.gas_limit
    }

    /// Number of accounts.
    pub fn account_count(&self) -> usize {
        TOKENS + self.contracts.len() + 1 + self.world.signers.len() + self.world.population.len()
    }

    /// Number of storage slots.
    pub fn slot_count(&self) -> usize {
        let of_contracts: usize = self
            .contracts
            .iter()
            .map(|contract| {
                let allowances = contract.draws_on.len() * self.world.signers.len();
                contract.storage.len() + contract.holds.len() + allowances
            })
            .sum();
        of_contracts + TOKENS * (1 + self.world.signers.len()) + self.world.slots
    }

    /// All accounts, each once, always in the same order: contracts first.
    pub fn accounts(&self) -> impl Iterator<Item = GenesisAccount<'_>> {
        let contracts = self.contracts.iter().map(|contract| {
            GenesisAccount::contract(contract.address, &contract.code, Storage::Listed(&contract.storage))
        });
        let tokens = (0..TOKENS).map(|index| {
            GenesisAccount::contract(token(index), &self.token.code, Storage::Token(self, index))
        });
        let signers =
            self.world.signers.iter().map(|signer| GenesisAccount::funded(signer.address(), ETHER_EACH));
        let population = (0_u128..).zip(&self.world.population).map(|(index, address)| {
            // A hundredth to ten ether.
            GenesisAccount::funded(*address, (1 + index % 1_000) * (UNIT / 100))
        });
        tokens
            .chain(contracts)
            .chain(iter::once(GenesisAccount::funded(BENEFICIARY, UNIT)))
            .chain(signers)
            .chain(population)
    }

    /// The whole state in memory.
    pub fn store(&self) -> MemoryStore {
        let mut store = MemoryStore::new();
        for account in self.accounts() {
            account.place(&mut store);
        }
        store
    }

    /// A token's slots. The sum of all balances is the supply.
    fn token_storage(&self, index: usize) -> impl Iterator<Item = (U256, U256)> + '_ {
        let TokenLayout { balances, allowances, supply, .. } = self.token;
        let signers = &self.world.signers;
        let contracts = self.contracts.iter().flat_map(move |contract| {
            let held = contract.holds.iter().filter(move |(token, _)| *token == index);
            held.map(|(_, amount)| (contract.address, *amount))
        });
        let population = self.world.holders(index).map(move |holder| {
            (self.world.population[holder], (1 + (holder + index) as u128 % 1_000) * UNIT)
        });
        let held =
            signers.iter().map(|signer| (signer.address(), TOKENS_EACH)).chain(contracts).chain(population);
        let total: U256 = held.clone().map(|(_, amount)| U256::from(amount)).sum();
        let allowed = self
            .contracts
            .iter()
            .filter(move |contract| contract.draws_on.contains(&index))
            .flat_map(move |contract| signers.iter().map(|signer| (signer.address(), contract.address)));
        iter::once((supply, total))
            .chain(held.map(move |(holder, amount)| (mapping_slot(balances, holder), U256::from(amount))))
            .chain(allowed.map(move |(owner, spender)| {
                (mapping_slot(mapping_slot(allowances, owner), spender), U256::MAX)
            }))
    }
}

impl<'a> GenesisAccount<'a> {
    fn contract(address: Address, code: &Bytes, storage: Storage<'a>) -> Self {
        Self { address, balance: U256::ZERO, nonce: 1, code: code.clone(), storage }
    }

    fn funded(address: Address, balance: u128) -> Self {
        let balance = U256::from(balance);
        Self { address, balance, nonce: 0, code: Bytes::new(), storage: Storage::Listed(&[]) }
    }

    /// Its fields, as the state trie holds them.
    pub fn account(&self) -> Account {
        let code_hash = if self.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&self.code) };
        Account { balance: self.balance, nonce: self.nonce, code_hash }
    }

    /// Adds it to a state.
    pub fn place(&self, state: &mut MemoryStore) {
        state.add_code(self.code.clone());
        state.set_account(self.address, self.account());
        for (slot, value) in self.storage() {
            state.set_storage(self.address, slot, value);
        }
    }

    /// Whether it has any storage.
    pub(crate) const fn has_storage(&self) -> bool {
        !matches!(self.storage, Storage::Listed([]))
    }

    /// Its slots and their values, none of them zero, each slot once, always in the same order.
    pub fn storage(&self) -> Box<dyn Iterator<Item = (U256, U256)> + 'a> {
        match self.storage {
            Storage::Listed(slots) => Box::new(slots.iter().copied()),
            Storage::Token(genesis, index) => Box::new(genesis.token_storage(index)),
        }
    }
}

impl fmt::Debug for GenesisAccount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GenesisAccount")
            .field("address", &self.address)
            .field("balance", &self.balance)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}
