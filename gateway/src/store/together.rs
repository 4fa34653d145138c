//! Several statements in one round trip.
//!
//! A round trip costs more than what most statements of a small batch ask for. PostgreSQL gets what is
//! read of several tables as one `UNION ALL`, and what is written to several as one `WITH` of many
//! parts; the driver cannot send a second statement before the first is answered. Each set of tables is
//! a statement of its own, prepared when it is first needed; a connection keeps some of the latest. SQLite
//! has no round trips and runs the parts one after the other.

use std::{borrow::Cow, fmt::Write as _, ops::Range, sync::LazyLock};

use sqlx::{
    AssertSqlSafe, Row as _,
    postgres::{PgArguments, PgRow},
    sqlite::SqliteRow,
};

use super::{
    StoreError,
    connection::{Connection, Handle},
    row::{FromRow, Reader, Row},
    rows,
    sql::{self, Cells, Kind, Sql},
    table::Table,
    write,
};

/// Rows to read, of one or more tables.
#[derive(Debug, Default)]
pub(crate) struct Reads<'a>(Vec<Read<'a>>);

#[derive(Debug)]
struct Read<'a> {
    table: &'static Table,
    sql: Sql,
    keys: Vec<Cells<'a>>,
}

impl Read<'_> {
    /// What PostgreSQL gets for it, in bytes.
    fn bytes(&self) -> usize {
        let whole = sql::postgres_pieces(&self.keys, usize::MAX);
        whole.map(|(_, bytes)| bytes).sum()
    }
}

