//! The gains without some conflicts.

use super::markup::{Markup, tag, tagged};
use super::parts::{self, block, figure, strip};
use crate::explain::findings::{Findings, HotspotRow, Together};
use crate::explain::settings::Settings;

pub(super) fn section(settings: &Settings, findings: &Findings) -> Markup {
    let lead = format!(
        "How many times as fast would blocks run, one at a time on {} ideal threads, if something did not conflict? \
         Locations that conflict in the same chain are worth nothing alone: a contract takes all its locations together, \
         and the last table several contracts.",
        settings.ideal
    );
    let content = Markup::from_iter([
        hotspots("what-if-contracts", "Contracts, each with all its locations", &findings.contracts),
        together(&findings.together),
        hotspots("what-if-locations", "Single locations", &findings.locations),
    ]);
    parts::section("what-if", "What if it did not conflict?", &lead, content)
}

fn hotspots(id: &str, caption: &str, hotspots: &[HotspotRow]) -> Markup {
    let most = hotspots.iter().map(|hotspot| hotspot.gain).fold(1.0, f64::max);
    let row = |(index, hotspot): (usize, &HotspotRow)| {
        let gain = format!("{:.2}×", hotspot.gain);
        let cells = [
            ("conflicts", hotspot.conflicts.to_string()),
            ("blocks", hotspot.blocks.to_string()),
            ("saved", format!("{:.3} ms", hotspot.saved_ms)),
            ("its blocks run", gain),
        ];
        let bar = bar(&format!("{id}-{index}"), &hotspot.name, hotspot.gain, most);
        row(&hotspot.name, &cells, bar)
    };
    let rows = hotspots.iter().enumerate().map(row).collect();
    let heads = ["where", "conflicting", "blocks", "saved", "its blocks run", ""];
    figure(id, caption, table(&heads, rows))
}

fn together(steps: &[Together]) -> Markup {
    let id = "what-if-together";
    let most = steps.iter().map(|step| step.gain).fold(1.0, f64::max);
    let row = |(index, step): (usize, &Together)| {
        let name = if index == 0 { step.name.clone() } else { format!("and {}", step.name) };
        let cells = [
            ("all blocks run", format!("{:.2}×", step.gain)),
            ("speed-up", format!("{:.2}×", step.speed_up)),
        ];
        row(&name, &cells, bar(&format!("{id}-{index}"), &step.name, step.gain, most))
    };
    let rows = steps.iter().enumerate().map(row).collect();
    let heads = ["without conflicts in this contract and those above", "all blocks run", "speed-up", ""];
    figure(id, "Several contracts at once", table(&heads, rows))
}

fn table(heads: &[&str], rows: Markup) -> Markup {
    let head = heads.iter().map(|head| tagged("th", &[("scope", &"col")], head)).collect();
    let parts = Markup::from_iter([tag("thead", &[], tag("tr", &[], head)), tag("tbody", &[], rows)]);
    tag("table", &[("class", &"spots")], parts)
}

/// A row; on a narrow screen each cell says what it is.
fn row(name: &str, cells: &[(&str, String)], bar: Markup) -> Markup {
    let name = tagged("th", &[("scope", &"row")], name);
    let cell = |(label, value): &(&str, String)| tagged("td", &[("data-label", label)], value);
    let cells = cells.iter().map(cell);
    let bar = tag("td", &[("class", &"bar")], bar);
    tag("tr", &[], std::iter::once(name).chain(cells).chain([bar]).collect())
}

/// A gain as a bar: nothing is gained at its left end.
fn bar(id: &str, name: &str, gain: f64, most: f64) -> Markup {
    let share = (gain - 1.0).max(0.0) / (most - 1.0).max(1e-9);
    let says = format!("{gain:.2} times as fast");
    let width = (share * 100.0).min(100.0);
    strip(&format!("{id}-bar"), 100, name, &says, block(0.0, width.max(0.5), 10.0, "gain", &says))
}
