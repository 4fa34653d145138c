//! A phone: its key, its proofs, and what it may ask.

use acceptance::{databases::Database, on_each_database};
use member_card::{CardFields, ProgrammeId, SigningKey, SpendLimit, proof, random_id};
use serde_json::{Value, json};

use crate::stage::{Set, Stage};

on_each_database!(
    the_same_key_is_the_same_card,
    a_revoked_card_is_told_so_and_never_comes_back,
    what_a_phone_must_know_before_it_has_a_key,
);

/// A phone with a card key of its own.
pub(crate) struct Phone<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) key: SigningKey,
}

pub(crate) fn programme() -> ProgrammeId {
    ProgrammeId::new("demo").unwrap()
}

impl<'a> Phone<'a> {
    pub(crate) fn new(stage: &'a Stage) -> Self {
        let key = SigningKey::generate().unwrap();
        Self { stage, key }
    }

    /// A phone that is enrolled.
    pub(crate) async fn enrolled(stage: &'a Stage) -> Self {
        let phone = Self::new(stage);
        assert_eq!(phone.enrol().await.0, 201);
        phone
    }

    pub(crate) fn now(&self) -> u32 {
        self.stage.clock.now().as_second().try_into().unwrap()
    }

    pub(crate) fn proof(&self, method: &str, url: &str) -> String {
        let request = proof::Request {
            programme: &programme(),
            issued_at: self.now(),
            id: &random_id().unwrap(),
            method,
            url,
        };
        proof::sign(&self.key, &request)
    }

    pub(crate) async fn enrol(&self) -> (u16, Value) {
        let body = json!({
            "public_key": self.key.public_key().to_jwk(),
            "proof": self.proof("POST", "/v1/cards"),
        });
        let request = reqwest::Client::new().post(self.stage.url("/v1/cards"));
        said(request.json(&body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(self.stage.url(path));
        said(request.bearer_auth(self.proof("GET", path))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(self.stage.url(path));
        said(request.bearer_auth(self.proof("POST", path)).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().delete(self.stage.url(path));
        said(request.bearer_auth(self.proof("DELETE", path))).await
    }

    /// A card text that may spend everything, made now.
    pub(crate) fn card(&self) -> String {
        let fields = CardFields {
            issued_at: self.now(),
            spend: SpendLimit::Unlimited,
        };
        self.key.sign(fields, &programme()).unwrap().to_digits()
    }
}

pub(crate) async fn said(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

async fn the_same_key_is_the_same_card(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let phone = Phone::new(&stage);
    let (status, first) = phone.enrol().await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(first["card_id"], phone.key.card_id().to_string());
    assert_eq!(first["programme"], "demo");
    assert_eq!(first["member_no"].as_str().unwrap().len(), 12);
    stage.pass(1);
    let (status, again) = phone.enrol().await;
    assert_eq!(status, 200);
    for name in ["card_id", "member_id", "member_no"] {
        assert_eq!(again[name], first[name], "{name}");
    }
    let (_, me) = phone.get("/v1/me").await;
    assert_eq!(me["member_no"], first["member_no"]);
    assert_eq!(me["points"]["available"], 0);
    assert_eq!(me["cards"][0]["card_id"], first["card_id"]);
    assert_eq!(me["cards"][0]["this"], true);
}

#[tokio::test]
async fn a_key_that_is_none_is_named() {
    let stage = Stage::new().await;
    let phone = Phone::new(&stage);
    let jwk = serde_json::to_value(phone.key.public_key().to_jwk()).unwrap();
    let with = |name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    for key in [
        with("crv", json!("P-384")),
        with("x", jwk["y"].clone()),
        with("x", json!("AA")),
        with("d", json!("AA")),
    ] {
        let body = json!({"public_key": key, "proof": phone.proof("POST", "/v1/cards")});
        let request = reqwest::Client::new().post(stage.url("/v1/cards"));
        let (status, problem) = said(request.json(&body)).await;
        assert_eq!(status, 422, "{key}: {problem}");
        assert_eq!(problem["errors"][0]["pointer"], "/public_key");
    }
}

async fn a_revoked_card_is_told_so_and_never_comes_back(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, other) = (Phone::enrolled(&stage).await, Phone::enrolled(&stage).await);
    let path = format!("/v1/me/cards/{}", phone.key.card_id());
    let (status, problem) = other.delete(&path).await;
    assert_eq!(
        (status, &problem["type"]),
        (404, &json!("/problems/unknown_resource"))
    );
    assert_eq!(phone.delete("/v1/me/cards/1").await.0, 422);
    assert_eq!(phone.delete(&path).await.0, 204);
    for (status, problem) in [phone.get("/v1/me").await, phone.enrol().await] {
        assert_eq!(
            (status, &problem["type"]),
            (403, &json!("/problems/card_revoked"))
        );
    }
}

async fn what_a_phone_must_know_before_it_has_a_key(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (status, programme) = said(reqwest::Client::new().get(stage.url("/v1/programme"))).await;
    assert_eq!(status, 200);
    assert_eq!(
        programme,
        json!({"programme": "demo", "name": "Demo points", "server_time": "2026-11-22T03:00:00Z"})
    );
}
