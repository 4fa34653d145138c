//! Cards for Google Wallet and Apple Wallet.
//!
//! A wallet shows a member's card without an app of ours and without a network. Two kinds of text can be on it:
//!
//! | wallet | text | what it may do |
//! | --- | --- | --- |
//! | Google | `7003`, a [`CardNumber`] and eight digits that change every 30 seconds ([`totp`]) | earn; spend up to a limit |
//! | Apple | a fixed number ([`apple::StaticNumber`]), since Apple's passes do not rotate offline | earn only |
//!
//! [`google`] makes the link that saves a card, [`apple`] the file that a phone opens. Both are made whole and signed
//! here, from bytes that were handed in.
//!
//! Invariants: no I/O, no clock, no randomness of its own; equal arguments give equal links and files when the key is
//! RSA (ECDSA signatures differ each time); the secret of a card is derived when needed and stored nowhere; no key, no
//! secret and no name appears in a `Debug` output or an error.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod apple;
mod card_number;
mod color;
pub mod google;
mod key;
pub mod totp;

pub use card_number::CardNumber;
pub use color::Color;
pub use key::KeyError;
pub use totp::{PassKey, PassSecret};
