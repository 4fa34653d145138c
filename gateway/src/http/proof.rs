//! Card proofs: JWTs that a phone signs with its card's key, one for each request.
//!
//! Order of checks: shape, signature, meaning, replay. A proof is remembered as used only after its
//! signature held, so nobody can use up another's. The memory of used proofs is each gateway's own
//! and bounded: best effort. A proof taken down on its way can be played once more at another gateway
//! within its minute, for the very same request; every such request is idempotent or a read.
//!
//! `htu` is compared as RFC 9449 (DPoP) does: scheme, host and path, without query and fragment. The
//! bare path is taken as well: a phone behind proxies need not know what the gateway is called. With
//! a public URL in the settings, an absolute `htu` must begin with it; without one, its host must be
//! the request's.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{Method, Uri, header, request::Parts, uri::Authority},
};
use data_encoding::BASE64URL_NOPAD;
use member_card::{CardId, PublicKey};
use moka::sync::Cache;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    App, PublicUrl,
    app::bare_authority,
    problem::{Problem, ProblemKind},
};
use crate::limits;

/// The media type of a card proof, in its header.
const TYP: &str = "card-proof+jwt";

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: CardId,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    htm: String,
    htu: String,
}

/// A proof of the right shape. Nobody has vouched for it yet.
pub(super) struct Proof<'a> {
    card_id: CardId,
    claims: Claims,
    signed: &'a str,
    signature: [u8; 64],
}

/// The request as its caller aimed it.
#[derive(Debug)]
pub(super) struct Target {
    method: Method,
    path: String,
    /// The host the caller asked for, if it said so.
    host: Option<Authority>,
}

impl Target {
    pub(super) fn of(parts: &Parts) -> Self {
        // HTTP/2 has the host in the URI, HTTP/1.1 in a header.
        let host = parts.uri.authority().cloned().or_else(|| {
            let value = parts.headers.get(header::HOST)?;
            value.to_str().ok()?.parse().ok()
        });
        Self {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            host,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl<'a> Proof<'a> {
    /// Reads a compact JWT.
    pub(super) fn parse(token: &'a str) -> Result<Self, Problem> {
        if token.len() > limits::BEARER_TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        Self::read(token).ok_or_else(|| refused("it cannot be read"))
    }

    fn read(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = part(header)?;
        let sound = header.alg == "ES256" && header.typ == TYP && header.crit.is_none();
        let claims: Claims = part(claims)?;
        let named = (1..=limits::CARD_PROOF_ID_CHARS_MAX).contains(&claims.jti.len());
        (sound && named).then_some(())?;
        Some(Self {
            card_id: header.kid,
            claims,
            signed,
            signature: BASE64URL_NOPAD
                .decode(signature.as_bytes())
                .ok()?
                .try_into()
                .ok()?,
        })
    }

    /// The card it claims to be of.
    pub(super) fn card_id(&self) -> CardId {
        self.card_id
    }

    /// Checks everything, and that it was not used before.
    pub(super) fn check(&self, key: &PublicKey, target: &Target, app: &App) -> Result<(), Problem> {
        if key.card_id() != self.card_id
            || key
                .verify_message(self.signed.as_bytes(), &self.signature)
                .is_err()
        {
            return Err(refused("it was not signed by the card's key"));
        }
        let claims = &self.claims;
        if claims.aud != app.settings().programme.as_str() {
            return Err(refused("it is for another programme"));
        }
        if claims.htm != target.method.as_str() {
            return Err(refused("it is for another method"));
        }
        if !is_for(&claims.htu, target, app.settings().public_url.as_ref()) {
            return Err(refused("it is for another URL"));
        }
        let life = claims.exp.saturating_sub(claims.iat);
        if !(0..=limits::CARD_PROOF_LIFE_S_MAX).contains(&life) {
            return Err(refused("it lives longer than it may"));
        }
        let now = app.now().as_second();
        if claims.iat > now.saturating_add(limits::CARD_PROOF_LEEWAY_S) {
            return Err(refused("it is ahead of the gateway's clock"));
        }
        if claims.exp < now.saturating_sub(limits::CARD_PROOF_LEEWAY_S) {
            return Err(refused("it has ended"));
        }
        if app.proofs.is_new(self.card_id, &claims.jti) {
            Ok(())
        } else {
            Err(refused("it was used before"))
        }
    }
}

fn part<T: DeserializeOwned>(encoded: &str) -> Option<T> {
    let json = BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?;
    serde_json::from_slice(&json).ok()
}

pub(super) fn refused(why: &str) -> Problem {
    Problem::new(
        ProblemKind::InvalidProof,
        format!("The card's proof is refused: {why}."),
    )
}

/// Whether `htu` means this request.
fn is_for(htu: &str, target: &Target, public_url: Option<&PublicUrl>) -> bool {
    let bare = htu.split(['?', '#']).next().unwrap_or_default();
    if bare.starts_with('/') {
        return bare == target.path;
    }
    let Ok(uri) = bare.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let named = bare_authority(scheme, authority);
    match public_url {
        Some(public) => {
            let (public_scheme, public_authority) = public.origin();
            let path = uri.path().strip_prefix(public.prefix());
            scheme == public_scheme
                && named == public_authority
                && path == Some(target.path.as_str())
        }
        None => {
            let called = target.host.as_ref();
            let called = called.map(|host| bare_authority(scheme, host));
            ["http", "https"].contains(&scheme)
                && called == Some(named)
                && uri.path() == target.path
        }
    }
}

/// The proofs this gateway has taken, for as long as they could come again.
pub(super) struct ProofsSeen(Cache<[u8; 32], ()>);

impl ProofsSeen {
    pub(super) fn new() -> Self {
        let window_s = limits::CARD_PROOF_LIFE_S_MAX + 2 * limits::CARD_PROOF_LEEWAY_S;
        let cache = Cache::builder()
            .max_capacity(limits::CARD_PROOFS_SEEN_ENTRIES_MAX)
            .eviction_policy(moka::policy::EvictionPolicy::lru())
            .time_to_live(Duration::from_secs(window_s.unsigned_abs()))
            .build();
        Self(cache)
    }

    /// Whether the card never used this id before; from now on it has.
    fn is_new(&self, card_id: CardId, jti: &str) -> bool {
        let mut hash = Sha256::new();
        hash.update(card_id.get().to_be_bytes());
        hash.update(jti.as_bytes());
        self.0
            .entry(hash.finalize().into())
            .or_insert(())
            .is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_compared_without_query_and_by_host() {
        let target = Target {
            method: Method::GET,
            path: "/v1/me".into(),
            host: Some("Localhost:8080".parse().unwrap()),
        };
        for (htu, fits) in [
            ("/v1/me", true),
            ("/v1/me?before=3#x", true),
            ("http://localhost:8080/v1/me", true),
            ("https://LOCALHOST:8080/v1/me?a", true),
            ("http://localhost/v1/me", false),
            ("http://localhost:8080/v1/me/", false),
            ("/v1/me/", false),
            ("/v1/cards", false),
            ("v1/me", false),
            ("", false),
        ] {
            assert_eq!(is_for(htu, &target, None), fits, "{htu}");
        }
        let public: PublicUrl = "https://points.example/gw".parse().unwrap();
        for (htu, fits) in [
            ("https://points.example/gw/v1/me", true),
            ("https://points.example:443/gw/v1/me", true),
            ("http://points.example/gw/v1/me", false),
            ("https://points.example/v1/me", false),
            ("http://localhost:8080/v1/me", false),
            ("/v1/me", true),
        ] {
            assert_eq!(is_for(htu, &target, Some(&public)), fits, "{htu}");
        }
    }
}
