use crate::shared::failure::Failure;
use crate::shared::output::results;
use serde::Serialize;
use std::io::{self, Write};
use tandem_analysis::{Feature, Shape, Spread};

/// Blocks that were measured.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) shapes: Vec<Shape>,
}

/// All features of one or two columns.
#[derive(Debug)]
pub(super) struct Report {
    columns: Vec<(String, usize)>,
    rows: Vec<Row>,
    /// In per cent.
    tolerance: Option<f64>,
}

/// A feature.
#[derive(Debug)]
struct Row {
    feature: Feature,
    /// By column; `None` where no block has the feature.
    spreads: Vec<Option<Spread>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRow<'a> {
    feature: &'static str,
    columns: Vec<JsonSpread<'a>>,
    /// How far the second column's median is from the first one's, in per cent of the latter.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSpread<'a> {
    blocks: &'a str,
    low: Option<f64>,
    median: Option<f64>,
    high: Option<f64>,
}

impl Row {
    /// How far the second column's median is from the first one's, in per cent of the latter. Infinite if one of them has
    /// none; `None` if there is one column.
    fn difference(&self) -> Option<f64> {
        let [recorded, generated] = self.spreads[..] else { return None };
        let (Some(recorded), Some(generated)) = (recorded, generated) else { return Some(f64::INFINITY) };
        if recorded.median == generated.median {
            return Some(0.0);
        }
        Some((generated.median / recorded.median - 1.0) * 100.0)
    }
}

impl Report {
    pub(super) fn new(columns: &[Column], tolerance: Option<f64>) -> Self {
        let row = |feature| Row {
            feature,
            spreads: columns.iter().map(|column| Spread::of(&column.shapes, feature)).collect(),
        };
        Self {
            columns: columns.iter().map(|column| (column.name.clone(), column.shapes.len())).collect(),
            rows: Feature::ALL.map(row).into(),
            tolerance,
        }
    }

    /// Whether no feature is beyond the tolerance, if there is one.
    pub(super) fn is_within(&self) -> bool {
        self.rows.iter().all(|row| !self.is_beyond(row))
    }

    fn is_beyond(&self, row: &Row) -> bool {
        // A feature that cannot be compared is beyond any tolerance.
        self.tolerance.is_some_and(|tolerance| {
            row.difference().is_some_and(|difference| difference.is_nan() || difference.abs() > tolerance)
        })
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        results(|out| if json { self.json(out) } else { self.table(out) })
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        for row in &self.rows {
            let columns = self.columns.iter().zip(&row.spreads).map(|((name, _), spread)| JsonSpread {
                blocks: name,
                low: spread.map(|spread| spread.low),
                median: spread.map(|spread| spread.median),
                high: spread.map(|spread| spread.high),
            });
            let row = JsonRow {
                feature: row.feature.name(),
                columns: columns.collect(),
                difference: row.difference().filter(|difference| difference.is_finite()),
            };
            writeln!(out, "{}", serde_json::to_string(&row)?)?;
        }
        let blocks: serde_json::Map<_, _> =
            self.columns.iter().map(|(name, blocks)| (name.clone(), (*blocks).into())).collect();
        let summary = serde_json::json!({
            "blocks": blocks,
            "tolerance": self.tolerance,
            "beyond": self.rows.iter().filter(|row| self.is_beyond(row)).count(),
        });
        writeln!(out, "{}", serde_json::json!({ "summary": summary }))
    }

    fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{:30}", "median (half of the blocks)")?;
        for (name, blocks) in &self.columns {
            write!(out, "  {:>28}", format!("{name}, {blocks} blocks"))?;
        }
        writeln!(out, "{}", if self.columns.len() == 2 { "  difference" } else { "" })?;
        for row in &self.rows {
            write!(out, "{:30}", row.feature.name())?;
            for spread in &row.spreads {
                write!(out, "  {:>28}", spread.map_or("-".to_owned(), |spread| text(row.feature, spread)))?;
            }
            match row.difference() {
                Some(difference) if difference.is_finite() => write!(out, "  {difference:>+8.1} %")?,
                Some(_) => write!(out, "  {:>10}", "-")?,
                None => {}
            }
            writeln!(out, "{}", if self.is_beyond(row) { "  beyond the tolerance" } else { "" })?;
        }
        if let Some(tolerance) = self.tolerance {
            let beyond = self.rows.iter().filter(|row| self.is_beyond(row)).count();
            writeln!(out, "{beyond} of {} features beyond {tolerance} %", self.rows.len())?;
        }
        Ok(())
    }
}

/// The median, and the bounds of the middle half of the blocks.
fn text(feature: Feature, spread: Spread) -> String {
    let Spread { low, median, high } = spread;
    if feature.is_share() {
        let [low, median, high] = [low, median, high].map(|share| share * 100.0);
        format!("{median:.1} % ({low:.1} - {high:.1})")
    } else if median >= 1_000.0 {
        format!("{median:.0} ({low:.0} - {high:.0})")
    } else {
        format!("{median:.1} ({low:.1} - {high:.1})")
    }
}
