//! Staff that comes through the brand's sign-in (OpenID Connect), at an issuer of the test's own.

use std::sync::Arc;

use acceptance::{databases::Database, on_each_database};
use axum::{Json, Router, routing::get};
use data_encoding::BASE64;
use gateway::desk::sign_in::{StaffSignIn, nonce};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use member_card::SigningKey;
use outbound::https::{Client, Limits};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Console, Phone, said};

on_each_database!(
    a_sign_in_gives_the_role_that_the_brand_says,
    a_sign_in_that_is_not_good_gives_nothing
);

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Who issues ID tokens.
struct Issuer {
    url: String,
    key: SigningKey,
}

impl Issuer {
    async fn start() -> Self {
        let key = SigningKey::generate().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let about = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") });
        let mut jwk = serde_json::to_value(key.public_key().to_jwk()).unwrap();
        jwk["kid"] = json!("k-1");
        jwk["alg"] = json!("ES256");
        jwk["use"] = json!("sig");
        let keys = json!({ "keys": [jwk] });
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(|| async { Json(about) }),
            )
            .route("/keys", get(|| async { Json(keys) }));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, key }
    }

    fn file(&self) -> String {
        format!(
            "[[issuer]]\nurl = \"{0}\"\nname = \"Brand\"\nclient_ids = [\"console\"]\n\
             authorization_url = \"{0}/authorize\"\nclaim = \"groups\"\n\
             roles = {{ desk = \"support\", boss = \"manager\", books = \"auditor\" }}\n",
            self.url
        )
    }

    /// A token as it should be, for somebody of these groups.
    fn claims(&self, console: &Console, groups: Value) -> Value {
        let now = console.stage.clock.now().as_second();
        json!({
            "iss": self.url, "sub": "u-1", "aud": "console", "iat": now, "exp": now + 300,
            "nonce": nonce(SECRET), "groups": groups,
        })
    }

    fn sign(&self, claims: &Value) -> String {
        sign(&self.key, claims)
    }
}

fn sign(key: &SigningKey, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("k-1".into());
    let pem = key.to_pkcs8_pem().unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = EncodingKey::from_ec_der(&BASE64.decode(body.as_bytes()).unwrap());
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

async fn opened(database: Database) -> (Console, Issuer) {
    let issuer = Issuer::start().await;
    let file = issuer.file();
    let console = Console::with(database, |settings| {
        let client = Client::new(Limits::default()).unwrap();
        let sign_in = StaffSignIn::parse("staff.toml", &file, client).unwrap();
        settings.staff_sign_in = Some(Arc::new(sign_in));
    })
    .await;
    (console, issuer)
}

async fn signed_in(console: &Console, token: &str, secret: &str) -> (u16, Value) {
    let request = reqwest::Client::new().post(console.stage.url("/v1/admin/sessions"));
    said(request.json(&json!({ "id_token": token, "nonce": secret }))).await
}

async fn a_sign_in_gives_the_role_that_the_brand_says(database: Database) {
    let (console, issuer) = opened(database).await;
    let ways = reqwest::get(console.stage.url("/v1/admin/sign-in"))
        .await
        .unwrap();
    let ways: Value = ways.json().await.unwrap();
    assert_eq!(ways["openid"][0]["client_id"], "console");
    let token = issuer.sign(&issuer.claims(&console, json!(["desk", "books"])));
    let (status, session) = signed_in(&console, &token, SECRET).await;
    assert_eq!(
        (status, &session["role"]),
        (201, &json!("support")),
        "{session}"
    );
    let access = session["access_token"].as_str().unwrap();
    let me = console.ask_as(access, "GET", "/v1/admin/me", None).await.1;
    let actor = format!("openid:{}#u-1", issuer.url);
    assert_eq!(me["actor"], json!(actor));
    let phone = Phone::new(&console.stage).await;
    let body = json!({ "reason": "lost phone" });
    let blocked = console
        .ask_as(access, "POST", &phone.path("/block"), Some(body.clone()))
        .await;
    assert_eq!(blocked.0, 200, "{blocked:?}");
    assert_eq!(console.acts().await[0]["actor"], json!(actor));
    let erase = console
        .ask_as(access, "POST", &phone.path("/erase"), Some(body))
        .await;
    assert_eq!(erase.0, 403);
    console.stage.pass(910);
    let over = console.ask_as(access, "GET", "/v1/admin/me", None).await;
    assert_eq!(over.0, 401, "{over:?}");
}

async fn a_sign_in_that_is_not_good_gives_nothing(database: Database) {
    let (console, issuer) = opened(database).await;
    let good = issuer.claims(&console, json!("boss"));
    let changed = |key: &str, value: Value| {
        let mut claims = good.clone();
        claims[key] = value;
        claims
    };
    let now = console.stage.clock.now().as_second();
    let forger = SigningKey::generate().unwrap();
    let tokens = [
        ("forged", sign(&forger, &good)),
        (
            "of another audience",
            issuer.sign(&changed("aud", json!("points-app"))),
        ),
        (
            "of another issuer",
            issuer.sign(&changed("iss", json!("http://127.0.0.1:9"))),
        ),
        ("over", issuer.sign(&changed("exp", json!(now - 3_600)))),
        (
            "of another sign-in",
            issuer.sign(&changed("nonce", json!(nonce("another secret, 1234")))),
        ),
        ("no token", "e30.e30.x".to_owned()),
    ];
    for (what, token) in tokens {
        let (status, answer) = signed_in(&console, &token, SECRET).await;
        assert_eq!(
            (status, &answer["type"]),
            (401, &json!("/problems/invalid_token")),
            "{what}: {answer}"
        );
    }
    let token = issuer.sign(&good);
    let (status, _) = signed_in(&console, &token, "another secret, 1234").await;
    assert_eq!(status, 401);
    for groups in [json!("visitors"), json!(null), json!(["BOSS"])] {
        let token = issuer.sign(&issuer.claims(&console, groups));
        let (status, answer) = signed_in(&console, &token, SECRET).await;
        assert_eq!(
            (status, &answer["type"]),
            (403, &json!("/problems/role_not_allowed")),
            "{answer}"
        );
    }
    let old = issuer.sign(&changed("iat", json!(now - 301)));
    assert_eq!(signed_in(&console, &old, SECRET).await.0, 401);
    // An ID token is no access token.
    assert_eq!(
        console.ask_as(&token, "GET", "/v1/admin/me", None).await.0,
        401
    );
    let token = issuer.sign(&changed("iat", json!(now - 300)));
    assert_eq!(signed_in(&console, &token, SECRET).await.0, 201);
    // One sign-in, one session, however the token is signed.
    for token in [token, issuer.sign(&good)] {
        let (status, answer) = signed_in(&console, &token, SECRET).await;
        assert_eq!(
            (status, &answer["type"]),
            (401, &json!("/problems/invalid_token")),
            "{answer}"
        );
    }
}
