//! Opening a store: which database, how many connections, with which guarantees.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{StoreError, programme::ProgrammeCache};

/// How long a caller waits for a free connection before the database counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(800);
/// How long a statement may wait for a row lock before its batch gives up.
const LOCK_TIMEOUT_MS: &str = "5000";
/// How long a statement may run.
const STATEMENT_TIMEOUT_MS: &str = "15000";
/// How long a transaction may sit between two statements before the server ends it, so that a
/// gateway that froze does not keep its locks.
const IDLE_IN_TRANSACTION_TIMEOUT_MS: &str = "10000";
/// Every statement of the writer and of the relay finds its rows by key: no plan may scan a table.
const BY_KEY: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_memoize", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("jit", "off"),
];
/// The writer's statements find rows by key, whatever there is: their plans are made once and kept.
const PLAN_ONCE: [(&str, &str); 1] = [("plan_cache_mode", "force_generic_plan")];
/// The relay's statements join: a plan made while a table was small would read all of it when it has
/// grown. They are few, so each is planned for the tables as they are.
const PLAN_EACH_TIME: [(&str, &str); 1] = [("plan_cache_mode", "force_custom_plan")];

/// Statements that a connection of the writer keeps prepared: one for each set of tables that a batch can
/// touch, and for each place where a large one is cut. A shop's mix was seen to need some sixty.
const POSTGRES_STATEMENTS_KEPT: usize = 250;

/// Statements that a SQLite connection keeps prepared: those over many rows have eight forms each.
const SQLITE_STATEMENTS_KEPT: usize = 500;

/// Rows that the thread of a SQLite connection may be ahead of who reads them: those of a batch, so that
/// it need not be woken again.
const SQLITE_ROWS_AHEAD: usize = 1_024;

/// Bytes of a statement that the driver sends without stopping. It leaves Nagle's algorithm on (sqlx
/// issue 4335, mended after 0.9.0): what does not go in one piece waits for the other side to acknowledge
/// the piece before, which it may put off for 40 ms. Over TLS a piece is a record of 16 KiB; on the
/// loopback device it is one of 64 KiB. A network's pieces are smaller than any batch of rows, so there
/// the size is that of a record as well.
const STATEMENT_BYTES_LOCAL_MAX: usize = 60 * 1_024;
/// The same for everything but plain connections within the machine.
const STATEMENT_BYTES_REMOTE_MAX: usize = 15 * 1_024;

