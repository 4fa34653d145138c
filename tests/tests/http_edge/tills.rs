//! Till calls over HTTP, through the writer, into the store and back.

use acceptance::{databases::Database, on_each_database};
use gateway::limits;
use serde_json::{Value, json};

use crate::{
    phone::{Phone, said},
    stage::{Set, Stage, answer},
};

on_each_database!(
    a_shopper_earns_spends_and_returns,
    a_changed_request_is_no_repetition,
    forged_and_unknown_cards_get_one_answer,
    a_hold_is_voided_and_a_day_settled,
    a_short_code_stands_for_the_card_once,
);

/// A till with its token.
struct Till<'a> {
    stage: &'a Stage,
    token: String,
}

impl<'a> Till<'a> {
    async fn new(stage: &'a Stage, client: &str) -> Self {
        let token = stage.token_for(client).await;
        Self { stage, token }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = reqwest::Client::new().post(self.stage.url(path));
        said(request.bearer_auth(&self.token).json(&body)).await
    }

    /// The answer's very bytes.
    async fn raw(&self, path: &str, body: &Value) -> (u16, String) {
        let request = reqwest::Client::new().post(self.stage.url(path));
        answer(request.bearer_auth(&self.token).json(body)).await
    }

    async fn stored(&self, request_id: &str) -> (u16, String) {
        let path = format!("/v1/pos/requests/{request_id}");
        let request = reqwest::Client::new().get(self.stage.url(&path));
        answer(request.bearer_auth(&self.token)).await
    }
}

fn receipt(total: i64) -> Value {
    json!({
        "number": "R-1", "business_date": "2026-11-22", "occurred_at": "2026-11-22T03:00:00Z",
        "lines": [
            {"line_no": 1, "sku": "a", "name": "Tea", "category": "food", "quantity": 2,
             "amount": total - 1_000, "tax_rate": 8},
            {"line_no": 2, "sku": "b", "name": "Cup", "category": "home", "quantity": 1,
             "amount": 1_000, "tax_rate": 10},
        ],
        "total": total, "tax": 100,
    })
}

async fn a_shopper_earns_spends_and_returns(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, till) = (
        Phone::enrolled(&stage).await,
        Till::new(&stage, "till-1").await,
    );
    let (status, earned) = till
        .post(
            "/v1/pos/purchases",
            json!({"request_id": "r1", "basket_id": "b1", "card": phone.card(), "receipt": receipt(50_000)}),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(earned["purchase"]["points_earned"], 500, "{earned}");

    stage.pass(20);
    let card = phone.card();
    let (_, seen) = till
        .post(
            "/v1/pos/inquiries",
            json!({"request_id": "r2", "basket_id": "b2", "card": card}),
        )
        .await;
    assert_eq!(seen["points"]["spendable"], 500, "{seen}");
    let (_, held) = till
        .post(
            "/v1/pos/authorizations",
            json!({"request_id": "r3", "basket_id": "b2", "card": card, "points": 300}),
        )
        .await;
    assert_eq!(held["outcome"], "approved", "{held}");
    let (_, me) = phone.get("/v1/me").await;
    assert_eq!(
        (&me["points"]["available"], &me["points"]["held"]),
        (&json!(200), &json!(300))
    );
    assert_eq!(
        me["points"]["expiring"],
        json!([{"on": "2027-11-22", "points": 200}])
    );

    let purchase = json!({
        "request_id": "r4", "basket_id": "b2", "authorization_id": held["authorization"]["id"],
        "receipt": receipt(2_000),
    });
    let (_, first) = till.raw("/v1/pos/purchases", &purchase).await;
    let bought: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(bought["purchase"]["points_redeemed"], 300, "{first}");
    // The answer got lost: asked again, and asked for, it is the same byte for byte.
    assert_eq!(
        till.raw("/v1/pos/purchases", &purchase).await,
        (200, first.clone())
    );
    assert_eq!(till.stored("r4").await, (200, first));
    assert_eq!(till.stored("r99").await.0, 404);

    let id = bought["purchase"]["id"].as_str().unwrap();
    let lines = json!([{"line_no": 2, "quantity": 1}]);
    let quotes = format!("/v1/pos/purchases/{id}/refund-quotes");
    let (_, quote) = till
        .post(&quotes, json!({"request_id": "r5", "lines": lines}))
        .await;
    let refunds = format!("/v1/pos/purchases/{id}/refunds");
    let (_, refund) = till
        .post(&refunds, json!({"request_id": "r6", "lines": lines}))
        .await;
    assert_eq!(refund["outcome"], "approved", "{refund}");
    for name in ["amount", "points_restored", "points_clawed_back"] {
        assert_eq!(quote["refund"][name], refund["refund"][name], "{name}");
    }
    let (_, reversed) = till
        .post(
            "/v1/pos/reversals",
            json!({"request_id": "r7", "original_request_id": "r4"}),
        )
        .await;
    assert_eq!(reversed["effect"], "refunded", "{reversed}");

    let (_, history) = phone.get("/v1/me/history").await;
    let entries = history["entries"].as_array().unwrap();
    let sum: i64 = entries
        .iter()
        .map(|entry| entry["change"].as_i64().unwrap())
        .sum();
    let (_, me) = phone.get("/v1/me").await;
    assert_eq!(me["points"]["available"], sum, "{history}");
    let (_, page) = phone.get("/v1/me/history?limit=1").await;
    assert_eq!(page["entries"][0], entries[0]);
    let accrual = entries.iter().find(|entry| entry["motive"] == "accrual");
    let accrual = accrual.unwrap();
    assert_eq!(
        (&accrual["store"], &accrual["store_name"]),
        (&json!("ginza"), &json!("Ginza"))
    );
    let path = format!("/v1/me/why/{}", accrual["id"].as_str().unwrap());
    let (_, why) = phone.get(&path).await;
    assert_eq!(why["receipt"]["store_name"], "Ginza");
    assert!(
        why["text"]["en"].as_str().unwrap().contains(" at Ginza,"),
        "{why}"
    );
    let next = page["next"].as_str().unwrap();
    // A proof names the path without its query.
    let rest = reqwest::Client::new()
        .get(stage.url(&format!("/v1/me/history?before={next}")))
        .bearer_auth(phone.proof("GET", "/v1/me/history"));
    assert_eq!(said(rest).await.1["entries"], json!(entries[1..]));
}

