use crate::vm::Domain;
use std::collections::VecDeque;

/// An effect of a step that is not final.
struct Pending<D: Domain> {
    position: u64,
    incarnation: u32,
    /// Whether the step is being executed again, so that the effect is probably not its last word.
    rerunning: bool,
    effect: D::Effect,
    /// The value after this effect, all earlier ones included; see [`InFlight::fresh`].
    after: D::Value,
}

/// The effects in flight under one key, by position.
///
/// There may be as many as the window is wide, where all steps credit one account, say. So that a read and a commit take
/// the same time however many there are, each effect comes with the value after it.
pub(super) struct InFlight<D: Domain> {
    effects: VecDeque<Pending<D>>,
    /// Of so many effects from the first on, [`Pending::after`] follows from the final value and the effects before. The
    /// others' is computed when it is asked for.
    fresh: usize,
    /// Stamp of the final value that they follow from.
    base: u64,
    /// Number of effects whose step is being executed again.
    rerunning: usize,
}

impl<D: Domain> Default for InFlight<D> {
    fn default() -> Self {
        Self { effects: VecDeque::new(), fresh: 0, base: 0, rerunning: 0 }
    }
}

impl<D: Domain> InFlight<D> {
    pub(super) fn len(&self) -> usize {
        self.effects.len()
    }

    /// The positions with an effect, in order.
    #[cfg(shuttle)]
    pub(super) fn positions(&self) -> impl Iterator<Item = u64> {
        self.effects.iter().map(|effect| effect.position)
    }

    /// The value before `position`, if there is an effect before it; `last` is the final value, with its stamp. `Err`
    /// names a step whose effect counts there and is being executed again.
    pub(super) fn before(
        &mut self,
        position: u64,
        (stamp, last): (u64, D::Value),
    ) -> Result<Option<D::Value>, u64> {
        if self.base != stamp {
            (self.base, self.fresh) = (stamp, 0);
        }
        let end = self.effects.partition_point(|effect| effect.position < position);
        if self.rerunning > 0
            && let Some(effect) = self.effects.range(..end).find(|effect| effect.rerunning)
        {
            return Err(effect.position);
        }
        while self.fresh < end {
            self.refresh(last);
        }
        Ok(end.checked_sub(1).map(|at| self.effects[at].after))
    }

    /// Computes the first value that is not fresh.
    fn refresh(&mut self, last: D::Value) {
        let mut value = self.fresh.checked_sub(1).map_or(last, |before| self.effects[before].after);
        let effect = &mut self.effects[self.fresh];
        D::apply(&effect.effect, &mut value);
        effect.after = value;
        self.fresh += 1;
    }

    /// Adds a step's effect, or replaces the one of its earlier incarnation. Any value will do until the right one is
    /// computed.
    pub(super) fn put(&mut self, position: u64, incarnation: u32, effect: D::Effect, any: D::Value) {
        let at = self.effects.partition_point(|other| other.position < position);
        let new = Pending { position, incarnation, rerunning: false, effect, after: any };
        match self.effects.get_mut(at) {
            Some(old) if old.position == position => {
                self.rerunning -= usize::from(old.rerunning);
                *old = new;
            }
            _ => self.effects.insert(at, new),
        }
        self.fresh = self.fresh.min(at);
    }

    /// Removes a step's effect if it belongs to an incarnation before `incarnation`.
    pub(super) fn remove(&mut self, position: u64, incarnation: u32) {
        if let Ok(at) = self.find(position)
            && self.effects[at].incarnation < incarnation
        {
            self.take(at);
            self.fresh = self.fresh.min(at);
        }
    }

    /// Takes over that the step at `position`, before which nothing is in flight, has become final and left this
    /// value, with its stamp.
    pub(super) fn commit(&mut self, position: u64, (stamp, value): (u64, D::Value)) {
        let as_expected = match self.find(position) {
            Ok(at) => self.take(at).is_some_and(|effect| self.fresh > 0 && effect.after == value),
            Err(_) => false,
        };
        self.fresh = if as_expected { self.fresh - 1 } else { 0 };
        self.base = stamp;
    }

    /// Notes that the step at `position` is being executed again.
    pub(super) fn rerun(&mut self, position: u64) {
        if let Ok(at) = self.find(position)
            && !std::mem::replace(&mut self.effects[at].rerunning, true)
        {
            self.rerunning += 1;
        }
    }

    fn find(&self, position: u64) -> Result<usize, usize> {
        self.effects.binary_search_by_key(&position, |effect| effect.position)
    }

    fn take(&mut self, at: usize) -> Option<Pending<D>> {
        let effect = self.effects.remove(at)?;
        self.rerunning -= usize::from(effect.rerunning);
        Some(effect)
    }
}
