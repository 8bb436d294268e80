//! What the EVM's locations are, how they are observed and how they change.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use std::hash::{Hash, Hasher};
use tandem_stm::{Cell, Check, Delta, Domain, Effect, Observation, Words};

/// Ethereum's state, for the engine.
#[derive(Debug)]
pub(crate) enum EvmState {}

impl Domain for EvmState {
    type Key = Key;
    type KeyCell = KeyCell;
    type Value = Value;
    type Cell = ValueCell;
    type Observation = Observed;
    type Effect = Change;

    const KINDS: &'static [&'static str] = KINDS;

    fn check(observation: &Observed, value: &Value) -> Check {
        observation.check(value)
    }

    fn apply(effect: &Change, value: &mut Value) -> bool {
        effect.apply(value)
    }
}

/// Names of the kinds of location; the constants below index it.
pub(crate) const KINDS: &[&str] = &["balance", "nonce", "code", "storage", "life"];
const BALANCE: usize = 0;
const NONCE: usize = 1;
const CODE: usize = 2;
const STORAGE: usize = 3;
const LIFE: usize = 4;

/// From here on (2^192 wei) a balance is only observed exactly, so that a sum that fits in one run fits in every run
/// that the observation admits.
pub(crate) const BALANCE_CAP: U256 = U256::from_limbs([0, 0, 0, 1]);

/// The identity of an account's fields or of a storage slot, in one of several unrelated base states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Balance, nonce, code and life of an account.
    Account { world: u32, address: Address },
    /// One slot. The generation tells the account's storage before a wipe from that after it, so that a wipe needs
    /// to name no slot: it moves the account to the next generation, in which every slot is zero at first.
    Slot { world: u32, address: Address, generation: u64, slot: U256 },
}

/// Unit tests run with the worst of hashes: all keys collide.
#[cfg(test)]
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(0);
    }
}

#[cfg(not(test))]
impl Hash for Key {
    /// Word by word: what is derived takes each field byte by byte, with its length.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (world, address, slot) = match self {
            Self::Account { world, address } => (world, address, None),
            Self::Slot { world, address, generation, slot } => (world, address, Some((generation, slot))),
        };
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| address[at + byte]));
        state.write_u64(word(0));
        state.write_u64(word(8));
        // The last four bytes, four that were taken already, and the world.
        state.write_u64(word(12) ^ u64::from(*world));
        if let Some((generation, slot)) = slot {
            let [a, b, c, d] = slot.into_limbs();
            for word in [a, b, c, d, *generation] {
                state.write_u64(word);
            }
        }
    }
}

/// The fields of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountState {
    pub(crate) balance: U256,
    pub(crate) nonce: u64,
    pub(crate) code_hash: B256,
    /// Whether the state holds the account. An account that it does not hold has all other fields empty.
    pub(crate) exists: bool,
    /// Zero in the base state; position + 1 of the step that last wiped the account's storage.
    pub(crate) generation: u64,
}

impl AccountState {
    pub(crate) const ABSENT: Self =
        Self { balance: U256::ZERO, nonce: 0, code_hash: KECCAK256_EMPTY, exists: false, generation: 0 };

    pub(crate) fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }

    /// Empty in the sense of EIP-161.
    pub(crate) fn is_empty(&self) -> bool {
        self.balance.is_zero() && self.nonce == 0 && !self.has_code()
    }
}

/// What is stored under a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Account(AccountState),
    Slot(U256),
}

impl Value {
    /// The account under an account key.
    pub(crate) fn account(self) -> AccountState {
        match self {
            Self::Account(account) => account,
            Self::Slot(_) => AccountState::ABSENT,
        }
    }

    /// The value under a slot key.
    pub(crate) fn slot(self) -> U256 {
        match self {
            Self::Slot(value) => value,
            Self::Account(_) => U256::ZERO,
        }
    }
}

/// A [`Value`] in eleven words: a tag, then balance, nonce, generation and code hash, or the slot's value.
#[derive(Debug, Default)]
pub(crate) struct ValueCell(Words<11>);

const TAG_SLOT: u64 = 1;
const TAG_ABSENT: u64 = 2;
const TAG_PRESENT: u64 = 3;

impl Cell<Value> for ValueCell {
    fn load(&self) -> Value {
        let Self(words) = self;
        let tag = words.word(0);
        let number = U256::from_limbs(words.words(1));
        if tag == TAG_SLOT {
            return Value::Slot(number);
        }
        Value::Account(AccountState {
            balance: number,
            nonce: words.word(5),
            generation: words.word(6),
            code_hash: bytes_of(words.words(7)),
            exists: tag == TAG_PRESENT,
        })
    }

