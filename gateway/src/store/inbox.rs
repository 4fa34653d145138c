//! The inbox: what EC shops sent, from before it is answered until it is booked.
//!
//! A row is `waiting` until it is `done`, `ignored` (it says nothing of goods or money) or `dead` (people have
//! to look). Only waiting and dead rows keep their body. A row may be worked on by several gateways at
//! once, or again after a crash: what it says may be booked twice, see [`ledger::order`].

use std::borrow::Cow;

use jiff::Timestamp;
use pos_protocol::ShopId;
use uuid::Uuid;

use super::{
    Store, StoreError,
    connection::Connection,
    row::{Cell, FromRow, Reader},
    sql::{Cells, Kind, Sql, Value},
};

const BEGIN: Sql = Sql {
    postgres: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    sqlite: "BEGIN IMMEDIATE",
};
/// A repeat of a dead message has it worked on again; any other changes nothing.
const ACCEPT: Sql = Sql {
    postgres: "\
INSERT INTO ec_inbox (message_id, shop_id, repeat_key, topic, is_test, body, received_at, state, attempts, next_at)
SELECT message_id, shop_id, repeat_key, topic, is_test, body, received_at, 'waiting', 0, received_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::bytea[], $7::bigint[])
    AS new (message_id, shop_id, repeat_key, topic, is_test, body, received_at)
ON CONFLICT (shop_id, repeat_key) WHERE repeat_key IS NOT NULL DO UPDATE SET state = 'waiting', attempts = 0,
    next_at = excluded.next_at, error = NULL, done_at = NULL
WHERE ec_inbox.state = 'dead'",
    sqlite: "\
INSERT INTO ec_inbox (message_id, shop_id, repeat_key, topic, is_test, body, received_at, state, attempts, next_at)
SELECT column1, column2, column3, column4, column5, column6, column7, 'waiting', 0, column7
FROM (VALUES {(?, ?, ?, ?, ?, ?, ?)}) WHERE column1 IS NOT NULL
ON CONFLICT (shop_id, repeat_key) WHERE repeat_key IS NOT NULL DO UPDATE SET state = 'waiting', attempts = 0,
    next_at = excluded.next_at, error = NULL, done_at = NULL
WHERE ec_inbox.state = 'dead'",
};
const WAITING: Sql = Sql::both(
    "SELECT message_id FROM ec_inbox WHERE state = 'waiting' AND next_at <= $1 \
     ORDER BY next_at, message_id LIMIT $2",
);
const MESSAGES: Sql = Sql {
    postgres: "SELECT message_id, shop_id, topic, is_test, body, received_at, attempts FROM ec_inbox \
        WHERE message_id = ANY($1) AND state = 'waiting'",
    sqlite: "SELECT message_id, shop_id, topic, is_test, body, received_at, attempts FROM ec_inbox \
        WHERE message_id IN (VALUES {(?)}) AND state = 'waiting'",
};
/// The body goes as soon as nobody needs it any more.
const SETTLE: Sql = Sql {
    postgres: "\
UPDATE ec_inbox AS message SET state = new.state, next_at = new.next_at,
    attempts = message.attempts + CASE WHEN new.state = 'waiting' AND new.error IS NULL THEN 0 ELSE 1 END,
    error = new.error, done_at = new.done_at,
    body = CASE WHEN new.state IN ('done', 'ignored') THEN ''::bytea ELSE message.body END
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
    AS new (message_id, state, next_at, error, done_at)
WHERE message.message_id = new.message_id AND message.state = 'waiting'",
    sqlite: "\
UPDATE ec_inbox SET state = $2, next_at = $3, error = $4, done_at = $5,
    attempts = attempts + CASE WHEN $2 = 'waiting' AND $4 IS NULL THEN 0 ELSE 1 END,
    body = CASE WHEN $2 IN ('done', 'ignored') THEN x'' ELSE body END
WHERE message_id = $1 AND state = 'waiting'",
};
/// Counts no further than $1.
const STATUS: Sql = Sql::both(
    "\
SELECT (SELECT count(*) FROM (SELECT 1 FROM ec_inbox WHERE state = 'waiting' LIMIT $1) AS counted),
    (SELECT count(*) FROM (SELECT 1 FROM ec_inbox WHERE state = 'dead' LIMIT $1) AS counted),
    (SELECT min(received_at) FROM (SELECT received_at FROM ec_inbox WHERE state = 'waiting'
        ORDER BY next_at, message_id LIMIT 100) AS first)",
);
const DEAD: Sql = Sql::both(
    "SELECT message_id, shop_id, topic, received_at, attempts, coalesce(error, '') FROM ec_inbox \
     WHERE state = 'dead' AND message_id > $1 AND ($2 = '' OR shop_id = $2) ORDER BY message_id LIMIT $3",
);
const REPLAY: Sql = Sql::both(
    "UPDATE ec_inbox SET state = 'waiting', attempts = 0, next_at = $1, error = NULL, done_at = NULL \
     WHERE state = 'dead' AND ($2 = '' OR shop_id = $2)",
);
const REPLAY_ONE: Sql = Sql::both(
    "UPDATE ec_inbox SET state = 'waiting', attempts = 0, next_at = $1, error = NULL, done_at = NULL \
     WHERE state = 'dead' AND message_id = $2",
);
const BODIES: Sql = Sql::both(
    "SELECT message_id, body FROM ec_inbox \
     WHERE state IN ('waiting', 'dead') AND message_id > $1 ORDER BY message_id LIMIT $2",
);
/// Not where it was booked meanwhile: its body is gone, and stays so.
const RESEAL: Sql = Sql::both(
    "UPDATE ec_inbox SET body = $3 WHERE message_id = $1 AND body = $2 AND state IN ('waiting', 'dead')",
);
const FATE: Sql = Sql::both(
    "SELECT state, error FROM ec_inbox WHERE shop_id = $1 AND repeat_key = $2 AND $2 IS NOT NULL",
);
const NEWEST_FATE: Sql = Sql::both(
    "SELECT state, error FROM ec_inbox WHERE shop_id = $1 AND message_id > $2 ORDER BY message_id LIMIT 1",
);
const PRUNE: Sql = Sql {
    postgres: "DELETE FROM ec_inbox WHERE message_id = ANY (ARRAY(SELECT message_id FROM ec_inbox \
        WHERE state IN ('done', 'ignored', 'dead') AND done_at < $1 ORDER BY done_at LIMIT $2))",
    sqlite: "DELETE FROM ec_inbox WHERE message_id IN (SELECT message_id FROM ec_inbox \
        WHERE state IN ('done', 'ignored', 'dead') AND done_at < $1 ORDER BY done_at LIMIT $2)",
};

