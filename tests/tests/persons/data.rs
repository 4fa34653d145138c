//! Personal data: kept, changed, taken away, forgotten.

use acceptance::{databases::Database, on_each_database};
use serde_json::json;

use super::{
    Phone, Shop, problem,
    stage::{Set, Stage},
};

on_each_database!(
    a_profile_is_changed_by_who_has_read_it,
    everything_can_be_taken_away_and_then_forgotten,
    without_secrets_nothing_personal_is_served,
);

async fn a_profile_is_changed_by_who_has_read_it(database: Database) {
    let shop = Shop::open(database).await;
    let phone = Phone::new(&shop.stage).await;
    let (_, empty) = phone.get("/v1/me/profile").await;
    assert_eq!(
        (&empty["version"], &empty["profile"]),
        (&json!(0), &json!(null))
    );
    let put = async |version: i64, profile: serde_json::Value| {
        let body = json!({ "version": version, "profile": profile });
        phone.ask("PUT", "/v1/me/profile", Some(body)).await
    };
    let (status, kept) = put(0, json!({ "name": "山田 花子", "kana": "やまだ はなこ" })).await;
    assert_eq!((status, &kept["version"]), (200, &json!(1)), "{kept}");
    assert_eq!(kept["profile"]["name"], "山田 花子");
    let (status, moved) = put(0, json!({})).await;
    assert_eq!(status, 409);
    assert!(moved["detail"].as_str().unwrap().starts_with("moved:"));
    let (status, wrong) = put(1, json!({ "email": "nobody" })).await;
    assert_eq!(status, 422);
    assert_eq!(wrong["errors"][0]["pointer"], "/profile/email");
    assert!(!wrong.to_string().contains("nobody"), "{wrong}");
    let (_, kept) = put(1, json!({ "email": "hanako@example.jp" })).await;
    assert_eq!(
        (&kept["version"], &kept["profile"]["name"]),
        (&json!(2), &json!(null))
    );
    assert_eq!(phone.get("/v1/me/profile").await.1, kept);
    // A phone that joins sees it, too.
    let other = Phone::new(&shop.stage).await;
    other.join(&phone).await;
    assert_eq!(
        other.get("/v1/me/profile").await.1["profile"],
        kept["profile"]
    );
}

async fn everything_can_be_taken_away_and_then_forgotten(database: Database) {
    let shop = Shop::open(database).await;
    let (phone, other) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    phone.buy("b-1", 0).await;
    other.buy("b-2", 0).await;
    phone.join(&other).await;
    let told = json!({ "version": 0, "profile": { "name": "山田 花子" } });
    assert_eq!(phone.ask("PUT", "/v1/me/profile", Some(told)).await.0, 200);
    let (status, all) = other.get("/v1/me/export").await;
    assert_eq!(status, 200, "{all}");
    assert_eq!(all["profiles"][0]["profile"]["name"], "山田 花子");
    for (list, count) in [
        ("records", 2),
        ("cards", 2),
        ("history", 2),
        ("purchases", 2),
        ("merges", 1),
        ("lots", 2),
        ("access_log", 0),
    ] {
        assert_eq!(all[list].as_array().unwrap().len(), count, "{list}: {all}");
    }
    assert_eq!(all["purchases"][0]["receipt"]["lines"][0]["name"], "Tea");
    let erase = |confirm: &str| json!({ "confirm": confirm, "reason": "privacy" });
    let unsure = phone.ask("DELETE", "/v1/me", Some(erase("yes"))).await;
    assert_eq!(problem(unsure), (422, "validation_failed".into()));
    let gone = phone.ask("DELETE", "/v1/me", Some(erase("erase"))).await;
    assert_eq!(gone.0, 204, "{gone:?}");
    for path in [
        "/v1/me",
        "/v1/me/history",
        "/v1/me/profile",
        "/v1/me/export",
    ] {
        assert_eq!(
            problem(other.get(path).await),
            (403, "card_revoked".into()),
            "{path}"
        );
    }
}

async fn without_secrets_nothing_personal_is_served(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let phone = Phone::new(&stage).await;
    let code = json!({ "code": "CFHJ-2345" });
    for (method, path, body) in [
        ("POST", "/v1/me/link-codes", None),
        ("POST", "/v1/me/links", Some(code)),
        (
            "POST",
            "/v1/me/verifications",
            Some(json!({ "email": "a@example.jp" })),
        ),
        ("GET", "/v1/me/profile", None),
    ] {
        let refused = phone.ask(method, path, body).await;
        assert_eq!(problem(refused), (501, "not_set_up".into()), "{path}");
    }
    assert_eq!(phone.get("/v1/me").await.0, 200);
}
