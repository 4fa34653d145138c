//! The load test measures: against the demo, and against gateways that it starts itself.

mod run;
mod seed;

use std::process::Stdio;

use acceptance::{
    broker::Broker,
    databases::{Database, Engine},
    program::program,
};
use anyhow::ensure;
use serde_json::Value;
use tokio::process::Command;

async fn loadtest(arguments: &[&str]) -> anyhow::Result<Value> {
    let output = Command::new(program("loadtest"))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "loadtest failed: {said}");
    println!("{said}{}", String::from_utf8_lossy(&output.stdout));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Answers of every kind; on a busy machine some may be "later".
fn answers(figures: &Value) -> u64 {
    let outcomes = figures["outcomes"].as_object();
    let counts = outcomes.into_iter().flatten();
    counts.filter_map(|(_, count)| count.as_u64()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn batching_is_compared_in_alternating_rounds() -> anyhow::Result<()> {
    let database = Database::create(Engine::Postgres).await;
    let gateway = program("gateway");
    let comparison = loadtest(&[
        "batching",
        "--gateway",
        &gateway.display().to_string(),
        "--database-url",
        database.url(),
        "--members",
        "40",
        "--concurrency",
        "8",
        "--requests",
        "80",
        "--requests-alone",
        "10",
        "--json",
    ])
    .await?;
    let rounds = comparison["rounds"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let kinds: Vec<&str> = rounds
        .iter()
        .filter_map(|round| round["kind"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "natural", "single", "single", "natural", "natural", "single"
        ]
    );
    for round in rounds {
        assert_eq!(answers(&round["loaded"]), 80);
        if round["kind"] == "single" {
            assert_eq!(round["loaded"]["batch_commands"], 1.0);
        }
    }
    assert!(comparison["throughput_ratio"].as_f64() > Some(0.0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_is_compared_with_none_and_a_backlog_drains() -> anyhow::Result<()> {
    let database = Database::create(Engine::Postgres).await;
    let host = Broker::shared().await.virtual_host().await;
    let gateway = program("gateway");
    let comparison = loadtest(&[
        "relay",
        "--gateway",
        &gateway.display().to_string(),
        "--database-url",
        database.url(),
        "--amqp-url",
        &host.url(),
        "--members",
        "20",
        "--concurrency",
        "4",
        "--per-s",
        "40",
        "--requests",
        "80",
        "--json",
    ])
    .await?;
    let rounds = comparison["rounds"].as_array();
    let rounds = rounds.map(Vec::as_slice).unwrap_or_default();
    assert_eq!(rounds.len(), 6);
    for (number, round) in rounds.iter().enumerate() {
        assert_eq!(answers(&round["tills"]), 80);
        let backlog = round.pointer("/relay/backlog_events");
        match number % 2 {
            0 => assert_eq!(backlog, None, "a round without a broker"),
            // Holds, voids and those of the warm-up, of the round before.
            _ => assert!(backlog.and_then(Value::as_u64) >= Some(176), "{round}"),
        }
    }
    assert!(comparison["drained_per_s"].as_f64() > Some(0.0));
    assert!(comparison["p50_ratio"].as_f64() > Some(0.0));
    Ok(())
}