/// `sqlite://PATH` or `postgres://…`.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// An embedded database in one file.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// A text that is no database URL.
#[derive(Debug, thiserror::Error)]
#[error("not a database URL: {0}; use sqlite://PATH or postgres://USER@HOST/DATABASE")]
pub struct DatabaseUrlError(String);

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        if let Some(path) = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
        {
            if path.is_empty() || path.contains(['?', '#']) {
                return Err(DatabaseUrlError("the path is empty or has a ? or #".into()));
            }
            Ok(Self::Sqlite(PathBuf::from(path)))
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The driver's own message may repeat the password.
            let options = PgConnectOptions::from_str(text)
                .map_err(|_| DatabaseUrlError("cannot be parsed".into()))?;
            Ok(Self::Postgres(Box::new(options)))
        } else {
            Err(DatabaseUrlError("unknown scheme".into()))
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Without the password, fit for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(options) => write!(
                f,
                "postgres://{}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The relay sends in order, one after the other.
const RELAY_CONNECTIONS: u32 = 1;

/// How many connections a store keeps.
#[derive(Debug, Clone, Copy)]
pub struct PoolSizes {
    /// For the writer's lanes. SQLite always has one.
    pub write: u32,
    /// For reads outside the write path.
    pub read: u32,
}

impl PoolSizes {
    /// All connections to PostgreSQL, the relay's included.
    #[must_use]
    pub const fn all(self) -> u32 {
        self.write + self.read + RELAY_CONNECTIONS
    }
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { write: 4, read: 4 }
    }
}

/// An open store. Cheap to clone. Reads and writes have pools of their own, so that neither starves
/// the other.
#[derive(Debug, Clone)]
pub enum Store {
    /// Several gateways, or size.
    Postgres {
        /// The writer's connections.
        write: PgPool,
        /// Everybody else's.
        read: PgPool,
        /// The relay's one connection, so that it waits for nobody and nobody for it.
        relay: PgPool,
        /// Bytes of rows in one statement; more rows go in several.
        statement_bytes_max: usize,
        /// What is known of the programme in force.
        programmes: ProgrammeCache,
    },
    /// One binary, no server.
    Sqlite {
        /// The writer's one connection.
        write: SqlitePool,
        /// Everybody else's.
        read: SqlitePool,
        /// What is known of the programme in force.
        programmes: ProgrammeCache,
    },
}

impl Store {
    /// Opens a store without touching its schema. Does not wait for a PostgreSQL server that is
    /// down: the first use says so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if a SQLite file cannot be opened or created.
    pub async fn open(url: &DatabaseUrl, sizes: PoolSizes) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Postgres(options) => {
                let (options, statement_bytes_max) = within_the_machine(options);
                let options = options.application_name("point-gateway").options([
                    // An answer leaves after COMMIT, so COMMIT has to mean what it says, whatever
                    // role or server think of it.
                    ("synchronous_commit", "on"),
                    ("lock_timeout", LOCK_TIMEOUT_MS),
                    ("statement_timeout", STATEMENT_TIMEOUT_MS),
                    (
                        "idle_in_transaction_session_timeout",
                        IDLE_IN_TRANSACTION_TIMEOUT_MS,
                    ),
                ]);
                let pool = |size| {
                    PgPoolOptions::new()
                        .max_connections(size)
                        .acquire_timeout(ACQUIRE_TIMEOUT)
                };
                let by_key = options.clone().options(BY_KEY);
                // A batch finds out by itself whether its connection still stands.
                let writing = |size| pool(size).test_before_acquire(false);
                Ok(Self::Postgres {
                    write: writing(sizes.write).connect_lazy_with(
                        by_key
                            .clone()
                            .options(PLAN_ONCE)
                            .statement_cache_capacity(POSTGRES_STATEMENTS_KEPT),
                    ),
                    relay: writing(RELAY_CONNECTIONS)
                        .connect_lazy_with(by_key.options(PLAN_EACH_TIME)),
                    read: pool(sizes.read).connect_lazy_with(options),
                    statement_bytes_max,
                    programmes: ProgrammeCache::default(),
                })
            }
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .statement_cache_capacity(SQLITE_STATEMENTS_KEPT)
                    .row_buffer_size(SQLITE_ROWS_AHEAD)
                    .busy_timeout(Duration::from_secs(5));
                let pool = |size| {
                    SqlitePoolOptions::new()
                        .max_connections(size)
                        .test_before_acquire(false)
                        .acquire_timeout(ACQUIRE_TIMEOUT)
                };
                // So that one failing row undoes its statement alone, SQLite keeps what the statement changes:
                // in memory, for a batch is small. Jobs that sort whole tables read, on the disk.
                let write = pool(1)
                    .connect_with(options.clone().pragma("temp_store", "MEMORY"))
                    .await
                    .map_err(StoreError::from_sqlx)?;
                let read = pool(sizes.read).connect_lazy_with(options.read_only(true));
                Ok(Self::Sqlite {
                    write,
                    read,
                    programmes: ProgrammeCache::default(),
                })
            }
        }
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        match self {
            Self::Postgres {
                write, read, relay, ..
            } => {
                futures_util::join!(write.close(), read.close(), relay.close());
            }
            Self::Sqlite { write, read, .. } => {
                futures_util::join!(write.close(), read.close());
            }
        }
    }

    pub(super) fn programmes(&self) -> &ProgrammeCache {
        match self {
            Self::Postgres { programmes, .. } | Self::Sqlite { programmes, .. } => programmes,
        }
    }

    /// How many connections the writer may have.
    pub(super) fn write_connections(&self) -> u32 {
        match self {
            Self::Postgres { write, .. } => write.options().get_max_connections(),
            Self::Sqlite { write, .. } => write.options().get_max_connections(),
        }
    }
}

/// Within one machine nobody listens in: there TLS is left out, unless the URL asks for it. And how much
/// one statement may carry.
fn within_the_machine(options: &PgConnectOptions) -> (PgConnectOptions, usize) {
    let host = options.get_host();
    let is_loopback = host
        .parse::<IpAddr>()
        .map_or(host == "localhost", |address| address.is_loopback());
    let is_local = is_loopback || host.starts_with('/') || options.get_socket().is_some();
    let is_plain = matches!(
        options.get_ssl_mode(),
        PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
    );
    if is_local && is_plain {
        let plain = options.clone().ssl_mode(PgSslMode::Disable);
        (plain, STATEMENT_BYTES_LOCAL_MAX)
    } else {
        (options.clone(), STATEMENT_BYTES_REMOTE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_within_the_machine_only() {
        for (url, mode, bytes) in [
            (
                "postgres://a@127.0.0.1/d",
                "Disable",
                STATEMENT_BYTES_LOCAL_MAX,
            ),
            (
                "postgres://a@localhost/d?sslmode=prefer",
                "Disable",
                STATEMENT_BYTES_LOCAL_MAX,
            ),
            (
                "postgres://a@%2Fvar%2Frun/d",
                "Disable",
                STATEMENT_BYTES_LOCAL_MAX,
            ),
            (
                "postgres://a@localhost/d?sslmode=require",
                "Require",
                STATEMENT_BYTES_REMOTE_MAX,
            ),
            (
                "postgres://a@db.internal/d?sslmode=prefer",
                "Prefer",
                STATEMENT_BYTES_REMOTE_MAX,
            ),
            (
                "postgres://a@192.0.2.1/d?sslmode=disable",
                "Disable",
                STATEMENT_BYTES_REMOTE_MAX,
            ),
        ] {
            let options = PgConnectOptions::from_str(url).unwrap();
            let (options, bytes_max) = within_the_machine(&options);
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{url}");
            assert_eq!(bytes_max, bytes, "{url}");
        }
    }
}
