//! How far an import has come, in a file beside its report, so that it can go on after being killed.
//!
//! The file is written anew beside the old one and takes its place at once: whoever looks finds one or the
//! other, whole.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::PathBuf,
};

use card_base::Position;
use serde::{Deserialize, Serialize};

use super::{ImportError, Order, Tally, failed};

/// A saved position.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    pub(super) encoding: String,
    pub(super) separator: String,
    /// All rows before it are done.
    pub(super) position: Position,
    /// How long the report was then.
    pub(super) report_bytes: u64,
    /// What had come of the rows.
    pub(super) tally: Tally,
}

fn beside(order: &Order, ending: &str) -> PathBuf {
    let mut name = order.report.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The position to go on from; none to begin with.
pub(super) fn found(order: &Order) -> Result<Option<Saved>, ImportError> {
    let path = beside(order, ".position");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&path)(error)),
    };
    if !order.resume {
        return Err(ImportError::Position(format!(
            "an import was broken off here: go on with --resume, or begin anew without {}",
            path.display()
        )));
    }
    let saved = serde_json::from_slice(&text);
    saved.map(Some).map_err(|_| {
        let path = path.display();
        ImportError::Position(format!(
            "{path} is no saved position; begin anew without it"
        ))
    })
}

pub(super) fn save(order: &Order, saved: &Saved) -> Result<(), ImportError> {
    let (path, fresh) = (beside(order, ".position"), beside(order, ".position.new"));
    let text = serde_json::to_vec(saved).map_err(|error| failed(&path)(error.into()))?;
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.map_err(failed(&fresh))?;
    fs::rename(&fresh, &path).map_err(failed(&path))?;
    settle_directory(order)
}

/// The import ran to its end.
pub(super) fn forget(order: &Order) -> Result<(), ImportError> {
    let path = beside(order, ".position");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&path)(error)),
        _ => Ok(()),
    }
}

fn settle_directory(order: &Order) -> Result<(), ImportError> {
    let directory = order.report.parent().filter(|path| path.as_os_str() != "");
    let directory = directory.unwrap_or(std::path::Path::new("."));
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(failed(directory))
}
