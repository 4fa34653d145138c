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

use std::time::Duration;

use axum::http::{Method, Uri, header, request::Parts, uri::Authority};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use member_card::{CardId, PublicKey};
use moka::sync::Cache;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{
    Settings,
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

/// What the proof must be for.
pub(super) struct ProvedRequest<'a> {
    pub(super) settings: &'a Settings,
    pub(super) method: &'a Method,
    /// The path as the caller sent it.
    pub(super) path: &'a str,
    /// The host the caller asked for, if it said so.
    pub(super) host: Option<&'a str>,
    pub(super) now: Timestamp,
}

impl<'a> ProvedRequest<'a> {
    pub(super) fn of(parts: &'a Parts, settings: &'a Settings, now: Timestamp) -> Self {
        // HTTP/2 has the host in the URI, HTTP/1.1 in a header.
        let host = parts.uri.authority().map(Authority::as_str).or_else(|| {
            let value = parts.headers.get(header::HOST)?;
            value.to_str().ok()
        });
        Self {
            settings,
            method: &parts.method,
            path: parts.uri.path(),
            host,
            now,
        }
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
    pub(super) fn check(
        &self,
        key: &PublicKey,
        request: &ProvedRequest<'_>,
        seen: &ProofsSeen,
    ) -> Result<(), Problem> {
        if key.card_id() != self.card_id
            || key
                .verify_message(self.signed.as_bytes(), &self.signature)
                .is_err()
        {
            return Err(refused("it was not signed by the card's key"));
        }
        let claims = &self.claims;
        if claims.aud != request.settings.programme.as_str() {
            return Err(refused("it is for another programme"));
        }
        if claims.htm != request.method.as_str() {
            return Err(refused("it is for another method"));
        }
        if !is_for(&claims.htu, request) {
            return Err(refused("it is for another URL"));
        }
        let life = claims.exp.saturating_sub(claims.iat);
        if !(0..=limits::CARD_PROOF_LIFE_S_MAX).contains(&life) {
            return Err(refused("it lives longer than it may"));
        }
        let now = request.now.as_second();
        if claims.iat > now.saturating_add(limits::CARD_PROOF_LEEWAY_S) {
            return Err(refused("it is ahead of the gateway's clock"));
        }
        if claims.exp < now.saturating_sub(limits::CARD_PROOF_LEEWAY_S) {
            return Err(refused("it has ended"));
        }
        if seen.is_new(self.card_id, &claims.jti) {
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
fn is_for(htu: &str, request: &ProvedRequest<'_>) -> bool {
    let bare = htu.split(['?', '#']).next().unwrap_or_default();
    if bare.starts_with('/') {
        return bare == request.path;
    }
    let Ok(uri) = bare.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let named = bare_authority(scheme, authority);
    match &request.settings.public_url {
        Some(public) => {
            let (public_scheme, public_authority) = public.origin();
            let path = uri.path().strip_prefix(public.prefix());
            scheme == public_scheme && named == public_authority && path == Some(request.path)
        }
        None => {
            let host = request.host.and_then(|host| host.parse::<Authority>().ok());
            let called = host.map(|host| bare_authority(scheme, &host));
            ["http", "https"].contains(&scheme)
                && called == Some(named)
                && uri.path() == request.path
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
    use member_card::ProgrammeId;

    #[test]
    fn a_url_is_compared_without_query_and_by_host() {
        let mut settings = Settings::new(ProgrammeId::new("demo").unwrap());
        let is_for = |settings: &Settings, htu: &str| {
            let request = ProvedRequest {
                settings,
                method: &Method::GET,
                path: "/v1/me",
                host: Some("Localhost:8080"),
                now: Timestamp::UNIX_EPOCH,
            };
            is_for(htu, &request)
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
            assert_eq!(is_for(&settings, htu), fits, "{htu}");
        }
        settings.public_url = Some("https://points.example/gw".parse().unwrap());
        for (htu, fits) in [
            ("https://points.example/gw/v1/me", true),
            ("https://points.example:443/gw/v1/me", true),
            ("http://points.example/gw/v1/me", false),
            ("https://points.example/v1/me", false),
            ("http://localhost:8080/v1/me", false),
            ("/v1/me", true),
        ] {
            assert_eq!(is_for(&settings, htu), fits, "{htu}");
        }
    }
}
