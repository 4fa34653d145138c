//! One connection, and the transaction on it.
//!
//! Invariant: no connection goes back to its pool with a transaction open. The driver would return
//! one whose `BEGIN`, statement or `COMMIT` was cancelled half-way; here a connection whose
//! transaction was not seen to end, or whose last answer nobody waited for, is closed, and the database
//! rolls back. Pinging it instead, as the driver would, can take as long as TCP is patient.
//!
//! A database that froze answers nothing, not even that its own time limits have passed. Who waits
//! for a short read is told within [`limits::DATABASE_READ_TIMEOUT_MS`], by the gateway's own clock.

use std::time::Duration;

use sqlx::{
    Postgres, Sqlite,
    pool::PoolConnection,
    postgres::{PgArguments, PgDatabaseError, PgSeverity},
};
use tokio::time::Instant;

use super::{
    Store, StoreError,
    row::{FromRow, Reader, Source},
    sql::{self, Cells, Sql, Value},
};
use crate::{clock, limits};

#[derive(Debug)]
pub(super) enum Handle {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// How long answers of the database are waited for.
#[derive(Debug)]
pub(super) struct Patience {
    /// None: as long as the database's own limits let a statement run.
    until: Option<Instant>,
    ran_out: bool,
    /// An answer is awaited. Still so in a drop: whoever awaited it went away.
    waiting: bool,
}

impl Patience {
    const fn endless() -> Self {
        Self {
            until: None,
            ran_out: false,
            waiting: false,
        }
    }

    fn brief() -> Self {
        let limit = Duration::from_millis(limits::DATABASE_READ_TIMEOUT_MS);
        Self {
            until: Some(Instant::from_std(clock::instant()) + limit),
            ran_out: false,
            waiting: false,
        }
    }

    /// Waits for the answer to one statement.
    pub(super) async fn wait<T>(
        &mut self,
        statement: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        self.waiting = true;
        let answer = match self.until {
            None => statement.await,
            Some(until) => match tokio::time::timeout_at(until, statement).await {
                Ok(answer) => answer,
                Err(_) => {
                    self.ran_out = true;
                    return Err(StoreError::Unavailable(format!(
                        "no answer within {} ms",
                        limits::DATABASE_READ_TIMEOUT_MS
                    )));
                }
            },
        };
        self.waiting = false;
        answer.map_err(StoreError::from_sqlx)
    }
}

/// A connection taken from a pool.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) handle: Handle,
    pub(super) patience: Patience,
    /// Bytes of rows in one statement.
    pub(super) statement_bytes_max: usize,
    /// A transaction was begun and not seen to end.
    open: bool,
    /// No statement of the transaction failed, was cancelled, or missed a row.
    pub(super) sound: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.open || self.patience.ran_out || self.patience.waiting {
            match &mut self.handle {
                Handle::Postgres(connection) => connection.close_on_drop(),
                Handle::Sqlite(connection) => connection.close_on_drop(),
            }
        }
    }
}

impl Connection {
    /// A connection for the writer.
    pub(crate) async fn writing(store: &Store) -> Result<Self, StoreError> {
        let handle = match store {
            Store::Postgres { write, .. } => write.acquire().await.map(Handle::Postgres),
            Store::Sqlite { write, .. } => write.acquire().await.map(Handle::Sqlite),
        };
        let handle = handle.map_err(StoreError::from_sqlx)?;
        Ok(Self::new(store, handle, Patience::endless()))
    }

    /// A connection for what the relay writes: on PostgreSQL its own, on SQLite the writer's.
    pub(crate) async fn relaying(store: &Store) -> Result<Self, StoreError> {
        match store {
            Store::Postgres { relay, .. } => {
                let handle = relay.acquire().await.map(Handle::Postgres);
                let handle = handle.map_err(StoreError::from_sqlx)?;
                Ok(Self::new(store, handle, Patience::endless()))
            }
            Store::Sqlite { .. } => Self::writing(store).await,
        }
    }

    /// A connection for what the relay reads: on PostgreSQL its own, on SQLite one that tills do not
    /// wait for.
    pub(crate) async fn relay_reading(store: &Store) -> Result<Self, StoreError> {
        match store {
            Store::Postgres { .. } => Self::relaying(store).await,
            Store::Sqlite { .. } => Self::reading(store).await,
        }
    }

