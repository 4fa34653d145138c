//! The staff console over the wire, on both stores: who may do what, what is noted, four eyes, merges with
//! their preview, secrets that are shown once, figures.

mod acts;
mod bounds;
mod desk;
mod figures;
mod looking;
mod places;
mod roles;
mod sign_in;

#[allow(
    dead_code,
    reason = "the stage of the edge's own tests, which use all of it"
)]
#[path = "../http_edge/stage.rs"]
mod stage;

use std::{fs, sync::Arc};

use acceptance::databases::Database;
use gateway::{
    http::Settings,
    secrets::Secrets,
    store::{ClientScope, ClientSecret, NewClient, Role},
};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit, proof, random_id};
use serde_json::{Value, json};
use tempfile::TempDir;

use stage::{SECRET, Set, Stage};

/// A gateway with staff of each role, clients of their names.
struct Console {
    stage: Stage,
    _folder: TempDir,
}

impl Console {
    async fn open(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    async fn with(database: Database, edit: impl FnOnce(&mut Settings)) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("secrets.toml");
        fs::write(&file, Secrets::fresh().unwrap().as_bytes()).unwrap();
        let mut settings = Settings::new(programme());
        settings.secrets = Some(Arc::new(Secrets::read(&file).unwrap()));
        edit(&mut settings);
        let set = Set {
            settings,
            ..Set::default()
        };
        let stage = Stage::over(database, set).await;
        let console = Self {
            stage,
            _folder: folder,
        };
        for (id, role) in [
            ("support", Role::Support),
            ("manager", Role::Manager),
            ("manager-2", Role::Manager),
            ("auditor", Role::Auditor),
        ] {
            console.staff(id, Some(role)).await;
        }
        console
    }

    /// Makes a client of staff.
    async fn staff(&self, id: &str, role: Option<Role>) {
        let client = NewClient {
            id,
            secret: &ClientSecret::given(SECRET),
            scopes: &[ClientScope::Admin].into(),
            terminal: None,
            shop: None,
            role,
        };
        let store = self.stage.app.store();
        store
            .create_client(&client, self.stage.clock.now())
            .await
            .unwrap();
    }

    async fn ask(&self, who: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let token = self.stage.token_for(who).await;
        self.ask_as(&token, method, path, body).await
    }

    async fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = self.stage.url(path);
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        let request = request.bearer_auth(token);
        said(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn get(&self, who: &str, path: &str) -> Value {
        let (status, answer) = self.ask(who, "GET", path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// What must succeed.
    async fn post(&self, who: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(who, "POST", path, Some(body)).await;
        assert!(status == 200 || status == 201, "{path}: {status} {answer}");
        answer
    }

    /// What must be refused: the kind of the problem and the word of the rule.
    async fn refused(&self, who: &str, path: &str, body: Value) -> (u16, String, String) {
        let (status, answer) = self.ask(who, "POST", path, Some(body)).await;
        assert!(status >= 400, "{path}: {status} {answer}");
        let kind = answer["type"].as_str().unwrap();
        let kind = kind.trim_start_matches("/problems/").to_owned();
        let detail = answer["detail"].as_str().unwrap();
        let word = detail.split(':').next().unwrap().to_owned();
        (status, kind, word)
    }

    async fn acts(&self) -> Vec<Value> {
        let acts = self.get("auditor", "/v1/admin/acts?limit=100").await;
        acts["acts"].as_array().unwrap().clone()
    }
}

fn programme() -> ProgrammeId {
    ProgrammeId::new("demo").unwrap()
}

fn conflict(word: &str) -> (u16, String, String) {
    (409, "conflict".to_owned(), word.to_owned())
}

async fn said(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// A phone that is enrolled.
struct Phone<'a> {
    stage: &'a Stage,
    key: SigningKey,
    number: String,
}

impl<'a> Phone<'a> {
    async fn new(stage: &'a Stage) -> Self {
        // Each record is older than the next.
        stage.pass(1);
        let key = SigningKey::generate().unwrap();
        let phone = Self {
            stage,
            key,
            number: String::new(),
        };
        let body = json!({
            "public_key": phone.key.public_key().to_jwk(),
            "proof": phone.proof("POST", "/v1/cards"),
        });
        let request = reqwest::Client::new().post(stage.url("/v1/cards"));
        let (status, made) = said(request.json(&body)).await;
        assert_eq!(status, 201, "{made}");
        let number = made["member_no"].as_str().unwrap().to_owned();
        Self { number, ..phone }
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

    async fn tell(&self, profile: Value) {
        let path = "/v1/me/profile";
        let request = reqwest::Client::new().put(self.stage.url(path));
        let body = json!({ "version": 0, "profile": profile });
        let request = request.bearer_auth(self.proof("PUT", path)).json(&body);
        let (status, answer) = said(request).await;
        assert_eq!(status, 200, "{answer}");
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
        let request = reqwest::Client::new().post(self.stage.url("/v1/pos/purchases"));
        let request = request.bearer_auth(self.stage.token().await).json(&body);
        let (status, answer) = said(request).await;
        assert_eq!(
            (status, &answer["outcome"]),
            (200, &json!("approved")),
            "{answer}"
        );
        answer
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/admin/members/{}{rest}", self.number)
    }
}