    fn store(&self, value: Value) {
        let Self(words) = self;
        match value {
            Value::Slot(number) => {
                words.set_word(0, TAG_SLOT);
                words.set_words(1, number.into_limbs());
            }
            Value::Account(account) => {
                words.set_word(0, if account.exists { TAG_PRESENT } else { TAG_ABSENT });
                words.set_words(1, account.balance.into_limbs());
                words.set_word(5, account.nonce);
                words.set_word(6, account.generation);
                words
                    .set_words(7, std::array::from_fn::<_, 4, _>(|at| word_of(&account.code_hash.0, 8 * at)));
            }
        }
    }
}

/// Eight bytes as a word, as they lie in memory.
fn word_of(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(std::array::from_fn(|byte| bytes[at + byte]))
}

/// Four words as bytes, as they lie in memory.
fn bytes_of(words: [u64; 4]) -> B256 {
    let mut bytes = B256::ZERO;
    for (bytes, word) in bytes.0.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_ne_bytes();
    }
    bytes
}

/// A [`Key`] in eight words: the address's head and the world; its tail; generation and slot.
#[derive(Debug, Default)]
pub(crate) struct KeyCell(Words<8>);

/// In the place of the generation, tells an account's key from a slot's, whose generation is less.
const ACCOUNT_KEY: u64 = u64::MAX;

impl Cell<Key> for KeyCell {
    fn load(&self) -> Key {
        let Self(words) = self;
        let [first, middle, last, generation] = words.words(0);
        let mut address = Address::ZERO;
        address[..4].copy_from_slice(&((first >> 32) as u32).to_ne_bytes());
        address[4..12].copy_from_slice(&middle.to_ne_bytes());
        address[12..].copy_from_slice(&last.to_ne_bytes());
        let world = first as u32;
        if generation == ACCOUNT_KEY {
            return Key::Account { world, address };
        }
        Key::Slot { world, address, generation, slot: U256::from_limbs(words.words(4)) }
    }

    fn store(&self, key: Key) {
        let Self(words) = self;
        let (world, address, generation) = match key {
            Key::Account { world, address } => (world, address, ACCOUNT_KEY),
            Key::Slot { world, address, generation, slot } => {
                words.set_words(4, slot.into_limbs());
                (world, address, generation)
            }
        };
        let head = u32::from_ne_bytes(std::array::from_fn(|byte| address[byte]));
        let first = u64::from(head) << 32 | u64::from(world);
        words.set_words(0, [first, word_of(&address.0.0, 4), word_of(&address.0.0, 12), generation]);
    }
}

/// What a step relied on of an account; `None` where it relied on nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountObservation {
    pub(crate) balance: Option<Observation<U256>>,
    pub(crate) nonce: Option<u64>,
    pub(crate) code_hash: B256,
    pub(crate) exists: Option<bool>,
    pub(crate) generation: Option<u64>,
    /// The balance that was seen, to tell whether it moved.
    pub(crate) seen: U256,
}

/// What a step relied on under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    Account(AccountObservation),
    Slot(U256),
}

impl Observed {
    pub(crate) fn check(&self, value: &Value) -> Check {
        match (self, value) {
            (Self::Slot(expected), Value::Slot(value)) => {
                if expected == value {
                    Check::Holds
                } else {
                    Check::Violated(STORAGE)
                }
            }
            (Self::Account(observation), Value::Account(account)) => observation.check(account),
            _ => Check::Violated(LIFE),
        }
    }
}

impl AccountObservation {
    fn check(&self, account: &AccountState) -> Check {
        if self.code_hash != account.code_hash {
            return Check::Violated(CODE);
        }
        if self.generation.is_some_and(|generation| generation != account.generation)
            || self.exists.is_some_and(|exists| exists != account.exists)
        {
            return Check::Violated(LIFE);
        }
        if self.nonce.is_some_and(|nonce| nonce != account.nonce) {
            return Check::Violated(NONCE);
        }
        match self.balance {
            _ if self.seen == account.balance => Check::Holds,
            None if account.balance < BALANCE_CAP => Check::Holds,
            None | Some(Observation::Exact(_)) => Check::Violated(BALANCE),
            Some(bound) if bound.holds(&account.balance) && account.balance < BALANCE_CAP => Check::Moved,
            Some(_) => Check::Violated(BALANCE),
        }
    }
}

/// What a step does to an account's existence and storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Nothing.
    Keep,
    /// Touches it: an account that is empty afterwards is removed if `clear_empty` (EIP-161), else it comes into
    /// being.
    Touch { clear_empty: bool },
    /// Creates a contract there, with empty storage.
    Create { generation: u64 },
    /// Removes it with its storage.
    Destroy { generation: u64 },
}

