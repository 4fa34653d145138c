//! The write path: one transaction per batch of commands.
//!
//! `begin` locks the members, `load` reads all that the commands may read, `write` leaves what the
//! decisions changed, `commit` makes it last. What a batch read stays true until it ends, because
//! every row it reads is either a member's, and its member is locked, or never changes, or is made
//! once and for all under a unique key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use ledger::{
    member::Member,
    state::{InForce, State},
};
use pos_protocol::MemberId;

use super::{
    Store, StoreError,
    connection::Connection,
    programme::{Newest, ProgrammeCache},
    row::cells,
    rows::MEMBERS,
    sql::Sql,
};

/// Begins and reads the programme's version in one round trip. On SQLite the batch is the only
/// writer from here on.
pub(super) const BEGIN: Sql = Sql {
    postgres: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT version FROM programmes ORDER BY version DESC LIMIT 1",
    sqlite: "BEGIN IMMEDIATE; SELECT version FROM programmes ORDER BY version DESC LIMIT 1",
};

/// Locks members in order of their ids, so that two batches never wait for each other. The locked
/// rows come back as they are after the wait. Nothing else may be read in this statement: it would be
/// as it was before the wait.
pub(super) fn lock_members() -> Sql {
    static LOCK: LazyLock<Sql> = LazyLock::new(|| {
        MEMBERS.select(
            "WHERE member_id = ANY($1) ORDER BY member_id FOR UPDATE",
            "WHERE member_id = $1",
        )
    });
    *LOCK
}

/// A transaction on the write path. Dropping it before [`commit`](Self::commit) rolls back, and
/// costs the connection; [`rollback`](Self::rollback) keeps it.
#[derive(Debug)]
pub struct Batch {
    pub(super) connection: Connection,
    pub(super) programmes: ProgrammeCache,
    pub(super) version: Option<i64>,
    locked: BTreeSet<MemberId>,
    /// The members' rows as they were locked, until they are loaded.
    pub(super) members: BTreeMap<MemberId, Member>,
}

impl Store {
    /// Begins a batch and locks `members`, waiting for other batches that hold them. Members that do
    /// not exist are not locked: whoever makes them meets a unique key.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no connection or a lock was not given in time,
    /// [`StoreError::Conflict`] on a deadlock. Nothing was written.
    pub async fn begin(&self, members: &BTreeSet<MemberId>) -> Result<Batch, StoreError> {
        let (mut connection, version) = self.begin_anew().await?;
        let mut rows = Vec::new();
        if connection.is_postgres() && !members.is_empty() {
            rows = connection
                .fetch_each::<Member>(lock_members(), &[cells(members)])
                .await?;
        }
        Ok(Batch {
            connection,
            programmes: self.programmes().clone(),
            version,
            // A member that was not there was not locked, whoever makes it meanwhile.
            locked: rows.iter().map(|row| row.id).collect(),
            members: rows.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// A connection in a fresh transaction. Connections are not tried before they are taken, which
    /// would be a round trip per batch; one that broke while it lay idle shows here, where nothing has
    /// been done yet, and another is taken.
    async fn begin_anew(&self) -> Result<(Connection, Option<i64>), StoreError> {
        let mut tries = self.write_connections();
        loop {
            let mut connection = Connection::writing(self).await?;
            match connection.begin::<Newest>(BEGIN).await {
                Ok(newest) => {
                    let version = newest.first().map(|newest| newest.0);
                    return Ok((connection, version));
                }
                Err(StoreError::Unavailable(_)) if tries > 0 => tries -= 1,
                // Nothing in it can be refused for what it says: this is a standby, which takes no writes.
                Err(StoreError::Rejected(why)) => return Err(StoreError::Unavailable(why)),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Batch {
    /// The members the batch was begun with.
    #[must_use]
    pub fn locked(&self) -> &BTreeSet<MemberId> {
        &self.locked
    }

    /// The loaded members that are not locked: found on the way, from a card or a request. If there
    /// are any, roll back and begin again with them added. Always empty on SQLite, where a batch has
    /// the database to itself.
    #[must_use]
    pub fn unlocked(&self, state: &State) -> BTreeSet<MemberId> {
        if !self.connection.is_postgres() {
            return BTreeSet::new();
        }
        let loaded = state.members.keys();
        loaded
            .filter(|id| !self.locked.contains(id))
            .copied()
            .collect()
    }

    /// The programme in force, or `fallback` where none ever was.
    pub(super) async fn in_force(
        &mut self,
        fallback: Option<InForce>,
    ) -> Result<InForce, StoreError> {
        match self.version {
            Some(version) => self.programmes.get(&mut self.connection, version).await,
            None => fallback.ok_or(StoreError::NoProgramme),
        }
    }

    /// Makes the batch last.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] if no answer came, or one that does not say. Any other error:
    /// nothing was written.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.connection.commit().await
    }

    /// Ends the batch without a trace.
    ///
    /// # Errors
    /// If the connection is lost; nothing is written then either.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.connection.rollback().await
    }
}
