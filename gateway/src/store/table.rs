//! Tables as data: from names and kinds of columns come the statements that every table needs, in
//! the words of both databases.

use std::sync::OnceLock;

use super::sql::{Kind, Sql};

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
}

/// A column of ids.
pub(crate) const fn uuid(name: &'static str) -> Column {
    let kind = Kind::Uuid;
    Column { name, kind }
}

/// A column of texts, words, dates or JSON.
pub(crate) const fn text(name: &'static str) -> Column {
    let kind = Kind::Text;
    Column { name, kind }
}

/// A column of numbers, amounts, times or card ids.
pub(crate) const fn int(name: &'static str) -> Column {
    let kind = Kind::Int;
    Column { name, kind }
}

/// A column of hashes or keys.
pub(crate) const fn bytes(name: &'static str) -> Column {
    let kind = Kind::Bytes;
    Column { name, kind }
}

/// A column of yes or no.
pub(crate) const fn bool(name: &'static str) -> Column {
    let kind = Kind::Bool;
    Column { name, kind }
}

/// A table. Its rows are written and read in the order key, fixed, changing.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    key: &'static [Column],
    fixed: &'static [Column],
    changing: &'static [Column],
    statements: OnceLock<Statements>,
}

/// What every table is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statements {
    /// Writes new rows; takes every column.
    pub(crate) insert: Sql,
    /// Changes rows; takes the key and the changing columns.
    pub(crate) update: Sql,
    /// Reads the rows with the given keys; takes the key.
    pub(crate) by_key: Sql,
    /// Reads the first rows in order of the key; takes their number.
    pub(crate) first_page: Sql,
    /// Reads the rows after a key; takes the key and their number.
    pub(crate) next_page: Sql,
}

impl Table {
    /// A table with these columns: what names a row, what never changes, what does.
    pub(crate) const fn new(
        name: &'static str,
        key: &'static [Column],
        fixed: &'static [Column],
        changing: &'static [Column],
    ) -> Self {
        Self {
            name,
            key,
            fixed,
            changing,
            statements: OnceLock::new(),
        }
    }

