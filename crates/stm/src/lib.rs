//! The ordered engine: executes a totally ordered stream of steps on many threads and gives the results of
//! executing them one by one.
//!
//! # The correctness boundary
//!
//! A step's result becomes final only if, at its turn, everything it observed holds in the state left by all
//! earlier steps, or if it was executed at its turn on that state. Everything else in this crate (claim order,
//! early re-execution, waiting for writers) is advisory and can only cost time.
//!
//! # How it works
//!
//! * [`Engine`] keeps threads; [`Engine::stream`] and [`Engine::call`] execute a stream on them. Any number of streams may
//!   execute at once.
//! * A [`Vm`] executes one step against a [`View`], and reports observations and effects.
//! * The version store keeps, per location, the final value and the effects of the steps in flight.
//! * The *frontier* is the position of the next step to become final. One worker at a time holds the frontier: it
//!   validates the result of the step there by value and commits it, repairs it through [`Vm::repair`], or executes the step on the
//!   spot on final state.
//! * All other workers speculate on later steps inside a bounded window.
//!
//! The crate knows nothing of the EVM.
//!
//! The feature `serde` makes plain data ([`Metrics`], [`Observation`], [`Effect`], [`History`] and their parts) serializable.
#![forbid(unsafe_code)]

mod admissions;
mod arena;
mod background;
mod cell;
mod config;
mod conflict_class;
mod control;
mod cursors;
mod domain;
mod engine;
mod error;
mod feed;
mod frontier;
mod guard;
mod helpers;
mod index;
mod longest_first;
mod metrics;
#[cfg(any(loom, shuttle))]
mod model;
mod placement;
mod predicate;
mod prefetching;
mod record;
mod segment;
mod serial;
mod shared;
mod signal;
mod sink;
mod slab;
mod store;
mod sync;
mod table;
mod tallies;
mod values;
mod view;
mod vm;
mod window;
mod worker;

pub use arena::Arena;
pub use background::{Background, assist};
pub use cell::{Cell, Words};
pub use config::{Config, ConfigError, Cut};
pub use domain::Domain;
pub use engine::{Engine, StreamHandle};
pub use error::StreamError;
pub use metrics::{Event, EventKind, Metrics};
pub use predicate::{Check, Delta, Effect, Observation};
pub use record::{Effects, Violation};
pub use sink::{Admission, Changes, History, Outcome, Recorded, Sink};
pub use store::EntryId;
pub use view::{Read, Sighting, View};
pub use vm::{Repair, Vm};
