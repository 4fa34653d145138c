//! What a check counts and what it finds.

use std::fmt;

/// How many findings of one check are kept; the rest is only counted.
const KEPT_MAX: usize = 20;

/// A row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its table.
    pub table: &'static str,
    /// Its key.
    pub key: String,
    /// What it says and what it should say.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.key, self.detail)
    }
}

/// The count of one check.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Comparisons made.
    pub checked: u64,
    /// Comparisons that failed.
    pub broken: u64,
    /// The first of those.
    pub findings: Vec<Finding>,
}

impl Tally {
    /// Counts one comparison; `detail` is asked for only if it failed.
    pub(super) fn expect(
        &mut self,
        holds: bool,
        table: &'static str,
        key: impl fmt::Display,
        detail: impl FnOnce() -> String,
    ) {
        self.checked += 1;
        if holds {
            return;
        }
        self.broken += 1;
        if self.findings.len() < KEPT_MAX {
            self.findings.push(Finding {
                table,
                key: key.to_string(),
                detail: detail(),
            });
        }
    }

    /// Counts one comparison of a stored number with the number that `source` says.
    pub(super) fn same(
        &mut self,
        (table, key): (&'static str, impl fmt::Display),
        field: &str,
        stored: impl Into<i128>,
        source: &str,
        derived: impl Into<i128>,
    ) {
        let (stored, derived) = (stored.into(), derived.into());
        self.expect(stored == derived, table, key, || {
            format!("{field} is {stored}, {source} say {derived}")
        });
    }
}
