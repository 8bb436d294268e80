//! What the run being executed has loaded, and what it relies on.

use super::location::AccountState;
use alloy_primitives::map::{AddressMap, HashSet};
use alloy_primitives::{Address, U256};
use revm::state::{Account, AccountStatus};
use tandem_stm::{EntryId, Sighting};

/// From this many accounts on, an access is found by hash instead of by search.
const SEARCH_LIMIT: usize = 16;

/// An account that the run has loaded, and what it relied on so far.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) address: Address,
    pub(crate) sighting: Sighting,
    /// What the EVM was shown. Differs from what was read only in what was predicted or cannot be negative.
    pub(crate) seen: AccountState,
    /// The balance was seen as such.
    pub(crate) balance: bool,
    /// The nonce was seen or predicted.
    pub(crate) nonce: bool,
    /// Existence was seen.
    pub(crate) exists: bool,
    /// Storage was read, or its being empty was relied on.
    pub(crate) storage: bool,
    /// The least that was left of the balance after any outflow that was checked, reverted ones too.
    pub(crate) slack: Option<U256>,
    /// Number of checks that `slack` comes from.
    pub(crate) checks: u32,
    /// Balance and nonce as transfers left them that did without the journal. What the journal has loaded is there.
    pub(crate) now: (U256, u64),
    /// Whether an earlier transaction of the run touched it, without the journal showing that: by a plain transfer, by a credit
    /// before it was loaded, or so that it ceased to exist.
    pub(crate) touched: bool,
    /// Whether the journal has loaded it.
    in_journal: bool,
    /// Whether the journal found no account there, and so has no id of it.
    is_unnamed: bool,
}

impl Access {
    /// What was read of an account, nothing of which is relied on yet but its code.
    pub(super) fn new(address: Address, (seen, sighting): (AccountState, Sighting)) -> Self {
        Self {
            address,
            sighting,
            seen,
            balance: false,
            nonce: false,
            exists: false,
            storage: false,
            slack: None,
            checks: 0,
            now: (seen.balance, seen.nonce),
            touched: false,
            in_journal: false,
            is_unnamed: false,
        }
    }

    /// Whether the account exists after the transactions of the run that did without the journal. Runs of several transactions there
    /// are only since EIP-161, so what they touched and left empty is gone.
    pub(super) fn exists(&self) -> bool {
        let (balance, nonce) = self.now;
        let is_empty = balance.is_zero() && nonce == 0 && !self.seen.has_code();
        !is_empty || (self.seen.exists && !self.touched)
    }

    /// Adds to the balance. What overflows is dropped, as the EVM does.
    fn credit(&mut self, amount: U256) {
        self.now.0 = self.now.0.checked_add(amount).unwrap_or(self.now.0);
        self.touched = true;
    }

    /// Takes a nonce for the account's that differs from what was read, unless something relies on that already. Whether it did.
    pub(crate) fn predict_nonce(&mut self, nonce: u64) -> bool {
        let free = !self.nonce && self.now.1 == self.seen.nonce && nonce != self.seen.nonce;
        if free {
            self.seen.nonce = nonce;
            self.now.1 = nonce;
            self.sighting = self.sighting.predicted();
        }
        free
    }

    /// Notes that `left` would be left of the balance after an outflow that was found to be covered.
    pub(crate) fn rely_on_funds(&mut self, left: U256) {
        self.slack = Some(self.slack.map_or(left, |slack| slack.min(left)));
        self.checks += 1;
    }

    /// Notes that everything of it was seen.
    pub(super) fn rely_on_all(&mut self) {
        self.balance = true;
        self.nonce = true;
        self.exists = true;
    }
}

/// A slot that a transaction of the run has changed.
#[derive(Debug)]
pub(crate) struct ChangedSlot {
    pub(crate) address: Address,
    pub(crate) slot: U256,
    /// The value as the run found it.
    pub(crate) before: U256,
    pub(crate) entry: EntryId,
}

/// A SELFDESTRUCT that moved a whole balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    pub(crate) source: Address,
    pub(crate) target: Address,
    /// The balance moved, in wei.
    pub(crate) amount: U256,
    /// The target's [`Access::checks`] right after the move.
    pub(crate) target_checks: u32,
}

