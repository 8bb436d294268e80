//! Random messages of every kind that could go wrong, for comparing with the reference.

use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;

use super::program::Program;
use super::world::{Chance, World};
use crate::step::Step;

/// Makes random tipsets over a world; each goes on from what the last one left.
pub struct Mix {
    chance: Chance,
    /// Strangers that may exist by now.
    strangers: u64,
    /// IDs given to created actors.
    created: u64,
}

/// The system calls contracts by this method.
const INVOKE: u64 = 3_844_450_837;

impl Mix {
    /// The same messages for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), strangers: 0, created: 0 }
    }

    /// So many steps.
    pub fn tipset(&mut self, world: &mut World, steps: usize) -> Vec<Step> {
        (0..steps).map(|_| self.step(world)).collect()
    }

    fn step(&mut self, world: &mut World) -> Step {
        let from = self.chance.below(world.accounts());
        match self.chance.below(40) {
            0 => {
                let mut message = match self.chance.one_in(2) {
                    true => world.send(from, world.account(0), 1),
                    false => world.call(from, world.contract(0), &Program::new().spin(10)),
                };
                match self.chance.below(4) {
                    0 => message.sequence += 1,
                    1 => message.gas_limit = 1_000,
                    2 => message.from = world.contract(0),
                    _ => message.gas_fee_cap = TokenAmount::from_whole(1_000_000),
                }
                world.take_back(from);
                World::step(message)
            }
            1 => {
                // More than it has, with the fee: the message executes and fails.
                let mut message = world.send(from, world.account(0), 0);
                message.value = TokenAmount::from_whole(10_000_000);
                World::step(message)
            }
            2..=4 => {
                let to = self.anybody(world);
                World::step(world.send(from, to, self.chance.number() % 1_000_000))
            }
            5 => {
                let to = self.somebody_new(world);
                World::step(world.send(from, to, 1))
            }
            6 => {
                let id = 200_000 + self.created;
                self.created += 1;
                let program = Program::new().create(&world.evm, id);
                World::step(world.call(from, Address::new_id(1), &program))
            }
            7 => {
                // A contract created earlier gets its state, or a call that fails.
                let id = 200_000 + self.chance.number() % (self.created + 1);
                World::step(world.call(from, Address::new_id(id), &Program::new().construct()))
            }
            8 => {
                let to = Address::new_id([2, 99, 10, 3][self.chance.below(4)]);
                match self.chance.one_in(2) {
                    true => World::step(world.send(from, to, 5)),
                    false => {
                        // A contract that burns funds, say.
                        let program = Program::new().call(&to, 0, 5, &Program::new(), false);
                        let contract = world.contract(self.chance.below(world.contracts()));
                        World::step(world.call(from, contract, &program))
                    }
                }
            }
            9 if self.chance.one_in(4) => {
                let mut message = world.call(from, world.contract(0), &Program::new().spin(10));
                message.from = Address::new_id(0);
                world.take_back(from);
                Step::Implicit { message }
            }
            kind => {
                let contract = match kind {
                    10..=17 => 0,
                    _ => self.chance.below(world.contracts()),
                };
                let mut program = Program::new();
                for _ in 0..1 + self.chance.below(3) {
                    program = self.operation(world, contract, program, 2);
                }
                let mut message = world.call(from, world.contract(contract), &program);
                if self.chance.one_in(12) {
                    message.gas_limit = 3_000_000 + self.chance.number() % 12_000_000;
                }
                if self.chance.one_in(8) {
                    message.value = TokenAmount::from_atto(self.chance.number() % 1_000);
                }
                World::step(message)
            }
        }
    }

    fn somebody_new(&mut self, world: &World) -> Address {
        self.strangers += 1;
        world.stranger(self.strangers)
    }

    /// An account, a contract, or an address that may or may not mean something.
    fn anybody(&mut self, world: &World) -> Address {
        match self.chance.below(6) {
            0 => world.contract(self.chance.below(world.contracts())),
            // One of the last that came into being, or one that may come next.
            1 => world.stranger(self.strangers.saturating_sub(6) + self.chance.number() % 8),
            _ => world.account(self.chance.below(world.accounts())),
        }
    }

    fn operation(&mut self, world: &World, contract: usize, program: Program, depth: usize) -> Program {
        // Some slots are there, some are not, some are everybody's.
        let slot = match self.chance.below(8) {
            0 => 0,
            1 => world.slots + self.chance.below(64),
            _ => self.chance.below(world.slots),
        };
        let key = World::key(contract, slot);
        match self.chance.below(24) {
            0..=8 => {
                let amount = 1 + self.chance.below(1_000) as i64;
                let other = World::key(contract, self.chance.below(world.slots));
                program.add(&key, -amount).add(&other, amount)
            }
            9 => program.add(&key, 1 << self.chance.below(40)),
            10 => program.set(&key, 0),
            11 => program.set(&key, self.chance.number() >> self.chance.below(64)),
            12 => program.get(&key),
            13 => program.event(&self.chance.number().to_be_bytes()),
            14 => program.spin(self.chance.number() % 3_000),
            15 => program.own_balance(),
            16 => program.balance_of(world.contract_id(self.chance.below(world.contracts()))),
            17 => program.resolve(&self.anybody(world)),
            18 => match self.chance.one_in(2) {
                true => program.code_of(200_000 + self.chance.number() % (self.created + 1)),
                false => program.delegated_of(world.contract_id(contract)),
            },
            19 => match self.chance.below(6) {
                0 => program.trap(),
                1 => program.exit(20),
                2 => program.set_nonce(1 + self.chance.below(20) as u8),
                _ => program.get_nonce(),
            },
            20 => {
                let to = self.anybody(world);
                program.call(&to, 0, self.chance.number() % 100, &Program::new(), false)
            }
            _ if depth > 0 => {
                let callee = match self.chance.one_in(5) {
                    true => contract,
                    false => self.chance.below(world.contracts()),
                };
                let inner = self.operation(world, callee, Program::new(), depth - 1);
                let value = self.chance.number() % 3;
                let read_only = self.chance.one_in(5);
                program.call(&world.contract(callee), INVOKE, value, &inner, read_only)
            }
            _ => program.get(&key),
        }
    }
}
