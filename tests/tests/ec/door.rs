//! The public door: what is believed, what is not, and what is told twice.

use acceptance::{databases::Database, on_each_database};
use ec::{
    Platform,
    delivery::{self, Arrival},
    signature,
};
use gateway::{
    http::{Rate, Rates},
    limits,
    store::{Fate, NewMessage, Replay, ShopPlatform, ShopSettings},
};
use jiff::SignedDuration;
use personal_data::{LETTER_RANDOM_BYTES, seal_letter};
use pos_protocol::ShopId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Stage, WEBHOOK_SECRET, sample, signed};

on_each_database!(
    a_signed_webhook_is_booked_once_however_often_it_comes,
    what_is_not_signed_by_the_shop_is_not_believed,
    a_webhook_is_believed_for_hours_and_of_its_own_domain_only,
    both_secrets_are_good_while_one_takes_the_others_place,
    another_platforms_message_is_kept_and_waits_for_people,
    a_disabled_shop_is_not_believed,
    shopify_must_say_whose_and_when_and_other_headers_make_nothing_new,
    a_dead_letter_that_is_sent_again_is_worked_on_again,
    forgeries_do_not_shut_out_who_shares_their_address,
    a_shop_that_sends_too_much_is_told_when_to_come_back,
);

async fn a_signed_webhook_is_booked_once_however_often_it_comes(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let (headers, body) = sample(&stage, Platform::WooCommerce, 7);
    for _ in 0..3 {
        assert_eq!(stage.webhook("woo", &headers, body.clone()).await, 200);
    }
    // Sent again under another id, as a shop's administration can: headers are not signed.
    let mut again = headers.clone();
    again.retain(|(name, _)| *name != "X-WC-Webhook-Delivery-ID");
    again.push(("X-WC-Webhook-Delivery-ID", "another".into()));
    assert_eq!(stage.webhook("woo", &again, body).await, 200);
    let order = stage
        .order("woo", "7", |order| order["state"] == "paid")
        .await;
    assert_eq!(stage.settled().await, 0);
    let points = order["points_pending"].as_i64().unwrap();
    assert!(points > 0, "{order}");
    let (_, settled) = stage.get("woo", "/v1/ec/orders/7").await;
    assert_eq!(settled["points_pending"], points);
    let people = stage.store.channels(None).await.unwrap();
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!((people[0].purchases, people[0].place.as_str()), (1, "woo"));
}

async fn what_is_not_signed_by_the_shop_is_not_believed(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let (headers, body) = sample(&stage, Platform::WooCommerce, 7);
    let name = signature::header_name(Platform::WooCommerce);
    let unsigned: Vec<_> = headers
        .iter()
        .filter(|(at, _)| *at != name)
        .cloned()
        .collect();
    let with = |signature: (&'static str, String)| {
        let mut headers = unsigned.clone();
        headers.push(signature);
        headers
    };
    let forged = with(signed(
        Platform::WooCommerce,
        "the-secret-of-somebody-else",
        &body,
    ));
    let mut changed = body.clone();
    *changed.last_mut().unwrap() = b' ';
    for (shop, headers, body) in [
        ("woo", &unsigned, &body),
        ("woo", &forged, &body),
        ("woo", &with((name, "?".into())), &body),
        ("woo", &headers, &changed),
        // A shop that sends none, one that is another, and none at all.
        ("api", &headers, &body),
        ("tea", &headers, &body),
        ("nobody", &headers, &body),
    ] {
        assert_eq!(
            stage.webhook(shop, headers, body.clone()).await,
            401,
            "{shop}"
        );
    }
    // WooCommerce tries the address of a new webhook, unsigned.
    assert_eq!(
        stage.webhook("woo", &[], b"webhook_id=12".to_vec()).await,
        200
    );
    let status = stage.store.inbox_status().await.unwrap();
    assert_eq!((status.waiting, status.dead), (0, 0));
    let kept = stage.store.inbox_due(stage.clock.now(), 10).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
    assert_eq!(stage.webhook("woo", &headers, body).await, 200);
}

async fn a_webhook_is_believed_for_hours_and_of_its_own_domain_only(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let domain = ShopSettings {
        domain: Some("tea.myshopify.com".into()),
        ..ShopSettings::default()
    };
    stage.shop("own", ShopPlatform::Shopify, None, domain).await;
    let (headers, body) = sample(&stage, Platform::Shopify, 7);
    let from = |domain: &str| {
        let mut headers = headers.clone();
        headers.retain(|(name, _)| *name != "X-Shopify-Shop-Domain");
        headers.push(("X-Shopify-Shop-Domain", domain.into()));
        headers
    };
    let own = from("Tea.myshopify.com");
    assert_eq!(stage.webhook("own", &headers, body.clone()).await, 401);
    let elsewhere = from("coffee.myshopify.com");
    assert_eq!(stage.webhook("own", &elsewhere, body.clone()).await, 401);
    // Shopify tries for four hours and keeps the first time.
    stage.pass(4 * 3_600);
    assert_eq!(stage.webhook("own", &own, body.clone()).await, 200);
    stage.pass(3 * 3_600);
    assert_eq!(stage.webhook("own", &own, body).await, 401);
    assert_eq!(stage.settled().await, 0);
}

