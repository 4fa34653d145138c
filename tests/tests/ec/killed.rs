//! A gateway that is killed while shops report: every order it answered 202 is booked once.

use std::time::Duration;

use acceptance::{
    databases::Database,
    gateway_process::{GatewayProcess, run_well},
    installation::Installation,
    on_each_database,
};
use gateway::store::PoolSizes;
use serde_json::{Value, json};

use crate::stage::statement;

on_each_database!(every_order_that_was_answered_is_booked_once);

const KILLS: usize = 3;

async fn every_order_that_was_answered_is_booked_once(database: Database) {
    let folder = tempfile::TempDir::new().unwrap();
    let secrets = folder.path().join("secrets.toml");
    let secrets = secrets.to_str().unwrap();
    run_well("gateway", &["admin", "secrets", "new", secrets])
        .await
        .unwrap();
    let installation = Installation::new(database.url()).await.unwrap();
    let url = installation.database_url();
    let at = ["--database-url", url];
    let shop = ["admin", "shop", "add", "--id", "api", "--platform", "api"];
    run_well("gateway", &[&shop[..], &at].concat())
        .await
        .unwrap();
    let client = [
        "admin", "client", "create", "--id", "api", "--scope", "ec", "--shop", "api", "--json",
    ];
    let made = run_well("gateway", &[&client[..], &at].concat())
        .await
        .unwrap();
    let made: Value = serde_json::from_str(&made).unwrap();
    let secret = made["client_secret"].as_str().unwrap();
    let mut start = installation.serve();
    start
        .arguments
        .extend(["--secrets", secrets].map(Into::into));
    let mut gateway = GatewayProcess::start(start).await.unwrap();
    let mut answered = 0;
    for kill in 0..=KILLS {
        let (base, secret) = (gateway.base(), secret.to_owned());
        let reporting = tokio::spawn(report(base, secret, kill));
        if kill < KILLS {
            tokio::time::sleep(Duration::from_millis(400)).await;
            gateway.kill().await.unwrap();
            answered += reporting.await.unwrap();
            gateway.restart().await.unwrap();
        } else {
            answered += reporting.await.unwrap();
        }
    }
    assert!(answered > 20, "{answered}");
    let store = database.open(PoolSizes::default()).await;
    let settled = async {
        while store.inbox_status().await.unwrap().waiting > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), settled)
        .await
        .unwrap();
    assert_eq!(store.inbox_status().await.unwrap().dead, 0);
    gateway.terminate().await.unwrap();
    gateway.ended().await.unwrap();
    let bought = store.channels(None).await.unwrap();
    // What was kept and not answered is booked, too.
    assert!(bought[0].purchases >= answered, "{bought:?} {answered}");
    assert_eq!(bought[0].yen, 3_000 * bought[0].purchases);
    store.close().await;
    installation.audit().await.unwrap();
}

/// Reports new orders until the gateway is gone, or 100 of them; how many were answered 202.
async fn report(base: String, secret: String, round: usize) -> i64 {
    let http = reqwest::Client::new();
    let asked = http
        .post(format!("{base}/oauth/token"))
        .basic_auth("api", Some(secret))
        .form(&[("grant_type", "client_credentials")]);
    let Ok(answer) = asked.send().await else {
        return 0;
    };
    let Ok(token) = answer.json::<Value>().await else {
        return 0;
    };
    let token = token["access_token"].as_str().unwrap().to_owned();
    let mut answered = 0;
    for number in 0..100 {
        let order = statement(&format!("{round}-{number}"), "c1", &json!({ "paid": true }));
        let asked = http.post(format!("{base}/v1/ec/orders")).json(&order);
        match asked.bearer_auth(&token).send().await {
            Ok(answer) if answer.status() == 202 => answered += 1,
            Ok(answer) => assert_eq!(answer.status(), 503),
            Err(_) => break,
        }
    }
    answered
}