/// Rows of one state that are counted one by one.
const COUNTED_MAX: i64 = 100_000;

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        ACCEPT,
        WAITING,
        MESSAGES,
        SETTLE,
        STATUS,
        DEAD,
        REPLAY,
        REPLAY_ONE,
        BODIES,
        RESEAL,
        FATE,
        NEWEST_FATE,
        PRUNE,
    ]
}

/// A message that came.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Drawn when it came.
    pub id: Uuid,
    /// The shop that sent it.
    pub shop_id: ShopId,
    /// What tells a repeat of it, if anything does. Messages of one key say the same.
    pub repeat_key: Option<String>,
    /// What it is about, in the platform's words.
    pub topic: String,
    /// The platform calls it a test.
    pub is_test: bool,
    /// What it says. The inbox neither reads it nor changes it.
    pub body: Vec<u8>,
    /// When.
    pub received_at: Timestamp,
}

/// A message to work on.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxMessage {
    /// The message.
    pub id: Uuid,
    /// The shop that sent it.
    pub shop_id: ShopId,
    /// What it is about, in the platform's words.
    pub topic: String,
    /// The platform calls it a test.
    pub is_test: bool,
    /// What it says, as it was accepted.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it was worked on.
    pub attempts: u32,
}

/// What has become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is booked.
    Done,
    /// It says nothing of goods or money; why.
    Ignored(String),
    /// Not now; why, and when to try again.
    Again(String, Timestamp),
    /// Its turn has not come; does not count as a try.
    Later(Timestamp),
    /// People have to look; why.
    Dead(String),
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxStatus {
    /// Messages that wait, counted up to 100,000.
    pub waiting: i64,
    /// Messages people have to look at, counted up to 100,000.
    pub dead: i64,
    /// When the oldest that waits came; of those that are retried, only near the front.
    pub oldest: Option<Timestamp>,
}

/// A message people have to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadMessage {
    /// The message.
    pub id: Uuid,
    /// The shop that sent it.
    pub shop_id: ShopId,
    /// What it is about.
    pub topic: String,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it was worked on.
    pub attempts: u32,
    /// Why it is dead.
    pub error: String,
}

