//! Orders of EC shops.

use ledger::order::Order;

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, int, text, uuid},
};

pub(crate) static ORDERS: Table = Table::new(
    "ec_orders",
    &[text("shop_id"), text("order_id")],
    &[text("terminal_id"), int("first_at")],
    &[
        uuid("member_id"),
        text("state"),
        text("facts"),
        uuid("purchase_id"),
        text("remark"),
        int("changed_at"),
    ],
);

impl Row for Order {
    fn table() -> &'static Table {
        &ORDERS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.shop_id);
        row.put(&self.id);
        row.put(&self.terminal_id);
        row.put(&self.first_at);
        row.put(&self.member_id);
        row.put(&self.state);
        row.put_json(&self.facts);
        row.put(&self.purchase_id);
        row.put(&self.remark);
        row.put(&self.changed_at);
    }
}

impl FromRow for Order {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            shop_id: row.get()?,
            id: row.get()?,
            terminal_id: row.get()?,
            first_at: row.get()?,
            member_id: row.get()?,
            state: row.get()?,
            facts: row.get_json()?,
            purchase_id: row.get()?,
            remark: row.get()?,
            changed_at: row.get()?,
        })
    }
}
