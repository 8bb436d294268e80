use super::queue::Queue;
use crate::domain::Domain;

/// An effect of a step that is not final.
struct Pending<D: Domain> {
    position: u64,
    incarnation: u32,
    /// Whether the step is being executed again, so that its effect will probably change.
    is_estimate: bool,
    effect: D::Effect,
    /// The value after this effect, all earlier ones included; see [`InFlight::fresh`].
    after: D::Value,
}

/// The effects in flight under one key, by position.
///
/// There may be as many effects as steps in the window, for example if all steps credit one account. Each effect comes with the value after
/// it, so that the time of a read and of a commit does not depend on their number.
pub(super) struct InFlight<D: Domain> {
    effects: Queue<Pending<D>>,
    /// The first so many effects have a valid [`Pending::after`]. That of the others is computed when a read needs it.
    fresh: usize,
    /// Stamp of the final value from which these were computed.
    base: u64,
    /// Number of estimates.
    estimates: usize,
}

impl<D: Domain> Default for InFlight<D> {
    fn default() -> Self {
        Self { effects: Queue::default(), fresh: 0, base: 0, estimates: 0 }
    }
}

impl<D: Domain> InFlight<D> {
    pub(super) fn len(&self) -> usize {
        self.effects.len()
    }

    /// Heap memory, in bytes. It only grows.
    pub(super) fn bytes(&self) -> usize {
        self.effects.bytes()
    }

    /// The positions with an effect, in order.
    #[cfg(shuttle)]
    pub(super) fn positions(&self) -> impl Iterator<Item = u64> {
        self.effects.iter().map(|effect| effect.position)
    }

    /// The value before `position`, if there is an effect before it; `last` is the final value, with its stamp. `Err` is the position of the
    /// first estimate before `position`.
    pub(super) fn before(
        &mut self,
        position: u64,
        (stamp, last): (u64, D::Value),
    ) -> Result<Option<D::Value>, u64> {
        if self.base != stamp {
            (self.base, self.fresh) = (stamp, 0);
        }
        let end = self.count_below(position);
        if self.estimates > 0
            && let Some(effect) = self.effects.iter().take(end).find(|effect| effect.is_estimate)
        {
            return Err(effect.position);
        }
        while self.fresh < end {
            self.refresh(last);
        }
        Ok(end.checked_sub(1).and_then(|at| self.after(at)))
    }

    /// Computes the value after the first effect that is not fresh.
    fn refresh(&mut self, last: D::Value) {
        let mut value = self.fresh.checked_sub(1).and_then(|before| self.after(before)).unwrap_or(last);
        if let Some(effect) = self.effects.get_mut(self.fresh) {
            D::apply(&effect.effect, &mut value);
            effect.after = value;
        }
        self.fresh += 1;
    }

    /// The value after an effect.
    fn after(&self, at: usize) -> Option<D::Value> {
        self.effects.get(at).map(|effect| effect.after)
    }

    /// The number of effects before `position`.
    fn count_below(&self, position: u64) -> usize {
        self.effects.count_below(position, |effect| effect.position)
    }

    /// Adds a step's effect, or replaces the one of its earlier incarnation. `any` is a placeholder for the value after it.
    pub(super) fn put(&mut self, position: u64, incarnation: u32, effect: D::Effect, any: D::Value) {
        let at = self.count_below(position);
        let new = Pending { position, incarnation, is_estimate: false, effect, after: any };
        match self.effects.get_mut(at) {
            Some(old) if old.position == position => {
                self.estimates -= usize::from(old.is_estimate);
                *old = new;
            }
            _ => self.effects.insert(at, new),
        }
        self.fresh = self.fresh.min(at);
    }

    /// Removes a step's effect if it belongs to an incarnation before `incarnation`.
    pub(super) fn remove(&mut self, position: u64, incarnation: u32) {
        if let Some((at, effect)) = self.find(position)
            && effect.incarnation < incarnation
        {
            self.take(at);
            self.fresh = self.fresh.min(at);
        }
    }

    /// Removes the effect of the step at `position`, which has become final and left this value, with its stamp. No effect is in flight
    /// before it.
    pub(super) fn commit(&mut self, position: u64, (stamp, value): (u64, D::Value)) {
        let at = self.find(position).map(|(at, _)| at);
        let effect = at.and_then(|at| self.take(at));
        let as_expected = effect.is_some_and(|effect| self.fresh > 0 && effect.after == value);
        self.fresh = if as_expected { self.fresh - 1 } else { 0 };
        self.base = stamp;
    }

    /// Marks the effect of the step at `position` as an estimate.
    pub(super) fn mark_estimate(&mut self, position: u64) {
        if let Some((_, effect)) = self.find(position)
            && !std::mem::replace(&mut effect.is_estimate, true)
        {
            self.estimates += 1;
        }
    }

    /// The effect of the step at `position`, with its index.
    fn find(&mut self, position: u64) -> Option<(usize, &mut Pending<D>)> {
        let at = self.count_below(position);
        let effect = self.effects.get_mut(at).filter(|effect| effect.position == position)?;
        Some((at, effect))
    }

    fn take(&mut self, at: usize) -> Option<Pending<D>> {
        let effect = self.effects.remove(at)?;
        self.estimates -= usize::from(effect.is_estimate);
        Some(effect)
    }
}
