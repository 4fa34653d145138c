//! Reading the event log and the outbox.

use std::sync::LazyLock;

use jiff::Timestamp;
use pos_protocol::{EventId, MemberId};
use uuid::Uuid;

use super::{
    Store, StoreError, StoredEvent,
    connection::Connection,
    row::{Cell as _, FromRow, Reader, cells},
    rows::EVENT_LOG,
    sql::{Sql, Value},
};

const SEQUENCES: Sql = Sql {
    postgres: "SELECT member_id, event_sequence FROM members WHERE member_id = ANY($1)",
    sqlite: "SELECT member_id, event_sequence FROM members WHERE member_id IN (VALUES {(?)})",
};
static AFTER_SEQUENCE: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 AND member_sequence > $2 ORDER BY member_sequence LIMIT $3";
    EVENT_LOG.select(these, these)
});
static IN_ORDER: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE event_id > $1 AND at >= $2 AND at < $5 AND substr(kind, 1, length($3)) = $3 \
                 ORDER BY event_id LIMIT $4";
    EVENT_LOG.select(these, these)
});
static OF_MEMBER_IN_ORDER: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE event_id > $1 AND at >= $2 AND at < $5 AND substr(kind, 1, length($3)) = $3 \
                 AND member_id = $6 ORDER BY event_id LIMIT $4";
    EVENT_LOG.select(these, these)
});
static IN_PLACE: LazyLock<Sql> =
    LazyLock::new(|| EVENT_LOG.select(OF_PLACES_POSTGRES, OF_PLACES_SQLITE));
static OF_MEMBER_IN_PLACE: LazyLock<Sql> = LazyLock::new(|| {
    let of_member = |these: &str| these.replace("ORDER BY", "AND member_id = $6 ORDER BY");
    EVENT_LOG.select(&of_member(OF_PLACES_POSTGRES), &of_member(OF_PLACES_SQLITE))
});
const OF_PLACES_SQLITE: &str = "\
WHERE stream_sequence BETWEEN $1 AND $5 AND at >= $2 AND at < $4 AND substr(kind, 1, length($3)) = $3 \
ORDER BY stream_sequence";
/// Left to itself, PostgreSQL reads all events for want of knowing how few places are asked for.
const OF_PLACES_POSTGRES: &str = "\
WHERE event_id = ANY (ARRAY(SELECT event_id FROM event_stream WHERE stream_sequence BETWEEN $1 AND $5)) \
AND at >= $2 AND at < $4 AND substr(kind, 1, length($3)) = $3 \
ORDER BY stream_sequence";
const LAST_PLACE: Sql = Sql::both("SELECT max(stream_sequence) FROM event_stream");
static NEWEST: LazyLock<Sql> = LazyLock::new(|| {
    let these =
        "WHERE substr(kind, 1, length($1)) = $1 AND at < $3 ORDER BY event_id DESC LIMIT $2";
    EVENT_LOG.select(these, these)
});
static NEWEST_OF_MEMBER: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE substr(kind, 1, length($1)) = $1 AND at < $3 AND member_id = $4 \
                 ORDER BY event_id DESC LIMIT $2";
    EVENT_LOG.select(these, these)
});
static ONE: LazyLock<Sql> =
    LazyLock::new(|| EVENT_LOG.select("WHERE event_id = $1", "WHERE event_id = $1"));
/// Counts no further than $1: beyond, the span of the positions is about their number. The oldest is
/// sought among the first that wait.
const OUTBOX_STATUS: Sql = Sql::both(
    "\
SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT $1) AS counted),
    1 + (SELECT max(position) FROM outbox) - (SELECT min(position) FROM outbox),
    (SELECT min(event.at) FROM (SELECT event_id FROM outbox ORDER BY position LIMIT 100) AS first
        JOIN events AS event ON event.event_id = first.event_id)",
);
/// Rows of the outbox that are counted one by one.
const OUTBOX_COUNTED_MAX: i64 = 100_000;

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    let log = EVENT_LOG.statements();
    vec![
        SEQUENCES,
        *AFTER_SEQUENCE,
        *IN_ORDER,
        *OF_MEMBER_IN_ORDER,
        *IN_PLACE,
        *OF_MEMBER_IN_PLACE,
        LAST_PLACE,
        *NEWEST,
        *NEWEST_OF_MEMBER,
        *ONE,
        OUTBOX_STATUS,
        log.by_key,
        log.first_page,
        log.next_page,
    ]
}

/// Which events to read. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this member's.
    pub member_id: Option<MemberId>,
    /// Only those whose kind begins so; empty for all.
    pub kind_prefix: String,
    /// Only those after this one, in order of their ids.
    pub after: Option<EventId>,
    /// Only those that happened then or later.
    pub since: Option<Timestamp>,
    /// Only those that happened before then.
    pub until: Option<Timestamp>,
}

/// Places in the published stream, both ends included; none if the last comes before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The first, at least 1.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl Places {
    /// Takes the first `count` places away.
    pub fn take(&mut self, count: u32) -> Self {
        let first = self.first;
        let end = first.saturating_add(count.into());
        self.first = end;
        let last = self.last.min(end.saturating_sub(1));
        Self { first, last }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.last < self.first
    }
}

struct LastPlace(Option<i64>);

impl FromRow for LastPlace {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

/// Events the broker has not confirmed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxStatus {
    /// How many; beyond 100,000 about how many.
    pub waiting: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
}

