//! An issuer's public keys, and which of them a token asks for.
//!
//! Invariants: a [`Key`] verifies exactly one algorithm, and that is never a symmetric one; what a token
//! says of itself only chooses among the issuer's keys. Keys of kinds we do not know are passed over, so
//! that an issuer may publish them beside those we do.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

use super::Refusal;

/// Keys of one issuer that are looked at; the rest is passed over.
const KEYS_MAX: usize = 64;

/// A JWK set as it is published (RFC 7517), each key not yet looked at.
#[derive(Deserialize)]
pub(super) struct PublishedKeys {
    keys: Vec<Value>,
}

/// The keys of an issuer, never none.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Arc<Key>>,
    fetched_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Key {
    kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// Which key a token says it is signed with.
#[derive(Debug)]
pub(super) struct Wanted {
    kid: Option<String>,
    algorithm: Algorithm,
}

impl Wanted {
    /// Reads a token's header; what it says is not proved yet.
    pub(super) fn of(token: &str) -> Result<Self, Refusal> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Unreadable)?;
        // The keys that sign ID tokens sign tokens of other kinds too (RFC 8725, 3.11).
        let typ = header.typ.as_deref().unwrap_or("JWT");
        if header.crit.is_some() || !typ.eq_ignore_ascii_case("JWT") {
            return Err(Refusal::Unreadable);
        }
        match header.alg {
            algorithm @ (Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256) => Ok(Self {
                kid: header.kid,
                algorithm,
            }),
            _ => Err(Refusal::Algorithm),
        }
    }
}

impl Keys {
    /// The keys that can be used; `None` if there are none.
    pub(super) fn of(published: PublishedKeys, fetched_at: Timestamp) -> Option<Self> {
        let keys = published.keys.into_iter().take(KEYS_MAX);
        let keys: Vec<_> = keys.filter_map(Key::of).map(Arc::new).collect();
        (!keys.is_empty()).then_some(Self { keys, fetched_at })
    }

    /// How old they are at `now`. A clock that was set back makes keys old, never young for ever.
    pub(super) fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.fetched_at).abs()
    }

    pub(super) fn find(&self, wanted: &Wanted) -> Result<Arc<Key>, Refusal> {
        let mut named = match (&wanted.kid, self.keys.as_slice()) {
            (None, [only]) => std::slice::from_ref(only).iter(),
            (None, _) => return Err(Refusal::KeyNotNamed),
            (Some(_), keys) => keys.iter(),
        }
        .filter(|key| wanted.kid.is_none() || key.kid == wanted.kid)
        .peekable();
        if named.peek().is_none() {
            return Err(Refusal::UnknownKey);
        }
        let key = named.find(|key| key.algorithm == wanted.algorithm);
        key.cloned().ok_or(Refusal::Algorithm)
    }
}

impl Key {
    fn of(published: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(published).ok()?;
        let for_signatures = !matches!(
            jwk.common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
        let operations = jwk.common.key_operations.as_deref();
        let verifies =
            operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !for_signatures || !verifies {
            return None;
        }
        let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
            // What OpenID Connect Core takes for granted where nothing is said.
            (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::RS256) | None) => Algorithm::RS256,
            (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::PS256)) => Algorithm::PS256,
            (AlgorithmParameters::EllipticCurve(point), Some(KeyAlgorithm::ES256) | None)
                if point.curve == EllipticCurve::P256 =>
            {
                Algorithm::ES256
            }
            _ => return None,
        };
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self {
            kid: jwk.common.key_id,
            algorithm,
            decoding,
        })
    }
}