/// What a step does to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountEffect {
    pub(crate) balance: Option<Effect<U256>>,
    pub(crate) nonce: Option<u64>,
    pub(crate) code_hash: Option<B256>,
    pub(crate) life: Life,
}

impl AccountEffect {
    pub(crate) const NONE: Self = Self { balance: None, nonce: None, code_hash: None, life: Life::Keep };

    fn apply(&self, account: &mut AccountState) {
        match self.life {
            Life::Destroy { generation } => {
                *account = AccountState { generation, ..AccountState::ABSENT };
                return;
            }
            Life::Create { generation } => {
                account.generation = generation;
                account.exists = true;
            }
            Life::Keep | Life::Touch { .. } => {}
        }
        if let Some(balance) = &self.balance {
            account.balance = moved(account.balance, balance);
        }
        account.nonce = self.nonce.unwrap_or(account.nonce);
        account.code_hash = self.code_hash.unwrap_or(account.code_hash);
        if let Life::Touch { clear_empty } = self.life {
            account.exists = !(clear_empty && account.is_empty());
        } else {
            account.exists |= !account.is_empty();
        }
    }
}

/// A balance after an effect. A credit that overflows is dropped, as the EVM does; a debit wraps, which happens only
/// while speculating.
fn moved(balance: U256, effect: &Effect<U256>) -> U256 {
    match effect {
        Effect::Set(value) => *value,
        Effect::Add(Delta::Plus(amount)) => balance.checked_add(*amount).unwrap_or(balance),
        Effect::Add(Delta::Minus(amount)) => balance.wrapping_sub(*amount),
    }
}

/// What a step does under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Account(AccountEffect),
    Slot(U256),
}

impl Change {
    /// Whether that changed the value.
    pub(crate) fn apply(&self, value: &mut Value) -> bool {
        match (self, value) {
            (Self::Account(effect), Value::Account(account)) => {
                let before = *account;
                effect.apply(account);
                *account != before
            }
            (Self::Slot(new), Value::Slot(value)) => std::mem::replace(value, *new) != *new,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(balance: u64) -> AccountState {
        AccountState { balance: U256::from(balance), exists: true, ..AccountState::ABSENT }
    }

    #[test]
    fn a_cell_gives_back_what_was_stored() {
        let cell = ValueCell::default();
        let full = AccountState {
            balance: U256::MAX - U256::from(5),
            nonce: 7,
            code_hash: B256::repeat_byte(0xab),
            exists: true,
            generation: 9,
        };
        for value in [Value::Account(full), Value::Account(AccountState::ABSENT), Value::Slot(U256::MAX)] {
            cell.store(value);
            assert_eq!(cell.load(), value);
        }
    }

    #[test]
    fn a_key_cell_gives_back_what_was_stored() {
        let cell = KeyCell::default();
        let address = Address::from(std::array::from_fn(|byte| byte as u8 + 1));
        let slot = U256::MAX - U256::from(7);
        let keys = [
            Key::Account { world: 0, address: Address::ZERO },
            Key::Account { world: u32::MAX, address },
            Key::Slot { world: 3, address, generation: u64::MAX - 1, slot },
            Key::Slot { world: 0, address: Address::repeat_byte(0xff), generation: 0, slot: U256::ZERO },
            Key::Account { world: 1, address },
        ];
        for key in keys {
            cell.store(key);
            assert_eq!(cell.load(), key);
        }
    }

    #[test]
    fn a_bound_admits_larger_balances_and_reports_that_they_moved() {
        let observation = AccountObservation {
            balance: Some(Observation::AtLeast(U256::from(10))),
            nonce: None,
            code_hash: KECCAK256_EMPTY,
            exists: None,
            generation: None,
            seen: U256::from(20),
        };
        assert_eq!(observation.check(&account(20)), Check::Holds);
        assert_eq!(observation.check(&account(10)), Check::Moved);
        assert_eq!(observation.check(&account(9)), Check::Violated(BALANCE));
        let huge = AccountState { balance: BALANCE_CAP, ..account(0) };
        assert_eq!(observation.check(&huge), Check::Violated(BALANCE));
    }

    #[test]
    fn touching_an_empty_account_removes_it_only_after_eip_161() {
        let mut value = account(0);
        let touch = |clear_empty| AccountEffect { life: Life::Touch { clear_empty }, ..AccountEffect::NONE };
        touch(true).apply(&mut value);
        assert!(!value.exists);
        touch(false).apply(&mut value);
        assert!(value.exists);
    }
}
