//! The programme in force: the version with the highest number. Its settings never change, so they
//! are read and understood once per version.

use std::sync::{Arc, PoisonError, RwLock};

use ledger::{records::ProgrammeVersion, state::InForce};

use super::{
    Store, StoreError,
    connection::Connection,
    row::{FromRow, Reader, cells},
    rows::PROGRAMMES,
    sql::Sql,
};

/// The number of the version in force; no row where there is none.
pub(crate) const NEWEST: Sql =
    Sql::both("SELECT version FROM programmes ORDER BY version DESC LIMIT 1");

/// A version's number.
pub(crate) struct Newest(pub(crate) i64);

impl FromRow for Newest {
    fn read(row: &mut Reader<'_>) -> Result<Self, StoreError> {
        row.get().map(Self)
    }
}

/// The settings that were read last, shared by all clones of a store.
#[derive(Debug, Clone, Default)]
pub struct ProgrammeCache(Arc<RwLock<Option<InForce>>>);

impl ProgrammeCache {
    /// Version `version`, read from the database only if another one was asked for before.
    pub(crate) async fn get(
        &self,
        connection: &mut Connection,
        version: i64,
    ) -> Result<InForce, StoreError> {
        {
            let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(in_force) = cached.as_ref().filter(|kept| kept.version == version) {
                return Ok(in_force.clone());
            }
        }
        let by_key = PROGRAMMES.statements().by_key;
        let found: Vec<ProgrammeVersion> =
            connection.fetch_each(by_key, &[cells([&version])]).await?;
        let found = found.into_iter().next().ok_or(StoreError::NoProgramme)?;
        let in_force = InForce {
            programme: found.programme,
            version,
        };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(in_force.clone());
        Ok(in_force)
    }
}

impl Store {
    /// The programme as it was last read here, which every batch of the writer does: for what is asked too
    /// often to be read each time, and may be a moment behind. None before the first read.
    #[must_use]
    pub fn programme_last_read(&self) -> Option<InForce> {
        let cached = self.programmes().0.read();
        cached.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The programme in force, if one was ever applied.
    ///
    /// # Errors
    /// As any read.
    pub async fn programme(&self) -> Result<Option<InForce>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let newest: Vec<Newest> = connection.fetch(NEWEST, &[]).await?;
        match newest.first() {
            Some(Newest(version)) => {
                let in_force = self.programmes().get(&mut connection, *version).await?;
                Ok(Some(in_force))
            }
            None => Ok(None),
        }
    }

    /// Every version, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn programme_versions(&self) -> Result<Vec<ProgrammeVersion>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let first_page = PROGRAMMES.statements().first_page;
        let all = [super::sql::Value::Int(i64::MAX)];
        connection.fetch(first_page, &all).await
    }
}
