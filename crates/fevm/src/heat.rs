//! Learning from conflicts, by recipient. Advisory: it decides which messages are worth trying, never which results are right.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use fvm_shared::address::Address;

use crate::step::Step;

/// The longest that speculation on one recipient pauses, in messages.
const LONGEST_PAUSE: u32 = 256;

/// The factor by which a conflict lengthens a pause, and a result that held shortens it.
const FACTOR: u32 = 4;

/// How speculation on one recipient went of late.
#[derive(Default)]
struct Entry {
    /// How many messages wait for their turn after one whose result is not known yet; zero if speculation on it goes well.
    penalty: AtomicU32,
    /// How many more messages to it wait for their turn.
    skip: AtomicU32,
    /// Whether its slots changed between a speculation and its turn.
    merges: AtomicBool,
}

/// Penalties of recipients at the end of a tipset, for the next one.
pub(crate) type Lessons = HashMap<Address, u32>;

/// The recipients of a tipset's messages.
pub(crate) struct Heat<'a> {
    /// Which entry a step's recipient has.
    of: Vec<u32>,
    entries: Vec<Entry>,
    /// Whether messages wait at all.
    on: bool,
    recipients: Vec<&'a Address>,
}

impl<'a> Heat<'a> {
    /// From what earlier tipsets taught; without, no message ever waits.
    pub(crate) fn new(steps: &'a [Step], lessons: Option<&Lessons>) -> Self {
        let mut known: HashMap<&Address, u32> = HashMap::new();
        let mut recipients = Vec::new();
        let of = steps.iter().map(|step| {
            let recipient = &step.message().to;
            *known.entry(recipient).or_insert_with(|| {
                recipients.push(recipient);
                recipients.len() as u32 - 1
            })
        });
        let of = of.collect();
        let entry = |recipient: &&Address| {
            let penalty = lessons.and_then(|lessons| lessons.get(*recipient)).copied().unwrap_or_default();
            Entry { penalty: penalty.into(), skip: penalty.into(), merges: false.into() }
        };
        Self { of, entries: recipients.iter().map(entry).collect(), on: lessons.is_some(), recipients }
    }

    fn entry(&self, position: usize) -> &Entry {
        &self.entries[self.of[position] as usize]
    }

    /// Learns from a step whose result was validated. Called at the frontier only.
    pub(crate) fn learn(&self, position: usize, held: bool, merged: bool) {
        let entry = self.entry(position);
        let before = entry.penalty.load(Ordering::Relaxed);
        let penalty = match held {
            true => before / FACTOR,
            false => (before * FACTOR).clamp(1, LONGEST_PAUSE),
        };
        if self.on && penalty != before {
            entry.penalty.store(penalty, Ordering::Relaxed);
            entry.skip.store(penalty, Ordering::Relaxed);
        }
        if merged && !entry.merges.load(Ordering::Relaxed) {
            entry.merges.store(true, Ordering::Relaxed);
        }
    }

    /// Whether merging a step's result is likely.
    pub(crate) fn merges(&self, position: usize) -> bool {
        self.entry(position).merges.load(Ordering::Relaxed)
    }

    /// Whether a step's recipient is one whose messages wait for their turn.
    pub(crate) fn paused(&self, position: usize) -> bool {
        self.entry(position).skip.load(Ordering::Relaxed) > 0
    }

    /// The same, for the next one of them: counts it.
    pub(crate) fn pass_over(&self, position: usize) -> bool {
        let skip = &self.entry(position).skip;
        skip.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |skip| skip.checked_sub(1)).is_ok()
    }

    /// Notes that a step is speculated on. After a conflict there is one at a time: the next ones wait until it is known how it went.
    pub(crate) fn tried(&self, position: usize) {
        let entry = self.entry(position);
        let penalty = entry.penalty.load(Ordering::Relaxed);
        if penalty > 0 {
            entry.skip.store(penalty, Ordering::Relaxed);
        }
    }

    /// The lessons for the next tipset.
    pub(crate) fn lessons(&self) -> Lessons {
        let penalties = self.entries.iter().map(|entry| entry.penalty.load(Ordering::Relaxed));
        let all = self.recipients.iter().zip(penalties);
        all.filter(|(_, penalty)| *penalty > 0).map(|(recipient, penalty)| (**recipient, penalty)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Program, World};

    #[test]
    fn after_conflicts_there_is_one_at_a_time_and_seldom() {
        let mut world = World::new(2, 1, 4).expect("a world");
        let (hot, cold) = (Address::new_id(7), Address::new_id(8));
        let steps: Vec<_> =
            [hot, cold, hot].map(|to| World::step(world.call(0, to, &Program::new()))).into_iter().collect();
        let heat = Heat::new(&steps, Some(&Lessons::new()));
        assert!(!heat.pass_over(0) && !heat.paused(2));
        heat.learn(0, false, false);
        heat.learn(2, false, true);
        assert!(heat.paused(0) && !heat.paused(1) && heat.merges(0) && !heat.merges(1));
        let waiting = (0..20).take_while(|_| heat.pass_over(2)).count();
        assert_eq!(waiting, 4);
        heat.tried(0);
        assert_eq!((0..20).take_while(|_| heat.pass_over(2)).count(), 4);
        assert_eq!(heat.lessons(), Lessons::from([(hot, 4)]));
        assert!(Heat::new(&steps, Some(&heat.lessons())).paused(2));
        heat.learn(0, true, false);
        heat.learn(0, true, false);
        assert!(!heat.paused(2) && heat.lessons().is_empty());
        let fearless = Heat::new(&steps, None);
        fearless.learn(0, false, false);
        assert!(!fearless.paused(2));
    }
}
