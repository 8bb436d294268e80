//! What `tandem explain` finds as a page: one file, without scripts, without anything from elsewhere.

mod chain;
mod curves;
mod heat;
mod markup;
mod tables;
mod timeline;

use super::Settings;
use super::analysis::Analysis;
use super::findings::{Curve, Findings, THREADS};
use markup::{Attribute, Markup, style, tag, tagged, text};
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

/// A part of the page.
fn section(id: &str, title: &str, lead: &str, content: Markup) -> Markup {
    let content =
        Markup::from_iter([tagged("h2", &[], title), tagged("p", &[("class", &"lead")], lead), content]);
    tag("section", &[("id", &id)], content)
}

/// A chart with its caption.
fn figure(id: &str, caption: &str, content: Markup) -> Markup {
    let content = Markup::from_iter([tagged("figcaption", &[], caption), content]);
    tag("figure", &[("id", &id), ("data-chart", &id)], content)
}

/// A drawing that says what it shows to those who do not see it.
fn svg(id: &str, attributes: &[Attribute<'_>], title: &str, description: &str, content: Markup) -> Markup {
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-desc"));
    let labels = format!("{title_id} {description_id}");
    let mut all: Vec<Attribute<'_>> = vec![("role", &"img"), ("aria-labelledby", &labels)];
    all.extend(attributes);
    let content = Markup::from_iter([
        tagged("title", &[("id", &title_id)], title),
        tagged("desc", &[("id", &description_id)], description),
        content,
    ]);
    tag("svg", &all, content)
}

/// A row of a chart that is drawn as wide as there is room for: `columns` units, each of which may hold something.
fn strip(id: &str, columns: usize, title: &str, description: &str, content: Markup) -> Markup {
    let view = format!("0 0 {} 10", columns.max(1));
    let attributes: [Attribute<'_>; 3] =
        [("class", &"strip"), ("viewBox", &view), ("preserveAspectRatio", &"none")];
    svg(id, &attributes, title, description, content)
}

/// A rectangle that stands on the floor of a strip, with what it says when pointed at.
fn block(x: f64, width: f64, height: f64, class: &str, says: &str) -> Markup {
    let (y, x, width) = (10.0 - height, format!("{x:.3}"), format!("{width:.3}"));
    tag(
        "rect",
        &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("class", &class)],
        tagged("title", &[], says),
    )
}

/// What colours mean: class and meaning.
fn legend(entries: &[(&str, &str)]) -> Markup {
    let entry = |(class, meaning): &(&str, &str)| {
        let swatch = tag("rect", &[("width", &12), ("height", &12), ("class", class)], Markup::new());
        let swatch =
            tag("svg", &[("class", &"swatch"), ("viewBox", &"0 0 12 12"), ("aria-hidden", &"true")], swatch);
        tag("li", &[], Markup::from_iter([swatch, text(meaning)]))
    };
    tag("ul", &[("class", &"legend")], entries.iter().map(entry).collect())
}

/// Marks below a chart, at equal distances.
fn axis(marks: &[String]) -> Markup {
    let marks = marks.iter().map(|mark| tagged("span", &[], mark)).collect();
    tag("div", &[("class", &"axis"), ("aria-hidden", &"true")], marks)
}
