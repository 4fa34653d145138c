//! EC-CUBE: webhooks that only name an order, which is then asked for; and orders that no webhook told of.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use acceptance::{databases::Database, on_each_database};
use axum::{Json, Router, http::StatusCode, routing::post};
use ec::Platform;
use gateway::store::{ShopOauth, ShopPlatform, ShopSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stage::{Stage, WEBHOOK_SECRET, signed};

on_each_database!(
    an_order_that_a_webhook_names_is_asked_for_and_one_it_does_not_name_is_found,
    a_shop_that_is_away_is_asked_again,
);

/// An EC-CUBE shop, as far as the gateway knows it.
struct Cube {
    base: String,
    away: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
}

fn order(id: &str) -> Value {
    json!({ "data": { "order": {
        "id": id, "order_no": id, "email": "jiro@example.jp", "currency_code": "JPY",
        "create_date": "2026-11-22T11:00:00+09:00", "update_date": "2026-11-22T11:00:00+09:00",
        "order_date": "2026-11-22T11:00:00+09:00", "payment_date": "2026-11-22T11:00:00+09:00",
        "payment_total": 3300, "tax": 300,
        "OrderStatus": { "id": "6" }, "Customer": { "id": "8" },
        "OrderItems": [{
            "id": "101", "product_code": "ice-01", "product_name": "Ice", "price": 1500.0, "quantity": 2.0,
            "tax": 150.0, "tax_rate": 10.0, "OrderItemType": { "id": "1" }, "TaxDisplayType": { "id": "1" },
            "Shipping": { "id": "1", "shipping_date": null },
        }],
    } } })
}

impl Cube {
    async fn new() -> Self {
        let (away, asked) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU32::new(0)),
        );
        let api = {
            let (away, asked) = (away.clone(), asked.clone());
            move |Json(query): Json<Value>| async move {
                asked.fetch_add(1, Ordering::SeqCst);
                if away.load(Ordering::SeqCst) {
                    return Err(StatusCode::SERVICE_UNAVAILABLE);
                }
                Ok(Json(match query["variables"]["id"].as_str() {
                    Some(id) => order(id),
                    None => json!({ "data": { "orders": {
                        "nodes": [{ "id": "99", "update_date": "2026-11-22T11:00:00+09:00" }],
                        "pageInfo": { "hasNextPage": false },
                    } } }),
                }))
            }
        };
        let token = || async {
            Json(json!({ "token_type": "Bearer", "access_token": "t", "expires_in": 3600 }))
        };
        let router = Router::new()
            .route("/api", post(api))
            .route("/token", post(token));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, away, asked }
    }

    async fn open(&self, stage: &Stage) {
        let settings = ShopSettings {
            oauth: Some(ShopOauth {
                client_id: "gateway".into(),
                client_secret: "secret".into(),
                refresh_token: None,
            }),
            ..ShopSettings::default()
        };
        let (platform, base) = (ShopPlatform::EcCube, Some(self.base.as_str()));
        stage.shop("cube", platform, base, settings).await;
    }
}

async fn tell(stage: &Stage, id: u32) -> u16 {
    let body = json!([{ "entity": "order", "id": id, "action": "updated" }]);
    let body = body.to_string().into_bytes();
    let header = signed(Platform::EcCube4, WEBHOOK_SECRET, &body);
    stage.webhook("cube", &[header], body).await
}

async fn an_order_that_a_webhook_names_is_asked_for_and_one_it_does_not_name_is_found(
    database: Database,
) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.open(&stage).await;
    let _working = stage.worker(&stage.store);
    assert_eq!(tell(&stage, 7).await, 200);
    // 99 is among those that changed.
    for id in ["7", "99"] {
        let order = stage
            .order("cube", id, |order| order["state"] == "paid")
            .await;
        assert!(order["points_pending"].as_i64().unwrap() > 0, "{order}");
    }
    assert_eq!(stage.settled().await, 0);
    assert!(cube.asked.load(Ordering::SeqCst) >= 3);
}

async fn a_shop_that_is_away_is_asked_again(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.open(&stage).await;
    cube.away.store(true, Ordering::SeqCst);
    let _working = stage.worker(&stage.store);
    for id in 1..=20 {
        assert_eq!(tell(&stage, id).await, 200);
    }
    // Others do not wait for it.
    let other = crate::stage::statement("1", "c1", &json!({ "paid": true }));
    stage.post("api", "/v1/ec/orders", &other).await;
    stage
        .order("api", "1", |order| order["state"] == "paid")
        .await;
    let status = stage.store.inbox_status().await.unwrap();
    assert_eq!((status.waiting, status.dead), (20, 0));
    cube.away.store(false, Ordering::SeqCst);
    // Whatever the pauses are by now.
    let time = async {
        loop {
            stage.pass(60);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        dead = stage.settled() => assert_eq!(dead, 0),
        () = time => {}
    }
    stage
        .order("cube", "20", |order| order["state"] == "paid")
        .await;
}
