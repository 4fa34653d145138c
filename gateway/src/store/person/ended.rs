//! Codes that nobody needs any more.

use jiff::Timestamp;

use crate::store::{
    Store, StoreError,
    connection::Connection,
    row::{Cell as _, FromRow, Reader},
    sql::{Sql, Value},
};

const LINK_CODES: Sql = Sql::both(
    "DELETE FROM link_codes WHERE code_hash IN (\
     SELECT code_hash FROM link_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING expires_at",
);
const VERIFICATIONS: Sql = Sql::both(
    "DELETE FROM verifications WHERE verification_id IN (\
     SELECT verification_id FROM verifications WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING expires_at",
);

pub(super) fn statements() -> Vec<Sql> {
    vec![LINK_CODES, VERIFICATIONS]
}

struct Gone;

impl FromRow for Gone {
    fn read(_: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self)
    }
}

impl Store {
    /// Deletes link codes and verifications that ended before a time, at most `limit` of each; says how many
    /// there were of the one that had more.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn delete_ended_codes(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<usize, StoreError> {
        let mut most = 0;
        for sql in [LINK_CODES, VERIFICATIONS] {
            // One statement is one transaction: the writer's connection is given back between the two.
            let mut connection = Connection::writing(self).await?;
            let values = [before.to_value(), Value::Int(limit.into())];
            let gone: Vec<Gone> = connection.fetch(sql, &values).await?;
            most = gone.len().max(most);
        }
        Ok(most)
    }
}
