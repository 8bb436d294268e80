//! The EVM on the engine.
