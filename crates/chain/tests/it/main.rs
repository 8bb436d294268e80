//! All of the crate's integration tests in one binary: each binary would compile the engine anew.

mod bodies;
mod broken_rlp;
mod chain_file;
mod common;
mod genesis;
mod header_chain;
mod header_fields;
mod import;
mod import_faults;
mod ommers;
mod recorded_blocks;
mod recorded_chain;
mod sealing;
