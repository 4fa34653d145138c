//! The keys that sign access tokens. All gateways of one database share them.
//!
//! The private keys lie in the database in clear: who can read this table can make tokens, and can
//! as well write any other row. Protect the database, its backups and its file.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{on_read, on_write, time};
use crate::store::{
    Store, StoreError,
    connection::Connection,
    row::{FromRow, Reader},
    sql::{Sql, Value},
};

/// The lock keeps two from finding no key and both making one.
const BEGIN_FIRST: Sql = Sql {
    postgres: "BEGIN; LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE",
    sqlite: "BEGIN IMMEDIATE",
};
const INSERT_FIRST: Sql = Sql::both(
    "\
INSERT INTO signing_keys (kid, private_key, public_key, created_at, active_from, retire_after)
SELECT $1, $2, $3, $4, $5, $6
WHERE NOT EXISTS (
    SELECT 1 FROM signing_keys
    WHERE active_from <= $7 AND (retire_after IS NULL OR retire_after >= $7)
)
RETURNING kid",
);

/// The statements of this module that go through a transaction.
pub(in crate::store) fn statements() -> Vec<Sql> {
    vec![INSERT_FIRST]
}

struct Kid;

impl FromRow for Kid {
    fn read(_: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self)
    }
}

/// One key. Published from `created_at`, signs from `active_from`, forgotten after `retire_after`.
#[derive(Clone)]
pub struct SigningKeyRow {
    /// RFC 7638 thumbprint of the public key.
    pub kid: String,
    /// PKCS#8 DER.
    pub private_key: Zeroizing<Vec<u8>>,
    /// SEC1, uncompressed.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When the last token it signed has ended; none while no later key is known.
    pub retire_after: Option<Timestamp>,
}

impl fmt::Debug for SigningKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyRow")
            .field("kid", &self.kid)
            .field("active_from", &self.active_from)
            .field("retire_after", &self.retire_after)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Every key that is kept, the one that signs last first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRow>, StoreError> {
        const SQL: &str = "SELECT kid, private_key, public_key, created_at, active_from, retire_after FROM signing_keys \
             ORDER BY active_from DESC, kid";
        type Row = (String, Vec<u8>, Vec<u8>, i64, i64, Option<i64>);
        let rows: Vec<Row> = on_read!(self, connection => sqlx::query_as(SQL)
            .fetch_all(connection));
        rows.into_iter()
            .map(
                |(kid, private_key, public_key, created_at, active_from, retire_after)| {
                    Ok(SigningKeyRow {
                        kid,
                        private_key: Zeroizing::new(private_key),
                        public_key,
                        created_at: time(created_at)?,
                        active_from: time(active_from)?,
                        retire_after: retire_after.map(time).transpose()?,
                    })
                },
            )
            .collect()
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or the key is already there.
    pub async fn insert_signing_key(&self, key: &SigningKeyRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO signing_keys (kid, private_key, public_key, created_at, active_from, retire_after) \
             VALUES ($1, $2, $3, $4, $5, $6)";
        let retire_after = key.retire_after.map(Timestamp::as_microsecond);
        on_write!(self, pool => sqlx::query(SQL)
            .bind(&key.kid).bind(key.private_key.as_slice()).bind(&key.public_key)
            .bind(key.created_at.as_microsecond()).bind(key.active_from.as_microsecond()).bind(retire_after)
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(())
    }

    /// Keeps a key unless there is one that signs at `now`; whether it was kept. Of callers at the same
    /// moment one succeeds.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn insert_first_signing_key(
        &self,
        key: &SigningKeyRow,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let time = |time: Timestamp| Value::Int(time.as_microsecond());
        let mut connection = Connection::writing(self).await?;
        let _: Vec<Kid> = connection.begin(BEGIN_FIRST).await?;
        let values = [
            Value::Text(key.kid.as_str().into()),
            Value::Bytes(&key.private_key),
            Value::Bytes(&key.public_key),
            time(key.created_at),
            time(key.active_from),
            key.retire_after.map_or(Value::Null, time),
            time(now),
        ];
        let kept: Vec<Kid> = connection.fetch(INSERT_FIRST, &values).await?;
        connection.commit().await?;
        Ok(!kept.is_empty())
    }

    /// Sets the end of every key but `successor` that has none yet.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn retire_signing_keys(
        &self,
        successor: &str,
        retire_after: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE signing_keys SET retire_after = $2 WHERE kid <> $1 AND retire_after IS NULL";
        on_write!(self, pool => sqlx::query(SQL).bind(successor).bind(retire_after.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(())
    }

    /// Deletes the keys whose end has passed; returns how many.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn delete_retired_signing_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM signing_keys WHERE retire_after < $1";
        Ok(
            on_write!(self, pool => sqlx::query(SQL).bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected()),
        )
    }
}
