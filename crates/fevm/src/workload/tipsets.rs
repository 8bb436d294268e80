//! Tipsets of one kind each, for measuring.

use fvm_shared::message::Message;

use super::program::Program;
use super::world::{Chance, World};
use crate::step::Step;

/// A kind of tipset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Token transfers, over 100 tokens.
    Tokens,
    /// Transfers of one token with 5,000 holders.
    Popular,
    /// Every message changes the same slot.
    Hot,
    /// Swaps at ten exchanges, each with two reserves in a contract of eight slots.
    Exchange,
    /// Contracts that compute for milliseconds.
    Compute,
    /// Value from account to account.
    Sends,
    /// New contracts.
    Deploys,
    /// Calls that exit, trap or run out of gas.
    Failing,
    /// Contracts that call contracts.
    Nested,
    /// Calls of actors that are no contracts.
    Native,
    /// All of these, in proportions like mainnet's.
    Mixed,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Tokens,
        Self::Popular,
        Self::Hot,
        Self::Exchange,
        Self::Compute,
        Self::Sends,
        Self::Deploys,
        Self::Failing,
        Self::Nested,
        Self::Native,
        Self::Mixed,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Popular => "popular",
            Self::Hot => "hot",
            Self::Exchange => "exchange",
            Self::Compute => "compute",
            Self::Sends => "sends",
            Self::Deploys => "deploys",
            Self::Failing => "failing",
            Self::Nested => "nested",
            Self::Native => "native",
            Self::Mixed => "mixed",
        }
    }

    /// The world it needs.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn world(self) -> anyhow::Result<World> {
        match self {
            Self::Popular => World::new(2_000, 1, 5_000),
            Self::Exchange => World::new(2_000, 10, 8),
            _ => World::new(2_000, 100, 200),
        }
    }

    /// A tipset of so many messages.
    pub fn tipset(self, world: &mut World, messages: usize, chance: &mut Chance) -> Vec<Step> {
        let message = |_| World::step(self.message(world, chance));
        (0..messages).map(message).collect()
    }

    fn message(self, world: &mut World, chance: &mut Chance) -> Message {
        let from = chance.below(world.accounts());
        let contract = chance.below(world.contracts());
        let slot = chance.below(world.slots);
        let to = world.contract(contract);
        match self {
            Self::Tokens | Self::Popular => {
                let other = (slot + 1 + chance.below(world.slots - 1)) % world.slots;
                world.call(from, to, &transfer(contract, slot, other, 1 + chance.below(1_000)))
            }
            Self::Hot => {
                let to = world.contract(0);
                world.call(from, to, &Program::new().add(&World::key(0, 0), 1))
            }
            Self::Exchange => {
                let amount = 1 + chance.below(1_000) as i64;
                let program = Program::new()
                    .add(&World::key(contract, 0), amount)
                    .add(&World::key(contract, 1), -amount)
                    .event(&amount.to_be_bytes());
                world.call(from, to, &program)
            }
            Self::Compute => world.call(from, to, &Program::new().spin(1_000_000)),
            Self::Sends => {
                let to = world.account(chance.below(world.accounts()));
                world.send(from, to, 1 + chance.below(1_000) as u64)
            }
            Self::Deploys => {
                // IDs above those of all contracts, below those that init gives.
                let id = 100_000 + chance.number() % 800_000;
                let program = Program::new().create(&world.evm, id);
                let to = fvm_shared::address::Address::new_id(1);
                world.call(from, to, &program)
            }
            Self::Failing => {
                let key = World::key(contract, slot);
                let program = Program::new().add(&key, 1).spin(2_000);
                match chance.below(3) {
                    0 => world.call(from, to, &program.exit(33)),
                    1 => world.call(from, to, &program.trap()),
                    _ => {
                        let mut message = world.call(from, to, &program);
                        message.gas_limit = 8_000_000;
                        message
                    }
                }
            }
            Self::Nested => {
                let callee = chance.below(world.contracts());
                let inner = Program::new().add(&World::key(callee, slot), 1);
                let program = Program::new().add(&World::key(contract, slot), 1).call(
                    &world.contract(callee),
                    3_844_450_837,
                    0,
                    &inner,
                    false,
                );
                world.call(from, to, &program)
            }
            Self::Native => {
                let other = chance.below(world.accounts());
                let program = Program::new().spin(500);
                world.call(from, world.account(other), &program)
            }
            Self::Mixed => {
                // In hundredths.
                let kind = match chance.below(100) {
                    0..=44 => Self::Tokens,
                    45..=54 => Self::Sends,
                    55..=64 => Self::Nested,
                    65..=74 => Self::Compute,
                    75..=84 => Self::Native,
                    85..=89 => Self::Failing,
                    90..=92 => Self::Deploys,
                    93..=96 => Self::Exchange,
                    _ => Self::Hot,
                };
                kind.message(world, chance)
            }
        }
    }
}

/// A token's transfer: two balances and an event.
fn transfer(contract: usize, from: usize, to: usize, amount: usize) -> Program {
    Program::new()
        .add(&World::key(contract, from), -(amount as i64))
        .add(&World::key(contract, to), amount as i64)
        .event(&(amount as u64).to_be_bytes())
}
