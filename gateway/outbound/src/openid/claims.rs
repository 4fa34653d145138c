//! What an ID token must say to be believed.
//!
//! Invariants: the signature is checked before anything the token says; claims are held against what is
//! expected in one fixed order; times are held against the `now` that is given. The library's own look at
//! the clock is switched off.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Validation, errors::ErrorKind};
use serde::Deserialize;

use super::{Email, Issuer, Refusal, Subject, keys::Key};

/// OpenID Connect Core 1.0, 2.
const SUBJECT_CHARS_MAX: usize = 255;
/// RFC 5321: 64 of the mailbox, `@`, 255 of the domain.
const EMAIL_CHARS_MAX: usize = 320;

/// The claims that matter. Numbers are seconds since 1970; a number in a string is none.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    nonce: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<Truth>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}

/// A boolean, which at least one large issuer writes as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Truth {
    Plain(bool),
    Text(String),
}

impl Truth {
    fn holds(&self) -> bool {
        match self {
            Self::Plain(holds) => *holds,
            Self::Text(text) => text == "true",
        }
    }
}

/// What a token is held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) nonce: &'a str,
    pub(super) leeway: SignedDuration,
}

impl Expected<'_> {
    pub(super) fn check(&self, token: &str, key: &Key, now: Timestamp) -> Result<Subject, Refusal> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &signed_by(key));
        let claims = match decoded {
            Ok(decoded) => decoded.claims,
            Err(error) => {
                return Err(match error.kind() {
                    ErrorKind::InvalidSignature => Refusal::Signature,
                    ErrorKind::InvalidAlgorithm => Refusal::Algorithm,
                    ErrorKind::Json(_) => Refusal::Claims,
                    _ => Refusal::Unreadable,
                });
            }
        };
        self.check_parties(&claims)?;
        self.check_times(&claims, now)?;
        if self.nonce.is_empty() || claims.nonce != self.nonce {
            return Err(Refusal::Nonce);
        }
        let printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !(1..=SUBJECT_CHARS_MAX).contains(&claims.sub.len()) || !printable(&claims.sub) {
            return Err(Refusal::Subject);
        }
        Ok(Subject {
            issuer: self.issuer.text.clone(),
            email: email(claims.email, claims.email_verified)?,
            subject: claims.sub,
        })
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), Refusal> {
        if claims.iss != *self.issuer.text {
            return Err(Refusal::Issuer);
        }
        let is_ours = |name: &String| self.issuer.client_ids.contains(name);
        let is_trusted = |name| is_ours(name) || self.issuer.trusted_audiences.contains(name);
        let audiences = claims.aud.as_slice();
        if !audiences.iter().any(is_ours) || !audiences.iter().all(is_trusted) {
            return Err(Refusal::Audience);
        }
        match &claims.azp {
            Some(party) if is_ours(party) => Ok(()),
            None if audiences.len() == 1 => Ok(()),
            _ => Err(Refusal::AuthorizedParty),
        }
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        let (now, leeway) = (now.as_second(), self.leeway.as_secs());
        if now >= claims.exp.saturating_add(leeway) {
            return Err(Refusal::Expired);
        }
        let begins = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
        if begins > now.saturating_add(leeway) {
            return Err(Refusal::NotYet);
        }
        Ok(())
    }
}

/// Nothing but the signature, by the key's own algorithm.
fn signed_by(key: &Key) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn email(address: Option<String>, verified: Option<Truth>) -> Result<Option<Email>, Refusal> {
    let Some(address) = address.filter(|address| !address.is_empty()) else {
        return Ok(None);
    };
    if address.chars().count() > EMAIL_CHARS_MAX || address.chars().any(char::is_control) {
        return Err(Refusal::Claims);
    }
    Ok(Some(Email {
        address,
        verified: verified.is_some_and(|verified| verified.holds()),
    }))
}
