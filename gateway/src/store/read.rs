//! Reads outside the write path: what a till, a shopper or a job asks without changing anything.

use std::{collections::BTreeSet, sync::LazyLock};

use jiff::{Timestamp, civil::Date};
use ledger::{
    account::Transfer,
    card_use::ShortCodeHash,
    lot::Lot,
    member::{Card, Member, MemberNo},
    records::StoredRequest,
};
use member_card::CardId;
use pos_protocol::{AuthorizationId, MemberId, PurchaseId, RequestId, TerminalId, TransferId};
use uuid::Uuid;

use super::{
    Store, StoreError,
    connection::Connection,
    load::{by_key, open_lots},
    row::{Cell as _, FromRow, Reader, cells},
    rows::{CARDS, MEMBERS, TRANSFERS},
    snapshot::Snapshot,
    sql::{Sql, Value},
};

const AUTHORIZATION_OWNER: Sql =
    Sql::both("SELECT member_id FROM authorizations WHERE authorization_id = $1");
const PURCHASE_OWNER: Sql = Sql::both("SELECT member_id FROM purchases WHERE purchase_id = $1");
const SHORT_CODE_OWNER: Sql = Sql::both("SELECT member_id FROM short_codes WHERE code_hash = $1");
const REQUEST_OWNER: Sql =
    Sql::both("SELECT member_id FROM requests WHERE terminal_id = $1 AND request_id = $2");
const PING: Sql = Sql::both("SELECT NULL");

static MEMBER_BY_NO: LazyLock<Sql> =
    LazyLock::new(|| MEMBERS.select("WHERE member_no = $1", "WHERE member_no = $1"));
static CARDS_OF_MEMBER: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 ORDER BY enrolled_at, card_id";
    CARDS.select(these, these)
});
static HISTORY: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 AND transfer_id < $2 AND motive NOT IN ('hold', 'release', 'pooling', 'pooling_return') \
                 ORDER BY transfer_id DESC LIMIT $3";
    TRANSFERS.select(these, these)
});

const DUE: Sql = Sql::both(
    "\
SELECT DISTINCT member_id FROM (
    SELECT * FROM (
        SELECT member_id FROM authorizations
        WHERE state = 'held' AND expires_at > 0 AND expires_at <= $1
        ORDER BY expires_at LIMIT $3
    ) AS timed_out
    UNION ALL
    SELECT * FROM (
        SELECT member_id FROM pending WHERE points > 0 AND matures_on IS NOT NULL AND matures_on <= $2
        ORDER BY matures_on LIMIT $3
    ) AS matured
    UNION ALL
    SELECT * FROM (
        SELECT member_id FROM lots
        WHERE is_open AND expires_on IS NOT NULL AND expires_on < $2 AND available > 0
        ORDER BY expires_on LIMIT $3
    ) AS lapsed
) AS due
ORDER BY member_id LIMIT $3",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        AUTHORIZATION_OWNER,
        PURCHASE_OWNER,
        SHORT_CODE_OWNER,
        REQUEST_OWNER,
        PING,
        *MEMBER_BY_NO,
        *CARDS_OF_MEMBER,
        *HISTORY,
        DUE,
    ]
}

/// A member with what it can spend and the cards that lead to it, all of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// The member.
    pub member: Member,
    /// Its open lots, in no order that matters.
    pub lots: Vec<Lot>,
    /// Its cards, revoked ones too, oldest first.
    pub cards: Vec<Card>,
}

/// The first column of a row.
pub(super) struct Owner(Option<MemberId>);

impl Owner {
    pub(super) fn into_inner(self) -> Option<MemberId> {
        self.0
    }
}

impl FromRow for Owner {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Store {
    /// The cards with these ids, as many as there are.
    ///
    /// # Errors
    /// As any read: the database is away, or a row makes no sense.
    pub async fn cards(&self, ids: &BTreeSet<CardId>) -> Result<Vec<Card>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        by_key(&mut connection, &[cells(ids)]).await
    }

    /// The request a terminal made under this id, if it was answered.
    ///
    /// # Errors
    /// As any read.
    pub async fn request(
        &self,
        terminal_id: &TerminalId,
        request_id: &RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let key = [cells([terminal_id]), cells([request_id])];
        first(by_key(&mut connection, &key).await)
    }

