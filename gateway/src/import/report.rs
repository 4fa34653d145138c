//! What is told of an import: a line for each remark on a row, and the sums of all.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek as _, SeekFrom},
    path::Path,
};

use card_base::{Reason, Rejected};
use pos_protocol::Points;
use serde::{Deserialize, Serialize};

const COLUMNS: [&str; 5] = ["line", "row", "field", "reason", "detail"];

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A new card.
    Imported,
    /// The card was there.
    AlreadyThere,
    /// No card.
    LeftOut,
}

/// Something to say of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) field: Option<String>,
    pub(super) reason: &'static str,
    pub(super) detail: Cow<'static, str>,
}

/// A row that is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) line: u64,
    pub(super) row: u32,
    pub(super) fate: Fate,
    pub(super) remarks: Vec<Remark>,
    /// Points of a card that was imported.
    pub(super) points: Points,
    /// Whether a profile was kept.
    pub(super) profile: bool,
}

impl Told {
    pub(super) fn of(rejected: &Rejected) -> Self {
        let remark = Remark {
            field: rejected.field.map(|column| column.to_string()),
            reason: Reason::word(rejected.reason),
            detail: rejected.detail(),
        };
        Self::left_out(rejected.line, rejected.row, remark)
    }

    pub(super) fn left_out(line: u64, row: u32, remark: Remark) -> Self {
        Self {
            line,
            row,
            fate: Fate::LeftOut,
            remarks: vec![remark],
            points: Points::ZERO,
            profile: false,
        }
    }
}

/// The sums of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Columns of the file that are not read.
    pub unknown_columns: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// New cards.
    pub imported: u64,
    /// Cards that were there before.
    pub already_there: u64,
    /// Rows that gave no card.
    pub left_out: u64,
    /// Points of the new cards, those that lapse at once too.
    pub points: u64,
    /// Profiles that were kept.
    pub profiles: u64,
    /// Remarks, by reason.
    pub remarks: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new(unknown_columns: &[String]) -> Self {
        Self {
            unknown_columns: unknown_columns.to_vec(),
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, told: &Told) {
        let add = |sum: &mut u64, more| *sum = sum.saturating_add(more);
        add(&mut self.rows, 1);
        add(&mut self.profiles, told.profile.into());
        match told.fate {
            Fate::Imported => {
                add(&mut self.imported, 1);
                add(
                    &mut self.points,
                    u64::try_from(told.points.get()).unwrap_or(0),
                );
            }
            Fate::AlreadyThere => add(&mut self.already_there, 1),
            Fate::LeftOut => add(&mut self.left_out, 1),
        }
        for remark in &told.remarks {
            add(self.remarks.entry(remark.reason.to_owned()).or_default(), 1);
        }
    }
}

/// The report as a CSV file.
pub(super) struct Report(csv::Writer<BufWriter<File>>);

impl Report {
    /// A fresh report; or the one of a run that broke off, cut to what it said at the saved position.
    pub(super) fn open(path: &Path, kept_bytes: Option<u64>) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(kept_bytes.is_none())
            .open(path)?;
        if let Some(bytes) = kept_bytes {
            if file.metadata()?.len() < bytes {
                return Err(io::Error::other("the report is shorter than it was"));
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
        }
        let mut report = Self(csv::Writer::from_writer(BufWriter::new(file)));
        if kept_bytes.is_none() {
            report.0.write_record(COLUMNS)?;
        }
        Ok(report)
    }

    pub(super) fn write(&mut self, told: &Told) -> io::Result<()> {
        for remark in &told.remarks {
            let (line, row) = (told.line.to_string(), told.row.to_string());
            let cells: [&str; COLUMNS.len()] = [
                &line,
                &row,
                remark.field.as_deref().unwrap_or_default(),
                remark.reason,
                &remark.detail,
            ];
            self.0.write_record(cells)?;
        }
        Ok(())
    }

    /// Makes durable what was written; how long the report is now.
    pub(super) fn settle(&mut self) -> io::Result<u64> {
        self.0.flush()?;
        let buffer = self.0.get_ref();
        buffer.get_ref().sync_data()?;
        Ok(buffer.get_ref().metadata()?.len())
    }
}
