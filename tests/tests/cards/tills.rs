//! Each kind of card at the till.

use acceptance::{databases::Database, on_each_database, phone::unix_now, reply::Reply};
use jiff::Timestamp;
use pos_protocol::Reason;
use serde_json::json;

use crate::{
    Counter, PASS_LIMIT, POINTS,
    wallets::{GooglePass, apple_number},
};

on_each_database!(
    a_plastic_card_earns_and_never_spends,
    a_wallet_pass_serves_one_basket,
    a_wallet_pass_is_good_for_a_minute,
    a_pass_for_apple_earns_only,
    passes_are_few_and_can_be_revoked,
    whatever_is_wrong_looks_the_same,
);

const PLASTIC: &str = "2999000000017";

async fn a_plastic_card_earns_and_never_spends(database: Database) {
    let counter = Counter::open(database).await;
    let before = counter.inquire(0, "b0", PLASTIC).await;
    let _ = before.declined(Reason::UnknownCard);
    counter
        .import(&format!("card_number,balance\n{PLASTIC},500\n"))
        .await;
    let found = counter.inquire(0, "b1", PLASTIC).await.approved();
    assert_eq!(found.number("/points/available"), 500, "{found:?}");
    assert_eq!(found.number("/points/spendable"), 0, "{found:?}");
    let _ = counter
        .authorize(0, "b1", PLASTIC, 1)
        .await
        .declined(Reason::SpendNotAllowed);
    let redeem = json!({ "redeem_points": 1 });
    let _ = counter
        .buy(0, "b1", PLASTIC, redeem)
        .await
        .declined(Reason::SpendNotAllowed);
    let bought = counter.buy(0, "b1", PLASTIC, json!({})).await.approved();
    assert_eq!(bought.number("/purchase/points_earned"), 10);
    // The number is the same at the next till, and earns again.
    let bought = counter.buy(1, "b2", PLASTIC, json!({})).await.approved();
    assert_eq!(bought.number("/points/available"), 520);
    // As a till reports it that could not ask.
    let scanned_at = Timestamp::from_second(i64::from(unix_now()) - 600).unwrap();
    let advice = json!({ "advice": { "scanned_at": scanned_at } });
    let _ = counter.buy(0, "b3", PLASTIC, advice).await.approved();

    let shown = counter.card_command(&["show", PLASTIC]).await;
    assert!(shown.out.contains("plastic, active"), "{shown:?}");
    let revoke = ["revoke", PLASTIC, "--reason", "lost"];
    let revoked = counter.card_command(&revoke).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let _ = counter
        .buy(0, "b4", PLASTIC, json!({}))
        .await
        .declined(Reason::CardBlocked);
    counter.close().await;
}

async fn google_pass(counter: &Counter) -> GooglePass {
    let body = json!({ "kind": "google" });
    let reply = counter.as_phone("POST", "/v1/me/wallet-passes", Some(body));
    GooglePass::saved(&reply.await)
}

async fn a_wallet_pass_serves_one_basket(database: Database) {
    let counter = Counter::open(database).await;
    let pass = google_pass(&counter).await;
    let shown = pass.shows(&counter, unix_now());
    let found = counter.inquire(0, "b1", &shown).await.approved();
    assert_eq!(found.number("/points/available"), POINTS);
    assert_eq!(found.number("/points/spendable"), PASS_LIMIT);
    let _ = counter.authorize(0, "b1", &shown, 100).await.approved();
    // One more point than the programme lets a basket spend with a pass.
    let _ = counter
        .authorize(0, "b1", &shown, PASS_LIMIT - 99)
        .await
        .declined(Reason::AboveCardLimit);
    // Whoever saw the code shows it elsewhere.
    for (till, basket) in [(1, "b1"), (0, "b2"), (1, "b3")] {
        let again = counter.inquire(till, basket, &shown).await;
        let _ = again.declined(Reason::CardAlreadyUsed);
        let redeem = json!({ "redeem_points": 10 });
        let again = counter.buy(till, basket, &shown, redeem).await;
        let _ = again.declined(Reason::CardAlreadyUsed);
    }
    let bought = counter.buy(0, "b1", &shown, json!({ "redeem_points": 200 }));
    let bought = bought.await.approved();
    assert_eq!(bought.number("/purchase/points_redeemed"), 200);
    counter.close().await;
}