    /// The member an authorization holds points of.
    ///
    /// # Errors
    /// As any read.
    pub async fn authorization_owner(
        &self,
        id: AuthorizationId,
    ) -> Result<Option<MemberId>, StoreError> {
        self.owner(AUTHORIZATION_OWNER, &[id.to_value()]).await
    }

    /// The member who made a purchase.
    ///
    /// # Errors
    /// As any read.
    pub async fn purchase_owner(&self, id: PurchaseId) -> Result<Option<MemberId>, StoreError> {
        self.owner(PURCHASE_OWNER, &[id.to_value()]).await
    }

    /// The member a request touched.
    ///
    /// # Errors
    /// As any read.
    pub async fn request_owner(
        &self,
        terminal_id: &TerminalId,
        request_id: &RequestId,
    ) -> Result<Option<MemberId>, StoreError> {
        let key = [terminal_id.to_value(), request_id.to_value()];
        self.owner(REQUEST_OWNER, &key).await
    }

    /// The member a short code was made for.
    ///
    /// # Errors
    /// As any read.
    pub async fn short_code_owner(
        &self,
        hash: &ShortCodeHash,
    ) -> Result<Option<MemberId>, StoreError> {
        self.owner(SHORT_CODE_OWNER, &[hash.to_value()]).await
    }

    async fn owner(&self, sql: Sql, key: &[Value<'_>]) -> Result<Option<MemberId>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Owner> = connection.fetch(sql, key).await?;
        Ok(found.into_iter().next().and_then(|owner| owner.0))
    }

    /// A member with its open lots and its cards.
    ///
    /// # Errors
    /// As any read.
    pub async fn member(&self, member_id: MemberId) -> Result<Option<MemberRecord>, StoreError> {
        let mut snapshot = Snapshot::brief(self).await?;
        let connection = &mut snapshot.connection;
        let Some(member) = first(by_key::<Member>(connection, &[cells([&member_id])]).await)?
        else {
            snapshot.end().await?;
            return Ok(None);
        };
        let lots = open_lots(connection, member_id).await?;
        let cards = connection
            .fetch(*CARDS_OF_MEMBER, &[member_id.to_value()])
            .await?;
        snapshot.end().await?;
        Ok(Some(MemberRecord {
            member,
            lots,
            cards,
        }))
    }

    /// The member with this number.
    ///
    /// # Errors
    /// As any read.
    pub async fn member_by_no(&self, number: &MemberNo) -> Result<Option<Member>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        first(connection.fetch(*MEMBER_BY_NO, &[number.to_value()]).await)
    }

    /// What happened to a member's points, newest first, from before `before` on: everything but
    /// points that were promised to a basket and let go again.
    ///
    /// # Errors
    /// As any read.
    pub async fn history(
        &self,
        member_id: MemberId,
        before: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let before = before.map_or(Uuid::max(), TransferId::as_uuid);
        let values = [
            member_id.to_value(),
            Value::Uuid(before),
            Value::Int(limit.into()),
        ];
        connection.fetch(*HISTORY, &values).await
    }

    /// Members for whom time has brought something: a hold that ran out by `now`, pending points that
    /// mature on `today` or earlier, spendable points whose last day lies before `today`. At most
    /// `limit` of them, sorted.
    ///
    /// # Errors
    /// As any read.
    pub async fn members_due(
        &self,
        now: Timestamp,
        today: Date,
        limit: u32,
    ) -> Result<Vec<MemberId>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let values = [now.to_value(), today.to_value(), Value::Int(limit.into())];
        let due: Vec<Owner> = connection.fetch(DUE, &values).await?;
        Ok(due.into_iter().filter_map(|owner| owner.0).collect())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = Connection::brief(self).await?;
        let _: Vec<Owner> = connection.fetch(PING, &[]).await?;
        Ok(())
    }
}

fn first<T>(rows: Result<Vec<T>, StoreError>) -> Result<Option<T>, StoreError> {
    rows.map(|rows| rows.into_iter().next())
}