    /// Every column, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.key.iter().chain(self.fixed).chain(self.changing)
    }

    /// Every column with whether an update takes it.
    pub(crate) fn updated(&self) -> impl Iterator<Item = (&'static Column, bool)> + use<> {
        let (key, fixed, changing) = (self.key, self.fixed, self.changing);
        let taken = key.iter().map(|column| (column, true));
        taken
            .chain(fixed.iter().map(|column| (column, false)))
            .chain(changing.iter().map(|column| (column, true)))
    }

    /// How many columns the key has.
    pub(crate) fn key_columns(&self) -> usize {
        self.key.len()
    }

    /// `SELECT` every column of the rows that `postgres` or `sqlite` describes.
    pub(crate) fn select(&self, postgres: &str, sqlite: &str) -> Sql {
        let select = format!("SELECT {} FROM {}", names(self.columns()), self.name);
        Sql::assembled(format!("{select} {postgres}"), format!("{select} {sqlite}"))
    }

    /// The statements every table has.
    pub(crate) fn statements(&self) -> &Statements {
        self.statements.get_or_init(|| self.assemble())
    }

    fn assemble(&self) -> Statements {
        let key = names(self.key.iter());
        let limit = self.key.len() + 1;
        let next_page = format!(
            "WHERE ({key}) > ({}) ORDER BY {key} LIMIT ${limit}",
            places(1, self.key.len())
        );
        let first_page = format!("ORDER BY {key} LIMIT $1");
        Statements {
            insert: self.insert(),
            update: self.update(),
            by_key: self.by_key(&key),
            first_page: self.select(&first_page, &first_page),
            next_page: self.select(&next_page, &next_page),
        }
    }

    /// `SELECT` every column of the rows that `postgres` describes; for SQLite, that fit `on` with one of
    /// the rows that are asked for, each of so many columns. A join, and in this order, so that rows are
    /// found by their index whatever SQLite thinks of the table's size.
    pub(crate) fn select_asked(&self, postgres: &str, columns: usize, on: &str) -> Sql {
        let select = format!("SELECT {} FROM", names(self.columns()));
        let (name, asked) = (self.name, listed(columns));
        Sql::assembled(
            format!("{select} {name} {postgres}"),
            format!("{select} (VALUES {asked}) AS asked CROSS JOIN {name} ON {on}"),
        )
    }

    fn by_key(&self, key: &str) -> Sql {
        if let [one] = self.key {
            return self.select(
                &format!("WHERE {} = ANY($1)", one.name),
                &format!("WHERE {} IN (VALUES {})", one.name, listed(1)),
            );
        }
        let asked = self.key.iter().enumerate();
        let same: Vec<_> = asked
            .map(|(at, column)| format!("{} = asked.column{}", column.name, at + 1))
            .collect();
        self.select_asked(
            &format!("WHERE ({key}) IN (SELECT {})", unnested(self.key.iter())),
            self.key.len(),
            &same.join(" AND "),
        )
    }

    fn insert(&self) -> Sql {
        let into = format!("INSERT INTO {} ({})", self.name, names(self.columns()));
        Sql::assembled(
            format!("{into} SELECT {}", unnested(self.columns())),
            format!(
                "{into} SELECT * FROM (VALUES {}) WHERE column1 IS NOT NULL",
                listed(self.columns().count())
            ),
        )
    }

    fn update(&self) -> Sql {
        let sent = || self.key.iter().chain(self.changing);
        let set: Vec<_> = self
            .changing
            .iter()
            .map(|column| format!("{0} = sent.{0}", column.name))
            .collect();
        let same = |sent: &str| {
            let keys = self.key.iter();
            let same = keys.map(|column| format!("{}.{1} = {sent}.{1}", self.name, column.name));
            same.collect::<Vec<_>>().join(" AND ")
        };
        let renamed: Vec<_> = sent()
            .enumerate()
            .map(|(at, column)| format!("column{} AS {}", at + 1, column.name))
            .collect();
        let update = |sent: String, same: String| {
            let set = set.join(", ");
            format!("UPDATE {} SET {set} FROM {sent} WHERE {same}", self.name)
        };
        Sql::assembled(
            update(
                format!("(SELECT {}) AS sent", unnested(sent())),
                same("sent"),
            ),
            // The plus keeps SQLite from reading the whole table and looking each row up among those sent.
            update(
                format!(
                    "(SELECT {} FROM (VALUES {})) AS sent",
                    renamed.join(", "),
                    listed(renamed.len())
                ),
                same("+sent"),
            ),
        )
    }

    /// `DELETE` the rows with the given keys, of one column.
    pub(crate) fn delete(&self) -> Sql {
        let key = names(self.key.iter());
        let delete = format!("DELETE FROM {} WHERE {key}", self.name);
        Sql::assembled(
            format!("{delete} = ANY($1)"),
            format!("{delete} IN (VALUES {})", listed(1)),
        )
    }

    /// The first `taken` columns of every row that has a member, in order of the member, one page
    /// after the other. `open` is run once in a transaction; then `next` gives page after page. No
    /// index serves this order, so the database sorts, on its disk if need be: PostgreSQL behind a
    /// cursor, SQLite into a temporary table of keys, whose `rowid` is the place ($1, then $2 rows).
    pub(crate) fn by_member(&self, taken: usize, page_rows: u32) -> (Sql, Sql) {
        let Self { name, key, .. } = self;
        let columns: Vec<_> = self.columns().take(taken).collect();
        let order: Vec<_> = std::iter::once("member_id")
            .chain(key.iter().map(|column| column.name))
            .collect();
        let rows = format!(
            "FROM {name} WHERE member_id IS NOT NULL ORDER BY {}",
            order.join(", ")
        );
        let open = Sql::assembled(
            format!(
                "DECLARE {name}_by_member NO SCROLL CURSOR FOR SELECT {} {rows}",
                names(columns.iter().copied())
            ),
            format!(
                "CREATE TEMP TABLE {name}_by_member AS SELECT {} {rows}",
                names(key.iter())
            ),
        );
        let of_row = |column: &&Column| format!("row.{}", column.name);
        let same: Vec<_> = key
            .iter()
            .map(|column| format!("row.{0} = place.{0}", column.name))
            .collect();
        let next = Sql::assembled(
            format!("FETCH FORWARD {page_rows} FROM {name}_by_member"),
            format!(
                "SELECT {} FROM temp.{name}_by_member AS place CROSS JOIN {name} AS row ON {} \
                 WHERE place.rowid > $1 ORDER BY place.rowid LIMIT $2",
                columns.iter().map(of_row).collect::<Vec<_>>().join(", "),
                same.join(" AND ")
            ),
        );
        (open, next)
    }

    /// Whether rows ever change; those that do not have no usable update statement.
    pub(crate) fn is_append_only(&self) -> bool {
        self.changing.is_empty()
    }
}

fn names<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let names: Vec<_> = columns.map(|column| column.name).collect();
    names.join(", ")
}

/// `$from, …`, `count` places.
fn places(from: usize, count: usize) -> String {
    let places: Vec<_> = (from..from + count).map(|at| format!("${at}")).collect();
    places.join(", ")
}

/// `unnest($1::uuid[]) AS member_id, unnest($2::text[]) AS rank, …`: row by row the values of all arrays,
/// which PostgreSQL does not gather in a table first, as it would for a function in `FROM`.
fn unnested<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let unnest = |(at, column): (usize, &Column)| {
        let array = column.kind.postgres_array();
        format!("unnest(${}::{array}) AS {}", at + 1, column.name)
    };
    let columns: Vec<_> = columns.enumerate().map(unnest).collect();
    columns.join(", ")
}

/// The places of a row, to be repeated for each row.
fn listed(columns: usize) -> String {
    format!("{{({})}}", vec!["?"; columns].join(", "))
}
