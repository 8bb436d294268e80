//! `tandem study`: the dispatchers of BSC's Parallel EVM on given blocks.

mod args;

pub(crate) use args::StudyArgs;

use crate::shared::blocks::Blocks;
use crate::shared::failure::Failure;
use crate::shared::output::results;
use crate::shared::positive::positive;
use crate::shared::progress::progress;
use std::io::{self, Write};
use std::path::PathBuf;
use tandem_analysis::Dispatch::{Idle, SameAddress};
use tandem_analysis::{Confirmation, Dispatch, StudyResult, Trace, Variant, record};

/// Numbers of slots that are simulated.
const SLOTS: [usize; 6] = [2, 4, 6, 8, 15, 16];

/// The arguments' meaning.
#[derive(Debug)]
struct Settings {
    paths: Vec<PathBuf>,
    from: u64,
    repeat: usize,
    json: bool,
}

impl Settings {
    fn new(args: StudyArgs) -> Result<Self, Failure> {
        let StudyArgs { paths, from, repeat, json } = args;
        Ok(Self { paths, from, repeat: positive("repeat", repeat)?, json })
    }
}

/// Traces blocks and prints each variant's result.
pub(crate) fn study(args: StudyArgs) -> Result<(), Failure> {
    let settings = Settings::new(args)?;
    let blocks = Blocks::load(&settings.paths, settings.from, settings.json)?;
    let inputs = blocks.inputs();
    let bar = progress(inputs.len() * (settings.repeat + 1), "executing", settings.json);
    let trace = record(&inputs, settings.repeat, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let variants = variants();
    let bar = progress(variants.len(), "simulating", settings.json);
    let simulate = |(name, variant)| {
        let row =
            Row { name, variant, results: SLOTS.map(|slots| tandem_analysis::study(&trace, variant, slots)) };
        bar.inc(1);
        row
    };
    let rows: Vec<Row> = variants.into_iter().map(simulate).collect();
    bar.finish_and_clear();
    results(|out| print(out, settings.json, &trace, &rows))
}

/// The result of the blocks in one variant, for as many slots as [`SLOTS`] says.
struct Row {
    name: &'static str,
    variant: Variant,
    results: [StudyResult; SLOTS.len()],
}

/// Each row changes one thing about the one before, within a group of the same dispatch and confirmation.
fn variants() -> Vec<(&'static str, Variant)> {
    let mut variants = Vec::new();
    for confirmation in [Confirmation::Pipeline, Confirmation::Streaming] {
        for dispatch in [Idle, SameAddress] {
            let accounts = Variant {
                dispatch,
                whole_accounts: true,
                no_op_writes: true,
                reverted_writes: true,
                confirmation,
            };
            let keys = Variant { whole_accounts: false, ..accounts };
            let values = Variant { no_op_writes: false, ..keys };
            let kept = Variant { reverted_writes: false, ..values };
            variants.extend([
                ("accounts", accounts),
                ("keys", keys),
                ("keys, no-op writes ignored", values),
                ("the same, reverted writes dropped", kept),
            ]);
        }
    }
    variants
}

fn dispatch_name(dispatch: Dispatch) -> &'static str {
    match dispatch {
        Idle => "idle slot",
        SameAddress => "same from/to",
    }
}

fn confirmation_name(confirmation: Confirmation) -> &'static str {
    match confirmation {
        Confirmation::Pipeline => "pipeline (1.0)",
        Confirmation::Streaming => "streaming (2.0)",
    }
}

fn print(out: &mut dyn Write, json: bool, trace: &Trace, rows: &[Row]) -> io::Result<()> {
    if !json {
        let (blocks, transactions) = (trace.blocks.len(), trace.transactions());
        writeln!(
            out,
            "{blocks} blocks, {transactions} transactions; conflicting share, times as fast as one by one"
        )?;
    }
    let mut group = None;
    for &Row { name, variant, results } in rows {
        let Variant { dispatch, confirmation, .. } = variant;
        if json {
            for (slots, StudyResult { conflicts, speed_up }) in SLOTS.iter().zip(results) {
                let line = serde_json::json!({ "study": {
                    "dispatch": dispatch_name(dispatch),
                    "confirmation": confirmation_name(confirmation),
                    "variant": name,
                    "slots": slots,
                    "conflicts": conflicts,
                    "speedUp": speed_up,
                }});
                writeln!(out, "{line}")?;
            }
            continue;
        }
        if group.replace((dispatch, confirmation)) != Some((dispatch, confirmation)) {
            let title = format!("{}, {}", dispatch_name(dispatch), confirmation_name(confirmation));
            write!(out, "\n{title:<36}")?;
            for slots in SLOTS {
                write!(out, "{:>13}", format!("{slots} slots"))?;
            }
            writeln!(out)?;
        }
        write!(out, "{name:<36}")?;
        for StudyResult { conflicts, speed_up } in results {
            write!(out, "{:>7.1}%{speed_up:>5.2}", conflicts * 100.0)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