/// What a run of steps has loaded, and what it relies on.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Whether all accounts that the run loads are noted when they are loaded. Else those that its transactions change are noted at their
    /// ends: a result at its turn relies on nothing that could change, and most of what is loaded stays as it is.
    pub(super) notes_loads: bool,
    pub(crate) accounts: Vec<Access>,
    /// Accounts that the journal holds and that may have changed, unless loads are noted; in no order with `accounts`, and none is in both.
    pub(super) changed: Vec<(Address, EntryId)>,
    /// Indexes into `changed`.
    pub(super) changed_accounts: AddressMap<usize>,
    pub(crate) slots: Vec<ChangedSlot>,
    /// Addresses at which a contract was to be created.
    pub(crate) creations: Vec<Address>,
    /// SELFDESTRUCTs, in order, reverted ones too.
    pub(crate) sweeps: Vec<Sweep>,
    /// Credits to accounts that the run has not loaded.
    pub(crate) credits: Vec<(Address, U256)>,
    /// How many of them are of earlier steps of the run.
    earlier_credits: usize,
    /// The accounts of them, each once.
    credited: Vec<Address>,
    /// Index into `accounts`, filled once there are many.
    by_address: AddressMap<usize>,
    /// Slots that were read by their account's address alone.
    unnamed_slots: HashSet<(Address, U256)>,
    /// Those of `slots`.
    pub(super) changed_slots: HashSet<(Address, U256)>,
    /// Whether some of `accounts` are there that the journal has not loaded.
    pub(super) has_unjournaled: bool,
    /// Whether the run had better end: something was destroyed, or may have been, and a run tells of each account once.
    pub(crate) run_must_end: bool,
    /// Whether everything that was loaded is relied on as it was seen: something read it that says no more than that.
    pub(crate) exact: bool,
    /// Whether the transaction is watched by what may look at anything.
    pub(crate) inspected: bool,
}

impl Ledger {
    /// Prepares for a run of steps.
    pub(super) fn begin(&mut self, notes_loads: bool) {
        self.notes_loads = notes_loads;
        self.accounts.clear();
        self.changed.clear();
        self.slots.clear();
        self.creations.clear();
        self.sweeps.clear();
        self.credits.clear();
        self.credited.clear();
        self.earlier_credits = 0;
        self.has_unjournaled = false;
        self.run_must_end = false;
        self.exact = false;
        self.inspected = false;
        for indexes in [&mut self.by_address, &mut self.changed_accounts] {
            if !indexes.is_empty() {
                indexes.clear();
            }
        }
        for slots in [&mut self.unnamed_slots, &mut self.changed_slots] {
            if !slots.is_empty() {
                slots.clear();
            }
        }
    }

