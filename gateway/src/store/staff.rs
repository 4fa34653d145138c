//! What the console keeps and asks: what staff did, proposals, and holds of a person.
//!
//! An act is written before it is tried, and closed when it ended. It is no part of the ledger: what an act
//! booked has its own rows and events, with the same actor and reason.

use std::sync::LazyLock;

use jiff::Timestamp;
use ledger::{proposal::Proposal, records::Authorization};
use pos_protocol::{MemberId, Points};
use uuid::Uuid;

use super::{
    Store, StoreError,
    connection::Connection,
    load::by_key,
    row::{Cell as _, FromRow, Reader, Row, Rows, cells},
    rows::{AUTHORIZATIONS, PROPOSALS},
    sql::{Sql, Value},
    table::{Table, int, text, uuid},
};

static STAFF_ACTS: Table = Table::new(
    "staff_acts",
    &[uuid("act_id")],
    &[
        int("at"),
        text("actor"),
        text("role"),
        text("act"),
        text("subject"),
        text("reason"),
    ],
    &[int("points"), text("outcome")],
);
static ACTS_BEFORE: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE act_id < $1 ORDER BY act_id DESC LIMIT $2";
    STAFF_ACTS.select(these, these)
});
/// What one actor adjusted alone since a time, what is being tried included.
const ADJUSTED_ALONE: Sql = Sql::both(
    "SELECT CAST(coalesce(sum(points), 0) AS BIGINT) FROM staff_acts \
     WHERE actor = $1 AND at > $2 AND points IS NOT NULL AND act_id <> $3 AND outcome IN ('begun', 'done')",
);
const CLOSE: Sql = Sql::both("UPDATE staff_acts SET outcome = $2 WHERE act_id = $1");
static PROPOSALS_OPEN: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE state = 'open' AND expires_at > $1 ORDER BY proposal_id DESC LIMIT $2";
    PROPOSALS.select(these, these)
});
static PROPOSALS_ALL: LazyLock<Sql> = LazyLock::new(|| {
    let these = "ORDER BY proposal_id DESC LIMIT $1";
    PROPOSALS.select(these, these)
});
static PROPOSALS_OF: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 ORDER BY proposal_id DESC LIMIT $2";
    PROPOSALS.select(these, these)
});
static HOLDS_OF: LazyLock<Sql> = LazyLock::new(|| {
    AUTHORIZATIONS.select_asked(
        "WHERE member_id = ANY($1) AND state = 'held'",
        1,
        "member_id = asked.column1 AND state = 'held'",
    )
});

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        STAFF_ACTS.statements().insert,
        *ACTS_BEFORE,
        ADJUSTED_ALONE,
        CLOSE,
        *PROPOSALS_OPEN,
        *PROPOSALS_ALL,
        *PROPOSALS_OF,
        *HOLDS_OF,
    ]
}

/// Something staff does at the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffAct {
    /// The act.
    pub id: Uuid,
    /// When it was begun.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// What: the method and path of the call.
    pub act: String,
    /// Whom or what it is about, for example `member/0198…`.
    pub subject: String,
    /// Why, in words.
    pub reason: String,
    /// Points adjusted, where it is an adjustment.
    pub points: Option<Points>,
    /// `begun`, or how it ended.
    pub outcome: String,
}

impl Row for StaffAct {
    fn table() -> &'static Table {
        &STAFF_ACTS
    }

    fn write<'a>(&'a self, row: &mut Rows<'a>) {
        row.put(&self.id);
        row.put(&self.at);
        row.put(&self.actor);
        row.put(&self.role);
        row.put(&self.act);
        row.put(&self.subject);
        row.put(&self.reason);
        row.put(&self.points);
        row.put(&self.outcome);
    }
}

impl FromRow for StaffAct {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get()?,
            at: row.get()?,
            actor: row.get()?,
            role: row.get()?,
            act: row.get()?,
            subject: row.get()?,
            reason: row.get()?,
            points: row.get()?,
            outcome: row.get()?,
        })
    }
}

struct Sum(i64);

impl FromRow for Sum {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

impl Sum {
    /// As points; the most there can be where it is more.
    fn points(&self) -> Points {
        Points::new(self.0).unwrap_or(Points::MAX)
    }
}

impl Store {
    /// Notes an act that is about to be tried.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then it may not be tried.
    pub async fn begin_act(&self, act: &StaffAct) -> Result<(), StoreError> {
        let mut connection = Connection::writing(self).await?;
        let row = Rows::whole([act])?;
        let insert = STAFF_ACTS.statements().insert;
        let _: Vec<Sum> = connection.fetch_each(insert, &row).await?;
        Ok(())
    }

    /// Notes how an act ended.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn close_act(&self, id: Uuid, outcome: &str) -> Result<(), StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [Value::Uuid(id), Value::Text(outcome.into())];
        connection.run(CLOSE, &values).await.map(drop)
    }

    /// What staff did before an act, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn acts_before(
        &self,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<StaffAct>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let before = before.unwrap_or(Uuid::max());
        let values = [Value::Uuid(before), Value::Int(limit.into())];
        connection.fetch(*ACTS_BEFORE, &values).await
    }

    /// Points that an actor adjusted alone since a time, without the act `but`.
    ///
    /// # Errors
    /// As any read.
    pub async fn adjusted_alone(
        &self,
        actor: &str,
        since: Timestamp,
        but: Uuid,
    ) -> Result<Points, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let values = [
            Value::Text(actor.into()),
            since.to_value(),
            Value::Uuid(but),
        ];
        let found: Vec<Sum> = connection.fetch(ADJUSTED_ALONE, &values).await?;
        Ok(found.first().map_or(Points::ZERO, Sum::points))
    }

    /// A proposal.
    ///
    /// # Errors
    /// As any read.
    pub async fn proposal(&self, id: Uuid) -> Result<Option<Proposal>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Proposal> = by_key(&mut connection, &[cells([&id])]).await?;
        Ok(found.into_iter().next())
    }

    /// Proposals, newest first: those that can be decided at `open_at`, or all.
    ///
    /// # Errors
    /// As any read.
    pub async fn proposals(
        &self,
        open_at: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let limit = Value::Int(limit.into());
        match open_at {
            Some(now) => {
                let values = [now.to_value(), limit];
                connection.fetch(*PROPOSALS_OPEN, &values).await
            }
            None => connection.fetch(*PROPOSALS_ALL, &[limit]).await,
        }
    }

    /// The newest proposals about these records, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn proposals_of(
        &self,
        records: &[MemberId],
        limit: u32,
    ) -> Result<Vec<Proposal>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found = Vec::<Proposal>::new();
        for id in records {
            let values = [id.to_value(), Value::Int(limit.into())];
            found.extend(connection.fetch::<Proposal>(*PROPOSALS_OF, &values).await?);
        }
        found.sort_by_key(|row| std::cmp::Reverse(row.id));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Open holds of these records, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn holds_of(&self, records: &[MemberId]) -> Result<Vec<Authorization>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found: Vec<Authorization> =
            connection.fetch_each(*HOLDS_OF, &[cells(records)]).await?;
        found.sort_by_key(|row| row.id);
        Ok(found)
    }
}
