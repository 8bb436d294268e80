use super::asm::asm;
use super::fork::{Fork, block_hash};
use super::harness::{Report, assert_same};
use super::orders::Act;
use super::tx::Tx;
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Header, TxEnvelope};
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec};
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

/// Where the spinner is: it burns gas and does nothing.
const SPINNER: u64 = 0x5b1_0000;
/// The first of those who call it.
const SPINNING: u64 = 0x5b1_0001;

/// A block in the making.
#[derive(Clone, Debug)]
struct Draft {
    header: Header,
    transactions: Vec<Recovered<TxEnvelope>>,
    ommers: Vec<Header>,
    withdrawals: Vec<Withdrawal>,
}

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
            acts: Vec::new(),
        };
        let number = fork.header(0).number;
        for number in number.saturating_sub(300)..number {
            scenario.store.set_block_hash(number, block_hash(number));
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
        self.drafts.push(Draft { header, transactions: vec![], ommers: vec![], withdrawals: vec![] });
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
        let chain = Arc::new(ChainSpec::known(1).unwrap());
        let build = |draft: &Draft| {
            let Draft { header, transactions, ommers, withdrawals } = draft.clone();
            Block::new(&chain, header, transactions, ommers, withdrawals.into())
        };
        self.drafts.iter().map(build).collect()
    }

    /// Executes it in every way, and compares.
    pub(crate) fn check(&self) -> Report {
        assert_same(&self.blocks(), &self.store, &self.slow, 0..6)
    }

    /// Like [`Scenario::check`], more often.
    pub(crate) fn check_often(&self) -> Report {
        assert_same(&self.blocks(), &self.store, &self.slow, 0..30)
    }
}
