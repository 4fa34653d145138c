//! Filling PostgreSQL: one transaction of binary COPY.

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::sync::mpsc::Receiver;

use super::rows::{Chunk, TABLES, Table, Value};

/// How a binary COPY begins: signature, flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// How it ends.
const TRAILER: [u8; 2] = [0xff, 0xff];
/// An index in the order of hashes costs a page for every row that is added; built at the end it costs one sort.
const UNORDERED: &str = "cards";

/// A constraint or an index that is put aside while rows come.
struct Aside {
    drop: String,
    create: String,
}

/// Writes every chunk, or nothing. `empty`: there are no cards yet, so their indexes can wait.
///
/// # Errors
/// If the database refuses.
pub(super) async fn fill(
    url: &str,
    empty: bool,
    mut chunks: Receiver<Chunk>,
    mut wrote: impl FnMut(u64),
) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    let mut transaction = connection.begin().await?;
    let aside = match empty {
        true => indexes(&mut transaction, UNORDERED).await?,
        false => Vec::new(),
    };
    for index in &aside {
        run(&mut transaction, &index.drop).await?;
    }
    while let Some(chunk) = chunks.recv().await {
        for (table, values) in TABLES.iter().zip(&chunk.values) {
            copy(&mut transaction, table, values).await?;
        }
        wrote(chunk.members);
    }
    for index in aside.iter().rev() {
        run(&mut transaction, &index.create).await?;
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

/// Brings statistics and visibility to what they are in a database that has been used for a while.
///
/// # Errors
/// If the database refuses.
pub(super) async fn settle(url: &str) -> anyhow::Result<()> {
    let mut connection = connect(url).await?;
    for table in TABLES {
        run(&mut connection, &format!("VACUUM (ANALYZE) {}", table.name)).await?;
    }
    run(&mut connection, "CHECKPOINT").await.ok();
    Ok(connection.close().await?)
}

pub(super) async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let connection = PgConnection::connect(url).await;
    connection.context("cannot open the database")
}

async fn run(connection: &mut PgConnection, statement: &str) -> anyhow::Result<()> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    statement.execute(connection).await?;
    Ok(())
}

async fn copy(
    connection: &mut PgConnection,
    table: &Table,
    values: &[Value],
) -> anyhow::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let columns = table.columns.join(", ");
    let statement = format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", table.name);
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(encoded(table, values)?).await?;
    let rows = copy.finish().await?;
    let expected = values.len() / table.columns.len();
    ensure!(usize::try_from(rows) == Ok(expected), "{rows} rows came");
    Ok(())
}

fn encoded(table: &Table, values: &[Value]) -> anyhow::Result<Vec<u8>> {
    let width = i16::try_from(table.columns.len())?;
    let mut bytes = Vec::with_capacity(values.len() * 16);
    bytes.extend(HEADER);
    for row in values.chunks(table.columns.len()) {
        bytes.extend(width.to_be_bytes());
        for value in row {
            field(&mut bytes, value)?;
        }
    }
    bytes.extend(TRAILER);
    Ok(bytes)
}

fn field(bytes: &mut Vec<u8>, value: &Value) -> anyhow::Result<()> {
    let number;
    let field: &[u8] = match value {
        Value::Null => {
            bytes.extend((-1_i32).to_be_bytes());
            return Ok(());
        }
        Value::Id(id) => id.as_bytes(),
        Value::Int(int) => {
            number = int.to_be_bytes();
            &number
        }
        Value::Text(text) => text.as_bytes(),
        Value::Bytes(field) => field,
    };
    bytes.extend(i32::try_from(field.len())?.to_be_bytes());
    bytes.extend(field);
    Ok(())
}

/// Every constraint and index of a table, with what makes it again.
async fn indexes(connection: &mut PgConnection, table: &str) -> anyhow::Result<Vec<Aside>> {
    let constraints = "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS create
        FROM pg_constraint WHERE conrelid = to_regclass($1) AND contype IN ('p', 'u')";
    let others = "SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS create
        FROM pg_index WHERE indrelid = to_regclass($1)
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)";
    let mut aside = Vec::new();
    for query in [constraints, others] {
        let rows = sqlx::query(query)
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            aside.push(Aside {
                drop: row.try_get("drop")?,
                create: row.try_get("create")?,
            });
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_encoded_as_the_manual_says() {
        let table = Table {
            name: "t",
            columns: &["a", "b", "c"],
        };
        let values = [Value::Int(1), Value::Null, Value::Text("é".into())];
        let bytes = encoded(&table, &values).unwrap();
        let row = [
            &[0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1][..],
            &[0xff; 4],
            &[0, 0, 0, 2, 0xc3, 0xa9],
        ];
        assert_eq!(bytes, [HEADER, &row.concat(), &TRAILER].concat());
        assert_eq!(HEADER.len(), 19);
    }
}
