//! The writer with natural batching against the same writer limited to batches of one, side by side.
//!
//! ```sh
//! DATABASE_URL=postgres://postgres@127.0.0.1/scratch cargo bench -p gateway --bench batching
//! DATABASE_URL=sqlite:///tmp/scratch.db              cargo bench -p gateway --bench batching
//! ```
//!
//! The database is migrated and filled with members; give it one of its own. No HTTP and no
//! signatures: this measures queue, decision, SQL and commit. Rounds alternate, ratios are formed
//! inside a round, and each line says how much of the time neighbours took (steal, `/proc/stat`).

#![allow(
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a measurement reads clocks and divides"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use gateway::{
    clock::Clock,
    programme_file,
    store::{PoolSizes, Store},
    writer::{Lanes, Writer, WriterOptions},
};
use ledger::{
    card_use::{CardProof, Till},
    command::{Activation, Adjustment, Ask, Command, Direction, Enrol, Operation, PosCommand},
    decision::Answer,
    lot::Scope,
    member::MemberNo,
    programme::{OpenHolds, Seconds},
};
use member_card::{CardId, SpendLimit};
use pos_protocol::{BasketId, CommandId, MemberId, Points, RequestId, StoreId, TerminalId};

const CALLERS: usize = 64;
const MEMBERS: usize = 20_000;
const ALONE: usize = 300;
const ROUNDS: usize = 3;
const ROUND_TIME: Duration = Duration::from_secs(5);

struct Bench {
    store: Store,
    clock: Clock,
    members: Vec<(MemberId, CardId)>,
    next: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<()> {
    // `cargo test --benches` only wants to know that it runs.
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("batching: set DATABASE_URL to a scratch database to measure");
        return Ok(());
    };
    let store = Store::open(&url.parse()?, PoolSizes::default()).await?;
    store.migrate().await?;
    let bench = Arc::new(Bench::prepare(store).await?);

    let (writer, lanes) = bench.writer(WriterOptions::for_store(&bench.store).batch_commands_max);
    let mut alone = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        let started = Instant::now();
        bench.authorize(&writer).await?;
        alone.push(started.elapsed());
    }
    finish(writer, lanes).await;
    alone.sort();
    println!(
        "one caller, idle: p50 {:?}, p99 {:?}",
        alone[ALONE / 2],
        alone[ALONE * 99 / 100]
    );

    for round in 1..=ROUNDS {
        let batched = bench
            .saturate(WriterOptions::for_store(&bench.store).batch_commands_max)
            .await?;
        let single = bench.saturate(1).await?;
        println!(
            "round {round}: {CALLERS} callers: batched {:.0}/s (average batch {:.1}, steal {:.0} %), \
             batches of one {:.0}/s (steal {:.0} %), ratio {:.2}",
            batched.rate,
            batched.average_batch,
            batched.steal,
            single.rate,
            single.steal,
            batched.rate / single.rate
        );
    }
    Ok(())
}

struct Round {
    rate: f64,
    average_batch: f64,
    steal: f64,
}

impl Bench {
    async fn prepare(store: Store) -> Result<Self> {
        let clock = Clock::system();
        let bench = Self {
            store,
            clock,
            members: Vec::new(),
            next: AtomicU64::new(0),
        };
        let (writer, lanes) = bench.writer(256);
        let source = include_str!("../programmes/demo.toml");
        let mut programme = programme_file::parse("demo.toml", source)?;
        // Room for many texts and holds per member, so that every request is approved.
        programme.cards.fresh_before_seconds = Seconds::new(3_600).context("in range")?;
        programme.limits.open_holds_per_member = OpenHolds::new(100).context("in range")?;
        let programme = Arc::new(programme);
        let activation = Activation {
            replaces: 0,
            programme,
            source: source.to_owned(),
            actor: "bench".to_owned(),
        };
        bench
            .send(
                &writer,
                Operation::ActivateProgramme(Box::new(activation)),
                None,
            )
            .await?;
        let mut members = Vec::with_capacity(MEMBERS);
        for chunk in (0..MEMBERS).collect::<Vec<_>>().chunks(CALLERS) {
            let made = chunk.iter().map(|_| bench.member(&writer));
            members.extend(futures_util::future::try_join_all(made).await?);
        }
        finish(writer, lanes).await;
        Ok(Self { members, ..bench })
    }

