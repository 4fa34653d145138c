//! Access tokens: getting them, forging them, outliving them, rotating their keys.

use acceptance::{databases::Database, on_each_database};
use data_encoding::BASE64URL_NOPAD;
use gateway::{
    http::rotate_signing_keys,
    limits,
    store::{ClientSecret, Creation},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pos_protocol::StoreId;
use serde_json::{Value, json};

use crate::stage::{SECRET, Set, Stage, answer};

on_each_database!(
    a_till_gets_a_token_that_names_its_place,
    keys_rotate_without_a_token_failing,
    a_disabled_client_is_shut_out,
    gateways_that_start_together_take_each_others_tokens_at_once,
    reference_data_is_kept_and_found,
);

fn claims_of(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

async fn a_till_gets_a_token_that_names_its_place(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let answer = reqwest::Client::new()
        .post(stage.url("/oauth/token"))
        .form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "till-1"),
            ("client_secret", SECRET),
            ("scope", "pos"),
        ])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("pos"))
    );
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(part(token, 0)["typ"], "at+jwt");
    let claims = claims_of(token);
    let now = stage.clock.now().as_second();
    for (claim, value) in [
        ("iss", json!("urn:point-gateway:demo")),
        ("aud", json!("demo")),
        ("sub", json!("till-1")),
        ("client_id", json!("till-1")),
        ("terminal", json!("ginza-1")),
        ("store", json!("ginza")),
        ("iat", json!(now)),
        ("exp", json!(now + 3600)),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    assert_eq!(stage.as_till(token).await, (200, "ginza-1@ginza".into()));
}

/// Basic credentials, form, status, error.
type Case<'a> = (
    Option<(&'a str, &'a str)>,
    &'a [(&'a str, &'a str)],
    u16,
    &'a str,
);

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_oauth() {
    let stage = Stage::new().await;
    let grant = ("grant_type", "client_credentials");
    let (id, secret) = (("client_id", "till-1"), ("client_secret", SECRET));
    let basic = Some(("till-1", SECRET));
    let cases: &[Case<'_>] = &[
        (None, &[grant], 401, "invalid_client"),
        (None, &[grant, id], 401, "invalid_client"),
        (
            None,
            &[grant, id, ("client_secret", "no")],
            401,
            "invalid_client",
        ),
        (
            None,
            &[grant, ("client_id", "nobody"), secret],
            401,
            "invalid_client",
        ),
        (Some(("till-1", "no")), &[grant], 401, "invalid_client"),
        (basic, &[grant, id, secret], 400, "invalid_request"),
        (basic, &[], 400, "invalid_request"),
        (basic, &[grant, grant], 400, "invalid_request"),
        (
            basic,
            &[("grant_type", "password")],
            400,
            "unsupported_grant_type",
        ),
        (basic, &[grant, ("scope", "admin")], 400, "invalid_scope"),
        (
            basic,
            &[grant, ("scope", "pos nonsense")],
            400,
            "invalid_scope",
        ),
    ];
    for (basic, form, status, error) in cases {
        let mut request = reqwest::Client::new()
            .post(stage.url("/oauth/token"))
            .form(form);
        if let Some((id, secret)) = basic {
            request = request.basic_auth(id, Some(secret));
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), *status, "{form:?}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(
            answer.headers().contains_key("www-authenticate"),
            *status == 401
        );
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], *error, "{form:?}");
    }
    let json = reqwest::Client::new()
        .post(stage.url("/oauth/token"))
        .json(&json!({"grant_type": "client_credentials"}));
    let (status, body) = answer(json).await;
    assert_eq!(status, 400);
    assert!(body.contains("invalid_request"), "{body}");
}

#[tokio::test]
async fn a_token_ends_and_a_scope_is_needed() {
    let stage = Stage::new().await;
    let token = stage.token().await;
    let staff = reqwest::Client::new().get(stage.url("/stage/staff"));
    let (status, body) = answer(staff.bearer_auth(&token)).await;
    assert_eq!(status, 403);
    assert!(body.contains("insufficient_scope"), "{body}");

    stage.pass(limits::ACCESS_TOKEN_LIFE_S - 1);
    assert_eq!(stage.as_till(&token).await.0, 200);
    stage.pass(limits::ACCESS_TOKEN_LEEWAY_S + 1);
    let (status, body) = stage.as_till(&token).await;
    assert_eq!(status, 401);
    assert!(body.contains("it has ended"), "{body}");
}

