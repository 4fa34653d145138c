//! Sums over the whole programme that people look at. Read on connections for reading, one at a time; SQL adds
//! up, and what the sums mean is said elsewhere.
//!
//! A sum over the programme may be larger than any amount of points or yen of one purchase or member: it is a
//! number.

use jiff::{Timestamp, civil::Date};
use ledger::account::{Account, Motive};

use super::{
    Store, StoreError,
    connection::Connection,
    row::{Cell as _, FromRow, Reader},
    sql::{Sql, Value},
};

/// Microseconds of a day, for days of a zone that is `$1` ahead of UTC.
const MEMBERS: Sql = Sql::both(
    "\
SELECT coalesce(touch.channel, 'none'), coalesce(touch.place, ''),
    (person.enrolled_at + $1) / 86400000000 AS day, count(*)
FROM (
    SELECT records.root_id, min(record.enrolled_at) AS enrolled_at
    FROM persons AS records JOIN members AS record ON record.member_id = records.member_id
    GROUP BY records.root_id
) AS person
    JOIN members AS root ON root.member_id = person.root_id
    LEFT JOIN channel_touches AS touch ON touch.member_id = person.root_id
WHERE root.erased_at IS NULL AND person.root_id IN (
    SELECT owner.root_id FROM cards JOIN persons AS owner ON owner.member_id = cards.member_id
    WHERE cards.status = 'active'
    UNION
    SELECT owner.root_id FROM identities JOIN persons AS owner ON owner.member_id = identities.member_id
    WHERE identities.revoked_at IS NULL
)
GROUP BY 1, 2, 3",
);
const ACTIVITY_BY_DAY: Sql = Sql::both(
    "\
SELECT purchase.business_date, bought.channel, bought.place, count(DISTINCT bought.member_id), count(*),
    CAST(sum(bought.yen) AS BIGINT)
FROM channel_purchases AS bought JOIN purchases AS purchase ON purchase.purchase_id = bought.purchase_id
WHERE purchase.business_date >= $1 AND purchase.business_date <= $2
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);
const ACTIVITY_BY_MONTH: Sql = Sql::both(
    "\
SELECT substr(purchase.business_date, 1, 7), bought.channel, bought.place, count(DISTINCT bought.member_id),
    count(*), CAST(sum(bought.yen) AS BIGINT)
FROM channel_purchases AS bought JOIN purchases AS purchase ON purchase.purchase_id = bought.purchase_id
WHERE purchase.business_date >= $1 AND purchase.business_date <= $2
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);
const MOVED_BY_DAY: Sql = Sql::both(
    "\
SELECT business_date, debit, credit, motive, CAST(sum(points) AS BIGINT) FROM transfers
WHERE business_date >= $1 AND business_date <= $2
    AND motive NOT IN ('hold', 'release', 'maturity', 'pooling', 'pooling_return')
GROUP BY 1, 2, 3, 4",
);
const MOVED_BY_MONTH: Sql = Sql::both(
    "\
SELECT substr(business_date, 1, 7), debit, credit, motive, CAST(sum(points) AS BIGINT) FROM transfers
WHERE business_date >= $1 AND business_date <= $2
    AND motive NOT IN ('hold', 'release', 'maturity', 'pooling', 'pooling_return')
GROUP BY 1, 2, 3, 4",
);
const LIABILITY: Sql = Sql::both(
    "\
SELECT coalesce(substr(expires_on, 1, 7), 'never'), CAST(sum(available + held + pending) AS BIGINT)
FROM lots WHERE is_open GROUP BY 1 ORDER BY 1",
);
/// By whole days since a lot was opened, at `$1`.
const LIABILITY_AGE: Sql = Sql::both(
    "\
SELECT ($1 - opened_at) / 86400000000, CAST(sum(available + held + pending) AS BIGINT)
FROM lots WHERE is_open GROUP BY 1 ORDER BY 1",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![
        MEMBERS,
        ACTIVITY_BY_DAY,
        ACTIVITY_BY_MONTH,
        MOVED_BY_DAY,
        MOVED_BY_MONTH,
        LIABILITY,
        LIABILITY_AGE,
    ]
}

