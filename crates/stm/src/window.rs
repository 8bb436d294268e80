use crate::conflict_class::ClassId;
use crate::record::Record;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::vm::Vm;

/// The phase of a step in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The slot is free: its last step is final.
    Vacant = 0,
    /// Fed, not started.
    Ready = 1,
    /// Executing for the first time.
    Executing = 2,
    /// Executing again. Effects of its earlier incarnation are still published, as estimates: a reader of one waits.
    Reexecuting = 3,
    /// A result waits for its turn.
    Done = 4,
    /// The speculative execution failed; there is no result.
    Blocked = 5,
}

impl Phase {
    fn decode(word: u64) -> Self {
        match word & 7 {
            1 => Self::Ready,
            2 => Self::Executing,
            3 => Self::Reexecuting,
            4 => Self::Done,
            5 => Self::Blocked,
            _ => Self::Vacant,
        }
    }
}

/// A step in flight and its newest result.
pub(crate) struct Body<V: Vm> {
    pub(crate) step: Option<V::Step>,
    pub(crate) output: Option<V::Output>,
    /// Length of the run that begins with this step (see [`crate::Vm::continues`]); one if it was executed alone. Zero if it is a later
    /// step of a run, whose record is with the run's first step.
    pub(crate) len: u64,
    pub(crate) record: Record<V::Domain>,
    /// Number of executions so far.
    pub(crate) incarnation: u32,
    /// Number of results found invalid so far.
    pub(crate) conflicts: u32,
    /// Whether [`crate::Vm::repair`] made the result valid.
    pub(crate) repaired: bool,
    /// Whether executing ahead was wasted, even if the result is valid.
    pub(crate) wasted: bool,
    /// The step's conflict class, if it has one.
    pub(crate) class: Option<ClassId>,
    /// The previous step of its conflict class. Taken at the step's first claim for speculation.
    pub(crate) predecessor: Option<u64>,
    /// Whether that step was near and in flight when this one was claimed for speculation.
    pub(crate) near_predecessor: bool,
    /// Whether this step then relied on an effect of a step in flight.
    pub(crate) depended: bool,
    /// The frontier when the result was last found valid, or when the execution was blocked.
    pub(crate) checked: u64,
}

/// A slot of the window.
#[repr(align(64))]
pub(crate) struct Slot<V: Vm> {
    /// Position and [`Phase`] in one word. Any worker may leave `Ready`, `Blocked` and `Done`, by compare-exchange: the one that succeeds
    /// owns the step. Only the owner leaves `Executing` and `Reexecuting`. Only the feeder leaves `Vacant`. Stores are release and loads
    /// are acquire, so that a worker that sees a phase sees the body as it was then.
    state: AtomicU64,
    /// The worker that executed the result: a hint.
    pub(crate) owner: AtomicUsize,
    /// The step that is queued behind this one, and the step that this one is queued behind: the position plus one, zero for none. Hints.
    pub(crate) successor: AtomicU64,
    pub(crate) predecessor: AtomicU64,
    /// Locked by the worker that executes, validates or feeds the step. Only early checks contend for it.
    pub(crate) body: Mutex<Body<V>>,
}

/// The steps in flight: a ring, indexed by position.
pub(crate) struct Window<V: Vm> {
    slots: Box<[Slot<V>]>,
}

impl<V: Vm> Window<V> {
    /// `size` must be a power of two. Slots take their records from `records` while there are any, and make new ones after that.
    pub(crate) fn new(size: usize, records: &mut Vec<Record<V::Domain>>) -> Self {
        let slot = || Slot {
            state: AtomicU64::new(0),
            owner: AtomicUsize::new(0),
            successor: AtomicU64::new(0),
            predecessor: AtomicU64::new(0),
            body: Mutex::new(Body {
                step: None,
                output: None,
                len: 1,
                record: records.pop().unwrap_or_default(),
                incarnation: 0,
                conflicts: 0,
                repaired: false,
                wasted: false,
                class: None,
                predecessor: None,
                near_predecessor: false,
                depended: false,
                checked: 0,
            }),
        };
        Self { slots: std::iter::repeat_with(slot).take(size).collect() }
    }

    /// The empty records, for the next window.
    pub(crate) fn into_records(self) -> impl Iterator<Item = Record<V::Domain>> {
        self.slots.into_iter().map(|slot| {
            let mut record = slot.body.into_inner().record;
            record.clear();
            record
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(crate) fn slot(&self, position: u64) -> &Slot<V> {
        &self.slots[position as usize & (self.slots.len() - 1)]
    }

    /// The phase of the step at `position`; [`Phase::Vacant`] if the slot belongs to another position.
    pub(crate) fn phase(&self, position: u64) -> Phase {
        let word = self.slot(position).state.load(Ordering::Acquire);
        if word >> 3 == position { Phase::decode(word) } else { Phase::Vacant }
    }

    /// Whether the step at `position` has no result yet, but is being executed or ready to be.
    pub(crate) fn is_awaited(&self, position: u64) -> bool {
        matches!(self.phase(position), Phase::Ready | Phase::Executing | Phase::Reexecuting)
    }

    /// Queues the step at `position`, which the caller owns, behind the one at `predecessor`: the worker that executes the predecessor
    /// executes it next. If `false`, the predecessor has a result by now and the caller still owns the step.
    pub(crate) fn queue_behind(&self, position: u64, predecessor: u64) -> bool {
        self.slot(position).predecessor.store(predecessor + 1, Ordering::Relaxed);
        self.set(position, Phase::Ready);
        self.slot(predecessor).successor.store(position + 1, Ordering::Release);
        // Pairs with the fence between storing the phase of a result and claiming its successor.
        fence(Ordering::SeqCst);
        self.is_awaited(predecessor) || !self.claim(position, Phase::Ready, Phase::Executing)
    }

    /// Claims the step that is queued behind the one at `position`, if there is one.
    pub(crate) fn claim_successor(&self, position: u64) -> Option<u64> {
        let successor = &self.slot(position).successor;
        if successor.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let successor = successor.swap(0, Ordering::Acquire).checked_sub(1)?;
        self.claim(successor, Phase::Ready, Phase::Executing).then_some(successor)
    }

    /// Whether the step at `position` is queued behind one that has no result yet.
    pub(crate) fn is_queued(&self, position: u64) -> bool {
        let predecessor = self.slot(position).predecessor.load(Ordering::Relaxed);
        predecessor.checked_sub(1).is_some_and(|predecessor| self.is_awaited(predecessor))
    }

    /// Sets the phase. The caller must own the step (see [`Slot`]).
    pub(crate) fn set(&self, position: u64, phase: Phase) {
        self.slot(position).state.store(position << 3 | phase as u64, Ordering::Release);
    }

    /// Moves the step from one phase to another. `false` if it is no longer in the first.
    pub(crate) fn claim(&self, position: u64, from: Phase, to: Phase) -> bool {
        let word = |phase: Phase| position << 3 | phase as u64;
        self.slot(position)
            .state
            .compare_exchange(word(from), word(to), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
