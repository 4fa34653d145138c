//! Members and cards.

use ledger::member::{Card, Member};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    sql::Value,
    table::{Table, bytes, int, text, uuid},
};

pub(crate) static MEMBERS: Table = Table::new(
    "members",
    &[uuid("member_id")],
    &[text("member_no"), int("enrolled_at")],
    &[
        text("status"),
        text("rank"),
        int("available"),
        int("held"),
        int("pending"),
        int("owed"),
        int("open_holds"),
        int("event_sequence"),
        text("last_activity_on"),
        uuid("merged_into"),
        text("merged"),
        int("earn_only_until"),
        int("erased_at"),
    ],
);

impl Row for Member {
    fn table() -> &'static Table {
        &MEMBERS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.number);
        row.put(&self.enrolled_at);
        row.put(&self.status);
        row.put(&self.rank);
        row.put(&self.available);
        row.put(&self.held);
        row.put(&self.pending);
        row.put(&self.owed);
        row.put(&self.open_holds);
        row.put(&self.event_sequence);
        row.put(&self.last_activity_on);
        row.put(&self.merged_into);
        if self.merged.is_empty() {
            row.put_value(Value::Null);
        } else {
            row.put_json(&self.merged);
        }
        row.put(&self.earn_only_until);
        row.put(&self.erased_at);
    }
}

impl FromRow for Member {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            number: row.get()?,
            enrolled_at: row.get()?,
            status: row.get()?,
            rank: row.get()?,
            available: row.get()?,
            held: row.get()?,
            pending: row.get()?,
            owed: row.get()?,
            open_holds: row.get()?,
            event_sequence: row.get()?,
            last_activity_on: row.get()?,
            merged_into: row.get()?,
            merged: row.get_json_or_default()?,
            earn_only_until: row.get()?,
            erased_at: row.get()?,
        })
    }
}

pub(crate) static CARDS: Table = Table::new(
    "cards",
    &[int("card_id")],
    &[
        uuid("member_id"),
        text("kind"),
        bytes("public_key"),
        int("enrolled_at"),
    ],
    &[text("name"), text("status"), int("revoked_at")],
);

impl Row for Card {
    fn table() -> &'static Table {
        &CARDS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.kind);
        row.put(&self.public_key);
        row.put(&self.enrolled_at);
        row.put(&self.name);
        row.put(&self.status);
        row.put(&self.revoked_at);
    }
}

impl FromRow for Card {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            kind: row.get()?,
            public_key: row.get()?,
            enrolled_at: row.get()?,
            name: row.get()?,
            status: row.get()?,
            revoked_at: row.get()?,
        })
    }
}