    /// A connection for reads that may take their time: jobs, exports, the audit.
    pub(crate) async fn reading(store: &Store) -> Result<Self, StoreError> {
        Self::to_read(store, Patience::endless()).await
    }

    /// A connection for a few short reads that somebody waits for. After
    /// [`limits::DATABASE_READ_TIMEOUT_MS`] from now they fail with [`StoreError::Unavailable`].
    pub(crate) async fn brief(store: &Store) -> Result<Self, StoreError> {
        Self::to_read(store, Patience::brief()).await
    }

    async fn to_read(store: &Store, mut patience: Patience) -> Result<Self, StoreError> {
        let handle = match store {
            Store::Postgres { read, .. } => Handle::Postgres(patience.wait(read.acquire()).await?),
            Store::Sqlite { read, .. } => Handle::Sqlite(patience.wait(read.acquire()).await?),
        };
        Ok(Self::new(store, handle, patience))
    }

    fn new(store: &Store, handle: Handle, patience: Patience) -> Self {
        let statement_bytes_max = match store {
            Store::Postgres {
                statement_bytes_max,
                ..
            } => *statement_bytes_max,
            Store::Sqlite { .. } => usize::MAX,
        };
        Self {
            handle,
            patience,
            statement_bytes_max,
            open: false,
            sound: true,
        }
    }

