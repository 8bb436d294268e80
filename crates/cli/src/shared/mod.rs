//! The common parts of several commands. Nothing here knows of a command.

pub(crate) mod blocks;
pub(crate) mod builder;
pub(crate) mod chain_args;
pub(crate) mod digest;
pub(crate) mod execute;
pub(crate) mod executed;
pub(crate) mod failure;
pub(crate) mod generated;
pub(crate) mod input;
pub(crate) mod load;
pub(crate) mod mode;
pub(crate) mod output;
pub(crate) mod plain;
pub(crate) mod positive;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod proof;
pub(crate) mod rules;
pub(crate) mod slow_store;
pub(crate) mod source;
pub(crate) mod states;
pub(crate) mod trace_error;
