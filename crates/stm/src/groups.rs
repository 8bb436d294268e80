use crate::sync::MODEL;
use crate::sync::atomic::{AtomicU32, Ordering};
use crossbeam_utils::CachePadded;

/// Groups that are told apart: 2^10. Others share a place.
const PLACES_LOG: u32 = if MODEL { 1 } else { 10 };
/// From here on steps of a group follow one another. What a group is believed at first.
const RELATED: u32 = 16;
/// The firmest belief.
const MOST: u32 = 64;
/// What a step adds that needed an earlier one of its group in flight. One that did not takes one off, so that steps follow one
/// another where about one in five needs to.
const NEEDED: u32 = 4;

/// What one takes off that was left to follow another one and came to its turn before anybody saw whether it needed that, where all
/// do. Steps of a group that was believed once would otherwise execute at their turn ever after, and nobody would ever see.
const UNSEEN: u32 = 16;

/// Where a group is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

impl Place {
    /// The place of the group of this number (see [`crate::Vm::group`]).
    pub(crate) fn of(number: u64) -> Self {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((hash >> (u64::BITS - PLACES_LOG)) as usize)
    }
}

/// How firmly it is believed of each group that its steps need one another: what streams have learned. Written by the frontier's
/// holder, read by all; hints.
#[derive(Debug)]
pub(crate) struct Groups(Box<[CachePadded<AtomicU32>]>);

impl Default for Groups {
    fn default() -> Self {
        let group = || CachePadded::new(AtomicU32::new(RELATED));
        Self(std::iter::repeat_with(group).take(1 << PLACES_LOG).collect())
    }
}

impl Groups {
    /// Whether steps of a group are believed to need one another.
    pub(crate) fn are_related(&self, Place(group): Place) -> bool {
        self.0[group].load(Ordering::Relaxed) >= RELATED
    }

    /// Believes less: a step was left to follow another one, and nobody saw whether it needed that.
    pub(crate) fn doubt(&self, Place(group): Place) {
        let belief = &self.0[group];
        belief.store(belief.load(Ordering::Relaxed).saturating_sub(UNSEEN), Ordering::Relaxed);
    }

    /// Learns whether a step needed an earlier one of its group that was in flight when it was claimed.
    pub(crate) fn learn(&self, Place(group): Place, needed: bool) {
        let belief = &self.0[group];
        let old = belief.load(Ordering::Relaxed);
        let new = if needed { (old + NEEDED).min(MOST) } else { old.saturating_sub(1) };
        if new != old {
            belief.store(new, Ordering::Relaxed);
        }
    }
}

/// The last step of each group.
#[derive(Debug)]
pub(crate) struct Last(Box<[Option<u64>]>);

impl Default for Last {
    fn default() -> Self {
        Self(vec![None; 1 << PLACES_LOG].into())
    }
}

impl Last {
    /// Notes a step that is the last of its group now. Gives the one that was.
    pub(crate) fn replace(&mut self, Place(group): Place, position: u64) -> Option<u64> {
        self.0[group].replace(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn belief_follows_what_is_seen() {
        let (groups, group) = (Groups::default(), Place::of(7));
        assert!(groups.are_related(group));
        (0..100).for_each(|_| groups.learn(group, false));
        assert!(!groups.are_related(group));
        (0..4).for_each(|_| groups.learn(group, true));
        assert!(groups.are_related(group));
        // However firm a belief is, a few of whom nobody sees whether they need one another end it.
        (0..100).for_each(|_| groups.learn(group, true));
        (0..3).for_each(|_| groups.doubt(group));
        assert!(groups.are_related(group));
        groups.doubt(group);
        assert!(!groups.are_related(group));
    }

    #[test]
    fn a_step_follows_the_last_one_of_its_group() {
        let mut last = Last::default();
        assert_eq!(last.replace(Place::of(0), 3), None);
        assert_eq!(last.replace(Place::of(0), 5), Some(3));
        assert_eq!(last.replace(Place::of(1), 6), None);
    }
}
