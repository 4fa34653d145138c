//! `loadtest seed`: fills a database with members, directly and fast.
//!
//! Each member has what an enrolment and a grant of points leave: a card, a lot, the transfer that
//! filled it, the events of all that with their places in the stream. Nothing is told to a broker. Every
//! card's key follows from the seed's text and the member's number ([`keys`]), so `loadtest run` shows
//! cards of any of them with no file in between. `gateway audit` finds such a database clean.

pub mod keys;
mod postgres;
pub mod rows;
mod sqlite;

use std::{fmt, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use serde::Serialize;
use sqlx::{Connection, sqlite::SqliteJournalMode};
use tokio::sync::mpsc;

use crate::{
    clock,
    database::Engine,
    figures::per_second,
    gateway::{Installation, PROGRAMME_ID},
    progress,
};
use keys::Keys;
use rows::Seeding;

/// Members whose rows are in memory together; a few such chunks are.
const CHUNK_MEMBERS: u64 = 10_000;
/// Chunks that wait to be written.
const CHUNKS_WAITING: usize = 2;
/// Members there may be: their numbers stay apart from each other.
const MEMBERS_MAX: u64 = 1_000_000_000;
/// Points one member may have.
const POINTS_MAX: i64 = 1_000_000_000;
/// How long ago the first member came: three years.
const SINCE: Duration = Duration::from_secs(3 * 365 * 86_400);
/// How long ago the last one came.
const UNTIL: Duration = Duration::from_secs(3_600);

/// Options of `loadtest seed`.
#[derive(Debug, Args)]
pub struct SeedArgs {
    /// The gateway's program: it makes the tables, puts the load test's programme in force where there
    /// is none, and makes the tills
    #[arg(long, value_name = "PATH")]
    pub gateway: PathBuf,
    /// The database: postgres://… or sqlite://PATH. No gateway may use it meanwhile
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Members to make
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MEMBERS_MAX))]
    pub members: u64,
    /// What all keys and ids follow from. Who knows it can use the cards: not for a database of real members
    #[arg(long, value_name = "TEXT", default_value = "loadtest")]
    pub seed: String,
    /// Points of each member
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(i64).range(0..=POINTS_MAX))]
    pub points: i64,
    /// Leave out the members' events: half the size, half the time
    #[arg(long)]
    pub without_events: bool,
    /// Add to a database that has members; every seed needs a text of its own
    #[arg(long)]
    pub add: bool,
    /// Make tills and write them to this file, for `loadtest run --tills-file`
    #[arg(long, value_name = "PATH")]
    pub tills_file: Option<PathBuf>,
    /// How many tills; one may ask 200 times a second unless the gateway says otherwise
    #[arg(long, value_name = "N", default_value_t = 16, requires = "tills_file")]
    pub tills: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What was made.
#[derive(Debug, Clone, Serialize)]
pub struct Seeded {
    /// The kind of database.
    pub database: Engine,
    /// The programme in force, whose cards can be signed.
    pub programme: String,
    /// Members made.
    pub members: u64,
    /// Points of each.
    pub points: i64,
    /// Seconds to write the rows and the indexes.
    pub seconds: f64,
    /// Members a second in that time.
    pub members_per_s: f64,
    /// Seconds for statistics and visibility after that.
    pub settle_seconds: f64,
    /// Tills made.
    pub tills: usize,
}

/// What a database says of itself before it is filled.
struct Found {
    members: bool,
    programme: Option<(i64, String)>,
    stream_sequence: i64,
}

