//! A gateway with EC shops on a free port, on a clock that only the test moves.

use std::{sync::Arc, time::Duration};

use acceptance::databases::Database;
use ec::{
    Platform,
    signature::{self, WebhookSecret},
};
use gateway::{
    clock::Clock,
    http::{self, App, Parts, Rates, ServerLimits, Settings, StreamHub},
    intake::Worker,
    programme_file,
    secrets::Secrets,
    store::{
        ClientScope, ClientSecret, NewClient, NewShop, PoolSizes, ShopPlatform, ShopSettings, Store,
    },
    writer::{Lanes, Writer, WriterOptions},
};
use jiff::SignedDuration;
use ledger::{
    command::{Activation, Command, Operation},
    decision::Answer,
};
use member_card::ProgrammeId;
use pos_protocol::{CommandId, ShopId, TerminalId};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Of every client of the stage.
const CLIENT_SECRET: &str = "shop-system-secret";
/// What every shop of the stage signs with.
pub(crate) const WEBHOOK_SECRET: &str = "webhook-secret-of-the-stage";
/// What the machine, busy with other tests, is given to do what takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) secrets: Arc<Secrets>,
    address: String,
    http: Client,
    _lanes: Lanes,
    _database: Arc<Database>,
    folder: tempfile::TempDir,
}

/// A worker that books what comes.
pub(crate) struct Working {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Working {
    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

impl Stage {
    /// A gateway without a worker: what comes is kept and waits.
    pub(crate) async fn closed(database: Database) -> Self {
        Self::with(database, Rates::default()).await
    }

    /// The same with other rates.
    pub(crate) async fn with(database: Database, rates: Rates) -> Self {
        let database = Arc::new(database);
        let store = database.migrated().await;
        let clock = Clock::manual("2026-11-22T03:00:00Z".parse().unwrap());
        let options = WriterOptions {
            answer_deadline: PATIENCE,
            ..WriterOptions::for_store(&store)
        };
        let (writer, lanes) = Writer::start(&store, clock.clone(), &options);
        put_in_force(&writer, &clock).await;
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("secrets.toml");
        std::fs::write(&file, Secrets::fresh().unwrap().as_bytes()).unwrap();
        let secrets = Arc::new(Secrets::read(&file).unwrap());
        let mut settings = Settings::new(ProgrammeId::new("demo").unwrap());
        settings.secrets = Some(secrets.clone());
        settings.rates = rates;
        let app = App::new(Parts {
            store: store.clone(),
            clock: clock.clone(),
            settings,
            metrics: http::metrics::unmeasured(),
            writer,
            streams: StreamHub::new(),
        });
        app.read_signing_keys().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (router, shutdown) = (http::router(app.clone()), app.shutdown().clone());
        tokio::spawn(http::serve(
            listener,
            None,
            router,
            ServerLimits::default(),
            shutdown,
        ));
        let stage = Self {
            app,
            clock,
            store,
            secrets,
            address,
            http: Client::new(),
            _lanes: lanes,
            _database: database,
            folder,
        };
        for (id, platform) in [
            ("api", ShopPlatform::Api),
            ("other", ShopPlatform::Api),
            ("woo", ShopPlatform::WooCommerce),
            ("tea", ShopPlatform::Shopify),
        ] {
            stage
                .shop(id, platform, None, ShopSettings::default())
                .await;
        }
        stage
    }

    /// The same with a worker.
    pub(crate) async fn open(database: Database) -> (Self, Working) {
        let stage = Self::closed(database).await;
        let working = stage.worker(&stage.store);
        (stage, working)
    }

