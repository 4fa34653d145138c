//! An import that is killed again and again brings every card in once, and its points once.

use std::{fmt::Write as _, fs, time::Duration};

use acceptance::{databases::Database, on_each_database, program};
use gateway::store::{PoolSizes, Store};
use tokio::process::{Child, Command};

use crate::Counter;

on_each_database!(an_import_that_is_killed_goes_on);

const ROWS: u32 = 8_000;
/// How often it is killed.
const KILLS: usize = 3;
const POINTS: i64 = 7;

fn base() -> String {
    let mut text = String::from("会員番号,ポイント,氏名\n");
    for row in 1..=ROWS {
        // Every hundredth row has points that no one can read.
        let points = if row % 100 == 0 { "?" } else { "7" };
        writeln!(text, "2999{row:09},{points},N{row}").unwrap();
    }
    text
}

/// The import as a process, to be killed.
fn start(counter: &Counter, resume: bool) -> Child {
    let mut command = Command::new(program::program("gateway"));
    program::settings_around().for_each(|name| {
        command.env_remove(name);
    });
    command.args(["admin", "card", "import"]);
    command.arg(counter.path("base.csv"));
    command.arg("--secrets").arg(counter.path("secrets.toml"));
    command.args(["--database-url", counter.database.url()]);
    command.args(resume.then_some("--resume"));
    command.kill_on_drop(true).spawn().unwrap()
}

/// Rows before the saved position.
fn rows_saved(counter: &Counter) -> u64 {
    let path = counter.path("base.csv.report.csv.position");
    let Ok(text) = fs::read(path) else { return 0 };
    let saved: serde_json::Value = serde_json::from_slice(&text).unwrap();
    saved["position"]["rows"].as_u64().unwrap()
}

async fn an_import_that_is_killed_goes_on(database: Database) {
    let counter = Counter::open(database).await;
    fs::write(counter.path("base.csv"), base()).unwrap();
    let (mut killed, mut seen) = (0, 0);
    let code = loop {
        let mut import = start(&counter, killed > 0);
        let ended = loop {
            if let Some(status) = import.try_wait().unwrap() {
                break Some(status.code());
            }
            if killed < KILLS && rows_saved(&counter) > seen {
                break None;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        if let Some(code) = ended {
            break code;
        }
        import.kill().await.unwrap();
        (killed, seen) = (killed + 1, rows_saved(&counter));
    };
    assert_eq!((killed, code), (KILLS, Some(1)), "rows were left out");

    let good = i64::from(ROWS - ROWS / 100);
    let (members, points) = members(&counter).await;
    // One more: the phone's.
    assert_eq!((members - 1, points - crate::POINTS), (good, good * POINTS));
    let report = fs::read_to_string(counter.path("base.csv.report.csv")).unwrap();
    let told: Vec<&str> = report.lines().skip(1).collect();
    assert_eq!(told.len(), usize::try_from(ROWS / 100).unwrap());
    assert!(
        told.iter()
            .all(|line| line.contains(",balance,points_not_a_number,"))
    );
    let file = counter.path("base.csv").display().to_string();
    let again = counter.card_command(&["import", &file]).await;
    let line = format!("already there            {good}\n");
    assert!(
        again.out.contains(&line) && again.out.contains("profiles                 0\n"),
        "{again:?}"
    );
    counter.close().await;
}

/// How many members there are, and their points.
async fn members(counter: &Counter) -> (i64, i64) {
    let text = "SELECT count(*), CAST(sum(available) AS BIGINT) FROM members";
    match counter.database.open(PoolSizes::default()).await {
        Store::Sqlite { read, .. } => sqlx::query_as(text).fetch_one(&read).await.unwrap(),
        Store::Postgres { read, .. } => sqlx::query_as(text).fetch_one(&read).await.unwrap(),
    }
}
