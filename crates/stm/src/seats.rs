use crossbeam_utils::CachePadded;
use std::sync::Arc;
// Nothing here synchronises, so that a model checker need not know of it.
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A worker that sleeps is nowhere.
const NOWHERE: usize = usize::MAX;

/// Whether an engine moves its threads: what its settings and the operating system allow, until a thread could not be given back the
/// processors that it may be on. Shared by all streams.
#[derive(Clone, Debug)]
pub(crate) struct Moves(Arc<AtomicBool>);

impl Moves {
    /// `wanted` by the settings; done if a thread of the engine's own, on which this is to be called, could be moved back.
    pub(crate) fn new(wanted: bool) -> Self {
        Self(Arc::new(AtomicBool::new(wanted && os::can_restore())))
    }

    fn allowed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Which processor each worker of a stream is on, so that no two are on one while another has nothing to do.
///
/// The operating system may put threads that are woken together on one processor, above all in a virtual machine, where it takes
/// a halted processor for one that is not to be had. It takes some milliseconds until it moves one of them, in which whole blocks could
/// have been executed. So a worker that has come to a processor and finds another one there goes elsewhere, once; from there on the
/// operating system may move it as before. A caller's thread is left where it is.
#[derive(Debug)]
pub(crate) struct Seats {
    places: Box<[CachePadded<AtomicUsize>]>,
    moves: Moves,
    /// Set by a worker that leaves with a thread that could not be moved back.
    bound: AtomicBool,
}

/// A worker's seat.
#[derive(Debug)]
pub(crate) struct Seat {
    worker: usize,
    /// Whether its thread may be moved: not a caller's.
    movable: bool,
    /// The processors that its thread may be on, as long as it could not be given them back.
    owed: Option<os::Processors>,
}

impl Seat {
    pub(crate) fn new(worker: usize, movable: bool) -> Self {
        Self { worker, movable, owed: None }
    }
}

impl Seats {
    pub(crate) fn new(workers: usize, moves: Moves) -> Self {
        let places = (0..workers).map(|_| CachePadded::new(AtomicUsize::new(NOWHERE))).collect();
        Self { places, moves, bound: AtomicBool::new(false) }
    }

    /// A worker goes on, with what it does or after it has slept. To be told often: the operating system moves workers, too.
    pub(crate) fn take(&self, seat: &mut Seat) {
        self.take_by(seat, os::set);
    }

    fn take_by(&self, seat: &mut Seat, set: impl Fn(&os::Processors) -> bool) {
        seat.owed.take_if(|owed| set(owed));
        if !self.moves.allowed() {
            return;
        }
        let Some(here) = os::here() else { return };
        let place = &self.places[seat.worker];
        if place.load(Ordering::Relaxed) == here {
            return;
        }
        // Of two that come at once, at least one sees the other.
        place.store(here, Ordering::SeqCst);
        let others = || {
            let others = self.places.iter().enumerate().filter(|(other, _)| *other != seat.worker);
            others.map(|(_, place)| place.load(Ordering::SeqCst))
        };
        if seat.movable && others().any(|other| other == here) {
            let (there, owed) = os::leave(here, others(), set);
            place.store(there, Ordering::SeqCst);
            if owed.is_some() {
                // The thread asks again each time. No other one shall have to.
                self.moves.0.store(false, Ordering::Relaxed);
                seat.owed = owed;
            }
        }
    }

    /// A worker sleeps.
    pub(crate) fn leave(&self, seat: &Seat) {
        self.places[seat.worker].store(NOWHERE, Ordering::SeqCst);
    }

    /// A worker is at its end.
    pub(crate) fn give_up(&self, mut seat: Seat) {
        self.leave(&seat);
        seat.owed.take_if(|owed| os::set(owed));
        if seat.owed.is_some() {
            self.bound.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a thread was left that could not be moved back: it had better end.
    pub(crate) fn are_bound(&self) -> bool {
        self.bound.load(Ordering::Relaxed)
    }

    /// Lets a worker begin that waits for the calling one's processor.
    pub(crate) fn make_way(&self) {
        if self.moves.allowed() {
            std::thread::yield_now();
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, shuttle))))]
mod os {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// Processors that a thread may be on.
    pub(super) type Processors = CpuSet;

    /// The processor that the calling thread is on.
    pub(super) fn here() -> Option<usize> {
        Some(sched_getcpu())
    }

    /// Lets the calling thread be on these processors alone. Whether that was done.
    pub(super) fn set(processors: &Processors) -> bool {
        sched_setaffinity(None, processors).is_ok()
    }

