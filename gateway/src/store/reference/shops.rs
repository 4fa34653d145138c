//! EC shops and what they sign with.
//!
//! A shop stands in the ledger as a store with one terminal, made with it. Webhook secrets are kept as they
//! are, because signatures are checked with them; so are the keys to a shop's own interface.

use std::fmt;

use jiff::Timestamp;
use ledger::card_use::Till;
use pos_protocol::{ShopId, StoreId, TerminalId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Creation, corrupt, created, on_read, on_write, time};
use crate::store::{Store, StoreError};

/// What a shop runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopPlatform {
    /// Shopify.
    Shopify,
    /// WooCommerce.
    WooCommerce,
    /// EC-CUBE 4.
    EcCube,
    /// Anything else: it calls the gateway itself.
    Api,
}

impl ShopPlatform {
    /// Every platform.
    pub const ALL: &[Self] = &[Self::Shopify, Self::WooCommerce, Self::EcCube, Self::Api];

    /// The word for it in rows and commands.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.webhooks() {
            Some(platform) => platform.as_str(),
            None => "api",
        }
    }

    /// The platform of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|platform| platform.word() == word)
    }

    /// Whose webhooks it sends, if it sends any.
    #[must_use]
    pub const fn webhooks(self) -> Option<ec::Platform> {
        match self {
            Self::Shopify => Some(ec::Platform::Shopify),
            Self::WooCommerce => Some(ec::Platform::WooCommerce),
            Self::EcCube => Some(ec::Platform::EcCube4),
            Self::Api => None,
        }
    }
}

/// What else is set up of a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSettings {
    /// The host that its webhooks must name as theirs; any if none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// How its orders are fetched (EC-CUBE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<ShopOauth>,
    /// Minutes between two looks for orders that no webhook told of (EC-CUBE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_minutes: Option<u32>,
}

/// What the gateway is known as at a shop. `Debug` hides the secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopOauth {
    /// The client made in the shop's administration.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// What access tokens are renewed with; none where the shop takes client credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl fmt::Debug for ShopOauth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopOauth")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A shop as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopRow {
    /// The shop.
    pub id: ShopId,
    /// What it runs on.
    pub platform: ShopPlatform,
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub base_url: Option<String>,
    /// The terminal and store that stand for it.
    pub till: Till,
    /// What else is set up.
    pub settings: ShopSettings,
    /// Up to when its orders were asked for.
    pub polled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

/// A shop to make.
#[derive(Debug, Clone)]
pub struct NewShop<'a> {
    /// The shop.
    pub id: &'a ShopId,
    /// What it runs on.
    pub platform: ShopPlatform,
    /// What people call it.
    pub name: &'a str,
    /// Where it is.
    pub base_url: Option<&'a str>,
    /// What else is set up.
    pub settings: &'a ShopSettings,
}

/// What a shop signs with. Hidden in `Debug`.
#[derive(Clone)]
pub struct ShopSecret {
    /// The secret itself.
    pub text: Zeroizing<String>,
    /// When it was given.
    pub created_at: Timestamp,
    /// From then on it is good for nothing; none for the newest.
    pub ends_at: Option<Timestamp>,
}

impl ShopSecret {
    /// Whether it is good at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl fmt::Debug for ShopSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShopSecret")
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

/// The longest id of a shop: its store's and terminal's have a prefix.
pub const SHOP_ID_CHARS_MAX: usize = 61;

/// The terminal and store that stand for a shop.
///
/// # Errors
/// [`StoreError::Rejected`] if the shop's id is too long.
pub fn till_of(shop_id: &ShopId) -> Result<Till, StoreError> {
    let name = format!("ec.{shop_id}");
    let rejected = |error: pos_protocol::IdError| StoreError::Rejected(error.to_string());
    Ok(Till {
        terminal_id: TerminalId::new(&name).map_err(rejected)?,
        store_id: StoreId::new(&name).map_err(rejected)?,
    })
}

type Row = (
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    String,
    Option<i64>,
    i64,
    Option<i64>,
);

const ONE: &str = "SELECT shop_id, platform, name, base_url, store_id, terminal_id, settings, polled_at, created_at, disabled_at \
     FROM shops WHERE shop_id = $1";
const ALL: &str = "SELECT shop_id, platform, name, base_url, store_id, terminal_id, settings, polled_at, created_at, disabled_at \
     FROM shops ORDER BY shop_id";

impl Store {
    /// Makes a shop, and the store and terminal that stand for it.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn create_shop(
        &self,
        shop: &NewShop<'_>,
        now: Timestamp,
    ) -> Result<Creation, StoreError> {
        const SQL: &str = "INSERT INTO shops (shop_id, platform, name, base_url, store_id, terminal_id, settings, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let till = till_of(shop.id)?;
        self.create_store(&till.store_id, shop.name, now).await?;
        self.create_terminal(&till.terminal_id, &till.store_id, now)
            .await?;
        let settings = json(shop.settings)?;
        let rows = on_write!(self, pool => sqlx::query(SQL)
            .bind(shop.id.as_str()).bind(shop.platform.word()).bind(shop.name).bind(shop.base_url)
            .bind(till.store_id.as_str()).bind(till.terminal_id.as_str()).bind(settings)
            .bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(created(rows))
    }

    /// One shop.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn shop(&self, id: &ShopId) -> Result<Option<ShopRow>, StoreError> {
        let row: Option<Row> = on_read!(self, connection => sqlx::query_as(ONE).bind(id.as_str())
            .fetch_optional(connection));
        row.map(shop_from).transpose()
    }

