//! The whole engine, as it is, under schedules chosen by a model checker, against serial execution.
//!
//! Built with `--cfg shuttle` only. Each schedule has a random program of its own. A failure prints its schedule, a long
//! number; with `TANDEM_REPLAY` naming a file that holds it, the same test runs nothing but that. `TANDEM_SCHEDULES` says
//! how many schedules each test tries per kind of scheduler.
#![cfg(shuttle)]

mod admission;
mod background;
mod ends;
mod explore;
mod streams;
#[path = "../it/toy/mod.rs"]
mod toy;
