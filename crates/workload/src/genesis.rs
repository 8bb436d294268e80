use crate::contract::Contract;
use crate::contracts::{Artifact, IMPLEMENTATION_SLOT, TOKEN_CODE, address_word, mapping_slot, token};
use crate::error::WorkloadError;
use crate::world::{TokenKind, World};
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

/// Each signer's balance, in wei.
pub(crate) const ETHER_EACH: u128 = 10_000_000 * UNIT;

/// Each signer's balance of each token, in its units.
pub(crate) const TOKENS_EACH: u128 = 1_000_000_000 * UNIT;

/// An exchange's reserve of each of its tokens, in their units.
pub(crate) const RESERVE: u128 = 100_000_000_000 * UNIT;

/// The recipient of the priority fees of every block.
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
    wrapper: TokenLayout,
    /// Code.
    proxy: Bytes,
    gas_limit: u64,
}

/// A token's code, and the slots of its variables.
#[derive(Clone, Debug)]
struct TokenLayout {
    code: Bytes,
    balances: U256,
    allowances: U256,
    /// None if the supply is the ether that the contract holds.
    supply: Option<U256>,
}

impl TokenLayout {
    fn new(artifact: &Artifact, supply: Option<U256>) -> Result<Self, WorkloadError> {
        let (balances, allowances) = (artifact.slot("balanceOf")?, artifact.slot("allowance")?);
        Ok(Self { code: artifact.code().clone(), balances, allowances, supply })
    }
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
        let token = TokenLayout::new(&token, Some(token.slot("totalSupply")?))?;
        let wrapper = TokenLayout::new(&Artifact::wrapper()?, None)?;
        let proxy = Artifact::proxy()?.code().clone();
        Ok(Self { world, contracts, token, wrapper, proxy, gas_limit })
    }

    /// The gas limit of this block and of all that follow.
    pub const fn gas_limit(&self) -> u64 {
        self.gas_limit
    }

    /// Number of accounts.
    pub fn account_count(&self) -> usize {
        self.world.tokens + self.contracts.len() + 1 + self.world.signers.len() + self.world.population.len()
    }

    /// Number of storage slots.
    pub fn slot_count(&self) -> usize {
        let of_contracts: usize = self
            .contracts
            .iter()
            .map(|contract| {
                let allowances: usize = contract
                    .draws_on
                    .iter()
                    .map(|token| contract.drawn_by(self.world.owners(*token)).len())
                    .sum();
                contract.storage.len() + contract.holds.len() + contract.lets_draw.len() + allowances
            })
            .sum();
        let of_tokens: usize = (0..self.world.tokens)
            .map(|token| self.world.owners(token).len() + self.token_variables(token).count())
            .sum();
        of_contracts + of_tokens + self.world.slots
    }

    /// All accounts, each once, always in the same order: contracts first.
    pub fn accounts(&self) -> impl Iterator<Item = GenesisAccount<'_>> {
        let contracts = self.contracts.iter().map(|contract| {
            GenesisAccount::contract(contract.address, &contract.code, Storage::Listed(&contract.storage))
        });
        let tokens = (0..self.world.tokens).map(|index| {
            let kind = self.world.token_kind(index);
            let code = if kind == TokenKind::Proxied { &self.proxy } else { &self.layout(index).code };
            let account = GenesisAccount::contract(token(index), code, Storage::Token(self, index));
            match kind {
                TokenKind::Wrapper => GenesisAccount { balance: self.supply(index), ..account },
                _ => account,
            }
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

    /// The layout of a token's storage.
    fn layout(&self, token: usize) -> &TokenLayout {
        if self.world.token_kind(token) == TokenKind::Wrapper { &self.wrapper } else { &self.token }
    }

    /// The supply of a token.
    fn supply(&self, token: usize) -> U256 {
        self.held(token).map(|(_, amount)| U256::from(amount)).sum()
    }

    /// The holders of a token, and their balances.
    fn held(&self, token: usize) -> impl Iterator<Item = (Address, u128)> + '_ {
        let signers = self.world.owners(token).map(|signer| self.world.signers[signer].address());
        let contracts = self.contracts.iter().flat_map(move |contract| {
            let held = contract.holds.iter().filter(move |(held, _)| *held == token);
            held.map(|(_, amount)| (contract.address, *amount))
        });
        let population = self.world.holders(token).map(move |holder| {
            (self.world.population[holder], (1 + (holder + token) as u128 % 1_000) * UNIT)
        });
        signers.map(|signer| (signer, TOKENS_EACH)).chain(contracts).chain(population)
    }

    /// The slots of a token's variables that are no mappings.
    fn token_variables(&self, token: usize) -> impl Iterator<Item = (U256, U256)> {
        let supply = self.layout(token).supply.map(|slot| (slot, self.supply(token)));
        let is_proxied = self.world.token_kind(token) == TokenKind::Proxied;
        let implementation = is_proxied.then(|| (IMPLEMENTATION_SLOT, address_word(TOKEN_CODE)));
        supply.into_iter().chain(implementation)
    }

    /// A token's slots. The sum of all balances is the supply.
    fn token_storage(&self, index: usize) -> impl Iterator<Item = (U256, U256)> + '_ {
        let (balances, allowances) = (self.layout(index).balances, self.layout(index).allowances);
        let drawing = self.contracts.iter().filter(move |contract| contract.draws_on.contains(&index));
        let allowed = drawing.flat_map(move |contract| {
            let owners = contract.drawn_by(self.world.owners(index));
            owners.map(|owner| (self.world.signers[owner].address(), contract.address))
        });
        let allowed_by_contracts = self.contracts.iter().flat_map(move |contract| {
            let lent = contract.lets_draw.iter().filter(move |(token, _)| *token == index);
            lent.map(|(_, spender)| (contract.address, *spender))
        });
        let held = self.held(index);
        self.token_variables(index)
            .chain(held.map(move |(holder, amount)| (mapping_slot(balances, holder), U256::from(amount))))
            .chain(allowed.chain(allowed_by_contracts).map(move |(owner, spender)| {
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
