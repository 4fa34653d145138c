//! Workers: what is kept is booked, by whichever gateway is there.

use acceptance::{databases::Database, on_each_database};
use serde_json::json;

use crate::stage::{Stage, statement};

on_each_database!(
    what_was_kept_before_a_worker_came_is_booked,
    two_workers_share_nothing_and_one_takes_over,
    what_is_settled_keeps_no_body_and_goes_after_some_days,
);

async fn what_was_kept_before_a_worker_came_is_booked(database: Database) {
    let stage = Stage::closed(database).await;
    let orders: Vec<_> = (0..50)
        .map(|number| statement(&format!("o{number}"), "c1", &json!({ "paid": true })))
        .collect();
    let (status, _) = stage.post("api", "/v1/ec/orders", &json!(orders)).await;
    assert_eq!(status, 202);
    assert_eq!(stage.store.inbox_status().await.unwrap().waiting, 50);
    let working = stage.worker(&stage.store);
    assert_eq!(stage.settled().await, 0);
    working.end().await;
    let bought = stage.store.channels(None).await.unwrap();
    assert_eq!(bought[0].purchases, 50, "{bought:?}");
    assert_eq!(bought[0].members, 1);
}

async fn two_workers_share_nothing_and_one_takes_over(database: Database) {
    let stage = Stage::closed(database).await;
    let other = stage.another_store().await;
    let (one, two) = (stage.worker(&stage.store), stage.worker(&other));
    for number in 0..20 {
        let order = statement(&format!("o{number}"), "c1", &json!({ "paid": true }));
        stage.post("api", "/v1/ec/orders", &order).await;
    }
    assert_eq!(stage.settled().await, 0);
    one.end().await;
    let order = statement("last", "c1", &json!({ "paid": true }));
    stage.post("api", "/v1/ec/orders", &order).await;
    assert_eq!(stage.settled().await, 0);
    two.end().await;
    let bought = stage.store.channels(None).await.unwrap();
    assert_eq!(bought[0].purchases, 21, "{bought:?}");
}

async fn what_is_settled_keeps_no_body_and_goes_after_some_days(database: Database) {
    let (stage, working) = Stage::open(database).await;
    let order = statement("1", "c1", &json!({ "paid": true }));
    stage.post("api", "/v1/ec/orders", &order).await;
    assert_eq!(stage.settled().await, 0);
    working.end().await;
    let now = stage.clock.now();
    assert_eq!(stage.store.inbox_prune(now, 10).await.unwrap(), 0);
    stage.pass(1);
    let later = stage.clock.now();
    assert_eq!(stage.store.inbox_prune(later, 10).await.unwrap(), 1);
}
