//! What is written to several tables in one round trip.

use std::ops::Range;

use sqlx::{AssertSqlSafe, Row as _, postgres::PgArguments};

use super::{
    super::{
        StoreError,
        connection::{Connection, Handle},
        sql::{self, Cells, Sql},
    },
    packed, renumbered,
};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// They must not be there yet; the table's key sees to it.
    Insert,
    /// They must be there.
    Update,
    /// They may be there.
    Delete,
    /// As `Insert`; then `postgres` runs, which may read the rows' `columns` from `new_` and the table's
    /// name.
    InsertThen {
        columns: &'static str,
        postgres: &'static str,
    },
}

/// Rows to write, of one or more tables: what changes first, then what is new, each in the order added.
#[derive(Debug, Default)]
pub(crate) struct Writes<'a>(Vec<Write<'a>>);

#[derive(Debug)]
pub(super) struct Write<'a> {
    pub(super) table: &'static str,
    pub(super) act: Act,
    pub(super) sql: Sql,
    pub(super) rows: Vec<Cells<'a>>,
}

impl<'a> Writes<'a> {
    fn add(&mut self, table: &'static str, act: Act, sql: Sql, rows: Vec<Cells<'a>>) {
        if sql::row_count(&rows) > 0 {
            self.0.push(Write {
                table,
                act,
                sql,
                rows,
            });
        }
    }

    /// Adds new rows.
    pub(crate) fn insert(&mut self, table: &'static str, sql: Sql, rows: Vec<Cells<'a>>) {
        self.add(table, Act::Insert, sql, rows);
    }

    /// Adds changed rows.
    pub(crate) fn update(&mut self, table: &'static str, sql: Sql, rows: Vec<Cells<'a>>) {
        self.add(table, Act::Update, sql, rows);
    }

    /// Adds keys of rows to delete, as far as they are there.
    pub(crate) fn delete(&mut self, table: &'static str, sql: Sql, keys: Vec<Cells<'a>>) {
        self.add(table, Act::Delete, sql, keys);
    }

    /// Adds new rows whose `columns` a further statement of PostgreSQL reads from `new_` and the table's
    /// name.
    pub(crate) fn insert_then(
        &mut self,
        table: &'static str,
        sql: Sql,
        rows: Vec<Cells<'a>>,
        (columns, postgres): (&'static str, &'static str),
    ) {
        let act = Act::InsertThen { columns, postgres };
        self.add(table, act, sql, rows);
    }
}

/// Some rows of one part.
pub(super) type Piece<'w, 'a> = (&'w Write<'a>, Range<usize>);

/// The parts in pieces of so many bytes, each with its bytes.
fn in_pieces<'w, 'a>(
    parts: &'w [Write<'a>],
    bytes_max: usize,
) -> impl Iterator<Item = (Piece<'w, 'a>, usize)> {
    parts.iter().flat_map(move |part| {
        let pieces = sql::postgres_pieces(&part.rows, bytes_max);
        pieces.map(move |(rows, bytes)| ((part, rows), bytes))
    })
}

/// All pieces as one statement, which answers how many rows each update found.
///
/// PostgreSQL runs updates as their counts are read, and then the parts that nobody reads from the last
/// to the first. It does not promise so; were it to change, two batches that make the same two keys might
/// wait for each other, and one would be run again.
pub(super) fn with_of(pieces: &[Piece<'_, '_>]) -> String {
    let mut parts = Vec::with_capacity(pieces.len());
    let mut counts = Vec::new();
    let mut values = 0;
    for (part, _) in pieces {
        let table = part.table;
        let run = renumbered(part.sql.postgres, values);
        values += part.rows.len();
        parts.push(match part.act {
            Act::Insert => format!("new_{table} AS ({run})"),
            Act::Update => {
                counts.push(format!("(SELECT count(*) FROM changed_{table})"));
                format!("changed_{table} AS ({run} RETURNING 1)")
            }
            Act::Delete => format!("gone_{table} AS ({run})"),
            Act::InsertThen { columns, postgres } => {
                format!("new_{table} AS ({run} RETURNING {columns}), then_{table} AS ({postgres})")
            }
        });
    }
    parts.reverse();
    let (parts, counts) = (parts.join(", "), counts.join(", "));
    format!("WITH {parts} SELECT ARRAY[{counts}]::bigint[]")
}

