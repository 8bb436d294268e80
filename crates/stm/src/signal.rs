use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// How often a condition is tried before the thread sleeps. Small, since workers may outnumber cores.
const SPINS: usize = 64;

/// Lets idle workers sleep until something changed.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// Number of threads about to sleep or asleep. Written by waiters (sequentially consistent, before they test
    /// their condition), read by notifiers after a sequentially consistent fence: one of the two sees the other.
    waiters: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Signal {
    /// Waits until `condition` holds. The condition must become true only together with a [`Signal::notify`].
    pub(crate) fn wait_until(&self, condition: impl Fn() -> bool) {
        for _ in 0..SPINS {
            if condition() {
                return;
            }
            std::hint::spin_loop();
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

    /// Wakes all waiters, if there are any. Call after the change is stored.
    pub(crate) fn notify(&self) {
        fence(Ordering::SeqCst);
        if self.waiters.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock.lock();
            self.changed.notify_all();
        }
    }
}
