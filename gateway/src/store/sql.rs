//! Statements and the values they take, in a form that fits both databases.
//!
//! A statement over many rows takes one column of values per parameter. PostgreSQL gets each column
//! as one array and runs once. SQLite has no arrays: what stands in braces in its text, the places
//! of one row, is repeated for 1, 2, 4, … or 128 rows, so that a statement has few forms and each is
//! prepared once. Places that are left over are null: a key that no row has, and a row that no `INSERT`
//! takes. A text without braces is run for each row by itself.

use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    sync::{LazyLock, Mutex, PoisonError},
};

use sqlx::{Arguments as _, postgres::PgArguments, sqlite::SqliteArguments};
use uuid::Uuid;

use super::StoreError;

/// One statement, in the words of each database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    /// For PostgreSQL.
    pub(crate) postgres: &'static str,
    /// For SQLite.
    pub(crate) sqlite: &'static str,
}

impl Sql {
    /// A statement that both databases understand.
    pub(crate) const fn both(text: &'static str) -> Self {
        Self {
            postgres: text,
            sqlite: text,
        }
    }

    /// A statement put together from the names of tables and columns. Kept for ever: each one is made
    /// once, behind a `LazyLock` or `OnceLock`.
    pub(crate) fn assembled(postgres: String, sqlite: String) -> Self {
        Self {
            postgres: postgres.leak(),
            sqlite: sqlite.leak(),
        }
    }
}

/// A type of column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UUID, on SQLite a BLOB of 16 bytes.
    Uuid,
    /// TEXT.
    Text,
    /// BIGINT, on SQLite INTEGER.
    Int,
    /// BYTEA, on SQLite BLOB.
    Bytes,
    /// BOOLEAN, on SQLite INTEGER 0 or 1.
    Bool,
}

impl Kind {
    /// PostgreSQL's name of it.
    pub(crate) fn postgres(self) -> &'static str {
        self.postgres_array().trim_end_matches("[]")
    }

    /// The array that carries many such values to PostgreSQL.
    pub(crate) const fn postgres_array(self) -> &'static str {
        match self {
            Self::Uuid => "uuid[]",
            Self::Text => "text[]",
            Self::Int => "bigint[]",
            Self::Bytes => "bytea[]",
            Self::Bool => "boolean[]",
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// An id.
    Uuid(Uuid),
    /// A text.
    Text(Cow<'a, str>),
    /// A number.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Yes or no.
    Bool(bool),
    /// Many numbers at once: for PostgreSQL an array, for SQLite a JSON text.
    Ints(&'a [i64]),
}

/// Values of one kind: a column of rows to write, or of keys to look up.
#[derive(Debug)]
pub(crate) enum Cells<'a> {
    /// Ids.
    Uuid(Vec<Option<Uuid>>),
    /// Texts.
    Text(Vec<Option<Cow<'a, str>>>),
    /// Numbers.
    Int(Vec<Option<i64>>),
    /// Bytes.
    Bytes(Vec<Option<&'a [u8]>>),
    /// Yes or no.
    Bool(Vec<Option<bool>>),
}

impl<'a> Cells<'a> {
    /// No values yet, with room for `rows`.
    pub(crate) fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Uuid => Self::Uuid(Vec::with_capacity(rows)),
            Kind::Text => Self::Text(Vec::with_capacity(rows)),
            Kind::Int => Self::Int(Vec::with_capacity(rows)),
            Kind::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            Kind::Bool => Self::Bool(Vec::with_capacity(rows)),
        }
    }

    /// Adds a value; whether it was of the right kind.
    #[must_use]
    pub(crate) fn push(&mut self, value: Value<'a>) -> bool {
        match (self, value) {
            (Self::Uuid(cells), Value::Uuid(value)) => cells.push(Some(value)),
            (Self::Uuid(cells), Value::Null) => cells.push(None),
            (Self::Text(cells), Value::Text(value)) => cells.push(Some(value)),
            (Self::Text(cells), Value::Null) => cells.push(None),
            (Self::Int(cells), Value::Int(value)) => cells.push(Some(value)),
            (Self::Int(cells), Value::Null) => cells.push(None),
            (Self::Bytes(cells), Value::Bytes(value)) => cells.push(Some(value)),
            (Self::Bytes(cells), Value::Null) => cells.push(None),
            (Self::Bool(cells), Value::Bool(value)) => cells.push(Some(value)),
            (Self::Bool(cells), Value::Null) => cells.push(None),
            _ => return false,
        }
        true
    }

    /// The first value.
    pub(crate) fn first(&self) -> Value<'_> {
        match self {
            Self::Uuid(cells) => cells.first().copied().flatten().map(Value::Uuid),
            Self::Text(cells) => cells
                .first()
                .and_then(Option::as_deref)
                .map(|text| Value::Text(text.into())),
            Self::Int(cells) => cells.first().copied().flatten().map(Value::Int),
            Self::Bytes(cells) => cells.first().copied().flatten().map(Value::Bytes),
            Self::Bool(cells) => cells.first().copied().flatten().map(Value::Bool),
        }
        .unwrap_or(Value::Null)
    }

    /// What PostgreSQL gets for one row: a length, and the value.
    fn bytes(&self, row: usize) -> usize {
        const LENGTH: usize = 4;
        let value = match self {
            Self::Uuid(_) => 16,
            Self::Int(_) => 8,
            Self::Bool(_) => 1,
            Self::Text(cells) => cells
                .get(row)
                .and_then(Option::as_ref)
                .map_or(0, |text| text.len()),
            Self::Bytes(cells) => cells.get(row).copied().flatten().map_or(0, <[u8]>::len),
        };
        LENGTH + value
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Uuid(cells) => cells.len(),
            Self::Text(cells) => cells.len(),
            Self::Int(cells) => cells.len(),
            Self::Bytes(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
        }
    }
}

