//! The accounts of a case: who is there at first, and who will be.

use super::{Generator, SIGNERS};
use crate::common::asm::{asm, get, num, word};
use crate::common::contracts::*;
use crate::common::{Fork, at, ether};
use crate::fuzz::case::CaseAccount;
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;
use tandem_state::Account;

pub(super) const COUNTER: u64 = 1;
pub(super) const TOKEN: u64 = 2;
pub(super) const POT: u64 = 3;
pub(super) const INTERPRETER: u64 = 4;
pub(super) const OTHER_INTERPRETER: u64 = 5;
pub(super) const FACTORY2: u64 = 6;
pub(super) const FACTORY: u64 = 7;
pub(super) const FORWARDER: u64 = 8;
pub(super) const COPIER: u64 = 9;
pub(super) const SPENDER: u64 = 10;
pub(super) const VAULT_FACTORY: u64 = 11;
pub(super) const TIPPER: u64 = 12;
pub(super) const RESTORER: u64 = 13;
pub(super) const TELLER: u64 = 14;
pub(super) const DAWDLER: u64 = 15;
pub(super) const LOOKERS: [(u64, u8); 3] = [(20, op::BALANCE), (21, op::EXTCODEHASH), (22, op::EXTCODESIZE)];
pub(super) const RELAYS: [(u64, u8); 4] =
    [(30, op::CALL), (31, op::CALLCODE), (32, op::DELEGATECALL), (33, op::STATICCALL)];
const PROGRAMS: u64 = 40;
const USERS: u64 = 0x2000;
/// Who sends nothing but what is invalid.
pub(super) const OUTSIDER: u64 = 0x2100;
/// Those that know CREATE2.
pub(super) const FACTORIES: [u64; 2] = [FACTORY2, VAULT_FACTORY];
/// How many salts factories are called with.
pub(super) const SALTS: u64 = 3;

/// Sends what it gets to the beneficiary and notes what that has.
fn tipper() -> Vec<u8> {
    let beneficiary = || get(op::COINBASE);
    asm()
        .then(linger())
        .call(beneficiary(), get(op::CALLVALUE), 0)
        .op(op::POP)
        .log(beneficiary().op(op::BALANCE))
        .op(op::STOP)
        .build()
}

/// Says what it has, and sends one wei of it to the address in its input, if there is one.
fn teller(fork: Fork) -> Vec<u8> {
    let own = if fork >= Fork::Istanbul { get(op::SELFBALANCE) } else { get(op::ADDRESS).op(op::BALANCE) };
    let pays = asm().then(linger()).log(own).call(crate::common::asm::arg(0), num(1), 0).op(op::STOP);
    pays.build()
}

impl Generator {
    pub(super) fn cast(&mut self) {
        let vault = vault();
        self.children = vec![mortal(), vault.clone()];
        let contracts = [
            (COUNTER, counter()),
            (TOKEN, token()),
            (POT, mortal()),
            (INTERPRETER, interpreter()),
            (OTHER_INTERPRETER, interpreter()),
            (FACTORY2, factory2(&mortal())),
            (FACTORY, factory(&interpreter())),
            (FORWARDER, forwarder()),
            (COPIER, copier()),
            (SPENDER, spender()),
            (VAULT_FACTORY, factory2(&vault)),
            (TIPPER, tipper()),
            (RESTORER, restorer()),
            (TELLER, teller(self.fork)),
            (DAWDLER, (0..6).fold(asm(), |code, _| code.then(linger())).op(op::STOP).build()),
        ];
        let lookers = LOOKERS.map(|(n, opcode)| (n, looker(opcode)));
        let relays = RELAYS.map(|(n, opcode)| (n, relay(opcode)));
        self.users = (0..6).map(|n| at(USERS + n)).collect();
        self.users.extend(SIGNERS.iter().map(|signer| signer.address));
        self.programs = (0..5).map(|n| at(PROGRAMS + n)).collect();
        let tokens: Vec<_> =
            self.users.iter().map(|user| (word(*user), U256::from(self.rng.below(100)))).collect();
        let known = contracts.into_iter().chain(lookers).chain(relays);
        for (n, code) in known {
            let balance = U256::from(self.rng.below(3) * self.rng.below(50));
            let storage = if n == TOKEN { tokens.clone() } else { vec![] };
            self.add(CaseAccount { address: at(n), balance, nonce: 1, code: code.into(), storage });
            self.hot.push(at(n));
        }
        self.hot.extend(&self.users);
        self.hot.extend((0..4).map(Self::nobody));
        for salt in 0..SALTS {
            self.hot.push(address2(at(FACTORY2), salt, &mortal()));
            // Twice, since much depends on these coming and going.
            self.hot.extend([address2(at(VAULT_FACTORY), salt, &vault); 2]);
        }
        self.hot.extend((1..4).map(|nonce| at(FACTORY).create(nonce)));
        self.hot.extend((1..6).map(Address::with_last_byte));
        self.hot.push(crate::fuzz::case::CaseBlock::new(self.fork).beneficiary);
        self.hot.extend(&self.programs);
        self.fund_users();
        self.write_programs();
        self.set_system();
        for _ in 0..self.rng.below(4) {
            let address = self.target();
            self.case.slow.push(address);
        }
    }

