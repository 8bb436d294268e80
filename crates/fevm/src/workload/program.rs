//! The test actor's program: its parameters are a list of operations.

use cid::Cid;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::ActorID;
use fvm_shared::address::Address;

/// A list of operations, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program(Vec<u8>);

impl Program {
    /// One that does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn op(mut self, code: u8, parts: &[&[u8]]) -> Self {
        self.0.push(code);
        for part in parts {
            self.0.extend_from_slice(part);
        }
        self
    }

    /// Adds to a slot; fails with exit code 34 if the sum is below zero. A slot that comes to zero ceases to be.
    #[must_use]
    pub fn add(self, key: &[u8; 32], delta: i64) -> Self {
        self.op(1, &[key, &delta.to_le_bytes()])
    }

    /// Sets a slot.
    #[must_use]
    pub fn set(self, key: &[u8; 32], value: u64) -> Self {
        self.op(2, &[key, &value.to_le_bytes()])
    }

    /// Appends a slot to the result.
    #[must_use]
    pub fn get(self, key: &[u8; 32]) -> Self {
        self.op(3, &[key])
    }

    /// Computes for so many rounds.
    #[must_use]
    pub fn spin(self, rounds: u64) -> Self {
        self.op(4, &[&rounds.to_le_bytes()])
    }

    /// Calls an actor with value (in atto) and parameters; appends the error number and the exit code.
    #[must_use]
    pub fn call(self, to: &Address, method: u64, value: u64, program: &Self, read_only: bool) -> Self {
        let to = to.to_bytes();
        let params = match program.0.is_empty() {
            true => Vec::new(),
            false => program.bytes(),
        };
        self.op(
            5,
            &[
                &[u8::from(read_only), to.len() as u8],
                &to,
                &method.to_le_bytes(),
                &value.to_le_bytes(),
                &u64::MAX.to_le_bytes(),
                &(params.len() as u64).to_le_bytes(),
                &params,
            ],
        )
    }

    /// Appends its own balance.
    #[must_use]
    pub fn own_balance(self) -> Self {
        self.op(6, &[])
    }

    /// Appends an actor's balance.
    #[must_use]
    pub fn balance_of(self, id: ActorID) -> Self {
        self.op(7, &[&id.to_le_bytes()])
    }

    /// Emits an event.
    #[must_use]
    pub fn event(self, data: &[u8; 8]) -> Self {
        self.op(8, &[&[8], data])
    }

    /// Traps.
    #[must_use]
    pub fn trap(self) -> Self {
        self.op(9, &[])
    }

    /// Exits with a code, from 16 on.
    #[must_use]
    pub fn exit(self, code: u64) -> Self {
        self.op(10, &[&code.to_le_bytes()])
    }

    /// Appends the meaning of an address.
    #[must_use]
    pub fn resolve(self, address: &Address) -> Self {
        let address = address.to_bytes();
        self.op(11, &[&[address.len() as u8], &address])
    }

    /// Appends a part of an actor's code CID.
    #[must_use]
    pub fn code_of(self, id: ActorID) -> Self {
        self.op(12, &[&id.to_le_bytes()])
    }

    /// Appends the length of an actor's delegated address.
    #[must_use]
    pub fn delegated_of(self, id: ActorID) -> Self {
        self.op(13, &[&id.to_le_bytes()])
    }

    /// Creates an actor; only the init actor may.
    #[must_use]
    pub fn create(self, code: &Cid, id: ActorID) -> Self {
        self.op(14, &[&code.to_bytes(), &id.to_le_bytes()])
    }

    /// Makes its state that of a new contract without slots.
    #[must_use]
    pub fn construct(self) -> Self {
        self.op(15, &[])
    }

    /// Destroys itself.
    #[must_use]
    pub fn destruct(self) -> Self {
        self.op(16, &[])
    }

    /// Sets the nonce in its state tuple, below 24.
    #[must_use]
    pub fn set_nonce(self, nonce: u8) -> Self {
        self.op(17, &[&[nonce]])
    }

    /// Appends the nonce in its state tuple.
    #[must_use]
    pub fn get_nonce(self) -> Self {
        self.op(18, &[])
    }

    /// Has actor 10 create a contract with value (in atto), which runs the program; appends the error number, the exit code and the
    /// contract's ID. The actor in WebAssembly text cannot.
    #[must_use]
    pub fn deploy(self, value: u64, program: &Self) -> Self {
        let program = program.bytes();
        self.op(19, &[&value.to_le_bytes(), &(program.len() as u64).to_le_bytes(), &program])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.push(0);
        bytes
    }

    /// The changes of the operations in a message's parameters, in calls too. Anything but a list of operations changes nothing.
    pub(crate) fn changes(params: &[u8]) -> Vec<Change> {
        let (mut found, mut rest) = (Vec::new(), params);
        while let Some(left) = change(rest, &mut found) {
            rest = left;
        }
        found
    }

    /// As a message's parameters.
    pub fn params(&self) -> RawBytes {
        RawBytes::new(self.bytes())
    }
}

/// A change of one message that others may make, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// The slot of this key.
    Slot([u8; 32]),
    /// The actors that there are.
    Actors,
}

/// Reads an operation and notes what it changes or reads. Gives the rest, if there is one.
fn change<'a>(program: &'a [u8], found: &mut Vec<Change>) -> Option<&'a [u8]> {
    let (op, rest) = program.split_first()?;
    let size = match op {
        1 | 2 => 40,
        3 => 32,
        4 | 7 | 10 | 12 | 13 => 8,
        5 => {
            let to = 2 + usize::from(*rest.get(1)?);
            let size = u64::from_le_bytes(rest.get(to + 24..to + 32)?.try_into().ok()?);
            let end = usize::try_from(size).ok()?.checked_add(to + 32)?;
            found.extend(Program::changes(rest.get(to + 32..end)?));
            end
        }
        8 | 11 => 1 + usize::from(*rest.first()?),
        19 => {
            let size = u64::from_le_bytes(rest.get(8..16)?.try_into().ok()?);
            let end = usize::try_from(size).ok()?.checked_add(16)?;
            found.extend(Program::changes(rest.get(16..end)?));
            end
        }
        14 => 46,
        17 => 1,
        6 | 9 | 15 | 16 | 18 => 0,
        _ => return None,
    };
    match op {
        1..=3 => found.push(Change::Slot(rest.get(..32)?.try_into().ok()?)),
        14 | 19 => found.push(Change::Actors),
        _ => {}
    }
    rest.get(size..)
}
