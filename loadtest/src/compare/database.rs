//! The databases of a comparison: one that is filled once, and a fresh copy of it for each part, so that
//! all parts start from the same rows in the same pages.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context, bail, ensure};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection,
    postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use crate::processes::Server;

/// Which of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Filled through a gateway.
    Base,
    /// The same, made ready for what the gateway is compared with.
    Direct,
    /// A copy of one of them, for one part.
    Copy,
}

impl Which {
    const ALL: [Self; 3] = [Self::Base, Self::Direct, Self::Copy];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Base => "loadtest_base",
            Self::Direct => "loadtest_direct",
            Self::Copy => "loadtest_copy",
        }
    }
}

/// A place for databases.
#[derive(Debug, Clone)]
pub enum Databases {
    /// Databases of a PostgreSQL server, beside the one that was named.
    Postgres(Box<PgConnectOptions>),
    /// Files beside the one that was named.
    Sqlite(PathBuf),
}

impl FromStr for Databases {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        let path = url.strip_prefix("sqlite://");
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        // The driver's own message may repeat the password.
        let options = PgConnectOptions::from_str(url).ok();
        let options = options.filter(|_| url.starts_with("postgres"));
        let options = options.context("no database URL: postgres://… or sqlite://PATH")?;
        let name = options.get_database().unwrap_or_default();
        ensure!(
            name.len() <= NAME_BYTES_MAX,
            "the database's name is too long to add to: {name}"
        );
        Ok(Self::Postgres(Box::new(options)))
    }
}

/// What PostgreSQL takes for a name, less what is added to it here.
const NAME_BYTES_MAX: usize = 40;

impl Databases {
    /// The URL of one of them, for the gateway.
    #[must_use]
    pub fn url(&self, which: Which) -> String {
        match self {
            Self::Postgres(_) => match self.postgres(which) {
                Some(options) => options.to_url_lossy().to_string(),
                None => String::new(),
            },
            Self::Sqlite(path) => format!("sqlite://{}", file(path, which).display()),
        }
    }

    /// How to connect to one of them on PostgreSQL.
    #[must_use]
    pub fn postgres(&self, which: Which) -> Option<PgConnectOptions> {
        match self {
            Self::Postgres(options) => {
                Some(options.as_ref().clone().database(&name(options, which)))
            }
            Self::Sqlite(_) => None,
        }
    }

    /// The file of one of them on SQLite.
    #[must_use]
    pub fn sqlite(&self, which: Which) -> Option<PathBuf> {
        match self {
            Self::Postgres(_) => None,
            Self::Sqlite(path) => Some(file(path, which)),
        }
    }

    /// Whether they are PostgreSQL's.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The server's processes; none on SQLite.
    ///
    /// # Errors
    /// If the server runs on another machine.
    pub async fn server(&self) -> anyhow::Result<Option<Server>> {
        let Self::Postgres(options) = self else {
            return Ok(None);
        };
        let mut connection = options.connect().await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
            .fetch_one(&mut connection)
            .await?;
        let server = Server::of_backend(u32::try_from(backend)?);
        connection.close().await?;
        server.map(Some)
    }

