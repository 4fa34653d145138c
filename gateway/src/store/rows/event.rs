//! Events.

use jiff::Timestamp;
use ledger::records::Event;
use pos_protocol::{EventId, MemberId};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    sql::Value,
    table::{Table, int, text, uuid},
};

pub(crate) static EVENTS: Table = Table::new(
    "events",
    &[uuid("event_id")],
    // The first three columns are also those of the outbox.
    &[
        uuid("member_id"),
        int("member_sequence"),
        text("kind"),
        text("subject"),
        int("at"),
        text("data"),
    ],
    &[],
);

/// The view of the events with their places in the published stream.
pub(crate) static EVENT_LOG: Table = Table::new(
    "event_log",
    &[uuid("event_id")],
    &[
        uuid("member_id"),
        int("member_sequence"),
        text("kind"),
        text("subject"),
        int("stream_sequence"),
        int("at"),
        text("data"),
    ],
    &[],
);

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event; also the message id.
    pub id: EventId,
    /// The member it is about.
    pub member_id: Option<MemberId>,
    /// Place among the member's events, from 1; 0 where no member is meant.
    pub member_sequence: i64,
    /// CloudEvents type, and routing key.
    pub kind: String,
    /// CloudEvents subject.
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
    /// CloudEvents data, as JSON text.
    pub data: String,
    /// Place in the published stream, from 1; none until it is about to be sent.
    pub stream_sequence: Option<i64>,
}

impl Row for Event {
    fn table() -> &'static Table {
        &EVENTS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.member_sequence);
        row.put_value(Value::Text(self.kind.word().into()));
        row.put(&self.subject);
        row.put(&self.at);
        row.put(&self.data);
    }
}

impl Row for StoredEvent {
    fn table() -> &'static Table {
        &EVENT_LOG
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.member_sequence);
        row.put(&self.kind);
        row.put(&self.subject);
        row.put(&self.stream_sequence);
        row.put(&self.at);
        row.put(&self.data);
    }
}

impl FromRow for StoredEvent {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            member_sequence: row.get()?,
            kind: row.get()?,
            subject: row.get()?,
            stream_sequence: row.get()?,
            at: row.get()?,
            data: row.get()?,
        })
    }
}
