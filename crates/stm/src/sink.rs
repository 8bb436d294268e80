use crate::domain::Domain;
use crate::record::Record;
use crate::store::{EntryId, VersionStore};
use crate::vm::Vm;

/// Entries that are brought into the caches at once.
const FETCHED: usize = 16;

/// Receives the steps as they become final, in order.
///
/// Runs on whichever worker holds the frontier: what it does delays every later step, so it should hand heavy work
/// to somebody else.
///
/// A step that has a result at its turn is admitted, recorded, applied and finalized. One that [`Vm::reject`] makes final is finalized
/// only, and so is one that is skipped. [`History::outcome`] says which.
pub trait Sink<V: Vm>: Send {
    /// Says whether to take a step, or to skip it: then it becomes final without effects. By default all are taken.
    ///
    /// Asked once per step, in order, at the step's turn: its output is what executing the stream one by one, without those that were
    /// skipped before, gives. [`Sink::finalize`] gets the output as this leaves it, which can say why the step was skipped. Steps that
    /// [`Vm::reject`] makes final are not asked about.
    ///
    /// Steps that were executed in one run ([`Vm::continues`]) are asked about one after the other, before the first of them is applied
    /// and finalized. So what decides, the gas used so far, say, is to be added up here. Where one is skipped, those before it execute
    /// again without it, and nothing is asked twice. A stream that ends early may not finalize all that were asked about.
    ///
    /// A panic ends the stream, like one in any other method of the sink.
    fn admit(&mut self, step: &V::Step, output: &mut V::Output) -> Admission {
        let _ = (step, output);
        Admission::Take
    }

    /// Whether [`Sink::admit`] takes every step, so that it need not be asked. Must be the same throughout a stream.
    fn takes_all(&self) -> bool {
        false
    }

    /// Sees what a step relied on and does, right before that is applied. Does nothing unless somebody wants to know. Steps that were
    /// executed in one run with others ([`Vm::continues`]) are not shown: there are none where [`Vm::records_always`].
    ///
    /// A step that was executed at the frontier has observations only if [`Vm::records_always`] says so.
    fn record(&mut self, step: &V::Step, output: &V::Output, recorded: &Recorded<'_, V>) {
        let _ = (step, output, recorded);
    }

    /// Takes a final step and its output. Its effects are in the changes already, unless [`History::outcome`] says that it has none.
    ///
    /// # Errors
    ///
    /// An error ends the stream at this step.
    fn finalize(
        &mut self,
        step: V::Step,
        output: V::Output,
        changes: &mut Changes<'_, V>,
        history: History,
    ) -> Result<(), V::Error>;
}

/// What a consumer says of a step at its turn, see [`Sink::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Admission {
    /// The step becomes final with its effects.
    Take,
    /// The step becomes final without effects.
    Skip,
}

/// What a step relied on and is about to do, on the state that all earlier steps left.
pub struct Recorded<'a, V: Vm> {
    pub(crate) store: &'a VersionStore<V::Domain>,
    pub(crate) record: &'a Record<V::Domain>,
}

impl<V: Vm> std::fmt::Debug for Recorded<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded").finish_non_exhaustive()
    }
}

impl<V: Vm> Recorded<'_, V> {
    /// What the step relied on, by key.
    pub fn observations(
        &self,
    ) -> impl Iterator<Item = (<V::Domain as Domain>::Key, &<V::Domain as Domain>::Observation)> {
        let observations = self.record.observations.iter();
        observations.map(|observed| (self.store.key(observed.entry), &observed.observation))
    }

    /// What the step does, by key, with the value before.
    pub fn effects(&self) -> impl Iterator<Item = EffectIn<'_, V::Domain>> {
        let effects = self.record.all_effects();
        effects.map(|(entry, effect)| (self.store.key(*entry), self.store.read_final(*entry).1, effect))
    }
}

/// A key, the value under it, and what happens to it.
type EffectIn<'a, D> = (<D as Domain>::Key, <D as Domain>::Value, &'a <D as Domain>::Effect);

/// What it took to make one step final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct History {
    /// Times the step was executed.
    pub executions: u32,
    /// Times a result of it was found invalid.
    pub conflicts: u32,
    /// Whether [`Vm::repair`] made its last result valid.
    pub repaired: bool,
    /// Whether it has effects, or why not.
    pub outcome: Outcome,
}

/// How a step became final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Outcome {
    /// With its effects.
    #[default]
    Taken,
    /// Without effects, as [`Sink::admit`] said.
    Skipped,
    /// Without effects: it failed at its turn, and [`Vm::reject`] gave its output.
    Rejected,
}

/// What the steps since the last [`Changes::take`] changed: one *segment* of the stream.
pub struct Changes<'a, V: Vm> {
    pub(crate) store: &'a VersionStore<V::Domain>,
    pub(crate) segment: &'a mut Segment<V::Domain>,
}

impl<V: Vm> std::fmt::Debug for Changes<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").field("segment", &self.segment.number).finish_non_exhaustive()
    }
}

impl<V: Vm> Changes<'_, V> {
    /// How many keys [`Changes::take`] shows at most.
    pub fn most(&self) -> usize {
        self.segment.first_values.len()
    }

    /// Ends the segment and shows its changes, in no particular order: a key, its value before the first of the steps, and that
    /// after the last of them. Values that came back to what they were are left out.
    pub fn take(
        &mut self,
        mut show: impl FnMut(
            <V::Domain as Domain>::Key,
            <V::Domain as Domain>::Value,
            <V::Domain as Domain>::Value,
        ),
    ) {
        self.segment.number += 1;
        for changed in self.segment.first_values.chunks(FETCHED) {
            // All at once, so that the cache misses overlap.
            changed.iter().for_each(|(entry, _)| self.store.fetch(*entry));
            for &(entry, before) in changed {
                let (_, after) = self.store.read_final(entry);
                if after != before {
                    show(self.store.key(entry), before, after);
                }
            }
        }
        self.segment.first_values.clear();
    }
}

/// The changes collected so far.
pub(crate) struct Segment<D: Domain> {
    /// Starts at 1; 0 marks entries that were never changed.
    pub(crate) number: u64,
    /// Each changed entry once, with its value before.
    pub(crate) first_values: Vec<(EntryId, D::Value)>,
}
