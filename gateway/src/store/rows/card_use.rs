//! Card texts and short codes that were used, and how other rows name them.

use ledger::card_use::{Binding, CardUse, ShortCode, UseKey};

use crate::store::{
    StoreError,
    row::{Cell as _, FromRow, Reader, Row, Rows},
    sql::Value,
    table::{Table, bytes, int, text, uuid},
};

pub(super) static CARD_USES: Table = Table::new(
    "card_uses",
    &[int("card_id"), int("issued_at")],
    &[
        uuid("member_id"),
        text("spend"),
        text("terminal_id"),
        text("basket_id"),
        int("bound_at"),
    ],
    &[uuid("purchase_id")],
);

impl Row for CardUse {
    fn table() -> &'static Table {
        &CARD_USES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.card_id);
        row.put(&self.issued_at);
        row.put(&self.member_id);
        row.put(&self.spend);
        row.put(&self.binding.terminal_id);
        row.put(&self.binding.basket_id);
        row.put(&self.binding.bound_at);
        row.put(&self.binding.purchase_id);
    }
}

impl FromRow for CardUse {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            card_id: row.get()?,
            issued_at: row.get()?,
            member_id: row.get()?,
            spend: row.get()?,
            binding: Binding {
                terminal_id: row.get()?,
                basket_id: row.get()?,
                bound_at: row.get()?,
                purchase_id: row.get()?,
            },
        })
    }
}

pub(super) static SHORT_CODES: Table = Table::new(
    "short_codes",
    &[bytes("code_hash")],
    &[
        int("card_id"),
        uuid("member_id"),
        text("spend"),
        int("expires_at"),
    ],
    &[
        text("terminal_id"),
        text("basket_id"),
        int("bound_at"),
        uuid("purchase_id"),
    ],
);

impl Row for ShortCode {
    fn table() -> &'static Table {
        &SHORT_CODES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.hash);
        row.put(&self.card_id);
        row.put(&self.member_id);
        row.put(&self.spend);
        row.put(&self.expires_at);
        if let Some(binding) = &self.binding {
            row.put(&binding.terminal_id);
            row.put(&binding.basket_id);
            row.put(&binding.bound_at);
            row.put(&binding.purchase_id);
        } else {
            for _ in 0..4 {
                row.put_value(Value::Null);
            }
        }
    }
}

impl FromRow for ShortCode {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            hash: row.get()?,
            card_id: row.get()?,
            member_id: row.get()?,
            spend: row.get()?,
            expires_at: row.get()?,
            binding: match (row.get()?, row.get()?, row.get()?, row.get()?) {
                (Some(terminal_id), Some(basket_id), Some(bound_at), purchase_id) => {
                    Some(Binding {
                        terminal_id,
                        basket_id,
                        bound_at,
                        purchase_id,
                    })
                }
                _ => None,
            },
        })
    }
}

/// Puts the three columns `card_id, issued_at, code_hash`.
pub(super) fn put_use<'a>(row: &mut Rows<'a>, used: &'a UseKey) {
    match used {
        UseKey::Text { card_id, issued_at } => {
            row.put(card_id);
            row.put(issued_at);
            row.put_value(Value::Null);
        }
        UseKey::ShortCode(hash) => {
            row.put_value(Value::Null);
            row.put_value(Value::Null);
            row.put_value(hash.to_value());
        }
    }
}

/// Takes the three columns `card_id, issued_at, code_hash`.
pub(super) fn get_use(row: &mut Reader<'_>) -> Result<UseKey, StoreError> {
    match (row.get()?, row.get()?, row.get()?) {
        (Some(card_id), Some(issued_at), None) => Ok(UseKey::Text { card_id, issued_at }),
        (None, None, Some(hash)) => Ok(UseKey::ShortCode(hash)),
        _ => Err(StoreError::Corrupt(
            "a row names neither one card text nor one short code".into(),
        )),
    }
}
