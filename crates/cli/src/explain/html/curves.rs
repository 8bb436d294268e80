//! Ideal speed-ups by number of threads.

use super::markup::{Markup, tag, tagged, text};
use super::parts::{self, figure, svg};
use crate::explain::findings::{Curve, Findings, THREADS};
use crate::explain::settings::Settings;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 250.0;
/// Room for the axes: left, right, top, bottom.
const LEFT: f64 = 34.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 36.0;

pub(super) fn section(settings: &Settings, findings: &Findings) -> Markup {
    let lead = "How many times as fast as one by one, if whoever is free takes the first transaction that needs nothing \
                unfinished, without any overhead. Each model of what conflicts gives a curve.";
    let stream = format!(
        "As one stream: blocks do not wait for each other, {} steps of look-ahead",
        settings.look_ahead
    );
    let highest = findings
        .block_by_block
        .iter()
        .chain(&findings.stream)
        .flat_map(|curve| &curve.speed_up)
        .fold(1.0, |a, b| f64::max(a, *b));
    let charts = Markup::from_iter([
        chart("curves-blocks", "Block by block", &findings.block_by_block, highest),
        chart("curves-stream", &stream, &findings.stream, highest),
    ]);
    let content = Markup::from_iter([
        key(&findings.block_by_block),
        tag("div", &[("class", &"charts")], charts),
        numbers(findings),
    ]);
    parts::section("curves", "Ideal speed-up", lead, content)
}

fn chart(id: &str, caption: &str, curves: &[Curve], highest: f64) -> Markup {
    // Both scales are logarithmic: twice as many threads, twice as fast.
    let (right, top) = (f64::from(64_u32).log2(), highest.log2().ceil().max(1.0));
    let x = |threads: usize| LEFT + (threads as f64).log2() / right * (WIDTH - LEFT - RIGHT);
    let y = |speed_up: f64| HEIGHT - BOTTOM - speed_up.max(1.0).log2() / top * (HEIGHT - TOP - BOTTOM);
    let mut drawing = grid(&x, &y, top as u32);
    for (index, curve) in curves.iter().enumerate() {
        let points: Vec<_> = THREADS
            .iter()
            .zip(&curve.speed_up)
            .map(|(threads, speed_up)| (x(*threads), y(*speed_up)))
            .collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let class = format!("curve c{index}");
        drawing.add(tag("polyline", &[("points", &path.join(" ")), ("class", &class)], Markup::new()));
        for ((at_x, at_y), (threads, speed_up)) in points.iter().zip(THREADS.iter().zip(&curve.speed_up)) {
            let says = format!("{}: {speed_up:.2} times as fast with {threads} threads", curve.model);
            drawing.add(marker(index, *at_x, *at_y, &says));
        }
    }
    let best = curves.iter().filter_map(|curve| curve.speed_up.last().map(|last| (curve.model, last)));
    let ends: Vec<_> = best.map(|(model, speed_up)| format!("{model}: {speed_up:.2}")).collect();
    let description = format!(
        "Speed-up by number of threads, 1 to 64, both logarithmic. With 64 threads: {}.",
        ends.join("; ")
    );
    let view = format!("0 0 {WIDTH} {HEIGHT}");
    let drawing = svg(id, &[("viewBox", &view), ("class", &"plot")], caption, &description, drawing);
    figure(id, caption, drawing)
}

