//! One moment of the whole database, read page by page: for an audit, in bounded memory.
//!
//! Every statement of a [`Snapshot`] sees what was committed when its first one ran, and nothing
//! since. It takes no locks.

use std::sync::LazyLock;

use ledger::{
    account::{Account, Transfer},
    card_use::{CardUse, ShortCode},
    identity::{Identity, LinkCode, Merge, Verification},
    lot::{Lot, Pending},
    member::{Card, Member},
    order::Order,
    profile::Profile,
    proposal::Proposal,
    records::{Authorization, ProgrammeVersion, Purchase, Refund, Settlement, StoredRequest},
};
use pos_protocol::{EventId, LotId, MemberId};
use uuid::Uuid;

use super::{
    Store, StoreError, StoredEvent,
    connection::Connection,
    load::by_key,
    row::{FromRow, Reader, Row, Rows, cells},
    rows::{AUTHORIZATIONS, EVENT_LOG, LOTS, PENDING, REFUNDS, TRANSFERS},
    sql::{Cells, Sql, Value},
};

const BEGIN: Sql = Sql {
    postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    sqlite: "BEGIN",
};

/// The rows of the members after $1 up to and with $2.
fn of_members(table: &super::table::Table, further: &str, order: &str) -> Sql {
    let these = format!("WHERE member_id > $1 AND member_id <= $2 {further} ORDER BY {order}");
    table.select(&these, &these)
}
static LOTS_OF: LazyLock<Sql> = LazyLock::new(|| of_members(&LOTS, "", "member_id, lot_id"));
static HOLDS_OF: LazyLock<Sql> =
    LazyLock::new(|| of_members(&AUTHORIZATIONS, "AND state = 'held'", "authorization_id"));
static GRANTS_OF: LazyLock<Sql> =
    LazyLock::new(|| of_members(&PENDING, "AND points > 0", "pending_id"));
static TRANSFERS_OF: LazyLock<Sql> =
    LazyLock::new(|| of_members(&TRANSFERS, "", "member_id, transfer_id"));
static EVENTS_OF: LazyLock<Sql> =
    LazyLock::new(|| of_members(&EVENT_LOG, "", "member_id, member_sequence"));
static REFUNDS_OF: LazyLock<Sql> = LazyLock::new(|| {
    REFUNDS.select(
        "WHERE purchase_id = ANY($1) ORDER BY refund_id",
        "WHERE purchase_id = $1 ORDER BY refund_id",
    )
});

const LOT_BALANCES: Sql = Sql::both(
    "\
SELECT member_id, lot_id, account, CAST(sum(points) AS BIGINT) FROM (
    SELECT member_id, lot_id, credit AS account, points FROM transfers
    WHERE member_id > $1 AND member_id <= $2
    UNION ALL
    SELECT member_id, lot_id, debit, -points FROM transfers
    WHERE member_id > $1 AND member_id <= $2
) AS sides
GROUP BY member_id, lot_id, account ORDER BY member_id, lot_id, account",
);
const ACCOUNT_BALANCES: Sql = Sql::both(
    "\
SELECT account, CAST(sum(points) AS BIGINT) FROM (
    SELECT credit AS account, points FROM transfers
    UNION ALL
    SELECT debit, -points FROM transfers
) AS sides
GROUP BY account ORDER BY account",
);
/// Outbox rows after $1 with no event of the same member and number.
const OUTBOX_ORPHANS: Sql = Sql::both(
    "\
SELECT outbox.event_id FROM outbox LEFT JOIN events ON events.event_id = outbox.event_id
    AND events.member_sequence = outbox.member_sequence
    AND coalesce(events.member_id = outbox.member_id, events.member_id IS NULL AND outbox.member_id IS NULL)
WHERE events.event_id IS NULL ORDER BY outbox.event_id LIMIT $1",
);
/// Lots with a lender that is no lot, or one of other points.
const LENT_BY_NOBODY: Sql = Sql::both(
    "\
SELECT lot.lot_id FROM lots AS lot
LEFT JOIN lots AS home ON home.member_id = lot.lender_member AND home.lot_id = lot.lender_lot
    AND home.class = lot.class AND home.lender_lot IS NULL AND home.member_id <> lot.member_id
WHERE (lot.lender_lot IS NOT NULL OR lot.lender_member IS NOT NULL) AND home.lot_id IS NULL
ORDER BY lot.lot_id LIMIT $1",
);
/// Events that have no place in the stream and are not in the outbox either.
const UNTOLD: Sql = Sql::both(
    "\
SELECT event.event_id FROM event_log AS event LEFT JOIN outbox ON outbox.event_id = event.event_id
WHERE event.stream_sequence IS NULL AND outbox.event_id IS NULL ORDER BY event.event_id LIMIT $1",
);
/// The first place that is not as high as there are places up to it.
const PLACE_OUT_OF_LINE: Sql = Sql::both(
    "\
SELECT min(stream_sequence) FROM (
    SELECT stream_sequence, row_number() OVER (ORDER BY stream_sequence) AS expected FROM event_stream
) AS counted
WHERE stream_sequence <> expected",
);
/// Places with no event of the same member.
const PLACE_ORPHANS: Sql = Sql::both(
    "\
SELECT place.stream_sequence FROM event_stream AS place LEFT JOIN events ON events.event_id = place.event_id
    AND coalesce(events.member_id = place.member_id, events.member_id IS NULL AND place.member_id IS NULL)
WHERE events.event_id IS NULL ORDER BY place.stream_sequence LIMIT $1",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        *LOTS_OF,
        *HOLDS_OF,
        *GRANTS_OF,
        *TRANSFERS_OF,
        *EVENTS_OF,
        *REFUNDS_OF,
        LOT_BALANCES,
        ACCOUNT_BALANCES,
        OUTBOX_ORPHANS,
        LENT_BY_NOBODY,
        UNTOLD,
        PLACE_OUT_OF_LINE,
        PLACE_ORPHANS,
    ]
}

