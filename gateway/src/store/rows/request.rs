//! Requests that were answered, and settlements.

use ledger::records::{Settlement, StoredRequest};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, bytes, int, text, uuid},
};

pub(super) static REQUESTS: Table = Table::new(
    "requests",
    &[text("terminal_id"), text("request_id")],
    &[
        uuid("member_id"),
        text("kind"),
        bytes("fingerprint"),
        uuid("effect"),
        text("answer"),
        int("at"),
    ],
    &[],
);

impl Row for StoredRequest {
    fn table() -> &'static Table {
        &REQUESTS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.terminal_id);
        row.put(&self.request_id);
        row.put(&self.member_id);
        row.put(&self.kind);
        row.put(&self.fingerprint);
        row.put(&self.effect);
        row.put(&self.answer);
        row.put(&self.at);
    }
}

impl FromRow for StoredRequest {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            terminal_id: row.get()?,
            request_id: row.get()?,
            member_id: row.get()?,
            kind: row.get()?,
            fingerprint: row.get()?,
            effect: row.get()?,
            answer: row.get()?,
            at: row.get()?,
        })
    }
}

pub(super) static SETTLEMENTS: Table = Table::new(
    "settlements",
    &[uuid("settlement_id")],
    &[
        text("terminal_id"),
        text("store_id"),
        text("business_date"),
        text("till_totals"),
        text("gateway_totals"),
        int("at"),
    ],
    &[],
);

impl Row for Settlement {
    fn table() -> &'static Table {
        &SETTLEMENTS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.terminal_id);
        row.put(&self.store_id);
        row.put(&self.business_date);
        row.put_json(&self.till);
        row.put_json(&self.gateway);
        row.put(&self.at);
    }
}

impl FromRow for Settlement {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            terminal_id: row.get()?,
            store_id: row.get()?,
            business_date: row.get()?,
            till: row.get_json()?,
            gateway: row.get_json()?,
            at: row.get()?,
        })
    }
}
