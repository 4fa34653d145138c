//! What is told of a reading: a line for each row that was rejected, and the sums of all.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use pos_protocol::Points;
use serde::{Deserialize, Serialize};

use crate::{Reason, Rejected, RowOutcome};

const REPORT_COLUMNS: [&str; 5] = ["line", "row", "field", "reason", "detail"];

/// Writes the rejected rows as CSV: `line,row,field,reason,detail`. New columns come at the end.
pub struct ReportWriter<W: Write> {
    lines: csv::Writer<W>,
}

impl<W: Write> ReportWriter<W> {
    /// Begins a report with its header.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(report: W) -> io::Result<Self> {
        let mut writer = Self::resume(report);
        writer.lines.write_record(REPORT_COLUMNS)?;
        Ok(writer)
    }

    /// Goes on with a report that has its header.
    pub fn resume(report: W) -> Self {
        Self {
            lines: csv::Writer::from_writer(report),
        }
    }

    /// Writes the line of one row.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, rejected: &Rejected) -> io::Result<()> {
        let line = rejected.line.to_string();
        let row = rejected.row.to_string();
        let field = rejected.field.map(|column| column.to_string());
        let cells: [&str; REPORT_COLUMNS.len()] = [
            &line,
            &row,
            field.as_deref().unwrap_or_default(),
            rejected.reason.word(),
            &rejected.detail(),
        ];
        self.lines.write_record(cells)?;
        Ok(())
    }

    /// Writes out what is still held back.
    ///
    /// # Errors
    /// Those of writing.
    pub fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}

/// The sums of a reading. Kept beside a [`Position`](crate::Position), it goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Columns of the file that were not read.
    pub unknown_columns: Vec<String>,
    /// Rows, accepted or not.
    pub rows: u64,
    /// Rows that are cards.
    pub accepted: u64,
    /// Rows that are none, by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// Points of the cards together.
    pub points: u64,
}

impl Summary {
    /// The sums of no row yet, for a file with these unknown columns.
    #[must_use]
    pub fn new(unknown_columns: &[String]) -> Self {
        Self {
            unknown_columns: unknown_columns.to_vec(),
            ..Self::default()
        }
    }

    /// Counts a row.
    pub fn count(&mut self, outcome: &RowOutcome) {
        self.rows = self.rows.saturating_add(1);
        match outcome {
            Ok(card) => {
                let points = u64::try_from(Points::get(card.points())).unwrap_or_default();
                self.accepted = self.accepted.saturating_add(1);
                // 18 million cards of 10^12 points each are needed to get to the end of it.
                self.points = self.points.saturating_add(points);
            }
            Err(rejected) => {
                let count = self.rejected.entry(rejected.reason).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
}
