//! Persons outside the ledger: their sealed personal data, what they are told, what they may take away,
//! and why their points are what they are.

pub mod export;
pub mod notice;
pub mod profile;
pub mod why;
