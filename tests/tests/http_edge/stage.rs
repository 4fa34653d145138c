//! A gateway's edge on a free port, with a few routes that show what the edge passes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acceptance::databases::{Database, Engine};
use axum::{
    Router,
    routing::{get, post},
};
use gateway::{
    clock::Clock,
    http::{self, App, Json, Parts, Pos, ServerLimits, Settings, StreamHub, Tls},
    programme_file,
    store::{ClientScope, ClientSecret, NewClient, PoolSizes, Store},
    writer::{Lanes, Writer, WriterOptions},
};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    command::{Activation, Command, Operation},
    decision::Answer,
};
use member_card::ProgrammeId;
use pos_protocol::{CommandId, RefundRequest, StoreId, TerminalId};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

pub(crate) const SECRET: &str = "till-1-secret";

/// What the routes of the stage tell the test and wait for.
#[derive(Default)]
pub(crate) struct Cues {
    pub(crate) entered: Notify,
    pub(crate) leave: Notify,
    pub(crate) hits: AtomicU32,
}

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) address: String,
    pub(crate) cues: Arc<Cues>,
    pub(crate) serving: JoinHandle<()>,
    database: Arc<Database>,
    _lanes: Lanes,
}

/// What differs between stages.
pub(crate) struct Set {
    pub(crate) settings: Settings,
    pub(crate) limits: ServerLimits,
    pub(crate) tls: Option<Tls>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            settings: Settings::new(ProgrammeId::new("demo").unwrap()),
            limits: ServerLimits::default(),
            tls: None,
        }
    }
}

impl Stage {
    /// On SQLite.
    pub(crate) async fn new() -> Self {
        Self::with(Set::default()).await
    }

    /// On SQLite.
    pub(crate) async fn with(set: Set) -> Self {
        Self::over(Database::create(Engine::Sqlite).await, set).await
    }

    /// On a database that was empty until now.
    pub(crate) async fn over(database: Database, set: Set) -> Self {
        let store = database.migrated().await;
        let clock = Clock::manual("2026-11-22T03:00:00Z".parse().unwrap());
        seed(&store, clock.now()).await;
        Self::on(store, clock, Arc::new(database), set).await
    }

    /// Another gateway on the same database and clock, with connections of its own.
    pub(crate) async fn another(&self, set: Set) -> Self {
        let store = self.database.open(PoolSizes::default()).await;
        Self::on(store, self.clock.clone(), self.database.clone(), set).await
    }

    /// Another gateway that reaches the same database by another way.
    pub(crate) async fn another_by(&self, url: &str) -> Self {
        let store = Store::open(&url.parse().unwrap(), PoolSizes::default())
            .await
            .unwrap();
        let (clock, database) = (self.clock.clone(), self.database.clone());
        Self::on(store, clock, database, Set::default()).await
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    async fn on(store: Store, clock: Clock, database: Arc<Database>, set: Set) -> Self {
        let streams = StreamHub::new();
        let options = WriterOptions {
            committed: streams.committed(),
            // The machine may be busy with other tests.
            answer_deadline: Duration::from_secs(30),
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        if store.programme().await.unwrap().is_none() {
            put_in_force(&writer, &clock).await;
        }
        let app = App::new(Parts {
            store,
            clock: clock.clone(),
            settings: set.settings,
            metrics: http::metrics::unmeasured(),
            writer,
            streams,
        });
        app.read_signing_keys().await.unwrap();
        tokio::spawn(app.clone().upkeep());
        let cues = Arc::new(Cues::default());
        let router = http::with_routes(app.clone(), routes(cues.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shutdown = app.shutdown().clone();
        let serving = tokio::spawn(http::serve(listener, set.tls, router, set.limits, shutdown));
        Self {
            app,
            clock,
            address,
            cues,
            serving,
            database,
            _lanes: lanes,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// A token for `till-1`.
    pub(crate) async fn token(&self) -> String {
        self.token_for("till-1").await
    }

    pub(crate) async fn token_for(&self, client: &str) -> String {
        let answer = reqwest::Client::new()
            .post(self.url("/oauth/token"))
            .basic_auth(client, Some(SECRET))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap();
        let body: serde_json::Value = answer.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// What a till's route answers to this token.
    pub(crate) async fn as_till(&self, token: &str) -> (u16, String) {
        let request = reqwest::Client::new().get(self.url("/stage/till"));
        answer(request.bearer_auth(token)).await
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn put_in_force(writer: &Writer, clock: &Clock) {
    let activation = Activation {
        replaces: 0,
        programme: Arc::new(programme_file::parse("demo.toml", programme_file::DEMO).unwrap()),
        source: programme_file::DEMO.into(),
        actor: "test".into(),
    };
    let command = Command {
        id: CommandId::new(clock.new_id()),
        operation: Operation::ActivateProgramme(Box::new(activation)),
    };
    let answer = writer.submit(command, None).await.unwrap();
    assert_eq!(answer, Answer::ProgrammeActivated { version: 1 });
}

async fn seed(store: &Store, now: Timestamp) {
    let shop = StoreId::new("ginza").unwrap();
    let [one, two] = ["ginza-1", "ginza-2"].map(|id| TerminalId::new(id).unwrap());
    store.create_store(&shop, "Ginza", now).await.unwrap();
    store.create_terminal(&one, &shop, now).await.unwrap();
    store.create_terminal(&two, &shop, now).await.unwrap();
    let secret = ClientSecret::given(SECRET);
    for (id, scope, terminal) in [
        ("till-1", ClientScope::Pos, Some(&one)),
        ("till-2", ClientScope::Pos, Some(&two)),
        ("staff", ClientScope::Admin, None),
    ] {
        let client = NewClient {
            id,
            secret: &secret,
            scopes: &[scope].into(),
            terminal,
            shop: None,
            role: None,
        };
        store.create_client(&client, now).await.unwrap();
    }
}

fn routes(cues: Arc<Cues>) -> Router<App> {
    let wait = {
        let cues = cues.clone();
        || async move {
            cues.entered.notify_one();
            cues.leave.notified().await;
            "left"
        }
    };
    let hit = || async move { cues.hits.fetch_add(1, Ordering::SeqCst).to_string() };
    Router::new()
        .route(
            "/stage/till",
            get(|Pos(till): Pos| async move { format!("{}@{}", till.terminal_id, till.store_id) }),
        )
        .route(
            "/stage/staff",
            get(|http::Admin(name): http::Admin| async move { name.to_string() }),
        )
        .route(
            "/stage/json",
            post(|Json(body): Json<RefundRequest>| async move { body.request_id.to_string() }),
        )
        .route(
            "/stage/id/{id}",
            get(|http::PathId(id): http::PathId<pos_protocol::PurchaseId>| async move {
                id.to_string()
            }),
        )
        .route("/stage/panic", get(panics))
        .route("/stage/wait", get(wait))
        .route("/stage/hit", get(hit))
}

#[allow(clippy::panic, reason = "what becomes of a panic is under test")]
async fn panics() -> &'static str {
    // Something that only breaks at run time, so that the route has a type.
    let none = Semaphore::MAX_PERMITS.checked_sub(usize::MAX);
    none.map_or_else(|| panic!("secret in a panic"), |_| "no")
}
