//! Every statement of this store, tried on a database: a slip in one shows before it is used.

use super::{
    Store, StoreError, batch, connection::Connection, diagnosis, ec_reads, events, figures, inbox,
    lease, load, person, read, reference, relay, rows, snapshot, sql::Sql, staff, together, write,
};

fn statements() -> Vec<Sql> {
    let mut all = vec![batch::lock_members(), super::programme::NEWEST];
    for table in rows::tables() {
        let own = table.statements();
        all.extend([own.insert, own.by_key, own.first_page, own.next_page]);
        if !table.is_append_only() {
            all.push(own.update);
        }
    }
    all.extend(load::statements());
    all.extend(write::statements());
    all.extend(together::statements());
    all.extend(read::statements());
    all.extend(person::statements());
    all.extend(reference::statements());
    all.extend(events::statements());
    all.extend(ec_reads::statements());
    all.extend(figures::statements());
    all.extend(staff::statements());
    all.extend(inbox::statements());
    all.extend(lease::statements());
    all.extend(relay::statements());
    all.extend(diagnosis::statements());
    all.extend(super::by_member::statements());
    all.extend(snapshot::statements());
    all
}

impl Store {
    /// Lets the database prepare every statement of the ledger; returns how many there are. Changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] with the first statement the database does not understand.
    pub async fn check_statements(&self) -> Result<usize, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let statements = statements();
        for sql in &statements {
            connection
                .prepare(*sql)
                .await
                .map_err(|error| match error {
                    StoreError::Rejected(text) => {
                        let sql = if connection.is_postgres() {
                            sql.postgres
                        } else {
                            sql.sqlite
                        };
                        StoreError::Rejected(format!("{text} in: {sql}"))
                    }
                    other => other,
                })?;
        }
        Ok(statements.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::store::{DatabaseUrl, PoolSizes, sql::sqlite_text};

    /// SQLite plans by guesses about sizes. What a batch runs has to go by key whatever it guesses: a
    /// statement that reads a whole table is right, and gets slower every day.
    #[tokio::test]
    async fn no_statement_of_a_batch_reads_a_whole_table_on_sqlite() {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("plans.db"));
        let store = Store::open(&url, PoolSizes::default()).await.unwrap();
        store.migrate().await.unwrap();
        let Store::Sqlite { write, .. } = &store else {
            panic!("opened as SQLite")
        };
        // As if every table had few rows when SQLite last counted.
        let small = "ANALYZE; DELETE FROM sqlite_stat1; \
            INSERT INTO sqlite_stat1 SELECT name, NULL, '200' FROM sqlite_schema WHERE type = 'table'; \
            ANALYZE sqlite_schema";
        sqlx::raw_sql(small).execute(write).await.unwrap();
        let names: BTreeSet<_> = rows::tables().iter().map(|table| table.name).collect();
        let mut of_a_batch = load::statements();
        for table in rows::tables() {
            let own = table.statements();
            of_a_batch.push(own.by_key);
            if !table.is_append_only() {
                of_a_batch.push(own.update);
            }
        }
        for sql in of_a_batch {
            for rows in (0..8).map(|power| 1 << power) {
                let text = sqlite_text(sql.sqlite, rows);
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                for step in sqlx::query(explain).fetch_all(write).await.unwrap() {
                    let step: String = step.try_get("detail").unwrap();
                    let scanned = step.strip_prefix("SCAN ").unwrap_or_default();
                    let scanned = scanned.split(' ').next().unwrap_or_default();
                    assert!(
                        !names.contains(scanned) && !step.contains("AUTOMATIC"),
                        "{step} in: {text}"
                    );
                }
            }
        }
    }
}
