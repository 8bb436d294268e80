use crate::groups::Place;
use crate::record::Record;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::vm::Vm;

/// What a step is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The slot holds no step that is not final.
    Vacant = 0,
    /// Fed, not started.
    Ready = 1,
    /// Executing for the first time.
    Running = 2,
    /// Executing again while effects of its earlier incarnation are visible; whoever reads one waits.
    Rerunning = 3,
    /// A result waits for its turn.
    Done = 4,
    /// Speculation failed; nothing is known.
    Blocked = 5,
}

impl Phase {
    fn decode(word: u64) -> Self {
        match word & 7 {
            1 => Self::Ready,
            2 => Self::Running,
            3 => Self::Rerunning,
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
    /// How many steps the record is of: this one and so many behind it, which were executed in one run (see
    /// [`crate::Vm::continues`]). Zero if it is part of the record of the run's first step.
    pub(crate) len: u64,
    pub(crate) record: Record<V::Domain>,
    /// Number of executions so far.
    pub(crate) incarnation: u32,
    /// Number of results found invalid so far.
    pub(crate) conflicts: u32,
    /// Whether the result was found invalid at its turn, and made valid by [`crate::Vm::repair`].
    pub(crate) repaired: bool,
    /// Whether there was no use in executing ahead, even if the result is valid.
    pub(crate) futile: bool,
    /// The step's group, if it is in one.
    pub(crate) group: Option<Place>,
    /// The step before it of its group.
    pub(crate) before: Option<u64>,
    /// Whether that was near, and in flight, when this was claimed for speculation.
    pub(crate) near: bool,
    /// Whether this then relied on what some step in flight did.
    pub(crate) needed: bool,
    /// Where the frontier was when the result was last found to hold, or the execution was found to be blocked.
    pub(crate) checked: u64,
}

/// One place of the window.
#[repr(align(64))]
pub(crate) struct Slot<V: Vm> {
    /// Position and [`Phase`] in one word. Who may leave a phase: `Ready`, `Blocked` and `Done` by compare-exchange,
    /// whoever wins; `Running` and `Rerunning` by the worker that entered it; `Vacant` by the feeder. Stores are
    /// release and loads acquire, so that a phase vouches for the body.
    state: AtomicU64,
    /// The worker whose result it holds: a hint.
    pub(crate) owner: AtomicUsize,
    /// The step that was left to follow this one, and the one that this was left to follow; plus one, zero for none. Hints.
    pub(crate) next: AtomicU64,
    pub(crate) previous: AtomicU64,
    /// Locked by the worker that executes, validates or feeds the step; contended only by early checks.
    pub(crate) body: Mutex<Body<V>>,
}

/// The steps in flight: a ring, indexed by position.
pub(crate) struct Window<V: Vm> {
    slots: Box<[Slot<V>]>,
}

impl<V: Vm> Window<V> {
    /// `size` must be a power of two. The steps record into `records` as far as there are any.
    pub(crate) fn new(size: usize, records: &mut Vec<Record<V::Domain>>) -> Self {
        let slot = || Slot {
            state: AtomicU64::new(0),
            owner: AtomicUsize::new(0),
            next: AtomicU64::new(0),
            previous: AtomicU64::new(0),
            body: Mutex::new(Body {
                step: None,
                output: None,
                len: 1,
                record: records.pop().unwrap_or_default(),
                incarnation: 0,
                conflicts: 0,
                repaired: false,
                futile: false,
                group: None,
                before: None,
                near: false,
                needed: false,
                checked: 0,
            }),
        };
        Self { slots: std::iter::repeat_with(slot).take(size).collect() }
    }

    /// Gives the records back, for the next window.
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

    /// Whether a result of the step at `position` is yet to come: it is being executed, or was left to follow another one.
    pub(crate) fn is_awaited(&self, position: u64) -> bool {
        matches!(self.phase(position), Phase::Ready | Phase::Running | Phase::Rerunning)
    }

    /// Leaves the step at `position` to whoever executes the one at `previous`. The caller owns it, and does no more if `true`.
    pub(crate) fn leave_to_follow(&self, position: u64, previous: u64) -> bool {
        self.slot(position).previous.store(previous + 1, Ordering::Relaxed);
        self.set(position, Phase::Ready);
        self.slot(previous).next.store(position + 1, Ordering::Release);
        // Pairs with the fence between storing a result's phase and asking what follows.
        fence(Ordering::SeqCst);
        self.is_awaited(previous) || !self.claim(position, Phase::Ready, Phase::Running)
    }

    /// Claims the step that was left to follow the one at `position`, if there is one.
    pub(crate) fn claim_next(&self, position: u64) -> Option<u64> {
        let next = &self.slot(position).next;
        if next.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let next = next.swap(0, Ordering::Acquire).checked_sub(1)?;
        self.claim(next, Phase::Ready, Phase::Running).then_some(next)
    }

    /// Whether the step at `position` had better wait for the one that it was left to follow.
    pub(crate) fn is_to_follow(&self, position: u64) -> bool {
        let previous = self.slot(position).previous.load(Ordering::Relaxed);
        previous.checked_sub(1).is_some_and(|previous| self.is_awaited(previous))
    }

    /// Sets the phase; the caller owns the step (see [`Slot`]).
    pub(crate) fn set(&self, position: u64, phase: Phase) {
        self.slot(position).state.store(position << 3 | phase as u64, Ordering::Release);
    }

    /// Moves from one phase to another if nobody else did first.
    pub(crate) fn claim(&self, position: u64, from: Phase, to: Phase) -> bool {
        let word = |phase: Phase| position << 3 | phase as u64;
        self.slot(position)
            .state
            .compare_exchange(word(from), word(to), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}
