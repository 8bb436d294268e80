//! Importing a chain: from files of blocks to a database whose head is the last of them.
//!
//! Stages, each working on later blocks while the next one works on earlier ones, with bounded queues between them:
//!
//! | stage | where | what |
//! |---|---|---|
//! | read | a thread | decodes blocks, checks headers and ommers against their parents |
//! | recover | background work of the executor | checks bodies, recovers senders |
//! | prefetch | threads that mostly wait | reads what a block names: senders, recipients, codes, access lists |
//! | execute | the executor's threads | streams of blocks, a *segment* each |
//! | roots | a thread, and background work | receipts, tries and state root, compared with the header |
//! | commit | a thread | a batch of blocks in one durable commit |
//!
//! A segment executes on the state that a snapshot of the database, blocks executed since, and a read cache make up. It
//! ends after a number of transactions, which bounds what the engine remembers and how many blocks wait for their roots.
//! So memory depends on [`ImportOptions`], not on the length of the chain. Blocks that are read ahead, and those of a
//! segment, are bounded in number and in bytes.
//!
//! A block that is there already, in the database or among those that were read before, is passed over.
//!
//! Bodies are checked, senders recovered and tries hashed as background work. A thread that waits for a part of such work may begin
//! another piece of it. So recovery, which a segment needs in order to end, is done block by block and waits for no other thread.
//!
//! The first block that breaks a rule ends the import. All blocks before it are committed.

mod base;
mod budget;
mod compatible;
mod error;
mod genesis;
mod incoming;
mod options;
mod overlapped;
mod prefetch;
mod report;
mod roots;
mod run;
mod segment;
mod serial;
mod tip;
mod unwind;
mod writer;

pub use error::ImportError;
pub use genesis::initialize;
pub use options::ImportOptions;
pub use report::{ImportReport, Imported, StageTimes};
pub use run::import;
pub use tip::{chain_spec, header_chain};
pub use unwind::unwind;
