//! `loadtest run` against the demo, which it does not start: at callers' own pace, at rates, and in search of one.

use acceptance::gateway_process::{GatewayProcess, Start};
use serde_json::Value;

use super::{answers, loadtest};

async fn demo(folder: &tempfile::TempDir) -> anyhow::Result<GatewayProcess> {
    let mut start = Start::new(["demo", "--data"]);
    start.arguments.push(folder.path().join("data").into());
    GatewayProcess::start(start).await
}

async fn run(demo: &GatewayProcess, more: &[&str]) -> anyhow::Result<Value> {
    let base = demo.base();
    let mut arguments = vec!["run", "--url", &base, "--client", "till-1"];
    arguments.extend(["--secret", "demo-till-1-secret", "--members", "8", "--json"]);
    arguments.extend(more);
    loadtest(&arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_measured_and_nobody_claims_an_audit() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let demo = demo(&folder).await?;
    let report = run(
        &demo,
        &["--concurrency", "4", "--requests", "120", "--warm-up", "20"],
    )
    .await?;
    let step = &report["steps"][0];
    assert_eq!(answers(step), 120);
    assert!(step["outcomes"]["approved"].as_u64() > Some(0));
    let number = |pointer: &str| step.pointer(pointer).and_then(Value::as_f64);
    assert!(number("/approvals_per_s") > Some(0.0));
    assert!(number("/latency/p50_us") > Some(0.0));
    assert!(number("/latency/p50_us") <= number("/latency/max_us"));
    assert!(
        number("/batch_commands") >= Some(1.0),
        "batches are read from /metrics"
    );
    assert_eq!(
        step["late"],
        Value::Null,
        "a closed loop has no times to keep"
    );
    assert_eq!(report["audit"], Value::Null);
    assert!(report["notes"].to_string().contains("Not audited"));
    assert!(!report.to_string().contains("demo-till-1-secret"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_are_measured_one_after_the_other_and_a_bound_is_searched_for() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let demo = demo(&folder).await?;
    let report = run(
        &demo,
        &["--rates", "20,40", "--requests", "60", "--warm-up", "5"],
    )
    .await?;
    let steps = report["steps"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let asked: Vec<_> = steps
        .iter()
        .map(|step| step["asked_per_s"].as_u64())
        .collect();
    assert_eq!(asked, [Some(20), Some(40)]);
    for step in steps {
        assert_eq!(answers(step), 60);
        assert!(step["late"]["max_us"].as_u64() > Some(0));
    }
    // No gateway answers within no time: the search must come to its end, and say so.
    let bound = [
        "--find-rate",
        "--p99-ms",
        "0",
        "--per-s",
        "8",
        "--requests",
        "8",
        "--warm-up",
        "1",
    ];
    let report = run(&demo, &bound).await?;
    assert_eq!(report["search"]["per_s"], Value::Null, "{report}");
    assert!(report["steps"].as_array().map(Vec::len) > Some(1));
    Ok(())
}
