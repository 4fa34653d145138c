//! A database that is down, hangs, is locked, or whose disk is full.

use std::time::Duration;

use acceptance::{
    ask::Ask,
    databases::{Database, Engine},
    proxy::{Flow, Proxy},
    reply::Reply,
};
use anyhow::{Context, ensure};
use sqlx::{Connection, SqliteConnection};
use tokio::process::Command;

use crate::Counter;

/// Sales before, during and after each outage.
const SALES: usize = 10;
/// Outages.
const OUTAGES: usize = 3;
/// Sales that are under way at once when the line breaks.
const BUSY_SALES: usize = 30;
/// How often the line breaks under them.
const BUSY_OUTAGES: usize = 6;

/// PostgreSQL goes down (connections break) and hangs (nothing moves), in turn.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_goes_away_and_comes_back() -> anyhow::Result<()> {
    let database = Database::create(Engine::Postgres).await;
    let (proxy, url) = Proxy::before_database(database.url()).await?;
    let mut counter =
        Counter::open_with(database, SALES * 3 * OUTAGES, |it| it.serve_through(&url)).await?;
    let mut acknowledged = Vec::new();
    for outage in 0..OUTAGES {
        let before = sell(&mut counter, SALES).await;
        let flow = [Flow::Cut, Flow::Frozen][outage % 2];
        proxy.set(flow);
        counter.gateway.not_ready().await?;
        let during = refuse(&mut counter, &format!("{flow:?}")).await?;
        proxy.set(Flow::Open);
        counter.gateway.ready().await?;
        acknowledged.extend(before);
        for sale in during {
            // Whether it got through before the line broke is for the gateway to know.
            let reply = counter.till.insist(&sale).await.approved();
            acknowledged.push((sale, reply));
        }
        acknowledged.extend(sell(&mut counter, SALES).await);
    }
    check_acknowledged(&counter, &acknowledged).await;
    counter.check(SALES * 3 * OUTAGES).await
}

/// Commits whose answer is lost on the line: the gateway cannot know, so it says neither yes nor no.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_breaks_while_it_commits() -> anyhow::Result<()> {
    let database = Database::create(Engine::Postgres).await;
    let (proxy, url) = Proxy::before_database(database.url()).await?;
    let sales = BUSY_SALES * BUSY_OUTAGES;
    let mut counter = Counter::open_with(database, sales, |it| it.serve_through(&url)).await?;
    let mut acknowledged = Vec::new();
    for outage in 0..BUSY_OUTAGES {
        let mut sending = tokio::task::JoinSet::new();
        for _ in 0..BUSY_SALES {
            let (sale, till) = (counter.next_sale().await, counter.till.clone());
            sending.spawn(async move { (till.send(&sale).await, sale) });
        }
        let mut open = Vec::new();
        let mut answered = 0;
        while let Some(sent) = sending.join_next().await {
            let (reply, sale) = sent?;
            let reply = reply.context("the gateway gave no answer")?;
            if reply.status == 200 {
                acknowledged.push((sale, reply.approved()));
            } else {
                assert_eq!(reply.status, 503, "{reply:?}");
                open.push(sale);
            }
            answered += 1;
            // The others are in a batch by now, or about to be.
            if answered == 1 + outage {
                proxy.set(Flow::Cut);
            }
        }
        println!("outage {outage}: {} of {BUSY_SALES} sales open", open.len());
        proxy.set(Flow::Open);
        for sale in open {
            let reply = counter.till.insist(&sale).await.approved();
            acknowledged.push((sale, reply));
        }
    }
    check_acknowledged(&counter, &acknowledged).await;
    counter.check(sales).await
}