    /// Memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let Self { accounts, changed, slots, creations, sweeps, credits, .. } = self;
        accounts.capacity() * size_of::<Access>()
            + changed.capacity() * size_of::<(Address, EntryId)>()
            + slots.capacity() * size_of::<ChangedSlot>()
            + creations.capacity() * size_of::<Address>()
            + sweeps.capacity() * size_of::<Sweep>()
            + credits.capacity() * size_of::<(Address, U256)>()
            + self.credited.capacity() * size_of::<Address>()
            + (self.by_address.capacity() + self.changed_accounts.capacity()) * size_of::<(Address, usize)>()
            + (self.unnamed_slots.capacity() + self.changed_slots.capacity()) * size_of::<(Address, U256)>()
    }

    /// Whether the journal can serve the next run, too: it knows of no account that was created or destroyed, of which a run tells once.
    pub(super) fn keeps_journal(&self) -> bool {
        !self.notes_loads && !self.run_must_end && self.creations.is_empty()
    }

    /// Goes on to the next step of a run.
    pub(crate) fn proceed(&mut self) {
        self.earlier_credits = self.credits.len();
    }

    /// The index of an account's access, if the run has loaded it.
    pub(super) fn find(&mut self, address: Address) -> Option<usize> {
        if self.accounts.len() <= SEARCH_LIMIT {
            return self.accounts.iter().rposition(|access| access.address == address);
        }
        for index in self.by_address.len()..self.accounts.len() {
            self.by_address.insert(self.accounts[index].address, index);
        }
        self.by_address.get(&address).copied()
    }

    /// The access of an account, if the run has loaded it.
    pub(crate) fn access(&mut self, address: Address) -> Option<&mut Access> {
        let index = self.find(address)?;
        self.accounts.get_mut(index)
    }

    /// Notes that the transaction that ends has touched an account of the journal and leaves it empty, in a fork that has EIP-161:
    /// later transactions find no account there.
    pub(crate) fn depart(&mut self, address: Address, account: &mut Account) {
        account.unmark_touch();
        account.status |= AccountStatus::LoadedAsNotExisting;
        if let Some(access) = self.access(address) {
            access.touched = true;
        }
    }

    /// Adds to the balance of an account that the journal has not loaded.
    pub(crate) fn credit(&mut self, address: Address, amount: U256) {
        // Credits of one step go together, those of different steps do not: if one overflows, others may not.
        match self.credits[self.earlier_credits..].iter_mut().find(|(other, _)| *other == address) {
            Some((_, sum)) => *sum = sum.saturating_add(amount),
            None => {
                self.credits.push((address, amount));
                if !self.credited.contains(&address) {
                    self.credited.push(address);
                }
            }
        }
    }

    /// Adds what was credited to accounts without loading them to those that plain transfers have loaded meanwhile.
    pub(super) fn fold_credits(&mut self) {
        if !self.has_unjournaled {
            return;
        }
        let credited = std::mem::take(&mut self.credited);
        for address in &credited {
            if let Some(index) = self.find(*address) {
                self.take_credits(index);
            }
        }
        self.credited = credited;
    }

    /// Adds to an account's balance what was credited to it without loading it.
    fn take_credits(&mut self, index: usize) {
        let access = &mut self.accounts[index];
        self.credits.retain(|(credited, amount)| {
            let other = *credited != access.address;
            if !other {
                access.credit(*amount);
            }
            other
        });
        self.earlier_credits = self.earlier_credits.min(self.credits.len());
    }

    /// Whether an account that the run has not loaded can be loaded without a note of it.
    pub(super) fn needs_no_note(&self, address: Address) -> bool {
        !self.notes_loads && !self.credited.contains(&address)
    }

    /// Notes that the journal keeps account of an account from here on. What was credited to it without loading it is added. `false` if the
    /// journal does so already: then somebody else asks.
    pub(super) fn enter_journal(&mut self, index: usize) -> bool {
        if self.credited.contains(&self.accounts[index].address) {
            self.take_credits(index);
        }
        let access = &mut self.accounts[index];
        let is_journals = !std::mem::replace(&mut access.in_journal, true);
        if is_journals {
            access.is_unnamed = !access.exists();
        } else {
            // It may look at anything.
            access.rely_on_all();
        }
        is_journals
    }

    /// Notes a slot that is read by its account's address alone. Whether that may be the journal's own read of it.
    ///
    /// The journal names an account by its id, but it has none of an account that was absent when it was loaded. It reads a slot once,
    /// unless a contract was created there: then it reads none.
    pub(super) fn is_journals_read(&mut self, address: Address, slot: U256) -> bool {
        let is_first = self.unnamed_slots.insert((address, slot));
        let is_unnamed = self.access(address).is_some_and(|access| access.is_unnamed);
        is_first && is_unnamed && !self.creations.contains(&address)
    }

    /// Notes a SELFDESTRUCT.
    pub(crate) fn note_sweep(&mut self, source: Address, target: Address, amount: U256) {
        let target_checks = self.access(target).map_or(0, |access| access.checks);
        self.sweeps.push(Sweep { source, target, amount, target_checks });
    }

    /// Notes that `left` would be left of an account's balance after an outflow that was found to be covered.
    pub(crate) fn rely_on_funds(&mut self, address: Address, left: U256) {
        if let Some(access) = self.access(address) {
            access.rely_on_funds(left);
        }
    }

    /// Notes that an account's balance was seen.
    pub(crate) fn show_balance(&mut self, address: Address) {
        if let Some(access) = self.access(address) {
            access.balance = true;
        }
    }
}
