//! `tandem import` and the commands on its database.

mod args;
mod import;
mod open;
mod query;
mod upkeep;

pub(crate) use args::{AccountArgs, DbCommand, HeadArgs, ImportArgs, ReceiptArgs, UnwindArgs};
pub(crate) use import::run as import;
pub(crate) use query::{account, head, receipt};
pub(crate) use upkeep::{db, unwind};
