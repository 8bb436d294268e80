use crossbeam_utils::CachePadded;
use std::sync::Arc;
// Nothing here synchronises, so that a model checker need not know of it.
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The CPU of a worker that sleeps.
const NO_CPU: usize = usize::MAX;

/// Whether an engine may migrate its threads from CPU to CPU. True if the settings and the operating system allow it, until restoring
/// a thread's CPU affinity has failed once. Shared by all streams.
#[derive(Clone, Debug)]
pub(crate) struct Migration(Arc<AtomicBool>);

impl Migration {
    /// To be called on a thread of the engine's own: migration is allowed only if that thread's CPU affinity can be restored.
    pub(crate) fn new(enabled: bool) -> Self {
        Self(Arc::new(AtomicBool::new(enabled && os::can_restore())))
    }

    fn allowed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The CPU of each worker of a stream, so that no two workers share one while another CPU is idle.
///
/// The operating system may put threads that are woken together on one CPU, above all in a virtual machine, where it takes a halted CPU
/// for one that is not available. It separates them only after some milliseconds, in which whole blocks could execute. So a worker that
/// finds another worker on its CPU migrates to a free one, once. After that the operating system may move it as before. Threads of
/// callers are never migrated.
#[derive(Debug)]
pub(crate) struct Placement {
    /// By worker.
    cpus: Box<[CachePadded<AtomicUsize>]>,
    migration: Migration,
    /// Set by a worker that leaves a thread whose CPU affinity could not be restored.
    pinned: AtomicBool,
}

/// The placement of one worker's thread.
#[derive(Debug)]
pub(crate) struct WorkerCpu {
    worker: usize,
    /// Whether the thread may be migrated: not if it is a caller's.
    migratable: bool,
    /// The CPU affinity that the thread had before its migration, as long as it could not be restored.
    unrestored: Option<os::CpuMask>,
}

impl WorkerCpu {
    pub(crate) fn new(worker: usize, migratable: bool) -> Self {
        Self { worker, migratable, unrestored: None }
    }
}

impl Placement {
    pub(crate) fn new(workers: usize, migration: Migration) -> Self {
        let cpus = (0..workers).map(|_| CachePadded::new(AtomicUsize::new(NO_CPU))).collect();
        Self { cpus, migration, pinned: AtomicBool::new(false) }
    }

    /// Notes the CPU of a worker that begins, goes on or wakes up, and migrates it if another worker is there. To be called often, since
    /// the operating system moves threads, too.
    pub(crate) fn check_in(&self, cpu: &mut WorkerCpu) {
        self.check_in_by(cpu, os::set_affinity);
    }

    fn check_in_by(&self, cpu: &mut WorkerCpu, set_affinity: impl Fn(&os::CpuMask) -> bool) {
        cpu.unrestored.take_if(|mask| set_affinity(mask));
        if !self.migration.allowed() {
            return;
        }
        let Some(here) = os::current_cpu() else { return };
        let own = &self.cpus[cpu.worker];
        if own.load(Ordering::Relaxed) == here {
            return;
        }
        // Of two workers that come at once, at least one sees the other.
        own.store(here, Ordering::SeqCst);
        let others = || {
            let others = self.cpus.iter().enumerate().filter(|(other, _)| *other != cpu.worker);
            others.map(|(_, cpu)| cpu.load(Ordering::SeqCst))
        };
        if cpu.migratable && others().any(|other| other == here) {
            let (there, unrestored) = os::migrate(here, others(), set_affinity);
            own.store(there, Ordering::SeqCst);
            if unrestored.is_some() {
                // This thread tries again each time. No other thread is migrated any more.
                self.migration.0.store(false, Ordering::Relaxed);
                cpu.unrestored = unrestored;
            }
        }
    }

    /// Notes that a worker sleeps.
    pub(crate) fn check_out(&self, cpu: &WorkerCpu) {
        self.cpus[cpu.worker].store(NO_CPU, Ordering::SeqCst);
    }