    /// Whether statements over many rows take arrays, and rows have to be locked one by one.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.handle, Handle::Postgres(_))
    }

    /// Begins a transaction with a text without parameters; may hold a query after the `BEGIN`,
    /// whose rows are returned. One round trip.
    pub(crate) async fn begin<T: FromRow>(&mut self, begin: Sql) -> Result<Vec<T>, StoreError> {
        self.open = true;
        self.sound = false;
        let rows = match &mut self.handle {
            Handle::Postgres(connection) => {
                let rows = sqlx::raw_sql(begin.postgres).fetch_all(&mut **connection);
                read_all(self.patience.wait(rows).await?)?
            }
            Handle::Sqlite(connection) => {
                let rows = sqlx::raw_sql(begin.sqlite).fetch_all(&mut **connection);
                read_all(self.patience.wait(rows).await?)?
            }
        };
        self.sound = true;
        Ok(rows)
    }

    /// Commits. After an error the connection is good for nothing.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        // PostgreSQL answers COMMIT of a failed transaction with a rollback and no error.
        if !self.sound {
            return Err(StoreError::Rejected(
                "a statement of the transaction failed; nothing was written".into(),
            ));
        }
        self.end("COMMIT").await.map_err(commit_error)
    }

    /// Rolls back.
    pub(crate) async fn rollback(&mut self) -> Result<(), StoreError> {
        let mut patience = std::mem::replace(&mut self.patience, Patience::endless());
        let ended = patience.wait(self.end("ROLLBACK")).await;
        self.patience = patience;
        ended
    }

    async fn end(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        match &mut self.handle {
            Handle::Postgres(connection) => {
                sqlx::raw_sql(text).execute(&mut **connection).await?;
            }
            Handle::Sqlite(connection) => {
                sqlx::raw_sql(text).execute(&mut **connection).await?;
            }
        }
        self.open = false;
        Ok(())
    }

    /// The rows of one statement.
    pub(crate) async fn fetch<T: FromRow>(
        &mut self,
        sql: Sql,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        self.sound = false;
        let rows = match &mut self.handle {
            Handle::Postgres(connection) => {
                let arguments = sql::postgres_values(values)?;
                let rows = sqlx::query_with(sql.postgres, arguments).fetch_all(&mut **connection);
                read_all(self.patience.wait(rows).await?)?
            }
            Handle::Sqlite(connection) => {
                let arguments = sql::sqlite_values(values)?;
                let rows = sqlx::query_with(sql.sqlite, arguments).fetch_all(&mut **connection);
                read_all(self.patience.wait(rows).await?)?
            }
        };
        self.sound = true;
        Ok(rows)
    }

    /// The rows for many keys; none without keys.
    pub(crate) async fn fetch_each<T: FromRow>(
        &mut self,
        sql: Sql,
        columns: &[Cells<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let count = sql::row_count(columns);
        if count == 0 {
            return Ok(Vec::new());
        }
        self.sound = false;
        let mut found = Vec::with_capacity(count);
        match &mut self.handle {
            Handle::Postgres(connection) => {
                let mut arguments = PgArguments::default();
                sql::add_arrays(&mut arguments, columns, 0..count)?;
                let rows = sqlx::query_with(sql.postgres, arguments).fetch_all(&mut **connection);
                found = read_all(self.patience.wait(rows).await?)?;
            }
            Handle::Sqlite(connection) => {
                for piece in sql::sqlite_pieces(sql.sqlite, count) {
                    let arguments = piece.values(columns)?;
                    let rows = sqlx::query_with(piece.text, arguments).fetch_all(&mut **connection);
                    found.extend(read_all(self.patience.wait(rows).await?)?);
                }
            }
        }
        self.sound = true;
        Ok(found)
    }

    /// Runs a statement over many rows that gives none back, in pieces that leave in one go.
    pub(crate) async fn run_each(
        &mut self,
        sql: Sql,
        columns: &[Cells<'_>],
    ) -> Result<u64, StoreError> {
        self.sound = false;
        let mut touched = 0_u64;
        match &mut self.handle {
            Handle::Postgres(connection) => {
                for (piece, _) in sql::postgres_pieces(columns, self.statement_bytes_max) {
                    let mut arguments = PgArguments::default();
                    sql::add_arrays(&mut arguments, columns, piece)?;
                    let run = sqlx::query_with(sql.postgres, arguments).execute(&mut **connection);
                    let run = self.patience.wait(run).await?;
                    touched = touched.saturating_add(run.rows_affected());
                }
            }
            Handle::Sqlite(connection) => {
                for piece in sql::sqlite_pieces(sql.sqlite, sql::row_count(columns)) {
                    let arguments = piece.values(columns)?;
                    let run = sqlx::query_with(piece.text, arguments).execute(&mut **connection);
                    let run = self.patience.wait(run).await?;
                    touched = touched.saturating_add(run.rows_affected());
                }
            }
        }
        self.sound = true;
        Ok(touched)
    }

    /// Runs one statement; how many rows it touched.
    pub(crate) async fn run(&mut self, sql: Sql, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.sound = false;
        let touched = match &mut self.handle {
            Handle::Postgres(connection) => {
                let arguments = sql::postgres_values(values)?;
                let run = sqlx::query_with(sql.postgres, arguments).execute(&mut **connection);
                self.patience.wait(run).await?.rows_affected()
            }
            Handle::Sqlite(connection) => {
                let arguments = sql::sqlite_values(values)?;
                let run = sqlx::query_with(sql.sqlite, arguments).execute(&mut **connection);
                self.patience.wait(run).await?.rows_affected()
            }
        };
        self.sound = true;
        Ok(touched)
    }

    /// Whether the database understands a statement.
    pub(crate) async fn prepare(&mut self, sql: Sql) -> Result<(), StoreError> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        match &mut self.handle {
            Handle::Postgres(connection) => {
                let prepared = connection.prepare(sql.postgres.into_sql_str()).await;
                prepared.map(drop)
            }
            Handle::Sqlite(connection) => {
                let text = sql::sqlite_text(sql.sqlite, 1);
                connection.prepare(text.into_sql_str()).await.map(drop)
            }
        }
        .map_err(StoreError::from_sqlx)
    }
}

fn read_all<T: FromRow>(rows: Vec<impl Source>) -> Result<Vec<T>, StoreError> {
    rows.iter()
        .map(|row| T::read(&mut Reader::new(row)))
        .collect()
}

/// What a failed COMMIT means. Only an error that leaves the session standing says that nothing was
/// written; a lost session, or a disk that failed under the log, says nothing.
fn commit_error(error: sqlx::Error) -> StoreError {
    let known = match &error {
        sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => {
                matches!(postgres.severity(), PgSeverity::Error) && postgres.code() != "40003"
            }
            // SQLITE_IOERR
            None => database
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| code & 0xFF != 10),
        },
        _ => false,
    };
    if known {
        StoreError::from_sqlx(error)
    } else {
        StoreError::OutcomeUnknown(error.to_string())
    }
}
