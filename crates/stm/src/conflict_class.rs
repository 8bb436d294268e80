use crate::sync::MODEL;
use crate::sync::atomic::{AtomicU32, Ordering};
use crossbeam_utils::CachePadded;

/// Classes that are kept apart: 2^10. Classes with equal hashes share a score.
const CLASSES_LOG: u32 = if MODEL { 1 } else { 10 };
/// Scores from here on mean that the steps of the class conflict, and are executed one after the other. The score of a new class.
const CONTENDED: u32 = 16;
/// The highest score.
const MAX_SCORE: u32 = 64;
/// Added to the score for a step that depended on a step in flight. An independent step subtracts one. So a class is contended while
/// about one step in five depends.
const DEPENDED: u32 = 4;

/// Subtracted from the score for a step that was queued behind its predecessor and came to its turn before it could execute, while
/// speculation keeps being wasted. Such a step shows nothing about conflicts. Without this, a class that was contended once would
/// execute at the frontier for ever, and its score would never change.
const UNOBSERVED: u32 = 16;

/// Identifies a conflict class: the hash of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassId(usize);

impl ClassId {
    /// `number` comes from [`crate::Vm::conflict_class`].
    pub(crate) fn of(number: u64) -> Self {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self((hash >> (u64::BITS - CLASSES_LOG)) as usize)
    }
}

/// The score of each conflict class: how often its steps depend on one another, as streams have shown so far. Written by the
/// frontier's holder, read by all workers; hints.
#[derive(Debug)]
pub(crate) struct ConflictClasses(Box<[CachePadded<AtomicU32>]>);

impl Default for ConflictClasses {
    fn default() -> Self {
        let score = || CachePadded::new(AtomicU32::new(CONTENDED));
        Self(std::iter::repeat_with(score).take(1 << CLASSES_LOG).collect())
    }
}

impl ConflictClasses {
    /// Whether steps of the class are expected to conflict.
    pub(crate) fn is_contended(&self, ClassId(class): ClassId) -> bool {
        self.0[class].load(Ordering::Relaxed) >= CONTENDED
    }

    /// Lowers the score after a queued step that came to its turn without having shown whether it depended on its predecessor.
    pub(crate) fn decay(&self, ClassId(class): ClassId) {
        let score = &self.0[class];
        score.store(score.load(Ordering::Relaxed).saturating_sub(UNOBSERVED), Ordering::Relaxed);
    }

    /// Moves the score after a step that had a predecessor of its class in flight when it was claimed. `depended`: whether it
    /// depended on it.
    pub(crate) fn learn(&self, ClassId(class): ClassId, depended: bool) {
        let score = &self.0[class];
        let old = score.load(Ordering::Relaxed);
        let new = if depended { (old + DEPENDED).min(MAX_SCORE) } else { old.saturating_sub(1) };
        if new != old {
            score.store(new, Ordering::Relaxed);
        }
    }
}

/// The last step of each conflict class that was fed.
#[derive(Debug)]
pub(crate) struct LastOfClass(Box<[Option<u64>]>);

impl Default for LastOfClass {
    fn default() -> Self {
        Self(vec![None; 1 << CLASSES_LOG].into())
    }
}

impl LastOfClass {
    /// Makes the step at `position` the last of its class. Gives the previous one.
    pub(crate) fn replace(&mut self, ClassId(class): ClassId, position: u64) -> Option<u64> {
        self.0[class].replace(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_what_is_seen() {
        let (classes, class) = (ConflictClasses::default(), ClassId::of(7));
        assert!(classes.is_contended(class));
        (0..100).for_each(|_| classes.learn(class, false));
        assert!(!classes.is_contended(class));
        (0..4).for_each(|_| classes.learn(class, true));
        assert!(classes.is_contended(class));
        // A few steps that show nothing end even the highest score.
        (0..100).for_each(|_| classes.learn(class, true));
        (0..3).for_each(|_| classes.decay(class));
        assert!(classes.is_contended(class));
        classes.decay(class);
        assert!(!classes.is_contended(class));
    }

    #[test]
    fn a_step_follows_the_last_one_of_its_class() {
        let mut last = LastOfClass::default();
        assert_eq!(last.replace(ClassId::of(0), 3), None);
        assert_eq!(last.replace(ClassId::of(0), 5), Some(3));
        assert_eq!(last.replace(ClassId::of(1), 6), None);
    }
}