impl<'a> Reads<'a> {
    /// Adds the records that `sql`, a `SELECT` of all columns of their table, finds by `keys`. Without
    /// keys there is nothing to find.
    pub(crate) fn add<R: Row + FromRow, const N: usize>(&mut self, sql: Sql, keys: [Cells<'a>; N]) {
        if sql::row_count(&keys) > 0 {
            self.0.push(Read {
                table: R::table(),
                sql,
                keys: keys.into(),
            });
        }
    }

    /// Adds the records with these keys.
    pub(crate) fn add_by_key<R: Row + FromRow, const N: usize>(&mut self, keys: [Cells<'a>; N]) {
        self.add::<R, N>(R::table().statements().by_key, keys);
    }

    /// Whether there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows that were read.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<(&'static Table, FoundRow)>);

#[derive(Debug)]
enum FoundRow {
    Postgres(PgRow),
    Sqlite(SqliteRow),
}

impl Found {
    /// All records of one kind, in no order.
    pub(crate) fn records<R: Row + FromRow>(&self) -> Result<Vec<R>, StoreError> {
        let of_table = |found: &&(&'static Table, _)| std::ptr::eq(found.0, R::table());
        let mut places = None;
        let records = self
            .0
            .iter()
            .filter(of_table)
            .map(|(table, row)| match row {
                FoundRow::Postgres(row) => {
                    let places = places.get_or_insert_with(|| places_of(table));
                    R::read(&mut Reader::at_places(row, places))
                }
                FoundRow::Sqlite(row) => R::read(&mut Reader::new(row)),
            });
        records.collect()
    }
}

/// How the rows of all tables fit into one shape: first the number of the part, then so many columns of
/// each kind as the widest table needs.
const SHAPE: [(Kind, usize); 5] = [
    (Kind::Uuid, 4),
    (Kind::Text, 9),
    (Kind::Int, 11),
    (Kind::Bytes, 1),
    (Kind::Bool, 1),
];

/// Where in the common shape the columns of a table are.
fn places_of(table: &Table) -> Vec<usize> {
    let mut next = [0; SHAPE.len()];
    let mut from = 1;
    for (next, (_, columns)) in next.iter_mut().zip(SHAPE) {
        *next = from;
        from += columns;
    }
    let place = |kind: Kind| {
        let of_kind = next
            .iter_mut()
            .zip(SHAPE)
            .find(|(_, shape)| shape.0 == kind);
        of_kind.map_or(0, |(next, _)| std::mem::replace(next, *next + 1))
    };
    table
        .columns()
        .map(|column| column.kind)
        .map(place)
        .collect()
}

/// `SELECT` every part's rows in the common shape.
fn union_of(parts: &[&Read<'_>]) -> String {
    let mut text = String::new();
    let mut values = 0;
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            text.push_str(" UNION ALL ");
        }
        let _ = write!(text, "SELECT {number}");
        let names: Vec<_> = part.table.columns().map(|column| column.name).collect();
        let places = places_of(part.table);
        let mut place = 0;
        for (kind, columns) in SHAPE {
            for _ in 0..columns {
                place += 1;
                let column = places.iter().position(|taken| *taken == place);
                match column.and_then(|column| names.get(column)) {
                    Some(name) => {
                        let _ = write!(text, ", {name}");
                    }
                    None => {
                        let _ = write!(text, ", NULL::{}", kind.postgres());
                    }
                }
            }
        }
        let select = renumbered(part.sql.postgres, values);
        let _ = write!(text, " FROM ({select}) AS part{number}");
        values += part.keys.len();
    }
    text
}

/// A statement whose values are numbered from `by` + 1 on.
fn renumbered(text: &str, by: usize) -> Cow<'_, str> {
    if by == 0 {
        return text.into();
    }
    let mut pieces = text.split('$');
    let mut renumbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse().unwrap_or(0) + by;
        let _ = write!(renumbered, "${number}{rest}");
    }
    renumbered.into()
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// They must not be there yet; the table's key sees to it.
    Insert,
    /// They must be there.
    Update,
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
struct Write<'a> {
    table: &'static str,
    act: Act,
    sql: Sql,
    rows: Vec<Cells<'a>>,
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
type Piece<'w, 'a> = (&'w Write<'a>, Range<usize>);

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

/// What goes into one statement each: as much as fits into so many bytes, and one piece at least. Two
/// pieces of one part never share a statement, for the first ends where the next row would not fit.
fn packed<T>(pieces: impl Iterator<Item = (T, usize)>, bytes_max: usize) -> Vec<Vec<T>> {
    let mut statements: Vec<Vec<T>> = Vec::new();
    let mut filled = 0;
    for (piece, bytes) in pieces {
        filled += bytes;
        match statements.last_mut() {
            Some(statement) if filled <= bytes_max => statement.push(piece),
            _ => {
                statements.push(vec![piece]);
                filled = bytes;
            }
        }
    }
    statements
}

/// All pieces as one statement, which answers how many rows each update found.
///
/// PostgreSQL runs updates as their counts are read, and then the parts that nobody reads from the last
/// to the first. It does not promise so; were it to change, two batches that make the same two keys might
/// wait for each other, and one would be run again.
fn with_of(pieces: &[Piece<'_, '_>]) -> String {
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
            Act::InsertThen { columns, postgres } => {
                format!("new_{table} AS ({run} RETURNING {columns}), then_{table} AS ({postgres})")
            }
        });
    }
    parts.reverse();
    let (parts, counts) = (parts.join(", "), counts.join(", "));
    format!("WITH {parts} SELECT ARRAY[{counts}]::bigint[]")
}