async fn a_changed_request_is_no_repetition(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, till) = (
        Phone::enrolled(&stage).await,
        Till::new(&stage, "till-1").await,
    );
    let ask = |basket: &str| json!({"request_id": "r1", "basket_id": basket, "card": phone.card()});
    assert_eq!(till.post("/v1/pos/inquiries", ask("b1")).await.0, 200);
    let (status, problem) = till.post("/v1/pos/inquiries", ask("b2")).await;
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("/problems/request_id_reused"))
    );
    // Request ids are each terminal's own.
    let elsewhere = Till::new(&stage, "till-2").await;
    let (status, declined) = elsewhere.post("/v1/pos/inquiries", ask("b1")).await;
    assert_eq!(
        (status, &declined["reason"]),
        (200, &json!("card_already_used"))
    );
}

async fn forged_and_unknown_cards_get_one_answer(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, till) = (
        Phone::enrolled(&stage).await,
        Till::new(&stage, "till-1").await,
    );
    let good = phone.card();
    let other_digit = if good.ends_with('1') { "2" } else { "1" };
    let forged = format!("{}{other_digit}", &good[..good.len() - 1]);
    let long = "7".repeat(limits::CARD_TEXT_BYTES_MAX + 1);
    let mut answers = Vec::new();
    for (number, card) in [
        forged.as_str(),
        &Phone::new(&stage).card(),
        "7001",
        "hello",
        "",
        "4901234567894",
        "700301234567890187654321",
        "70021234567890123456",
        &long,
    ]
    .into_iter()
    .enumerate()
    {
        let ask = json!({"request_id": format!("r{number}"), "basket_id": "b", "card": card});
        let (status, mut answer) = till.post("/v1/pos/inquiries", ask).await;
        assert_eq!(
            (status, &answer["response_code"]),
            (200, &json!("14")),
            "{card}"
        );
        answer["request_id"] = Value::Null;
        answers.push(answer);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // Scanned by a keyboard under a Japanese input method.
    let wide: String = good
        .chars()
        .map(|c| char::from_u32(u32::from(c) - 0x30 + 0xFF10).unwrap())
        .collect();
    let ask = json!({"request_id": "r99", "basket_id": "b", "card": wide});
    let (_, answer) = till.post("/v1/pos/inquiries", ask).await;
    assert_eq!(answer["outcome"], "approved", "{answer}");
}

