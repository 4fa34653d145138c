//! A programme as people edit it: one TOML file. What is in force is a row; the file is only its form.
//!
//! A file is taken whole or not at all: whatever is wrong with it, in one key or between two, is told
//! with its line. `docs/programme.md` documents every key, and a test holds it to that.

use std::{fs, io, path::Path};

use ledger::programme::{BASE_CLASS, Class, ExpiredPoints, Expiry, Programme};
use serde_json::Value;

use crate::toml_file::{self, TomlFault};

/// The programme of `gateway demo`, as its file.
pub const DEMO: &str = include_str!("../programmes/demo.toml");

/// The largest programme file, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The shortest month, so that "months" can be held against "days" on the safe side.
const DAYS_PER_MONTH_MIN: u32 = 28;
/// A phone shows a new text every 10 s; a shorter window would refuse texts still on the screen.
const FRESH_BEFORE_SECONDS_MIN: u32 = 10;

/// Why a programme file is not a programme.
#[derive(Debug, thiserror::Error)]
pub enum ProgrammeFileError {
    /// It cannot be read.
    #[error("cannot read the programme file {file}: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It says something wrong.
    #[error("{0}")]
    Wrong(#[from] TomlFault),
}

/// Reads a programme file: the programme and the text it was written as.
///
/// # Errors
/// [`ProgrammeFileError`], with the offending line where there is one.
pub fn read(path: &Path) -> Result<(Programme, String), ProgrammeFileError> {
    let file = path.display().to_string();
    let unreadable = |source| ProgrammeFileError::Unreadable {
        file: file.clone(),
        source,
    };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        let reason = format!("{bytes} bytes; a programme has at most {FILE_BYTES_MAX}");
        return Err(unreadable(io::Error::other(reason)));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let programme = parse(&file, &text)?;
    Ok((programme, text))
}

/// The programme that `text`, called `file`, stands for.
///
/// # Errors
/// [`TomlFault`] naming the first thing that is wrong, in a key or between two.
pub fn parse(file: &str, text: &str) -> Result<Programme, TomlFault> {
    let programme: Programme = toml_file::parse(file, text)?;
    match contradiction(&programme) {
        None => Ok(programme),
        Some(found) => {
            let path: Vec<&str> = found.key.split('.').collect();
            let reason = format!("{}: {}", found.key, found.reason);
            Err(TomlFault::at_key(file, text, &path, reason))
        }
    }
}

/// The programme as a file with every key written out, defaults too.
///
/// # Errors
/// A programme whose settings TOML cannot carry; the types allow none.
pub fn render(programme: &Programme) -> Result<String, toml::ser::Error> {
    toml::to_string_pretty(programme)
}

/// Two settings, each legal, that make no sense together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The key to change, with dots.
    pub key: String,
    /// What is wrong, in plain words.
    pub reason: String,
}

/// The first contradiction in a programme, if there is one.
#[must_use]
pub fn contradiction(programme: &Programme) -> Option<Contradiction> {
    let found = |key: &str, reason: String| {
        Some(Contradiction {
            key: key.to_owned(),
            reason,
        })
    };
    let worth = u64::from(programme.earn.points) * u64::from(programme.yen_per_point.get());
    let price = u64::from(programme.earn.per_yen.get());
    if worth > price {
        return found(
            "earn.points",
            format!(
                "points worth {worth} yen for every {price} yen spent: a purchase would earn more than it costs"
            ),
        );
    }
    let pending = programme.earn.pending_days.get();
    let lived = programme
        .classes
        .get(BASE_CLASS)
        .and_then(days_lived_at_least);
    if let Some(lived) = lived.filter(|lived| pending >= *lived) {
        return found(
            "earn.pending_days",
            format!("points would be pending for {pending} days and can expire after {lived}"),
        );
    }
    if let ExpiredPoints::Grace { days } = programme.returns.expired
        && days.get() == 0
    {
        return found(
            "returns.expired.days",
            "a grace of 0 days is none; write kind = \"lapse\"".to_owned(),
        );
    }
    let fresh = programme.cards.fresh_before_seconds.get();
    if fresh < FRESH_BEFORE_SECONDS_MIN {
        return found(
            "cards.fresh_before_seconds",
            format!(
                "{fresh} seconds; a phone shows each text for {FRESH_BEFORE_SECONDS_MIN}, so texts on the screen would be refused"
            ),
        );
    }
    if programme.cards.short_code_seconds.get() == 0 {
        return found(
            "cards.short_code_seconds",
            "a code that lives 0 seconds can never be used".to_owned(),
        );
    }
    if let Some(pass) = &programme.cards.apple_range
        && programme.cards.plastic.touch(pass.range())
    {
        return found(
            "cards.apple_range",
            "a pass could get the number of somebody's plastic card: no range of cards.plastic may share numbers with it".to_owned(),
        );
    }
    None
}

fn days_lived_at_least(class: &Class) -> Option<u32> {
    match class.expiry {
        Expiry::Never => None,
        Expiry::Fixed { months } | Expiry::Activity { months } => {
            Some(months.get().saturating_mul(DAYS_PER_MONTH_MIN))
        }
    }
}

/// One setting that differs between two programmes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key, with dots.
    pub key: String,
    /// What it was; `None` if it was not there.
    pub old: Option<String>,
    /// What it is to be; `None` if it is gone.
    pub new: Option<String>,
}

/// Every setting that differs, in the order of the keys.
///
/// # Errors
/// A programme that JSON cannot carry; the types allow none.
pub fn diff(old: &Programme, new: &Programme) -> Result<Vec<Change>, serde_json::Error> {
    let (old, new) = (serde_json::to_value(old)?, serde_json::to_value(new)?);
    let mut changes = Vec::new();
    compare(String::new(), Some(&old), Some(&new), &mut changes);
    Ok(changes)
}

fn compare(key: String, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    let tables = (
        old.and_then(Value::as_object),
        new.and_then(Value::as_object),
    );
    if tables.0.is_none() && tables.1.is_none() {
        if old != new {
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            changes.push(Change {
                key,
                old: text(old),
                new: text(new),
            });
        }
        return;
    }
    let names: std::collections::BTreeSet<&String> = [tables.0, tables.1]
        .into_iter()
        .flatten()
        .flat_map(|table| table.keys())
        .collect();
    for name in names {
        let inner = if key.is_empty() {
            name.clone()
        } else {
            format!("{key}.{name}")
        };
        let side = |table: Option<&serde_json::Map<String, Value>>| {
            table.and_then(|table| table.get(name)).cloned()
        };
        compare(
            inner,
            side(tables.0).as_ref(),
            side(tables.1).as_ref(),
            changes,
        );
    }
}

#[cfg(test)]
mod tests;
