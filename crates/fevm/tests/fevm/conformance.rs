//! Ignored dependencies: for each check of validation a tipset whose second message depends on its first through what that
//! check looks at. With all checks the results are the reference's; without that one they are not.

use super::common::Pair;
use fvm_shared::address::Address;
use fvm_shared::econ::TokenAmount;
use tandem_fevm::workload::{Program, World};
use tandem_fevm::{Checks, Config, Conflict, Step};

/// All steps are speculated on in the state before the first.
fn check(
    turn_off: impl FnOnce(&mut Checks),
    conflict: Conflict,
    steps: impl FnOnce(&mut World) -> Vec<Step>,
) {
    let mut pair = Pair::new(World::new(8, 3, 60).expect("a world"));
    let steps = steps(&mut pair.world);
    let expected = pair.reference(&steps);
    let config = Config::new(2).lockstep(steps.len());
    let exact = pair.execute(&pair.executor(config.clone()), &steps);
    exact.compare(&expected).expect("all checks");
    let seen = exact.stats.conflicts[conflict as usize];
    assert!(seen > 0, "no conflict of this kind: {:?}", exact.stats);
    let mut checks = Checks::default();
    turn_off(&mut checks);
    let careless = pair.execute(&pair.executor(config.checks(checks)), &steps);
    assert!(careless.compare(&expected).is_err(), "the check is not needed: {:?}", careless.stats);
}

fn call(world: &mut World, from: usize, contract: usize, program: &Program) -> Step {
    let to = world.contract(contract);
    World::step(world.call(from, to, program))
}

#[test]
fn a_message_that_cannot_start_changes_nothing() {
    check(
        |checks| checks.structural = false,
        Conflict::Structural,
        |world| {
            let mut message = world.send(0, world.account(1), 1);
            message.from = world.contract(0);
            vec![World::step(message)]
        },
    );
}

#[test]
fn an_address_that_meant_nothing_may_mean_something() {
    check(
        |checks| checks.resolutions = false,
        Conflict::Resolution,
        |world| {
            let stranger = world.stranger(1);
            let create = World::step(world.send(0, stranger, 1));
            vec![create, call(world, 1, 0, &Program::new().resolve(&stranger))]
        },
    );
}

#[test]
fn an_actor_may_come_into_being() {
    check(
        |checks| checks.identities = false,
        Conflict::Identity,
        |world| {
            let create = Program::new().create(&world.evm, 5_000);
            let create = World::step(world.call(0, Address::new_id(1), &create));
            vec![create, call(world, 1, 0, &Program::new().code_of(5_000))]
        },
    );
}

#[test]
fn a_sequence_counts_once() {
    check(
        |checks| checks.sender = false,
        Conflict::Sender,
        |world| {
            let first = call(world, 0, 0, &Program::new().spin(1));
            vec![first.clone(), first]
        },
    );
}

#[test]
fn funds_may_have_gone() {
    check(
        |checks| checks.sender = false,
        Conflict::Sender,
        |world| {
            let rest = TokenAmount::from_whole(999_999);
            let mut first = world.send(0, world.account(1), 0);
            first.value = rest.clone();
            let mut second = world.send(0, world.account(2), 0);
            second.value = rest;
            vec![World::step(first), World::step(second)]
        },
    );
}

#[test]
fn a_balance_may_have_been_read() {
    check(
        |checks| checks.balances = false,
        Conflict::Balance,
        |world| {
            let pay = World::step(world.send(0, world.contract(0), 5));
            vec![pay, call(world, 1, 0, &Program::new().own_balance())]
        },
    );
}

#[test]
fn a_contract_may_have_spent_its_funds() {
    check(
        |checks| checks.balances = false,
        Conflict::Balance,
        |world| {
            let ten = 10_000_000_000_000_000_000;
            let to = world.account(3);
            let spend = Program::new().call(&to, 0, ten, &Program::new(), false);
            vec![call(world, 0, 0, &spend), call(world, 1, 0, &spend)]
        },
    );
}

#[test]
fn fields_beside_the_slots_are_state_too() {
    check(
        |checks| checks.states = false,
        Conflict::State,
        |world| {
            let set = call(world, 0, 0, &Program::new().set_nonce(5));
            vec![set, call(world, 1, 0, &Program::new().get_nonce())]
        },
    );
}

/// The first negative control: a slot beside the one that is read makes its node longer, which costs gas.
#[test]
fn a_node_may_have_another_shape() {
    check(
        |checks| checks.shapes = false,
        Conflict::Slots,
        |world| {
            let mut steps = Vec::new();
            for slot in 100..110 {
                steps.push(call(world, 0, 0, &Program::new().set(&World::key(0, slot), 7)));
            }
            for slot in 0..10 {
                steps.push(call(world, 1, 0, &Program::new().get(&World::key(0, slot))));
            }
            steps
        },
    );
}

/// The second negative control: a value of the same length, in a node that was opened, may be the one that was read.
#[test]
fn a_value_of_equal_length_may_have_been_read() {
    check(
        |checks| checks.siblings = false,
        Conflict::Slots,
        |world| {
            let key = World::key(0, 4);
            let change = call(world, 0, 0, &Program::new().add(&key, 1));
            vec![change, call(world, 1, 0, &Program::new().get(&key))]
        },
    );
}

#[test]
fn burnt_funds_may_be_sent_to() {
    check(
        |checks| checks.reserved = false,
        Conflict::Reserved,
        |world| vec![World::step(world.send(0, Address::new_id(99), 5))],
    );
}

/// An actor that is not known to be the EVM actor is taken as a whole: exact, and never merged.
#[test]
fn unknown_code_is_taken_as_a_whole() {
    let mut pair = Pair::new(World::new(8, 1, 60).expect("a world"));
    let mut steps = Vec::new();
    for slot in 0..8 {
        let add = Program::new().add(&World::key(0, slot), 1);
        steps.push(call(&mut pair.world, slot, 0, &add));
    }
    let expected = pair.reference(&steps);
    let executor =
        tandem_fevm::Executor::new(super::common::engines(), Config::new(2).lockstep(8)).expect("engines");
    let result = pair.execute(&executor, &steps);
    result.compare(&expected).expect("the same");
    assert_eq!((result.stats.merged, result.stats.conflicts[Conflict::State as usize]), (0, 7));
}

/// Transfers between different holders of one token merge.
#[test]
fn disjoint_slots_merge() {
    let mut pair = Pair::new(World::new(8, 1, 2_000).expect("a world"));
    let mut steps = Vec::new();
    for from in 0..8 {
        let program = Program::new().add(&World::key(0, 2 * from), -3).add(&World::key(0, 2 * from + 1), 3);
        steps.push(call(&mut pair.world, from, 0, &program));
    }
    let expected = pair.reference(&steps);
    let result = pair.execute(&pair.executor(Config::new(2).lockstep(8)), &steps);
    result.compare(&expected).expect("the same");
    assert!(result.stats.merged >= 5, "{:?}", result.stats);
}
