//! The engine under model checkers: what they see of its inside, and the models that loom goes through.
//!
//! Loom tries every schedule of a model and, for every load, every store that the orderings allow it to see. What it
//! cannot do is many steps; whole streams of all kinds are shuttle's part (`tests/model`). Nor do its locks ever look held
//! to somebody after their release, as real ones may: the fence before a frontier's lock is tried stays unproven. So does that its
//! holder looks again after the release, which matters to three workers in rare orders only.

#[cfg(all(test, loom))]
mod cell;
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

/// Goes through all schedules with at most this many preemptions.
#[cfg(all(test, loom))]
fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}
