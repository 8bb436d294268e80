use crate::domain::Domain;
use crate::record::Record;
use crate::segment::Segment;
use crate::values::Values;
use crate::vm::Vm;

/// How many entries are prefetched at once.
const PREFETCHED: usize = 16;

/// Receives the steps as they become final, in order.
///
/// The worker at the frontier calls it, so its work delays every later step. It should hand long work to another thread.
///
/// A step with a result goes through [`Sink::admit`], [`Sink::record`], the commit of its effects and [`Sink::finalize`]. A step that
/// the sink skips or that [`Vm::reject`] makes final has no effects, and goes to [`Sink::finalize`] with an [`History::outcome`] that says
/// so.
pub trait Sink<V: Vm>: Send {
    /// Decides whether to take a step or to skip it. A skipped step becomes final without effects. By default all are taken.
    ///
    /// The engine asks once per step, in order, at the step's turn. `output` is what serial execution gives that leaves out the steps
    /// skipped before. [`Sink::finalize`] receives the output as this method leaves it, so it can say why the step was skipped. The
    /// engine does not ask about steps that [`Vm::reject`] makes final.
    ///
    /// The engine asks about all steps of a run ([`Vm::continues`]), one after the other, before it commits and finalizes the first. So a
    /// sum that decides, such as the gas used so far, must be updated here. If a step is skipped, the steps before it execute again
    /// without it, and the engine does not ask about them again. A stream that ends early may not finalize all steps that it has asked
    /// about.
    ///
    /// A panic ends the stream, like one in any other method of the sink.
    fn admit(&mut self, step: &V::Step, output: &mut V::Output) -> Admission {
        let _ = (step, output);
        Admission::Take
    }

    /// Whether [`Sink::admit`] takes every step, so that the engine need not call it. Must not change during a stream.
    fn takes_all(&self) -> bool {
        false
    }

    /// Receives the observations and effects of a step right before its commit. By default does nothing. The engine does not call it for
    /// steps of runs with several steps ([`Vm::continues`]); there are none if [`Vm::records_always`].
    ///
    /// A step that was executed at the frontier has observations only if [`Vm::records_always`].
    fn record(&mut self, step: &V::Step, output: &V::Output, recorded: &Recorded<'_, V>) {
        let _ = (step, output, recorded);
    }

    /// Receives a final step and its output. `changes` contains its effects, unless [`History::outcome`] says that it has none.
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

/// The sink's decision about a step at its turn, see [`Sink::admit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Admission {
    /// The step becomes final with its effects.
    Take,
    /// The step becomes final without effects.
    Skip,
}

/// The observations and effects of a step, on the state left by all earlier steps.
pub struct Recorded<'a, V: Vm> {
    pub(crate) values: Values<'a, V::Domain>,
    pub(crate) record: &'a Record<V::Domain>,
}

impl<V: Vm> std::fmt::Debug for Recorded<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded").finish_non_exhaustive()
    }
}

impl<V: Vm> Recorded<'_, V> {
    /// The step's observations, each with its key.
    pub fn observations(
        &self,
    ) -> impl Iterator<Item = (<V::Domain as Domain>::Key, &<V::Domain as Domain>::Observation)> {
        let observations = self.record.observations.iter();
        observations.map(|observed| (self.values.key(observed.entry), &observed.observation))
    }

    /// The step's effects, each with its key and the value before.
    pub fn effects(&self) -> impl Iterator<Item = EffectIn<'_, V::Domain>> {
        let effects = self.record.all_effects();
        effects.map(|(entry, effect)| (self.values.key(*entry), self.values.value(*entry), effect))
    }
}

/// A key, the value under it, and an effect on it.
type EffectIn<'a, D> = (<D as Domain>::Key, <D as Domain>::Value, &'a <D as Domain>::Effect);

/// The history of a step until it became final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct History {
    /// Times the step was executed.
    pub executions: u32,
    /// Times a result was found invalid.
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
    /// Without effects: [`Sink::admit`] skipped it.
    Skipped,
    /// Without effects: it failed at its turn, and [`Vm::reject`] gave its output.
    Rejected,
}

/// The changes of the steps since the last [`Changes::take`]: one *segment* of the stream.
pub struct Changes<'a, V: Vm> {
    pub(crate) values: Values<'a, V::Domain>,
    pub(crate) segment: &'a mut Segment<V::Domain>,
}

impl<V: Vm> std::fmt::Debug for Changes<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").field("segment", &self.segment.number).finish_non_exhaustive()
    }
}

impl<V: Vm> Changes<'_, V> {
    /// Upper bound on the number of keys that [`Changes::take`] shows.
    pub fn most(&self) -> usize {
        self.segment.first_values.len()
    }

    /// The value under a key, as the final steps left it; `None` if no step has met the key.
    pub fn value(&self, key: &<V::Domain as Domain>::Key) -> Option<<V::Domain as Domain>::Value> {
        self.values.find(key).map(|entry| self.values.value(entry))
    }

    /// Ends the segment and shows its changes, in no particular order: a key, its value before the segment, and its value after. Leaves
    /// out keys whose value is the same as before.
    pub fn take(
        &mut self,
        mut show: impl FnMut(
            <V::Domain as Domain>::Key,
            <V::Domain as Domain>::Value,
            <V::Domain as Domain>::Value,
        ),
    ) {
        self.segment.number += 1;
        for changed in self.segment.first_values.chunks(PREFETCHED) {
            // Prefetched together, so that the cache misses overlap.
            changed.iter().for_each(|(entry, _)| self.values.prefetch(*entry));
            for &(entry, before) in changed {
                let after = self.values.value(entry);
                if after != before {
                    show(self.values.key(entry), before, after);
                }
            }
        }
        self.segment.first_values.clear();
    }
}
