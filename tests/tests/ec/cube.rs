//! EC-CUBE: webhooks that only name an order, which is then asked for; and orders that no webhook told of.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use acceptance::{databases::Database, on_each_database};
use axum::{Json, Router, http::StatusCode, routing::post};
use ec::Platform;
use gateway::store::{ShopOauth, ShopPlatform, ShopSettings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::stage::{Stage, WEBHOOK_SECRET, signed};

on_each_database!(
    an_order_that_a_webhook_names_is_asked_for_and_one_it_does_not_name_is_found,
    a_shop_that_is_away_is_asked_again,
    a_shop_that_refuses_for_hours_loses_nothing,
    warnings_beside_an_order_do_not_matter,
    an_order_that_the_shop_withholds_is_asked_for_again,
    one_webhook_of_many_orders_is_a_message_for_each,
    more_changes_than_one_look_reads_are_all_found,
);

/// An EC-CUBE shop, as far as the gateway knows it.
struct Cube {
    base: String,
    says: Arc<Mutex<Says>>,
    /// How often it was asked for an order.
    asked: Arc<AtomicU32>,
}

/// What it says to whoever asks.
#[derive(Clone, Default)]
struct Says {
    /// In place of any answer.
    status: Option<StatusCode>,
    /// Beside the data.
    errors: Option<Value>,
    /// Order 7 has no customer in it.
    withholds: bool,
    /// Orders that changed, newest first, one on a page.
    changed: Vec<(String, Timestamp)>,
}

impl Says {
    fn answer(&self, variables: &Value) -> Value {
        let mut answer = match variables["id"].as_str() {
            Some(id) => order(id),
            None => self.page(variables),
        };
        if let Some(errors) = &self.errors {
            answer["errors"] = errors.clone();
        }
        if self.withholds && answer["data"]["order"]["id"] == "7" {
            answer["data"]["order"]["Customer"] = Value::Null;
            answer["errors"] = json!([{ "message": "no", "path": ["order", "Customer"] }]);
        }
        answer
    }

    fn page(&self, variables: &Value) -> Value {
        let time = |name: &str| -> Option<Timestamp> { variables[name].as_str()?.parse().ok() };
        let (since, until) = (time("since").unwrap(), time("until"));
        let within = |at: Timestamp| since <= at && until.is_none_or(|until| at < until);
        let page = usize::try_from(variables["page"].as_u64().unwrap()).unwrap();
        let changed: Vec<_> = self.changed.iter().filter(|(_, at)| within(*at)).collect();
        let node = changed
            .get(page - 1)
            .map(|(id, at)| json!({ "id": id, "update_date": at.to_string() }));
        json!({ "data": { "orders": {
            "nodes": node.into_iter().collect::<Vec<_>>(),
            "pageInfo": { "hasNextPage": page < changed.len() },
        } } })
    }
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
        let says = Arc::new(Mutex::new(Says::default()));
        let asked = Arc::new(AtomicU32::new(0));
        let api = {
            let (says, asked) = (says.clone(), asked.clone());
            move |Json(query): Json<Value>| async move {
                if !query["variables"]["id"].is_null() {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                let says = says.lock().unwrap().clone();
                match says.status {
                    Some(status) => Err(status),
                    None => Ok(Json(says.answer(&query["variables"]))),
                }
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
        Self { base, says, asked }
    }

    fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
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
    cube.say(|says| says.changed = vec![("99".into(), stage.clock.now())]);
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
    assert!(cube.asked.load(Ordering::SeqCst) >= 2);
}

async fn a_shop_that_is_away_is_asked_again(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.open(&stage).await;
    cube.say(|says| says.status = Some(StatusCode::SERVICE_UNAVAILABLE));
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
    cube.say(|says| says.status = None);
    assert_eq!(in_time(&stage, 60, stage.settled()).await, 0);
    stage
        .order("cube", "20", |order| order["state"] == "paid")
        .await;
}

/// Waits for something while time passes in steps: whatever the pauses are by now.
async fn in_time<T>(stage: &Stage, step_s: i64, awaited: impl Future<Output = T>) -> T {
    let time = async {
        loop {
            stage.pass(step_s);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        happened = awaited => happened,
        () = time => unreachable!("time does not end"),
    }
}

/// Waits until the shop was asked for orders this often in all, while time passes.
async fn asked(stage: &Stage, cube: &Cube, times: u32) {
    let asked = async {
        while cube.asked.load(Ordering::SeqCst) < times {
            stage.pass(60);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let patience = Duration::from_secs(120);
    tokio::time::timeout(patience, asked).await.unwrap();
}

async fn a_shop_that_refuses_for_hours_loses_nothing(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.open(&stage).await;
    cube.say(|says| says.status = Some(StatusCode::FORBIDDEN));
    let _working = stage.worker(&stage.store);
    assert_eq!(tell(&stage, 7).await, 200);
    asked(&stage, &cube, 12).await;
    let status = stage.store.inbox_status().await.unwrap();
    assert_eq!((status.waiting, status.dead), (1, 0));
    cube.say(|says| says.status = None);
    assert_eq!(in_time(&stage, 60, stage.settled()).await, 0);
    stage
        .order("cube", "7", |order| order["state"] == "paid")
        .await;
}

async fn warnings_beside_an_order_do_not_matter(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.say(|says| {
        says.errors = Some(json!([{ "message": "deprecated" }]));
        says.changed = vec![("99".into(), stage.clock.now())];
    });
    cube.open(&stage).await;
    let _working = stage.worker(&stage.store);
    assert_eq!(tell(&stage, 7).await, 200);
    for id in ["7", "99"] {
        stage
            .order("cube", id, |order| order["state"] == "paid")
            .await;
    }
    assert_eq!(stage.settled().await, 0);
}

async fn an_order_that_the_shop_withholds_is_asked_for_again(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.say(|says| says.withholds = true);
    cube.open(&stage).await;
    let _working = stage.worker(&stage.store);
    assert_eq!(tell(&stage, 7).await, 200);
    asked(&stage, &cube, 5).await;
    let status = stage.store.inbox_status().await.unwrap();
    assert_eq!((status.waiting, status.dead), (1, 0));
    // Not even as a guest's.
    assert_eq!(stage.get("cube", "/v1/ec/orders/7").await.0, 404);
    cube.say(|says| says.withholds = false);
    assert_eq!(in_time(&stage, 60, stage.settled()).await, 0);
    stage
        .order("cube", "7", |order| order["state"] == "paid")
        .await;
}

async fn one_webhook_of_many_orders_is_a_message_for_each(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    cube.open(&stage).await;
    let event = |id: u32| json!({ "entity": "order", "id": id, "action": "updated" });
    let body = json!((1..=60).map(event).collect::<Vec<_>>());
    let body = body.to_string().into_bytes();
    let header = signed(Platform::EcCube4, WEBHOOK_SECRET, &body);
    assert_eq!(stage.webhook("cube", &[header], body).await, 200);
    assert_eq!(stage.store.inbox_status().await.unwrap().waiting, 60);
    let _working = stage.worker(&stage.store);
    assert_eq!(in_time(&stage, 1, stage.settled()).await, 0);
    stage
        .order("cube", "60", |order| order["state"] == "paid")
        .await;
    assert_eq!(cube.asked.load(Ordering::SeqCst), 60, "each once");
}

async fn more_changes_than_one_look_reads_are_all_found(database: Database) {
    let stage = Stage::closed(database).await;
    let cube = Cube::new().await;
    let now = stage.clock.now();
    let changed =
        (1..=130).map(|id: i64| (id.to_string(), now - SignedDuration::from_secs(5 * id)));
    cube.say(|says| says.changed = changed.collect());
    cube.open(&stage).await;
    let _working = stage.worker(&stage.store);
    // The newest that one look reads, and the oldest, which it found that it did not reach.
    for id in ["1", "100", "101", "130"] {
        let paid = stage.order("cube", id, |order| order["state"] == "paid");
        in_time(&stage, 1, paid).await;
    }
}
