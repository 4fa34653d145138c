//! Card proofs: what is refused, and that nothing says how far a forgery came.

use data_encoding::BASE64URL_NOPAD;
use gateway::{
    http::{Rate, Rates},
    store::Store,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::{
    phone::{Phone, said},
    stage::{Set, Stage},
};

impl Phone<'_> {
    /// A proof with these changes, signed by the card's key.
    fn forged(&self, header: Value, claims: Value) -> String {
        let pem = self.key.to_pkcs8_pem().unwrap();
        let der = pem_body(&pem);
        let mut good = json!({
            "alg": "ES256", "typ": "card-proof+jwt", "kid": self.key.card_id().to_string(),
        });
        overlay(&mut good, header);
        let header: Header = serde_json::from_value(good).unwrap();
        let mut good = json!({
            "aud": "demo", "iat": self.now(), "exp": self.now() + 60,
            "jti": member_card::random_id().unwrap(), "htm": "GET", "htu": "/v1/me",
        });
        overlay(&mut good, claims);
        let key = match header.alg {
            Algorithm::HS256 => EncodingKey::from_secret(&self.key.public_key().to_sec1()),
            _ => EncodingKey::from_ec_der(&der),
        };
        jsonwebtoken::encode(&header, &good, &key).unwrap()
    }

    async fn me(&self, proof: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(self.stage.url("/v1/me"));
        said(request.bearer_auth(proof)).await
    }
}

fn overlay(into: &mut Value, changes: Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => into.as_object_mut().unwrap().remove(name),
            _ => into
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
}