/// Every table read at once, and written at once: to see whether PostgreSQL understands such statements.
pub(super) fn statements() -> [Sql; 2] {
    static ALL: LazyLock<[Sql; 2]> = LazyLock::new(|| {
        let none = |columns| {
            let columns = std::iter::repeat_with(|| Cells::new(Kind::Int, 0)).take(columns);
            columns.collect::<Vec<_>>()
        };
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for table in rows::tables() {
            let own = table.statements();
            reads.push(Read {
                table,
                sql: own.by_key,
                keys: none(table.key_columns()),
            });
            let part = |act, sql, columns| Write {
                table: table.name,
                act,
                sql,
                rows: none(columns),
            };
            let act = if table.name == rows::EVENTS.name {
                let (columns, postgres) = write::SEND;
                Act::InsertThen { columns, postgres }
            } else {
                Act::Insert
            };
            writes.push(part(act, own.insert, table.columns().count()));
            if !table.is_append_only() {
                let taken = table.updated().filter(|(_, taken)| *taken).count();
                writes.push(part(Act::Update, own.update, taken));
            }
        }
        let pieces: Vec<_> = writes.iter().map(|write| (write, 0..0)).collect();
        // SQLite is never given them.
        let of_postgres = |text| Sql::assembled(text, "SELECT 1".to_owned());
        let reads: Vec<_> = reads.iter().collect();
        [of_postgres(union_of(&reads)), of_postgres(with_of(&pieces))]
    });
    *ALL
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
    /// Reads rows of several tables.
    pub(crate) async fn fetch_together(&mut self, reads: &Reads<'_>) -> Result<Found, StoreError> {
        self.sound = false;
        let mut found = Vec::new();
        match &mut self.handle {
            Handle::Postgres(connection) => {
                let parts = reads.0.iter().map(|part| (part, part.bytes()));
                for parts in packed(parts, self.statement_bytes_max) {
                    let mut keys = PgArguments::default();
                    for part in &parts {
                        sql::add_arrays(&mut keys, &part.keys, 0..sql::row_count(&part.keys))?;
                    }
                    let text = AssertSqlSafe(union_of(&parts));
                    let rows = sqlx::query_with(text, keys).fetch_all(&mut **connection);
                    for row in self.patience.wait(rows).await? {
                        let number: i32 = row.try_get(0).map_err(StoreError::from_sqlx)?;
                        let part = usize::try_from(number).ok().and_then(|at| parts.get(at));
                        let part = part.ok_or_else(|| {
                            StoreError::Corrupt(format!(
                                "a row of part {number}, which nobody asked for"
                            ))
                        })?;
                        found.push((part.table, FoundRow::Postgres(row)));
                    }
                }
            }
            Handle::Sqlite(connection) => {
                for part in &reads.0 {
                    let count = sql::row_count(&part.keys);
                    for piece in sql::sqlite_pieces(part.sql.sqlite, count) {
                        let keys = piece.values(&part.keys)?;
                        let rows = sqlx::query_with(piece.text, keys).fetch_all(&mut **connection);
                        let rows = self.patience.wait(rows).await?.into_iter();
                        found.extend(rows.map(|row| (part.table, FoundRow::Sqlite(row))));
                    }
                }
            }
        }
        self.sound = true;
        Ok(Found(found))
    }

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
                    all_written(part.table, written, count)?;
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
    fn the_shape_is_as_wide_as_the_widest_table_and_no_wider() {
        for (kind, columns) in SHAPE {
            let of_kind = rows::tables().map(|table| {
                let columns = table.columns().filter(|column| column.kind == kind);
                columns.count()
            });
            assert_eq!(of_kind.into_iter().max(), Some(columns), "{kind:?}");
        }
    }

    #[test]
    fn every_column_of_every_table_has_a_place_of_its_own_kind() {
        let mut kinds = vec![None];
        for (kind, columns) in SHAPE {
            kinds.extend(std::iter::repeat_n(Some(kind), columns));
        }
        for table in rows::tables() {
            let places = places_of(table);
            let distinct: std::collections::BTreeSet<_> = places.iter().collect();
            assert_eq!(distinct.len(), places.len(), "{}", table.name);
            for (column, place) in table.columns().zip(places) {
                let kind = kinds.get(place).copied().flatten();
                assert_eq!(kind, Some(column.kind), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn values_are_numbered_on() {
        assert_eq!(
            renumbered("a = $1 AND b = ANY($12::int[])", 3),
            "a = $4 AND b = ANY($15::int[])"
        );
        assert_eq!(renumbered("a = $1", 0), "a = $1");
        assert_eq!(renumbered("SELECT 1", 7), "SELECT 1");
    }

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