    fn fund_users(&mut self) {
        self.add(CaseAccount { address: at(OUTSIDER), balance: ether(1), ..CaseAccount::default() });
        for (n, user) in self.users.clone().into_iter().enumerate() {
            let rich = n < 4 || self.rng.chance(50);
            let balance = if rich { ether(1) } else { U256::from(self.rng.below(40_000_000)) };
            if rich || self.rng.chance(60) {
                self.add(CaseAccount { address: user, balance, ..CaseAccount::default() });
            }
        }
        if self.rng.chance(30) {
            // An account that exists and is empty: only before EIP-161 could it come to be.
            self.add(CaseAccount { address: Self::nobody(0), ..CaseAccount::default() });
        }
        if self.rng.chance(30) {
            // Money where a contract will be.
            let address = address2(at(VAULT_FACTORY), 1, &vault());
            self.add(CaseAccount { address, balance: U256::from(5), ..CaseAccount::default() });
        }
        if self.rng.chance(4) {
            // So much that balances are observed exactly. More would not fit: where a sum overflows, revm's journal keeps the
            // payer's debit from one transaction to the next, so that plain execution is no yardstick.
            let balance = U256::from_limbs([self.rng.below(3), 0, 0, 1]) - U256::ONE;
            self.add(CaseAccount { address: Self::nobody(3), balance, ..CaseAccount::default() });
        }
    }

    fn write_programs(&mut self) {
        for address in self.programs.clone() {
            let code = self.programmer().runtime().into();
            let balance = U256::from(self.rng.below(3) * self.rng.below(50));
            let storage = (0..self.rng.below(3)).map(|slot| (U256::from(slot), U256::from(7))).collect();
            self.add(CaseAccount { address, balance, nonce: 1, code, storage });
        }
    }

    pub(super) fn add(&mut self, account: CaseAccount) {
        let CaseAccount { address, balance, nonce, code, storage } = &account;
        let state = &mut self.settler.state;
        let code_hash = state.add_code(code.clone());
        state.set_account(*address, Account { balance: *balance, nonce: *nonce, code_hash });
        for (slot, value) in storage {
            state.set_storage(*address, *slot, *value);
        }
        self.case.accounts.push(account);
    }

    /// Takes an account of the base away.
    pub(super) fn remove(&mut self, address: Address) {
        self.settler.state.remove_account(address);
        self.case.absent.push(address);
    }

    /// Whether there is CREATE2.
    pub(super) fn has_create2(&self) -> bool {
        self.fork >= Fork::Petersburg
    }
}

/// Writes into a slot what is there: at once, or after something else.
pub(super) fn restorer() -> Vec<u8> {
    let at = || crate::common::asm::arg(0);
    let old = || at().op(op::SLOAD);
    // The old value waits on the stack.
    asm()
        .then(old())
        .sstore(at(), num(1).then(old()).op(op::ADD))
        .then(at())
        .op(op::SSTORE)
        .sstore(at(), old())
        .op(op::STOP)
        .build()
}