async fn both_secrets_are_good_while_one_takes_the_others_place(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let shop = ShopId::new("woo").unwrap();
    stage.pass(1);
    let now = stage.clock.now();
    let end = now + jiff::SignedDuration::from_hours(1);
    let newer = "the-secret-that-takes-its-place";
    let added = stage.store.add_shop_secret(&shop, newer, now, end).await;
    added.unwrap();
    let mut answers = Vec::new();
    for (pause, order) in [(0, 1), (3_599, 2), (1, 3)] {
        stage.pass(pause);
        for secret in [WEBHOOK_SECRET, newer] {
            let (mut headers, body) = sample(&stage, Platform::WooCommerce, order);
            let name = signature::header_name(Platform::WooCommerce);
            headers.retain(|(at, _)| *at != name);
            headers.push(signed(Platform::WooCommerce, secret, &body));
            answers.push(stage.webhook("woo", &headers, body).await);
        }
    }
    assert_eq!(answers, [200, 200, 200, 200, 401, 200]);
}

async fn another_platforms_message_is_kept_and_waits_for_people(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let (_, body) = sample(&stage, Platform::WooCommerce, 7);
    let mut headers = sample(&stage, Platform::Shopify, 7).0;
    headers.retain(|(name, _)| *name != signature::header_name(Platform::Shopify));
    headers.push(signed(Platform::Shopify, WEBHOOK_SECRET, &body));
    assert_eq!(stage.webhook("tea", &headers, body).await, 200);
    assert_eq!(stage.settled().await, 1);
    let shop = ShopId::new("tea").unwrap();
    let dead = stage.store.inbox_dead(Some(&shop), Uuid::nil(), 10).await;
    let dead = dead.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].error.contains("woocommerce"), "{:?}", dead[0]);
    let elsewhere = ShopId::new("woo").unwrap();
    let other = Replay::Shop(&elsewhere);
    assert_eq!(
        stage
            .store
            .inbox_replay(other, stage.clock.now())
            .await
            .unwrap(),
        0
    );
    let this = Replay::One(dead[0].id);
    assert_eq!(
        stage
            .store
            .inbox_replay(this, stage.clock.now())
            .await
            .unwrap(),
        1
    );
    // Nothing has changed, so it comes back.
    assert_eq!(stage.settled().await, 1);
    let (status, _) = stage.get("tea", "/v1/ec/orders/7").await;
    assert_eq!(status, 404);
}

async fn a_disabled_shop_is_not_believed(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let shop = ShopId::new("woo").unwrap();
    stage
        .store
        .disable_shop(&shop, stage.clock.now())
        .await
        .unwrap();
    let (headers, body) = sample(&stage, Platform::WooCommerce, 7);
    assert_eq!(stage.webhook("woo", &headers, body).await, 401);
    let (status, problem) = stage.post("woo", "/v1/ec/orders", &json!([])).await;
    assert_eq!(
        (status, &problem["type"]),
        (403, &json!("/problems/insufficient_scope"))
    );
}

async fn shopify_must_say_whose_and_when_and_other_headers_make_nothing_new(database: Database) {
    let (stage, working) = Stage::open(database).await;
    let (headers, body) = sample(&stage, Platform::Shopify, 7);
    let (domain, time, id) = (
        "X-Shopify-Shop-Domain",
        "X-Shopify-Triggered-At",
        "X-Shopify-Webhook-Id",
    );
    let without = |name: &str| {
        let mut headers = headers.clone();
        headers.retain(|(at, _)| *at != name);
        headers
    };
    for name in [domain, time] {
        let headers = without(name);
        assert_eq!(
            stage.webhook("tea", &headers, body.clone()).await,
            401,
            "{name}"
        );
    }
    let mut untimely = without(time);
    untimely.push((time, "just now".into()));
    assert_eq!(stage.webhook("tea", &untimely, body.clone()).await, 401);
    assert_eq!(stage.webhook("tea", &headers, body.clone()).await, 200);
    assert_eq!(stage.settled().await, 0);
    working.end().await;
    // Recorded, and sent again as if it were another one, of now.
    stage.pass(24 * 3_600);
    let mut replayed = without(time);
    replayed.retain(|(name, _)| *name != id);
    replayed.push((time, stage.clock.now().to_string()));
    replayed.push((id, "another".into()));
    assert_eq!(stage.webhook("tea", &replayed, body).await, 200);
    assert_eq!(stage.store.inbox_status().await.unwrap().waiting, 0);
}

