//! Every row of the database in the order of its member: for an audit, one member after the other, in
//! memory that the largest member bounds.
//!
//! All tables are read side by side in one snapshot ([`Store::long_snapshot`]). A row that makes no
//! sense is handed over with its key instead of ending the reading: finding it is the point.

use std::{collections::VecDeque, fmt, sync::LazyLock};

use ledger::{
    account::Transfer,
    card_use::{CardUse, ShortCode},
    identity::Identity,
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    records::{Authorization, Purchase, Refund, StoredRequest},
};
use pos_protocol::{EventId, MemberId};

use super::{
    Store, StoreError,
    connection::Connection,
    row::{FromRow, Reader, Row},
    rows::EVENT_LOG,
    snapshot::Snapshot,
    sql::{Sql, Value},
    table::Table,
};

/// Rows fetched at once from one table.
const PAGE_ROWS: u32 = 500;

/// For a reader that takes its time: no time-outs, and room to sort in.
const BEGIN: Sql = Sql {
    postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
               SET LOCAL statement_timeout = 0; \
               SET LOCAL idle_in_transaction_session_timeout = 0; \
               SET LOCAL cursor_tuple_fraction = 1; \
               SET LOCAL work_mem = '32MB'",
    sqlite: "BEGIN",
};
const MEMBERS_COUNT: Sql = Sql::both("SELECT count(*) FROM members");
static LOOSE_REQUESTS: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id IS NULL AND (terminal_id, request_id) > ($1, $2) \
                 ORDER BY terminal_id, request_id LIMIT $3";
    <StoredRequest as Row>::table().select(these, these)
});

/// The statements of this module that need nothing made before them.
pub(super) fn statements() -> Vec<Sql> {
    vec![MEMBERS_COUNT, *LOOSE_REQUESTS]
}

/// A row that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its table.
    pub table: &'static str,
    /// Its key.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.table, self.key, self.why)
    }
}

/// An event without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventHead {
    /// The event.
    pub id: EventId,
    /// The member it is about.
    pub member_id: MemberId,
    /// Place among the member's events, from 1.
    pub member_sequence: i64,
    /// CloudEvents type.
    pub kind: String,
    /// CloudEvents subject.
    pub subject: String,
    /// Place in the published stream, from 1; none until it is about to be sent.
    pub stream_sequence: Option<i64>,
}

impl FromRow for EventHead {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            member_id: row.get()?,
            member_sequence: row.get()?,
            kind: row.get()?,
            subject: row.get()?,
            stream_sequence: row.get()?,
        })
    }
}

/// A record that belongs to a member. Only this store says which.
#[allow(
    private_bounds,
    reason = "how a record is kept is nobody else's business"
)]
pub trait OfMember: FromRow {
    /// Whose it is; nil where a request touched nobody.
    fn owner(&self) -> MemberId;
    /// What names it, for people.
    fn key(&self) -> String;
    #[doc(hidden)]
    fn kept_in() -> Kept;
    /// Its table.
    #[must_use]
    fn table_name() -> &'static str {
        Self::kept_in().0.name
    }
}

/// Where a record is kept, and how many of the columns it takes.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Kept(&'static Table, usize);

macro_rules! of_member {
    ($($record:ty: |$row:ident| $owner:expr, $key:expr;)*) => {$(
        impl OfMember for $record {
            fn owner(&self) -> MemberId {
                let $row = self;
                $owner
            }
            fn key(&self) -> String {
                let $row = self;
                $key
            }
            fn kept_in() -> Kept {
                Kept(<$record as Row>::table(), usize::MAX)
            }
        }
    )*};
}
of_member! {
    Member: |row| row.id, row.id.to_string();
    Card: |row| row.member_id, row.id.to_string();
    Lot: |row| row.member_id, row.id.to_string();
    Pending: |row| row.member_id, row.id.to_string();
    Transfer: |row| row.member_id, row.id.to_string();
    Authorization: |row| row.member_id, row.id.to_string();
    Purchase: |row| row.member_id, row.id.to_string();
    Refund: |row| row.member_id, row.id.to_string();
    CardUse: |row| row.member_id, format!("{}/{}", row.card_id, row.issued_at);
    ShortCode: |row| row.member_id, data_encoding::HEXLOWER.encode(&row.hash);
    Identity: |row| row.member_id, data_encoding::HEXLOWER.encode(&row.key.0);
    Order: |row| row.member_id.unwrap_or(NOBODY), format!("{}/{}", row.shop_id, row.id);
    Profile: |row| row.member_id, row.member_id.to_string();
    StoredRequest: |row| row.member_id.unwrap_or(NOBODY), format!("{}/{}", row.terminal_id, row.request_id);
}

const NOBODY: MemberId = MemberId::new(uuid::Uuid::nil());

impl OfMember for EventHead {
    fn owner(&self) -> MemberId {
        self.member_id
    }
    fn key(&self) -> String {
        self.id.to_string()
    }
    fn kept_in() -> Kept {
        Kept(&EVENT_LOG, 6)
    }
}

