//! Programme versions.

use std::sync::Arc;

use ledger::{programme::Programme, records::ProgrammeVersion};

use crate::store::{
    StoreError,
    row::{FromRow, Reader, Row, Rows},
    table::{Table, int, text},
};

pub(crate) static PROGRAMMES: Table = Table::new(
    "programmes",
    &[int("version")],
    &[
        text("settings"),
        text("source"),
        int("activated_at"),
        text("actor"),
    ],
    &[],
);

impl Row for ProgrammeVersion {
    fn table() -> &'static Table {
        &PROGRAMMES
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.version);
        row.put_json(self.programme.as_ref());
        row.put(&self.source);
        row.put(&self.activated_at);
        row.put(&self.actor);
    }
}

impl FromRow for ProgrammeVersion {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.get()?,
            programme: Arc::new(row.get_json::<Programme>()?),
            source: row.get()?,
            activated_at: row.get()?,
            actor: row.get()?,
        })
    }
}
