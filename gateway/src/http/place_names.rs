//! What stores are called, as this gateway last read it.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use pos_protocol::StoreId;

use crate::{
    limits,
    store::{Store, StoreError},
};

pub(super) struct PlaceNames {
    store: Store,
    names: Cache<StoreId, Option<Arc<str>>>,
}

impl PlaceNames {
    pub(super) fn new(store: Store) -> Self {
        let names = Cache::builder()
            .max_capacity(limits::PLACE_NAMES_MAX)
            .time_to_live(Duration::from_secs(limits::PLACE_NAME_S))
            .build();
        Self { store, names }
    }

    /// What people call this store; none if it has no name.
    pub(super) async fn of(&self, id: &StoreId) -> Result<Option<Arc<str>>, StoreError> {
        if let Some(known) = self.names.get(id) {
            return Ok(known);
        }
        let row = self.store.store_row(id).await?;
        let name = row.map(|row| row.name).filter(|name| !name.is_empty());
        let name: Option<Arc<str>> = name.map(Into::into);
        self.names.insert(id.clone(), name.clone());
        Ok(name)
    }
}
