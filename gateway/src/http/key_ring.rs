//! The keys that sign access tokens, as this gateway last read them from the store.
//!
//! A new key is published [`limits::SIGNING_KEY_LEAD_S`] before it signs; an old one verifies until
//! the last token it signed has ended. So neither another gateway nor anybody who keeps the published
//! keys for [`limits::JWKS_MAX_AGE_S`] ever meets a token of an unknown key.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{
    limits,
    store::{SigningKeyRow, Store, StoreError},
};

/// Why a signing key could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system or the cryptography failed.
    #[error("no signing key could be made")]
    NotMade,
    /// A stored key is no P-256 key.
    #[error("the signing key {0} in the store is damaged")]
    Damaged(String),
}

/// A public key as it is published (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct PublishedKey {
    /// `EC`.
    pub kty: &'static str,
    /// `P-256`.
    pub crv: &'static str,
    /// X coordinate, base64url.
    pub x: String,
    /// Y coordinate, base64url.
    pub y: String,
    /// Names the key in a token's header.
    pub kid: String,
    /// `ES256`.
    pub alg: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
}

struct RingKey {
    published: PublishedKey,
    decoding: DecodingKey,
    encoding: EncodingKey,
    active_from: Timestamp,
    retire_after: Option<Timestamp>,
}

impl RingKey {
    fn is_kept(&self, now: Timestamp) -> bool {
        self.retire_after.is_none_or(|end| now <= end)
    }
}

/// A key that may sign now.
pub(super) struct Signer(Arc<RingKey>);

impl Signer {
    pub(super) fn kid(&self) -> &str {
        &self.0.published.kid
    }

    pub(super) fn encoding(&self) -> &EncodingKey {
        &self.0.encoding
    }
}

/// The keys as last read.
pub(super) struct KeyRing {
    store: Store,
    keys: RwLock<Arc<HashMap<String, Arc<RingKey>>>>,
    /// When they were read; held while they are, so that one reads for all.
    read_at: Mutex<Option<Timestamp>>,
}

impl KeyRing {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store,
            keys: RwLock::default(),
            read_at: Mutex::new(None),
        }
    }

    fn keys(&self) -> Arc<HashMap<String, Arc<RingKey>>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn read(&self, read_at: &mut Option<Timestamp>, now: Timestamp) -> Result<(), KeyError> {
        let rows = self.store.signing_keys().await?;
        let mut keys = HashMap::with_capacity(rows.len());
        for row in rows {
            let key = ring_key(&row)?;
            keys.insert(row.kid, Arc::new(key));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        *read_at = Some(now);
        Ok(())
    }

    /// Reads the keys, and makes the first one if there is none that may sign.
    pub(super) async fn make_sure(&self, now: Timestamp) -> Result<(), KeyError> {
        let mut read_at = self.read_at.lock().await;
        self.read(&mut read_at, now).await?;
        if self.signing_now(now).is_none() {
            make_first_key(&self.store, now).await?;
            self.read(&mut read_at, now).await?;
        }
        Ok(())
    }

    /// The key that signs at `now`, if this gateway knows one.
    fn signing_now(&self, now: Timestamp) -> Option<Signer> {
        let keys = self.keys();
        let newest = keys
            .values()
            .filter(|key| key.active_from <= now && key.is_kept(now))
            .max_by_key(|key| (key.active_from, &key.published.kid));
        newest.cloned().map(Signer)
    }

    /// Whether a key may sign at `now`, as far as this gateway knows.
    pub(super) fn can_sign(&self, now: Timestamp) -> bool {
        self.signing_now(now).is_some()
    }

    /// The key that signs at `now`.
    pub(super) async fn signer(&self, now: Timestamp) -> Result<Signer, KeyError> {
        if let Some(signer) = self.signing_now(now) {
            return Ok(signer);
        }
        self.make_sure(now).await?;
        self.signing_now(now).ok_or(KeyError::NotMade)
    }

    /// The key that verifies tokens of `kid`. An unknown one makes the keys be read again, but not
    /// more often than every [`limits::SIGNING_KEYS_UNKNOWN_REFRESH_S`]: anybody can invent ids.
    pub(super) async fn verifier(
        &self,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>, KeyError> {
        if let Some(key) = self.known(kid, now) {
            return Ok(Some(key));
        }
        let mut read_at = self.read_at.lock().await;
        let pause = SignedDuration::from_secs(limits::SIGNING_KEYS_UNKNOWN_REFRESH_S);
        let fresh = read_at.is_some_and(|at| now.duration_since(at).abs() < pause);
        if !fresh {
            self.read(&mut read_at, now).await?;
        }
        Ok(self.known(kid, now))
    }

    fn known(&self, kid: &str, now: Timestamp) -> Option<DecodingKey> {
        let keys = self.keys();
        let key = keys.get(kid).filter(|key| key.is_kept(now))?;
        Some(key.decoding.clone())
    }

    /// What `/.well-known/jwks.json` shows: the newest first.
    pub(super) async fn published(&self, now: Timestamp) -> Result<Vec<PublishedKey>, KeyError> {
        if self.keys().is_empty() {
            self.make_sure(now).await?;
        }
        let keys = self.keys();
        let mut kept: Vec<_> = keys.values().filter(|key| key.is_kept(now)).collect();
        kept.sort_by_key(|key| std::cmp::Reverse((key.active_from, key.published.kid.clone())));
        Ok(kept.iter().map(|key| key.published.clone()).collect())
    }
}

fn ring_key(row: &SigningKeyRow) -> Result<RingKey, KeyError> {
    let damaged = || KeyError::Damaged(row.kid.clone());
    let published = published(&row.public_key).ok_or_else(damaged)?;
    if published.kid != row.kid {
        return Err(damaged());
    }
    let decoding =
        DecodingKey::from_ec_components(&published.x, &published.y).map_err(|_| damaged())?;
    Ok(RingKey {
        decoding,
        encoding: EncodingKey::from_ec_der(&row.private_key),
        published,
        active_from: row.active_from,
        retire_after: row.retire_after,
    })
}

/// The published form of an uncompressed point; its id is the RFC 7638 thumbprint.
fn published(point: &[u8]) -> Option<PublishedKey> {
    let (4, coordinates) = point.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let (x, y) = coordinates.split_at_checked(32)?;
    if y.len() != 32 {
        return None;
    }
    let (x, y) = (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y));
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Some(PublishedKey {
        kty: "EC",
        crv: "P-256",
        kid: BASE64URL_NOPAD.encode(&Sha256::digest(canonical.as_bytes())),
        alg: "ES256",
        usage: "sig",
        x,
        y,
    })
}