#[tokio::test]
async fn a_message_that_makes_no_sense_is_told_where() {
    let stage = Stage::new().await;
    let till = Till::new(&stage, "till-1").await;
    let id = "01990000-0000-7000-8000-000000000001";
    let bad_total = {
        let mut receipt = receipt(2_000);
        receipt["total"] = json!(2_001);
        receipt
    };
    let line = |line: u32, quantity: u32| json!({"line_no": line, "quantity": quantity});
    let refunds = format!("/v1/pos/purchases/{id}/refunds");
    for (path, body, pointer) in [
        (
            "/v1/pos/authorizations",
            json!({"basket_id": "b", "card": "7", "points": 0}),
            "/points",
        ),
        (
            "/v1/pos/purchases",
            json!({"basket_id": "b", "card": "7", "receipt": bad_total}),
            "/receipt/total",
        ),
        (
            "/v1/pos/purchases",
            json!({"basket_id": "b", "receipt": receipt(2_000)}),
            "",
        ),
        (
            "/v1/pos/purchases",
            json!({"basket_id": "b", "card": "7", "authorization_id": id, "receipt": receipt(2_000)}),
            "/authorization_id",
        ),
        (&refunds, json!({"lines": []}), "/lines"),
        (
            &refunds,
            json!({"lines": [line(1, 1), line(1, 1)]}),
            "/lines/1/line_no",
        ),
        (
            &refunds,
            json!({"lines": [line(1, 0)]}),
            "/lines/0/quantity",
        ),
        (
            "/v1/pos/reversals",
            json!({"original_request_id": "r"}),
            "/original_request_id",
        ),
    ] {
        let mut body = body;
        body["request_id"] = json!("r");
        let (status, problem) = till.post(path, body).await;
        assert_eq!(status, 422, "{path}: {problem}");
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{path}: {problem}"
        );
    }
    assert_eq!(till.stored("r").await.0, 404, "nothing was stored");
    let void = json!({"request_id": "r"});
    assert_eq!(
        till.post("/v1/pos/authorizations/7/void", void.clone())
            .await
            .0,
        422
    );
    let (status, declined) = till
        .post(&format!("/v1/pos/authorizations/{id}/void"), void)
        .await;
    assert_eq!(
        (status, &declined["reason"]),
        (200, &json!("unknown_authorization"))
    );
}

async fn a_hold_is_voided_and_a_day_settled(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, till) = (
        Phone::enrolled(&stage).await,
        Till::new(&stage, "till-1").await,
    );
    let purchase = json!({"request_id": "r1", "basket_id": "b1", "card": phone.card(), "receipt": receipt(10_000)});
    till.post("/v1/pos/purchases", purchase).await;
    stage.pass(20);
    let hold = json!({"request_id": "r2", "basket_id": "b2", "card": phone.card(), "points": 60});
    let (_, held) = till.post("/v1/pos/authorizations", hold).await;
    let id = held["authorization"]["id"].as_str().unwrap();
    let void = format!("/v1/pos/authorizations/{id}/void");
    let (_, voided) = till.post(&void, json!({"request_id": "r3"})).await;
    assert_eq!(voided["points"]["available"], 100, "{voided}");
    let totals = json!({
        "purchases": 1, "purchase_total": 10_000, "points_redeemed": 0, "points_earned": 99,
        "refunds": 0, "points_restored": 0, "points_clawed_back": 0,
    });
    let settle = json!({"request_id": "r4", "business_date": "2026-11-22", "totals": totals});
    let (_, settled) = till.post("/v1/pos/settlements", settle).await;
    assert_eq!(
        settled["differences"],
        json!([{"field": "points_earned", "till": 99, "gateway": 100}])
    );
}

async fn a_short_code_stands_for_the_card_once(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let (phone, till) = (
        Phone::enrolled(&stage).await,
        Till::new(&stage, "till-1").await,
    );
    let (status, code) = phone.post("/v1/me/short-codes", json!({})).await;
    assert_eq!(status, 201, "{code}");
    assert_eq!(code["expires_at"], "2026-11-22T03:01:00Z");
    let text = code["text"].as_str().unwrap();
    assert!(text.len() == 20 && text.starts_with("7002"), "{text}");
    let ask = |request: &str, basket: &str, text: &str| json!({"request_id": request, "basket_id": basket, "card": text});
    let (_, seen) = till.post("/v1/pos/inquiries", ask("r1", "b1", text)).await;
    assert_eq!(seen["outcome"], "approved", "{seen}");
    let (_, used) = till.post("/v1/pos/inquiries", ask("r2", "b2", text)).await;
    assert_eq!(used["reason"], "card_already_used", "{used}");
    let (status, problem) = phone
        .post("/v1/me/short-codes", json!({"spend_limit": 16_777_215}))
        .await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (422, &json!("/spend_limit"))
    );
}
