//! Signatures of webhooks by Standard Webhooks 1.0: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
//!
//! Invariants: what is signed is the bytes that are sent; a signature is compared in constant time; a
//! secret shows nowhere once it is read.

use std::fmt;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::MessageId;

/// Carries the message's id.
pub const HEADER_ID: &str = "webhook-id";
/// Carries the time of the request, in seconds since 1970.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// Carries the signatures, parted by spaces.
pub const HEADER_SIGNATURE: &str = "webhook-signature";

const SECRET_PREFIX: &str = "whsec_";
/// The specification's bounds.
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// Symmetric signatures, the first version.
const VERSION: &str = "v1,";
/// Signatures in one header that are looked at.
const SIGNATURES_MAX: usize = 16;

/// A secret that sender and receiver share: `whsec_` and 24 to 64 bytes in base64. `Debug` hides it.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Why a text is no secret. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The prefix is missing.
    #[error("a webhook secret begins with {SECRET_PREFIX}")]
    NoPrefix,
    /// What follows is no base64 with padding.
    #[error("what follows {SECRET_PREFIX} in a webhook secret is base64, padded with =")]
    NotBase64,
    /// Too short to be safe, or longer than receivers take.
    #[error(
        "a webhook secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes; this one has {bytes}"
    )]
    WrongLength {
        /// How many it has.
        bytes: usize,
    },
}

