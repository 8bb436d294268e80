//! The embedded database: what goes in comes out, every block can be taken back, and no failure of the storage costs
//! more than the commit that it interrupts. And the cache in front of it.

#![allow(clippy::unwrap_used)]

mod blocks;
mod cache;
mod corruption;
mod faults;
mod genesis;
mod killed;
mod opening;
mod support;
mod unwind;
