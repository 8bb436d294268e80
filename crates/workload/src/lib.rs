//! Generated blocks.