struct Sequence(MemberId, i64);

impl FromRow for Sequence {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

impl FromRow for OutboxStatus {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        let counted: i64 = row.get()?;
        let span: Option<i64> = row.get()?;
        let waiting = if counted < OUTBOX_COUNTED_MAX {
            counted
        } else {
            span.unwrap_or(counted)
        };
        Ok(Self {
            waiting: waiting.try_into().unwrap_or_default(),
            oldest: row.get()?,
        })
    }
}

impl Store {
    /// The number of each member's newest event; members that do not exist are left out. Cheap: one
    /// row per member.
    ///
    /// # Errors
    /// As any read.
    pub async fn event_sequences(
        &self,
        members: &[MemberId],
    ) -> Result<Vec<(MemberId, i64)>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Sequence> = connection.fetch_each(SEQUENCES, &[cells(members)]).await?;
        Ok(found.into_iter().map(|row| (row.0, row.1)).collect())
    }

    /// One event.
    ///
    /// # Errors
    /// As any read.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<StoredEvent> = connection.fetch(*ONE, &[id.to_value()]).await?;
        Ok(found.into_iter().next())
    }

    /// A member's events after number `sequence`, in order.
    ///
    /// # Errors
    /// As any read.
    pub async fn events_after(
        &self,
        member_id: MemberId,
        sequence: i64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let values = [
            member_id.to_value(),
            Value::Int(sequence),
            Value::Int(limit.into()),
        ];
        connection.fetch(*AFTER_SEQUENCE, &values).await
    }

    /// Events in order of their ids, which is that of time and the same each time it is asked. An
    /// event that is being written now may still appear before one that was already read: to miss
    /// nothing, consume the stream.
    ///
    /// # Errors
    /// As any read.
    pub async fn events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let mut values = vec![
            Value::Uuid(filter.after.map_or(Uuid::nil(), EventId::as_uuid)),
            Value::Int(filter.since.map_or(i64::MIN, Timestamp::as_microsecond)),
            Value::Text(filter.kind_prefix.as_str().into()),
            Value::Int(limit.into()),
            Value::Int(filter.until.map_or(i64::MAX, Timestamp::as_microsecond)),
        ];
        match filter.member_id {
            None => connection.fetch(*IN_ORDER, &values).await,
            Some(member_id) => {
                values.push(Value::Uuid(member_id.as_uuid()));
                connection.fetch(*OF_MEMBER_IN_ORDER, &values).await
            }
        }
    }

    /// Those of the events at these places that the filter takes, in order of the places; `after` is
    /// not asked. Some thousand places at once are enough.
    ///
    /// # Errors
    /// As any read.
    pub async fn placed_events(
        &self,
        filter: &EventFilter,
        places: Places,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let mut values = vec![
            Value::Int(places.first),
            Value::Int(filter.since.map_or(i64::MIN, Timestamp::as_microsecond)),
            Value::Text(filter.kind_prefix.as_str().into()),
            Value::Int(filter.until.map_or(i64::MAX, Timestamp::as_microsecond)),
            Value::Int(places.last),
        ];
        match filter.member_id {
            None => connection.fetch(*IN_PLACE, &values).await,
            Some(member_id) => {
                values.push(Value::Uuid(member_id.as_uuid()));
                connection.fetch(*OF_MEMBER_IN_PLACE, &values).await
            }
        }
    }

    /// The last place given in the published stream; 0 if none was.
    ///
    /// # Errors
    /// As any read.
    pub async fn last_place(&self) -> Result<i64, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let last: Vec<LastPlace> = connection.fetch(LAST_PLACE, &[]).await?;
        Ok(last.first().and_then(|last| last.0).unwrap_or(0))
    }

    /// The newest events of a member and kind, oldest of them first. `after` and `since` are not
    /// asked.
    ///
    /// # Errors
    /// As any read.
    pub async fn newest_events(
        &self,
        filter: &EventFilter,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let mut values = vec![
            Value::Text(filter.kind_prefix.as_str().into()),
            Value::Int(limit.into()),
            Value::Int(filter.until.map_or(i64::MAX, Timestamp::as_microsecond)),
        ];
        let mut newest: Vec<StoredEvent> = match filter.member_id {
            None => connection.fetch(*NEWEST, &values).await?,
            Some(member_id) => {
                values.push(Value::Uuid(member_id.as_uuid()));
                connection.fetch(*NEWEST_OF_MEMBER, &values).await?
            }
        };
        newest.reverse();
        Ok(newest)
    }

    /// How many events wait for the broker, and since when. Cheap, however many wait.
    ///
    /// # Errors
    /// As any read.
    pub async fn outbox_status(&self) -> Result<OutboxStatus, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let values = [Value::Int(OUTBOX_COUNTED_MAX)];
        let status: Vec<OutboxStatus> = connection.fetch(OUTBOX_STATUS, &values).await?;
        Ok(status.into_iter().next().unwrap_or(OutboxStatus {
            waiting: 0,
            oldest: None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_once_each_and_to_the_last() {
        let mut places = Places { first: 3, last: 12 };
        let mut taken = Vec::new();
        while !places.is_empty() {
            let some = places.take(4);
            taken.extend(some.first..=some.last);
        }
        assert_eq!(taken, (3..=12).collect::<Vec<_>>());
        assert!(places.take(4).is_empty());
    }
}
