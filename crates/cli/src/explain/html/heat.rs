//! Where transactions conflict: block by location, and transaction by location in the block with the longest chain.

use super::markup::{Markup, tag, tagged};
use super::parts::{self, axis, block, figure, legend, strip};
use crate::explain::analysis::Analysis;
use crate::explain::findings::Findings;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use tandem_analysis::{StateKey, conflicts};

/// Columns at most; beyond, neighbours share one.
const COLUMNS: usize = 96;
/// Rows at most of the map of a single block.
const ROWS: usize = 12;
/// Shades from few to many.
const SHADES: usize = 5;

pub(super) fn section(analysis: &Analysis<'_>, findings: &Findings) -> Markup {
    let lead = "Where transactions need what earlier ones of their block changed.";
    let content = Markup::from_iter([blocks(analysis), transactions(analysis, findings)]);
    parts::section("heat", "Conflicts", lead, content)
}

/// Things in columns, a few to a column if there are many.
struct Bins {
    things: usize,
    per_column: usize,
}

impl Bins {
    fn new(things: usize) -> Self {
        Self { things, per_column: things.div_ceil(COLUMNS).max(1) }
    }

    fn columns(&self) -> usize {
        self.things.div_ceil(self.per_column)
    }

    fn range(&self, column: usize) -> Range<usize> {
        column * self.per_column..((column + 1) * self.per_column).min(self.things)
    }
}

/// A row: its name, the words beside it, and its cells.
fn row(name: &str, count: String, strip: Markup) -> Markup {
    let name = Markup::from_iter([
        tagged("span", &[("class", &"name")], name),
        tagged("span", &[("class", &"count")], count),
    ]);
    tag("div", &[("class", &"row")], Markup::from_iter([tag("div", &[("class", &"label")], name), strip]))
}

fn blocks(analysis: &Analysis<'_>) -> Markup {
    let trace = analysis.trace;
    // Transactions that conflict, by place and block.
    let mut counts = BTreeMap::<StateKey, BTreeMap<usize, BTreeSet<usize>>>::new();
    for conflict in conflicts(trace, analysis.graph) {
        let key = trace.location(conflict.edge.location).into();
        let block = trace.steps[conflict.step].block;
        counts.entry(key).or_default().entry(block).or_default().insert(conflict.step);
    }
    let bins = Bins::new(trace.blocks.len());
    let none = BTreeMap::new();
    let rows = analysis.state_keys.iter().enumerate().map(|(index, hot)| {
        let blocks = counts.get(&hot.key).unwrap_or(&none);
        let cells = (0..bins.columns()).filter_map(|column| {
            let range = bins.range(column);
            let count: usize = blocks.range(range.clone()).map(|(_, steps)| steps.len()).sum();
            let first = &trace.blocks[range.start].name;
            let what = match range.len() {
                1 => first.clone(),
                _ => format!("{first} to {}", trace.blocks[range.end - 1].name),
            };
            let class = format!("h{}", shade(count));
            let says = format!("{what}: {count} transactions conflict here");
            (count > 0).then(|| block(column as f64, 1.0, 10.0, &class, &says))
        });
        let name = analysis.names.state_key(hot.key);
        let description =
            format!("{} transactions conflict here in {} blocks.", hot.conflicts, hot.blocks.len());
        let cells =
            strip(&format!("heat-blocks-{index}"), bins.columns(), &name, &description, cells.collect());
        row(&name, hot.conflicts.to_string(), cells)
    });
    let ends = [trace.blocks.first(), trace.blocks.last()];
    let marks: Vec<_> = ends.iter().flatten().map(|block| block.name.clone()).collect();
    let content = Markup::from_iter([
        legend(&[
            ("h1", "1 transaction"),
            ("h2", "2 to 3"),
            ("h3", "4 to 7"),
            ("h4", "8 to 15"),
            ("h5", "16 or more"),
        ]),
        rows.collect(),
        axis(&marks),
    ]);
    figure("heat-blocks", "Block by block: transactions that conflict at the hottest locations", content)
}