/// Where a message is found again.
#[derive(Debug, Clone, Copy)]
pub enum Sent<'a> {
    /// The one with this repeat key.
    Repeat(&'a str),
    /// The shop's first after this id.
    After(Uuid),
}

/// Which dead messages are to be worked on again.
#[derive(Debug, Clone, Copy)]
pub enum Replay<'a> {
    /// All of them.
    All,
    /// Those of a shop.
    Shop(&'a ShopId),
    /// One.
    One(Uuid),
}

impl std::fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body holds personal data.
        f.debug_struct("NewMessage")
            .field("id", &self.id)
            .field("shop_id", &self.shop_id)
            .field("topic", &self.topic)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for InboxMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboxMessage")
            .field("id", &self.id)
            .field("shop_id", &self.shop_id)
            .field("topic", &self.topic)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl FromRow for InboxMessage {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            shop_id: row.get()?,
            topic: row.get()?,
            is_test: row.get()?,
            body: row.get()?,
            received_at: row.get()?,
            attempts: row.get()?,
        })
    }
}

impl FromRow for InboxStatus {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            waiting: row.get()?,
            dead: row.get()?,
            oldest: row.get()?,
        })
    }
}

impl FromRow for DeadMessage {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            shop_id: row.get()?,
            topic: row.get()?,
            received_at: row.get()?,
            attempts: row.get()?,
            error: row.get()?,
        })
    }
}

struct Id(Uuid);

impl FromRow for Id {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

struct Kept(Uuid, Vec<u8>);

impl FromRow for Kept {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

struct State(String, Option<String>);

impl FromRow for State {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

impl Fate {
    fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ignored(_) => "ignored",
            Self::Again(..) | Self::Later(_) => "waiting",
            Self::Dead(_) => "dead",
        }
    }

    fn error(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Later(_) => None,
            Self::Ignored(why) | Self::Again(why, _) | Self::Dead(why) => Some(why),
        }
    }
}

/// A column of values.
fn column<'a, T>(
    kind: Kind,
    rows: &'a [T],
    value: impl Fn(&'a T) -> Value<'a>,
) -> Result<Cells<'a>, StoreError> {
    let mut cells = Cells::new(kind, rows.len());
    let fits = rows.iter().all(|row| cells.push(value(row)));
    if fits {
        Ok(cells)
    } else {
        Err(StoreError::Rejected(
            "a value does not fit its column".into(),
        ))
    }
}

fn text(text: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(text))
}

impl Store {
    /// Makes messages last, all in one transaction. Repeats are left out, but a repeat of a dead message has
    /// that one worked on again. After this they may be answered.
    ///
    /// # Errors
    /// [`StoreError`]. After any they may be there all the same: who sends again does no harm.
    pub async fn inbox_accept(&self, messages: &mut [NewMessage]) -> Result<(), StoreError> {
        // Two gateways that get the same messages wait for each other, and never the other way round.
        messages.sort_by(|one, other| {
            let key = |message: &NewMessage| (message.shop_id.clone(), message.repeat_key.clone());
            key(one).cmp(&key(other))
        });
        // PostgreSQL refuses a statement that meets a row of its own.
        let mut once: Vec<&NewMessage> = messages.iter().collect();
        once.dedup_by(|later, first| {
            let same = (&later.shop_id, &later.repeat_key) == (&first.shop_id, &first.repeat_key);
            same && first.repeat_key.is_some()
        });
        let messages = once.as_slice();
        let columns = [
            column(Kind::Uuid, messages, |row| Value::Uuid(row.id))?,
            column(Kind::Text, messages, |row| row.shop_id.to_value())?,
            column(Kind::Text, messages, |row| row.repeat_key.to_value())?,
            column(Kind::Text, messages, |row| text(&row.topic))?,
            column(Kind::Bool, messages, |row| Value::Bool(row.is_test))?,
            column(Kind::Bytes, messages, |row| Value::Bytes(&row.body))?,
            column(Kind::Int, messages, |row| row.received_at.to_value())?,
        ];
        self.inbox_write(ACCEPT, &columns).await
    }

