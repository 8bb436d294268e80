use super::rename::Renaming;
use crate::network::Config;
use crate::state_test::{Case, Env, StateTest};
use crate::world::{StatedAccount, StatedAccounts};
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{
    Header, SignableTransaction, Transaction, TxEip4844Variant, TxEnvelope, TypedTransaction,
};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, Bytes, Signature, U256, keccak256};
use std::collections::BTreeMap;
use std::sync::Arc;
use tandem_evm::{Block, ChainSpec};

/// Packs of a class that wait for what fits, before others are filled with whatever comes.
const OPEN_PACKS: usize = 4;

/// A block in the making: transactions of state tests that fit together.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    chain: Arc<ChainSpec>,
    header: Header,
    /// The state before the block.
    pub(crate) accounts: StatedAccounts,
    pub(crate) members: Vec<Member>,
    /// Different transactions.
    count: usize,
    /// How often each account that is not replaced by another has sent.
    sent: BTreeMap<Address, u64>,
}

/// One transaction of a pack.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The test and the combination that it comes from.
    pub(crate) name: String,
    transaction: TypedTransaction,
    sender: Address,
}

/// The packs of one class: the same rules and the same block around the transaction.
#[derive(Debug)]
struct Class<'t> {
    fork: &'t str,
    config: &'t Config,
    env: &'t Env,
    open: Vec<Pack>,
}

/// Puts transactions into packs.
#[derive(Debug)]
pub(crate) struct Builder<'t> {
    /// Different transactions in a pack at most.
    size: usize,
    /// How often each is in it.
    repeat: u64,
    classes: Vec<Class<'t>>,
    full: Vec<Pack>,
}

impl<'t> Builder<'t> {
    pub(crate) fn new(size: usize, repeat: u64) -> Self {
        Self { size, repeat, classes: Vec::new(), full: Vec::new() }
    }

    /// Puts a transaction into the first pack that it fits into as it is, else into the first one that it fits into with
    /// other addresses, else into a new one. Where there are many packs already, it is squeezed into the last one. The
    /// accounts of other tests that it meets there are not those it was written for, but execution is comparable just as well.
    ///
    /// `id` tells the test from others: transactions of one test get the same addresses. `false` if it cannot be packed at all.
    pub(crate) fn add(
        &mut self,
        name: String,
        id: usize,
        test: &'t StateTest,
        fork: &'t str,
        case: &Case,
    ) -> bool {
        let Ok(transaction) = &case.transaction else { return false };
        let (size, repeat) = (self.size, self.repeat);
        let candidate = Candidate::new(name, test, transaction);
        if !Pack::new(case).has_room(&candidate, repeat) {
            return false;
        }
        let open = &mut self.class(test, fork).open;
        let fits = |open: &[Pack], candidate: &Candidate| {
            open.iter().position(|pack| pack.has_room(candidate, repeat) && pack.agrees(candidate))
        };
        let (index, candidate) = match fits(open, &candidate) {
            Some(index) => (index, candidate),
            None => {
                let renamed = candidate.renamed(&Renaming::new(id, test));
                let squeezed = || {
                    let is_last = |(index, pack): &(usize, &Pack)| {
                        *index >= OPEN_PACKS && pack.has_room(&renamed, repeat)
                    };
                    open.iter().enumerate().rfind(is_last).map(|(index, _)| index)
                };
                match fits(open, &renamed).or_else(squeezed) {
                    Some(index) => (index, renamed),
                    None => {
                        open.push(Pack::new(case));
                        (open.len() - 1, candidate)
                    }
                }
            }
        };
        open[index].add(&candidate, repeat);
        if open[index].count >= size {
            let full = open.remove(index);
            self.full.push(full);
        }
        true
    }

    fn class(&mut self, test: &'t StateTest, fork: &'t str) -> &mut Class<'t> {
        let is_its =
            |class: &Class<'_>| class.fork == fork && *class.env == test.env && *class.config == test.config;
        let index = self.classes.iter().position(is_its).unwrap_or_else(|| {
            self.classes.push(Class { fork, config: &test.config, env: &test.env, open: Vec::new() });
            self.classes.len() - 1
        });
        &mut self.classes[index]
    }

    /// All packs.
    pub(crate) fn finish(self) -> Vec<Pack> {
        let open = self.classes.into_iter().flat_map(|class| class.open);
        self.full.into_iter().chain(open).filter(|pack| !pack.members.is_empty()).collect()
    }
}

/// A transaction that looks for a pack.
struct Candidate {
    name: String,
    pre: StatedAccounts,
    transaction: TypedTransaction,
    sender: Address,
    /// Whether another account may send it: nothing in the test names the sender.
    is_free: bool,
}

impl Candidate {
    fn new(name: String, test: &StateTest, transaction: &Recovered<TxEnvelope>) -> Self {
        let (envelope, sender) = transaction.clone().into_parts();
        let transaction = TypedTransaction::from(envelope);
        let is_free = test.env.current_coinbase != sender && !is_named(sender, test, &transaction);
        Self { name, pre: test.pre.clone(), transaction, sender, is_free }
    }

    /// The same with other addresses.
    fn renamed(&self, renaming: &Renaming) -> Self {
        Self {
            name: self.name.clone(),
            pre: renaming.accounts(&self.pre),
            transaction: renaming.transaction(self.transaction.clone()),
            sender: renaming.address(self.sender),
            is_free: self.is_free,
        }
    }

