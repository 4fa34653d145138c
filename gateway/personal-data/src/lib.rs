//! Personal data of members: read in the forms people write, kept sealed, found by keyed hash.
//!
//! [`Profile`] is what a member tells of themselves; each field is a type of its own that holds one normal
//! form. [`seal`] encrypts a profile under a key of its own, which one of the [`MasterKeys`] wraps; [`open`]
//! reads it again; [`letter`] does so for what others wrote of people. Sealed rows cannot be searched, so [`IndexKey`] makes keyed hashes of the normal forms, and
//! equal hashes mean equal values. [`LinkCode`] and [`OneTimeCode`] are codes that people read and type.
//!
//! What always holds: no I/O, no clock, no randomness, no panic; no value, key or code shows in `Debug` or in
//! an error. What a field once let in it lets in for ever, since stored profiles are read by the same rules;
//! and a normal form, once stored as a hash, never changes: the tests hold both.
//!
//! Reading order: [`field`] (what can be wrong), the fields, [`profile`], [`master_keys`] and [`sealed`],
//! [`index`], [`code`].

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod code;
pub mod field;
pub mod index;
pub mod letter;
pub mod master_keys;
pub mod profile;
pub mod sealed;

mod birth_date;
mod consent;
mod email;
mod fold;
mod kana;
mod name;
mod phone;
mod postal_code;

pub use birth_date::BirthDate;
pub use code::{CodeError, LinkCode, OneTimeCode};
pub use consent::{Consent, ConsentInput};
pub use email::Email;
pub use field::{Fault, Field, FieldError};
pub use index::{Address, IndexKey, IndexKeyError, KeyedHash, Terms};
pub use kana::Kana;
pub use letter::{LETTER_RANDOM_BYTES, letter_needs_reseal, open_letter, seal_letter};
pub use master_keys::{MasterKey, MasterKeys, MasterKeysError};
pub use name::Name;
pub use phone::Phone;
pub use postal_code::PostalCode;
pub use profile::{Profile, ProfileInput};
pub use sealed::{
    OpenError, REWRAP_RANDOM_BYTES, SEAL_RANDOM_BYTES, SealError, SealedProfile, open, rewrap, seal,
};