/// A record, or the key of a row that is none.
struct Read<R>(Result<R, Unreadable>);

impl<R: OfMember> FromRow for Read<R> {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        match R::read(row) {
            Ok(record) => Ok(Self(Ok(record))),
            Err(StoreError::Corrupt(why)) => {
                let Kept(table, _) = R::kept_in();
                let mut row = row.again();
                let key = table.columns().take(table.key_columns());
                let key: Vec<_> = key.map(|column| row.show(column.kind)).collect();
                Ok(Self(Err(Unreadable {
                    table: table.name,
                    key: key.join("/"),
                    why,
                })))
            }
            Err(error) => Err(error),
        }
    }
}

/// The rows of one table, in the order of their members.
#[derive(Debug)]
pub struct ByMember<R> {
    next: Sql,
    /// How many rows were fetched so far.
    place: i64,
    ended: bool,
    waiting: VecDeque<R>,
    /// Rows that make no sense, as they turned up.
    pub unreadable: Vec<Unreadable>,
}

impl<R: OfMember> ByMember<R> {
    async fn fill(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        while self.waiting.is_empty() && !self.ended {
            let connection = &mut snapshot.connection;
            let values = [Value::Int(self.place), Value::Int(PAGE_ROWS.into())];
            let values = if connection.is_postgres() {
                &[]
            } else {
                values.as_slice()
            };
            let rows: Vec<Read<R>> = connection.fetch(self.next, values).await?;
            let count = u32::try_from(rows.len()).unwrap_or(PAGE_ROWS);
            self.place += i64::from(count);
            self.ended = count < PAGE_ROWS;
            for Read(row) in rows {
                match row {
                    Ok(record) => self.waiting.push_back(record),
                    Err(unreadable) => self.unreadable.push(unreadable),
                }
            }
        }
        Ok(())
    }

    /// The next row, whoever's it is.
    ///
    /// # Errors
    /// As any read.
    pub async fn next(&mut self, snapshot: &mut Snapshot) -> Result<Option<R>, StoreError> {
        self.fill(snapshot).await?;
        Ok(self.waiting.pop_front())
    }

    /// Every row of `member`, and before them those of members that were not asked for.
    ///
    /// # Errors
    /// As any read.
    pub async fn up_to(
        &mut self,
        snapshot: &mut Snapshot,
        member: MemberId,
    ) -> Result<(Vec<R>, Vec<R>), StoreError> {
        let (mut own, mut strays) = (Vec::new(), Vec::new());
        loop {
            self.fill(snapshot).await?;
            match self.waiting.pop_front() {
                Some(row) if row.owner() == member => own.push(row),
                Some(row) if row.owner() < member => strays.push(row),
                Some(row) => {
                    self.waiting.push_front(row);
                    break;
                }
                None => break,
            }
        }
        Ok((own, strays))
    }
}

struct Count(i64);

impl FromRow for Count {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Store {
    /// Begins to read one moment of the database, for as long as it takes.
    ///
    /// # Errors
    /// As any read.
    pub async fn long_snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let _: Vec<Count> = connection.begin(BEGIN).await?;
        Ok(Snapshot { connection })
    }
}

impl Snapshot {
    /// How many members there are.
    ///
    /// # Errors
    /// As any read.
    pub async fn members_count(&mut self) -> Result<u64, StoreError> {
        let counts: Vec<Count> = self.connection.fetch(MEMBERS_COUNT, &[]).await?;
        let count = counts.first().map_or(0, |count| count.0);
        Ok(count.try_into().unwrap_or_default())
    }

    /// Begins to read a table in the order of its members; rows without a member are left out. Once
    /// per table and snapshot.
    ///
    /// # Errors
    /// As any read.
    pub async fn by_member<R: OfMember>(&mut self) -> Result<ByMember<R>, StoreError> {
        let Kept(table, taken) = R::kept_in();
        let (open, next) = table.by_member(taken, PAGE_ROWS);
        let _: Vec<Count> = self.connection.fetch(open, &[]).await?;
        Ok(ByMember {
            next,
            place: 0,
            ended: false,
            waiting: VecDeque::new(),
            unreadable: Vec::new(),
        })
    }

    /// Requests that touched no member, after the given one, at most a page of them, and those of them
    /// that make no sense. An empty page is the last.
    ///
    /// # Errors
    /// As any read.
    pub async fn loose_requests(
        &mut self,
        after: (&str, &str),
    ) -> Result<Vec<Result<StoredRequest, Unreadable>>, StoreError> {
        let values = [
            Value::Text(after.0.into()),
            Value::Text(after.1.into()),
            Value::Int(PAGE_ROWS.into()),
        ];
        let rows: Vec<Read<StoredRequest>> =
            self.connection.fetch(*LOOSE_REQUESTS, &values).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