fn pem_body(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    data_encoding::BASE64.decode(body.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_forged_proof_is_refused() {
    let stage = Stage::new().await;
    let phone = Phone::enrolled(&stage).await;
    let other = Phone::enrolled(&stage).await;
    let stranger = Phone::new(&stage);
    let none = json!({});
    assert_eq!(
        phone.me(&phone.forged(none.clone(), none.clone())).await.0,
        200
    );
    let now = phone.now();
    let cases = [
        ("HS256", json!({"alg": "HS256"}), none.clone()),
        ("another typ", json!({"typ": "at+jwt"}), none.clone()),
        ("no typ", json!({"typ": null}), none.clone()),
        (
            "another's card",
            json!({"kid": other.key.card_id().to_string()}),
            none.clone(),
        ),
        ("a kid that is none", json!({"kid": "x"}), none.clone()),
        ("no kid", json!({"kid": null}), none.clone()),
        ("crit", json!({"crit": ["b64"]}), none.clone()),
        ("another programme", none.clone(), json!({"aud": "other"})),
        ("several programmes", none.clone(), json!({"aud": ["demo"]})),
        ("another method", none.clone(), json!({"htm": "POST"})),
        (
            "another path",
            none.clone(),
            json!({"htu": "/v1/me/history"}),
        ),
        (
            "another host",
            none.clone(),
            json!({"htu": "http://evil.example/v1/me"}),
        ),
        ("too long", none.clone(), json!({"exp": now + 61})),
        ("backwards", none.clone(), json!({"exp": now - 1})),
        (
            "old",
            none.clone(),
            json!({"iat": now - 100, "exp": now - 40}),
        ),
        (
            "from the future",
            none.clone(),
            json!({"iat": now + 20, "exp": now + 60}),
        ),
        (
            "exp as text",
            none.clone(),
            json!({"exp": (now + 60).to_string()}),
        ),
        ("no exp", none.clone(), json!({"exp": null})),
        ("no jti", none.clone(), json!({"jti": null})),
        ("empty jti", none.clone(), json!({"jti": ""})),
    ];
    for (what, header, claims) in cases {
        let (status, problem) = phone.me(&phone.forged(header, claims)).await;
        assert_eq!(status, 401, "{what}: {problem}");
        assert_eq!(problem["type"], "/problems/invalid_proof", "{what}");
    }

    // An unknown card and a wrong signature cannot be told apart.
    let good = phone.forged(none.clone(), none.clone());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let unsigned = format!("{signed}.{}", BASE64URL_NOPAD.encode(&[1; 64]));
    let (_, mut wrong) = phone.me(&unsigned).await;
    let (status, mut unknown) = stranger
        .me(&stranger.forged(none.clone(), none.clone()))
        .await;
    assert_eq!(status, 401);
    for problem in [&mut wrong, &mut unknown] {
        problem["request_id"] = Value::Null;
    }
    assert_eq!(wrong, unknown);
    // A forgery does not use up the proof it was made from.
    assert_eq!(phone.me(&good).await.0, 200);
}

#[tokio::test]
async fn a_proof_serves_once() {
    let stage = Stage::new().await;
    let phone = Phone::enrolled(&stage).await;
    let proof = phone.proof("GET", "/v1/me");
    assert_eq!(phone.me(&proof).await.0, 200);
    let (status, problem) = phone.me(&proof).await;
    assert_eq!(status, 401);
    assert!(
        problem["detail"].as_str().unwrap().contains("used before"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_proof_names_the_url_as_the_phone_sees_it() {
    let stage = Stage::new().await;
    let phone = Phone::enrolled(&stage).await;
    let absolute = format!("http://{}/v1/me?x=1", stage.address);
    assert_eq!(phone.me(&phone.proof("GET", &absolute)).await.0, 200);

    let mut set = Set::default();
    set.settings.public_url = Some("https://points.example/gw".parse().unwrap());
    let behind_a_proxy = stage.another(set).await;
    let phone = Phone {
        stage: &behind_a_proxy,
        key: phone.key,
    };
    let public = "https://points.example/gw/v1/me";
    assert_eq!(phone.me(&phone.proof("GET", public)).await.0, 200);
    assert_eq!(phone.me(&phone.proof("GET", &absolute)).await.0, 401);
}

#[tokio::test]
async fn an_enrolment_needs_the_key_it_shows() {
    let stage = Stage::new().await;
    let (phone, other) = (Phone::new(&stage), Phone::new(&stage));
    for proof in [
        other.proof("POST", "/v1/cards"),
        phone.proof("GET", "/v1/cards"),
        phone.proof("POST", "/v1/me"),
        String::new(),
    ] {
        let body = json!({"public_key": phone.key.public_key().to_jwk(), "proof": proof});
        let request = reqwest::Client::new().post(stage.url("/v1/cards"));
        let (status, problem) = said(request.json(&body)).await;
        assert_eq!(status, 401, "{problem}");
        assert_eq!(problem["type"], "/problems/invalid_proof");
    }
}

#[tokio::test]
async fn who_invents_too_many_proofs_costs_no_more_reads() {
    let mut set = Set::default();
    set.settings.rates = Rates {
        peer: Rate::new(3, 1),
        ..Rates::default()
    };
    let stage = Stage::with(set).await;
    let stranger = Phone::new(&stage);
    let mut refused = 0;
    while stranger.get("/v1/me").await.0 != 429 {
        refused += 1;
        assert!(refused < 100, "it is never limited");
    }
    // Whoever asked the store now would be told that it is away.
    match stage.app.store() {
        Store::Sqlite { read, .. } => read.close().await,
        Store::Postgres { read, .. } => read.close().await,
    }
    assert_eq!(stranger.get("/v1/me").await.0, 429);
}

#[tokio::test]
async fn a_revoked_card_has_its_rate_too() {
    let mut set = Set::default();
    set.settings.rates = Rates {
        card: Rate::new(3, 1),
        ..Rates::default()
    };
    let stage = Stage::with(set).await;
    let phone = Phone::enrolled(&stage).await;
    let path = format!("/v1/me/cards/{}", phone.key.card_id());
    assert_eq!(phone.delete(&path).await.0, 204);
    let mut told = 0;
    while phone.get("/v1/me").await.0 == 403 {
        told += 1;
        assert!(told < 100, "it is never limited");
    }
    assert_eq!(phone.get("/v1/me").await.0, 429);
}
