use super::args::RunArgs;
use super::workers::{START, Workers};
use crate::shared::failure::Failure;
use crate::shared::output::{complain, say};
use crate::shared::progress::progress;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tandem_fevm::workload::Fixed;
use tandem_fevm::{Config, Engines, Executor, Input, InvalidMessage, TipsetResult, reference};

pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    let (threads, processes) = args.workers.divide(threads)?;
    let input = Input::read(&args.bundle, &args.state, &args.messages)
        .map_err(|error| Failure::input(format!("{error:#}")))?;
    let mut config = Config::new(threads);
    if args.trust_evm {
        config = config.contracts([input.evm]);
    }
    let archives = [&args.bundle, &args.state].map(|path| path.clone().into_os_string());
    let config = args.workers.configure(config, processes, archives)?;
    let engines = Engines::new(&input.context.network, threads)
        .map_err(|error| Failure::fault(format!("{error:#}")))?;
    let executor = Executor::new(&engines, config).map_err(|error| Failure::input(format!("{error:#}")))?;
    executor.prepare(&input.context, START);
    let bar = progress(input.steps.len() * (1 + usize::from(args.verify)), "executing", args.json);
    let done = || bar.inc(1);
    // The reference has a copy: neither can write a block that the other one forgot.
    let twin = args.verify.then(|| Arc::new(input.store.copy()));
    let start = Instant::now();
    let result = executor
        .execute_observed(&input.context, &input.store, &Fixed, &input.steps, &done)
        .map_err(|error| refused(args, &error))?;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    let difference = match twin {
        Some(store) => {
            let engines = Engines::new(&input.context.network, 1);
            let engines = engines.map_err(|error| Failure::fault(format!("{error:#}")))?;
            let (context, steps) = (&input.context, &input.steps);
            let expected = reference::execute_observed(engines.pool(), context, store, Fixed, steps, &done)
                .map_err(|error| refused(args, &error.context("the reference")))?;
            result.compare(&expected).err()
        }
        None => None,
    };
    bar.finish_and_clear();
    Workers::report_lost(&executor);
    report(args, &result, (threads, processes), ms, difference.as_deref());
    match difference {
        Some(_) => Err(Failure::Check),
        None => Ok(()),
    }
}

/// An invalid message is a fault of the tipset; any other end of an execution is a state that cannot be read.
fn refused(args: &RunArgs, error: &anyhow::Error) -> Failure {
    match error.downcast_ref::<InvalidMessage>() {
        Some(invalid) => {
            complain!("error: {}: {invalid}", args.messages.display());
            Failure::Check
        }
        None => Failure::input(format!("{}: {error:#}", args.state.display())),
    }
}

fn report(
    args: &RunArgs,
    result: &TipsetResult,
    (threads, processes): (usize, usize),
    ms: f64,
    difference: Option<&str>,
) {
    if !args.json {
        say!("message  exit           gas");
    }
    for (position, message) in result.results.iter().enumerate() {
        let receipt = &message.receipt;
        let (code, gas) = (receipt.exit_code.value(), receipt.gas_used);
        match args.json {
            true => say!(
                "{}",
                json!({
                    "message": position,
                    "exitCode": code,
                    "gasUsed": gas,
                    "return": hex(receipt.return_data.bytes()),
                    "eventsRoot": receipt.events_root.map(|root| root.to_string()),
                })
            ),
            false => say!("{position:>7} {code:>5} {gas:>13}"),
        }
    }
    let verified = args.verify.then_some(difference.is_none());
    let stats = &result.stats;
    match args.json {
        true => say!(
            "{}",
            json!({ "summary": {
                "messages": result.results.len(),
                "threads": threads + processes,
                "processes": processes,
                "root": result.root.to_string(),
                "identical": verified,
                "merged": stats.merged,
                "reexecuted": stats.reexecuted(),
                "ms": ms,
            } })
        ),
        false => say!(
            "{} messages in {ms:.1} ms on {threads} threads and {processes} processes; {} merged, {} executed again; root {}",
            result.results.len(),
            stats.merged,
            stats.reexecuted(),
            result.root
        ),
    }
    match (difference, verified) {
        (Some(difference), _) => complain!("error: not what the reference gives: {difference}"),
        (None, Some(_)) if !args.json => say!("identical with the reference"),
        _ => {}
    }
}

fn hex(data: &[u8]) -> String {
    alloy_primitives::hex::encode(data)
}
