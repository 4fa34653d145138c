//! Filling SQLite: one transaction of prepared inserts, many rows each.

use std::{collections::BTreeMap, str::FromStr};

use anyhow::Context;
use sqlx::{
    AssertSqlSafe, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use tokio::sync::mpsc::Receiver;

use super::rows::{Chunk, TABLES, Table, Value};

/// Values of one statement; SQLite takes 32,766.
const VALUES_MAX: usize = 4_000;
/// Memory for pages, in KiB: cards come in no order, and a page that is read again for each costs most.
const CACHE_KIB: i64 = 262_144;

/// Writes every chunk, or nothing.
///
/// # Errors
/// If the database refuses.
pub(super) async fn fill(
    url: &str,
    mut chunks: Receiver<Chunk>,
    mut wrote: impl FnMut(u64),
) -> anyhow::Result<()> {
    // A write-ahead log would hold all of it before any of it reached its place.
    let mut connection = connect(url, SqliteJournalMode::Delete).await?;
    let mut transaction = connection.begin().await?;
    let mut statements = BTreeMap::new();
    while let Some(mut chunk) = chunks.recv().await {
        for (table, values) in TABLES.iter().zip(&mut chunk.values) {
            insert(&mut transaction, &mut statements, table, values).await?;
        }
        wrote(chunk.members);
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

/// Brings statistics to what they are in a database that has been used for a while.
///
/// # Errors
/// If the database refuses.
pub(super) async fn settle(url: &str) -> anyhow::Result<()> {
    let mut connection = connect(url, SqliteJournalMode::Wal).await?;
    sqlx::raw_sql("ANALYZE").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

pub(super) async fn connect(
    url: &str,
    journal: SqliteJournalMode,
) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::from_str(url)?
        .journal_mode(journal)
        .pragma("cache_size", format!("-{CACHE_KIB}"));
    let connection = SqliteConnection::connect_with(&options).await;
    connection.context("cannot open the database; does a gateway use it?")
}

async fn insert(
    connection: &mut SqliteConnection,
    statements: &mut BTreeMap<(&'static str, usize), String>,
    table: &Table,
    values: &mut Vec<Value>,
) -> anyhow::Result<()> {
    let width = table.columns.len();
    let share = VALUES_MAX / width * width;
    let mut values = std::mem::take(values).into_iter();
    while values.len() > 0 {
        let some = values.len().min(share);
        let statement = statements
            .entry((table.name, some))
            .or_insert_with(|| statement(table, some / width));
        let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
        for value in values.by_ref().take(some) {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Id(id) => query.bind(id),
                Value::Int(int) => query.bind(int),
                Value::Text(text) => query.bind(text.into_owned()),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn statement(table: &Table, rows: usize) -> String {
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let (name, columns) = (table.name, table.columns.join(", "));
    format!(
        "INSERT INTO {name} ({columns}) VALUES {}",
        vec![row; rows].join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_place_for_every_value() {
        let table = Table {
            name: "t",
            columns: &["a", "b"],
        };
        assert_eq!(
            statement(&table, 2),
            "INSERT INTO t (a, b) VALUES (?, ?), (?, ?)"
        );
    }
}