/// A token with these changes, signed by the gateway's own key.
async fn forged(stage: &Stage, header: Value, changes: Value, removed: &[&str]) -> String {
    let keys = stage.app.store().signing_keys().await.unwrap();
    let mut claims = claims_of(&stage.token().await);
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    for name in removed {
        claims.as_object_mut().unwrap().remove(*name);
    }
    let mut good = Header::new(Algorithm::ES256);
    good.typ = Some("at+jwt".into());
    good.kid = Some(keys[0].kid.clone());
    let mut merged = serde_json::to_value(&good).unwrap();
    for (name, value) in header.as_object().unwrap() {
        merged[name] = value.clone();
    }
    let header: Header = serde_json::from_value(merged).unwrap();
    let key = match header.alg {
        // The classic: the public key as the secret of an HMAC.
        Algorithm::HS256 => EncodingKey::from_secret(&keys[0].public_key),
        _ => EncodingKey::from_ec_der(&keys[0].private_key),
    };
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let stage = Stage::new().await;
    let now = stage.clock.now().as_second();
    let good = forged(&stage, json!({}), json!({}), &[]).await;
    assert_eq!(stage.as_till(&good).await.0, 200);

    let none = json!({});
    let cases = [
        ("HS256", json!({"alg": "HS256"}), none.clone(), vec![]),
        ("another typ", json!({"typ": "JWT"}), none.clone(), vec![]),
        (
            "a card proof's typ",
            json!({"typ": "card-proof+jwt"}),
            none.clone(),
            vec![],
        ),
        ("no typ", json!({"typ": null}), none.clone(), vec![]),
        (
            "unknown kid",
            json!({"kid": "nobody"}),
            none.clone(),
            vec![],
        ),
        ("no kid", json!({"kid": null}), none.clone(), vec![]),
        ("crit", json!({"crit": ["exp"]}), none.clone(), vec![]),
        (
            "another audience",
            none.clone(),
            json!({"aud": "other"}),
            vec![],
        ),
        (
            "several audiences",
            none.clone(),
            json!({"aud": ["demo", "other"]}),
            vec![],
        ),
        (
            "another issuer",
            none.clone(),
            json!({"iss": "https://evil.example"}),
            vec![],
        ),
        ("ended", none.clone(), json!({"exp": now - 60}), vec![]),
        ("not yet", none.clone(), json!({"nbf": now + 60}), vec![]),
        (
            "exp as text",
            none.clone(),
            json!({"exp": "9999999999"}),
            vec![],
        ),
        ("nbf as text", none.clone(), json!({"nbf": "0"}), vec![]),
        (
            "exp as fraction",
            none.clone(),
            json!({"exp": 9_999_999_999.5}),
            vec![],
        ),
        ("no exp", none.clone(), none.clone(), vec!["exp"]),
        ("no nbf", none.clone(), none.clone(), vec!["nbf"]),
        ("no aud", none.clone(), none.clone(), vec!["aud"]),
        ("no iss", none.clone(), none.clone(), vec!["iss"]),
        (
            "another terminal",
            none.clone(),
            json!({"terminal": "ginza-2"}),
            vec![],
        ),
        (
            "more scope",
            none.clone(),
            json!({"scope": "admin pos"}),
            vec![],
        ),
        (
            "another client",
            none.clone(),
            json!({"client_id": "nobody"}),
            vec![],
        ),
    ];
    for (what, header, changes, removed) in cases {
        let token = forged(&stage, header, changes, &removed).await;
        let (status, body) = stage.as_till(&token).await;
        assert_eq!(status, 401, "{what}: {body}");
        assert!(body.contains("/problems/invalid_token"), "{what}: {body}");
    }
}

#[tokio::test]
async fn a_token_without_a_good_signature_is_refused() {
    let stage = Stage::new().await;
    let good = stage.token().await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let claims = signed.split_once('.').unwrap().1;
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"at+jwt"}"#);
    let other_claims = {
        let mut claims = claims_of(&good);
        claims["store"] = json!("other");
        BASE64URL_NOPAD.encode(claims.to_string().as_bytes())
    };
    let header = signed.split_once('.').unwrap().0;
    for token in [
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{header}.{other_claims}.{signature}"),
        format!("{signed}."),
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&[0; 64])),
        signed.to_owned(),
        format!("{good}.{signature}"),
        "a.b.c".to_owned(),
        "é".to_owned(),
        "x".repeat(limits::BEARER_TOKEN_BYTES_MAX + 1),
    ] {
        let (status, body) = stage.as_till(&token).await;
        assert_eq!(status, 401, "{token}: {body}");
    }
    // What was refused did not spoil what was good.
    assert_eq!(stage.as_till(&good).await.0, 200);
}