    /// The accounts that the test needs as they are.
    fn accounts(&self) -> impl Iterator<Item = (&Address, &StatedAccount)> {
        self.pre.iter().filter(|(address, _)| !(self.is_free && **address == self.sender))
    }
}

/// Whether an address is in the transaction or in some code of the state, as far as its bytes are to be seen.
fn is_named(address: Address, test: &StateTest, transaction: &TypedTransaction) -> bool {
    let contains = |bytes: &Bytes| bytes.windows(20).any(|window| window == address.as_slice());
    let has_authorizations = transaction.authorization_list().is_some();
    let in_access_list =
        transaction.access_list().is_some_and(|list| list.iter().any(|item| item.address == address));
    has_authorizations
        || in_access_list
        || transaction.to() == Some(address)
        || contains(transaction.input())
        || test.pre.values().any(|account| contains(&account.code))
        || test.pre.get(&address).is_some_and(|account| !account.code.is_empty())
}

impl Pack {
    fn new(case: &Case) -> Self {
        Self {
            chain: case.chain.clone(),
            header: Header { gas_limit: 0, ..case.header.clone() },
            accounts: StatedAccounts::new(),
            members: Vec::new(),
            count: 0,
            sent: BTreeMap::new(),
        }
    }

    /// Whether there is gas for a candidate, and its nonces fit in 64 bits.
    fn has_room(&self, candidate: &Candidate, repeat: u64) -> bool {
        let gas = candidate.transaction.gas_limit().checked_mul(repeat);
        let gas = gas.and_then(|gas| gas.checked_add(self.header.gas_limit));
        let sent = repeat.saturating_add(self.members.len() as u64);
        gas.is_some() && candidate.transaction.nonce().checked_add(sent).is_some()
    }

    /// Whether all accounts that a candidate needs are as it needs them, or not there yet.
    fn agrees(&self, candidate: &Candidate) -> bool {
        let mut accounts = candidate.accounts();
        accounts.all(|(address, account)| self.accounts.get(address).is_none_or(|other| other == account))
    }

    fn add(&mut self, candidate: &Candidate, repeat: u64) {
        for (address, account) in candidate.accounts() {
            self.accounts.entry(*address).or_insert_with(|| account.clone());
        }
        let nonce = candidate.transaction.nonce();
        let (sender, first) = if candidate.is_free {
            let sender = own_sender(self.count);
            if let Some(account) = candidate.pre.get(&candidate.sender) {
                // So that it can pay each time.
                let balance = account.balance.checked_mul(U256::from(repeat)).unwrap_or(account.balance);
                self.accounts.insert(sender, StatedAccount { balance, ..account.clone() });
            }
            (sender, nonce)
        } else {
            let sent = self.sent.entry(candidate.sender).or_default();
            (candidate.sender, nonce.saturating_add(std::mem::replace(sent, *sent + repeat)))
        };
        for offset in 0..repeat {
            self.members.push(Member {
                name: candidate.name.clone(),
                transaction: with_nonce(candidate.transaction.clone(), first + offset),
                sender,
            });
        }
        self.header.gas_limit += candidate.transaction.gas_limit() * repeat;
        self.count += 1;
    }

    /// Removes a transaction, and those that follow it from the same sender. Gives how many these are.
    pub(crate) fn remove(&mut self, index: usize) -> usize {
        let (before, sender) = (self.members.len(), self.members[index].sender);
        let mut position = 0;
        self.members.retain(|member| {
            position += 1;
            position <= index || member.sender != sender
        });
        before - self.members.len()
    }

    /// The name of the rules.
    pub(crate) fn fork(&self) -> &'static str {
        let fork = self.chain.fork(self.header.number, self.header.timestamp);
        fork.unwrap_or_else(|error| error.fork())
    }

    /// The block of all transactions.
    pub(crate) fn block(&self) -> Block {
        let transactions = self.members.iter().map(|member| {
            // The signature does not matter once the sender is known.
            let signature = Signature::new(U256::ONE, U256::ONE, false);
            let signed = TxEnvelope::from(member.transaction.clone().into_signed(signature));
            Recovered::new_unchecked(signed, member.sender)
        });
        Block::new(&self.chain, self.header.clone(), transactions, Vec::new(), Withdrawals::default())
            .without_system_steps()
    }
}

/// The account that sends a pack's transaction instead of the test's sender.
fn own_sender(index: usize) -> Address {
    Address::from_word(keccak256(format!("sender {index} of a pack")))
}

fn with_nonce(mut transaction: TypedTransaction, nonce: u64) -> TypedTransaction {
    *match &mut transaction {
        TypedTransaction::Legacy(transaction) => &mut transaction.nonce,
        TypedTransaction::Eip2930(transaction) => &mut transaction.nonce,
        TypedTransaction::Eip1559(transaction) => &mut transaction.nonce,
        TypedTransaction::Eip4844(TxEip4844Variant::TxEip4844(transaction)) => &mut transaction.nonce,
        TypedTransaction::Eip4844(TxEip4844Variant::TxEip4844WithSidecar(with)) => &mut with.tx.nonce,
        TypedTransaction::Eip7702(transaction) => &mut transaction.nonce,
    } = nonce;
    transaction
}
