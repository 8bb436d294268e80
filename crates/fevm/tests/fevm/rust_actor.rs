//! Programs of the actor in Rust: contracts that call one another and themselves, slots that come and go so that nodes split and
//! collapse, and contracts that create contracts.
//!
//! These tests need Debian's rustc-web and rust-web-src. Where there are none they are skipped, unless `TANDEM_FEVM_RUST` is 1.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::common::{self, Pair, TIPSET, messages};
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use tandem_fevm::workload::{Chance, Program, World};
use tandem_fevm::{Checks, Config, Conflict, Stats, Step, TipsetResult};

/// The method that calls a contract.
const INVOKE: u64 = 3_844_450_837;

/// Messages to try in each configuration.
const MESSAGES: usize = 1_000;

/// The actor, compiled once.
fn actor() -> Option<&'static [u8]> {
    static ACTOR: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let compile = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("actor.wasm");
        let output = Command::new(root.join("scripts/actor/build")).arg(&file).output();
        let output = output.expect("scripts/actor/build starts");
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => Some(std::fs::read(file).expect("the actor")),
            Some(2) if std::env::var("TANDEM_FEVM_RUST").as_deref() != Ok("1") => {
                println!("skipped: {said}");
                None
            }
            _ => panic!("scripts/actor/build: {said}"),
        }
    };
    ACTOR.get_or_init(compile).as_deref()
}

/// The actor's counters; its results start with them.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u64,
    reentered: u64,
    splits: u64,
    collapses: u64,
    created: u64,
}

impl Counts {
    /// Of one message. A failed one has no result, and has changed nothing.
    fn of(result: &tandem_fevm::MessageResult) -> Self {
        let data = result.receipt.return_data.bytes();
        if result.receipt.exit_code != ExitCode::OK || data.len() < 40 {
            return Self::default();
        }
        let number = |index: usize| u64::from_le_bytes(data[8 * index..][..8].try_into().expect("8 bytes"));
        Self {
            calls: number(0),
            reentered: number(1),
            splits: number(2),
            collapses: number(3),
            created: number(4),
        }
    }

    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.reentered += other.reentered;
        self.splits += other.splits;
        self.collapses += other.collapses;
        self.created += other.created;
    }

    fn all(result: &TipsetResult) -> Self {
        let mut all = Self::default();
        for message in &result.results {
            all.add(Self::of(message));
        }
        all
    }

    fn assert_all_occur(self) {
        let Self { calls, reentered, splits, collapses, created } = self;
        assert!([calls, reentered, splits, collapses, created].iter().all(|count| *count > 0), "{self:?}");
    }
}

/// Makes random programs.
struct Programs {
    chance: Chance,
    /// Addresses at which a send may have created an account.
    strangers: u64,
}

impl Programs {
    fn tipset(&mut self, world: &mut World) -> Vec<Step> {
        (0..TIPSET).map(|_| self.step(world)).collect()
    }

    fn step(&mut self, world: &mut World) -> Step {
        let from = self.chance.below(world.accounts());
        match self.chance.below(40) {
            0 => {
                let program = self.program(world, &mut vec![0], 1);
                World::step(world.deploy(from, &program))
            }
            1 => {
                // An account, a placeholder, or an actor where a contract is going to be.
                let to = match self.chance.below(3) {
                    0 => self.account(),
                    1 => world.stranger(self.chance.number() % 20),
                    _ => self.created(world),
                };
                World::step(world.send(from, to, self.chance.number() % 1_000))
            }
            2 => {
                let program = self.program(world, &mut vec![0], 1);
                let to = self.created(world);
                World::step(world.call(from, to, &program))
            }
            3 => {
                let to = world.contract(self.chance.below(world.contracts()));
                World::step(world.send(from, to, self.chance.number() % 1_000))
            }
            _ => {
                let contract = self.contract(world);
                let program = self.program(world, &mut vec![contract], 3);
                let mut message = world.call(from, world.contract(contract), &program);
                if self.chance.one_in(16) {
                    message.gas_limit = 5_000_000 + self.chance.number() % 40_000_000;
                }
                if self.chance.one_in(16) {
                    message.value = TokenAmount::from_atto(self.chance.number() % 1_000);
                }
                World::step(message)
            }
        }
    }