/// 1 to [`SHADES`]: each shade is twice as many.
fn shade(count: usize) -> usize {
    (count.max(1).ilog2() as usize + 1).min(SHADES)
}

/// How the transactions of a column use a place.
#[derive(Clone, Copy, Default)]
struct Cell {
    changes: usize,
    needs: usize,
}

fn transactions(analysis: &Analysis<'_>, findings: &Findings) -> Markup {
    let (trace, chain) = (analysis.trace, &findings.chain);
    let steps = trace.blocks.get(chain.index).map_or(0..0, |block| block.steps.clone());
    let bins = Bins::new(steps.len());
    let column = |step: usize| (step - steps.start) / bins.per_column;
    let mut needed = BTreeMap::<StateKey, BTreeSet<usize>>::new();
    for conflict in conflicts(trace, analysis.graph).filter(|conflict| steps.contains(&conflict.step)) {
        let key = trace.location(conflict.edge.location).into();
        needed.entry(key).or_default().insert(conflict.step);
    }
    let mut state_keys: Vec<_> = needed.into_iter().collect();
    state_keys.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.len()));
    state_keys.truncate(ROWS);
    let rows = state_keys.iter().enumerate().map(|(index, (key, needing))| {
        let mut cells = vec![Cell::default(); bins.columns()];
        for step in steps.clone() {
            let mut written =
                trace.steps[step].writes.iter().map(|write| StateKey::from(trace.location(write.location)));
            if written.any(|written| written == *key) {
                cells[column(step)].changes += 1;
            }
            if needing.contains(&step) {
                cells[column(step)].needs += 1;
            }
        }
        let drawn = cells.iter().enumerate().filter_map(|(at, cell)| {
            let (class, height) = match (cell.needs > 0, cell.changes > 0) {
                (true, true) => ("both", 10.0),
                (true, false) => ("needs", 7.0),
                (false, true) => ("changes", 4.0),
                (false, false) => return None,
            };
            let range = bins.range(at);
            let first = trace.step_name(steps.start + range.start);
            let what = match range.len() {
                1 => first,
                _ => format!("{first} to {}", trace.step_name(steps.start + range.end - 1)),
            };
            let says = format!("{what}: {} need an earlier change, {} change it", cell.needs, cell.changes);
            Some(block(at as f64, 1.0, height, class, &says))
        });
        let name = analysis.names.state_key(*key);
        let description =
            format!("{} transactions of {} need an earlier change here.", needing.len(), chain.block);
        let cells = strip(
            &format!("heat-transactions-{index}"),
            bins.columns(),
            &name,
            &description,
            drawn.collect(),
        );
        row(&name, needing.len().to_string(), cells)
    });
    let caption = format!("Transaction by transaction in {}, which has the longest chain", chain.block);
    let content = Markup::from_iter([
        legend(&[
            ("changes", "changes it (low)"),
            ("needs", "needs an earlier change (higher)"),
            ("both", "both (highest)"),
        ]),
        rows.collect(),
        axis(&["first transaction".to_owned(), "last".to_owned()]),
    ]);
    figure("heat-transactions", &caption, content)
}

#[cfg(test)]
mod tests {
    use super::{Bins, COLUMNS, shade};

    #[test]
    fn all_things_have_a_column() {
        for things in [0, 1, COLUMNS, COLUMNS + 1, 10 * COLUMNS + 7] {
            let bins = Bins::new(things);
            assert!(bins.columns() <= COLUMNS);
            let covered: usize = (0..bins.columns()).map(|column| bins.range(column).len()).sum();
            assert_eq!(covered, things);
        }
    }

    #[test]
    fn twice_as_many_are_a_shade_darker() {
        assert_eq!([1, 2, 3, 4, 8, 16, 1000].map(shade), [1, 2, 2, 3, 4, 5, 5]);
    }
}
