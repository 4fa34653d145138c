//! Personal data, sealed.

use ledger::profile::{Profile, SealedProfile, Terms};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, bytes, int, text, uuid},
};

pub(crate) static PROFILES: Table = Table::new(
    "profiles",
    &[uuid("member_id")],
    &[],
    &[
        int("version"),
        text("key_id"),
        bytes("wrapped_key"),
        bytes("sealed"),
        bytes("email_term"),
        bytes("phone_term"),
        bytes("person_term"),
        bytes("kana_term"),
        int("changed_at"),
    ],
);

impl Row for Profile {
    fn table() -> &'static Table {
        &PROFILES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.member_id);
        row.put(&self.version);
        row.put(&self.sealed.key_id);
        row.put(&self.sealed.wrapped_key);
        row.put(&self.sealed.sealed);
        row.put(&self.sealed.terms.email);
        row.put(&self.sealed.terms.phone);
        row.put(&self.sealed.terms.person);
        row.put(&self.sealed.terms.kana);
        row.put(&self.changed_at);
    }
}

impl FromRow for Profile {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            member_id: row.get()?,
            version: row.get()?,
            sealed: SealedProfile {
                key_id: row.get()?,
                wrapped_key: row.get()?,
                sealed: row.get()?,
                terms: Terms {
                    email: row.get()?,
                    phone: row.get()?,
                    person: row.get()?,
                    kana: row.get()?,
                },
            },
            changed_at: row.get()?,
        })
    }
}
