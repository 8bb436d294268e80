//! The findings of `tandem explain` as a page: one file, without scripts, without anything from elsewhere.

mod chain;
mod curves;
mod heat;
mod markup;
mod parts;
mod tables;
mod timeline;

use super::analysis::Analysis;
use super::findings::{Curve, Findings, THREADS};
use super::settings::Settings;
use markup::{Markup, style, tag, tagged};
use std::io::{self, Write};
use tandem_analysis::Model;

const STYLE: &str = include_str!("style.css");
/// A number of threads that machines have.
const COMMON: usize = 16;

/// Writes the page.
pub(super) fn write(
    out: &mut impl Write,
    settings: &Settings,
    analysis: &Analysis<'_>,
    findings: &Findings,
) -> io::Result<()> {
    let title = format!("What limits {} blocks", findings.blocks);
    let head = Markup::from_iter([
        tag("meta", &[("charset", &"utf-8")], Markup::new()),
        tag(
            "meta",
            &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")],
            Markup::new(),
        ),
        tag("meta", &[("name", &"color-scheme"), ("content", &"light dark")], Markup::new()),
        tagged("title", &[], &title),
        style(STYLE),
    ]);
    let main = Markup::from_iter([
        header(settings, findings),
        curves::section(settings, findings),
        tables::section(settings, findings),
        heat::section(analysis, findings),
        chain::section(findings),
        timeline::section(settings, analysis, findings),
    ]);
    let body = Markup::from_iter([tag("main", &[], main), footer()]);
    let page = Markup::from_iter([tag("head", &[], head), tag("body", &[], body)]);
    writeln!(out, "<!DOCTYPE html>\n{}", tag("html", &[("lang", &"en")], page).as_str())
}

fn header(settings: &Settings, findings: &Findings) -> Markup {
    let Findings { blocks, transactions, sequential_ms, dependent, keep_path, run, .. } = findings;
    let share = 100.0 * *dependent as f64 / (*transactions).max(1) as f64;
    let ideal = |curves: &[Curve]| {
        let engine = curves.iter().find(|curve| curve.model == Model::Delta.name());
        let at = THREADS.iter().position(|threads| *threads == COMMON);
        let speed_up = engine.zip(at).and_then(|(curve, at)| curve.speed_up.get(at));
        speed_up.map_or_else(String::new, |speed_up| format!("{speed_up:.2}×"))
    };
    let tiles = [
        ("transactions", transactions.to_string(), format!("in {blocks} blocks")),
        ("one by one", format!("{sequential_ms:.1} ms"), format!("least of {} runs", settings.repeat)),
        ("dependent", format!("{share:.0}%"), format!("{dependent}; {keep_path} keep their path")),
        ("ideal, by block", ideal(&findings.block_by_block), format!("{COMMON} threads, delta balances")),
        ("ideal, as a stream", ideal(&findings.stream), format!("{COMMON} threads, delta balances")),
        ("this run", format!("{:.2}×", run.speed_up), format!("{} threads, as one stream", settings.threads)),
    ];
    let tile = |(name, value, more): &(&str, String, String)| {
        let content = Markup::from_iter([
            tagged("dt", &[], name),
            tagged("dd", &[("class", &"value")], value),
            tagged("dd", &[], more),
        ]);
        tag("div", &[("class", &"tile")], content)
    };
    let lead = "A transaction is dependent if it relies on something that an earlier one of its block changed. How fast \
                blocks can run at best follows from what counts as such a dependency, from the longest chain of them, \
                and from whether blocks wait for each other.";
    let content = Markup::from_iter([
        tagged("h1", &[], "What limits parallel execution"),
        tagged("p", &[("class", &"lead")], lead),
        tag("dl", &[("class", &"tiles")], tiles.iter().map(tile).collect()),
    ]);
    tag("header", &[], content)
}

fn footer() -> Markup {
    let version =
        concat!("Made by tandem explain ", env!("CARGO_PKG_VERSION"), ". Times are of this machine.");
    tagged("footer", &[], version)
}