/// How many rows `columns` describe.
pub(crate) fn row_count(columns: &[Cells<'_>]) -> usize {
    columns.first().map_or(0, Cells::len)
}

/// What PostgreSQL gets for an array without elements: its length, its kind, its bounds.
const ARRAY_BYTES: usize = 24;

/// The rows in pieces of so many bytes as PostgreSQL gets them, at least one row each, with their bytes.
pub(crate) fn postgres_pieces(
    columns: &[Cells<'_>],
    bytes_max: usize,
) -> impl Iterator<Item = (Range<usize>, usize)> {
    let rows = row_count(columns);
    let mut from = 0;
    std::iter::from_fn(move || {
        let (mut until, mut bytes) = (from, 0_usize);
        bytes += columns.len() * ARRAY_BYTES;
        while until < rows {
            let row: usize = columns.iter().map(|cells| cells.bytes(until)).sum();
            if bytes + row > bytes_max && until > from {
                break;
            }
            bytes += row;
            until += 1;
        }
        let piece = std::mem::replace(&mut from, until)..until;
        (!piece.is_empty()).then_some((piece, bytes))
    })
}

/// Adds some rows, every column as one array.
pub(crate) fn add_arrays(
    arguments: &mut PgArguments,
    columns: &[Cells<'_>],
    rows: Range<usize>,
) -> Result<(), StoreError> {
    fn some<'c, T>(cells: &'c [T], rows: &Range<usize>) -> &'c [T] {
        cells.get(rows.clone()).unwrap_or_default()
    }
    for cells in columns {
        match cells {
            Cells::Uuid(cells) => arguments.add(some(cells, &rows)),
            Cells::Text(cells) => arguments.add(some(cells, &rows)),
            Cells::Int(cells) => arguments.add(some(cells, &rows)),
            Cells::Bytes(cells) => arguments.add(some(cells, &rows)),
            Cells::Bool(cells) => arguments.add(some(cells, &rows)),
        }
        .map_err(StoreError::unfit)?;
    }
    Ok(())
}

/// Single values.
pub(crate) fn postgres_values(values: &[Value<'_>]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Uuid(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value.as_ref()),
            Value::Int(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(*value),
            Value::Bool(value) => arguments.add(value),
            Value::Ints(values) => arguments.add(*values),
        }
        .map_err(StoreError::unfit)?;
    }
    Ok(arguments)
}

/// Rows in one piece, at most. The widest table has 25 columns; SQLite takes 32,766 values.
const PIECE_ROWS_MAX: usize = 128;

/// What SQLite runs for some of the rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SqlitePiece {
    pub(crate) text: &'static str,
    rows: Range<usize>,
    /// Rows the text has places for; those beyond `rows` are left over.
    places: usize,
}

/// The pieces in which SQLite runs a statement over `rows` rows.
pub(crate) fn sqlite_pieces(text: &'static str, rows: usize) -> impl Iterator<Item = SqlitePiece> {
    let places_max = if text.contains('{') {
        PIECE_ROWS_MAX
    } else {
        1
    };
    (0..rows).step_by(places_max).map(move |from| {
        let until = rows.min(from + places_max);
        let places = (until - from).next_power_of_two();
        SqlitePiece {
            text: sqlite_text(text, places),
            rows: from..until,
            places,
        }
    })
}