    /// Half of all calls are of one contract.
    fn contract(&mut self, world: &World) -> usize {
        match self.chance.one_in(2) {
            true => 0,
            false => self.chance.below(world.contracts()),
        }
    }

    fn account(&mut self) -> Address {
        self.strangers += 1;
        let mut key = [4; 65];
        key[..8]
            .copy_from_slice(&(self.strangers - self.chance.number() % self.strangers.min(3)).to_be_bytes());
        Address::new_secp256k1(&key).expect("an address")
    }

    /// A contract that may have been created.
    fn created(&mut self, world: &World) -> Address {
        match self.chance.one_in(2) {
            true => Address::new_id(World::FIRST_CREATED + self.chance.number() % 60),
            false => {
                let creator = world.contract_id(self.chance.below(world.contracts()));
                World::created_by(creator, 1 + self.chance.number() % 12)
            }
        }
    }

    /// A program for the last one of the contracts that are running.
    fn program(&mut self, world: &World, running: &mut Vec<usize>, depth: usize) -> Program {
        let mut program = Program::new();
        for _ in 0..1 + self.chance.below(4) {
            program = self.operation(world, program, running, depth);
        }
        program
    }

    fn operation(
        &mut self,
        world: &World,
        program: Program,
        running: &mut Vec<usize>,
        depth: usize,
    ) -> Program {
        let contract = running.last().copied().unwrap_or_default();
        let key = self.key(world, contract);
        match self.chance.below(24) {
            0..=4 => program.set(&key, self.chance.number() >> self.chance.below(64)),
            5..=9 => program.set(&key, 0),
            10..=12 => program.add(&key, 1 + self.chance.below(1_000) as i64),
            13 | 14 => program.get(&key),
            15 => match self.chance.below(12) {
                0 => program.trap(),
                1 => program.exit(20),
                2 => program.own_balance(),
                3 => program.balance_of(world.contract_id(self.chance.below(world.contracts()))),
                4 => program.get_nonce(),
                5 => program.resolve(&self.created(world)),
                6 => program.code_of(World::FIRST_CREATED + self.chance.number() % 60),
                7 => program.spin(self.chance.number() % 1_000),
                _ => program.event(&self.chance.number().to_be_bytes()),
            },
            16 if depth > 0 && self.chance.one_in(2) => {
                let created = self.program(world, &mut vec![contract], depth - 1);
                program.deploy(self.chance.number() % 3, &created)
            }
            _ if depth > 0 => {
                // One that is running, one that is called often, or a contract that may have been created.
                let (to, callee) = match self.chance.below(8) {
                    0 => (self.created(world), 0),
                    1..=3 => {
                        let callee = running[self.chance.below(running.len())];
                        (world.contract(callee), callee)
                    }
                    _ => {
                        let callee = self.contract(world);
                        (world.contract(callee), callee)
                    }
                };
                running.push(callee);
                let inner = self.program(world, running, depth - 1);
                running.pop();
                let (value, read_only) = (self.chance.number() % 3, self.chance.one_in(8));
                program.call(&to, INVOKE, value, &inner, read_only)
            }
            _ => program.set(&key, 1),
        }
    }

    /// A key that is there or not, and stands in the tree beside others in several ways.
    fn key(&mut self, world: &World, contract: usize) -> [u8; 32] {
        let mut key = World::key(contract, self.chance.below(world.slots + 200));
        match self.chance.below(8) {
            0 => {
                key = [0; 32];
                key[31] = self.chance.below(64) as u8;
            }
            1 => {
                key = [0xab; 32];
                key[30..].copy_from_slice(&(self.chance.below(600) as u16).to_be_bytes());
            }
            // The same path for a while.
            2 => {
                let mut key = World::key(contract, self.chance.below(30));
                key[1 + self.chance.below(31)..].fill(self.chance.below(3) as u8);
                return key;
            }
            // The same path to the last bit.
            3 => key[31] ^= 1,
            _ => {}
        }
        key
    }
}