/// Members in order of their ids: after one, up to and with another. Rows that name a member who
/// does not exist lie in some span too, so that neighbouring spans leave none out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Not this one and none before it; `None` from the beginning.
    pub after: Option<MemberId>,
    /// This one and none after it; `None` to the end.
    pub through: Option<MemberId>,
}

impl Span {
    fn values(self) -> [Value<'static>; 2] {
        // No id is nil.
        let after = self.after.map_or(Uuid::nil(), MemberId::as_uuid);
        let through = self.through.map_or(Uuid::max(), MemberId::as_uuid);
        [Value::Uuid(after), Value::Uuid(through)]
    }
}

/// What a member's transfers add up to in one account, for one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotBalance {
    /// The member.
    pub member_id: MemberId,
    /// The lot; none for points that lay in none.
    pub lot_id: Option<LotId>,
    /// The account.
    pub account: Account,
    /// Credits minus debits, in points.
    pub points: i64,
}

impl FromRow for LotBalance {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            member_id: row.get()?,
            lot_id: row.get()?,
            account: row.get()?,
            points: row.get()?,
        })
    }
}

struct AccountBalance(Account, i64);

impl FromRow for AccountBalance {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

struct Orphan(EventId);

impl FromRow for Orphan {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

struct LentLot(LotId);

impl FromRow for LentLot {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

struct Place(Option<i64>);

impl FromRow for Place {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

/// A record whose table can be read page by page, in order of its key. Only this store says which.
#[allow(
    private_bounds,
    reason = "how a record is kept is nobody else's business"
)]
pub trait Paged: Row + FromRow {}

macro_rules! paged {
    ($($record:ty),* $(,)?) => {
        $(impl Paged for $record {})*
    };
}
paged!(
    ProgrammeVersion,
    Member,
    Card,
    CardUse,
    ShortCode,
    Lot,
    Pending,
    Authorization,
    Purchase,
    Refund,
    StoredRequest,
    Settlement,
    Transfer,
    StoredEvent,
    Identity,
    Order,
    Profile,
    Merge,
    LinkCode,
    Verification,
    Proposal,
);

/// One moment of the database.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) connection: Connection,
}

impl Snapshot {
    /// For as long as it takes.
    async fn begin(store: &Store) -> Result<Self, StoreError> {
        Self::on(Connection::reading(store).await?).await
    }

    /// For a few short reads.
    pub(super) async fn brief(store: &Store) -> Result<Self, StoreError> {
        Self::on(Connection::brief(store).await?).await
    }

    async fn on(mut connection: Connection) -> Result<Self, StoreError> {
        let _: Vec<Orphan> = connection.begin(BEGIN).await?;
        Ok(Self { connection })
    }

    /// Lets the moment go. Dropping it does too, and costs the connection.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn end(mut self) -> Result<(), StoreError> {
        self.connection.rollback().await
    }

    /// At most `limit` records in order of their key, after `after` or from the beginning. A page
    /// that is not full is the last.
    ///
    /// # Errors
    /// As any read.
    pub async fn page<R: Paged>(
        &mut self,
        after: Option<&R>,
        limit: u32,
    ) -> Result<Vec<R>, StoreError> {
        let statements = R::table().statements();
        let Some(after) = after else {
            let values = [Value::Int(limit.into())];
            return self.connection.fetch(statements.first_page, &values).await;
        };
        let key = Rows::keys([after])?;
        let mut values: Vec<_> = key.iter().map(Cells::first).collect();
        values.push(Value::Int(limit.into()));
        self.connection.fetch(statements.next_page, &values).await
    }

    async fn of<T: FromRow>(&mut self, sql: Sql, span: Span) -> Result<Vec<T>, StoreError> {
        self.connection.fetch(sql, &span.values()).await
    }

