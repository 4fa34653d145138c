//! Authorizations, purchases and refunds.

use std::sync::Arc;

use ledger::records::{Authorization, Purchase, Refund};
use pos_protocol::Receipt;

use super::card_use::{get_use, put_use};
use crate::store::{
    StoreError,
    row::{Cell as _, FromRow, Reader, Row, Rows},
    table::{Table, bool, bytes, int, text, uuid},
};

pub(crate) static AUTHORIZATIONS: Table = Table::new(
    "authorizations",
    &[uuid("authorization_id")],
    &[
        uuid("member_id"),
        text("terminal_id"),
        text("store_id"),
        text("basket_id"),
        int("card_id"),
        int("issued_at"),
        bytes("code_hash"),
        int("points"),
        text("parts"),
        int("held_at"),
        int("expires_at"),
    ],
    &[text("state"), int("captured"), int("resolved_at")],
);

impl Row for Authorization {
    fn table() -> &'static Table {
        &AUTHORIZATIONS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.terminal_id);
        row.put(&self.store_id);
        row.put(&self.basket_id);
        put_use(row, &self.used);
        row.put(&self.points);
        row.put_json(&self.parts);
        row.put(&self.held_at);
        row.put(&self.expires_at);
        row.put(&self.state);
        row.put(&self.captured);
        row.put(&self.resolved_at);
    }
}

impl FromRow for Authorization {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            terminal_id: row.get()?,
            store_id: row.get()?,
            basket_id: row.get()?,
            used: get_use(row)?,
            points: row.get()?,
            parts: row.get_json()?,
            held_at: row.get()?,
            expires_at: row.get()?,
            state: row.get()?,
            captured: row.get()?,
            resolved_at: row.get()?,
        })
    }
}

pub(super) static PURCHASES: Table = Table::new(
    "purchases",
    &[uuid("purchase_id")],
    &[
        uuid("member_id"),
        text("terminal_id"),
        text("store_id"),
        text("basket_id"),
        uuid("authorization_id"),
        int("card_id"),
        int("issued_at"),
        bytes("code_hash"),
        text("business_date"),
        int("total"),
        text("receipt"),
        int("redeemed"),
        text("redeemed_parts"),
        int("shortfall"),
        int("earned_points"),
        text("earned"),
        bool("advice"),
        text("shop_id"),
        bool("fee_earns"),
        int("programme_version"),
        int("recorded_at"),
    ],
    &[
        text("state"),
        text("refunded"),
        int("refunded_amount"),
        int("restored"),
        int("clawback_due"),
    ],
);

impl Row for Purchase {
    fn table() -> &'static Table {
        &PURCHASES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.member_id);
        row.put(&self.terminal_id);
        row.put(&self.store_id);
        row.put(&self.basket_id);
        row.put(&self.authorization_id);
        put_use(row, &self.used);
        row.put_value(self.receipt.business_date.to_value());
        row.put_value(self.receipt.total.to_value());
        row.put_json(self.receipt.as_ref());
        row.put(&self.redeemed);
        row.put_json(&self.redeemed_parts);
        row.put(&self.shortfall);
        row.put(&self.earned_points);
        row.put_json(&self.earned);
        row.put(&self.advice);
        row.put(&self.shop_id);
        row.put(&self.fee_earns);
        row.put(&self.programme_version);
        row.put(&self.recorded_at);
        row.put(&self.state);
        row.put_json(&self.refunded);
        row.put(&self.refunded_amount);
        row.put(&self.restored);
        row.put(&self.clawback_due);
    }
}

impl FromRow for Purchase {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            terminal_id: row.get()?,
            store_id: row.get()?,
            basket_id: row.get()?,
            authorization_id: row.get()?,
            used: get_use(row)?,
            receipt: {
                row.skip(); // business_date and total are in the receipt
                row.skip();
                Arc::new(row.get_json::<Receipt>()?)
            },
            redeemed: row.get()?,
            redeemed_parts: row.get_json()?,
            shortfall: row.get()?,
            earned_points: row.get()?,
            earned: row.get_json()?,
            advice: row.get()?,
            shop_id: row.get()?,
            fee_earns: row.get()?,
            programme_version: row.get()?,
            recorded_at: row.get()?,
            state: row.get()?,
            refunded: row.get_json()?,
            refunded_amount: row.get()?,
            restored: row.get()?,
            clawback_due: row.get()?,
        })
    }
}

pub(crate) static REFUNDS: Table = Table::new(
    "refunds",
    &[uuid("refund_id")],
    &[
        uuid("purchase_id"),
        uuid("member_id"),
        text("terminal_id"),
        text("store_id"),
        text("business_date"),
        text("lines"),
        int("amount"),
        int("restored"),
        int("lapsed"),
        int("clawed_back"),
        int("owed"),
        int("shortfall"),
        bool("reversal"),
        int("at"),
    ],
    &[],
);

impl Row for Refund {
    fn table() -> &'static Table {
        &REFUNDS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.purchase_id);
        row.put(&self.member_id);
        row.put(&self.terminal_id);
        row.put(&self.store_id);
        row.put(&self.business_date);
        row.put_json(&self.lines);
        row.put(&self.amount);
        row.put(&self.restored);
        row.put(&self.lapsed);
        row.put(&self.clawed_back);
        row.put(&self.owed);
        row.put(&self.shortfall);
        row.put(&self.reversal);
        row.put(&self.at);
    }
}

impl FromRow for Refund {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            purchase_id: row.get()?,
            member_id: row.get()?,
            terminal_id: row.get()?,
            store_id: row.get()?,
            business_date: row.get()?,
            lines: row.get_json()?,
            amount: row.get()?,
            restored: row.get()?,
            lapsed: row.get()?,
            clawed_back: row.get()?,
            owed: row.get()?,
            shortfall: row.get()?,
            reversal: row.get()?,
            at: row.get()?,
        })
    }
}