fn compare(actor: &[u8], name: &str, config: Config, counts: &mut Counts) -> Stats {
    let world = || World::running(actor, 40, 6, 600).expect("a world");
    let tipsets = |seed| {
        let mut programs = Programs { chance: Chance::new(seed), strangers: 0 };
        move |world: &mut World| programs.tipset(world)
    };
    let mut mine = Counts::default();
    let count = |_: &[Step], result: &TipsetResult| mine.add(Counts::all(result));
    let name = format!("the actor in Rust, {name}");
    let stats =
        common::compare((&name, messages(MESSAGES)), |pair| pair.executor(config), world, tipsets, count);
    println!("{name}: {mine:?}");
    counts.add(mine);
    stats
}

#[test]
fn programs_in_rust_in_lockstep() {
    let Some(actor) = actor() else { return };
    let (mut stats, mut counts) = (Stats::default(), Counts::default());
    for width in [2, 16, TIPSET] {
        stats.add(&compare(actor, &format!("lockstep {width}"), Config::new(2).lockstep(width), &mut counts));
    }
    assert!(stats.kept > 0 && stats.merged > 0 && stats.reexecuted() > 0, "{stats:?}");
    counts.assert_all_occur();
}

#[test]
fn programs_in_rust_on_one_two_and_four_threads() {
    let Some(actor) = actor() else { return };
    for threads in [1, 2, 4] {
        let mut counts = Counts::default();
        let stats = compare(actor, &format!("{threads} threads"), Config::new(threads), &mut counts);
        assert_eq!(threads > 1, stats.kept > 0);
        counts.assert_all_occur();
    }
}

/// Random programs find it out where one of these checks is missing.
#[test]
fn programs_in_rust_differ_without_a_check() {
    let Some(actor) = actor() else { return };
    let all = Checks::default();
    let checks = [
        ("structural", Checks { structural: false, ..all }),
        ("states", Checks { states: false, ..all }),
        ("shapes", Checks { shapes: false, ..all }),
    ];
    let mut pair = Pair::new(World::running(actor, 40, 6, 600).expect("a world"));
    let steps = Programs { chance: Chance::new(1), strangers: 0 }.tipset(&mut pair.world);
    let expected = pair.reference(&steps);
    for (name, checks) in checks {
        let careless = pair.executor(Config::new(2).lockstep(TIPSET).checks(checks));
        let result = pair.execute(&careless, &steps);
        assert!(result.compare(&expected).is_err(), "nothing differs without {name}");
    }
}

/// A world of one contract, and the counts of steps that are all speculated on in its first state.
fn lockstep(steps: impl FnOnce(&mut World) -> Vec<Step>) -> Option<(TipsetResult, Vec<Counts>)> {
    let mut pair = Pair::new(World::running(actor()?, 40, 3, 2_000).expect("a world"));
    let steps = steps(&mut pair.world);
    let expected = pair.reference(&steps);
    let result = pair.execute(&pair.executor(Config::new(2).lockstep(steps.len())), &steps);
    result.compare(&expected).expect("the same");
    let counts = result.results.iter().map(Counts::of).collect();
    Some((result, counts))
}

/// Keys by the place that they have in the root.
fn keys_by_place(from: usize) -> [[u8; 32]; 32] {
    let mut keys = [[0; 32]; 32];
    for slot in from..from + 1_000 {
        let key = World::key(0, slot);
        keys[usize::from(key[0] >> 3)] = key;
    }
    keys
}

/// Slots come under different places of the root, each where another slot was: nodes split, and the messages merge.
#[test]
fn nodes_that_split_merge() {
    let made = lockstep(|world| {
        let mut steps = Vec::new();
        for (from, mut key) in keys_by_place(0).into_iter().enumerate() {
            key[31] ^= 1;
            let to = world.contract(0);
            steps.push(World::step(world.call(from, to, &Program::new().set(&key, 7))));
        }
        steps
    });
    let Some((result, counts)) = made else { return };
    assert!(counts.iter().all(|counts| counts.splits == 1), "{counts:?}");
    assert_eq!((result.stats.kept, result.stats.merged), (32, 31), "{:?}", result.stats);
}

