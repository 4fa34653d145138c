//! Who may make which call: every call with every role.

use acceptance::{databases::Database, on_each_database};
use serde_json::{Value, json};

use super::{Console, Phone};

on_each_database!(
    every_call_is_open_to_its_roles_and_to_nobody_else,
    a_change_needs_a_reason
);

/// Every call that the served document lists under `/v1/admin/`, but those without a token.
async fn calls(console: &Console) -> Vec<(String, String)> {
    let document = reqwest::get(console.stage.url("/openapi.json"))
        .await
        .unwrap();
    let document: Value = document.json().await.unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let open = ["/v1/admin/sign-in", "/v1/admin/sessions"].contains(&path.as_str());
        if path.starts_with("/v1/admin/") && !open {
            for method in methods.as_object().unwrap().keys() {
                all.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    all
}

/// The path with somebody and something in it.
fn filled(path: &str, phone: &Phone<'_>) -> String {
    path.replace("{member}", &phone.number)
        .replace("{card}", "0123456789abcdef")
        .replace("{entry}", "00000000-0000-7000-8000-000000000001")
        .replace("{proposal}", "00000000-0000-7000-8000-000000000001")
        .replace("{figure}", "points")
        .replace("{client}", "nobody")
        .replace("{shop}", "nobody")
}

async fn every_call_is_open_to_its_roles_and_to_nobody_else(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    console.staff("roleless", None).await;
    let calls = calls(&console).await;
    assert!(calls.len() > 30, "{calls:?}");
    for who in ["support", "manager", "auditor", "roleless", "till-1"] {
        let token = console.stage.token_for(who).await;
        let me = console.ask_as(&token, "GET", "/v1/admin/me", None).await.1;
        let own: Vec<_> = me["calls"].as_array().cloned().unwrap_or_default();
        assert_eq!(own.is_empty(), ["roleless", "till-1"].contains(&who));
        for (method, path) in &calls {
            let body = (method != "GET").then(|| json!({}));
            let asked = filled(path, &phone);
            let (status, answer) = console.ask_as(&token, method, &asked, body).await;
            let shut = ["/problems/role_not_allowed", "/problems/insufficient_scope"];
            let shut = status == 403 && shut.contains(&answer["type"].as_str().unwrap());
            let may = own.contains(&json!(format!("{method} {path}")));
            assert_eq!(may, !shut, "{who}: {method} {path}: {status} {answer}");
        }
    }
    for (method, path) in &calls {
        let request = reqwest::Client::new();
        let request = request.request(
            method.parse().unwrap(),
            console.stage.url(&filled(path, &phone)),
        );
        assert_eq!(
            request.send().await.unwrap().status(),
            401,
            "{method} {path}"
        );
    }
    // Who may GET may ask for the head of it.
    for (who, status) in [("auditor", 200), ("support", 403)] {
        let acts = console.ask(who, "HEAD", "/v1/admin/acts", None).await;
        assert_eq!(acts.0, status, "{who}");
    }
    // Nothing was done by any of it.
    assert_eq!(console.acts().await, Vec::<Value>::new());
}

async fn a_change_needs_a_reason(database: Database) {
    let console = Console::open(database).await;
    let phone = Phone::new(&console.stage).await;
    let id = "00000000-0000-7000-8000-000000000001";
    let changes = [
        (phone.path("/profile"), json!({})),
        (phone.path("/export"), json!({})),
        (phone.path("/erase"), json!({ "confirm": phone.number })),
        (phone.path("/block"), json!({})),
        (phone.path("/unblock"), json!({})),
        (phone.path("/cards/0123456789abcdef/revoke"), json!({})),
        (
            phone.path("/adjustments"),
            json!({ "direction": "grant", "points": 1 }),
        ),
        (format!("/v1/admin/proposals/{id}/approve"), json!({})),
        (format!("/v1/admin/proposals/{id}/refuse"), json!({})),
        (
            "/v1/admin/merges".to_owned(),
            json!({ "member": phone.number, "into": phone.number }),
        ),
        (
            "/v1/admin/unmerges".to_owned(),
            json!({ "member": phone.number }),
        ),
        ("/v1/admin/stores".to_owned(), json!({ "store_id": "s" })),
        (
            "/v1/admin/terminals".to_owned(),
            json!({ "terminal_id": "t", "store_id": "ginza" }),
        ),
        (
            "/v1/admin/clients".to_owned(),
            json!({ "client_id": "c", "scope": "pos", "terminal_id": "ginza-1" }),
        ),
        (
            "/v1/admin/clients/till-1/rotate-secret".to_owned(),
            json!({}),
        ),
        ("/v1/admin/clients/till-1/disable".to_owned(), json!({})),
        (
            "/v1/admin/shops".to_owned(),
            json!({ "shop_id": "x", "platform": "api" }),
        ),
        ("/v1/admin/shops/x/rotate-secret".to_owned(), json!({})),
        ("/v1/admin/shops/x/disable".to_owned(), json!({})),
        (
            "/v1/admin/dead-letters/replay".to_owned(),
            json!({ "all": true }),
        ),
    ];
    let me = console.get("manager", "/v1/admin/me").await;
    let posts = me["calls"].as_array().unwrap().iter();
    let posts = posts.filter(|call| call.as_str().unwrap().starts_with("POST "));
    // All that a manager may post, but the search and two previews.
    assert_eq!(posts.count(), changes.len() + 3);
    for (path, body) in changes {
        for reason in [None, Some(""), Some(" \n"), Some("a\u{7}b")] {
            let mut body = body.clone();
            if let Some(reason) = reason {
                body["reason"] = json!(reason);
            }
            let (status, answer) = console.ask("manager", "POST", &path, Some(body)).await;
            let pointer = &answer["errors"][0]["pointer"];
            assert_eq!(
                (status, pointer),
                (422, &json!("/reason")),
                "{path}: {answer}"
            );
        }
    }
    assert_eq!(console.acts().await, Vec::<Value>::new());
    assert_eq!(
        console.get("support", &phone.path("")).await["status"],
        "active"
    );
}
