//! Codes, addresses, cards of a person.

use acceptance::{databases::Database, on_each_database};
use futures_util::StreamExt as _;
use gateway::jobs::notices::Notices;
use jiff::SignedDuration;
use serde_json::json;

use super::{Phone, Shop, problem};

on_each_database!(
    two_phones_become_one_person_by_a_code,
    an_address_leads_a_new_phone_to_its_person,
    a_stream_goes_on_with_every_record,
    what_is_tried_too_often_is_limited,
);

async fn two_phones_become_one_person_by_a_code(database: Database) {
    let shop = Shop::open(database).await;
    let (old, new) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    old.buy("b-1", 0).await;
    let (status, made) = old.ask("POST", "/v1/me/link-codes", None).await;
    assert_eq!(status, 201, "{made}");
    let body = |agree: bool| json!({ "code": made["code"], "agree_to_merge": agree });
    let (status, asked) = new.post("/v1/me/links", body(false)).await;
    let number = old.me().await["member_no"].as_str().unwrap().to_owned();
    assert_eq!(
        problem((status, asked.clone())),
        (409, "would_merge".into())
    );
    assert!(
        asked["detail"].as_str().unwrap().contains(&number[8..]),
        "{asked}"
    );
    assert!(!asked.to_string().contains(&number), "{asked}");
    let (status, linked) = new.post("/v1/me/links", body(true)).await;
    assert_eq!(
        (status, &linked["outcome"]),
        (200, &json!("merged")),
        "{linked}"
    );
    assert_eq!(linked["member_no"], number.as_str());
    // The code was good once.
    let (status, again) = new.post("/v1/me/links", body(true)).await;
    assert_eq!(status, 409);
    assert!(
        again["detail"]
            .as_str()
            .unwrap()
            .starts_with("unknown_code:")
    );
    let me = new.me().await;
    assert_eq!(me["member_no"], number.as_str());
    assert_eq!(me["points"]["available"], 10);
    assert_eq!(me["cards"].as_array().unwrap().len(), 2);
    // Points of the old phone's record pay with the new phone.
    new.buy("b-2", 8).await;
    for phone in [&old, &new] {
        assert_eq!(phone.me().await["points"]["available"], 12);
        let (_, history) = phone.get("/v1/me/history").await;
        let motives: Vec<_> = history["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                (
                    entry["motive"].as_str().unwrap(),
                    entry["change"].as_i64().unwrap(),
                )
            })
            .collect();
        assert_eq!(motives.len(), 3, "{motives:?}");
        assert_eq!(motives.iter().map(|entry| entry.1).sum::<i64>(), 12);
    }
    cards_have_names_and_can_be_lost(&old, &new).await;
}

async fn cards_have_names_and_can_be_lost(old: &Phone<'_>, new: &Phone<'_>) {
    let path = format!("/v1/me/cards/{}", old.key.card_id());
    let named = new
        .ask("PATCH", &path, Some(json!({ "name": "古い電話" })))
        .await;
    assert_eq!(named.0, 204, "{named:?}");
    let wrong = new
        .ask("PATCH", &path, Some(json!({ "name": "a\u{7}" })))
        .await;
    assert_eq!(problem(wrong), (422, "validation_failed".into()));
    let cards = new.me().await["cards"].clone();
    assert_eq!(cards[0]["name"], "古い電話");
    assert_eq!(
        (&cards[0]["this"], &cards[0]["kind"]),
        (&json!(false), &json!("device"))
    );
    assert_eq!(new.ask("DELETE", &path, None).await.0, 204);
    assert_eq!(
        problem(old.get("/v1/me").await),
        (403, "card_revoked".into())
    );
    assert_eq!(new.me().await["points"]["available"], 12);
}