    /// Another store on the same database, as another gateway would have.
    pub(crate) async fn another_store(&self) -> Store {
        self._database.open(PoolSizes::default()).await
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> &str {
        self._database.url()
    }

    /// The file of the secrets that the gateway has.
    pub(crate) fn secrets_file(&self) -> std::path::PathBuf {
        self.folder.path().join("secrets.toml")
    }

    /// Starts a worker.
    pub(crate) fn worker(&self, store: &Store) -> Working {
        self.worker_with(store, self.secrets.clone())
    }

    /// Starts a worker that has these secrets.
    pub(crate) fn worker_with(&self, store: &Store, secrets: Arc<Secrets>) -> Working {
        let stop = CancellationToken::new();
        let (writer, clock) = (self.app.writer().clone(), self.clock.clone());
        let worker = Worker::new(store.clone(), writer, clock, secrets, self.app.intake());
        let task = tokio::spawn(worker.run(stop.clone()));
        Working { stop, task }
    }

    /// Makes a shop with a secret and a client of its name.
    pub(crate) async fn shop(
        &self,
        id: &str,
        platform: ShopPlatform,
        base_url: Option<&str>,
        settings: ShopSettings,
    ) {
        let (now, shop_id) = (self.clock.now(), ShopId::new(id).unwrap());
        let shop = NewShop {
            id: &shop_id,
            platform,
            name: id,
            base_url,
            settings: &settings,
        };
        self.store.create_shop(&shop, now).await.unwrap();
        self.store
            .add_shop_secret(&shop_id, WEBHOOK_SECRET, now, now)
            .await
            .unwrap();
        self.client(id, ClientScope::Ec, None).await;
        self.store.set_client_shop(id, &shop_id).await.unwrap();
    }

    /// Makes a client.
    pub(crate) async fn client(&self, id: &str, scope: ClientScope, till: Option<&TerminalId>) {
        let client = NewClient {
            id,
            secret: &ClientSecret::given(CLIENT_SECRET),
            scopes: &[scope].into(),
            terminal: till,
            shop: None,
            role: None,
        };
        let now = self.clock.now();
        self.store.create_client(&client, now).await.unwrap();
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn token(&self, client: &str) -> String {
        let asked = self.http.post(self.url("/oauth/token"));
        let asked = asked
            .basic_auth(client, Some(CLIENT_SECRET))
            .form(&[("grant_type", "client_credentials")]);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// What a shop's system is answered.
    pub(crate) async fn post(&self, client: &str, path: &str, body: &Value) -> (u16, Value) {
        let asked = self.http.post(self.url(path)).json(body);
        let asked = asked.bearer_auth(self.token(client).await);
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// What a shop's system is shown.
    pub(crate) async fn get(&self, client: &str, path: &str) -> (u16, Value) {
        let asked = self.http.get(self.url(path));
        let asked = asked.bearer_auth(self.token(client).await);
        let answer = asked.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// What a webhook is answered.
    pub(crate) async fn webhook(
        &self,
        shop: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> u16 {
        let answer = self.webhook_answer(shop, headers, body).await;
        answer.status().as_u16()
    }

    /// The same whole.
    pub(crate) async fn webhook_answer(
        &self,
        shop: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Response {
        let mut asked = self.http.post(self.url(&format!("/v1/ec/webhooks/{shop}")));
        for (name, value) in headers {
            asked = asked.header(*name, value);
        }
        asked.body(body).send().await.unwrap()
    }

    /// The order once it is as wanted.
    pub(crate) async fn order(
        &self,
        client: &str,
        id: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let path = format!("/v1/ec/orders/{id}");
        let found = async {
            loop {
                let (status, order) = self.get(client, &path).await;
                if status == 200 && wanted(&order) {
                    return order;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(order) => order,
            Err(_) => panic!("{:?}", self.get(client, &path).await),
        }
    }

    /// Waits until nothing waits in the inbox any more; how many messages are dead.
    pub(crate) async fn settled(&self) -> i64 {
        let settled = async {
            loop {
                let status = self.store.inbox_status().await.unwrap();
                if status.waiting == 0 {
                    return status.dead;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap()
    }
}

/// The signature of a body under a secret, as a header.
pub(crate) fn signed(platform: Platform, secret: &str, body: &[u8]) -> (&'static str, String) {
    let secret = WebhookSecret::new(secret).unwrap();
    let name = signature::header_name(platform);
    (name, signature::sign(platform, &secret, body))
}

/// A sample of a platform's paid order, made a customer's.
pub(crate) fn sample(
    stage: &Stage,
    platform: Platform,
    order: u64,
) -> (Vec<(&'static str, String)>, Vec<u8>) {
    let secret = WebhookSecret::new(WEBHOOK_SECRET).unwrap();
    let sample = ec::sample(platform, &secret, order, None, stage.clock.now());
    let mut document: Value = serde_json::from_slice(&sample.body).unwrap();
    match platform {
        Platform::Shopify => document["customer"] = json!({ "id": 42 }),
        Platform::WooCommerce => document["customer_id"] = json!(42),
        Platform::EcCube4 => {}
    }
    let body = document.to_string().into_bytes();
    let mut headers = sample.headers;
    headers
        .retain(|(name, _)| *name != "X-Shopify-Test" && *name != signature::header_name(platform));
    headers.push(signed(platform, WEBHOOK_SECRET, &body));
    (headers, body)
}

/// A statement of an order of two lines, 3,000 yen in all, and what more is known of it.
pub(crate) fn statement(order: &str, customer: &str, more: &Value) -> Value {
    let line = |id: &str, quantity: u32, amount: i64| json!({ "line_id": id, "sku": id, "name": id, "quantity": quantity, "amount": amount, "tax_rate": 10 });
    let mut statement = json!({
        "order_id": order,
        "as_of": "2026-11-22T02:00:00Z",
        "placed": {
            "number": format!("#{order}"),
            "ordered_at": "2026-11-22T02:00:00Z",
            "customer": { "id": customer, "email": "taro@example.jp" },
            "lines": [line("a", 2, 2_000), line("b", 1, 1_000)],
            "total": 3_000,
            "tax": 272,
        },
    });
    for (key, value) in more.as_object().unwrap() {
        statement[key] = value.clone();
    }
    statement
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
