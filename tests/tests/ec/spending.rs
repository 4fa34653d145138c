//! Spending at a shop's checkout, and linking from the shop's side.

use acceptance::{databases::Database, on_each_database};
use gateway::{
    http::{Rate, Rates},
    store::ClientScope,
};
use pos_protocol::ShopId;
use serde_json::{Value, json};

use crate::stage::{Stage, statement};

on_each_database!(
    a_customer_spends_on_an_order_which_captures_the_hold,
    a_hold_is_let_go_by_the_shop_or_by_a_cancelled_order,
    who_pays_is_named_in_one_way,
    a_code_links_customers_of_two_shops_once,
    codes_are_made_no_faster_than_customers_come,
);

/// A customer with points to spend.
async fn rich(stage: &Stage, shop: &str, customer: &str) -> i64 {
    let order = format!("first-{customer}");
    let told = statement(
        &order,
        customer,
        &json!({ "paid": true, "shipped": "everything" }),
    );
    stage.post(shop, "/v1/ec/orders", &told).await;
    let order = stage
        .order(shop, &order, |order| order["state"] == "shipped")
        .await;
    order["points_available"].as_i64().unwrap()
}

async fn hold(stage: &Stage, request: &str, order: &str, points: i64) -> Value {
    let body =
        json!({ "request_id": request, "order_id": order, "customer_id": "c1", "points": points });
    let (status, answer) = stage.post("api", "/v1/ec/authorizations", &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn spendable(stage: &Stage, request: &str) -> Value {
    let body = json!({ "request_id": request, "order_id": request, "customer_id": "c1" });
    let (_, answer) = stage.post("api", "/v1/ec/inquiries", &body).await;
    answer["points"]["available"].clone()
}

async fn a_customer_spends_on_an_order_which_captures_the_hold(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let points = rich(&stage, "api", "c1").await;
    assert!(points > 5);
    let held = hold(&stage, "r1", "2", 5).await;
    assert_eq!(held["outcome"], "approved", "{held}");
    // The same again is answered the same; something else under the same id is not.
    assert_eq!(hold(&stage, "r1", "2", 5).await, held);
    let (_, stored) = stage.get("api", "/v1/ec/requests/r1").await;
    assert_eq!(stored, held);
    let other = json!({ "request_id": "r1", "order_id": "2", "customer_id": "c1", "points": 6 });
    let (status, _) = stage.post("api", "/v1/ec/authorizations", &other).await;
    assert_eq!(status, 422);
    let id = held["authorization"]["id"].clone();
    let mut order = statement("2", "c1", &json!({ "paid": true }));
    order["placed"]["redemption"] = json!({ "authorization_id": id });
    stage.post("api", "/v1/ec/orders", &order).await;
    let booked = stage
        .order("api", "2", |order| order["state"] == "paid")
        .await;
    assert_eq!(booked["points_redeemed"], 5, "{booked}");
    assert_eq!(spendable(&stage, "i1").await, points - 5);
    let path = format!("/v1/ec/authorizations/{}/void", id.as_str().unwrap());
    let (_, late) = stage
        .post("api", &path, &json!({ "request_id": "v1" }))
        .await;
    assert_eq!(late["reason"], "already_captured", "{late}");
}

async fn a_hold_is_let_go_by_the_shop_or_by_a_cancelled_order(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let points = rich(&stage, "api", "c1").await;
    let first = hold(&stage, "r1", "2", 5).await;
    let path = format!(
        "/v1/ec/authorizations/{}/void",
        first["authorization"]["id"].as_str().unwrap()
    );
    // Another shop may not.
    let (_, foreign) = stage
        .post("other", &path, &json!({ "request_id": "v1" }))
        .await;
    assert_ne!(foreign["outcome"], "approved", "{foreign}");
    assert_eq!(spendable(&stage, "i1").await, points - 5);
    let (_, voided) = stage
        .post("api", &path, &json!({ "request_id": "v1" }))
        .await;
    assert_eq!(voided["outcome"], "approved", "{voided}");
    assert_eq!(spendable(&stage, "i2").await, points);
    let second = hold(&stage, "r2", "3", 5).await;
    let mut order = statement("3", "c1", &json!({ "cancelled": true }));
    order["placed"]["redemption"] = json!({ "authorization_id": second["authorization"]["id"] });
    stage.post("api", "/v1/ec/orders", &order).await;
    stage
        .order("api", "3", |order| order["state"] == "cancelled")
        .await;
    assert_eq!(spendable(&stage, "i3").await, points);
}

async fn who_pays_is_named_in_one_way(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let cases = [
        (json!({}), 422),
        (
            json!({ "customer_id": "c1", "card": "70020000000000000000" }),
            422,
        ),
        (json!({ "customer_id": "" }), 422),
        (json!({ "customer_id": "nobody-has-this-id" }), 200),
        (json!({ "card": "70020000000000000000" }), 200),
        (json!({ "card": "https://evil.example" }), 200),
    ];
    for (number, (who, status)) in cases.into_iter().enumerate() {
        let request = format!("r{number}");
        let mut body = json!({ "request_id": request, "order_id": "1", "points": 1 });
        for (key, value) in who.as_object().unwrap() {
            body[key] = value.clone();
        }
        let (answered, answer) = stage.post("api", "/v1/ec/authorizations", &body).await;
        assert_eq!(answered, status, "{who} {answer}");
        if status == 200 {
            assert_eq!(answer["outcome"], "declined", "{who} {answer}");
        }
    }
}

async fn a_code_links_customers_of_two_shops_once(database: Database) {
    let (stage, _working) = Stage::open(database).await;
    let points = rich(&stage, "api", "c1").await + rich(&stage, "other", "c9").await;
    let (status, shown) = stage
        .post("api", "/v1/ec/link-codes", &json!({ "customer_id": "c1" }))
        .await;
    assert_eq!(status, 201, "{shown}");
    let code = shown["code"].as_str().unwrap();
    let enter = json!({ "customer_id": "c9", "code": code.to_lowercase() });
    let (status, linked) = stage.post("other", "/v1/ec/links", &enter).await;
    assert_eq!((status, &linked["merged"]), (200, &json!(true)), "{linked}");
    assert_eq!(spendable(&stage, "i1").await, points);
    for wrong in [enter, json!({ "customer_id": "c9", "code": "?" })] {
        let (status, denied) = stage.post("other", "/v1/ec/links", &wrong).await;
        assert_eq!(status, 409, "{denied}");
        let detail = denied["detail"].as_str().unwrap();
        assert!(detail.starts_with("unknown_code"), "{denied}");
    }
    let unknown = json!({ "customer_id": "c9", "verified_email": "who@example.jp" });
    let (status, _) = stage.post("other", "/v1/ec/links", &unknown).await;
    assert_eq!(status, 404);
    // Guessing has an end.
    let mut last = 0;
    for _ in 0..100 {
        let guess = json!({ "customer_id": "c9", "code": "CFHJ-2345" });
        (last, _) = stage.post("other", "/v1/ec/links", &guess).await;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}

/// How often a client is given a code, or told that there is none, before it is too often.
async fn codes_until_refused(stage: &Stage, client: &str, path: &str, body: &Value) -> usize {
    for made in 0..100 {
        let (status, answer) = stage.post(client, path, body).await;
        if status == 429 {
            assert_eq!(answer["type"], "/problems/rate_limited");
            return made;
        }
        assert!([201, 404].contains(&status), "{answer}");
    }
    panic!("{client} is never refused")
}

async fn codes_are_made_no_faster_than_customers_come(database: Database) {
    let rates = Rates {
        link_code: Rate::new(3, 1),
        ..Rates::default()
    };
    let stage = Stage::with(database, rates).await;
    let api = stage.store.shop(&ShopId::new("api").unwrap()).await;
    let till = api.unwrap().unwrap().till.terminal_id;
    stage.client("till", ClientScope::Pos, Some(&till)).await;
    let shown = json!({ "customer_id": "c1" });
    let shop = "/v1/ec/link-codes";
    assert!(codes_until_refused(&stage, "api", shop, &shown).await >= 3);
    let (status, _) = stage.post("other", shop, &shown).await;
    assert_eq!(status, 201, "another shop goes on");
    let scanned = json!({ "basket_id": "b1", "card": "no card" });
    let made = codes_until_refused(&stage, "till", "/v1/pos/link-codes", &scanned).await;
    assert!(made >= 3);
}
