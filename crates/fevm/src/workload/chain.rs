//! How parallel a generated tipset could be at best: its longest chain of messages that must wait for each other.

use std::collections::HashMap;

use super::program::{Change, Program};
use crate::step::Step;

/// The longest time that any chain of messages takes in which each uses a slot that the one before it uses too, or creates an actor
/// as that one does, if the steps take these times. No parallel execution takes less; calls that fail count
/// as if they did not.
pub fn longest_chain(steps: &[Step], times: &[f64]) -> f64 {
    let mut free: HashMap<Change, f64> = HashMap::new();
    let mut longest = 0.0_f64;
    for (step, time) in steps.iter().zip(times) {
        let changes = Program::changes(step.message().params.bytes());
        let start = changes.iter().filter_map(|change| free.get(change)).copied().fold(0.0, f64::max);
        let end = start + time;
        free.extend(changes.into_iter().map(|change| (change, end)));
        longest = longest.max(end);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::World;
    use fvm_shared::address::Address;

    #[test]
    fn chains_follow_slots_through_calls_and_creations() {
        let mut world = World::new(4, 2, 4).expect("a world");
        let mut step = |program: Program| World::step(world.call(0, Address::new_id(1), &program));
        let add = |slot| Program::new().spin(1).add(&World::key(0, slot), 1).event(&[0; 8]);
        let nested = |slot| {
            Program::new().resolve(&Address::new_id(7)).call(&Address::new_id(9), 1, 0, &add(slot), false)
        };
        let create = |id| Program::new().create(&fvm_shared::EMPTY_ARR_CID, id);
        // Slot 0: the first, third and fourth; slot 1: the second and fourth; the last two create.
        let steps = [add(0), add(1), nested(0), nested(1).add(&World::key(0, 0), 1), create(5), create(6)]
            .map(&mut step);
        assert_eq!(longest_chain(&steps, &[1.0, 5.0, 1.0, 1.0, 2.0, 3.0]), 6.0);
        assert_eq!(longest_chain(&steps, &[1.0, 0.0, 1.0, 1.0, 2.0, 3.0]), 5.0);
        assert_eq!(longest_chain(&steps, &[4.0, 0.0, 1.0, 1.0, 2.0, 3.0]), 6.0);
    }
}
