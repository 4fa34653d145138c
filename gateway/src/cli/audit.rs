//! `gateway audit`: rechecks a whole database and names the first row that breaks an invariant.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{Failure, Settings, database::DatabaseArgs, output};
use crate::{
    audit::{self, Progress, Report},
    clock,
    store::{PoolSizes, SchemaState, Store},
};

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Say nothing of progress
    #[arg(long)]
    quiet: bool,
}

pub(super) async fn run(args: AuditArgs, settings: Settings) -> Result<(), Failure> {
    let sizes = PoolSizes { write: 1, read: 2 };
    let store = args.database.open(&settings, sizes).await?;
    let outcome = check(&store, &args).await;
    store.close().await;
    let report = outcome?;
    if args.json {
        print_json(&report)?;
    } else {
        print(&report)?;
    }
    if report.is_clean() {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}

async fn check(store: &Store, args: &AuditArgs) -> Result<Report, Failure> {
    match store.schema_state().await? {
        SchemaState::UpToDate | SchemaState::Ahead(_) => {}
        SchemaState::Behind(_) => {
            return Err(Failure::Usage(
                "the schema is not up to date; run `gateway migrate`".into(),
            ));
        }
        other => return Err(Failure::Usage(format!("the schema was altered: {other:?}"))),
    }
    let began = clock::instant();
    let mut told = began;
    let quiet = args.quiet;
    let report = audit::run(store, |progress| {
        if !quiet && told.elapsed() >= PROGRESS_EVERY {
            told = clock::instant();
            eprintln!("{}", progress_line(progress, began.elapsed()));
        }
    })
    .await?;
    if !args.quiet {
        let progress = Progress {
            members_done: report.members,
            members: report.members,
        };
        eprintln!("{}", progress_line(progress, began.elapsed()));
    }
    Ok(report)
}

fn progress_line(progress: Progress, elapsed: Duration) -> String {
    let Progress {
        members_done: done,
        members: all,
    } = progress;
    let ms = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let rate = done.saturating_mul(1_000) / ms;
    let percent = done.saturating_mul(100).checked_div(all).unwrap_or(100);
    format!("audit: {done} of {all} members ({percent} %), {rate} a second")
}

fn print(report: &Report) -> Result<(), Failure> {
    for line in &report.lines {
        let tally = &line.tally;
        let verdict = if tally.broken == 0 { "ok" } else { "BROKEN" };
        output::line(format!(
            "{verdict:<6}  {:<3}  {:>10}  {}",
            line.invariant, tally.checked, line.says
        ))?;
        for finding in &tally.findings {
            output::line(format!("          {finding}"))?;
        }
        let kept = u64::try_from(tally.findings.len()).unwrap_or_default();
        if tally.broken > kept {
            let more = tally.broken - kept;
            output::line(format!("          and {more} more"))?;
        }
    }
    let (members, transfers) = (report.members, report.transfers);
    match &report.first {
        None => output::line(format!("clean: {members} members, {transfers} transfers")),
        Some((name, finding)) => output::line(format!("broken: {finding} ({name})")),
    }
}

fn print_json(report: &Report) -> Result<(), Failure> {
    let lines: Vec<_> = report
        .lines
        .iter()
        .map(|line| {
            let findings: Vec<_> = line
                .tally
                .findings
                .iter()
                .map(|found| json!({ "table": found.table, "key": found.key, "detail": found.detail }))
                .collect();
            json!({
                "invariant": line.invariant,
                "check": line.name,
                "says": line.says,
                "checked": line.tally.checked,
                "broken": line.tally.broken,
                "findings": findings,
            })
        })
        .collect();
    output::json(&json!({
        "clean": report.is_clean(),
        "members": report.members,
        "transfers": report.transfers,
        "first_broken": report.first.as_ref().map(|(name, found)| json!({
            "check": name, "table": found.table, "key": found.key, "detail": found.detail,
        })),
        "checks": lines,
    }))
}
