//! The limits of parallel execution: which steps of given blocks depend on which, where, the cost of that on how many threads, and the
//! engine's actual run.
//!
//! [`record()`] traces blocks; a [`Graph`] says by a [`Model`] what depends on what; [`makespan`], [`by_block`] and
//! [`as_stream`] say how long that takes at best; [`Hotspots`] and [`Names`] say where it comes from. [`study()`]
//! simulates another kind of engine, whose dispatcher hands transactions to slots.
#![forbid(unsafe_code)]

mod actual;
mod conflict;
mod graph;
mod hot;
mod model;
mod names;
mod record;
mod schedule;
mod shape;
mod study;
mod trace;

pub use actual::{ActualRun, WorkerSummary, letters};
pub use conflict::{Conflict, conflicts};
pub use graph::{ChainEnd, Edge, Graph};
pub use hot::{Hotspot, Hotspots, Together};
pub use model::{Model, REPAIR_SHARE};
pub use names::Names;
pub use record::{Input, TraceError, compare_paths, record, record_chains};
pub use schedule::{Costs, LOOK_AHEAD, as_stream, by_block, limit, makespan, simulate, speed_up};
pub use shape::{Feature, Shape, Spread};
pub use study::{Confirmation, Dispatch, StudyResult, Variant, study};
pub use trace::{LocationId, StateKey, Step, StepRead, StepWrite, Trace, TracedBlock};
