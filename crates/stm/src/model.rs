//! The engine under model checkers: access to its inside, and the models that loom explores.
//!
//! Loom tries every schedule of a model and, for every load, every store that the orderings allow it to see. What it
//! cannot do is many steps; shuttle explores whole streams of all kinds (`tests/model`). Loom's locks never look held to another thread
//! after their release, as real ones may. So these models do not prove the fence before a worker tries the frontier's lock, nor that its
//! holder looks again after the release, which matters to three workers in rare orders only.

#[cfg(all(test, loom))]
mod cell;
#[cfg(all(test, loom))]
mod control;
#[cfg(all(test, loom))]
mod index;
#[cfg(shuttle)]
mod invariants;
#[cfg(all(test, loom))]
mod signal;
#[cfg(all(test, loom))]
mod stream;

#[cfg(all(test, loom))]
use loom::model::Builder;

/// Explores all schedules with at most this many preemptions.
#[cfg(all(test, loom))]
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}
