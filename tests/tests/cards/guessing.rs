//! How far somebody gets who guesses.

use acceptance::{databases::Database, on_each_database, phone::unix_now, till::http_client};
use member_card::SpendLimit;
use pos_protocol::Reason;
use serde_json::json;

use crate::{Counter, wallets::GooglePass};

on_each_database!(
    a_number_that_is_guessed_at_is_shut_and_others_go_on,
    a_terminal_that_guesses_is_shut_and_phones_go_on,
);

/// Tries of one number, and of one terminal, at once: `gateway::limits`.
const PER_NUMBER: u32 = gateway::limits::GUESSES_PER_NUMBER_BURST;
const PER_TERMINAL: u32 = gateway::limits::GUESSES_PER_TERMINAL_BURST;

async fn pass(counter: &Counter) -> GooglePass {
    let body = json!({ "kind": "google" });
    let reply = counter.as_phone("POST", "/v1/me/wallet-passes", Some(body));
    GooglePass::saved(&reply.await)
}

async fn capped(counter: &Counter, cap: &str) -> bool {
    let url = format!("{}/metrics", counter.gateway.base());
    let metrics = http_client().get(url).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    metrics.contains(&format!(
        "gateway_card_guesses_capped_total{{cap=\"{cap}\"}}"
    ))
}

async fn a_number_that_is_guessed_at_is_shut_and_others_go_on(database: Database) {
    let counter = Counter::open(database).await;
    let (guessed, other) = (pass(&counter).await, pass(&counter).await);
    // What is genuine costs nothing, however often.
    let shown = guessed.shows(&counter, unix_now());
    for _ in 0..2 * PER_NUMBER {
        let _ = counter.inquire(0, "b1", &shown).await.approved();
    }
    for round in 0..PER_NUMBER {
        let till = usize::from(round % 2 == 0);
        let tried = counter.inquire(till, "b2", &guessed.forged(&counter)).await;
        let _ = tried.declined(Reason::UnknownCard);
    }
    assert!(!capped(&counter, "number").await);
    let shown = guessed.shows(&counter, unix_now());
    let shut = counter.inquire(0, "b1", &shown).await;
    let _ = shut.declined(Reason::UnknownCard);
    assert!(capped(&counter, "number").await);
    let shown = other.shows(&counter, unix_now());
    let _ = counter.inquire(0, "b3", &shown).await.approved();
    counter.close().await;
}

async fn a_terminal_that_guesses_is_shut_and_phones_go_on(database: Database) {
    let counter = Counter::open(database).await;
    let pass = pass(&counter).await;
    for round in 0..PER_TERMINAL {
        let text = format!("7002{round:016}");
        let tried = counter.inquire(0, "b1", &text).await;
        let _ = tried.declined(Reason::UnknownCard);
        // A scanner that misreads costs nothing.
        let _ = counter.inquire(0, "b1", &text[..19]).await;
    }
    let shown = pass.shows(&counter, unix_now());
    let shut = counter.inquire(0, "b2", &shown).await;
    let _ = shut.declined(Reason::UnknownCard);
    assert!(capped(&counter, "terminal").await);
    let signed = counter.phone.show(SpendLimit::Unlimited).await;
    let signed = signed.text.to_digits();
    let _ = counter.inquire(0, "b3", &signed).await.approved();
    // The pass was not used up, and serves at the till beside.
    let _ = counter.inquire(1, "b4", &shown).await.approved();
    counter.close().await;
}