/// What a sum is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A day.
    Day,
    /// A month.
    Month,
}

/// Persons that can be reached, by where they bought first and the day they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedRow {
    /// `store`, `shop` or `none`.
    pub channel: String,
    /// The store or shop; empty for none.
    pub place: String,
    /// Days since 1970.
    pub day: i64,
    /// How many.
    pub members: i64,
}

impl FromRow for ReachedRow {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            channel: row.get()?,
            place: row.get()?,
            day: row.get()?,
            members: row.get()?,
        })
    }
}

/// What was bought at a place within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityRow {
    /// `YYYY-MM` or `YYYY-MM-DD`.
    pub period: String,
    /// `store` or `shop`.
    pub channel: String,
    /// The store or shop.
    pub place: String,
    /// How many people.
    pub members: i64,
    /// How many purchases.
    pub purchases: i64,
    /// For how much, less what came back.
    pub yen: i64,
}

impl FromRow for ActivityRow {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            period: row.get()?,
            channel: row.get()?,
            place: row.get()?,
            members: row.get()?,
            purchases: row.get()?,
            yen: row.get()?,
        })
    }
}

/// Points that moved between two accounts within a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRow {
    /// `YYYY-MM` or `YYYY-MM-DD`.
    pub period: String,
    /// From.
    pub debit: Account,
    /// To.
    pub credit: Account,
    /// Why.
    pub motive: Motive,
    /// How many.
    pub points: i64,
}

impl FromRow for MovedRow {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            period: row.get()?,
            debit: row.get()?,
            credit: row.get()?,
            motive: row.get()?,
            points: row.get()?,
        })
    }
}

struct ByText(String, i64);

impl FromRow for ByText {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

struct ByDays(i64, i64);

impl FromRow for ByDays {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

fn days(from: Date, to: Date) -> [Value<'static>; 2] {
    [
        Value::Text(from.to_string().into()),
        Value::Text(to.to_string().into()),
    ]
}

impl Store {
    /// Persons that can be reached, in days of a zone so many microseconds ahead of UTC.
    ///
    /// # Errors
    /// As any read.
    pub async fn reached(&self, offset_micros: i64) -> Result<Vec<ReachedRow>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        connection
            .fetch(MEMBERS, &[Value::Int(offset_micros)])
            .await
    }

    /// Purchases that stand, by period and place.
    ///
    /// # Errors
    /// As any read.
    pub async fn activity(
        &self,
        by: Period,
        from: Date,
        to: Date,
    ) -> Result<Vec<ActivityRow>, StoreError> {
        let sql = match by {
            Period::Day => ACTIVITY_BY_DAY,
            Period::Month => ACTIVITY_BY_MONTH,
        };
        let mut connection = Connection::reading(self).await?;
        connection.fetch(sql, &days(from, to)).await
    }

    /// Points that came, went or were spent, by period.
    ///
    /// # Errors
    /// As any read.
    pub async fn moved(
        &self,
        by: Period,
        from: Date,
        to: Date,
    ) -> Result<Vec<MovedRow>, StoreError> {
        let sql = match by {
            Period::Day => MOVED_BY_DAY,
            Period::Month => MOVED_BY_MONTH,
        };
        let mut connection = Connection::reading(self).await?;
        connection.fetch(sql, &days(from, to)).await
    }

    /// Points members hold, by the month they would lapse in, or `never`.
    ///
    /// # Errors
    /// As any read.
    pub async fn held_by_expiry(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let found: Vec<ByText> = connection.fetch(LIABILITY, &[]).await?;
        Ok(found.into_iter().map(|row| (row.0, row.1)).collect())
    }

    /// Points members hold, by days since their lot was opened.
    ///
    /// # Errors
    /// As any read.
    pub async fn held_by_age(&self, now: Timestamp) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let found: Vec<ByDays> = connection.fetch(LIABILITY_AGE, &[now.to_value()]).await?;
        Ok(found.into_iter().map(|row| (row.0, row.1)).collect())
    }
}