    /// Says what has become of messages, all in one transaction. Those that wait no more are left alone.
    ///
    /// # Errors
    /// [`StoreError`]. After any they may be settled all the same; settling again does no harm.
    pub async fn inbox_settle(
        &self,
        fates: &[(Uuid, Fate)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let next_at = |fate: &Fate| match fate {
            Fate::Again(_, at) | Fate::Later(at) => *at,
            _ => now,
        };
        let done_at = |fate: &Fate| (fate.word() != "waiting").then_some(now);
        let micros = |at: Timestamp| Value::Int(at.as_microsecond());
        let columns = [
            column(Kind::Uuid, fates, |(id, _)| Value::Uuid(*id))?,
            column(Kind::Text, fates, |(_, fate)| text(fate.word()))?,
            column(Kind::Int, fates, |(_, fate)| micros(next_at(fate)))?,
            column(Kind::Text, fates, |(_, fate)| {
                fate.error().map_or(Value::Null, text)
            })?,
            column(Kind::Int, fates, |(_, fate)| {
                done_at(fate).map_or(Value::Null, micros)
            })?,
        ];
        self.inbox_write(SETTLE, &columns).await
    }

    async fn inbox_write(&self, sql: Sql, columns: &[Cells<'_>]) -> Result<(), StoreError> {
        let mut connection = Connection::writing(self).await?;
        let _: Vec<Id> = connection.begin(BEGIN).await?;
        connection.run_each(sql, columns).await?;
        connection.commit().await
    }

    /// The first `limit` messages that wait and are due.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<Uuid>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let values = [now.to_value(), Value::Int(limit.into())];
        let found: Vec<Id> = connection.fetch(WAITING, &values).await?;
        Ok(found.into_iter().map(|id| id.0).collect())
    }

    /// The messages with these ids that wait.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_messages(&self, ids: &[Uuid]) -> Result<Vec<InboxMessage>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let ids = column(Kind::Uuid, ids, |id| Value::Uuid(*id))?;
        connection.fetch_each(MESSAGES, &[ids]).await
    }

    /// How much waits, and for how long.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_status(&self) -> Result<InboxStatus, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let status: Vec<InboxStatus> = connection.fetch(STATUS, &[Value::Int(COUNTED_MAX)]).await?;
        let none = StoreError::Corrupt("the inbox counts nothing".into());
        status.into_iter().next().ok_or(none)
    }

    /// Messages people have to look at, in the order they came, after one of them.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_dead(
        &self,
        shop_id: Option<&ShopId>,
        after: Uuid,
        limit: u32,
    ) -> Result<Vec<DeadMessage>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let shop = shop_id.map_or("", ShopId::as_str);
        let values = [Value::Uuid(after), text(shop), Value::Int(limit.into())];
        connection.fetch(DEAD, &values).await
    }

    /// Has dead messages worked on again; how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inbox_replay(&self, which: Replay<'_>, now: Timestamp) -> Result<u64, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let now = now.to_value();
        match which {
            Replay::All => connection.run(REPLAY, &[now, text("")]).await,
            Replay::Shop(shop_id) => connection.run(REPLAY, &[now, shop_id.to_value()]).await,
            Replay::One(id) => connection.run(REPLAY_ONE, &[now, Value::Uuid(id)]).await,
        }
    }

    /// The bodies of messages that wait or are dead, in the order of their ids, after one of them.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_bodies(
        &self,
        after: Uuid,
        limit: u32,
    ) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let values = [Value::Uuid(after), Value::Int(limit.into())];
        let kept: Vec<Kept> = connection.fetch(BODIES, &values).await?;
        Ok(kept.into_iter().map(|Kept(id, body)| (id, body)).collect())
    }

    /// Puts another body in the place of one, unless that changed meanwhile; whether it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inbox_reseal(&self, id: Uuid, was: &[u8], is: &[u8]) -> Result<bool, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [Value::Uuid(id), Value::Bytes(was), Value::Bytes(is)];
        Ok(connection.run(RESEAL, &values).await? == 1)
    }

    /// The state of a message, and why it is so; none if it never came or was removed since.
    ///
    /// # Errors
    /// As any read.
    pub async fn inbox_fate(
        &self,
        shop_id: &ShopId,
        sent: Sent<'_>,
    ) -> Result<Option<(String, Option<String>)>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let shop = shop_id.to_value();
        let found: Vec<State> = match sent {
            Sent::Repeat(key) => connection.fetch(FATE, &[shop, text(key)]).await?,
            Sent::After(id) => {
                connection
                    .fetch(NEWEST_FATE, &[shop, Value::Uuid(id)])
                    .await?
            }
        };
        Ok(found
            .into_iter()
            .next()
            .map(|State(state, why)| (state, why)))
    }

    /// Removes up to `limit` messages that were settled before a time, dead ones too; how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn inbox_prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [before.to_value(), Value::Int(limit.into())];
        connection.run(PRUNE, &values).await
    }
}