/// Axes, and the best gain of every added thread.
fn grid(x: &dyn Fn(usize) -> f64, y: &dyn Fn(f64) -> f64, top: u32) -> Markup {
    let mut grid = Markup::new();
    let mut line = |from: (f64, f64), to: (f64, f64), class: &str| {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(|at| format!("{at:.1}"));
        let ends: [super::markup::Attribute<'_>; 5] =
            [("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2), ("class", &class)];
        grid.add(tag("line", &ends, Markup::new()));
    };
    for power in 0..=top {
        let at = y(f64::from(power).exp2());
        line((LEFT, at), (WIDTH - RIGHT, at), "grid");
    }
    for threads in THREADS {
        line((x(threads), TOP), (x(threads), HEIGHT - BOTTOM), "grid");
    }
    let most = THREADS.iter().rev().find(|threads| (**threads as f64).log2() <= f64::from(top)).unwrap_or(&1);
    line((x(1), y(1.0)), (x(*most), y(*most as f64)), "linear");
    let mut label = |at: (f64, f64), anchor: &str, content: String| {
        let [x, y] = [at.0, at.1].map(|at| format!("{at:.1}"));
        grid.add(tagged("text", &[("x", &x), ("y", &y), ("text-anchor", &anchor)], content));
    };
    for power in 0..=top {
        let speed_up = f64::from(power).exp2();
        label((LEFT - 5.0, y(speed_up) + 4.0), "end", format!("{speed_up}×"));
    }
    for threads in THREADS {
        label((x(threads), HEIGHT - BOTTOM + 15.0), "middle", threads.to_string());
    }
    label(
        ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 5.0),
        "middle",
        "threads (dashed: every thread fully used)".to_owned(),
    );
    grid
}

/// A point of a curve; its shape tells curves apart where colours do not.
fn marker(curve: usize, x: f64, y: f64, says: &str) -> Markup {
    let shape: &[(f64, f64)] = match curve {
        0 => &[(-3.0, -3.0), (3.0, -3.0), (3.0, 3.0), (-3.0, 3.0)],
        1 => &[(0.0, -4.0), (4.0, 3.0), (-4.0, 3.0)],
        2 => &[(0.0, 4.0), (4.0, -3.0), (-4.0, -3.0)],
        3 => &[(0.0, -4.5), (4.5, 0.0), (0.0, 4.5), (-4.5, 0.0)],
        4 => &[
            (-2.0, -4.0),
            (2.0, -4.0),
            (4.0, -2.0),
            (4.0, 2.0),
            (2.0, 4.0),
            (-2.0, 4.0),
            (-4.0, 2.0),
            (-4.0, -2.0),
        ],
        _ => &[
            (0.0, -5.0),
            (1.4, -1.4),
            (5.0, 0.0),
            (1.4, 1.4),
            (0.0, 5.0),
            (-1.4, 1.4),
            (-5.0, 0.0),
            (-1.4, -1.4),
        ],
    };
    let points: Vec<_> = shape.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
    let class = format!("mark m{curve}");
    tag("polygon", &[("points", &points.join(" ")), ("class", &class)], tagged("title", &[], says))
}

fn key(curves: &[Curve]) -> Markup {
    let entry = |(index, curve): (usize, &Curve)| {
        let class = format!("curve c{index}");
        let line = tag("polyline", &[("points", &"0,6 28,6"), ("class", &class)], Markup::new());
        let drawing = Markup::from_iter([line, marker(index, 14.0, 6.0, curve.model)]);
        let drawing =
            tag("svg", &[("class", &"line"), ("viewBox", &"0 0 28 12"), ("aria-hidden", &"true")], drawing);
        tag("li", &[], Markup::from_iter([drawing, text(curve.model)]))
    };
    tag("ul", &[("class", &"legend")], curves.iter().enumerate().map(entry).collect())
}

/// The same as tables.
fn numbers(findings: &Findings) -> Markup {
    let table = |caption: &str, curves: &[Curve]| {
        let heads = THREADS.iter().map(|threads| threads.to_string()).chain(["unlimited".to_owned()]);
        let heads = std::iter::once("threads".to_owned()).chain(heads);
        let head = tag("tr", &[], heads.map(|head| tagged("th", &[("scope", &"col")], head)).collect());
        let row = |curve: &Curve| {
            let numbers = curve.speed_up.iter().chain([&curve.unlimited]);
            let cells = numbers.map(|speed_up| tagged("td", &[], format!("{speed_up:.2}")));
            let name = tagged("th", &[("scope", &"row")], curve.model);
            tag("tr", &[], std::iter::once(name).chain(cells).collect())
        };
        let parts = Markup::from_iter([
            tagged("caption", &[], caption),
            tag("thead", &[], head),
            tag("tbody", &[], curves.iter().map(row).collect()),
        ]);
        tag("div", &[("class", &"wide")], tag("table", &[("class", &"numbers")], parts))
    };
    let content = Markup::from_iter([
        tagged("summary", &[], "The same in numbers"),
        table("Block by block", &findings.block_by_block),
        table("As one stream", &findings.stream),
    ]);
    tag("details", &[], content)
}
