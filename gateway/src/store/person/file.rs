//! What stands behind one entry of a history, and behind a whole person: for explanations and exports.

use std::{collections::BTreeSet, sync::LazyLock};

use ledger::{
    account::Transfer,
    lot::{Lot, Pending},
    records::{Purchase, Refund},
};
use pos_protocol::{LotId, MemberId, PendingId, PurchaseId, RefundId, TransferId};
use uuid::Uuid;

use crate::store::{
    Store, StoreError, StoredEvent,
    connection::Connection,
    load::{by_key, pair_cells},
    row::{Cell as _, FromRow, Reader, cells},
    rows::{EVENT_LOG, REFUNDS},
    sql::{Sql, Value},
};

/// The purchases of a record, after one of its events ($2). There is no index of purchases by member; each
/// was told once.
const PURCHASES_TOLD: Sql = Sql::both(
    "\
SELECT member_sequence, subject FROM events
WHERE member_id = $1 AND member_sequence > $2 AND kind = 'purchase.completed'
ORDER BY member_sequence LIMIT $3",
);
static REFUNDS_OF: LazyLock<Sql> = LazyLock::new(|| {
    REFUNDS.select_asked(
        "WHERE purchase_id = ANY($1)",
        1,
        "purchase_id = asked.column1",
    )
});
/// Events with ids from $1 to $2.
static EVENTS_BETWEEN: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE event_id BETWEEN $1 AND $2 ORDER BY event_id";
    EVENT_LOG.select(these, these)
});
/// The purchases read at once.
const PAGE_PURCHASES: u32 = 200;

pub(super) fn statements() -> Vec<Sql> {
    vec![PURCHASES_TOLD, *REFUNDS_OF, *EVENTS_BETWEEN]
}

struct Told(i64, String);

impl FromRow for Told {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self(row.get()?, row.get()?))
    }
}

impl Store {
    /// A transfer of one of these records.
    ///
    /// # Errors
    /// As any read.
    pub async fn transfer_of(
        &self,
        records: &[MemberId],
        id: TransferId,
    ) -> Result<Option<Transfer>, StoreError> {
        let keys: Vec<_> = records.iter().map(|record| (*record, id)).collect();
        let mut connection = Connection::brief(self).await?;
        let wanted = pair_cells(keys.iter().collect());
        let found: Vec<Transfer> = by_key(&mut connection, &wanted).await?;
        Ok(found.into_iter().next())
    }

    /// The lots with these ids, closed ones too.
    ///
    /// # Errors
    /// As any read.
    pub async fn lots_by_id(&self, ids: &BTreeSet<LotId>) -> Result<Vec<Lot>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        by_key(&mut connection, &[cells(ids)]).await
    }

    /// A purchase.
    ///
    /// # Errors
    /// As any read.
    pub async fn purchase(&self, id: PurchaseId) -> Result<Option<Purchase>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Purchase> = by_key(&mut connection, &[cells([&id])]).await?;
        Ok(found.into_iter().next())
    }

    /// A refund.
    ///
    /// # Errors
    /// As any read.
    pub async fn refund(&self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Refund> = by_key(&mut connection, &[cells([&id])]).await?;
        Ok(found.into_iter().next())
    }

    /// A pending grant.
    ///
    /// # Errors
    /// As any read.
    pub async fn grant(&self, id: PendingId) -> Result<Option<Pending>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Pending> = by_key(&mut connection, &[cells([&id])]).await?;
        Ok(found.into_iter().next())
    }

    /// The events of the decision that made `made`: all that one decision makes has ids that differ in
    /// their last 16 bits only.
    ///
    /// # Errors
    /// As any read.
    pub async fn events_of_decision(&self, made: Uuid) -> Result<Vec<StoredEvent>, StoreError> {
        const LAST: u128 = 0xFFFF;
        let (first, last) = (made.as_u128() & !LAST, made.as_u128() | LAST);
        let mut connection = Connection::brief(self).await?;
        let values = [first, last].map(|id| Value::Uuid(Uuid::from_u128(id)));
        connection.fetch(*EVENTS_BETWEEN, &values).await
    }

    /// All purchases of a record with their refunds, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn purchases_of(
        &self,
        record: MemberId,
    ) -> Result<Vec<(Purchase, Vec<Refund>)>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let values = [
                record.to_value(),
                Value::Int(after),
                Value::Int(PAGE_PURCHASES.into()),
            ];
            let told: Vec<Told> = connection.fetch(PURCHASES_TOLD, &values).await?;
            let Some(last) = told.last() else {
                return Ok(all);
            };
            after = last.0;
            let ids: BTreeSet<PurchaseId> = told
                .iter()
                .filter_map(|told| told.1.strip_prefix("purchase/")?.parse().ok())
                .collect();
            let mut page: Vec<Purchase> = by_key(&mut connection, &[cells(&ids)]).await?;
            page.sort_by_key(|purchase| purchase.id);
            let refunds: Vec<Refund> = connection.fetch_each(*REFUNDS_OF, &[cells(&ids)]).await?;
            for purchase in page {
                let of_it = refunds.iter().filter(|row| row.purchase_id == purchase.id);
                let mut of_it: Vec<_> = of_it.cloned().collect();
                of_it.sort_by_key(|refund| refund.id);
                all.push((purchase, of_it));
            }
        }
    }
}