impl Secret {
    /// Reads a secret as it stands in a setting.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let base64 = text
            .trim()
            .strip_prefix(SECRET_PREFIX)
            .ok_or(SecretError::NoPrefix)?;
        let decoded = BASE64.decode(base64.as_bytes());
        let secret = Zeroizing::new(decoded.map_err(|_| SecretError::NotBase64)?);
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.len()) {
            return Err(SecretError::WrongLength {
                bytes: secret.len(),
            });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The signature header of a message: one signature for each secret.
#[must_use]
pub fn sign(secrets: &[Secret], id: &MessageId, now: Timestamp, body: &[u8]) -> String {
    let text = signed_text(id.as_str(), &now.as_second().to_string(), body);
    let signatures = secrets.iter().map(|secret| {
        let tag = hmac::sign(&secret.0, &text);
        format!("{VERSION}{}", BASE64.encode(tag.as_ref()))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

fn signed_text(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

/// The headers of a webhook as they were received.
#[derive(Debug, Clone, Copy)]
pub struct SignedHeaders<'a> {
    /// [`HEADER_ID`].
    pub id: &'a str,
    /// [`HEADER_TIMESTAMP`].
    pub timestamp: &'a str,
    /// [`HEADER_SIGNATURE`].
    pub signature: &'a str,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp is no number of seconds.
    #[error("the timestamp is malformed")]
    Timestamp,
    /// It was sent too long ago, or will be.
    #[error("the timestamp is too far from now")]
    Stale,
    /// No signature is that of any of the secrets.
    #[error("no signature fits")]
    Mismatch,
}

/// Whether a webhook was signed with one of `secrets`, `tolerance` or less before or after `now`.
pub fn verify(
    secrets: &[Secret],
    headers: SignedHeaders<'_>,
    body: &[u8],
    now: Timestamp,
    tolerance: SignedDuration,
) -> Result<(), SignatureError> {
    let sent_at: i64 = headers
        .timestamp
        .parse()
        .map_err(|_| SignatureError::Timestamp)?;
    let sent_at = Timestamp::from_second(sent_at).map_err(|_| SignatureError::Timestamp)?;
    if now.duration_since(sent_at).abs() > tolerance {
        return Err(SignatureError::Stale);
    }
    let text = signed_text(headers.id, headers.timestamp, body);
    let signatures = headers.signature.split(' ').take(SIGNATURES_MAX);
    let mut tags = signatures.filter_map(|signature| {
        BASE64
            .decode(signature.strip_prefix(VERSION)?.as_bytes())
            .ok()
    });
    let fits = |tag: &[u8]| {
        let mut secrets = secrets.iter();
        secrets.any(|secret| hmac::verify(&secret.0, &text, tag).is_ok())
    };
    if tags.any(|tag| fits(&tag)) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector that the reference implementations of Standard Webhooks hold themselves to. Again, by hand:
    // printf %s 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}' | openssl dgst -sha256 -binary \
    //   -mac HMAC -macopt hexkey:$(printf %s MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw | base64 -d | xxd -p) | base64
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT_AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    const OTHER_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    #[test]
    fn the_reference_vector_holds() {
        let now = Timestamp::from_second(SENT_AT).unwrap();
        let id = MessageId::parse(ID).unwrap();
        let secret = Secret::parse(SECRET).unwrap();
        assert_eq!(sign(&[secret], &id, now, BODY), SIGNATURE);
    }

    #[test]
    fn a_webhook_is_believed_only_as_it_was_signed() {
        use SignatureError::{Mismatch, Stale, Timestamp as Malformed};
        let sent_at = SENT_AT.to_string();
        let two = format!("v1,AAAA v1a,x {SIGNATURE}");
        let crowded = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES_MAX));
        let cut = SIGNATURE.trim_end_matches('=');
        let other_version = SIGNATURE.replace("v1,", "v2,");
        for (id, timestamp, signature, body, late, expected) in [
            (ID, &*sent_at, SIGNATURE, BODY, 0, Ok(())),
            (ID, &sent_at, SIGNATURE, BODY, 300, Ok(())),
            (ID, &sent_at, SIGNATURE, BODY, -300, Ok(())),
            (ID, &sent_at, &two, BODY, 0, Ok(())),
            (ID, &sent_at, SIGNATURE, BODY, 301, Err(Stale)),
            (ID, &sent_at, SIGNATURE, BODY, -301, Err(Stale)),
            (ID, "", SIGNATURE, BODY, 0, Err(Malformed)),
            (ID, "1614265330.0", SIGNATURE, BODY, 0, Err(Malformed)),
            (ID, "99999999999999999", SIGNATURE, BODY, 0, Err(Malformed)),
            (ID, "+1614265330", SIGNATURE, BODY, 0, Err(Mismatch)),
            (ID, "1614265331", SIGNATURE, BODY, 0, Err(Mismatch)),
            ("msg_1", &sent_at, SIGNATURE, BODY, 0, Err(Mismatch)),
            (ID, &sent_at, SIGNATURE, b"{}", 0, Err(Mismatch)),
            (ID, &sent_at, "", BODY, 0, Err(Mismatch)),
            (ID, &sent_at, cut, BODY, 0, Err(Mismatch)),
            (ID, &sent_at, &other_version, BODY, 0, Err(Mismatch)),
            (ID, &sent_at, &crowded, BODY, 0, Err(Mismatch)),
        ] {
            let headers = SignedHeaders {
                id,
                timestamp,
                signature,
            };
            let secrets = [OTHER_SECRET, SECRET].map(|secret| Secret::parse(secret).unwrap());
            let now = Timestamp::from_second(SENT_AT + late).unwrap();
            let tolerance = SignedDuration::from_secs(300);
            let outcome = verify(&secrets, headers, body, now, tolerance);
            assert_eq!(outcome, expected, "{headers:?} {late}");
            let other = verify(&secrets[..1], headers, body, now, tolerance);
            assert!(other.is_err(), "{headers:?}");
        }
    }

    #[test]
    fn secrets_are_read_strictly_and_never_shown() {
        let of = |bytes: usize| format!("whsec_{}", BASE64.encode(&vec![7; bytes]));
        for (text, expected) in [
            (SECRET.to_owned(), Ok(())),
            (format!("{SECRET}\n"), Ok(())),
            (of(24), Ok(())),
            (of(64), Ok(())),
            (of(23), Err(SecretError::WrongLength { bytes: 23 })),
            (of(65), Err(SecretError::WrongLength { bytes: 65 })),
            (String::new(), Err(SecretError::NoPrefix)),
            (SECRET.replace("whsec_", ""), Err(SecretError::NoPrefix)),
            (SECRET.replace('M', "-"), Err(SecretError::NotBase64)),
            (of(32).replace('=', ""), Err(SecretError::NotBase64)),
        ] {
            assert_eq!(Secret::parse(&text).map(|_| ()), expected, "{text}");
        }
        let secret = Secret::parse(SECRET).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
