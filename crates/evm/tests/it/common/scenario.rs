use super::asm::asm;
use super::draft::Draft;
use super::fork::{Fork, block_hash};
use super::harness::{Report, assert_same, execute_plainly};
use super::orders::Act;
use super::reference::disagreement;
use super::tx::Tx;
use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_evm::eth::dao_fork::{DAO_HARDFORK_ACCOUNTS, DAO_HARDFORK_BENEFICIARY};
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;
use tandem_evm::Block;
use tandem_state::{Account, MemoryStore, Store};

/// The n-th of many unremarkable addresses.
pub(crate) fn at(n: u64) -> Address {
    let mut bytes = [0x5a; 20];
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    Address::from(bytes)
}

pub(crate) fn ether(n: u64) -> U256 {
    U256::from(n) * U256::from(10).pow(U256::from(18))
}

/// Puts the accounts there whose funds the DAO fork moves, and where they go: contracts all, with so many wei each.
pub(crate) fn set_dao(store: &mut MemoryStore, balance: u64) {
    let code_hash = store.add_code([op::STOP].into());
    for address in DAO_HARDFORK_ACCOUNTS.into_iter().chain([DAO_HARDFORK_BENEFICIARY]) {
        store.set_account(address, Account { balance: U256::from(balance), nonce: 0, code_hash });
    }
}

/// Where the spinner is: it burns gas and does nothing.
const SPINNER: u64 = 0x5b1_0000;
/// The first of those who call it.
const SPINNING: u64 = 0x5b1_0001;

/// Payments that are put between the transactions of a scenario: more than a run ahead of its turn has steps.
const PADDING: u64 = 40;
const PADDING_SENDER: u64 = 0x9ad_0000;
const PADDING_PAYEE: u64 = 0x9ad_1000;

/// A state, and blocks on it.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) fork: Fork,
    pub(crate) store: MemoryStore,
    /// Accounts that are slow to read.
    pub(crate) slow: Vec<Address>,
    drafts: Vec<Draft>,
    nonces: AddressMap<u64>,
    spins: u64,
    /// Why alloy-evm gives something else, if it does.
    unlike_alloy: Option<&'static str>,
    /// Transactions that can be told when to execute (see [`Scenario::act`]).
    pub(super) acts: Vec<Act>,
}