async fn published(stage: &Stage) -> Vec<String> {
    let (_, body) = answer(reqwest::Client::new().get(stage.url("/.well-known/jwks.json"))).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let keys = body["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn keys_rotate_without_a_token_failing(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let elsewhere = stage.another(Set::default()).await;
    let kid = |token: &str| part(token, 0)["kid"].as_str().unwrap().to_owned();
    let old = kid(&stage.token().await);

    let rotation = rotate_signing_keys(stage.app.store(), stage.clock.now())
        .await
        .unwrap();
    stage.app.read_signing_keys().await.unwrap();
    assert_eq!(published(&stage).await, [rotation.kid.clone(), old.clone()]);
    assert_eq!(kid(&stage.token().await), old, "published before it signs");

    stage.pass(limits::SIGNING_KEY_LEAD_S - 1);
    let last_of_old = stage.token().await;
    assert_eq!(kid(&last_of_old), old);
    stage.pass(1);
    let new = stage.token().await;
    assert_eq!(kid(&new), rotation.kid);
    // The other gateway has not read its keys since: an unknown id makes it look.
    assert_eq!(elsewhere.as_till(&new).await.0, 200);
    stage.pass(limits::ACCESS_TOKEN_LIFE_S - 2);
    for gateway in [&stage, &elsewhere] {
        assert_eq!(gateway.as_till(&last_of_old).await.0, 200, "overlap");
    }

    stage.pass(60);
    assert_eq!(published(&stage).await, [rotation.kid]);
    let again = rotate_signing_keys(stage.app.store(), stage.clock.now())
        .await
        .unwrap();
    assert_eq!(again.deleted, 1, "the private key is gone for good");
}

async fn a_disabled_client_is_shut_out(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let token = stage.token().await;
    stage
        .app
        .store()
        .disable_client("till-1", stage.clock.now())
        .await
        .unwrap();
    // A gateway that has not asked for this client yet; the others hear of it within seconds.
    let elsewhere = stage.another(Set::default()).await;
    assert_eq!(elsewhere.as_till(&token).await.0, 401);
    let request = reqwest::Client::new()
        .post(stage.url("/oauth/token"))
        .basic_auth("till-1", Some(SECRET))
        .form(&[("grant_type", "client_credentials")]);
    let (status, body) = answer(request).await;
    assert_eq!(status, 401);
    assert!(body.contains("invalid_client"), "{body}");
}

/// Two gateways on a database without a key: whoever makes the first, both sign with it.
async fn gateways_that_start_together_take_each_others_tokens_at_once(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let forget = "DELETE FROM signing_keys";
    for _ in 0..5 {
        stage.database().tamper(forget).await;
        let (one, other) =
            tokio::join!(stage.another(Set::default()), stage.another(Set::default()),);
        let keys = stage.app.store().signing_keys().await.unwrap();
        assert_eq!(keys.len(), 1);
        let (ones, others) = (one.token().await, other.token().await);
        assert_eq!(one.as_till(&others).await.0, 200);
        assert_eq!(other.as_till(&ones).await.0, 200);
    }
}

async fn reference_data_is_kept_and_found(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (store, now) = (stage.app.store(), stage.clock.now());
    let stores = store.list_stores().await.unwrap();
    assert_eq!((stores.len(), stores[0].name.as_str()), (1, "Ginza"));
    assert_eq!(
        store.store_row(&stores[0].id).await.unwrap(),
        Some(stores[0].clone())
    );
    let terminals = store.list_terminals().await.unwrap();
    assert_eq!(terminals.len(), 2);
    assert_eq!(
        store.terminal(&terminals[0].id).await.unwrap(),
        Some(terminals[0].clone())
    );
    let again = store.create_store(&stores[0].id, "Other", now).await;
    assert_eq!(again.unwrap(), Creation::Exists);
    let nowhere = StoreId::new("nowhere").unwrap();
    let lost = store.create_terminal(&terminals[0].id, &nowhere, now).await;
    assert_eq!(lost.unwrap(), Creation::NoSuchPlace);

    let names: Vec<_> = store.list_clients().await.unwrap();
    let names: Vec<_> = names.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(names, ["staff", "till-1", "till-2"]);
    let fresh = ClientSecret::given("another");
    assert!(store.rotate_client_secret("till-1", &fresh).await.unwrap());
    assert!(!store.rotate_client_secret("nobody", &fresh).await.unwrap());
    let client = store.client("till-1").await.unwrap().unwrap();
    assert!(client.knows("another") && !client.knows(SECRET) && client.is_enabled());
    assert!(store.disable_client("till-1", now).await.unwrap());
    stage.pass(1);
    let later = stage.clock.now();
    assert!(store.disable_client("till-1", later).await.unwrap());
    let client = store.client("till-1").await.unwrap().unwrap();
    assert_eq!(client.disabled_at, Some(now), "the first time stands");
}
