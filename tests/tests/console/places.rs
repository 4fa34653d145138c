//! Stores, tills, shops and clients; secrets that are shown once; health and dead letters.

use acceptance::{databases::Database, on_each_database};
use gateway::store::{Fate, NewMessage};
use pos_protocol::ShopId;
use serde_json::{Value, json};

use super::{Console, conflict, said};

on_each_database!(
    places_and_clients_are_made_and_their_secrets_shown_once,
    nobody_gives_themselves_a_second_person,
    a_shop_is_made_and_its_secret_turned,
    health_is_told_and_dead_letters_are_tried_again,
);

async fn token(console: &Console, id: &str, secret: &str) -> (u16, Value) {
    let request = reqwest::Client::new().post(console.stage.url("/oauth/token"));
    let form = [("grant_type", "client_credentials")];
    said(request.basic_auth(id, Some(secret)).form(&form)).await
}

/// Asks for all that lists anything, and that the secret is in none of it.
async fn is_nowhere(console: &Console, secret: &str) {
    for path in ["clients", "shops", "stores", "terminals", "acts", "health"] {
        let shown = console.get("manager", &format!("/v1/admin/{path}")).await;
        assert!(!shown.to_string().contains(secret), "{path}: {shown}");
    }
}

async fn places_and_clients_are_made_and_their_secrets_shown_once(database: Database) {
    let console = Console::open(database).await;
    let make = |path: &'static str, body: Value| {
        let mut body = body;
        body["reason"] = json!("opening on Monday");
        console.post("manager", path, body)
    };
    make(
        "/v1/admin/stores",
        json!({ "store_id": "ueno", "name": "上野" }),
    )
    .await;
    make(
        "/v1/admin/terminals",
        json!({ "terminal_id": "ueno-1", "store_id": "ueno" }),
    )
    .await;
    let till = make(
        "/v1/admin/clients",
        json!({ "client_id": "till-ueno", "scope": "pos", "terminal_id": "ueno-1" }),
    );
    let till = till.await;
    assert_eq!(
        (&till["store_id"], &till["scopes"]),
        (&json!("ueno"), &json!(["pos"]))
    );
    let secret = till["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(token(&console, "till-ueno", &secret).await.0, 200);
    is_nowhere(&console, &secret).await;

    let why = json!({ "reason": "it was on a sticky note" });
    let turned = console
        .post(
            "manager",
            "/v1/admin/clients/till-ueno/rotate-secret",
            why.clone(),
        )
        .await;
    let newer = turned["client_secret"].as_str().unwrap();
    assert_eq!(token(&console, "till-ueno", &secret).await.0, 401);
    assert_eq!(token(&console, "till-ueno", newer).await.0, 200);
    is_nowhere(&console, newer).await;
    console
        .post(
            "manager",
            "/v1/admin/clients/till-ueno/disable",
            why.clone(),
        )
        .await;
    assert_eq!(token(&console, "till-ueno", newer).await.0, 401);
    let own = console
        .refused("manager", "/v1/admin/clients/manager/disable", why.clone())
        .await;
    assert_eq!(own, conflict("own_client"));

    let refused = |path: &'static str, body: Value| {
        let mut body = body;
        body["reason"] = json!("x");
        console.refused("manager", path, body)
    };
    assert_eq!(
        refused("/v1/admin/stores", json!({ "store_id": "ueno" })).await,
        conflict("exists")
    );
    let body = json!({ "terminal_id": "t", "store_id": "nowhere" });
    assert_eq!(refused("/v1/admin/terminals", body).await.0, 422);
    for wrong in [
        json!({ "client_id": "a b", "scope": "pos", "terminal_id": "ueno-1" }),
        json!({ "client_id": "a", "scope": "admin" }),
        json!({ "client_id": "a", "scope": "root" }),
        json!({ "client_id": "a", "scope": "pos" }),
        json!({ "client_id": "a", "scope": "pos", "terminal_id": "nowhere" }),
        json!({ "client_id": "a", "scope": "ec", "shop_id": "nowhere" }),
        json!({ "client_id": "a", "scope": "ec", "role": "manager" }),
    ] {
        assert_eq!(refused("/v1/admin/clients", wrong).await.0, 422);
    }
}

async fn nobody_gives_themselves_a_second_person(database: Database) {
    let console = Console::open(database).await;
    let second =
        json!({ "client_id": "second", "scope": "admin", "role": "manager", "reason": "x" });
    let second = console
        .refused("manager", "/v1/admin/clients", second)
        .await;
    assert_eq!(second.0, 422);
    let second = json!({ "client_id": "second", "scope": "admin", "reason": "x" });
    let (status, answer) = console
        .ask("manager", "POST", "/v1/admin/clients", Some(second))
        .await;
    assert_eq!(
        (status, &answer["errors"][0]["pointer"]),
        (422, &json!("/scope"))
    );
    let rotate = |id: &str| format!("/v1/admin/clients/{id}/rotate-secret");
    let why = json!({ "reason": "x" });
    for id in ["manager-2", "support", "staff"] {
        let refused = console.refused("manager", &rotate(id), why.clone()).await;
        assert_eq!(refused, conflict("staff_client"), "{id}");
        // The secret is what it was.
        assert_eq!(token(&console, id, super::stage::SECRET).await.0, 200);
    }
    let own = console.post("manager", &rotate("manager"), why).await;
    let own = own["client_secret"].as_str().unwrap();
    assert_eq!(token(&console, "manager", own).await.0, 200);
    assert_eq!(
        token(&console, "manager", super::stage::SECRET).await.0,
        401
    );
}

