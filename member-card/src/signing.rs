//! The private key of a card, for phones without a browser, tools, load and tests.
//!
//! Invariants: the scalar is wiped from memory when the key goes; the nonce is derived from key and
//! message (RFC 6979), so signing needs no randomness and the same card signs to the same text.

use std::fmt;

use data_encoding::HEXLOWER;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{self, Signature};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use zeroize::Zeroizing;

use crate::card::{CardFields, SignedMessage, SpendLimit, head};
use crate::id::{CardId, ProgrammeId};
use crate::key::PublicKey;
use crate::text::{CARD_BYTES, CardText, SIGNED_BYTES};

/// A card's private key.
#[derive(Clone)]
pub struct SigningKey {
    secret: ecdsa::SigningKey,
    public: PublicKey,
}

/// Why something is no private key of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// Not a PKCS#8 PEM with a P-256 key.
    #[error("not a P-256 private key in PKCS#8 PEM")]
    BadPem,
    /// Not 64 hex digits of a number between 1 and n−1.
    #[error("not a P-256 private key in 64 hex digits")]
    BadScalar,
}

/// Why a card was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The spend limit does not fit the card.
    #[error("a spend limit is at most {max} points", max = SpendLimit::POINTS_MAX)]
    SpendLimitTooLarge,
}

impl SigningKey {
    pub(crate) fn from_secret(secret: ecdsa::SigningKey) -> Result<Self, SigningKeyError> {
        let point = secret.verifying_key().to_sec1_point(false);
        let public =
            PublicKey::from_sec1(point.as_bytes()).map_err(|_| SigningKeyError::BadScalar)?;
        Ok(Self { secret, public })
    }

    /// Reads PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`).
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, SigningKeyError> {
        let secret = ecdsa::SigningKey::from_pkcs8_pem(pem).map_err(|_| SigningKeyError::BadPem)?;
        Self::from_secret(secret)
    }

    /// Writes PKCS#8 PEM. Wiped from memory when dropped.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, SigningKeyError> {
        self.secret
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| SigningKeyError::BadPem)
    }

    /// Reads the bare scalar in 64 hex digits, as test vectors have it.
    pub fn from_hex(hex: &str) -> Result<Self, SigningKeyError> {
        let bytes = HEXLOWER
            .decode(hex.as_bytes())
            .map_err(|_| SigningKeyError::BadScalar)?;
        let bytes = Zeroizing::new(bytes);
        let secret =
            ecdsa::SigningKey::from_slice(&bytes).map_err(|_| SigningKeyError::BadScalar)?;
        Self::from_secret(secret)
    }

    /// Writes the bare scalar in 64 hex digits. Wiped from memory when dropped.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(self.secret.to_bytes());
        Zeroizing::new(HEXLOWER.encode(&bytes))
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The card of this key.
    pub fn card_id(&self) -> CardId {
        self.public.card_id()
    }

    /// Signs a card text for `programme`.
    pub fn sign(&self, fields: CardFields, programme: &ProgrammeId) -> Result<CardText, SignError> {
        let head = head(self.card_id(), fields).ok_or(SignError::SpendLimitTooLarge)?;
        let signature = self.sign_message(SignedMessage::new(programme, &head).as_slice());
        let mut bytes = [0; CARD_BYTES];
        bytes[..SIGNED_BYTES].copy_from_slice(&head);
        bytes[SIGNED_BYTES..].copy_from_slice(&signature);
        Ok(CardText::from_signed(bytes))
    }

    /// Signs any message with ECDSA-SHA256; r‖s.
    pub(crate) fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.secret.sign(message);
        signature.to_bytes().into()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey")
            .field(&self.card_id())
            .finish_non_exhaustive()
    }
}
