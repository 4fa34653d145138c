//! What this gateway last read of shops.

use std::{sync::Arc, time::Duration};

use ec::signature::WebhookSecret;
use jiff::Timestamp;
use moka::sync::Cache;
use pos_protocol::ShopId;

use crate::{
    limits,
    store::{ShopRow, Store, StoreError},
};

/// A shop that is not disabled, and what it signs with.
#[derive(Debug)]
pub struct KnownShop {
    /// The shop.
    pub row: ShopRow,
    secrets: Vec<(WebhookSecret, Option<Timestamp>)>,
}

impl KnownShop {
    /// The secrets that are good at `now`.
    #[must_use]
    pub fn secrets(&self, now: Timestamp) -> Vec<WebhookSecret> {
        let good = |ends_at: &Option<Timestamp>| ends_at.is_none_or(|end| now < end);
        let good = self.secrets.iter().filter(|(_, ends_at)| good(ends_at));
        good.map(|(secret, _)| secret.clone()).collect()
    }
}

/// What was last read of shops. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shops {
    store: Store,
    known: Cache<ShopId, Option<Arc<KnownShop>>>,
}

impl Shops {
    pub(super) fn new(store: Store) -> Self {
        let known = Cache::builder()
            .max_capacity(limits::SHOP_CACHE_ENTRIES_MAX)
            .time_to_live(Duration::from_secs(limits::SHOP_STANDING_S))
            .build();
        Self { store, known }
    }

    /// A shop; none if it is unknown or disabled. At most [`limits::SHOP_STANDING_S`] old.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn get(
        &self,
        id: &ShopId,
        now: Timestamp,
    ) -> Result<Option<Arc<KnownShop>>, StoreError> {
        if let Some(known) = self.known.get(id) {
            return Ok(known);
        }
        let row = self.store.shop(id).await?;
        let shop = match row.filter(|row| row.disabled_at.is_none()) {
            None => None,
            Some(row) => {
                let secrets = self.store.shop_secrets(id, now).await?;
                let secret = |text: &str| WebhookSecret::new(text).ok();
                let secrets = secrets
                    .iter()
                    .filter_map(|kept| Some((secret(&kept.text)?, kept.ends_at)));
                Some(Arc::new(KnownShop {
                    secrets: secrets.collect(),
                    row,
                }))
            }
        };
        self.known.insert(id.clone(), shop.clone());
        Ok(shop)
    }
}
