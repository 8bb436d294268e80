use crate::domain::Domain;
use crate::store::EntryId;

/// A recorded observation: the entry, the stamp of the value that was read, and the observation of it.
pub(crate) struct Observed<D: Domain> {
    pub(crate) entry: EntryId,
    pub(crate) stamp: u64,
    pub(crate) observation: D::Observation,
}

/// The record of one execution of a step or a run. The vectors are reused.
pub(crate) struct Record<D: Domain> {
    pub(crate) observations: Vec<Observed<D>>,
    pub(crate) effects: Effects<D>,
    /// Effects that are applied at the commit and never published to speculating workers: late effects ([`crate::View::late_effect`]), and
    /// those that were [withheld](Record::withhold).
    pub(crate) unpublished: Effects<D>,
}

impl<D: Domain> Default for Record<D> {
    fn default() -> Self {
        Self { observations: Vec::new(), effects: Vec::new(), unpublished: Vec::new() }
    }
}

impl<D: Domain> Record<D> {
    pub(crate) fn clear(&mut self) {
        self.observations.clear();
        self.effects.clear();
        self.unpublished.clear();
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let Self { observations, effects, unpublished } = self;
        observations.capacity() * size_of::<Observed<D>>()
            + (effects.capacity() + unpublished.capacity()) * size_of::<(EntryId, D::Effect)>()
    }

    /// Withholds the effects on some entries: they will not be published.
    pub(crate) fn withhold(&mut self, which: impl Fn(EntryId) -> bool) {
        let Self { effects, unpublished, .. } = self;
        unpublished.extend(effects.extract_if(.., |(entry, _)| which(*entry)));
    }

    /// All effects.
    pub(crate) fn all_effects(&self) -> impl Iterator<Item = &(EntryId, D::Effect)> {
        self.effects.iter().chain(&self.unpublished)
    }
}

/// An observation that does not hold: the entry, the observation, and the present value.
pub type Violation<D> = (EntryId, <D as Domain>::Observation, <D as Domain>::Value);

/// The effects of a step or a run, by entry: one per entry, except for late effects.
pub type Effects<D> = Vec<(EntryId, <D as Domain>::Effect)>;
