use super::queue::Queue;
use crate::domain::Domain;

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
    effects: Queue<Pending<D>>,
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
        Self { effects: Queue::default(), fresh: 0, base: 0, rerunning: 0 }
    }
}

impl<D: Domain> InFlight<D> {
    pub(super) fn len(&self) -> usize {
        self.effects.len()
    }

    /// Memory of its own, in bytes. It only grows.
    pub(super) fn bytes(&self) -> usize {
        self.effects.bytes()
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
        let end = self.count_below(position);
        if self.rerunning > 0
            && let Some(effect) = self.effects.iter().take(end).find(|effect| effect.rerunning)
        {
            return Err(effect.position);
        }
        while self.fresh < end {
            self.refresh(last);
        }
        Ok(end.checked_sub(1).and_then(|at| self.after(at)))
    }

    /// Computes the first value that is not fresh.
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

    /// Adds a step's effect, or replaces the one of its earlier incarnation. Any value will do until the right one is
    /// computed.
    pub(super) fn put(&mut self, position: u64, incarnation: u32, effect: D::Effect, any: D::Value) {
        let at = self.count_below(position);
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
        if let Some((at, effect)) = self.find(position)
            && effect.incarnation < incarnation
        {
            self.take(at);
            self.fresh = self.fresh.min(at);
        }
    }

    /// Takes over that the step at `position`, before which nothing is in flight, has become final and left this
    /// value, with its stamp.
    pub(super) fn commit(&mut self, position: u64, (stamp, value): (u64, D::Value)) {
        let at = self.find(position).map(|(at, _)| at);
        let effect = at.and_then(|at| self.take(at));
        let as_expected = effect.is_some_and(|effect| self.fresh > 0 && effect.after == value);
        self.fresh = if as_expected { self.fresh - 1 } else { 0 };
        self.base = stamp;
    }

    /// Notes that the step at `position` is being executed again.
    pub(super) fn rerun(&mut self, position: u64) {
        if let Some((_, effect)) = self.find(position)
            && !std::mem::replace(&mut effect.rerunning, true)
        {
            self.rerunning += 1;
        }
    }

    /// The effect of the step at `position`, and its place.
    fn find(&mut self, position: u64) -> Option<(usize, &mut Pending<D>)> {
        let at = self.count_below(position);
        let effect = self.effects.get_mut(at).filter(|effect| effect.position == position)?;
        Some((at, effect))
    }

    fn take(&mut self, at: usize) -> Option<Pending<D>> {
        let effect = self.effects.remove(at)?;
        self.rerunning -= usize::from(effect.rerunning);
        Some(effect)
    }
}