fn all_written(table: &str, written: u64, rows: usize) -> Result<(), StoreError> {
    if u64::try_from(rows) == Ok(written) {
        return Ok(());
    }
    Err(StoreError::Conflict(format!(
        "{written} of {rows} rows of {table} were there to change"
    )))
}

impl Connection {
    /// Writes rows of several tables, all of them.
    pub(crate) async fn write_together(&mut self, writes: &Writes<'_>) -> Result<(), StoreError> {
        self.sound = false;
        let bytes_max = self.statement_bytes_max;
        match &mut self.handle {
            Handle::Postgres(connection) => {
                let pieces = in_pieces(&writes.0, bytes_max);
                for pieces in packed(pieces, bytes_max) {
                    let mut rows = PgArguments::default();
                    for (part, piece) in &pieces {
                        sql::add_arrays(&mut rows, &part.rows, piece.clone())?;
                    }
                    let text = AssertSqlSafe(with_of(&pieces));
                    let done = sqlx::query_with(text, rows).fetch_one(&mut **connection);
                    let counts = done.await.and_then(|row| row.try_get::<Vec<i64>, _>(0));
                    let counts = counts.map_err(StoreError::from_sqlx)?;
                    let mut counts = counts.into_iter();
                    for (part, piece) in pieces.iter().filter(|(part, _)| part.act == Act::Update) {
                        // A count that is not there says that nothing was.
                        let written = counts.next().unwrap_or_default().unsigned_abs();
                        all_written(part.table, written, piece.len())?;
                    }
                }
            }
            Handle::Sqlite(connection) => {
                for part in &writes.0 {
                    let count = sql::row_count(&part.rows);
                    let mut written = 0;
                    for piece in sql::sqlite_pieces(part.sql.sqlite, count) {
                        let rows = piece.values(&part.rows)?;
                        let done = sqlx::query_with(piece.text, rows).execute(&mut **connection);
                        written += done.await.map_err(StoreError::from_sqlx)?.rows_affected();
                    }
                    if part.act != Act::Delete {
                        all_written(part.table, written, count)?;
                    }
                }
            }
        }
        self.sound = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_share_a_statement_as_long_as_they_fit() {
        let part = |rows: usize| Write {
            table: "t",
            act: Act::Insert,
            sql: Sql::both(""),
            rows: vec![Cells::Int(vec![Some(1); rows])],
        };
        // An array of numbers is 24 bytes, and 12 for each.
        let sizes = |parts: &[usize], bytes_max| {
            let parts: Vec<_> = parts.iter().map(|rows| part(*rows)).collect();
            let sizes = |pieces: &Vec<Piece<'_, '_>>| {
                let sizes = pieces.iter().map(|(_, rows)| rows.len());
                sizes.collect::<Vec<_>>()
            };
            let statements = packed(in_pieces(&parts, bytes_max), bytes_max);
            statements.iter().map(sizes).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1, 2, 3], 144), [vec![1, 2, 3]]);
        assert_eq!(sizes(&[1, 2, 3], 143), [vec![1, 2], vec![3]]);
        assert_eq!(sizes(&[5, 1], 72), [vec![4], vec![1, 1]]);
        assert_eq!(sizes(&[5, 1], 48), [vec![2], vec![2], vec![1], vec![1]]);
        assert_eq!(sizes(&[1, 1], 0), [vec![1], vec![1]]);
        assert!(sizes(&[], 100).is_empty());
    }
}
