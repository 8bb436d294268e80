use super::args::{DbCommand, HeadArgs, UnwindArgs};
use super::import::HeadLine;
use super::open::{failure, import_failure, open, open_to_read, snapshot};
use crate::shared::failure::Failure;
use crate::shared::output::{complain, say};
use crate::shared::progress::{busy, progress};
use serde_json::json;
use tandem_chain::import::unwind as unwind_to;
use tandem_evm::{Config, Executor};
use tandem_state::database::DatabaseError;
use tandem_state::database::check::{Phase, check as check_all};

/// `tandem unwind`
pub(crate) fn unwind(args: &UnwindArgs) -> Result<(), Failure> {
    let database = open(&args.data, false)?;
    let executor = Executor::new(&Config::default()).map_err(Failure::input)?;
    let bar = busy("unwinding", args.data.json);
    let head = executor.background().run(|| unwind_to(&database, args.to));
    bar.finish_and_clear();
    let head = head.map_err(|error| import_failure(&error))?;
    if args.data.json {
        say!("{}", json!({ "head": HeadLine::from(head) }));
    } else {
        say!("head {} {}, state root {}", head.number, head.hash, head.state_root);
    }
    Ok(())
}

/// `tandem db`
pub(crate) fn db(command: &DbCommand) -> Result<(), Failure> {
    match command {
        DbCommand::Check(args) => check(args),
        DbCommand::Stats(args) => stats(args),
    }
}

fn check(args: &HeadArgs) -> Result<(), Failure> {
    let snapshot = snapshot(&args.data)?;
    let bar = progress(0, "checking", args.data.json);
    let report = check_all(&snapshot, |progress| {
        bar.set_message(match progress.phase {
            Phase::Codes => "codes",
            Phase::Leaves => "leaves",
            Phase::Nodes => "nodes",
            Phase::Blocks => "blocks",
        });
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let report = match report {
        Ok(report) => report,
        Err(error @ (DatabaseError::Inconsistent(_) | DatabaseError::Corrupt(_))) => {
            complain!("error: {error}");
            return Err(Failure::Check);
        }
        Err(error) => return Err(failure(&error)),
    };
    if args.data.json {
        say!(
            "{}",
            json!({
                "ok": true,
                "stateRoot": report.state_root,
                "accounts": report.accounts,
                "slots": report.slots,
                "codes": report.codes,
                "accountNodes": report.account_nodes,
                "storageNodes": report.storage_nodes,
                "blocks": report.blocks,
                "transactions": report.transactions,
            })
        );
        return Ok(());
    }
    say!(
        "all well: the state root, recomputed from scratch, is that of the last block: {}",
        report.state_root
    );
    say!("{} accounts, {} slots, {} codes", report.accounts, report.slots, report.codes);
    say!("{} and {} inner nodes of the tries", report.account_nodes, report.storage_nodes);
    say!("{} blocks, {} transactions", report.blocks, report.transactions);
    Ok(())
}

fn stats(args: &HeadArgs) -> Result<(), Failure> {
    let database = open_to_read(&args.data)?;
    let stats = database.stats().map_err(|error| failure(&error))?;
    if args.data.json {
        for table in &stats.tables {
            say!(
                "{}",
                json!({ "table": table.name, "rows": table.rows, "storedBytes": table.stored_bytes, "pageBytes": table.page_bytes })
            );
        }
        say!("{}", json!({ "summary": { "fileBytes": stats.file_bytes } }));
        return Ok(());
    }
    say!("{:<16} {:>12} {:>14} {:>14}", "table", "rows", "bytes", "bytes of pages");
    for table in &stats.tables {
        say!("{:<16} {:>12} {:>14} {:>14}", table.name, table.rows, table.stored_bytes, table.page_bytes);
    }
    if let Some(bytes) = stats.file_bytes {
        say!("the file has {bytes} bytes");
    }
    Ok(())
}
