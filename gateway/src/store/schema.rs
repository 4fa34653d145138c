//! Migrations: append-only, paired by number, part of the binary.

use std::collections::BTreeMap;

use sqlx::migrate::{MigrateError, Migrator};

use super::{
    Store, StoreError,
    connection::Connection,
    row::{FromRow, Reader},
    sql::Sql,
};

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// A migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
}

/// How a database's schema stands to the one this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaState {
    /// They are the same.
    UpToDate,
    /// These migrations are still to be applied.
    Behind(Vec<i64>),
    /// A newer program applied these. Its migrations keep the schema usable for the release before
    /// it, so a gateway may go on running, but not migrate.
    Ahead(Vec<i64>),
    /// This migration was applied with another text, or only in part.
    Altered(i64),
}

const KNOWS_MIGRATIONS: Sql = Sql {
    postgres: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
    sqlite: "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
};
const MIGRATIONS: Sql = Sql::both("SELECT version, checksum, success FROM _sqlx_migrations");

struct Count(i64);

impl FromRow for Count {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

struct Done {
    version: i64,
    checksum: Vec<u8>,
    whole: bool,
}

impl FromRow for Done {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.get()?,
            checksum: row.get()?,
            whole: row.get()?,
        })
    }
}

impl Store {
    fn migrator(&self) -> &'static Migrator {
        match self {
            Self::Postgres { .. } => &POSTGRES,
            Self::Sqlite { .. } => &SQLITE,
        }
    }

    /// Applies what is missing, each migration in a transaction of its own, and says what it was.
    /// Gateways that migrate at once wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Rejected`] if the database is ahead of this program or was altered.
    pub async fn migrate(&self) -> Result<Vec<Applied>, StoreError> {
        let before = self.applied().await?;
        match self {
            Self::Postgres { write, .. } => {
                let mut connection = write.acquire().await.map_err(StoreError::from_sqlx)?;
                // Not for the writer any more: these time-outs are for batches.
                connection.close_on_drop();
                sqlx::raw_sql(
                    "SET statement_timeout = 0; SET lock_timeout = '60s'; SET enable_seqscan = on",
                )
                .execute(&mut *connection)
                .await
                .map_err(StoreError::from_sqlx)?;
                POSTGRES.run_direct(None, &mut *connection, false).await
            }
            Self::Sqlite { write, .. } => {
                let mut connection = write.acquire().await.map_err(StoreError::from_sqlx)?;
                // Nor is this one: indexes of a large file are sorted on the disk.
                connection.close_on_drop();
                sqlx::raw_sql("PRAGMA temp_store = FILE")
                    .execute(&mut *connection)
                    .await
                    .map_err(StoreError::from_sqlx)?;
                SQLITE.run_direct(None, &mut *connection, false).await
            }
        }
        .map_err(migration_error)?;
        let missing = self.migrator().iter();
        let missing = missing.filter(|migration| !before.contains_key(&migration.version));
        Ok(missing
            .map(|migration| Applied {
                version: migration.version,
                name: migration.description.to_string(),
            })
            .collect())
    }

    /// Compares the database's schema with the one this program knows. Changes nothing.
    ///
    /// # Errors
    /// As any read.
    pub async fn schema_state(&self) -> Result<SchemaState, StoreError> {
        let applied = self.applied().await?;
        let mut missing = Vec::new();
        for migration in self.migrator().iter() {
            match applied.get(&migration.version) {
                None => missing.push(migration.version),
                Some(done) if !done.whole || done.checksum != *migration.checksum => {
                    return Ok(SchemaState::Altered(migration.version));
                }
                Some(_) => {}
            }
        }
        let known = self.migrator();
        let unknown = applied
            .into_keys()
            .filter(|version| !known.version_exists(*version));
        let unknown: Vec<_> = unknown.collect();
        Ok(if !unknown.is_empty() {
            SchemaState::Ahead(unknown)
        } else if !missing.is_empty() {
            SchemaState::Behind(missing)
        } else {
            SchemaState::UpToDate
        })
    }

    async fn applied(&self) -> Result<BTreeMap<i64, Done>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let tables: Vec<Count> = connection.fetch(KNOWS_MIGRATIONS, &[]).await?;
        if tables.iter().all(|count| count.0 == 0) {
            return Ok(BTreeMap::new());
        }
        let done: Vec<Done> = connection.fetch(MIGRATIONS, &[]).await?;
        Ok(done.into_iter().map(|done| (done.version, done)).collect())
    }
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            StoreError::from_sqlx(error)
        }
        MigrateError::VersionMissing(version) => StoreError::Rejected(format!(
            "a newer program applied migration {version}; this one does not know it"
        )),
        other => StoreError::Rejected(other.to_string()),
    }
}