/// Another program holds SQLite's write lock, as a careless administrator's shell would.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_locked() -> anyhow::Result<()> {
    let database = Database::create(Engine::Sqlite).await;
    let mut counter = Counter::open(database, SALES * 3).await?;
    let mut acknowledged = sell(&mut counter, SALES).await;
    let mut other = SqliteConnection::connect(counter.database.url()).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await?;
    let during = refuse(&mut counter, "locked").await?;
    sqlx::query("ROLLBACK").execute(&mut other).await?;
    for sale in during {
        let reply = counter.till.insist(&sale).await.approved();
        acknowledged.push((sale, reply));
    }
    acknowledged.extend(sell(&mut counter, SALES).await);
    check_acknowledged(&counter, &acknowledged).await;
    counter.check(SALES * 3).await
}

/// The disk is full: the process may not make any file longer than it is. What the shell ignores,
/// the gateway ignores too, so that writing fails instead of killing it.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_has_no_room() -> anyhow::Result<()> {
    let database = Database::create(Engine::Sqlite).await;
    let mut counter = Counter::open_with(database, SALES * 3, |it| {
        let mut start = it.serve();
        start.prelude = Some("trap '' XFSZ".into());
        start
    })
    .await?;
    let mut acknowledged = sell(&mut counter, SALES).await;
    limit_files(&counter, "1").await?;
    let during = refuse(&mut counter, "full").await?;
    counter.gateway.not_ready().await?;
    limit_files(&counter, "unlimited").await?;
    for sale in during {
        let reply = counter.till.insist(&sale).await.approved();
        acknowledged.push((sale, reply));
    }
    counter.gateway.ready().await?;
    acknowledged.extend(sell(&mut counter, SALES).await);
    check_acknowledged(&counter, &acknowledged).await;
    counter.check(SALES * 3).await
}

/// How long a file the gateway writes may become, in bytes.
async fn limit_files(counter: &Counter, bytes: &str) -> anyhow::Result<()> {
    let id = counter.gateway.id().context("the gateway runs")?;
    let limit = Command::new("prlimit")
        .arg(format!("--pid={id}"))
        .arg(format!("--fsize={bytes}:unlimited"))
        .status();
    ensure!(
        limit.await.context("prlimit, of util-linux")?.success(),
        "prlimit failed"
    );
    Ok(())
}

/// Sells, and keeps what was acknowledged.
async fn sell(counter: &mut Counter, sales: usize) -> Vec<(Ask, Reply)> {
    let mut acknowledged = Vec::new();
    for _ in 0..sales {
        let sale = counter.next_sale().await;
        let reply = counter.till.insist(&sale).await.approved();
        acknowledged.push((sale, reply));
    }
    acknowledged
}

/// Sells while nothing can be written: every answer is 503, and comes before a till would give up.
async fn refuse(counter: &mut Counter, what: &str) -> anyhow::Result<Vec<Ask>> {
    let mut sales = Vec::new();
    for _ in 0..SALES {
        sales.push(counter.next_sale().await);
    }
    let mut sending = tokio::task::JoinSet::new();
    for sale in sales.clone() {
        let till = counter.till.clone();
        sending.spawn(async move {
            let asked_at = gateway::clock::instant();
            (till.send(&sale).await, asked_at.elapsed())
        });
    }
    let mut slowest = Duration::ZERO;
    while let Some(sent) = sending.join_next().await {
        let (reply, took) = sent?;
        let reply = reply.with_context(|| format!("{what}: the gateway gave no answer"))?;
        assert_eq!(reply.status, 503, "{what}: {reply:?}");
        let problem = reply.problem().unwrap_or_default();
        let known = ["unavailable", "outcome_unknown", "overloaded"];
        assert!(known.contains(&&*problem), "{what}: {reply:?}");
        assert!(
            reply.headers.contains_key("retry-after"),
            "{what}: {reply:?}"
        );
        slowest = slowest.max(took);
    }
    println!("{what}: {SALES} times 503, the slowest after {slowest:?}");
    Ok(sales)
}

/// Every acknowledged answer is still there, byte for byte.
async fn check_acknowledged(counter: &Counter, acknowledged: &[(Ask, Reply)]) {
    for (sale, reply) in acknowledged {
        let stored = counter.till.insist_on_status(&sale.request_id).await;
        assert_eq!((stored.status, stored.text()), (200, reply.text()));
    }
}
