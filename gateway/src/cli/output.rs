//! Standard output. A reader that went away is no fault.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use super::Failure;

/// Prints one line, or several.
pub(super) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::io("cannot write to standard output")(error),
        })
}

/// Prints a value as JSON on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::io("cannot write JSON")(io::Error::other(error)))?;
    line(text)
}

/// Prints rows under their headings, each column as wide as it has to be.
pub(super) fn table<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let rows: Vec<_> = rows.into_iter().collect();
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    line(columns(&headings, &widths))?;
    rows.iter().try_for_each(|row| line(columns(row, &widths)))
}

fn columns(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let padded: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{:width$}", cell.as_ref()))
        .collect();
    padded.join("  ").trim_end().to_owned()
}