async fn a_shop_is_made_and_its_secret_turned(database: Database) {
    let console = Console::open(database).await;
    let body = json!({ "shop_id": "tea", "platform": "woocommerce", "name": "=cmd|' /C calc'!A0",
                       "base_url": "https://tea.example", "reason": "a new shop" });
    let made = console.post("manager", "/v1/admin/shops", body).await;
    let first = made["webhook_secret"].as_str().unwrap().to_owned();
    assert_eq!(made["webhook_path"], "/v1/ec/webhooks/tea");
    is_nowhere(&console, &first).await;
    console.stage.pass(1);
    let why = json!({ "reason": "every year" });
    let turned = console
        .post("manager", "/v1/admin/shops/tea/rotate-secret", why.clone())
        .await;
    let second = turned["webhook_secret"].as_str().unwrap();
    assert_ne!(first, second);
    is_nowhere(&console, second).await;
    let shops = console.get("auditor", "/v1/admin/shops").await;
    assert_eq!(shops["shops"][0]["secrets"].as_array().unwrap().len(), 2);
    let disabled = console
        .post("manager", "/v1/admin/shops/tea/disable", why.clone())
        .await;
    assert!(disabled["disabled_at"].is_string());
    let body = json!({ "shop_id": "own", "platform": "api", "reason": "x" });
    let made = console.post("manager", "/v1/admin/shops", body).await;
    let body = json!({ "client_id": "own", "scope": "ec", "shop_id": "own", "reason": "x" });
    let client = console.post("manager", "/v1/admin/clients", body).await;
    assert_eq!(client["shop_id"], "own");
    assert_eq!(made["webhook_secret"], Value::Null);
    let refused = console
        .refused("manager", "/v1/admin/shops/own/rotate-secret", why)
        .await;
    assert_eq!(refused, conflict("secret_of_platform"));
}

async fn health_is_told_and_dead_letters_are_tried_again(database: Database) {
    let console = Console::open(database).await;
    let health = console.get("support", "/v1/admin/health").await;
    assert_eq!(
        (&health["ready"], &health["database"]["ok"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        health["inbox"],
        json!({ "waiting": 0, "dead": 0, "oldest_at": null, "oldest_age_seconds": null })
    );
    assert!(
        health["outbox"]["waiting"].as_i64().unwrap() >= 1,
        "{health}"
    );
    assert!(
        health["writer"]["lanes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|lane| lane["capacity"] == 1_024)
    );

    let (store, clock) = (console.stage.app.store(), &console.stage.clock);
    let shop = ShopId::new("tea").unwrap();
    // Drawn in one moment: which comes first is by chance.
    let mut ids = [clock.new_id(), clock.new_id()];
    ids.sort_unstable();
    let mut messages = ids.map(|id| NewMessage {
        id,
        shop_id: shop.clone(),
        repeat_key: None,
        topic: "order.updated".into(),
        is_test: false,
        body: b"{}".to_vec(),
        received_at: clock.now(),
    });
    store.inbox_accept(&mut messages).await.unwrap();
    let fates: Vec<_> = ids
        .iter()
        .map(|id| (*id, Fate::Dead("not understood".into())))
        .collect();
    store.inbox_settle(&fates, clock.now()).await.unwrap();
    let page = console
        .get("auditor", "/v1/admin/dead-letters?limit=1")
        .await;
    assert_eq!(page["dead_letters"][0]["error"], "not understood");
    assert_eq!(page["next"], json!(ids[0]));
    let next = format!("/v1/admin/dead-letters?after={}", ids[0]);
    let page = console.get("auditor", &next).await;
    assert_eq!(
        (&page["dead_letters"][0]["message_id"], &page["next"]),
        (&json!(ids[1]), &Value::Null)
    );

    let replay = "/v1/admin/dead-letters/replay";
    let one = json!({ "message_id": ids[0], "reason": "mended" });
    assert_eq!(
        console.post("manager", replay, one.clone()).await["replayed"],
        1
    );
    assert_eq!(
        console.refused("manager", replay, one).await,
        conflict("not_dead")
    );
    let all = json!({ "all": true, "reason": "mended" });
    assert_eq!(console.post("manager", replay, all).await["replayed"], 1);
    let both = json!({ "all": true, "message_id": ids[0], "reason": "mended" });
    assert_eq!(console.refused("manager", replay, both).await.0, 422);
    let health = console.get("support", "/v1/admin/health").await;
    assert_eq!(
        (&health["inbox"]["waiting"], &health["inbox"]["dead"]),
        (&json!(2), &json!(0))
    );
}
