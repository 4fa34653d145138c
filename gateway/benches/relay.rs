//! The relay: how fast it empties a full outbox into RabbitMQ, and how long an event takes from its
//! commit to its confirmation while they come at a constant rate.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@127.0.0.1/scratch AMQP_URL=amqp://guest:guest@127.0.0.1/scratch \
//!     cargo bench -p gateway --bench relay
//! ```
//!
//! Give it a database and a virtual host of their own. Events are realistic purchases, written through
//! the store; they end in the quorum queue that the gateway declares, which is purged between rounds.
//! Each line says how much of the time neighbours took (steal, `/proc/stat`).

#![allow(
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement reads clocks and divides"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use gateway::{
    clock::Clock,
    outbox::{QUEUE, Relay},
    store::{PoolSizes, Store},
};
use hdrhistogram::Histogram;
use lapin::{Connection, ConnectionProperties, options::QueuePurgeOptions};
use ledger::{event::EventKind, records::Event, state::Changes};
use member_card::ProgrammeId;
use metrics::{Counter, Gauge, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pos_protocol::{EventId, MemberId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MEMBERS: u128 = 20_000;
const ROUNDS: usize = 5;
/// Events in a full outbox.
const BACKLOG: usize = 50_000;
/// Events in one commit while the outbox is filled.
const FILL_EVENTS: usize = 500;
/// The constant rate, and the events in one commit.
const EVENTS_PER_S: u32 = 1_000;
const COMMIT_EVENTS: u32 = 10;
const STEADY: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);

/// Microseconds from commit to confirmation.
static CONFIRMS: LazyLock<Mutex<Histogram<u64>>> = LazyLock::new(|| Mutex::new(microseconds()));

/// Up to ten minutes.
fn microseconds() -> Histogram<u64> {
    Histogram::new_with_max(600_000_000, 3).expect("three digits")
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --benches` only wants to know that it runs.
    let (Ok(url), Ok(amqp_url)) = (std::env::var("DATABASE_URL"), std::env::var("AMQP_URL")) else {
        println!(
            "relay: set DATABASE_URL to a scratch database and AMQP_URL to a scratch virtual host to measure"
        );
        return Ok(());
    };
    metrics::set_global_recorder(Confirms)
        .ok()
        .context("a recorder")?;
    let store = Store::open(&url.parse()?, PoolSizes::default()).await?;
    store.migrate().await?;
    let mut bench = Bench {
        store,
        amqp_url,
        clock: Clock::system(),
        sequences: BTreeMap::new(),
        next: 0,
    };
    let mut rates = Vec::new();
    for round in 1..=ROUNDS {
        rates.push(bench.drain(round).await?);
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "drain, median of {ROUNDS} rounds: {:.0} events/s",
        rates[ROUNDS / 2]
    );
    for _ in 0..3 {
        bench.steady().await?;
    }
    bench.store.close().await;
    Ok(())
}

struct Bench {
    store: Store,
    amqp_url: String,
    clock: Clock,
    sequences: BTreeMap<u128, i64>,
    next: u128,
}

impl Bench {
    fn relay(&self) -> Result<Relay> {
        let programme = ProgrammeId::new("bench").context("a programme")?;
        let broker = self.amqp_url.parse()?;
        Ok(Relay::new(
            self.store.clone(),
            self.clock.clone(),
            programme,
            broker,
        ))
    }

    /// Commits so many events, of one member after the other.
    async fn commit(&mut self, count: usize) -> Result<()> {
        let events: Vec<_> = (0..count).map(|_| self.event()).collect();
        let changes = Changes {
            events,
            ..Changes::default()
        };
        let mut batch = self.store.begin(&BTreeSet::new()).await?;
        batch.write(&changes).await?;
        Ok(batch.commit().await?)
    }

    fn event(&mut self) -> Event {
        self.next += 1;
        // Several runs on one database are several sets of members.
        let number = self.next % MEMBERS;
        let sequence = self.sequences.entry(number).or_default();
        *sequence += 1;
        let run = Uuid::from_u128(u128::from(std::process::id()) << 64 | number);
        let member = MemberId::new(run);
        let id = self.clock.new_id();
        Event {
            id: EventId::new(id),
            member_id: Some(member),
            member_sequence: *sequence,
            kind: EventKind::PurchaseCompleted,
            subject: format!("purchase/{id}"),
            at: self.clock.now(),
            data: purchase(id, member),
        }
    }

    async fn waiting(&self) -> Result<u64> {
        Ok(self.store.outbox_status().await?.waiting)
    }

    async fn drain(&mut self, round: usize) -> Result<f64> {
        for _ in 0..BACKLOG / FILL_EVENTS {
            self.commit(FILL_EVENTS).await?;
        }
        let waiting = self.waiting().await?;
        let (cpu, started) = (Cpu::now(), Instant::now());
        let stop = CancellationToken::new();
        let relay = tokio::spawn(self.relay()?.run(stop.clone()));
        while self.waiting().await? > 0 {
            tokio::time::sleep(POLL).await;
        }
        let rate = waiting as f64 / started.elapsed().as_secs_f64();
        println!(
            "drain {round}: {waiting} events, {rate:.0} events/s, {}",
            cpu.since()
        );
        stop.cancel();
        relay.await?;
        self.purge().await?;
        Ok(rate)
    }

    async fn steady(&mut self) -> Result<()> {
        let stop = CancellationToken::new();
        let relay = self.relay()?;
        let committed = relay.committed();
        let relay = tokio::spawn(relay.run(stop.clone()));
        tokio::time::sleep(Duration::from_secs(2)).await;
        CONFIRMS.lock().expect("not poisoned").reset();
        let (cpu, started) = (Cpu::now(), Instant::now());
        let mut ticks =
            tokio::time::interval(Duration::from_secs(1) * COMMIT_EVENTS / EVENTS_PER_S);
        let mut commits = microseconds();
        while started.elapsed() < STEADY {
            ticks.tick().await;
            let began = Instant::now();
            self.commit(COMMIT_EVENTS as usize).await?;
            commits.saturating_record(began.elapsed().as_micros() as u64);
            committed(&[]);
        }
        while self.waiting().await? > 0 {
            tokio::time::sleep(POLL).await;
        }
        {
            let confirms = CONFIRMS.lock().expect("not poisoned");
            let ms = |of: &Histogram<u64>, q| of.value_at_quantile(q) as f64 / 1_000.0;
            println!(
                "steady {EVENTS_PER_S}/s: commit to confirm p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms ({} events); commit p50 {:.1} ms, p99 {:.1} ms; {}",
                ms(&confirms, 0.5),
                ms(&confirms, 0.99),
                ms(&confirms, 1.0),
                confirms.len(),
                ms(&commits, 0.5),
                ms(&commits, 0.99),
                cpu.since(),
            );
        }
        stop.cancel();
        relay.await?;
        self.purge().await
    }

    async fn purge(&self) -> Result<()> {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&self.amqp_url, properties).await?;
        let channel = connection.create_channel().await?;
        channel
            .queue_purge(QUEUE.into(), QueuePurgeOptions::default())
            .await?;
        connection.close(200, "OK".into()).await?;
        Ok(())
    }
}

/// What a till's purchase of six lines leaves in the log.
fn purchase(id: Uuid, member: MemberId) -> String {
    let lines: Vec<_> = (1..=6)
        .map(|line| {
            serde_json::json!({
                "line": line, "sku": format!("490177700{line:04}"), "category": "food",
                "quantity": 1, "amount": 298, "tax_rate": 8,
            })
        })
        .collect();
    serde_json::json!({
        "purchase_id": id, "member_id": member, "terminal_id": "terminal-17", "store_id": "store-3",
        "basket_id": format!("basket-{id}"), "business_date": "2026-11-22", "total": 1788,
        "receipt": { "lines": lines, "tax": [{ "rate": 8, "amount": 132 }] },
        "redeemed": 0, "earned": [{ "rule": "base", "points": 17, "basis": 1788 }],
        "balance": { "available": 1234, "held": 0, "pending": 17 }, "advice": false,
        "programme_version": 3,
    })
    .to_string()
}

/// The time of all processors.
struct Cpu([u64; 8]);

impl Cpu {
    fn now() -> Self {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        let mut times = [0; 8];
        for (time, text) in times.iter_mut().zip(line.split_whitespace().skip(1)) {
            *time = text.parse().unwrap_or(0);
        }
        Self(times)
    }

    fn since(&self) -> String {
        let spent: Vec<u64> = self
            .0
            .iter()
            .zip(Self::now().0)
            .map(|(then, now)| now.saturating_sub(*then))
            .collect();
        let all: u64 = spent.iter().sum::<u64>().max(1);
        let share = |at: usize| spent[at] as f64 * 100.0 / all as f64;
        format!("idle {:.0} %, steal {:.0} %", share(3), share(7))
    }
}

/// Keeps the one measurement that is wanted here.
struct Confirms;

struct Sample;

impl HistogramFn for Sample {
    fn record(&self, seconds: f64) {
        let mut confirms = CONFIRMS.lock().expect("not poisoned");
        confirms.saturating_record((seconds * 1e6) as u64);
    }
}

impl Recorder for Confirms {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        if key.name() == "gateway_relay_commit_to_confirm_seconds" {
            metrics::Histogram::from_arc(Arc::new(Sample))
        } else {
            metrics::Histogram::noop()
        }
    }
}
