//! The public key of a card, in the forms it travels in, ready to verify.
//!
//! Invariants: a [`PublicKey`] is a point on P-256 other than infinity, read from its one
//! uncompressed form; both verifiers hold the same point; both accept high and low s, since the key
//! stores of phones emit either.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::card::VerifyError;
use crate::id::CardId;

/// A card's public key, checked and prepared for verifying.
///
/// Making one takes 2 µs, a verification 40 µs (p256: 160 µs).
#[derive(Clone)]
pub struct PublicKey {
    sec1: [u8; PublicKey::SEC1_BYTES],
    card_id: CardId,
    hot: ParsedPublicKey,
    portable: VerifyingKey,
}

/// Why something is no public key of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not 65 bytes that begin with 4. Compressed and hybrid forms are refused: the card id is the hash
    /// of this form, so a key has one form.
    #[error("a public key is 65 bytes, an uncompressed point that begins with 04")]
    NotUncompressed,
    /// The coordinates are no point of P-256.
    #[error("the point is not on P-256")]
    NotOnCurve,
    /// A JWK of another key type or curve.
    #[error("the JWK is not an EC key on P-256")]
    OtherKind,
    /// A coordinate that is not 32 bytes in base64url without padding.
    #[error("a JWK coordinate is 32 bytes in base64url without padding")]
    BadCoordinate,
    /// A JWK with its private part. A key that left its phone is no card key.
    #[error("the JWK holds a private key")]
    PrivateKey,
}

impl PublicKey {
    /// The length of an uncompressed point, in bytes.
    pub const SEC1_BYTES: usize = 65;

    /// Reads an uncompressed SEC1 point: `04`, x, y.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let sec1: [u8; Self::SEC1_BYTES] = bytes
            .try_into()
            .map_err(|_| PublicKeyError::NotUncompressed)?;
        if sec1[0] != 0x04 {
            return Err(PublicKeyError::NotUncompressed);
        }
        let portable =
            VerifyingKey::from_sec1_bytes(&sec1).map_err(|_| PublicKeyError::NotOnCurve)?;
        let hot = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, sec1)
            .map_err(|_| PublicKeyError::NotOnCurve)?;
        Ok(Self {
            sec1,
            card_id: card_id(&sec1),
            hot,
            portable,
        })
    }

    /// Reads a JWK.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, PublicKeyError> {
        if jwk.kty != "EC" || jwk.crv != "P-256" {
            return Err(PublicKeyError::OtherKind);
        }
        if jwk.d.is_some() {
            return Err(PublicKeyError::PrivateKey);
        }
        let mut sec1 = [0x04; Self::SEC1_BYTES];
        sec1[1..33].copy_from_slice(&coordinate(&jwk.x)?);
        sec1[33..].copy_from_slice(&coordinate(&jwk.y)?);
        Self::from_sec1(&sec1)
    }

    /// The key as a JWK.
    pub fn to_jwk(&self) -> Jwk {
        Jwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: BASE64URL_NOPAD.encode(&self.sec1[1..33]),
            y: BASE64URL_NOPAD.encode(&self.sec1[33..]),
            d: None,
        }
    }

    /// The key as an uncompressed SEC1 point.
    pub fn to_sec1(&self) -> [u8; Self::SEC1_BYTES] {
        self.sec1
    }

    /// The card this key belongs to.
    pub fn card_id(&self) -> CardId {
        self.card_id
    }

    /// Checks an ECDSA-SHA256 signature (r‖s) over any message, with aws-lc-rs.
    ///
    /// For a card text use [`SignedCard::verify`](crate::SignedCard::verify), which also ties the card
    /// to the key; this is for the card's other signatures, such as its JWTs.
    pub fn verify_message(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), VerifyError> {
        self.hot
            .verify_sig(message, signature)
            .map_err(|_| VerifyError::BadSignature)
    }

    /// The same check with p256.
    pub fn verify_message_portable(
        &self,
        message: &[u8],
        signature: &[u8; 64],
    ) -> Result<(), VerifyError> {
        let signature = Signature::from_slice(signature).map_err(|_| VerifyError::BadSignature)?;
        self.portable
            .verify(message, &signature)
            .map_err(|_| VerifyError::BadSignature)
    }
}

fn card_id(sec1: &[u8; PublicKey::SEC1_BYTES]) -> CardId {
    let hash = digest(&SHA256, sec1);
    let first = hash.as_ref().iter().take(8);
    CardId::new(first.fold(0, |id, byte| id << 8 | u64::from(*byte)))
}

fn coordinate(text: &str) -> Result<[u8; 32], PublicKeyError> {
    let bytes = BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| PublicKeyError::BadCoordinate)?;
    bytes.try_into().map_err(|_| PublicKeyError::BadCoordinate)
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.sec1 == other.sec1
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.card_id).finish()
    }
}

/// A public key as browsers export it (RFC 7517, EC on P-256). Other members are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    /// The key type; `EC` for a card.
    pub kty: String,
    /// The curve; `P-256` for a card.
    pub crv: String,
    /// The x coordinate, 32 bytes, base64url without padding.
    pub x: String,
    /// The y coordinate, likewise.
    pub y: String,
    /// Noticed so that a private key can be refused; its value is not kept.
    #[serde(default, skip_serializing)]
    d: Option<IgnoredAny>,
}