async fn a_dead_letter_that_is_sent_again_is_worked_on_again(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let (headers, body) = sample(&stage, Platform::WooCommerce, 7);
    assert_eq!(stage.webhook("woo", &headers, body.clone()).await, 200);
    stage
        .order("woo", "7", |order| order["state"] == "paid")
        .await;
    // As if it had died before people mended what was in its way.
    let (headers, body) = sample(&stage, Platform::WooCommerce, 8);
    let id = stage.clock.new_id();
    let message = NewMessage {
        id,
        shop_id: ShopId::new("woo").unwrap(),
        repeat_key: repeat_key(&headers, &body),
        topic: "order.updated".into(),
        is_test: false,
        body: seal_letter(&stage.secrets.masters, id, &body, [7; LETTER_RANDOM_BYTES]).unwrap(),
        received_at: stage.clock.now() + SignedDuration::from_hours(1),
    };
    let fates = [(message.id, Fate::Dead("refused".into()))];
    stage.store.inbox_accept(&mut [message]).await.unwrap();
    let now = stage.clock.now();
    stage.store.inbox_settle(&fates, now).await.unwrap();
    assert_eq!(stage.settled().await, 1);
    assert_eq!(stage.webhook("woo", &headers, body).await, 200);
    stage
        .order("woo", "8", |order| order["state"] == "paid")
        .await;
    assert_eq!(stage.settled().await, 0);
}

fn repeat_key(headers: &[(&'static str, String)], body: &[u8]) -> Option<String> {
    let header = |name: &str| {
        let found = headers.iter().find(|(at, _)| *at == name);
        found.map(|(_, value)| value.as_str())
    };
    match delivery::read(Platform::WooCommerce, header, body) {
        Arrival::Webhook(delivery) => delivery.repeat_key(body),
        Arrival::Ping => None,
    }
}

async fn forgeries_do_not_shut_out_who_shares_their_address(database: Database) {
    let stage = Stage::closed(database).await;
    let (headers, body) = sample(&stage, Platform::WooCommerce, 7);
    let mut forged = headers.clone();
    forged.retain(|(name, _)| *name != signature::header_name(Platform::WooCommerce));
    forged.push(signed(
        Platform::WooCommerce,
        "somebody-elses-secret",
        &body,
    ));
    for shop in ["woo", "nobody"] {
        let mut answers = Vec::new();
        for _ in 0..2 * limits::FORGERY_BURST {
            answers.push(stage.webhook(shop, &forged, body.clone()).await);
        }
        assert_eq!(answers[0], 401, "{shop}");
        assert!(answers.contains(&429), "{shop}");
        assert!(answers.iter().all(|answer| [401, 429].contains(answer)));
    }
    assert_eq!(stage.webhook("woo", &headers, body).await, 200);
    let (tea, body) = sample(&stage, Platform::Shopify, 7);
    assert_eq!(stage.webhook("tea", &tea, body).await, 200);
    // Nor is the address out of tokens.
    let (status, _) = stage.get("woo", "/v1/ec/orders/7").await;
    assert_eq!(status, 404);
}

async fn a_shop_that_sends_too_much_is_told_when_to_come_back(database: Database) {
    let rates = Rates {
        webhook: Rate::new(2, 1),
        ..Rates::default()
    };
    let stage = Stage::with(database, rates).await;
    let mut answers = Vec::new();
    for number in 0..50 {
        let (headers, body) = sample(&stage, Platform::WooCommerce, number);
        let answer = stage.webhook_answer("woo", &headers, body).await;
        answers.push(answer.status().as_u16());
        if answer.status().as_u16() == 429 {
            let after = answer.headers()["retry-after"].to_str().unwrap();
            assert!(after.parse::<u32>().unwrap() >= 1);
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["type"], "/problems/rate_limited");
        }
    }
    assert_eq!(answers[..2], [200, 200]);
    assert!(answers.contains(&429), "{answers:?}");
    let kept = stage.store.inbox_status().await.unwrap().waiting;
    let taken = answers.iter().filter(|answer| **answer == 200).count();
    assert_eq!(usize::try_from(kept).unwrap(), taken);
    // Another shop does not wait for it.
    let (headers, body) = sample(&stage, Platform::Shopify, 7);
    assert_eq!(stage.webhook("tea", &headers, body).await, 200);
}
