//! The file that a speed claim links to: what was run, on what, and every cell of it.

use crate::What;
use crate::machine::{self, Machine};
use crate::plan::{Bar, Limit, Row, Wanted};
use crate::run::{Cells, Taken};
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One run.
#[derive(Debug, Serialize)]
pub struct Record {
    /// When it ended.
    pub date: String,
    /// What was measured.
    pub commit: String,
    /// How to do it again.
    pub command: String,
    /// Where.
    pub machine: Machine,
    /// The results.
    pub rows: Vec<RowRecord>,
}

/// The results of cells that were run in turn.
#[derive(Debug, Serialize)]
pub struct RowRecord {
    /// What the row is called.
    pub name: String,
    /// Who took part.
    pub contestants: Vec<ContestantRecord>,
    /// What was asked, and whether it was reached.
    pub bars: Vec<BarRecord>,
    /// What was asked of single figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitRecord>,
}

/// All rounds of one contestant.
#[derive(Debug, Serialize)]
pub struct ContestantRecord {
    /// The name in tables.
    pub name: String,
    /// The command without its folder and seed.
    pub command: String,
    /// Samples a second over the rounds, megabytes where nothing is stored; nothing where the cells have no such rate.
    pub rate: Option<Spread>,
    /// Why it did not take part, and what would bring it; nothing when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// Every cell as its program said it.
    pub cells: Cells,
}

/// A figure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// A ratio against its bar. The ratio is taken round by round and its median judged.
#[derive(Debug, Serialize)]
pub struct BarRecord {
    /// Whose rate.
    pub of: String,
    /// Against whose.
    pub against: String,
    /// At least.
    pub at_least: f64,
    /// Measured.
    pub ratio: Spread,
    /// Whether the median reaches the bar.
    pub reached: bool,
}

/// A figure against its limit; its median is judged.
#[derive(Debug, Serialize)]
pub struct LimitRecord {
    /// The figure's name.
    pub figure: String,
    /// What is asked.
    pub wanted: Wanted,
    /// Measured.
    pub found: Spread,
    /// Whether the median is as asked.
    pub reached: bool,
}

impl Spread {
    /// The spread of some figures; nothing when there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        Some(Self { median: (figures[(figures.len() - 1) / 2] + figures[figures.len() / 2]) / 2.0, min, max })
    }
}

impl Record {
    /// Sums the cells up.
    ///
    /// # Errors
    /// The clock cannot be written as a date.
    pub fn new(rows: &[Row], cells: Vec<Vec<Taken>>) -> Result<Self> {
        let words: Vec<String> = std::env::args().skip(1).collect();
        Ok(Self {
            date: OffsetDateTime::now_utc().format(&Rfc3339).context("the time of the record")?,
            commit: machine::commit(),
            command: format!("cargo xtask perf {}", words.join(" ")),
            machine: Machine::read(Path::new(".")),
            rows: rows.iter().zip(cells).map(|(row, cells)| RowRecord::new(row, cells)).collect(),
        })
    }

