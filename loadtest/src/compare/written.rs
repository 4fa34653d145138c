//! The rows that one approved authorization writes, found by looking: all rows before and after one, so
//! that whatever the gateway is compared with writes the same.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};

use super::database::{Databases, Which};

/// Between two columns of a row that was read as one text.
const SEPARATOR: char = '\u{1f}';
/// Tables an authorization changes rows of, and nothing else.
const CHANGED: [&str; 2] = ["lots", "members"];

/// What differs from one authorization to the next. All else of the rows is taken as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// The card that was shown.
    Card,
    /// The second in which its text was signed.
    Issued,
    /// The card's member.
    Member,
    /// The member's lot.
    Lot,
    /// The member's next event.
    Sequence,
    /// The till.
    Terminal,
    /// The till's request, and the basket named after it.
    Request,
    /// The id of whatever is made; rises with time.
    Id,
    /// The time.
    At,
}

impl Value {
    /// What stands in a column of that name, in whichever table; none for what stays the same.
    fn of_column(column: &str) -> Option<Self> {
        Some(match column {
            "card_id" => Self::Card,
            "issued_at" => Self::Issued,
            "member_id" => Self::Member,
            "lot_id" => Self::Lot,
            "member_sequence" => Self::Sequence,
            "terminal_id" => Self::Terminal,
            "request_id" | "basket_id" => Self::Request,
            "authorization_id" | "transfer_id" | "event_id" | "effect" | "source" => Self::Id,
            "at" | "held_at" | "bound_at" | "expires_at" => Self::At,
            _ => return None,
        })
    }
}

/// A row that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its table.
    pub table: String,
    /// Columns that differ each time.
    pub values: Vec<(String, Value)>,
    /// Columns that stay the same, as SQL literals.
    pub constants: Vec<(String, String)>,
}

/// All that one authorization writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows it makes, one of each table.
    pub made: Vec<Made>,
    /// `SET …` of the member's row.
    pub member: String,
    /// `SET …` of the lot's row.
    pub lot: String,
}

impl Written {
    /// What was written between two looks.
    ///
    /// # Errors
    /// If that is not what an authorization writes.
    pub fn between(before: &Rows, after: &Rows) -> anyhow::Result<Self> {
        let (mut made, mut changed) = (Vec::new(), BTreeMap::new());
        for (table, (columns, then)) in &before.tables {
            let (_, now) = after.tables.get(table).context("a table is gone")?;
            let new: Vec<&Row> = now.difference(then).collect();
            let gone: Vec<&Row> = then.difference(now).collect();
            match (new.as_slice(), gone.as_slice()) {
                ([], []) => {}
                ([new], []) => made.push(row_made(table, columns, new)),
                ([new], [old]) => {
                    changed.insert(table.as_str(), changes(columns, old, new));
                }
                _ => bail!(
                    "one authorization made {} rows of {table} and {} went",
                    new.len(),
                    gone.len()
                ),
            }
        }
        ensure!(
            changed.keys().eq(CHANGED.iter()) && !made.is_empty(),
            "one authorization changed {:?} and not just one of each of {CHANGED:?}",
            changed.keys()
        );
        let mut set = |table: &str| changed.remove(table).unwrap_or_default();
        Ok(Self {
            lot: set("lots"),
            member: set("members"),
            made,
        })
    }
}

fn row_made(table: &str, columns: &[String], row: &Row) -> Made {
    let (mut values, mut constants) = (Vec::new(), Vec::new());
    for (column, literal) in columns.iter().zip(row) {
        match Value::of_column(column).filter(|_| literal != "NULL") {
            Some(value) => values.push((column.clone(), value)),
            None => constants.push((column.clone(), literal.clone())),
        }
    }
    Made {
        table: table.to_owned(),
        values,
        constants,
    }
}

/// Numbers change by what they changed by, texts to what they changed to.
fn changes(columns: &[String], old: &Row, new: &Row) -> String {
    let number = |literal: &str| literal.trim_matches('\'').parse::<i64>().ok();
    let mut set = Vec::new();
    for ((column, old), new) in columns.iter().zip(old).zip(new) {
        match (number(old), number(new)) {
            _ if old == new => {}
            (Some(old), Some(new)) => set.push(format!("{column} = {column} + ({})", new - old)),
            _ => set.push(format!("{column} = {new}")),
        }
    }
    set.join(", ")
}

/// A row: each column as an SQL literal.
type Row = Vec<String>;

/// All rows of all tables.
#[derive(Debug, Default)]
pub struct Rows {
    tables: BTreeMap<String, (Vec<String>, BTreeSet<Row>)>,
}

