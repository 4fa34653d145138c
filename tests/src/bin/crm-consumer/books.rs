//! The tallies, in one SQLite file.
//!
//! The one rule: what a message adds and the fact that it was counted are written in one transaction.
//! Acknowledge after that. Whatever dies in between, the message comes again and is known.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use serde::Serialize;
use sqlx::{
    Connection as _, FromRow, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    gaps::{self, Gap},
    message::{Balance, Entry, Message, Tally},
    persons::{self, Person},
};

/// Gaps shown in a report, and looked at while listening.
pub(crate) const GAPS_SHOWN_MAX: u32 = 1_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS counted (message_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream (
    highest INTEGER NOT NULL, duplicates INTEGER NOT NULL, refused INTEGER NOT NULL
);
INSERT INTO stream SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM stream);
CREATE TABLE IF NOT EXISTS gaps (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tallies (
    kind TEXT NOT NULL CHECK (kind IN ('store', 'member')),
    id TEXT NOT NULL,
    purchases INTEGER NOT NULL,
    yen INTEGER NOT NULL,
    points_redeemed INTEGER NOT NULL,
    points_earned INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded_yen INTEGER NOT NULL,
    points_restored INTEGER NOT NULL,
    points_clawed_back INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS balances (
    member_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, available INTEGER NOT NULL,
    held INTEGER NOT NULL, pending INTEGER NOT NULL, owed INTEGER NOT NULL
) WITHOUT ROWID;
";

const ADD_TALLY: &str = "
INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    purchases = purchases + excluded.purchases,
    yen = yen + excluded.yen,
    points_redeemed = points_redeemed + excluded.points_redeemed,
    points_earned = points_earned + excluded.points_earned,
    refunds = refunds + excluded.refunds,
    refunded_yen = refunded_yen + excluded.refunded_yen,
    points_restored = points_restored + excluded.points_restored,
    points_clawed_back = points_clawed_back + excluded.points_clawed_back";

// Events of one member may come out of order when they come again. The newest balance stays.
const SET_BALANCE: &str = "
INSERT INTO balances VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    sequence = excluded.sequence, available = excluded.available,
    held = excluded.held, pending = excluded.pending, owed = excluded.owed
WHERE excluded.sequence > balances.sequence";

/// The open file.
pub(crate) struct Books(SqliteConnection);

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is counted.
    Counted,
    /// It was counted before.
    Duplicate,
    /// It cannot be counted, ever.
    Refused(String),
}

impl Books {
    /// Opens the file to write in it; makes it if it is not there.
    pub(crate) async fn open(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is committed survives a power cut: it will be acknowledged, and never come again.
            .synchronous(SqliteSynchronous::Full);
        let mut db = SqliteConnection::connect_with(&options)
            .await
            .with_context(|| format!("cannot open {}", file.display()))?;
        sqlx::raw_sql(SCHEMA).execute(&mut db).await?;
        sqlx::raw_sql(persons::SCHEMA).execute(&mut db).await?;
        Ok(Self(db))
    }

    /// Opens the file to look at it, also while it is written.
    pub(crate) async fn read(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let db = SqliteConnection::connect_with(&options).await;
        Ok(Self(db.with_context(|| {
            format!("cannot open {}", file.display())
        })?))
    }

    /// Counts a batch of messages in one transaction: what is counted once this returns is counted
    /// for good. The outcomes are in the order of the messages.
    pub(crate) async fn count(
        &mut self,
        batch: Vec<Result<Message, String>>,
    ) -> sqlx::Result<Vec<Outcome>> {
        let mut db = self.0.begin().await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        // Many messages touch few rows: add up first.
        let mut tallies = BTreeMap::<(&str, String), Tally>::new();
        for message in batch {
            let outcome = match message {
                Err(why) => Outcome::Refused(why),
                Ok(message) => {
                    let outcome = note(&mut db, &message).await?;
                    if outcome == Outcome::Counted {
                        enter(&mut db, message, &mut tallies).await?;
                    }
                    outcome
                }
            };
            outcomes.push(outcome);
        }
        for ((kind, id), tally) in tallies {
            add_tally(&mut db, kind, &id, tally).await?;
        }
        let count = |wanted: fn(&Outcome) -> bool| {
            i64::try_from(outcomes.iter().filter(|one| wanted(one)).count()).unwrap_or(i64::MAX)
        };
        sqlx::query("UPDATE stream SET duplicates = duplicates + ?, refused = refused + ?")
            .bind(count(|outcome| *outcome == Outcome::Duplicate))
            .bind(count(|outcome| matches!(outcome, Outcome::Refused(_))))
            .execute(&mut *db)
            .await?;
        db.commit().await?;
        Ok(outcomes)
    }

    /// The gaps as they are now.
    pub(crate) async fn gaps(&mut self) -> sqlx::Result<Vec<Gap>> {
        gaps::all(&mut self.0, GAPS_SHOWN_MAX).await
    }

    /// Everything, as of one moment.
    pub(crate) async fn report(&mut self) -> sqlx::Result<Report> {
        let mut db = self.0.begin().await?;
        let stream = "SELECT highest, duplicates, refused, \
                      (SELECT count(*) FROM counted) AS counted, \
                      (SELECT coalesce(sum(last - first + 1), 0) FROM gaps) AS missing FROM stream";
        let of = "SELECT t.*, b.available FROM tallies AS t \
                  LEFT JOIN balances AS b ON t.kind = 'member' AND b.member_id = t.id \
                  WHERE t.kind = ? ORDER BY t.id";
        Ok(Report {
            stream: sqlx::query_as(stream).fetch_one(&mut *db).await?,
            gaps: gaps::all(&mut db, GAPS_SHOWN_MAX).await?,
            stores: sqlx::query_as(of).bind("store").fetch_all(&mut *db).await?,
            members: sqlx::query_as(of)
                .bind("member")
                .fetch_all(&mut *db)
                .await?,
            persons: persons::all(&mut db).await?,
        })
    }
}

/// Notes a message's id and place.
async fn note(db: &mut SqliteConnection, message: &Message) -> sqlx::Result<Outcome> {
    let new = sqlx::query("INSERT INTO counted VALUES (?) ON CONFLICT DO NOTHING")
        .bind(&message.id)
        .execute(&mut *db)
        .await?;
    if new.rows_affected() == 0 {
        return Ok(Outcome::Duplicate);
    }
    if gaps::note(db, message.place).await? {
        return Ok(Outcome::Counted);
    }
    // Another event was at this place. That never happens, unless the gateway's database was set back to
    // an older copy: somebody has to look.
    sqlx::query("DELETE FROM counted WHERE message_id = ?")
        .bind(&message.id)
        .execute(db)
        .await?;
    let why = format!("another event came at place {} before", message.place);
    Ok(Outcome::Refused(why))
}

/// Enters what a message says.
async fn enter(
    db: &mut SqliteConnection,
    message: Message,
    tallies: &mut BTreeMap<(&str, String), Tally>,
) -> sqlx::Result<()> {
    if let Some(Entry {
        store_id,
        member_id,
        tally,
    }) = message.entry
    {
        tallies.entry(("store", store_id)).or_default().add(tally);
        tallies.entry(("member", member_id)).or_default().add(tally);
    }
    if let Some(Balance {
        member_id,
        sequence,
        points,
    }) = message.balance
    {
        sqlx::query(SET_BALANCE)
            .bind(member_id)
            .bind(sequence)
            .bind(points.available)
            .bind(points.held)
            .bind(points.pending)
            .bind(points.owed)
            .execute(&mut *db)
            .await?;
    }
    if let Some(happened) = message.happened {
        persons::enter(db, &happened).await?;
    }
    Ok(())
}

async fn add_tally(
    db: &mut SqliteConnection,
    kind: &str,
    id: &str,
    tally: Tally,
) -> sqlx::Result<()> {
    sqlx::query(ADD_TALLY)
        .bind(kind)
        .bind(id)
        .bind(tally.purchases)
        .bind(tally.yen)
        .bind(tally.points_redeemed)
        .bind(tally.points_earned)
        .bind(tally.refunds)
        .bind(tally.refunded_yen)
        .bind(tally.points_restored)
        .bind(tally.points_clawed_back)
        .execute(db)
        .await?;
    Ok(())
}

/// What the books say.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) stream: Stream,
    /// The first of the gaps.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) stores: Vec<Row>,
    pub(crate) members: Vec<Row>,
    pub(crate) persons: Vec<Person>,
}

/// How far the stream has come.
#[derive(Debug, Serialize, FromRow)]
pub(crate) struct Stream {
    /// The highest place seen.
    pub(crate) highest: i64,
    /// Messages counted, of every type.
    pub(crate) counted: i64,
    /// Places below `highest` that have not come.
    pub(crate) missing: i64,
    /// Messages that had been counted before.
    pub(crate) duplicates: i64,
    /// Messages that could not be counted.
    pub(crate) refused: i64,
}

/// The tally of one store or member.
#[derive(Debug, Serialize, FromRow)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) purchases: i64,
    pub(crate) yen: i64,
    pub(crate) points_redeemed: i64,
    pub(crate) points_earned: i64,
    pub(crate) refunds: i64,
    pub(crate) refunded_yen: i64,
    pub(crate) points_restored: i64,
    pub(crate) points_clawed_back: i64,
    /// The member's points now; none for a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<i64>,
}
