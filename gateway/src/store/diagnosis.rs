//! What a database says of itself, for whoever looks for a fault or keeps an alarm.

use jiff::Timestamp;

use super::{
    Store, StoreError,
    connection::Connection,
    row::{Cell as _, FromRow, Reader},
    sql::Sql,
};

/// How a database is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// A PostgreSQL server.
    Postgres(PostgresDiagnosis),
    /// A SQLite file.
    Sqlite(SqliteDiagnosis),
}

/// What a PostgreSQL server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresDiagnosis {
    /// Major and minor version as one number: 160004 is 16.4.
    pub version: i64,
    /// Whether it copies another server and takes no writes.
    pub is_standby: bool,
    /// `fsync`: off loses committed data in a crash.
    pub fsync: String,
    /// `synchronous_commit`: off loses the newest commits in a crash.
    pub synchronous_commit: String,
    /// `full_page_writes`: off can tear pages in a crash.
    pub full_page_writes: String,
    /// Connections it takes from everybody.
    pub max_connections: i64,
    /// Bytes of this database.
    pub bytes: i64,
    /// The server's clock.
    pub now: Timestamp,
}

/// What SQLite says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteDiagnosis {
    /// The version built in.
    pub version: String,
    /// `journal_mode`: has to be `wal`.
    pub journal_mode: String,
    /// `synchronous` of the writer's connection: 2 is FULL.
    pub synchronous: i64,
    /// Bytes of the file.
    pub bytes: i64,
}

const POSTGRES: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT), pg_is_in_recovery(), \
     current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'), \
     CAST(current_setting('max_connections') AS BIGINT), pg_database_size(current_database()), \
     CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
const SQLITE: &str = "SELECT sqlite_version(), j.journal_mode, s.synchronous, p.page_count * z.page_size \
     FROM pragma_journal_mode AS j, pragma_synchronous AS s, pragma_page_count AS p, pragma_page_size AS z";
const DIAGNOSIS: Sql = Sql {
    postgres: POSTGRES,
    sqlite: SQLITE,
};
const OLDEST_OVERDUE_HOLD: Sql = Sql::both(
    "SELECT min(expires_at) FROM authorizations WHERE state = 'held' AND expires_at > 0 AND expires_at <= $1",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![DIAGNOSIS, OLDEST_OVERDUE_HOLD]
}

impl FromRow for PostgresDiagnosis {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.get()?,
            is_standby: row.get()?,
            fsync: row.get()?,
            synchronous_commit: row.get()?,
            full_page_writes: row.get()?,
            max_connections: row.get()?,
            bytes: row.get()?,
            now: row.get()?,
        })
    }
}

impl FromRow for SqliteDiagnosis {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.get()?,
            journal_mode: row.get()?,
            synchronous: row.get()?,
            bytes: row.get()?,
        })
    }
}

struct Oldest(Option<Timestamp>);

impl FromRow for Oldest {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Store {
    /// Asks the database how it is set up, over a connection like the writer's.
    ///
    /// # Errors
    /// As any read.
    pub async fn diagnosis(&self) -> Result<Diagnosis, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let silent = || StoreError::Corrupt("the database says nothing of itself".into());
        if connection.is_postgres() {
            let found: Vec<_> = connection.fetch(DIAGNOSIS, &[]).await?;
            let found = found.into_iter().next().ok_or_else(silent)?;
            return Ok(Diagnosis::Postgres(found));
        }
        let found: Vec<_> = connection.fetch(DIAGNOSIS, &[]).await?;
        let found = found.into_iter().next().ok_or_else(silent)?;
        Ok(Diagnosis::Sqlite(found))
    }

    /// When the hold ran out that has waited longest to be let go.
    ///
    /// # Errors
    /// As any read.
    pub async fn oldest_overdue_hold(
        &self,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let oldest: Vec<Oldest> = connection
            .fetch(OLDEST_OVERDUE_HOLD, &[now.to_value()])
            .await?;
        Ok(oldest.into_iter().next().and_then(|oldest| oldest.0))
    }
}
