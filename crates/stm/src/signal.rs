use crate::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::sync::{Condvar, MODEL, Mutex, spin_loop};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// How often a condition is tried before the thread sleeps. Small, since workers may outnumber cores.
const SPINS: usize = if MODEL { 1 } else { 64 };
/// How long waiters may sleep although something has changed: waking them costs about as much as a small step, and they would find little
/// to do each time.
const PACE: Duration = Duration::from_micros(20);
/// Lets idle workers sleep until something changed.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// Number of threads about to sleep or asleep. Written by waiters (sequentially consistent, before they test
    /// their condition), read by notifiers after a sequentially consistent fence: one of the two sees the other.
    waiters: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
    /// Times that waiters were woken. No thread waits for it, so a model checker need not know of it.
    wake_ups: AtomicU64,
}

impl Signal {
    /// Waits until `condition` holds. The condition must become true only together with a [`Signal::notify`].
    pub(crate) fn wait_until(&self, condition: impl Fn() -> bool) {
        for _ in 0..SPINS {
            if condition() {
                return;
            }
            spin_loop();
        }
        self.waiters.fetch_add(1, Ordering::SeqCst);
        {
            let mut guard = self.lock.lock();
            fence(Ordering::SeqCst);
            while !condition() {
                self.changed.wait(&mut guard);
            }
        }
        self.waiters.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes all waiters, if there are any and `last` was some time ago; moves `last` on. To be followed by a
    /// [`Signal::notify`] sooner or later. Call after the change is stored.
    pub(crate) fn notify_paced(&self, last: &mut Option<Instant>) {
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) == 0 {
            return;
        }
        let now = Instant::now();
        if MODEL || last.is_none_or(|last| now - last >= PACE) {
            *last = Some(now);
            self.notify();
        }
    }

    /// Wakes all waiters, if there are any. Call after the change is stored.
    pub(crate) fn notify(&self) {
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock.lock();
            self.wake_ups.fetch_add(1, Ordering::Relaxed);
            self.changed.notify_all();
        }
    }

    /// How often waiters were woken.
    pub(crate) fn wake_ups(&self) -> u64 {
        self.wake_ups.load(Ordering::Relaxed)
    }
}