/// Slots go, so that nodes collapse, and the messages merge.
#[test]
fn nodes_that_collapse_merge() {
    let mut pair = match actor() {
        Some(actor) => Pair::new(World::running(actor, 40, 1, 2_000).expect("a world")),
        None => return,
    };
    for value in [7, 0] {
        let mut steps = Vec::new();
        for (from, mut key) in keys_by_place(0).into_iter().enumerate() {
            key[31] ^= 1;
            let to = pair.world.contract(0);
            steps.push(World::step(pair.world.call(from, to, &Program::new().set(&key, value))));
        }
        let expected = pair.reference(&steps);
        let result = pair.execute(&pair.executor(Config::new(2).lockstep(steps.len())), &steps);
        result.compare(&expected).expect("the same");
        pair.world.advance(result.root);
        let counts = Counts::all(&result);
        assert_eq!((counts.splits, counts.collapses), if value == 7 { (32, 0) } else { (0, 32) });
        assert_eq!((result.stats.kept, result.stats.merged), (32, 31), "{:?}", result.stats);
    }
}

/// A contract that is called back while it runs writes twice; that is not merged, and exact.
#[test]
fn a_contract_that_is_called_back_is_taken_as_a_whole() {
    let made = lockstep(|world| {
        let keys = keys_by_place(0);
        let (one, other) = (world.contract(0), world.contract(1));
        let mut steps = Vec::new();
        for (from, key) in keys.iter().enumerate().take(8) {
            let back = Program::new().add(key, 5);
            let middle = Program::new().call(&one, INVOKE, 0, &back, false);
            let program = Program::new().add(key, 1).call(&other, INVOKE, 0, &middle, false).get(key);
            steps.push(World::step(world.call(from, one, &program)));
        }
        steps
    });
    let Some((result, counts)) = made else { return };
    assert!(counts.iter().all(|counts| counts.calls == 2 && counts.reentered == 1), "{counts:?}");
    assert_eq!(result.stats.conflicts[Conflict::State as usize], 7, "{:?}", result.stats);
    // The slot, as the outer program reads it in the end.
    let value = (1_u64 << 40) + 6;
    assert!(result.results.iter().all(|r| r.receipt.return_data.bytes().ends_with(&value.to_le_bytes())));
}

/// Contracts get their IDs in the order of messages, one of them at an address that received something before, and can be called.
#[test]
fn contracts_are_created_in_order() {
    let made = lockstep(|world| {
        let key = World::key(0, 0);
        let slot = Program::new().set(&key, 3);
        let mut steps = vec![World::step(world.send(0, World::created_by(world.contract_id(1), 1), 5))];
        for from in 1..5 {
            steps.push(World::step(world.deploy(from, &slot)));
        }
        let (creator, placeholder) = (world.contract(1), World::created_by(world.contract_id(1), 1));
        steps.push(World::step(world.call(5, creator, &Program::new().deploy(2, &slot))));
        steps.push(World::step(world.call(6, placeholder, &Program::new().get(&key).own_balance())));
        steps
    });
    let Some((result, counts)) = made else { return };
    assert!(result.results.iter().all(|r| r.receipt.exit_code == ExitCode::OK), "{:?}", result.results);
    let created: Vec<u64> = counts.iter().map(|counts| counts.created).collect();
    assert_eq!(created, [0, 1, 1, 1, 1, 1, 0]);
    let last = |index: usize, size: usize| {
        let data = result.results[index].receipt.return_data.bytes();
        data[data.len() - size..]
            .chunks(8)
            .map(|n| u64::from_le_bytes(n.try_into().expect("8 bytes")))
            .collect()
    };
    let ids: Vec<Vec<u64>> = (1..6).map(|index| last(index, 8)).collect();
    let first = World::FIRST_CREATED;
    assert_eq!(ids.concat(), [first + 1, first + 2, first + 3, first + 4, first]);
    let read: Vec<u64> = last(6, 16);
    assert_eq!(read, [3, 7]);
    assert_eq!(result.stats.conflicts[Conflict::Structural as usize], 7, "{:?}", result.stats);
}
