//! The sign-ins of a brand (OpenID Connect) whose ID tokens are taken, from a file.
//!
//! A token counts only for the card that asked for it. The phone makes a secret, signs in with the nonce
//! that [`nonce`] makes of the card's id and the secret, and shows the secret with the token. Who steals a
//! token can link it to no card of their own: no other card has that nonce.

use std::{fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use member_card::CardId;
use outbound::{
    https::{Client, Limits},
    openid::{Issuer, Refusal, Settings, Subject, Verifier, VerifyError},
};
use serde::Deserialize;

use crate::toml_file::{self, TomlFault};

/// The largest file of sign-ins, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Characters of the secret in a nonce.
pub const NONCE_SECRET_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// The sign-ins whose ID tokens are taken.
#[derive(Debug)]
pub struct SignIn {
    verifier: Verifier,
    issuers: Vec<Issuer>,
}

/// Why a file of sign-ins cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// It says something wrong.
    #[error(transparent)]
    Toml(#[from] TomlFault),
    /// It is too large, or names no issuer, or one that cannot be.
    #[error("{0}: {1}")]
    Wrong(String, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// As in its tokens, to the letter.
    url: String,
    client_ids: Vec<String>,
    #[serde(default)]
    trusted_audiences: Vec<String>,
}

impl SignIn {
    /// Takes tokens of these issuers.
    #[must_use]
    pub fn new(client: Client, issuers: Vec<Issuer>) -> Self {
        Self {
            verifier: Verifier::new(client, Settings::default()),
            issuers,
        }
    }

    /// Reads a file of sign-ins.
    ///
    /// # Errors
    /// [`SignInError`]
    pub fn read(path: &Path) -> Result<Self, SignInError> {
        let name = path.display().to_string();
        let failed = |error| SignInError::File(name.clone(), error);
        let wrong = |what: String| SignInError::Wrong(name.clone(), what);
        if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(wrong("it is too large to be a file of sign-ins".into()));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let issuers = issuers(&name, &text)?;
        let client = Client::new(Limits::default()).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::new(client, issuers))
    }

    /// Who signed in, if the token is good and belongs to the sign-in of `nonce`.
    ///
    /// # Errors
    /// [`VerifyError`]
    pub async fn verify(
        &self,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Subject, VerifyError> {
        // Which issuer's keys to check it with; that it is that issuer's is checked then.
        let named = issuer_of(token);
        let of_token = |issuer: &&Issuer| Some(issuer.as_str()) == named.as_deref();
        let issuer = self.issuers.iter().find(of_token);
        let issuer = issuer.ok_or(VerifyError::Refused(Refusal::Issuer))?;
        self.verifier.verify(issuer, token, nonce, now).await
    }
}

/// The nonce of the sign-in that a card begins with a secret.
#[must_use]
pub fn nonce(card_id: CardId, secret: &str) -> String {
    let hash = digest(&SHA256, format!("{card_id}.{secret}").as_bytes());
    BASE64URL_NOPAD.encode(hash.as_ref())
}

fn issuers(name: &str, text: &str) -> Result<Vec<Issuer>, SignInError> {
    let file: File = toml_file::parse(name, text)?;
    let wrong = |what: String| SignInError::Wrong(name.to_owned(), what);
    if file.issuer.is_empty() {
        return Err(wrong("it names no [[issuer]]".into()));
    }
    let read = |entry: Entry| {
        let issuer = Issuer::new(&entry.url, entry.client_ids);
        let issuer = issuer.map_err(|error| wrong(format!("{}: {error}", entry.url)))?;
        Ok(issuer.trusting(entry.trusted_audiences))
    };
    file.issuer.into_iter().map(read).collect()
}

/// What a token says of its issuer, unproved.
fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
    }
    let payload = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.iss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_issuers() {
        let text = "[[issuer]]\nurl = \"https://id.example\"\nclient_ids = [\"app\"]\n";
        let read = issuers("openid.toml", text).unwrap();
        assert_eq!(read[0].as_str(), "https://id.example");
        for wrong in [
            "issuer = []",
            "[[issuer]]\nurl = \"http://id.example\"\nclient_ids = [\"app\"]",
            "[[issuer]]\nurl = \"https://id.example\"\nclient_ids = []",
            "[[issuer]]\nurl = \"https://id.example\"\nclient_ids = [\"app\"]\nx = 1",
        ] {
            assert!(issuers("openid.toml", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_nonce_is_of_one_card_and_one_secret() {
        let (one, two) = (CardId::new(1), CardId::new(2));
        let secret = "0123456789abcdef";
        assert_eq!(nonce(one, secret).len(), 43);
        assert_ne!(nonce(one, secret), nonce(two, secret));
        assert_ne!(nonce(one, secret), nonce(one, "0123456789abcdeX"));
    }

    #[test]
    fn a_token_that_names_no_issuer_is_of_none() {
        let token = |claims: &str| format!("e30.{}.x", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let named = issuer_of(&token(r#"{"iss":"https://id.example","sub":"1"}"#));
        assert_eq!(named.as_deref(), Some("https://id.example"));
        for wrong in ["", "a.b", "a.!.c", &token("{}"), &token("1")] {
            assert_eq!(issuer_of(wrong), None, "{wrong}");
        }
    }
}
