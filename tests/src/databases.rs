//! Fresh databases: a SQLite file or a PostgreSQL database of its own for each test, gone afterwards,
//! also when the test failed. Before that, every event in it is held against the events' contract.
//!
//! PostgreSQL is the server of `TEST_POSTGRES_URL`, or the one on this machine that lets the role
//! `postgres` in. A test that cannot reach it fails; none is skipped.

use std::{
    future::Future,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use gateway::{
    clock::Clock,
    store::{DatabaseUrl, PoolSizes, Store},
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::schemas;

/// Where PostgreSQL is looked for if the environment names no place.
const LOCAL_POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// An empty database of its own. Dropping it removes it.
#[derive(Debug)]
pub struct Database {
    engine: Engine,
    url: String,
    place: Place,
    /// Whether its events need not be real.
    exempt: AtomicBool,
}

#[derive(Debug)]
enum Place {
    Folder {
        _folder: TempDir,
    },
    Server {
        server: Box<PgConnectOptions>,
        name: String,
    },
}

impl Database {
    /// Makes one.
    ///
    /// # Panics
    /// If the database cannot be made, for example because PostgreSQL is out of reach.
    pub async fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                Self {
                    engine,
                    url: format!("sqlite://{}", folder.path().join("gateway.db").display()),
                    place: Place::Folder { _folder: folder },
                    exempt: AtomicBool::new(false),
                }
            }
            Engine::Postgres => {
                let server = server();
                let name = format!("gateway_test_{}", Clock::system().new_id().simple());
                on_server(&server, format!("CREATE DATABASE {name}"))
                    .await
                    .unwrap_or_else(|error| panic!("{}", unreachable(&server, &error)));
                Self {
                    engine,
                    url: server.clone().database(&name).to_url_lossy().to_string(),
                    place: Place::Server {
                        server: Box::new(server),
                        name,
                    },
                    exempt: AtomicBool::new(false),
                }
            }
        }
    }

    /// Another database with the same rows. No store may be open on this one.
    ///
    /// # Panics
    /// If it cannot be copied.
    pub async fn copy(&self) -> Self {
        match &self.place {
            Place::Folder { .. } => {
                let copy = Self::create(Engine::Sqlite).await;
                let path = copy.url.trim_start_matches("sqlite://");
                // Not the file alone: the newest rows may still be in the log beside it.
                let mut connection = sqlx::SqliteConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                let into = sqlx::AssertSqlSafe(format!("VACUUM INTO '{path}'"));
                sqlx::raw_sql(into)
                    .execute(&mut connection)
                    .await
                    .expect("a copy of the database");
                connection.close().await.expect("the connection closes");
                copy
            }
            Place::Server { server, name } => {
                let copy = format!("gateway_test_{}", Clock::system().new_id().simple());
                on_server(server, format!("CREATE DATABASE {copy} TEMPLATE {name}"))
                    .await
                    .expect("a copy of the database");
                Self {
                    engine: Engine::Postgres,
                    url: server
                        .as_ref()
                        .clone()
                        .database(&copy)
                        .to_url_lossy()
                        .to_string(),
                    place: Place::Server {
                        server: server.clone(),
                        name: copy,
                    },
                    exempt: AtomicBool::new(false),
                }
            }
        }
    }

    /// Says that the rows in it are samples, made by hand: its events are not held against their
    /// contract.
    pub fn holds_samples(&self) {
        self.exempt.store(true, Ordering::Relaxed);
    }

    /// Runs statements that no gateway would, beside the stores. Its events are then not held against
    /// their contract.
    ///
    /// # Panics
    /// If one of them fails.
    pub async fn tamper(&self, statements: &'static str) {
        self.holds_samples();
        match self.engine {
            Engine::Sqlite => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                sqlx::raw_sql(statements)
                    .execute(&mut connection)
                    .await
                    .unwrap_or_else(|error| panic!("{statements}: {error}"));
                connection.close().await.expect("the connection closes");
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                sqlx::raw_sql(statements)
                    .execute(&mut connection)
                    .await
                    .unwrap_or_else(|error| panic!("{statements}: {error}"));
                connection.close().await.expect("the connection closes");
            }
        }
    }

    async fn remove(&self) -> Result<(), sqlx::Error> {
        let Place::Server { server, name } = &self.place else {
            return Ok(());
        };
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        on_server(server, statement).await
    }

    /// Which kind it is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Its URL, password and all, as the gateway's `--database-url` takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it as a store of its own, as another gateway would. Its schema is left alone.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(&self, sizes: PoolSizes) -> Store {
        let url = DatabaseUrl::from_str(&self.url).expect("a database URL");
        Store::open(&url, sizes).await.expect("the store opens")
    }

    /// Opens it with the newest schema.
    ///
    /// # Panics
    /// If it cannot be opened or migrated.
    pub async fn migrated(&self) -> Store {
        let store = self.open(PoolSizes::default()).await;
        store.migrate().await.expect("the migrations apply");
        store
    }

    /// Runs a statement on the server beside the stores, as its administrator would; PostgreSQL only.
    ///
    /// # Panics
    /// If the statement fails or this is no PostgreSQL.
    pub async fn postgres_count(&self, query: &'static str) -> i64 {
        assert_eq!(self.engine, Engine::Postgres, "a question for PostgreSQL");
        let mut connection = PgConnection::connect(&self.url)
            .await
            .expect("a connection");
        let count = sqlx::query_scalar(query).fetch_one(&mut connection).await;
        connection.close().await.expect("the connection closes");
        count.expect("an answer")
    }
}

