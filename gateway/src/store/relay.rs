//! What the relay reads and writes: the outbox and the published stream.
//!
//! Lock order: the lease's row first, which makes the holder the only one that gives places and
//! removes rows from the outbox. So what it read of the outbox before stays true: rows can only be
//! added.
//!
//! Invariants: a place is committed before its event is sent, and never changes. Within one member,
//! places rise with positions, because a member's row is locked from before a position is drawn until
//! its transaction commits: whoever sees a position sees all earlier ones of that member.

use uuid::Uuid;

use super::{
    Store, StoreError, StoredEvent,
    connection::Connection,
    lease::{BEAT, Lease, LeaseName},
    row::{FromRow, Reader},
    sql::{Sql, Value},
};

const BEGIN: Sql = Sql {
    postgres: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    sqlite: "BEGIN IMMEDIATE",
};
/// Limited before the events are fetched, so that no plan fetches them all. Places are looked up row by
/// row: an anti-join may be planned as a scan of the whole stream.
const WAITING: Sql = Sql::both(
    "\
SELECT first.position, event.event_id, event.member_id, event.member_sequence, event.kind,
    event.subject, CAST(NULL AS BIGINT), event.at, event.data
FROM (
    SELECT position, event_id FROM outbox
    WHERE (SELECT stream_sequence FROM event_stream AS place WHERE place.event_id = outbox.event_id)
        IS NULL
        AND position > $2
    ORDER BY position LIMIT $1
) AS first JOIN events AS event ON event.event_id = first.event_id
ORDER BY first.position",
);
const LAST_PLACE: Sql = Sql::both("SELECT max(stream_sequence) FROM event_stream");
const PLACED: Sql = Sql::both(
    "\
SELECT first.position, event.event_id, event.member_id, event.member_sequence, event.kind,
    event.subject, first.place, event.at, event.data
FROM (
    SELECT position, event_id,
        (SELECT stream_sequence FROM event_stream AS place WHERE place.event_id = outbox.event_id)
            AS place
    FROM outbox WHERE position <= $1
) AS first JOIN events AS event ON event.event_id = first.event_id
WHERE first.place > $2
ORDER BY first.place",
);
const PLACE: Sql = Sql {
    postgres: "INSERT INTO event_stream (stream_sequence, event_id, member_id) \
         SELECT $1 + row_number() OVER (ORDER BY position), event_id, member_id FROM outbox \
         WHERE position = ANY($2) RETURNING stream_sequence",
    sqlite: "INSERT INTO event_stream (stream_sequence, event_id, member_id) \
         SELECT $1 + row_number() OVER (ORDER BY position), event_id, member_id FROM outbox \
         WHERE position IN (SELECT value FROM json_each($2)) RETURNING stream_sequence",
};
const CONFIRM: Sql = Sql {
    postgres: "DELETE FROM outbox WHERE position = ANY($1)",
    sqlite: "DELETE FROM outbox WHERE position IN (SELECT value FROM json_each($1))",
};

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![WAITING, LAST_PLACE, PLACED, PLACE, CONFIRM]
}

/// An event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the outbox.
    pub position: i64,
    /// The event.
    pub event: StoredEvent,
}

/// An event in the outbox that has its place in the stream: it may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its place in the stream, from 1.
    pub place: i64,
    /// Its place in the outbox.
    pub position: i64,
    /// The event, which knows its place too.
    pub event: StoredEvent,
}

/// A holder's hold on the relay's lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Who holds it.
    pub holder: Uuid,
    /// The highest position that was ever given a place.
    pub mark: i64,
    /// The highest place that was ever given.
    pub last_place: i64,
}

/// What one transaction of the relay writes.
#[derive(Debug, Clone, Default)]
pub struct RelayTurn {
    /// Positions of events that the broker confirmed.
    pub confirmed: Vec<i64>,
    /// Events to give the next places to, in order of their positions.
    pub waiting: Vec<Waiting>,
}

/// Where a holder goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The term with the last place.
    pub term: Term,
    /// Events that have a place after the one asked about and were not confirmed, in order of their
    /// places. They may have been sent.
    pub placed: Vec<Placed>,
}

impl FromRow for Waiting {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            position: row.get()?,
            event: StoredEvent::read(row)?,
        })
    }
}

impl FromRow for Placed {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        let Waiting { position, event } = Waiting::read(row)?;
        let place = event.stream_sequence.ok_or_else(|| {
            let id = event.id;
            StoreError::Corrupt(format!("event {id} has no place"))
        })?;
        Ok(Self {
            place,
            position,
            event,
        })
    }
}

