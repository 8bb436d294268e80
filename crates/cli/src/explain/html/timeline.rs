//! The workers' time in the actual run.

use super::markup::{Markup, tag, tagged};
use super::parts::{self, axis, block, figure, legend, strip};
use crate::explain::analysis::Analysis;
use crate::explain::findings::{Findings, Worker};
use crate::explain::settings::Settings;
use tandem_analysis::letters;

/// Columns of a worker's row.
const COLUMNS: usize = 480;
/// Marks on the axis of time.
const MARKS: usize = 4;

/// A letter of a timeline: class, height and meaning.
const STATES: [(char, &str, f64, &str); 4] = [
    ('s', "ahead", 10.0, "executing ahead of its turn"),
    ('f', "turn", 8.0, "executing at its turn"),
    ('r', "again", 6.0, "executing again"),
    ('w', "wait", 3.0, "waiting for another step"),
];

pub(super) fn section(settings: &Settings, analysis: &Analysis<'_>, findings: &Findings) -> Markup {
    let run = &findings.run;
    let lead = format!(
        "{} threads executed all blocks as one stream in {:.3} ms, {:.2} times as fast as one by one: {} conflicts, {} \
         repairs, {} executions again, {} waits.",
        settings.threads, run.ms, run.speed_up, run.conflicts, run.repairs, run.reexecutions, run.waits
    );
    let timelines = run.workers.iter().zip(&analysis.run.metrics.timelines).enumerate();
    let rows = timelines.map(|(index, (worker, timeline))| {
        row(index, worker, &letters(timeline, analysis.run.time, COLUMNS))
    });
    let meanings: Vec<_> = STATES.iter().map(|(_, class, _, meaning)| (*class, *meaning)).collect();
    let marks: Vec<_> =
        (0..=MARKS).map(|mark| format!("{:.1} ms", run.ms * mark as f64 / MARKS as f64)).collect();
    let content = Markup::from_iter([legend(&meanings), rows.collect(), axis(&marks)]);
    let content = Markup::from_iter([
        figure(
            "timeline",
            "Workers by time; where a row is empty, its worker had nothing to execute",
            content,
        ),
        table(&run.workers),
    ]);
    parts::section("run", "What an actual run did", &lead, content)
}

fn row(index: usize, worker: &Worker, letters: &str) -> Markup {
    let mut bars = Markup::new();
    let letters: Vec<char> = letters.chars().collect();
    let mut start = 0;
    for group in letters.chunk_by(|a, b| a == b) {
        if let Some((_, class, height, meaning)) = STATES.iter().find(|(letter, ..)| *letter == group[0]) {
            bars.add(block(start as f64, group.len() as f64, *height, class, meaning));
        }
        start += group.len();
    }
    let name = format!("worker {index}");
    let description = format!("Busy for {:.0}% of the time.", worker.busy * 100.0);
    let label = Markup::from_iter([
        tagged("span", &[("class", &"name")], &name),
        tagged("span", &[("class", &"count")], format!("{:.0}% busy", worker.busy * 100.0)),
    ]);
    let bars = strip(&format!("timeline-{index}"), COLUMNS, &name, &description, bars);
    tag("div", &[("class", &"row")], Markup::from_iter([tag("div", &[("class", &"label")], label), bars]))
}

fn table(workers: &[Worker]) -> Markup {
    let heads = ["worker", "ahead", "at turn", "again", "conflicts", "repairs", "busy", "waited"];
    let head = heads.iter().map(|head| tagged("th", &[("scope", &"col")], head)).collect();
    let row = |(index, worker): (usize, &Worker)| {
        let counts = [worker.speculative, worker.frontier, worker.again, worker.conflicts, worker.repairs]
            .map(|n| n.to_string());
        let shares = [format!("{:.0}%", worker.busy * 100.0), format!("{:.3} ms", worker.waited_ms)];
        let name = tagged("th", &[("scope", &"row")], index);
        let cells = counts.into_iter().chain(shares).map(|cell| tagged("td", &[], cell));
        tag("tr", &[], std::iter::once(name).chain(cells).collect())
    };
    let parts = Markup::from_iter([
        tag("thead", &[], tag("tr", &[], head)),
        tag("tbody", &[], workers.iter().enumerate().map(row).collect()),
    ]);
    tag("div", &[("class", &"wide")], tag("table", &[("class", &"numbers")], parts))
}
