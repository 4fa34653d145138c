//! The rotating, device-signed QR member card.
//!
//! A shopper's phone signs a short text with a key that never leaves it and shows the text as a QR
//! code; a till scans it; the gateway verifies it and lets it serve one basket. This crate is the
//! format (199 digits around 80 bytes), both sides of the signature, the rules of freshness and
//! rotation, and the drawing.
//!
//! A card passes through three types, each of which can be had only from the one before:
//!
//! | type | what is known |
//! | --- | --- |
//! | [`CardText`] | a scanned text has the right shape |
//! | [`SignedCard`] | what the text claims; nobody has vouched for it yet |
//! | [`VerifiedCard`] | the holder of the card's key signed these very bytes for this programme |
//!
//! Invariants: the received bytes are what is verified, never a re-encoding; one card has one text;
//! nothing here reads a clock, and only `entropy.rs` draws randomness; no text, key or signature
//! appears in a `Debug` output.

mod card;
#[cfg(feature = "draw")]
pub mod draw;
mod entropy;
mod freshness;
mod id;
mod key;
pub mod proof;
mod rotation;
mod scanned;
mod signing;
mod text;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use card::{CardFields, CardUse, SignedCard, SpendLimit, VerifiedCard, VerifyError};
pub use entropy::{EntropyError, random_id};
pub use freshness::{Freshness, FreshnessWindow, freshness};
pub use id::{CardId, CardIdError, ProgrammeId, ProgrammeIdError};
pub use key::{Jwk, PublicKey, PublicKeyError};
pub use rotation::{Rotation, Step};
pub use scanned::{ScannedText, ShortCode, WalletPass};
pub use signing::{SignError, SigningKey, SigningKeyError};
pub use text::{CardText, CardTextError};