async fn a_wallet_pass_is_good_for_a_minute(database: Database) {
    let counter = Counter::open(database).await;
    let pass = google_pass(&counter).await;
    let scanned = unix_now() - 600;
    let old = pass.shows(&counter, scanned);
    let _ = counter
        .inquire(0, "b1", &old)
        .await
        .declined(Reason::CardTextExpired);
    let _ = counter
        .inquire(0, "b2", &pass.shows(&counter, unix_now() - 7_200))
        .await
        .declined(Reason::UnknownCard);
    // It was good when the till that could not ask scanned it.
    let advice = |second: u32| {
        let scanned_at = Timestamp::from_second(second.into()).unwrap();
        json!({ "advice": { "scanned_at": scanned_at }, "redeem_points": 50 })
    };
    let _ = counter
        .buy(0, "b3", &old, advice(unix_now() - 300))
        .await
        .declined(Reason::CardTextExpired);
    let sold = counter.buy(0, "b3", &old, advice(scanned)).await.approved();
    assert_eq!(sold.number("/purchase/points_redeemed"), 50, "{sold:?}");
    let again = counter.buy(0, "b4", &old, advice(scanned)).await;
    let _ = again.declined(Reason::CardAlreadyUsed);
    counter.close().await;
}

async fn a_pass_for_apple_earns_only(database: Database) {
    let counter = Counter::open(database).await;
    let body = json!({ "kind": "apple" });
    let reply = counter.as_phone("POST", "/v1/me/wallet-passes", Some(body));
    let reply = reply.await;
    assert_eq!(reply.status, 201, "{}", reply.status);
    assert_eq!(
        reply.headers["content-type"],
        "application/vnd.apple.pkpass"
    );
    let number = apple_number(&reply.body);
    assert!(number.len() == 14 && number.starts_with("298"), "{number}");
    let bought = counter.buy(0, "b1", &number, json!({})).await.approved();
    assert_eq!(bought.number("/points/available"), POINTS + 10);
    let _ = counter
        .authorize(1, "b2", &number, 1)
        .await
        .declined(Reason::SpendNotAllowed);
    counter.close().await;
}

async fn passes_are_few_and_can_be_revoked(database: Database) {
    let counter = Counter::open(database).await;
    let first = google_pass(&counter).await;
    for _ in 1..5 {
        google_pass(&counter).await;
    }
    let one_more = || {
        counter.as_phone(
            "POST",
            "/v1/me/wallet-passes",
            Some(json!({ "kind": "google" })),
        )
    };
    let refused = one_more().await;
    assert_eq!(
        refused.problem().as_deref(),
        Some("conflict"),
        "{refused:?}"
    );
    let path = format!("/v1/me/cards/{}", first.card_id);
    assert_eq!(counter.as_phone("DELETE", &path, None).await.status, 204);
    let shown = first.shows(&counter, unix_now());
    let _ = counter
        .inquire(0, "b1", &shown)
        .await
        .declined(Reason::CardBlocked);
    assert_eq!(one_more().await.status, 201);
    counter.close().await;
}

async fn whatever_is_wrong_looks_the_same(database: Database) {
    let counter = Counter::open(database).await;
    let pass = google_pass(&counter).await;
    let nobodys = format!("7003{}12345678", wallet_pass::CardNumber::from_seed(7));
    let wrong = [
        // Malformed, of no kind, in no range, with a wrong check digit.
        "x".to_owned(),
        "7003123".to_owned(),
        "4999000000017".to_owned(),
        "29800000000001".to_owned(),
        // As if they were somebody's.
        "2999000000099".to_owned(),
        "29800000000000".to_owned(),
        "70021234567890123456".to_owned(),
        nobodys,
        pass.forged(&counter),
    ];
    let mut told = Vec::new();
    for text in &wrong {
        let reply: Reply = counter.inquire(0, "b1", text).await;
        let reply = reply.declined(Reason::UnknownCard);
        let mut answer = reply.json();
        answer.as_object_mut().unwrap().remove("request_id");
        told.push((reply.status, answer.to_string()));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:#?}");
    counter.close().await;
}
