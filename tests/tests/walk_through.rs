//! The walk that `gateway demo` prints, run as printed, step by step, and again after the demo was
//! ended and started on the same folder.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use acceptance::{
    gateway_process::{GatewayProcess, Start},
    program::program,
};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

/// The line of the demo's output that follows the walk.
const AFTER_THE_WALK: &str = "# The gateway runs at";

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_walk_works_as_printed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let gateway = put_programs(folder.path())?;
    let data = folder.path().join("demo-data");
    let mut start = Start::new(["demo", "--data"]);
    start.arguments.push(data.into());
    start.program = Some(gateway);
    let mut demo = GatewayProcess::start(start).await?;
    check_walk(&walk(&demo, folder.path()).await?)?;

    demo.terminate().await?;
    ensure!(demo.ended().await?.success(), "the demo did not end well");
    demo.restart().await?;
    check_walk(&walk(&demo, folder.path()).await?)
}

/// Lays the programs side by side under their own names, as a build does.
fn put_programs(folder: &Path) -> anyhow::Result<PathBuf> {
    for name in ["gateway", "member-card"] {
        let (from, to) = (program(name), folder.join(name));
        if std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(folder.join("gateway"))
}

/// Takes the walk from what the demo printed last, and runs it.
async fn walk(demo: &GatewayProcess, folder: &Path) -> anyhow::Result<String> {
    demo.line(|line| line.starts_with(AFTER_THE_WALK)).await?;
    let printed = demo.printed();
    let end = printed
        .iter()
        .rposition(|line| line.starts_with(AFTER_THE_WALK))
        .context("the end of the walk")?;
    let begin = printed[..end]
        .iter()
        .rposition(|line| line.starts_with("# A walk"))
        .context("the beginning of the walk")?;
    let script = folder.join("walk.sh");
    std::fs::write(&script, printed[begin..end].join("\n") + "\n")?;
    // Both outputs into one pipe, as into one terminal.
    let output = Command::new("sh")
        .args(["-c", "exec bash -euo pipefail \"$0\" 2>&1"])
        .arg(&script)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .output()
        .await
        .context("sh")?;
    let shown = String::from_utf8(output.stdout)?;
    let status = output.status;
    ensure!(status.success(), "the walk ended with {status}\n{shown}");
    Ok(shown)
}

/// What each step shows.
fn check_walk(shown: &str) -> anyhow::Result<()> {
    let text = shown
        .lines()
        .find_map(|line| line.strip_prefix("card text: "))
        .context("step 2 shows the card's text")?;
    ensure!(text.len() == 199 && text.starts_with("7001"), "{text}");
    let lines: Vec<&str> = shown.lines().filter(|line| line.starts_with('{')).collect();
    let answers: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line))
        .collect::<Result<_, _>>()
        .with_context(|| format!("no JSON in a line of:\n{shown}"))?;
    let [
        enrolled,
        earned,
        inquired,
        held,
        sold,
        _,
        quote,
        refund,
        me,
        events @ ..,
    ] = answers.as_slice()
    else {
        bail!("too few answers:\n{shown}");
    };
    assert!(enrolled["member_no"].is_string() && enrolled["card_id"].is_string());
    for (answer, pointer, expected) in [
        (earned, "/purchase/points_earned", 500),
        (earned, "/points/available", 500),
        (inquired, "/points/spendable", 500),
        (held, "/authorization/points", 300),
        (held, "/points/available", 200),
        (sold, "/purchase/points_redeemed", 300),
        (sold, "/purchase/points_earned", 21),
        (sold, "/points/available", 221),
        // The cup is 1,100 of 2,180 yen: of 300 points spent and 21 earned, floored.
        (quote, "/refund/points_restored", 151),
        (quote, "/refund/points_clawed_back", 10),
        (refund, "/refund/points_restored", 151),
        (refund, "/refund/points_clawed_back", 10),
        (refund, "/points/available", 362),
        (me, "/points/available", 362),
        (me, "/points/held", 0),
    ] {
        let said = answer.pointer(pointer);
        assert_eq!(said, Some(&expected.into()), "{pointer} of {answer}");
    }
    let (seventh, eighth) = (lines[4], lines[5]);
    assert_eq!(seventh, eighth, "the answer again, byte for byte");
    check_events(events, sold)
}

fn check_events(events: &[Value], sold: &Value) -> anyhow::Result<()> {
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    for kind in [
        "member.enrolled",
        "purchase.completed",
        "authorization.held",
        "purchase.refunded",
    ] {
        let known = kinds.iter().any(|known| known.ends_with(kind));
        ensure!(known, "no event {kind} among {kinds:?}");
    }
    let purchase = sold["purchase"]["id"].as_str().context("a purchase")?;
    let of_it = events
        .iter()
        .filter(|event| event["subject"] == format!("purchase/{purchase}"));
    assert_eq!(of_it.count(), 2, "sold and refunded");
    assert!(events.iter().all(|event| event["specversion"] == "1.0"));
    Ok(())
}