    /// Notes that a worker has ended.
    pub(crate) fn finish(&self, mut cpu: WorkerCpu) {
        self.check_out(&cpu);
        cpu.unrestored.take_if(|mask| os::set_affinity(mask));
        if cpu.unrestored.is_some() {
            self.pinned.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a worker left a thread whose CPU affinity could not be restored. The stream's threads should end then.
    pub(crate) fn left_pinned(&self) -> bool {
        self.pinned.load(Ordering::Relaxed)
    }

    /// Lets a worker begin that waits for the calling worker's CPU.
    pub(crate) fn yield_cpu(&self) {
        if self.migration.allowed() {
            std::thread::yield_now();
        }
    }
}

#[cfg(all(target_os = "linux", not(any(loom, shuttle))))]
mod os {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

    /// A CPU affinity: the CPUs that a thread may run on.
    pub(super) type CpuMask = CpuSet;

    /// The CPU that the calling thread is on.
    pub(super) fn current_cpu() -> Option<usize> {
        Some(sched_getcpu())
    }

    /// Sets the CPU affinity of the calling thread. Whether that was done.
    pub(super) fn set_affinity(mask: &CpuMask) -> bool {
        sched_setaffinity(None, mask).is_ok()
    }

    /// Whether the CPU affinity of the calling thread could be restored after a migration.
    pub(super) fn can_restore() -> bool {
        sched_getaffinity(None).is_ok_and(|allowed| set_affinity(&allowed))
    }

    /// Migrates the calling thread to an allowed CPU that is not `taken`, if there is one. Gives the CPU that the thread is on then, and
    /// its previous affinity if that could not be restored.
    pub(super) fn migrate(
        here: usize,
        taken: impl Iterator<Item = usize>,
        set_affinity: impl Fn(&CpuMask) -> bool,
    ) -> (usize, Option<CpuMask>) {
        let Ok(allowed) = sched_getaffinity(None) else { return (here, None) };
        let mut free = allowed;
        taken.chain([here]).filter(|cpu| *cpu < CpuSet::MAX_CPU).for_each(|cpu| free.unset(cpu));
        if free.count() == 0 || !set_affinity(&free) {
            return (here, None);
        }
        let there = sched_getcpu();
        (there, (!set_affinity(&allowed)).then_some(allowed))
    }
}

/// On other systems, and under model checkers, no thread is migrated.
#[cfg(not(all(target_os = "linux", not(any(loom, shuttle)))))]
mod os {
    #[derive(Debug)]
    pub(super) enum CpuMask {}

    pub(super) fn current_cpu() -> Option<usize> {
        None
    }

    pub(super) fn set_affinity(mask: &CpuMask) -> bool {
        match *mask {}
    }

    pub(super) fn can_restore() -> bool {
        false
    }

    pub(super) fn migrate(
        here: usize,
        _: impl Iterator<Item = usize>,
        _: impl Fn(&CpuMask) -> bool,
    ) -> (usize, Option<CpuMask>) {
        (here, None)
    }
}

#[cfg(all(test, target_os = "linux", not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::cell::Cell;

    fn cpu_of(placement: &Placement, worker: usize) -> usize {
        placement.cpus[worker].load(Ordering::SeqCst)
    }

    /// Has a worker come to a CPU where worker 0 is. Gives that CPU.
    fn meet(placement: &Placement, cpu: &mut WorkerCpu, set_affinity: impl Fn(&CpuSet) -> bool) -> usize {
        let here = os::current_cpu().expect("a CPU");
        placement.cpus[0].store(here, Ordering::SeqCst);
        placement.check_out(cpu);
        placement.check_in_by(cpu, set_affinity);
        here
    }

    fn allowed() -> CpuSet {
        sched_getaffinity(None).expect("the affinity of this thread")
    }

    #[test]
    fn a_worker_goes_to_a_free_cpu_and_may_be_anywhere_then() {
        let before = allowed();
        let (placement, mut cpu) = (Placement::new(3, Migration::new(true)), WorkerCpu::new(2, true));
        for _ in 0..100 {
            let here = meet(&placement, &mut cpu, os::set_affinity);
            assert!(cpu_of(&placement, 2) != here || before.count() == 1);
            assert_eq!(allowed(), before);
            placement.check_out(&cpu);
            assert_eq!(cpu_of(&placement, 2), NO_CPU);
        }
    }

    #[test]
    fn a_worker_stays_where_there_is_no_other_cpu() {
        let here = os::current_cpu().expect("a CPU");
        let mut only = CpuSet::new();
        only.set(here);
        sched_setaffinity(None, &only).expect("this CPU is allowed");
        let (placement, mut cpu) = (Placement::new(2, Migration::new(true)), WorkerCpu::new(1, true));
        meet(&placement, &mut cpu, os::set_affinity);
        assert_eq!((cpu_of(&placement, 1), allowed()), (here, only));
    }

    #[test]
    fn a_thread_is_left_alone_if_it_is_a_callers_or_placement_is_off() {
        let never = |_: &CpuSet| panic!("the thread's affinity is set");
        for (enabled, migratable) in [(false, true), (true, false)] {
            let (placement, mut cpu) =
                (Placement::new(2, Migration::new(enabled)), WorkerCpu::new(1, migratable));
            meet(&placement, &mut cpu, never);
        }
    }

    #[test]
    fn a_thread_that_could_not_be_restored_is_the_last_one_migrated_and_tries_again() {
        let before = allowed();
        if before.count() == 1 {
            return;
        }
        let (placement, mut cpu) = (Placement::new(3, Migration::new(true)), WorkerCpu::new(2, true));
        let tries = Cell::new(0);
        let not_back = |mask: &CpuSet| {
            tries.set(tries.get() + 1);
            *mask != before && os::set_affinity(mask)
        };
        meet(&placement, &mut cpu, not_back);
        assert_ne!(allowed(), before, "the thread is pinned");
        // The next worker is not migrated. The pinned one tries until its affinity is restored.
        let calls = tries.get();
        meet(&placement, &mut WorkerCpu::new(1, true), not_back);
        assert_eq!(tries.get(), calls);
        placement.check_in_by(&mut cpu, not_back);
        assert_eq!((tries.get(), cpu.unrestored.is_some()), (calls + 1, true));
        placement.check_in(&mut cpu);
        assert_eq!((allowed(), cpu.unrestored.is_none()), (before, true));
    }
}