    fn writer(&self, batch_commands_max: usize) -> (Writer, Lanes) {
        let options = WriterOptions {
            batch_commands_max,
            answer_deadline: Duration::from_secs(30),
            ..WriterOptions::for_store(&self.store)
        };
        Writer::start(&self.store, self.clock.clone(), &options)
    }

    async fn send(
        &self,
        writer: &Writer,
        operation: Operation,
        hint: Option<MemberId>,
    ) -> Result<Answer> {
        let id = CommandId::new(self.clock.new_id());
        Ok(writer.submit(Command { id, operation }, hint).await?)
    }

    async fn member(&self, writer: &Writer) -> Result<(MemberId, CardId)> {
        let member_id = MemberId::new(self.clock.new_id());
        let seed = member_id.as_uuid().as_u128() >> 20;
        let card_id = CardId::new(seed as u64);
        let enrol = Enrol {
            card_id,
            public_key: vec![4; 65],
            member_id,
            member_no: MemberNo::from_seed(seed as u64),
        };
        self.send(writer, Operation::Enrol(enrol), Some(member_id))
            .await?;
        let grant = Adjustment {
            member_id,
            direction: Direction::Grant,
            points: Points::new(1_000_000)?,
            class: "base".to_owned(),
            scope: Scope::default(),
            reason: "bench".to_owned(),
            actor: "bench".to_owned(),
        };
        self.send(writer, Operation::Adjust(grant), Some(member_id))
            .await?;
        Ok((member_id, card_id))
    }

    /// Holds one point of the next member.
    async fn authorize(&self, writer: &Writer) -> Result<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (member_id, card_id) = self.members[number as usize % self.members.len()];
        let till = Till {
            terminal_id: TerminalId::new("till-1")?,
            store_id: StoreId::new("store-1")?,
        };
        let unique = self.clock.new_id();
        let request_id = RequestId::new(&unique.to_string())?;
        // A second of its own for each text, within the window around now.
        let issued_at = u32::try_from(self.clock.now().as_second())?
            .wrapping_sub(u32::try_from(number / self.members.len() as u64 % 3_000)?);
        let ask = Ask::Authorization {
            basket_id: BasketId::new(&unique.to_string())?,
            card: CardProof::Text {
                card_id,
                issued_at,
                spend: SpendLimit::Unlimited,
            },
            points: Points::new(1)?,
        };
        let command = PosCommand {
            till,
            request_id,
            fingerprint: [0; 32],
            ask,
        };
        match self
            .send(writer, Operation::Pos(command), Some(member_id))
            .await?
        {
            Answer::Message(answer) if answer.contains("\"approved\"") => Ok(()),
            other => bail!("not approved: {other:?}"),
        }
    }

    async fn saturate(self: &Arc<Self>, batch_commands_max: usize) -> Result<Round> {
        let (writer, lanes) = self.writer(batch_commands_max);
        let (stat, until) = (steal_and_all()?, Instant::now() + ROUND_TIME);
        let started = Instant::now();
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (bench, writer) = (self.clone(), writer.clone());
                tokio::spawn(async move {
                    let mut done = 0_u64;
                    while Instant::now() < until {
                        bench.authorize(&writer).await?;
                        done += 1;
                    }
                    anyhow::Ok(done)
                })
            })
            .collect();
        let mut done = 0;
        for caller in callers {
            done += caller.await??;
        }
        let seconds = started.elapsed().as_secs_f64();
        let batches = writer.batches();
        finish(writer, lanes).await;
        let after = steal_and_all()?;
        Ok(Round {
            rate: done as f64 / seconds,
            average_batch: done as f64 / batches.max(1) as f64,
            steal: 100.0 * (after.0 - stat.0) / (after.1 - stat.1).max(1.0),
        })
    }
}

async fn finish(writer: Writer, lanes: Lanes) {
    drop(writer);
    lanes.drained().await;
}

/// Steal and all ticks of the machine so far.
fn steal_and_all() -> Result<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let ticks: Vec<f64> = stat
        .lines()
        .next()
        .context("no cpu line")?
        .split_whitespace()
        .skip(1)
        .filter_map(|t| t.parse().ok())
        .collect();
    Ok((ticks.get(7).copied().unwrap_or(0.0), ticks.iter().sum()))
}