struct Place(Option<i64>);

impl FromRow for Place {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Store {
    /// The first `limit` events of the outbox after `position` that have no place yet, in order of their
    /// positions. Only a holder's next turn can change that. While somebody reads the database for long,
    /// PostgreSQL keeps the removed rows at the head of the outbox; `position` steps over them.
    ///
    /// # Errors
    /// As any read.
    pub async fn relay_waiting(
        &self,
        limit: u32,
        position: i64,
    ) -> Result<Vec<Waiting>, StoreError> {
        let mut connection = Connection::relay_reading(self).await?;
        let values = [Value::Int(limit.into()), Value::Int(position)];
        connection.fetch(WAITING, &values).await
    }

    /// One transaction: raises the lease's beat, removes confirmed events from the outbox and gives
    /// waiting ones the next places. Gives the new term and the events with their places; none if the
    /// lease is somebody else's by now, and then nothing was written.
    ///
    /// # Errors
    /// [`StoreError`]. After any error it is unknown what was written: ask
    /// [`relay_resume`](Self::relay_resume).
    pub async fn relay_turn(
        &self,
        term: Term,
        turn: RelayTurn,
    ) -> Result<Option<(Term, Vec<Placed>)>, StoreError> {
        let RelayTurn { confirmed, waiting } = turn;
        let positions: Vec<i64> = waiting.iter().map(|row| row.position).collect();
        let mark = positions.iter().copied().fold(term.mark, i64::max);
        let term = Term { mark, ..term };
        let Some((mut connection, _)) = self.fenced(term).await? else {
            return Ok(None);
        };
        if !confirmed.is_empty() {
            let values = [Value::Ints(&confirmed)];
            let _: Vec<Place> = connection.fetch(CONFIRM, &values).await?;
        }
        if !positions.is_empty() {
            let values = [Value::Int(term.last_place), Value::Ints(&positions)];
            let given: Vec<Place> = connection.fetch(PLACE, &values).await?;
            if given.len() != positions.len() {
                let (given, wanted) = (given.len(), positions.len());
                return Err(StoreError::Conflict(format!(
                    "{given} of {wanted} events were there to be given a place"
                )));
            }
        }
        connection.commit().await?;
        let numbered = (term.last_place + 1..).zip(waiting);
        let placed: Vec<Placed> = numbered.map(|(place, row)| row.placed(place)).collect();
        let last_place = placed.last().map_or(term.last_place, |row| row.place);
        Ok(Some((Term { last_place, ..term }, placed)))
    }

    /// Where a holder goes on after it took the lease, or after an error: what was given a place after
    /// `term.last_place` and is not confirmed. None if the lease is somebody else's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn relay_resume(&self, term: Term) -> Result<Option<Resumed>, StoreError> {
        let Some((mut connection, lease)) = self.fenced(term).await? else {
            return Ok(None);
        };
        let last: Vec<Place> = connection.fetch(LAST_PLACE, &[]).await?;
        let values = [Value::Int(lease.mark), Value::Int(term.last_place)];
        let placed = connection.fetch(PLACED, &values).await?;
        connection.commit().await?;
        let last_place = last.first().and_then(|last| last.0).unwrap_or(0);
        let term = Term {
            mark: lease.mark,
            last_place,
            ..term
        };
        Ok(Some(Resumed { term, placed }))
    }

    /// A transaction that holds the lease's row, after raising its beat; none if the lease is somebody
    /// else's.
    async fn fenced(&self, term: Term) -> Result<Option<(Connection, Lease)>, StoreError> {
        let mut connection = Connection::relaying(self).await?;
        let _: Vec<Lease> = connection.begin(BEGIN).await?;
        let name = LeaseName::Relay.value();
        let values = [name, Value::Uuid(term.holder), Value::Int(term.mark)];
        let lease: Vec<Lease> = connection.fetch(BEAT, &values).await?;
        match lease.into_iter().next() {
            Some(lease) => Ok(Some((connection, lease))),
            None => {
                connection.rollback().await?;
                Ok(None)
            }
        }
    }
}

impl Waiting {
    fn placed(self, place: i64) -> Placed {
        Placed {
            place,
            position: self.position,
            event: StoredEvent {
                stream_sequence: Some(place),
                ..self.event
            },
        }
    }
}