    /// Whether the calling thread, once moved, could be given back the processors that it may be on now.
    pub(super) fn can_restore() -> bool {
        sched_getaffinity(None).is_ok_and(|allowed| set(&allowed))
    }

    /// Moves the calling thread to another processor that is not taken, if there is one that it may be on. Where it is then, and
    /// the processors that it is owed if they could not be given back.
    pub(super) fn leave(
        here: usize,
        taken: impl Iterator<Item = usize>,
        set: impl Fn(&Processors) -> bool,
    ) -> (usize, Option<Processors>) {
        let Ok(allowed) = sched_getaffinity(None) else { return (here, None) };
        let mut free = allowed;
        taken.chain([here]).filter(|cpu| *cpu < CpuSet::MAX_CPU).for_each(|cpu| free.unset(cpu));
        if free.count() == 0 || !set(&free) {
            return (here, None);
        }
        let there = sched_getcpu();
        (there, (!set(&allowed)).then_some(allowed))
    }
}

/// Elsewhere nobody knows, and the operating system is left alone.
#[cfg(not(all(target_os = "linux", not(any(loom, shuttle)))))]
mod os {
    #[derive(Debug)]
    pub(super) enum Processors {}

    pub(super) fn here() -> Option<usize> {
        None
    }

    pub(super) fn set(processors: &Processors) -> bool {
        match *processors {}
    }

    pub(super) fn can_restore() -> bool {
        false
    }

    pub(super) fn leave(
        here: usize,
        _: impl Iterator<Item = usize>,
        _: impl Fn(&Processors) -> bool,
    ) -> (usize, Option<Processors>) {
        (here, None)
    }
}

#[cfg(all(test, target_os = "linux", not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::cell::Cell;

    fn place(seats: &Seats, worker: usize) -> usize {
        seats.places[worker].load(Ordering::SeqCst)
    }

    /// Has worker 1 come to where worker 0 is.
    fn meet(seats: &Seats, seat: &mut Seat, set: impl Fn(&CpuSet) -> bool) -> usize {
        let here = os::here().expect("a processor");
        seats.places[0].store(here, Ordering::SeqCst);
        seats.leave(seat);
        seats.take_by(seat, set);
        here
    }

    fn allowed() -> CpuSet {
        sched_getaffinity(None).expect("the processors of this thread")
    }

    #[test]
    fn a_worker_goes_where_nobody_is_and_may_be_anywhere_then() {
        let before = allowed();
        let (seats, mut seat) = (Seats::new(3, Moves::new(true)), Seat::new(2, true));
        for _ in 0..100 {
            let here = meet(&seats, &mut seat, os::set);
            assert!(place(&seats, 2) != here || before.count() == 1);
            assert_eq!(allowed(), before);
            seats.leave(&seat);
            assert_eq!(place(&seats, 2), NOWHERE);
        }
    }

    #[test]
    fn a_worker_stays_where_there_is_nothing_else() {
        let here = os::here().expect("a processor");
        let mut only = CpuSet::new();
        only.set(here);
        sched_setaffinity(None, &only).expect("this processor is allowed");
        let (seats, mut seat) = (Seats::new(2, Moves::new(true)), Seat::new(1, true));
        meet(&seats, &mut seat, os::set);
        assert_eq!((place(&seats, 1), allowed()), (here, only));
    }

    #[test]
    fn a_thread_is_left_alone_if_it_is_a_callers_or_moves_are_not_wanted() {
        let never = |_: &CpuSet| panic!("the thread's processors are set");
        for (wanted, movable) in [(false, true), (true, false)] {
            let (seats, mut seat) = (Seats::new(2, Moves::new(wanted)), Seat::new(1, movable));
            meet(&seats, &mut seat, never);
        }
    }

    #[test]
    fn a_thread_that_could_not_be_moved_back_is_the_last_one_moved_and_asks_again() {
        let before = allowed();
        if before.count() == 1 {
            return;
        }
        let (seats, mut seat) = (Seats::new(3, Moves::new(true)), Seat::new(2, true));
        let asked = Cell::new(0);
        let not_back = |processors: &CpuSet| {
            asked.set(asked.get() + 1);
            *processors != before && os::set(processors)
        };
        meet(&seats, &mut seat, not_back);
        assert_ne!(allowed(), before, "the thread is bound");
        // Whoever comes next is not moved, and the bound one asks until it is free.
        let calls = asked.get();
        meet(&seats, &mut Seat::new(1, true), not_back);
        assert_eq!(asked.get(), calls);
        seats.take_by(&mut seat, not_back);
        assert_eq!((asked.get(), seat.owed.is_some()), (calls + 1, true));
        seats.take(&mut seat);
        assert_eq!((allowed(), seat.owed.is_none()), (before, true));
    }
}
