//! `loadtest seed`, and `loadtest run` with the members it made, on both kinds of database.

use acceptance::{
    databases::{Database, Engine},
    program::program,
};
use serde_json::Value;

use super::{answers, loadtest};

/// More than one chunk of rows would take too long in a debug build; the library's tests cut chunks.
const MEMBERS: &str = "1200";

async fn empty(engine: Engine) -> (Database, String) {
    let database = Database::create(engine).await;
    let url = database.url().to_owned();
    (database, url)
}

async fn seed(url: &str, more: &[&str]) -> anyhow::Result<Value> {
    let gateway = program("gateway").display().to_string();
    let mut arguments = vec![
        "seed",
        "--gateway",
        &gateway,
        "--database-url",
        url,
        "--members",
        MEMBERS,
        "--json",
    ];
    arguments.extend(more);
    loadtest(&arguments).await
}

async fn run(url: &str, more: &[&str]) -> anyhow::Result<Value> {
    let gateway = program("gateway").display().to_string();
    let mut arguments = vec![
        "run",
        "--gateway",
        &gateway,
        "--database-url",
        url,
        "--seeded",
        "loadtest",
    ];
    arguments.extend([
        "--seeded-members",
        MEMBERS,
        "--real-cards",
        "150",
        "--tills",
        "2",
        "--json",
    ]);
    arguments.extend(more);
    loadtest(&arguments).await
}

/// No answer says no: there are approvals, and "later" if the machine is too busy. The audit after the
/// run counted every point.
fn sound(report: &Value, what: &str) {
    for step in report["steps"].as_array().into_iter().flatten() {
        let outcomes = step["outcomes"].as_object();
        for (outcome, _) in outcomes.into_iter().flatten() {
            let expected = outcome == "approved" || outcome.starts_with("503 ");
            assert!(expected, "{what}: {}", step["outcomes"]);
        }
        assert!(step["outcomes"]["approved"].as_u64() > Some(0), "{what}");
    }
    assert_eq!(
        report["audit"]["clean"],
        Value::Bool(true),
        "{what}: {}",
        report["audit"]
    );
    assert_eq!(report["audit"]["members"].as_u64(), Some(1_200), "{what}");
}

async fn members_that_were_seeded_shop(engine: Engine, word: &str) -> anyhow::Result<()> {
    let (_database, url) = empty(engine).await;
    let seeded = seed(&url, &[]).await?;
    assert_eq!(seeded["database"], word);
    let again = seed(&url, &[]).await.expect_err("it has members");
    assert!(again.to_string().contains("has members already"), "{again}");
    let again = seed(&url, &["--add"]).await.expect_err("the same cards");
    assert!(again.to_string().contains("nothing was written"), "{again}");

    let report = run(
        &url,
        &[
            "--scenario",
            "authorize",
            "--concurrency",
            "3",
            "--requests",
            "200",
        ],
    )
    .await?;
    assert_eq!(report["database"], word);
    assert_eq!(answers(&report["steps"][0]), 200);
    sound(&report, "authorize");
    let report = run(
        &url,
        &["--scenario", "accrue", "--per-s", "50", "--seconds", "2"],
    )
    .await?;
    assert_eq!(answers(&report["steps"][0]), 100);
    sound(&report, "accrue");

    let folder = tempfile::tempdir()?;
    let (html, json) = (
        folder.path().join("run.html"),
        folder.path().join("run.json"),
    );
    let (html_path, json_path) = (html.display().to_string(), json.display().to_string());
    let files = ["--html", &html_path, "--json-file", &json_path];
    let mix = ["--scenario", "mix", "--rates", "40,80", "--requests", "100"];
    let report = run(&url, &[&mix[..], &files].concat()).await?;
    sound(&report, "mix");
    for step in report["steps"].as_array().into_iter().flatten() {
        // 5 of 100 come to look, 20 to spend, 5 to give back.
        let operation = |word: &str| &step["operations"][word];
        let requests = |word: &str| operation(word)["requests"].as_u64().unwrap_or(0);
        assert_eq!((requests("inquiry"), requests("authorization")), (5, 20));
        let held = operation("authorization")["outcomes"]["approved"].as_u64();
        assert_eq!(Some(requests("capture")), held);
        assert_eq!(requests("refund") + requests("reversal"), 5);
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(json)?)?;
    assert_eq!(kept, report);
    self_contained(&std::fs::read_to_string(html)?);
    Ok(())
}

fn self_contained(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(
        page.matches("<svg").count() >= 2 + 2 * 3,
        "charts are drawn in it"
    );
    assert!(page.contains("prefers-color-scheme: dark"));
    // Whatever makes a browser fetch something. The gateway's own address is told as text.
    for elsewhere in [
        "<link", "<script", "<img", "<iframe", "src=", "href=", "url(", "@import",
    ] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    assert!(page.contains("Audit clean") && page.contains("--seeded loadtest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_were_seeded_in_sqlite_shop() -> anyhow::Result<()> {
    members_that_were_seeded_shop(Engine::Sqlite, "sqlite").await
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_were_seeded_in_postgresql_shop() -> anyhow::Result<()> {
    members_that_were_seeded_shop(Engine::Postgres, "postgres").await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_seeds_share_a_database() -> anyhow::Result<()> {
    let (_database, url) = empty(Engine::Postgres).await;
    seed(&url, &[]).await?;
    let other = ["--add", "--seed", "another", "--points", "0"];
    let seeded = seed(&url, &other).await?;
    assert_eq!(seeded["members"].as_u64(), Some(1_200));
    let report = run(
        &url,
        &["--scenario", "accrue", "--requests", "20", "--warm-up", "2"],
    )
    .await?;
    assert_eq!(
        report["audit"]["clean"],
        Value::Bool(true),
        "{}",
        report["audit"]
    );
    assert_eq!(report["audit"]["members"].as_u64(), Some(2_400));
    Ok(())
}