impl Scenario {
    pub(crate) fn new(fork: Fork) -> Self {
        let mut scenario = Self {
            fork,
            store: MemoryStore::new(),
            slow: Vec::new(),
            drafts: Vec::new(),
            nonces: AddressMap::default(),
            spins: 0,
            unlike_alloy: None,
            acts: Vec::new(),
        };
        let number = fork.header(0).number;
        for number in number.saturating_sub(300)..number {
            scenario.store.set_block_hash(number, block_hash(number));
        }
        if fork == Fork::Dao {
            set_dao(&mut scenario.store, 0);
        }
        if fork >= Fork::Cancun {
            scenario.contract(eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE, 0);
        }
        if fork >= Fork::Prague {
            let contracts = [
                (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
                (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
                (
                    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                    &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
                ),
            ];
            for (address, code) in contracts {
                scenario.contract(address, code, 0);
            }
        }
        scenario.contract(at(SPINNER), &asm().spin(6_000).op(op::STOP).build(), 0);
        scenario.block()
    }

    /// Begins the next block.
    pub(crate) fn block(mut self) -> Self {
        self.next_block();
        self
    }

    pub(crate) fn next_block(&mut self) {
        let header = self.fork.header(self.drafts.len() as u64);
        self.drafts.push(Draft::new(header));
    }

    pub(crate) fn account(&self, address: Address) -> Account {
        self.store.account(address).unwrap().unwrap_or_default()
    }

    pub(crate) fn fund(&mut self, address: Address, balance: impl TryInto<U256>) {
        let account = Account { balance: balance.try_into().ok().unwrap(), ..self.account(address) };
        self.store.set_account(address, account);
    }

    pub(crate) fn contract(&mut self, address: Address, code: &[u8], balance: impl TryInto<U256>) {
        let code_hash = self.store.add_code(code.to_vec().into());
        let balance = balance.try_into().ok().unwrap();
        self.store.set_account(address, Account { balance, nonce: 1, code_hash });
    }

    pub(crate) fn set_storage(&mut self, address: Address, slot: u64, value: u64) {
        self.store.set_storage(address, U256::from(slot), U256::from(value));
    }

    /// The n-th funded account.
    pub(crate) fn user(&mut self, n: u64) -> Address {
        let user = at(0x1000 + n);
        if self.account(user).balance.is_zero() {
            self.fund(user, ether(1));
        }
        user
    }

    /// The next nonce of a sender.
    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.nonces.get(&address).copied().unwrap_or_else(|| self.account(address).nonce)
    }

    /// Sets what the next nonce of a sender will be.
    pub(crate) fn set_nonce(&mut self, address: Address, nonce: u64) {
        self.nonces.insert(address, nonce);
    }

    pub(crate) fn tx(&mut self, tx: Tx) {
        let nonce = tx.nonce.unwrap_or_else(|| self.nonce(tx.from));
        self.nonces.insert(tx.from, nonce + 1);
        let built = tx.build(nonce);
        self.draft().transactions.push(built);
    }

    /// A transaction that takes its time and touches nothing that matters.
    pub(crate) fn spin(&mut self) {
        let user = at(SPINNING + self.spins % 8);
        self.spins += 1;
        if self.account(user).balance.is_zero() {
            self.fund(user, ether(1));
        }
        self.tx(Tx::call(user, at(SPINNER)));
    }

    /// The same with payments that have nothing to do with anything else before each of a block's transactions and behind them, so that
    /// runs get as long as they can, and what was in one run is in several.
    pub(super) fn padded(&self) -> Self {
        let mut padded = self.clone();
        for draft in &mut padded.drafts {
            // Where there is a base fee, nothing is left for the beneficiary.
            let price = draft.header.base_fee_per_gas.unwrap_or_default();
            let mut transactions = Vec::new();
            let mut pad = |transactions: &mut Vec<_>| {
                for n in 0..PADDING {
                    let from = at(PADDING_SENDER + n);
                    let tx = Tx::pay(from, at(PADDING_PAYEE + n), 1).price(price.into());
                    let nonce = padded.nonces.entry(from).or_default();
                    transactions.push(tx.build(*nonce));
                    *nonce += 1;
                    draft.header.gas_limit += 21_000;
                }
            };
            // Long blocks need none in between.
            let apart = draft.transactions.len() < 20;
            for transaction in draft.transactions.drain(..) {
                if apart || transactions.is_empty() {
                    pad(&mut transactions);
                }
                transactions.push(transaction);
            }
            pad(&mut transactions);
            draft.transactions = transactions;
        }
        (0..PADDING).for_each(|n| padded.fund(at(PADDING_SENDER + n), ether(1)));
        padded
    }

    /// Number of blocks before the current one.
    pub(super) fn depth(&self) -> u64 {
        self.drafts.len() as u64 - 1
    }

    fn draft(&mut self) -> &mut Draft {
        self.drafts.last_mut().unwrap()
    }

    /// The current block's header.
    pub(crate) fn header(&mut self) -> &mut Header {
        &mut self.draft().header
    }

    pub(crate) fn ommer(&mut self, depth: u64, beneficiary: Address) {
        let mut header = self.draft().header.clone();
        header.number -= depth;
        header.beneficiary = beneficiary;
        self.draft().ommers.push(header);
    }

    pub(crate) fn withdraw(&mut self, address: Address, gwei: u64) {
        let index = self.draft().withdrawals.len() as u64;
        let withdrawal = Withdrawal { index, validator_index: index, address, amount: gwei };
        self.draft().withdrawals.push(withdrawal);
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        self.drafts.iter().map(Draft::build).collect()
    }

    /// What executing the blocks must give.
    pub(crate) fn expect(&self) -> Report {
        let blocks = self.blocks();
        let report = execute_plainly(&blocks, &self.store);
        let disagreement = disagreement(&self.drafts, &self.store, &report);
        match (self.unlike_alloy, disagreement) {
            (None, Some(what)) => panic!("the plain loop and alloy-evm disagree: {what}"),
            (Some(why), None) => panic!("the plain loop and alloy-evm agree, though {why}"),
            _ => report,
        }
    }

    /// Says why alloy-evm's executor, which is wrong there, gives something else.
    pub(crate) fn unlike_alloy(&mut self, why: &'static str) {
        self.unlike_alloy = Some(why);
    }

    /// Executes it in every way, and compares.
    pub(crate) fn check(&self) -> Report {
        assert_same(&self.blocks(), &self.store, &self.slow, self.expect(), 0..6)
    }

    /// Like [`Scenario::check`], more often.
    pub(crate) fn check_often(&self) -> Report {
        assert_same(&self.blocks(), &self.store, &self.slow, self.expect(), 0..30)
    }
}
