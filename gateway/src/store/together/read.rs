//! What is read of several tables in one round trip.

use std::fmt::Write as _;

use sqlx::{
    AssertSqlSafe, Row as _,
    postgres::{PgArguments, PgRow},
    sqlite::SqliteRow,
};

use super::{
    super::{
        StoreError,
        connection::{Connection, Handle},
        row::{FromRow, Reader, Row},
        sql::{self, Cells, Kind, Sql},
        table::Table,
    },
    packed, renumbered,
};

/// Rows to read, of one or more tables.
#[derive(Debug, Default)]
pub(crate) struct Reads<'a>(Vec<Read<'a>>);

#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) table: &'static Table,
    pub(super) sql: Sql,
    pub(super) keys: Vec<Cells<'a>>,
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
    Postgres(PgRow, Shape),
    Sqlite(SqliteRow),
}

impl Found {
    /// All records of one kind, in no order.
    pub(crate) fn records<R: Row + FromRow>(&self) -> Result<Vec<R>, StoreError> {
        let of_table = |found: &&(&'static Table, _)| std::ptr::eq(found.0, R::table());
        let mut known: Option<(Shape, Vec<usize>)> = None;
        let records = self
            .0
            .iter()
            .filter(of_table)
            .map(|(table, row)| match row {
                FoundRow::Postgres(row, shape) => {
                    // Almost always all rows come from one statement.
                    let (_, places) = match known.take().filter(|known| known.0 == *shape) {
                        Some(same) => known.insert(same),
                        None => known.insert((*shape, shape.places_of(table))),
                    };
                    R::read(&mut Reader::at_places(row, places))
                }
                FoundRow::Sqlite(row) => R::read(&mut Reader::new(row)),
            });
        records.collect()
    }
}

/// The kinds of columns, in the order in which a shape has them.
const KINDS: [Kind; 5] = [Kind::Uuid, Kind::Text, Kind::Int, Kind::Bytes, Kind::Bool];

/// How the rows of several tables fit into one result: first the number of the part, then so many columns
/// of each kind as the widest of these tables needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shape([usize; KINDS.len()]);

impl Shape {
    fn of(tables: impl Iterator<Item = &'static Table>) -> Self {
        let mut shape = Self::default();
        for table in tables {
            for (widest, kind) in shape.0.iter_mut().zip(KINDS) {
                let of_kind = table.columns().filter(|column| column.kind == kind);
                *widest = (*widest).max(of_kind.count());
            }
        }
        shape
    }

    /// The kind of each column after the number of the part.
    fn kinds(self) -> impl Iterator<Item = Kind> {
        let kinds = KINDS.into_iter().zip(self.0);
        kinds.flat_map(|(kind, columns)| std::iter::repeat_n(kind, columns))
    }

    /// Where in the result the columns of a table are.
    fn places_of(self, table: &Table) -> Vec<usize> {
        let mut next = [1; KINDS.len()];
        let mut from = 1;
        for (next, columns) in next.iter_mut().zip(self.0) {
            *next = from;
            from += columns;
        }
        let place = |kind: Kind| {
            let of_kind = next.iter_mut().zip(KINDS).find(|(_, other)| *other == kind);
            of_kind.map_or(0, |(next, _)| std::mem::replace(next, *next + 1))
        };
        let columns = table.columns();
        columns.map(|column| column.kind).map(place).collect()
    }
}

/// `SELECT` every part's rows in the shape that fits them all.
pub(super) fn union_of(parts: &[&Read<'_>]) -> (String, Shape) {
    let shape = Shape::of(parts.iter().map(|part| part.table));
    let mut text = String::new();
    let mut values = 0;
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            text.push_str(" UNION ALL ");
        }
        let _ = write!(text, "SELECT {number}");
        let names: Vec<_> = part.table.columns().map(|column| column.name).collect();
        let places = shape.places_of(part.table);
        for (place, kind) in (1..).zip(shape.kinds()) {
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
        let select = renumbered(part.sql.postgres, values);
        let _ = write!(text, " FROM ({select}) AS part{number}");
        values += part.keys.len();
    }
    (text, shape)
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
                    let (text, shape) = union_of(&parts);
                    let text = AssertSqlSafe(text);
                    let rows = sqlx::query_with(text, keys).fetch_all(&mut **connection);
                    for row in self.patience.wait(rows).await? {
                        let number: i32 = row.try_get(0).map_err(StoreError::from_sqlx)?;
                        let part = usize::try_from(number).ok().and_then(|at| parts.get(at));
                        let part = part.ok_or_else(|| {
                            StoreError::Corrupt(format!(
                                "a row of part {number}, which nobody asked for"
                            ))
                        })?;
                        found.push((part.table, FoundRow::Postgres(row, shape)));
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
}

#[cfg(test)]
mod tests {
    use super::{super::super::rows, *};

    #[test]
    fn a_shape_has_a_place_of_its_own_kind_for_every_column_and_none_to_spare() {
        for first in rows::tables() {
            for second in rows::tables() {
                let shape = Shape::of([first, second].into_iter());
                let kinds: Vec<_> = shape.kinds().collect();
                let mut taken = std::collections::BTreeSet::new();
                for table in [first, second] {
                    let places = shape.places_of(table);
                    let distinct: std::collections::BTreeSet<_> = places.iter().collect();
                    assert_eq!(distinct.len(), places.len(), "{}", table.name);
                    for (column, place) in table.columns().zip(&places) {
                        let kind = kinds.get(place - 1).copied();
                        assert_eq!(kind, Some(column.kind), "{}.{}", table.name, column.name);
                    }
                    taken.extend(places);
                }
                assert_eq!(taken.len(), kinds.len(), "{} {}", first.name, second.name);
            }
        }
    }
}
