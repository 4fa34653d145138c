//! Statements that a shop's system makes itself.

use acceptance::{databases::Database, on_each_database};
use serde_json::{Value, json};

use crate::stage::{Stage, statement};

on_each_database!(
    an_order_earns_when_it_is_paid_and_spends_when_it_is_shipped,
    statements_in_any_order_end_the_same,
    a_malformed_statement_is_named_and_nothing_is_kept,
    a_shop_sees_its_own_orders_only,
    a_guest_earns_for_whoever_proves_the_address_and_a_nobody_earns_nothing,
);

async fn an_order_earns_when_it_is_paid_and_spends_when_it_is_shipped(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let paid = statement("1", "c1", &json!({ "paid": true }));
    let (status, answer) = stage.post("api", "/v1/ec/orders", &paid).await;
    assert_eq!((status, answer), (202, json!({ "accepted": 1 })));
    let order = stage
        .order("api", "1", |order| order["state"] == "paid")
        .await;
    let earned = order["points_pending"].as_i64().unwrap();
    assert!(earned > 0 && order["points_available"] == 0, "{order}");
    assert!(order["member_no"].as_str().unwrap().starts_with("****"));
    let shipped = statement("1", "c1", &json!({ "shipped": "everything" }));
    stage.post("api", "/v1/ec/orders", &shipped).await;
    let order = stage
        .order("api", "1", |order| order["state"] == "shipped")
        .await;
    assert_eq!(order["points_available"], earned);
    let back = statement("1", "c1", &json!({ "cancelled": true }));
    stage.post("api", "/v1/ec/orders", &back).await;
    let order = stage
        .order("api", "1", |order| order["state"] == "cancelled")
        .await;
    assert_eq!(
        (&order["points_available"], &order["points_pending"]),
        (&json!(0), &json!(0))
    );
}

async fn statements_in_any_order_end_the_same(database: Database) {
    let (stage, working) = Stage::open(database).await;
    let bare = |more: &Value, id: &str| {
        let mut statement = statement(id, "c1", more);
        statement.as_object_mut().unwrap().remove("placed");
        statement
    };
    let told = |id: &str| {
        [
            statement(id, "c1", &json!({ "paid": true })),
            bare(
                &json!({ "shipped": { "lines": [{ "line_id": "a", "quantity": 2 }] } }),
                id,
            ),
            bare(
                &json!({ "refunds": [{ "refund_id": "r1", "lines": [{ "line_id": "a", "quantity": 1 }] }] }),
                id,
            ),
        ]
    };
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for (number, order) in orders.iter().enumerate() {
        let id = format!("o{number}");
        for at in order.iter().chain(&[order[0]]) {
            stage.post("api", "/v1/ec/orders", &told(&id)[*at]).await;
            assert_eq!(stage.settled().await, 0);
        }
    }
    working.end().await;
    let mut ends = Vec::new();
    for number in 0..orders.len() {
        let (_, mut order) = stage.get("api", &format!("/v1/ec/orders/o{number}")).await;
        for own in ["order_id", "purchase_id", "changed_at"] {
            order.as_object_mut().unwrap().remove(own);
        }
        ends.push(order);
    }
    assert_eq!(ends[0]["state"], "partly_shipped", "{}", ends[0]);
    assert!(
        ends[0]["points_available"].as_i64().unwrap() > 0,
        "{}",
        ends[0]
    );
    assert!(
        ends[0]["points_pending"].as_i64().unwrap() > 0,
        "{}",
        ends[0]
    );
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

async fn a_malformed_statement_is_named_and_nothing_is_kept(database: Database) {
    let stage = Stage::closed(database).await;
    let good = statement("1", "c1", &json!({}));
    let mut wrong_sum = statement("2", "c1", &json!({}));
    wrong_sum["placed"]["total"] = json!(2_999);
    for (body, pointer) in [
        (json!([good, wrong_sum]), "/1/placed/total"),
        (wrong_sum.clone(), "/placed/total"),
        (json!([good, { "order_id": "3" }]), "/1"),
        (json!([]), ""),
        (json!(vec![good.clone(); 101]), ""),
        (
            json!({ "order_id": 7, "as_of": "2026-11-22T02:00:00Z" }),
            "/order_id",
        ),
    ] {
        let (status, problem) = stage.post("api", "/v1/ec/orders", &body).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert_eq!(stage.store.inbox_status().await.unwrap().waiting, 0);
}

async fn a_shop_sees_its_own_orders_only(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let paid = statement("1", "c1", &json!({ "paid": true }));
    stage.post("api", "/v1/ec/orders", &paid).await;
    stage
        .order("api", "1", |order| order["state"] == "paid")
        .await;
    let (status, problem) = stage.get("other", "/v1/ec/orders/1").await;
    assert_eq!(
        (status, &problem["type"]),
        (404, &json!("/problems/unknown_resource"))
    );
    // The same customer id at another shop is another person.
    stage.post("other", "/v1/ec/orders", &paid).await;
    let order = stage
        .order("other", "1", |order| order["state"] == "paid")
        .await;
    let (_, first) = stage.get("api", "/v1/ec/orders/1").await;
    assert_ne!(order["purchase_id"], first["purchase_id"]);
    let people = stage.store.channels(None).await.unwrap();
    let members: i64 = people.iter().map(|row| row.members).sum();
    assert_eq!((people.len(), members), (2, 2), "{people:?}");
}

async fn a_guest_earns_for_whoever_proves_the_address_and_a_nobody_earns_nothing(
    database: Database,
) {
    let (stage, _working) = Stage::open(database).await;
    let mut guest = statement("1", "c1", &json!({ "paid": true }));
    guest["placed"]["customer"] = json!({ "email": "Hanako@Example.jp" });
    let mut nobody = statement("2", "c1", &json!({ "paid": true }));
    nobody["placed"]["customer"] = json!({});
    stage
        .post("api", "/v1/ec/orders", &json!([guest, nobody]))
        .await;
    let order = stage
        .order("api", "1", |order| order["state"] == "paid")
        .await;
    assert!(order["points_pending"].as_i64().unwrap() > 0, "{order}");
    let order = stage
        .order("api", "2", |order| order["state"] == "anonymous")
        .await;
    assert_eq!(
        (&order["points_pending"], &order["member_no"]),
        (&json!(0), &json!(null))
    );
}
