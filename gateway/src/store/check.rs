//! Every statement of this store, tried on a database: a slip in one shows before it is used.

use super::{
    Store, StoreError, batch, connection::Connection, diagnosis, events, lease, load, read,
    reference, relay, rows, snapshot, sql::Sql, write,
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
    all.extend(read::statements());
    all.extend(reference::statements());
    all.extend(events::statements());
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
