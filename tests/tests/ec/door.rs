//! The public door: what is believed, what is not, and what is told twice.

use acceptance::{databases::Database, on_each_database};
use ec::{Platform, signature};
use gateway::store::{Replay, ShopPlatform, ShopSettings};
use pos_protocol::ShopId;
use serde_json::json;
use uuid::Uuid;

use crate::stage::{Stage, WEBHOOK_SECRET, sample, signed};

on_each_database!(
    a_signed_webhook_is_booked_once_however_often_it_comes,
    what_is_not_signed_by_the_shop_is_not_believed,
    a_webhook_is_believed_for_hours_and_of_its_own_domain_only,
    both_secrets_are_good_while_one_takes_the_others_place,
    another_platforms_message_is_kept_and_waits_for_people,
    a_disabled_shop_is_not_believed,
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