async fn an_address_leads_a_new_phone_to_its_person(database: Database) {
    let shop = Shop::open(database).await;
    let (old, new) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    old.buy("b-1", 0).await;
    let verify = async |phone: &Phone<'_>, address: serde_json::Value| {
        let (status, begun) = phone.post("/v1/me/verifications", address).await;
        assert_eq!(status, 201, "{begun}");
        let id = begun["id"].as_str().unwrap().to_owned();
        (
            format!("/v1/me/verifications/{id}/confirmations"),
            shop.last_code(),
        )
    };
    for address in [
        json!({ "email": "hanako@example.jp" }),
        json!({ "phone": "090-1234-5678" }),
    ] {
        let (path, code) = verify(&old, address).await;
        let (status, done) = old.post(&path, json!({ "code": code })).await;
        assert_eq!(
            (status, &done["outcome"]),
            (200, &json!("linked")),
            "{done}"
        );
    }
    let told = json!({ "version": 0, "profile": {
        "email": "hanako@example.jp", "phone": "090-1234-5678",
    }});
    assert_eq!(old.ask("PUT", "/v1/me/profile", Some(told)).await.0, 200);
    let identities = old.me().await["identities"].clone();
    assert_eq!(identities.as_array().unwrap().len(), 2);
    assert!(!identities.to_string().contains("hanako@"), "{identities}");

    let (path, code) = verify(&new, json!({ "email": "Hanako@Example.jp" })).await;
    // Not another card's, not a wrong code, not without consent.
    assert_eq!(old.post(&path, json!({ "code": code })).await.0, 404);
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let (status, refused) = new.post(&path, json!({ "code": wrong })).await;
    assert_eq!(status, 409);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .starts_with("unknown_code:")
    );
    let asked = new.post(&path, json!({ "code": code })).await;
    assert_eq!(problem(asked), (409, "would_merge".into()));
    let (status, done) = new
        .post(&path, json!({ "code": code, "agree_to_merge": true }))
        .await;
    assert_eq!(
        (status, &done["outcome"]),
        (200, &json!("merged")),
        "{done}"
    );
    let me = new.me().await;
    assert_eq!(me["points"]["available"], 10);
    assert!(me["earn_only_until"].is_string(), "{me}");
    assert_eq!(old.me().await.get("earn_only_until"), None);
    told_of_it(&shop).await;
    // An identity can be given up.
    let key = identities[0]["key"].as_str().unwrap();
    let path = format!("/v1/me/identities/{key}");
    // Not by the phone that joined through an address just now, which may not do what is for good either.
    for (method, path, body) in [
        ("DELETE", path.as_str(), None),
        ("GET", "/v1/me/export", None),
        ("GET", "/v1/me/profile", None),
        ("DELETE", "/v1/me", Some(json!({ "confirm": "erase" }))),
    ] {
        let (status, refused) = new.ask(method, path, body).await;
        assert_eq!(status, 409, "{method} {path}: {refused}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.starts_with("earns_only:"), "{detail}");
    }
    assert_eq!(old.ask("DELETE", &path, None).await.0, 204);
    assert_eq!(old.ask("DELETE", &path, None).await.0, 404);
}

/// Every proved address gets a notice, once, also if the gateway that was about to send it died.
async fn told_of_it(shop: &Shop) {
    let app = &shop.stage.app;
    let settings = app.settings();
    let job = Notices {
        store: app.store().clone(),
        clock: app.clock().clone(),
        secrets: settings.secrets.clone().unwrap(),
        delivery: settings.delivery.clone().unwrap(),
    };
    let notices = || {
        let sent = shop.sent.lock().unwrap();
        let notices = sent.iter().filter(|sent| sent["type"] == "notice");
        let data = notices.map(|notice| notice["data"].clone());
        data.collect::<Vec<_>>()
    };
    let now = app.now();
    let taken = app
        .store()
        .take_untold_merges(now, now + SignedDuration::from_secs(180), 9);
    assert_eq!(taken.await.unwrap().len(), 1);
    job.page().await.unwrap();
    assert!(notices().is_empty(), "somebody else is at it");
    shop.stage.pass(181);
    for _ in 0..2 {
        job.page().await.unwrap();
        let mut to: Vec<_> = notices().iter().map(|data| data["to"].clone()).collect();
        to.sort_by_key(ToString::to_string);
        let all = [
            json!({ "email": "hanako@example.jp" }),
            json!({ "phone": "+819012345678" }),
        ];
        assert_eq!(to, all);
        assert_eq!(notices()[0]["topic"], "member_merged");
        shop.stage.pass(181);
    }
}

async fn a_stream_goes_on_with_every_record(database: Database) {
    let shop = Shop::open(database).await;
    let (old, new) = (Phone::new(&shop.stage).await, Phone::new(&shop.stage).await);
    let position = new.me().await["stream_position"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = reqwest::Client::new()
        .get(shop.stage.url("/v1/me/stream"))
        .bearer_auth(new.proof("GET", "/v1/me/stream"))
        .header("last-event-id", &position)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let mut pieces = answer.bytes_stream();
    new.join(&old).await;
    // What happens to the other record from now on is told here too.
    let mut text = String::new();
    while !text.contains("event: member.merged") {
        text += std::str::from_utf8(&pieces.next().await.unwrap().unwrap()).unwrap();
    }
    old.buy("b-1", 0).await;
    while !text.contains("event: purchase.completed") {
        text += std::str::from_utf8(&pieces.next().await.unwrap().unwrap()).unwrap();
    }
    // The position has a number for each record.
    let last = new.me().await["stream_position"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(last.contains('=') && last.split(',').count() == 2, "{last}");
    let answer = reqwest::Client::new()
        .get(shop.stage.url("/v1/me/stream"))
        .bearer_auth(new.proof("GET", "/v1/me/stream"))
        .header("last-event-id", "12,x")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 400);
}

async fn what_is_tried_too_often_is_limited(database: Database) {
    let shop = Shop::open(database).await;
    let phone = Phone::new(&shop.stage).await;
    let mut last = 0;
    for _ in 0..=gateway::limits::GUESS_BURST {
        let body = json!({ "code": "CFHJ-2345" });
        last = phone.post("/v1/me/links", body).await.0;
    }
    assert_eq!(last, 429);
    for _ in 0..=gateway::limits::RECEIVER_BURST {
        let other = Phone::new(&shop.stage).await;
        let body = json!({ "email": "victim@example.jp" });
        last = other.post("/v1/me/verifications", body).await.0;
    }
    assert_eq!(last, 429);
    for wrong in [
        json!({}),
        json!({ "email": "a@b.jp", "phone": "0312345678" }),
    ] {
        let refused = phone.post("/v1/me/verifications", wrong).await;
        assert_eq!(problem(refused), (422, "validation_failed".into()));
    }
}
