//! Lots, pending grants and transfers.

use ledger::{
    account::Transfer,
    lot::{Lender, Lot, LotKey, Pending},
};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    sql::Value,
    table::{Table, int, text, uuid},
};

pub(crate) static LOTS: Table = Table::new(
    "lots",
    &[uuid("lot_id")],
    &[
        uuid("member_id"),
        text("class"),
        text("expiry"),
        text("funding"),
        text("scope"),
        int("opened_at"),
        text("origin"),
        int("programme_version"),
        uuid("lender_member"),
        uuid("lender_lot"),
    ],
    // The last day moves where a purchase renews it.
    &[
        text("expires_on"),
        int("granted"),
        int("available"),
        int("held"),
        int("pending"),
    ],
);

impl Row for Lot {
    fn table() -> &'static Table {
        &LOTS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.key.class);
        row.put(&self.key.expiry);
        row.put(&self.key.funding);
        row.put_json(&self.key.scope);
        row.put(&self.opened_at);
        row.put(&self.origin);
        row.put(&self.programme_version);
        match &self.key.lender {
            Some(lender) => {
                row.put(&lender.member_id);
                row.put(&lender.lot_id);
            }
            None => {
                row.put_value(Value::Null);
                row.put_value(Value::Null);
            }
        }
        row.put(&self.key.expires_on);
        row.put(&self.granted);
        row.put(&self.available);
        row.put(&self.held);
        row.put(&self.pending);
    }
}

impl FromRow for Lot {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        let id = row.get()?;
        let member_id = row.get()?;
        let class = row.get()?;
        let expiry = row.get()?;
        let funding = row.get()?;
        let scope = row.get_json()?;
        Ok(Self {
            id,
            member_id,
            opened_at: row.get()?,
            origin: row.get()?,
            programme_version: row.get()?,
            key: LotKey {
                lender: match (row.get()?, row.get()?) {
                    (Some(member_id), Some(lot_id)) => Some(Lender { member_id, lot_id }),
                    _ => None,
                },
                class,
                expiry,
                expires_on: row.get()?,
                funding,
                scope,
            },
            granted: row.get()?,
            available: row.get()?,
            held: row.get()?,
            pending: row.get()?,
        })
    }
}

pub(crate) static PENDING: Table = Table::new(
    "pending",
    &[uuid("pending_id")],
    &[uuid("member_id"), uuid("lot_id"), uuid("purchase_id")],
    &[int("points"), text("matures_on")],
);

impl Row for Pending {
    fn table() -> &'static Table {
        &PENDING
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.lot_id);
        row.put(&self.purchase_id);
        row.put(&self.points);
        row.put(&self.matures_on);
    }
}

impl FromRow for Pending {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            lot_id: row.get()?,
            purchase_id: row.get()?,
            points: row.get()?,
            matures_on: row.get()?,
        })
    }
}

pub(crate) static TRANSFERS: Table = Table::new(
    "transfers",
    &[uuid("member_id"), uuid("transfer_id")],
    &[
        uuid("lot_id"),
        text("debit"),
        text("credit"),
        int("points"),
        text("motive"),
        uuid("source"),
        text("store_id"),
        text("business_date"),
        int("at"),
    ],
    &[],
);

impl Row for Transfer {
    fn table() -> &'static Table {
        &TRANSFERS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.member_id);
        row.put(&self.id);
        row.put(&self.lot_id);
        row.put(&self.debit);
        row.put(&self.credit);
        row.put(&self.points);
        row.put(&self.motive);
        row.put(&self.source);
        row.put(&self.store_id);
        row.put(&self.business_date);
        row.put(&self.at);
    }
}

impl FromRow for Transfer {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            member_id: row.get()?,
            id: row.get()?,
            lot_id: row.get()?,
            debit: row.get()?,
            credit: row.get()?,
            points: row.get()?,
            motive: row.get()?,
            source: row.get()?,
            store_id: row.get()?,
            business_date: row.get()?,
            at: row.get()?,
        })
    }
}
