//! The store: rows on SQLite or PostgreSQL, one behaviour.
//!
//! SQL keeps and finds rows; it decides nothing. Every id is a UUID, every time a BIGINT of
//! microseconds UTC, every business date a text `YYYY-MM-DD`, every structure JSON as text, so that
//! most statements are one text for both databases.

mod connect;
mod error;
mod reference;

pub use connect::{DatabaseUrl, DatabaseUrlError, PoolSizes, Store};
pub use error::StoreError;
pub use reference::{
    Client, ClientScope, ClientSecret, Creation, NewClient, SigningKeyRow, StoreRow, TerminalRow,
};