    /// All lots of these members, by member.
    ///
    /// # Errors
    /// As any read.
    pub async fn lots(&mut self, span: Span) -> Result<Vec<Lot>, StoreError> {
        self.of(*LOTS_OF, span).await
    }

    /// Their authorizations in state held.
    ///
    /// # Errors
    /// As any read.
    pub async fn held_authorizations(
        &mut self,
        span: Span,
    ) -> Result<Vec<Authorization>, StoreError> {
        self.of(*HOLDS_OF, span).await
    }

    /// Their pending grants with points in them.
    ///
    /// # Errors
    /// As any read.
    pub async fn pending(&mut self, span: Span) -> Result<Vec<Pending>, StoreError> {
        self.of(*GRANTS_OF, span).await
    }

    /// What their transfers add up to, by member, lot and account.
    ///
    /// # Errors
    /// As any read.
    pub async fn lot_balances(&mut self, span: Span) -> Result<Vec<LotBalance>, StoreError> {
        self.of(LOT_BALANCES, span).await
    }

    /// All their transfers, by member, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn transfers(&mut self, span: Span) -> Result<Vec<Transfer>, StoreError> {
        self.of(*TRANSFERS_OF, span).await
    }

    /// All their events, by member, in order of their numbers.
    ///
    /// # Errors
    /// As any read.
    pub async fn events(&mut self, span: Span) -> Result<Vec<StoredEvent>, StoreError> {
        self.of(*EVENTS_OF, span).await
    }

    /// The refunds of these purchases.
    ///
    /// # Errors
    /// As any read.
    pub async fn refunds_of(&mut self, purchases: &[Purchase]) -> Result<Vec<Refund>, StoreError> {
        let ids = [cells(purchases.iter().map(|purchase| &purchase.id))];
        self.connection.fetch_each(*REFUNDS_OF, &ids).await
    }

    /// The authorizations with these ids.
    ///
    /// # Errors
    /// As any read.
    pub async fn authorizations(
        &mut self,
        ids: &[pos_protocol::AuthorizationId],
    ) -> Result<Vec<Authorization>, StoreError> {
        by_key(&mut self.connection, &[cells(ids)]).await
    }

    /// What all transfers add up to, by account. Reads them all.
    ///
    /// # Errors
    /// As any read.
    pub async fn account_balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError> {
        let sums: Vec<AccountBalance> = self.connection.fetch(ACCOUNT_BALANCES, &[]).await?;
        Ok(sums.into_iter().map(|sum| (sum.0, sum.1)).collect())
    }

    /// Outbox rows, at most `limit`, that name no event or another member or number than their event.
    ///
    /// # Errors
    /// As any read.
    pub async fn outbox_orphans(&mut self, limit: u32) -> Result<Vec<EventId>, StoreError> {
        let limit = [Value::Int(limit.into())];
        let orphans: Vec<Orphan> = self.connection.fetch(OUTBOX_ORPHANS, &limit).await?;
        Ok(orphans.into_iter().map(|orphan| orphan.0).collect())
    }

    /// Lots, at most `limit`, whose points were lent by no lot of another record.
    ///
    /// # Errors
    /// As any read.
    pub async fn lots_lent_by_nobody(&mut self, limit: u32) -> Result<Vec<LotId>, StoreError> {
        let limit = [Value::Int(limit.into())];
        let lots: Vec<LentLot> = self.connection.fetch(LENT_BY_NOBODY, &limit).await?;
        Ok(lots.into_iter().map(|lot| lot.0).collect())
    }

    /// Events, at most `limit`, that were never about to be sent and do not wait for it either.
    ///
    /// # Errors
    /// As any read.
    pub async fn untold_events(&mut self, limit: u32) -> Result<Vec<EventId>, StoreError> {
        let limit = [Value::Int(limit.into())];
        let untold: Vec<Orphan> = self.connection.fetch(UNTOLD, &limit).await?;
        Ok(untold.into_iter().map(|event| event.0).collect())
    }

    /// The first place in the stream after a gap; none if they count from 1.
    ///
    /// # Errors
    /// As any read.
    pub async fn place_out_of_line(&mut self) -> Result<Option<i64>, StoreError> {
        let found: Vec<Place> = self.connection.fetch(PLACE_OUT_OF_LINE, &[]).await?;
        Ok(found.into_iter().find_map(|place| place.0))
    }

    /// Places in the stream, at most `limit`, that no event of the same member has.
    ///
    /// # Errors
    /// As any read.
    pub async fn place_orphans(&mut self, limit: u32) -> Result<Vec<i64>, StoreError> {
        let limit = [Value::Int(limit.into())];
        let orphans: Vec<Place> = self.connection.fetch(PLACE_ORPHANS, &limit).await?;
        Ok(orphans.into_iter().filter_map(|place| place.0).collect())
    }
}

impl Store {
    /// Begins to read one moment of the database.
    ///
    /// # Errors
    /// As any read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::begin(self).await
    }
}