fn new_key(now: Timestamp, active_from: Timestamp) -> Result<SigningKeyRow, KeyError> {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())
        .map_err(|_| KeyError::NotMade)?;
    let private_key = Zeroizing::new(document.as_ref().to_vec());
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, &private_key).map_err(|_| KeyError::NotMade)?;
    let public_key = pair.public_key().as_ref().to_vec();
    let kid = published(&public_key).ok_or(KeyError::NotMade)?.kid;
    Ok(SigningKeyRow {
        kid,
        private_key,
        public_key,
        created_at: now,
        active_from,
        retire_after: None,
    })
}

/// Makes a key that signs at once, unless there is one: of gateways that start together one makes it,
/// and all sign with it from their first token on.
async fn make_first_key(store: &Store, now: Timestamp) -> Result<Option<SigningKeyRow>, KeyError> {
    // A gateway whose clock is behind this one's may sign with it as well.
    let leeway = SignedDuration::from_secs(limits::ACCESS_TOKEN_LEEWAY_S);
    let key = new_key(now, now.checked_sub(leeway).unwrap_or(now))?;
    let made = store.insert_first_signing_key(&key, now).await?;
    if made {
        tracing::info!("signing_keys.first_made");
    }
    Ok(made.then_some(key))
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// The new key.
    pub kid: String,
    /// When it begins to sign. It is published at once.
    pub active_from: Timestamp,
    /// When the keys before it stop to verify.
    pub retire_after: Timestamp,
    /// Keys whose end had passed, now deleted.
    pub deleted: u64,
}

/// Makes a new signing key that takes over after the lead, and sets the end of those before it.
///
/// # Errors
/// [`KeyError`] if the store fails or no key can be made.
pub async fn rotate_signing_keys(store: &Store, now: Timestamp) -> Result<Rotation, KeyError> {
    let seconds = SignedDuration::from_secs;
    let first = make_first_key(store, now).await?;
    let lead = match first {
        Some(_) => 0,
        None => limits::SIGNING_KEY_LEAD_S,
    };
    let active_from = later(now, seconds(lead));
    // Another gateway may sign with the old key a moment after the new one is due.
    let slack = 2 * limits::ACCESS_TOKEN_LEEWAY_S;
    let retire_after = later(active_from, seconds(limits::ACCESS_TOKEN_LIFE_S + slack));
    let key = match first {
        Some(key) => key,
        None => {
            let key = new_key(now, active_from)?;
            store.insert_signing_key(&key).await?;
            key
        }
    };
    store.retire_signing_keys(&key.kid, retire_after).await?;
    let deleted = store.delete_retired_signing_keys(now).await?;
    Ok(Rotation {
        kid: key.kid,
        active_from,
        retire_after,
        deleted,
    })
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_its_thumbprint_and_signs_what_it_verifies() {
        let row = new_key(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH).unwrap();
        let key = ring_key(&row).unwrap();
        assert_eq!(row.kid.len(), 43);
        assert_eq!(key.published.kid, row.kid);
        let mut other = row;
        other.kid = "x".into();
        assert!(matches!(ring_key(&other), Err(KeyError::Damaged(_))));
    }
}
