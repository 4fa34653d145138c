//! Leases: what only one gateway may do at a time, agreed on without comparing clocks.
//!
//! Every change of a lease raises its `beat`, and the holder raises it as long as it lives. Whoever
//! sees the same beat for long enough, by its own clock, may take the lease; that it was this very beat
//! is a condition of the statement that takes it. What the holder writes, it writes in a transaction
//! that raises the beat first, as the holder: a holder that lost its lease without noticing can write
//! nothing (see [`Store::relay_turn`]).

use uuid::Uuid;

use super::{
    Store, StoreError,
    connection::Connection,
    row::{FromRow, Reader},
    sql::{Sql, Value},
};

const READ: Sql = Sql::both("SELECT holder, beat, mark FROM leases WHERE name = $1");
const TAKE: Sql = Sql::both(
    "UPDATE leases SET holder = $2, beat = beat + 1 WHERE name = $1 AND beat = $3 \
     RETURNING holder, beat, mark",
);
/// The mark only rises.
pub(super) const BEAT: Sql = Sql {
    postgres: "UPDATE leases SET beat = beat + 1, mark = greatest(mark, $3) \
         WHERE name = $1 AND holder = $2 RETURNING holder, beat, mark",
    sqlite: "UPDATE leases SET beat = beat + 1, mark = max(mark, $3) \
         WHERE name = $1 AND holder = $2 RETURNING holder, beat, mark",
};
const RELEASE: Sql = Sql::both(
    "UPDATE leases SET holder = NULL, beat = beat + 1 WHERE name = $1 AND holder = $2 \
     RETURNING holder, beat, mark",
);

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![READ, TAKE, BEAT, RELEASE]
}

/// What there is a lease for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseName {
    /// Sending events to the broker.
    Relay,
    /// Booking what EC shops sent.
    Intake,
}

impl LeaseName {
    /// Its row's key.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Intake => "intake",
        }
    }

    pub(super) fn value(self) -> Value<'static> {
        Value::Text(self.word().into())
    }
}

/// A lease as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who has it; nobody if the last holder gave it back.
    pub holder: Option<Uuid>,
    /// Raised with every change.
    pub beat: i64,
    /// What the holder left for the next one.
    pub mark: i64,
}

impl FromRow for Lease {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            holder: row.get()?,
            beat: row.get()?,
            mark: row.get()?,
        })
    }
}

impl Store {
    /// The lease as it stands.
    ///
    /// # Errors
    /// As any read.
    pub async fn lease(&self, name: LeaseName) -> Result<Lease, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Lease> = connection.fetch(READ, &[name.value()]).await?;
        found.into_iter().next().ok_or_else(|| {
            let name = name.word();
            StoreError::Corrupt(format!("there is no lease {name}"))
        })
    }

    /// Makes `holder` the holder if nothing has changed since `beat` was read. None if it has.
    ///
    /// # Errors
    /// [`StoreError`]. The lease may have been taken all the same.
    pub async fn take_lease(
        &self,
        name: LeaseName,
        beat: i64,
        holder: Uuid,
    ) -> Result<Option<Lease>, StoreError> {
        let mut connection = self.leasing(name).await?;
        let values = [name.value(), Value::Uuid(holder), Value::Int(beat)];
        let taken: Vec<Lease> = connection.fetch(TAKE, &values).await?;
        Ok(taken.into_iter().next())
    }

    /// Shows that `holder` lives. Whether the lease is still its own.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn beat_lease(&self, name: LeaseName, holder: Uuid) -> Result<bool, StoreError> {
        let mut connection = Connection::writing(self).await?;
        let values = [name.value(), Value::Uuid(holder), Value::Int(0)];
        let beaten: Vec<Lease> = connection.fetch(BEAT, &values).await?;
        Ok(!beaten.is_empty())
    }

    /// Gives the lease back, so that another gateway need not wait. Whether it was `holder`'s.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release_lease(&self, name: LeaseName, holder: Uuid) -> Result<bool, StoreError> {
        let mut connection = self.leasing(name).await?;
        let values = [name.value(), Value::Uuid(holder)];
        let released: Vec<Lease> = connection.fetch(RELEASE, &values).await?;
        Ok(!released.is_empty())
    }

    /// Only the relay has a connection of its own.
    async fn leasing(&self, name: LeaseName) -> Result<Connection, StoreError> {
        match name {
            LeaseName::Relay => Connection::relaying(self).await,
            LeaseName::Intake => Connection::writing(self).await,
        }
    }
}