    /// Writes it under perf/records and returns where.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, what: What) -> Result<PathBuf> {
        let name = what.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let date = self.date.split('T').next().unwrap_or_default();
        let folder = Path::new("perf/records");
        std::fs::create_dir_all(folder)?;
        let path = (1..)
            .map(
                |number| {
                    if number == 1 { format!("{date}-{name}.json") } else { format!("{date}-{name}-{number}.json") }
                },
            )
            .map(|file| folder.join(file))
            .find(|path| !path.exists())
            .context("no name is free")?;
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl RowRecord {
    fn new(row: &Row, taken: Vec<Taken>) -> Self {
        let contestants: Vec<ContestantRecord> = row
            .contestants
            .iter()
            .zip(taken)
            .map(|(contestant, taken)| {
                let (cells, absent) = match taken {
                    Taken::Part(cells) => (cells, None),
                    Taken::Absent(why) => (Vec::new(), Some(why)),
                };
                ContestantRecord {
                    name: contestant.name.clone(),
                    command: format!("{} {}", contestant.program, contestant.arguments.join(" ")),
                    rate: Spread::of(rates(&cells)),
                    absent,
                    cells,
                }
            })
            .collect();
        let bars = row.bars.iter().filter_map(|bar| BarRecord::new(bar, &contestants)).collect();
        let limits = row.limits.iter().filter_map(|limit| LimitRecord::new(limit, &contestants)).collect();
        Self { name: row.name.clone(), contestants, bars, limits }
    }
}

impl LimitRecord {
    fn new(limit: &Limit, contestants: &[ContestantRecord]) -> Option<Self> {
        // Of the first that has it: the product, where it takes part.
        let spread = |cells: &Cells| Spread::of(cells.iter().filter_map(|cell| cell[limit.figure].as_f64()));
        let found = contestants.iter().find_map(|contestant| spread(&contestant.cells))?;
        let reached = match limit.wanted {
            Wanted::AtMost(most) => found.median <= most,
            Wanted::AtLeast(least) => found.median >= least,
        };
        Some(Self { figure: limit.figure.to_owned(), wanted: limit.wanted, found, reached })
    }
}

impl BarRecord {
    fn new(bar: &Bar, contestants: &[ContestantRecord]) -> Option<Self> {
        let cells =
            |name: &str| contestants.iter().find(|contestant| contestant.name == name).map(|found| &found.cells);
        let (of, against) = (rates(cells(bar.of)?), rates(cells(bar.against)?));
        let ratio = Spread::of(of.iter().zip(&against).map(|(of, against)| of / against))?;
        Some(Self {
            of: bar.of.to_owned(),
            against: bar.against.to_owned(),
            at_least: bar.at_least,
            ratio,
            reached: ratio.median >= bar.at_least,
        })
    }
}

fn rates(cells: &[Value]) -> Vec<f64> {
    let rate = |cell: &Value| cell["samples_per_second"].as_f64().or(cell["megabytes_per_second"].as_f64());
    cells.iter().filter_map(rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Contestant;
    use serde_json::json;

    #[test]
    fn a_bar_is_judged_by_the_median_of_the_ratios_of_each_round() {
        let contestant = |name: &str| Contestant { name: name.to_owned(), program: "p", arguments: Vec::new() };
        let row = Row {
            name: "row".to_owned(),
            contestants: vec![contestant("a"), contestant("b")],
            bars: vec![Bar { of: "a", against: "b", at_least: 2.0 }],
            limits: vec![Limit { figure: "samples_per_second", wanted: Wanted::AtMost(9.0) }],
        };
        let cells = |rates: [f64; 3]| Taken::Part(rates.map(|rate| json!({ "samples_per_second": rate })).to_vec());
        let record = RowRecord::new(&row, vec![cells([10.0, 30.0, 12.0]), cells([5.0, 10.0, 10.0])]);
        assert_eq!(record.bars[0].ratio, Spread { median: 2.0, min: 1.2, max: 3.0 });
        assert!(record.bars[0].reached);
        assert!(!record.limits[0].reached, "the median is over 9");
        assert_eq!(record.contestants[0].rate, Some(Spread { median: 12.0, min: 10.0, max: 30.0 }));
    }

    #[test]
    fn who_is_absent_stands_in_the_record_and_is_measured_against_nobody() {
        let contestant = |name: &str| Contestant { name: name.to_owned(), program: "p", arguments: Vec::new() };
        let row = Row {
            name: "row".to_owned(),
            contestants: vec![contestant("a"), contestant("b")],
            bars: vec![Bar { of: "a", against: "b", at_least: 2.0 }],
            limits: Vec::new(),
        };
        let taken = vec![
            Taken::Part(vec![json!({ "samples_per_second": 1.0 })]),
            Taken::Absent("apt-get install b".to_owned()),
        ];
        let record = RowRecord::new(&row, taken);
        assert!(record.bars.is_empty());
        assert_eq!(record.contestants[1].absent.as_deref(), Some("apt-get install b"));
    }
}
