//! Persons over the wire, on both stores: linking, merging, new phones, personal data, and why points are
//! what they are. Codes and notices are caught where they would be sent.

mod data;
mod linking;
mod staff;
mod why;

#[allow(
    dead_code,
    reason = "the stage of the edge's own tests, which use all of it"
)]
#[path = "../http_edge/stage.rs"]
mod stage;

use std::{
    fs,
    sync::{Arc, Mutex},
};

use acceptance::databases::Database;
use gateway::{http::Settings, secrets::Secrets};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit, proof, random_id};
use outbound::delivery::Delivery;
use serde_json::{Value, json};
use tempfile::TempDir;

use stage::{Set, Stage};

/// Messages that would be sent, oldest first.
type Sent = Arc<Mutex<Vec<Value>>>;

/// A gateway with secrets, whose messages are caught.
struct Shop {
    stage: Stage,
    sent: Sent,
    folder: TempDir,
}

impl Shop {
    async fn open(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("secrets.toml");
        fs::write(&file, Secrets::fresh().unwrap().as_bytes()).unwrap();
        let sent = Sent::default();
        let mut settings = Settings::new(programme());
        settings.secrets = Some(Arc::new(Secrets::read(&file).unwrap()));
        let caught = sent.clone();
        settings.delivery = Some(Delivery::call(move |message| {
            caught.lock().unwrap().push(message.to_json());
        }));
        let set = Set {
            settings,
            ..Set::default()
        };
        let stage = Stage::over(database, set).await;
        Self {
            stage,
            sent,
            folder,
        }
    }

    fn secrets(&self) -> String {
        self.folder
            .path()
            .join("secrets.toml")
            .display()
            .to_string()
    }

    /// The code that was sent last.
    fn last_code(&self) -> String {
        let sent = self.sent.lock().unwrap();
        let code = sent
            .iter()
            .rev()
            .find(|sent| sent["type"] == "one_time_code");
        code.unwrap()["data"]["code"].as_str().unwrap().to_owned()
    }
}

fn programme() -> ProgrammeId {
    ProgrammeId::new("demo").unwrap()
}

/// A phone that is enrolled.
struct Phone<'a> {
    stage: &'a Stage,
    key: SigningKey,
}

impl<'a> Phone<'a> {
    async fn new(stage: &'a Stage) -> Self {
        // Each record is older than the next: the older one stays.
        stage.pass(1);
        let key = SigningKey::generate().unwrap();
        let phone = Self { stage, key };
        let body = json!({
            "public_key": phone.key.public_key().to_jwk(),
            "proof": phone.proof("POST", "/v1/cards"),
        });
        let request = reqwest::Client::new().post(stage.url("/v1/cards"));
        assert_eq!(said(request.json(&body)).await.0, 201);
        phone
    }

    fn now(&self) -> u32 {
        self.stage.clock.now().as_second().try_into().unwrap()
    }

    fn proof(&self, method: &str, url: &str) -> String {
        let request = proof::Request {
            programme: &programme(),
            issued_at: self.now(),
            id: &random_id().unwrap(),
            method,
            url,
        };
        proof::sign(&self.key, &request)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method_of = method.parse().unwrap();
        let request = reqwest::Client::new().request(method_of, self.stage.url(path));
        let request = request.bearer_auth(self.proof(method, path));
        said(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, Some(body)).await
    }

    async fn me(&self) -> Value {
        let (status, me) = self.get("/v1/me").await;
        assert_eq!(status, 200, "{me}");
        me
    }

    /// Goods of 1,000 yen, and points to pay with.
    async fn buy(&self, request: &str, redeem: i64) -> Value {
        self.stage.pass(1);
        let fields = CardFields {
            issued_at: self.now(),
            spend: SpendLimit::Unlimited,
        };
        let card = self.key.sign(fields, &programme()).unwrap().to_digits();
        let body = json!({
            "request_id": request, "basket_id": request, "card": card, "redeem_points": redeem,
            "receipt": {
                "number": request, "business_date": "2026-11-22",
                "occurred_at": "2026-11-22T03:00:00Z",
                "lines": [{"line_no": 1, "sku": "a", "name": "Tea", "category": "food",
                           "quantity": 2, "amount": 1_000, "tax_rate": 8}],
                "total": 1_000, "tax": 74,
            },
        });
        till(self.stage, "/v1/pos/purchases", body).await
    }

    /// Makes this phone's member one with the other's, by a code.
    async fn join(&self, other: &Phone<'_>) {
        let (status, made) = other.ask("POST", "/v1/me/link-codes", None).await;
        assert_eq!(status, 201, "{made}");
        let body = json!({ "code": made["code"], "agree_to_merge": true });
        let (status, linked) = self.post("/v1/me/links", body).await;
        assert_eq!(
            (status, &linked["outcome"]),
            (200, &json!("merged")),
            "{linked}"
        );
    }
}

/// What a till is told; it must be approved.
async fn till(stage: &Stage, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new().post(stage.url(path));
    let request = request.bearer_auth(stage.token().await).json(&body);
    let (status, answer) = said(request).await;
    assert_eq!(
        (status, &answer["outcome"]),
        (200, &json!("approved")),
        "{answer}"
    );
    answer
}

async fn said(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// Status and kind of a problem.
fn problem((status, body): (u16, Value)) -> (u16, String) {
    let kind = body["type"].as_str().unwrap_or_default();
    (status, kind.trim_start_matches("/problems/").to_owned())
}
