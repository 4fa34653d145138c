//! Merges whose person has not been told yet: the merges themselves are the queue, so a notice is owed as
//! soon as the merge is committed, whatever dies.

use std::sync::LazyLock;

use jiff::Timestamp;
use ledger::identity::Merge;
use pos_protocol::MergeId;

use crate::store::{
    Store, StoreError,
    connection::Connection,
    row::Cell as _,
    rows::MERGES,
    sql::{Sql, Value},
};

/// Takes merges that are due and puts them off, for every gateway. What staff decided is told by staff.
static TAKE: LazyLock<Sql> = LazyLock::new(|| {
    let columns: Vec<&str> = MERGES.columns().map(|column| column.name).collect();
    let columns = columns.join(", ");
    let take = format!(
        "UPDATE merges SET tell_at = $2 WHERE tell_at <= $1 AND told_at IS NULL AND merge_id IN (\
         SELECT merge_id FROM merges WHERE told_at IS NULL AND act = 'merged' AND proof <> 'staff' \
         AND tell_at <= $1 ORDER BY tell_at LIMIT $3) RETURNING {columns}"
    );
    Sql::assembled(take.clone(), take)
});
const TOLD: Sql = Sql::both("UPDATE merges SET told_at = $2 WHERE merge_id = $1");

pub(super) fn statements() -> Vec<Sql> {
    vec![*TAKE, TOLD]
}

impl Store {
    /// Takes at most `limit` merges whose notice is due, and puts each off until `again_at`: then it is due
    /// anew, unless [`Store::merge_told`] came first.
    ///
    /// # Errors
    /// [`StoreError`]. Some may have been put off all the same.
    pub async fn take_untold_merges(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<Merge>, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [
            now.to_value(),
            again_at.to_value(),
            Value::Int(limit.into()),
        ];
        connection.fetch(*TAKE, &values).await
    }

    /// Notes that nobody is to be told of this merge any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn merge_told(&self, merge_id: MergeId, now: Timestamp) -> Result<(), StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [merge_id.to_value(), now.to_value()];
        connection.run(TOLD, &values).await?;
        Ok(())
    }
}