    /// Every shop, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn list_shops(&self) -> Result<Vec<ShopRow>, StoreError> {
        let rows: Vec<Row> =
            on_read!(self, connection => sqlx::query_as(ALL).fetch_all(connection));
        rows.into_iter().map(shop_from).collect()
    }

    /// Disables a shop: it is believed no more. `false` if there is none; disabling twice keeps the first
    /// time.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn disable_shop(&self, id: &ShopId, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE shops SET disabled_at = COALESCE(disabled_at, $2) WHERE shop_id = $1";
        let rows = on_write!(self, pool => sqlx::query(SQL).bind(id.as_str()).bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(rows == 1)
    }

    /// Changes what is set up of a shop, and where it is if that is named, unless somebody else changed the
    /// settings since `before` was read.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn change_shop_settings(
        &self,
        id: &ShopId,
        before: &ShopSettings,
        after: &ShopSettings,
        base_url: Option<&str>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE shops SET settings = $2, base_url = COALESCE($4, base_url) \
             WHERE shop_id = $1 AND settings = $3";
        let (before, after) = (json(before)?, json(after)?);
        let rows = on_write!(self, pool => sqlx::query(SQL).bind(id.as_str()).bind(after).bind(before).bind(base_url)
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(rows == 1)
    }

    /// Remembers up to when a shop's orders were asked for.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn shop_polled(&self, id: &ShopId, until: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE shops SET polled_at = $2 WHERE shop_id = $1";
        on_write!(self, pool => sqlx::query(SQL).bind(id.as_str()).bind(until.as_microsecond())
            .execute(pool).await.map(drop).map_err(StoreError::from_sqlx))
    }

    /// Gives a shop another secret. Those it has stay good until `old_end`, if they do not end before.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_shop_secret(
        &self,
        id: &ShopId,
        secret: &str,
        now: Timestamp,
        old_end: Timestamp,
    ) -> Result<(), StoreError> {
        // The new one first: a failure in between leaves two that are good, and never none.
        const NEW: &str =
            "INSERT INTO shop_secrets (shop_id, created_at, secret) VALUES ($1, $2, $3)";
        const OLD: &str = "UPDATE shop_secrets SET ends_at = $3 \
             WHERE shop_id = $1 AND created_at < $2 AND (ends_at IS NULL OR ends_at > $3)";
        let (now, old_end) = (now.as_microsecond(), old_end.as_microsecond());
        on_write!(self, pool => sqlx::query(NEW).bind(id.as_str()).bind(now).bind(secret)
            .execute(pool).await.map(drop).map_err(StoreError::from_sqlx))?;
        on_write!(self, pool => sqlx::query(OLD).bind(id.as_str()).bind(now).bind(old_end)
            .execute(pool).await.map(drop).map_err(StoreError::from_sqlx))
    }

    /// The secrets of a shop that are good at `now`, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn shop_secrets(
        &self,
        id: &ShopId,
        now: Timestamp,
    ) -> Result<Vec<ShopSecret>, StoreError> {
        const SQL: &str = "SELECT secret, created_at, ends_at FROM shop_secrets \
             WHERE shop_id = $1 AND (ends_at IS NULL OR ends_at > $2) ORDER BY created_at DESC";
        let rows: Vec<(String, i64, Option<i64>)> = on_read!(self, connection => sqlx::query_as(SQL)
            .bind(id.as_str()).bind(now.as_microsecond()).fetch_all(connection));
        let secret = |(text, created_at, ends_at): (String, i64, Option<i64>)| {
            Ok(ShopSecret {
                text: Zeroizing::new(text),
                created_at: time(created_at)?,
                ends_at: ends_at.map(time).transpose()?,
            })
        };
        rows.into_iter().map(secret).collect()
    }

    /// Names the shop that a client is of. `false` if there is no such client.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn set_client_shop(&self, client: &str, shop: &ShopId) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE clients SET shop_id = $2 WHERE client_id = $1";
        let rows = on_write!(self, pool => sqlx::query(SQL).bind(client).bind(shop.as_str())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(rows == 1)
    }
}

fn json(settings: &ShopSettings) -> Result<String, StoreError> {
    serde_json::to_string(settings).map_err(|error| StoreError::Rejected(error.to_string()))
}

fn shop_from(row: Row) -> Result<ShopRow, StoreError> {
    let (id, platform, name, base_url, store, terminal, settings, polled, created_at, disabled) =
        row;
    // What the parser says may quote a secret.
    let settings = serde_json::from_str(&settings)
        .map_err(|_| corrupt("settings of a shop that cannot be read"))?;
    Ok(ShopRow {
        id: ShopId::new(&id).map_err(corrupt)?,
        platform: ShopPlatform::from_word(&platform)
            .ok_or_else(|| corrupt(format!("platform {platform}")))?,
        name,
        base_url,
        till: Till {
            terminal_id: TerminalId::new(&terminal).map_err(corrupt)?,
            store_id: StoreId::new(&store).map_err(corrupt)?,
        },
        settings,
        polled_at: polled.map(time).transpose()?,
        created_at: time(created_at)?,
        disabled_at: disabled.map(time).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_id_still_has_a_till() {
        let longest = ShopId::new(&"s".repeat(SHOP_ID_CHARS_MAX)).unwrap();
        assert_eq!(till_of(&longest).unwrap().store_id.as_str().len(), 64);
        let longer = ShopId::new(&"s".repeat(SHOP_ID_CHARS_MAX + 1)).unwrap();
        assert!(till_of(&longer).is_err());
    }

    #[test]
    fn secrets_are_hidden_and_words_are_read_back() {
        let oauth = ShopOauth {
            client_id: "gateway".into(),
            client_secret: "hunter2".into(),
            refresh_token: Some("hunter3".into()),
        };
        assert!(!format!("{oauth:?}").contains("hunter"));
        for platform in ShopPlatform::ALL {
            assert_eq!(ShopPlatform::from_word(platform.word()), Some(*platform));
        }
    }
}
