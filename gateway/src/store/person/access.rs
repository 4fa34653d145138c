//! Who opened whose personal data: a log that is only added to.
//!
//! It is no part of the ledger: looking changes nothing. It holds ids and words, no personal data, and
//! stays when the person is erased.

use std::sync::LazyLock;

use jiff::Timestamp;
use pos_protocol::MemberId;
use uuid::Uuid;

use crate::store::{
    Store, StoreError,
    connection::Connection,
    row::{Cell as _, FromRow, Reader, Row, Rows, cells},
    sql::{Sql, Value},
    table::{Table, int, text, uuid},
};

static ACCESS_LOG: Table = Table::new(
    "access_log",
    &[uuid("access_id")],
    &[
        int("at"),
        uuid("member_id"),
        text("actor"),
        text("what"),
        text("purpose"),
    ],
    &[],
);
static OF_MEMBERS: LazyLock<Sql> = LazyLock::new(|| {
    ACCESS_LOG.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});

static NEWEST: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 ORDER BY at DESC, access_id DESC LIMIT $2";
    ACCESS_LOG.select(these, these)
});

pub(super) fn statements() -> Vec<Sql> {
    vec![ACCESS_LOG.statements().insert, *OF_MEMBERS, *NEWEST]
}

/// Personal data was opened by somebody else than its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The access.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub member_id: MemberId,
    /// Who, for example `cli:hanako`.
    pub actor: String,
    /// What was opened, for example `profile`.
    pub what: String,
    /// What for, in words.
    pub purpose: String,
}

impl Row for Access {
    fn table() -> &'static Table {
        &ACCESS_LOG
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.at);
        row.put(&self.member_id);
        row.put(&self.actor);
        row.put(&self.what);
        row.put(&self.purpose);
    }
}

impl FromRow for Access {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            at: row.get()?,
            member_id: row.get()?,
            actor: row.get()?,
            what: row.get()?,
            purpose: row.get()?,
        })
    }
}

impl Store {
    /// Notes that personal data is about to be opened. To be done before it is.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then nothing may be opened.
    pub async fn note_access(&self, access: &Access) -> Result<(), StoreError> {
        self.note_accesses(std::slice::from_ref(access)).await
    }

    /// The same of several at once.
    ///
    /// # Errors
    /// As [`Self::note_access`].
    pub async fn note_accesses(&self, accesses: &[Access]) -> Result<(), StoreError> {
        let mut connection = Connection::writing(self).await?;
        let rows = Rows::whole(accesses)?;
        let insert = ACCESS_LOG.statements().insert;
        let _: Vec<Access> = connection.fetch_each(insert, &rows).await?;
        Ok(())
    }

    /// The newest of those of these records, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn newest_accesses(
        &self,
        records: &[MemberId],
        limit: u32,
    ) -> Result<Vec<Access>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found = Vec::<Access>::new();
        for id in records {
            let values = [id.to_value(), Value::Int(limit.into())];
            found.extend(connection.fetch::<Access>(*NEWEST, &values).await?);
        }
        found.sort_by_key(|access| std::cmp::Reverse((access.at, access.id)));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Who opened the personal data of these records, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn accesses(&self, records: &[MemberId]) -> Result<Vec<Access>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found: Vec<Access> = connection
            .fetch_each(*OF_MEMBERS, &[cells(records)])
            .await?;
        found.sort_by_key(|access| (access.at, access.id));
        Ok(found)
    }
}
