//! What this gateway last read of clients: whether a token's client still may do what the token says.
//!
//! A token lives up to an hour; a client disabled meanwhile is shut out within
//! [`limits::CLIENT_STANDING_S`].

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ledger::card_use::Till;
use moka::sync::Cache;
use pos_protocol::ShopId;

use crate::{
    limits,
    store::{ClientScope, Role, Store, StoreError},
};

/// What a client may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) scopes: BTreeSet<ClientScope>,
    pub(super) till: Option<Till>,
    pub(super) shop_id: Option<ShopId>,
    pub(super) role: Option<Role>,
}

pub(super) struct Clients {
    store: Store,
    standing: Cache<Arc<str>, Option<Arc<Standing>>>,
}

impl Clients {
    pub(super) fn new(store: Store) -> Self {
        let standing = Cache::builder()
            .max_capacity(limits::CLIENT_CACHE_ENTRIES_MAX)
            .time_to_live(Duration::from_secs(limits::CLIENT_STANDING_S))
            .build();
        Self { store, standing }
    }

    /// What the client may do; none if it is unknown or disabled.
    pub(super) async fn standing(
        &self,
        id: &Arc<str>,
    ) -> Result<Option<Arc<Standing>>, StoreError> {
        if let Some(known) = self.standing.get(id) {
            return Ok(known);
        }
        let client = self.store.client(id).await?;
        let standing = client.filter(|client| client.is_enabled()).map(|client| {
            Arc::new(Standing {
                scopes: client.scopes,
                till: client.till,
                shop_id: client.shop_id,
                role: client.role,
            })
        });
        self.standing.insert(id.clone(), standing.clone());
        Ok(standing)
    }
}