    /// Makes the base, empty, whatever was there.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn create_base(&self) -> anyhow::Result<()> {
        self.drop_all().await?;
        if let Self::Postgres(options) = self {
            let base = quoted(&name(options, Which::Base));
            self.administer(&[format!("CREATE DATABASE {base}")])
                .await?;
        }
        Ok(())
    }

    /// Copies one over another. Nothing may use the first; whoever uses the second is thrown out.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn copy(&self, from: Which, to: Which) -> anyhow::Result<()> {
        match self {
            Self::Postgres(options) => {
                let (template, copy) = (name(options, from), name(options, to));
                self.administer(&[
                    format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&copy)),
                    format!(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                        template.replace('\'', "''")
                    ),
                    format!("CREATE DATABASE {} TEMPLATE {}", quoted(&copy), quoted(&template)),
                    "CHECKPOINT".to_owned(),
                ])
                .await
            }
            Self::Sqlite(path) => {
                remove(&file(path, to))?;
                // SQLite copies, not the system: what is still in the log comes along.
                let copy = file(path, to).display().to_string().replace('\'', "''");
                self.execute(from, &[format!("VACUUM INTO '{copy}'")])
                    .await?;
                Ok(std::fs::File::open(file(path, to))?.sync_all()?)
            }
        }
    }

    /// Leaves one without dead rows and with fresh statistics.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn settle(&self, which: Which) -> anyhow::Result<()> {
        self.execute(which, &["VACUUM".to_owned(), "ANALYZE".to_owned()])
            .await
    }

    /// Runs statements on one of them, each by itself.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn execute(&self, which: Which, statements: &[String]) -> anyhow::Result<()> {
        match self {
            Self::Postgres(options) => {
                let options = options.as_ref().clone().database(&name(options, which));
                execute_postgres(&options, statements).await
            }
            Self::Sqlite(path) => {
                let mut connection = connect_sqlite(&file(path, which)).await?;
                for statement in statements {
                    sqlx::raw_sql(AssertSqlSafe(statement.as_str()))
                        .execute(&mut connection)
                        .await
                        .with_context(|| format!("{statement} failed"))?;
                }
                Ok(connection.close().await?)
            }
        }
    }

    /// The texts that a query gives on one of them: one column, as text.
    ///
    /// # Errors
    /// If the query fails.
    pub async fn texts(&self, which: Which, query: &str) -> anyhow::Result<Vec<String>> {
        let failed = || format!("{query} failed");
        match self {
            Self::Postgres(options) => {
                let options = options.as_ref().clone().database(&name(options, which));
                let mut connection: PgConnection = options.connect().await?;
                let texts = sqlx::query_scalar(AssertSqlSafe(query))
                    .fetch_all(&mut connection)
                    .await
                    .with_context(failed)?;
                connection.close().await?;
                Ok(texts)
            }
            Self::Sqlite(path) => {
                let mut connection = connect_sqlite(&file(path, which)).await?;
                let texts = sqlx::query_scalar(AssertSqlSafe(query))
                    .fetch_all(&mut connection)
                    .await
                    .with_context(failed)?;
                connection.close().await?;
                Ok(texts)
            }
        }
    }

    /// Removes all of them.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn drop_all(&self) -> anyhow::Result<()> {
        for which in Which::ALL {
            match self {
                Self::Postgres(options) => {
                    let name = quoted(&name(options, which));
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    self.administer(&[drop]).await?;
                }
                Self::Sqlite(path) => remove(&file(path, which))?,
            }
        }
        Ok(())
    }

    /// Runs statements on the database that was named.
    async fn administer(&self, statements: &[String]) -> anyhow::Result<()> {
        match self {
            Self::Postgres(options) => execute_postgres(options, statements).await,
            Self::Sqlite(_) => bail!("SQLite has no server"),
        }
    }
}

async fn execute_postgres(options: &PgConnectOptions, statements: &[String]) -> anyhow::Result<()> {
    let mut connection: PgConnection = options.connect().await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement.as_str()))
            .execute(&mut connection)
            .await
            .with_context(|| format!("{statement} failed"))?;
    }
    Ok(connection.close().await?)
}

async fn connect_sqlite(path: &Path) -> anyhow::Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(path).connect().await?)
}

fn name(options: &PgConnectOptions, which: Which) -> String {
    let named = options
        .get_database()
        .unwrap_or_else(|| options.get_username());
    format!("{named}_{}", which.suffix())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn file(path: &Path, which: Which) -> PathBuf {
    path.with_added_extension(which.suffix())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_beside_the_one_that_was_named() {
        let databases: Databases = "postgres://me@db/load".parse().unwrap();
        assert!(databases.url(Which::Copy).contains("/load_loadtest_copy"));
        assert_eq!(databases.sqlite(Which::Copy), None);
        let databases: Databases = "sqlite:///tmp/a.db".parse().unwrap();
        assert_eq!(
            databases.url(Which::Base),
            "sqlite:///tmp/a.db.loadtest_base"
        );
        for wrong in ["sqlite://", "mysql://a/b", "", "postgresx"] {
            assert!(wrong.parse::<Databases>().is_err(), "{wrong}");
        }
    }
}
