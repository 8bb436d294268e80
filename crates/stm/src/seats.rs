use crate::sync::atomic::{AtomicUsize, Ordering};
use crossbeam_utils::CachePadded;

/// A worker that sleeps is nowhere.
const NOWHERE: usize = usize::MAX;

/// Which processor each worker of a stream is on, so that no two are on one while another has nothing to do.
///
/// The operating system may put threads that are woken together on one processor, above all in a virtual machine, where it takes
/// a halted processor for one that is not to be had. It takes some milliseconds until it moves one of them, in which whole blocks could
/// have been executed. So a worker that has come to a processor and finds another one there goes elsewhere, once; from there on the
/// operating system may move it as before.
#[derive(Debug)]
pub(crate) struct Seats(Box<[CachePadded<AtomicUsize>]>);

impl Seats {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| CachePadded::new(AtomicUsize::new(NOWHERE))).collect())
    }

    /// A worker goes on, with what it does or after it has slept. To be told often: the operating system moves workers, too.
    pub(crate) fn take(&self, worker: usize) {
        let Some(here) = os::here() else { return };
        if self.0[worker].load(Ordering::Relaxed) == here {
            return;
        }
        // Of two that come at once, at least one sees the other.
        self.0[worker].store(here, Ordering::SeqCst);
        let others = || {
            let others = self.0.iter().enumerate().filter(|(other, _)| *other != worker);
            others.map(|(_, seat)| seat.load(Ordering::SeqCst))
        };
        if others().any(|other| other == here)
            && let Some(there) = os::leave(here, others())
        {
            self.0[worker].store(there, Ordering::SeqCst);
        }
    }

    /// A worker sleeps, or is at its end.
    pub(crate) fn leave(&self, worker: usize) {
        self.0[worker].store(NOWHERE, Ordering::SeqCst);
    }

    /// Lets a worker begin that waits for the calling one's processor.
    pub(crate) fn make_way(&self) {
        if os::here().is_some() {
            std::thread::yield_now();
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, shuttle))))]
mod os {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// The processor that the calling thread is on.
    pub(super) fn here() -> Option<usize> {
        Some(sched_getcpu())
    }

    /// Moves the calling thread to another processor that is not taken, if there is one that it may be on. Where it is then.
    pub(super) fn leave(here: usize, taken: impl Iterator<Item = usize>) -> Option<usize> {
        let allowed = sched_getaffinity(None).ok()?;
        let mut free = allowed;
        taken.chain([here]).filter(|cpu| *cpu < CpuSet::MAX_CPU).for_each(|cpu| free.unset(cpu));
        // Without a free one this fails.
        sched_setaffinity(None, &free).ok()?;
        let there = sched_getcpu();
        sched_setaffinity(None, &allowed).ok()?;
        Some(there)
    }
}

/// Elsewhere nobody knows, and the operating system is left alone.
#[cfg(not(all(target_os = "linux", not(any(loom, shuttle)))))]
mod os {
    pub(super) fn here() -> Option<usize> {
        None
    }

    pub(super) fn leave(_: usize, _: impl Iterator<Item = usize>) -> Option<usize> {
        None
    }
}

#[cfg(all(test, target_os = "linux", not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    fn seat(seats: &Seats, worker: usize) -> usize {
        seats.0[worker].load(Ordering::SeqCst)
    }

    #[test]
    fn a_worker_goes_where_nobody_is_and_may_be_anywhere_then() {
        let allowed = sched_getaffinity(None).expect("the processors of this thread");
        let seats = Seats::new(3);
        for _ in 0..100 {
            let here = os::here().expect("a processor");
            seats.0[0].store(here, Ordering::SeqCst);
            seats.take(2);
            assert!(seat(&seats, 2) != here || allowed.count() == 1);
            assert_eq!(sched_getaffinity(None).expect("the processors of this thread"), allowed);
            seats.leave(2);
            assert_eq!(seat(&seats, 2), NOWHERE);
        }
    }

    #[test]
    fn a_worker_stays_where_there_is_nothing_else() {
        let here = os::here().expect("a processor");
        let mut only = CpuSet::new();
        only.set(here);
        sched_setaffinity(None, &only).expect("this processor is allowed");
        let seats = Seats::new(2);
        seats.0[0].store(here, Ordering::SeqCst);
        seats.take(1);
        assert_eq!((seat(&seats, 1), sched_getaffinity(None)), (here, Ok(only)));
    }
}