/// The text with places for so many rows. Kept for ever: a text has eight forms.
pub(crate) fn sqlite_text(text: &'static str, rows: usize) -> &'static str {
    type Forms = HashMap<(&'static str, usize), &'static str>;
    static FORMS: LazyLock<Mutex<Forms>> = LazyLock::new(Mutex::default);
    let parts = text.split_once('{').and_then(|(before, rest)| {
        let (row, after) = rest.split_once('}')?;
        Some((before, row, after))
    });
    let Some((before, row, after)) = parts else {
        return text;
    };
    let mut forms = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
    forms
        .entry((text, rows))
        .or_insert_with(|| format!("{before}{}{after}", vec![row; rows].join(", ")).leak())
}

impl SqlitePiece {
    /// Its values, one row after the other.
    pub(crate) fn values(&self, columns: &[Cells<'_>]) -> Result<SqliteArguments, StoreError> {
        let mut arguments = SqliteArguments::default();
        for row in self.rows.clone() {
            for cells in columns {
                match cells {
                    Cells::Uuid(cells) => arguments.add(cells.get(row).copied().flatten()),
                    Cells::Text(cells) => {
                        arguments.add(cells.get(row).and_then(Option::as_ref).map(AsRef::as_ref))
                    }
                    Cells::Int(cells) => arguments.add(cells.get(row).copied().flatten()),
                    Cells::Bytes(cells) => arguments.add(cells.get(row).copied().flatten()),
                    Cells::Bool(cells) => arguments.add(cells.get(row).copied().flatten()),
                }
                .map_err(StoreError::unfit)?;
            }
        }
        for _ in 0..(self.places - self.rows.len()) * columns.len() {
            arguments.add(None::<i64>).map_err(StoreError::unfit)?;
        }
        Ok(arguments)
    }
}

/// Single values.
pub(crate) fn sqlite_values(values: &[Value<'_>]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Uuid(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_ref()),
            Value::Int(value) => arguments.add(*value),
            Value::Bytes(value) => arguments.add(*value),
            Value::Bool(value) => arguments.add(*value),
            Value::Ints(values) => arguments.add(json_array(values)),
        }
        .map_err(StoreError::unfit)?;
    }
    Ok(arguments)
}

fn json_array(values: &[i64]) -> String {
    let values: Vec<_> = values.iter().map(i64::to_string).collect();
    format!("[{}]", values.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_rows_hold_so_many_bytes_or_one_row() {
        let texts = ["12345678", "1", "1234567890123456789012345678", "1", "1"];
        let columns = [
            Cells::Text(texts.map(|text| Some(text.into())).to_vec()),
            Cells::Int(vec![Some(1); 5]),
        ];
        let pieces = |bytes_max| postgres_pieces(&columns, bytes_max).collect::<Vec<_>>();
        // Two arrays, then a length and a value for each text and each number.
        assert_eq!(pieces(1_000), [(0..5, 48 + 119)]);
        assert_eq!(
            pieces(48 + 41),
            [(0..2, 48 + 41), (2..3, 48 + 44), (3..5, 48 + 34)]
        );
        assert_eq!(pieces(48 + 40).len(), 4);
        assert_eq!(pieces(0).len(), 5);
        assert_eq!(postgres_pieces(&[], 10).count(), 0);
    }

    #[test]
    fn rows_are_listed_in_few_forms() {
        let pieces = |text, rows| {
            let pieces = sqlite_pieces(text, rows);
            let told = pieces.map(|piece| (piece.text, piece.rows, piece.places));
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            pieces("INSERT INTO t VALUES {(?, ?)} RETURNING a", 2),
            [("INSERT INTO t VALUES (?, ?), (?, ?) RETURNING a", 0..2, 2)]
        );
        assert_eq!(pieces("VALUES {(?)}", 0), []);
        let sizes = |text, rows| {
            let pieces = pieces(text, rows).into_iter();
            pieces
                .map(|(_, rows, places)| (rows.len(), places))
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes("VALUES {(?)}", 3), [(3, 4)]);
        assert_eq!(sizes("VALUES {(?)}", 200), [(128, 128), (72, 128)]);
        assert_eq!(sizes("SELECT $1, $2", 3), [(1, 1), (1, 1), (1, 1)]);
    }
}
