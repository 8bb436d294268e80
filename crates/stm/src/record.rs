use crate::domain::Domain;
use crate::store::EntryId;

/// An observation as recorded: where, the stamp of the value seen, and what was relied on.
pub(crate) struct Observed<D: Domain> {
    pub(crate) entry: EntryId,
    pub(crate) stamp: u64,
    pub(crate) observation: D::Observation,
}

/// What executing a step once recorded. The vectors are reused.
pub(crate) struct Record<D: Domain> {
    pub(crate) observations: Vec<Observed<D>>,
    pub(crate) effects: Effects<D>,
    /// Effects that nobody sees before they are final; see [`crate::View::late_effect`].
    pub(crate) late: Effects<D>,
}

impl<D: Domain> Default for Record<D> {
    fn default() -> Self {
        Self { observations: Vec::new(), effects: Vec::new(), late: Vec::new() }
    }
}

impl<D: Domain> Record<D> {
    pub(crate) fn clear(&mut self) {
        self.observations.clear();
        self.effects.clear();
        self.late.clear();
    }

    /// Memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let Self { observations, effects, late } = self;
        observations.capacity() * size_of::<Observed<D>>()
            + (effects.capacity() + late.capacity()) * size_of::<(EntryId, D::Effect)>()
    }

    /// Makes those effects late that nobody wants to know of.
    pub(crate) fn keep_back(&mut self, unwanted: impl Fn(EntryId) -> bool) {
        let Self { effects, late, .. } = self;
        late.extend(effects.extract_if(.., |(entry, _)| unwanted(*entry)));
    }

    /// All effects.
    pub(crate) fn all_effects(&self) -> impl Iterator<Item = &(EntryId, D::Effect)> {
        self.effects.iter().chain(&self.late)
    }
}

/// An observation that does not hold: where, what was relied on, and the value that is true now.
pub type Violation<D> = (EntryId, <D as Domain>::Observation, <D as Domain>::Value);

/// What a step does, by entry. An entry is named at most once, but for late effects.
pub type Effects<D> = Vec<(EntryId, <D as Domain>::Effect)>;