impl Rows {
    /// Reads them.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn read(databases: &Databases, which: Which) -> anyhow::Result<Self> {
        let columns = match databases.is_postgres() {
            true => COLUMNS_POSTGRES,
            false => COLUMNS_SQLITE,
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for named in databases.texts(which, columns).await? {
            let (table, column) = named.split_once(SEPARATOR).context("a column")?;
            let columns = tables.entry(table.to_owned()).or_default();
            columns.push(column.to_owned());
        }
        let mut rows = Self::default();
        for (table, columns) in tables {
            let quote = |column: &String| match databases.is_postgres() {
                true => format!("quote_nullable({column}::text)"),
                false => format!("quote({column})"),
            };
            let quoted: Vec<String> = columns.iter().map(quote).collect();
            let (join, table_rows) = match databases.is_postgres() {
                true => (" || chr(31) || ", "public."),
                false => (" || char(31) || ", ""),
            };
            let query = format!("SELECT {} FROM {table_rows}{table}", quoted.join(join));
            let texts = databases.texts(which, &query).await?;
            let split = |text: String| text.split(SEPARATOR).map(str::to_owned).collect();
            let found = texts.into_iter().map(split).collect();
            rows.tables.insert(table, (columns, found));
        }
        Ok(rows)
    }
}

/// Columns that a row is written with: the database makes the others.
const COLUMNS_POSTGRES: &str = "\
SELECT columns.table_name || chr(31) || column_name
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
    AND is_generated = 'NEVER' AND is_identity = 'NO'
ORDER BY columns.table_name, ordinal_position";
const COLUMNS_SQLITE: &str = "\
SELECT sqlite_schema.name || char(31) || columns.name
FROM sqlite_schema, pragma_table_xinfo(sqlite_schema.name) AS columns
WHERE sqlite_schema.type = 'table' AND sqlite_schema.name NOT LIKE 'sqlite%'
    AND columns.hidden = 0 AND NOT (columns.pk = 1 AND columns.name = 'position')
ORDER BY sqlite_schema.name, columns.cid";

#[cfg(test)]
mod tests {
    use super::*;

    type TableOf<'a> = (&'a str, &'a [&'a str], &'a [&'a [&'a str]]);

    fn rows(tables: &[TableOf<'_>]) -> Rows {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let tables = tables.iter().map(|(table, columns, rows)| {
            let rows = rows.iter().map(|row| owned(row)).collect();
            ((*table).to_owned(), (owned(columns), rows))
        });
        Rows {
            tables: tables.collect(),
        }
    }

    const MEMBERS: (&str, &[&str]) = ("members", &["member_id", "available", "last_activity_on"]);
    const LOTS: (&str, &[&str]) = ("lots", &["lot_id", "held"]);
    const USES: (&str, &[&str]) = ("card_uses", &["card_id", "spend", "purchase_id"]);

    #[test]
    fn rows_are_made_with_new_values_and_changed_by_what_they_changed_by() {
        let before = rows(&[
            (USES.0, USES.1, &[]),
            (LOTS.0, LOTS.1, &[&["'l'", "'3'"]]),
            (
                MEMBERS.0,
                MEMBERS.1,
                &[&["'a'", "'9'", "'1'"], &["'m'", "'100'", "NULL"]],
            ),
        ]);
        let after = rows(&[
            (USES.0, USES.1, &[&["'7'", "'unlimited'", "NULL"]]),
            (LOTS.0, LOTS.1, &[&["'l'", "'4'"]]),
            (
                MEMBERS.0,
                MEMBERS.1,
                &[&["'a'", "'9'", "'1'"], &["'m'", "'99'", "'2026-01-02'"]],
            ),
        ]);
        let written = Written::between(&before, &after).unwrap();
        assert_eq!(
            written.member,
            "available = available + (-1), last_activity_on = '2026-01-02'"
        );
        assert_eq!(written.lot, "held = held + (1)");
        let [made] = written.made.as_slice() else {
            panic!("{written:?}");
        };
        assert_eq!(made.values, [("card_id".to_owned(), Value::Card)]);
        let constants = [("spend", "'unlimited'"), ("purchase_id", "NULL")];
        let constants = constants.map(|(name, literal)| (name.to_owned(), literal.to_owned()));
        assert_eq!(made.constants, constants);
    }

    #[test]
    fn anything_else_than_an_authorization_is_refused() {
        let nothing = rows(&[(MEMBERS.0, MEMBERS.1, &[]), (LOTS.0, LOTS.1, &[])]);
        assert!(Written::between(&nothing, &nothing).is_err());
        let two = rows(&[
            (
                MEMBERS.0,
                MEMBERS.1,
                &[&["'a'", "'1'", "NULL"], &["'b'", "'1'", "NULL"]],
            ),
            (LOTS.0, LOTS.1, &[]),
        ]);
        let error = Written::between(&nothing, &two).unwrap_err().to_string();
        assert!(error.contains("2 rows of members"), "{error}");
    }
}