/// Fills a database.
///
/// # Errors
/// If it has members already, or something refuses. Then nothing was written but the tables and the programme.
pub async fn run(args: &SeedArgs) -> anyhow::Result<Seeded> {
    let engine = Engine::of(&args.database_url)?;
    let installation = Installation::new(&args.gateway, &args.database_url).await?;
    let mut found = Found::read(engine, &args.database_url).await?;
    ensure!(
        args.add || !found.members,
        "the database has members already; take an empty one, or say --add and another --seed"
    );
    if found.programme.is_none() {
        installation.apply_programme().await?;
        found = Found::read(engine, &args.database_url).await?;
    }
    let (version, programme) = found.programme.context("no programme is in force")?;
    let now = clock::now().as_microsecond();
    let ago = |span: Duration| now.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(0));
    let seeding = Seeding {
        keys: Keys::of(&args.seed),
        members: args.members,
        points: args.points,
        from_us: ago(SINCE),
        until_us: ago(UNTIL),
        programme_version: version,
        events: !args.without_events,
        stream_sequence: found.stream_sequence,
    };
    let begun = clock::instant();
    write(engine, args, seeding, !found.members).await?;
    let elapsed = begun.elapsed();
    let begun = clock::instant();
    match engine {
        Engine::Postgres => postgres::settle(&args.database_url).await?,
        Engine::Sqlite => sqlite::settle(&args.database_url).await?,
    }
    let settled = begun.elapsed();
    let mut tills = Vec::new();
    if let Some(path) = &args.tills_file {
        let run = clock::now().as_millisecond();
        for number in 0..args.tills {
            tills.push(installation.client(&format!("load-{run}-{number}")).await?);
        }
        std::fs::write(path, serde_json::to_vec_pretty(&tills)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Seeded {
        database: engine,
        programme,
        members: args.members,
        points: args.points,
        seconds: elapsed.as_secs_f64(),
        members_per_s: per_second(args.members, elapsed),
        settle_seconds: settled.as_secs_f64(),
        tills: tills.len(),
    })
}

/// Makes chunks on a thread of their own while others are written.
async fn write(
    engine: Engine,
    args: &SeedArgs,
    seeding: Seeding,
    empty: bool,
) -> anyhow::Result<()> {
    let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
    let maker = tokio::task::spawn_blocking(move || {
        let mut first = 0;
        while first < seeding.members {
            let end = first.saturating_add(CHUNK_MEMBERS).min(seeding.members);
            // Nobody takes it any more: the writer tells why.
            if sender.blocking_send(seeding.chunk(first..end)).is_err() {
                return;
            }
            first = end;
        }
    });
    let bar = progress::bar(!args.json, args.members, "members");
    let wrote = |members| {
        bar.inc(members);
        if bar.position() == args.members {
            bar.set_message("indexes and commit");
        }
    };
    let written = match engine {
        Engine::Postgres => postgres::fill(&args.database_url, empty, chunks, wrote).await,
        Engine::Sqlite => sqlite::fill(&args.database_url, chunks, wrote).await,
    };
    maker.await?;
    bar.finish_and_clear();
    written.context("nothing was written")
}

const HAS_MEMBERS: &str = "SELECT count(*) FROM (SELECT 1 AS one FROM members LIMIT 1) AS found";
const PROGRAMME: &str = "SELECT version, settings FROM programmes ORDER BY version DESC LIMIT 1";
const STREAM: &str = "SELECT coalesce(max(stream_sequence), 0) FROM event_stream";

impl Found {
    async fn read(engine: Engine, url: &str) -> anyhow::Result<Self> {
        let (members, programme, stream_sequence): (i64, Option<(i64, String)>, i64);
        match engine {
            Engine::Postgres => {
                let mut connection = postgres::connect(url).await?;
                members = sqlx::query_scalar(HAS_MEMBERS)
                    .fetch_one(&mut connection)
                    .await?;
                programme = sqlx::query_as(PROGRAMME)
                    .fetch_optional(&mut connection)
                    .await?;
                stream_sequence = sqlx::query_scalar(STREAM)
                    .fetch_one(&mut connection)
                    .await?;
                connection.close().await?;
            }
            Engine::Sqlite => {
                let mut connection = sqlite::connect(url, SqliteJournalMode::Wal).await?;
                members = sqlx::query_scalar(HAS_MEMBERS)
                    .fetch_one(&mut connection)
                    .await?;
                programme = sqlx::query_as(PROGRAMME)
                    .fetch_optional(&mut connection)
                    .await?;
                stream_sequence = sqlx::query_scalar(STREAM)
                    .fetch_one(&mut connection)
                    .await?;
                // At once: while it is open, the journal stays a write-ahead log.
                connection.close().await?;
            }
        }
        let programme = programme.map(|(version, settings)| {
            let settings: serde_json::Value = serde_json::from_str(&settings)?;
            let id = settings["id"].as_str().unwrap_or(PROGRAMME_ID).to_owned();
            anyhow::Ok((version, id))
        });
        Ok(Self {
            members: members > 0,
            programme: programme.transpose()?,
            stream_sequence,
        })
    }
}

impl fmt::Display for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} members with {} points each in {}: {:.1} s, {:.0} members/s",
            self.members, self.points, self.database, self.seconds, self.members_per_s
        )?;
        write!(
            f,
            "statistics in {:.1} s; programme {}; {} tills",
            self.settle_seconds, self.programme, self.tills
        )
    }
}