impl Drop for Database {
    /// Holds the events in it against their contract, then removes it.
    fn drop(&mut self) {
        let (checked, dropped) = std::thread::scope(|scope| {
            // A thread with a runtime of its own: the test's may be unwinding.
            let thread = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    let checked = if self.exempt.load(Ordering::Relaxed) {
                        Ok(())
                    } else {
                        schemas::check_database(self).await
                    };
                    (checked, self.remove().await)
                })
            });
            thread.join().expect("a database is looked at to its end")
        });
        if let Err(error) = dropped {
            eprintln!("the database {} is left behind: {error}", self.url);
        }
        match checked {
            Err(fault) if std::thread::panicking() => eprintln!("and an event: {fault}"),
            Err(fault) => panic!("an event in {} breaks the contract:\n{fault}", self.url),
            Ok(()) => {}
        }
    }
}

fn server() -> PgConnectOptions {
    let url = std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| LOCAL_POSTGRES.to_owned());
    PgConnectOptions::from_str(&url).expect("TEST_POSTGRES_URL is a PostgreSQL URL")
}

async fn on_server(server: &PgConnectOptions, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(server).await?;
    // The only thing put into the text is a name made here.
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await;
    connection.close().await?;
    done.map(|_| ())
}

fn unreachable(server: &PgConnectOptions, error: &sqlx::Error) -> String {
    format!(
        "PostgreSQL at {}:{} gives no database to the role {}: {error}\n\
         Set TEST_POSTGRES_URL to a server where a role may create databases, or run the tests with \
         scripts/with-servers, which finds or starts one.",
        server.get_host(),
        server.get_port(),
        server.get_username(),
    )
}

/// Runs a case on a fresh store of each kind.
pub async fn for_each_store<F: Future<Output = ()>>(case: impl Fn(Store) -> F) {
    for engine in Engine::ALL {
        let database = Database::create(engine).await;
        let store = database.migrated().await;
        case(store.clone()).await;
        store.close().await;
    }
}

/// Makes two tests of every named `async fn(Database)`, one for each kind of database:
/// `sqlite::NAME` and `postgres::NAME`.
#[macro_export]
macro_rules! on_each_database {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use $crate::databases::{Database, Engine};
                    super::$case(Database::create(Engine::Sqlite).await).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use $crate::databases::{Database, Engine};
                    super::$case(Database::create(Engine::Postgres).await).await;
                }
            )*
        }
    };
}
