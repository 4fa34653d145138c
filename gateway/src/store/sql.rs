//! Statements and the values they take, in a form that fits both databases.
//!
//! A statement over many rows takes one column of values per parameter. PostgreSQL gets each column
//! as one array and runs once; SQLite runs once per row, inside the transaction.

use std::borrow::Cow;

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

    fn len(&self) -> usize {
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

/// Every column as one array.
pub(crate) fn postgres_arrays(columns: &[Cells<'_>]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for cells in columns {
        match cells {
            Cells::Uuid(cells) => arguments.add(cells.as_slice()),
            Cells::Text(cells) => arguments.add(cells.as_slice()),
            Cells::Int(cells) => arguments.add(cells.as_slice()),
            Cells::Bytes(cells) => arguments.add(cells.as_slice()),
            Cells::Bool(cells) => arguments.add(cells.as_slice()),
        }
        .map_err(StoreError::unfit)?;
    }
    Ok(arguments)
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

/// The values of one row.
pub(crate) fn sqlite_row(columns: &[Cells<'_>], row: usize) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
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
    Ok(arguments)
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
