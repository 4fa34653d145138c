//! `gateway doctor` looks at the broker, makes nothing and sends nothing.

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    gateway_process::{run, run_well},
};
use gateway::outbox::{EXCHANGE, QUEUE};
use serde_json::json;

use crate::stage::{Running, Stage};

async fn doctor(database: &Database, amqp_url: &str) -> (bool, String) {
    let arguments = [
        "doctor",
        "--database-url",
        database.url(),
        "--amqp-url",
        amqp_url,
    ];
    let ran = run("gateway", &arguments).await.unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let about = |line: &&str| {
        ["broker", "queues"].contains(&line.split_whitespace().nth(1).unwrap_or_default())
    };
    let lines: Vec<&str> = said.lines().filter(about).collect();
    let fault = lines.iter().any(|line| line.starts_with("fault"));
    (fault, lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_says_what_is_wrong_and_changes_nothing() {
    let host = Broker::shared().await.virtual_host().await;
    let database = Database::create(Engine::Sqlite).await;
    run_well("gateway", &["migrate", "--database-url", database.url()])
        .await
        .unwrap();

    let (fault, said) = doctor(&database, &host.url()).await;
    assert!(
        !fault && said.contains("signed in") && said.contains("is not there"),
        "{said}"
    );
    assert!(
        host.thing("exchanges", EXCHANGE).await.is_none(),
        "it made nothing"
    );

    let mut stage = Stage::new(&database).await;
    stage.happen("points.adjusted", [1]).await;
    let relay = Running::start(&stage.store, &host.url());
    stage.drained().await;
    relay.stop().await;
    let (fault, said) = doctor(&database, &host.url()).await;
    assert!(
        !fault && said.contains("are as a gateway makes them"),
        "{said}"
    );

    host.delete("queues", QUEUE).await;
    host.declare_queue(QUEUE, json!({})).await;
    let (fault, said) = doctor(&database, &host.url()).await;
    assert!(!fault && said.contains("inequivalent"), "{said}");

    host.delete("exchanges", EXCHANGE).await;
    host.declare_exchange(EXCHANGE, "direct").await;
    let (fault, said) = doctor(&database, &host.url()).await;
    assert!(fault && said.contains("another type"), "{said}");

    let wrong = host.url().replace("guest:guest", "guest:geheim");
    let (fault, said) = doctor(&database, &wrong).await;
    assert!(
        fault && said.contains("ACCESS_REFUSED") && !said.contains("geheim"),
        "{said}"
    );
    let nobody = format!("amqp://{}", acceptance::gateway_process::free_address());
    let (fault, said) = doctor(&database, &nobody).await;
    assert!(fault && said.contains("refused"), "{said}");
}
