//! The engine's synchronisation primitives, in one place, so that a model checker can replace them.
//!
//! Normally these are the standard library's atomics, parking_lot's locks and rayon's threads, re-exported and nothing
//! else. Built with `--cfg shuttle` they are shuttle's, which runs the whole engine under schedules of its choice
//! (`tests/model`); with `--cfg loom` they are loom's, which goes through all schedules of small parts and through what
//! weakly ordered memory may show them (`src/model.rs`).
//!
//! Some modules use the standard library's `OnceLock` even under a checker. There no initialiser waits for another thread, and an atomic or
//! a lock that the checker sees publishes the initialised value.

#[cfg(any(loom, shuttle))]
mod locks;
#[cfg(shuttle)]
mod threads;

#[cfg(not(loom))]
pub(crate) use std::sync::OnceLock;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use {
    foldhash::fast::RandomState as HashState,
    parking_lot::{Condvar, Mutex},
    std::{hint::spin_loop, sync::atomic},
};

#[cfg(loom)]
pub(crate) use locks::OnceLock;
#[cfg(loom)]
pub(crate) use loom::{hint::spin_loop, sync::atomic};
#[cfg(shuttle)]
pub(crate) use shuttle::{hint::spin_loop, sync::atomic};
// A schedule can be repeated only if tables are filled in the same way.
#[cfg(any(loom, shuttle))]
pub(crate) use {
    foldhash::fast::FixedState as HashState,
    locks::{Condvar, Mutex},
};

#[cfg(not(shuttle))]
pub(crate) use rayon::{ThreadPool, ThreadPoolBuilder, Yield, yield_now};
#[cfg(shuttle)]
pub(crate) use threads::{ThreadPool, ThreadPoolBuilder, Yield, yield_now};

/// Sleeps for a while; no signal wakes it.
#[cfg(not(any(loom, shuttle)))]
pub(crate) use std::thread::sleep as nap;

#[cfg(loom)]
pub(crate) fn nap(_: std::time::Duration) {
    loom::thread::yield_now();
}

#[cfg(shuttle)]
pub(crate) fn nap(_: std::time::Duration) {
    shuttle::thread::yield_now();
}

/// Whether a model checker drives the engine. Tables start small and spinning is short then, so that they grow and
/// sleep within a few steps.
pub(crate) const MODEL: bool = cfg!(any(loom, shuttle));
