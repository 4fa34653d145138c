//! Reference data: clients, stores, terminals, EC shops, signing keys. Small tables that change by hand.
//!
//! These rows hold no points, so they are written directly, one statement each, not through the
//! writer. A till's client names its terminal and the terminal its store; the rows are bound by
//! foreign keys, so a token can never name a place that does not exist.
//!
//! **Secrets.** A client's secret is 256 random bits made here, and only its SHA-256 is kept. No
//! slow hash: those protect secrets that people choose and others can guess. Nobody guesses 256
//! bits, and a slow hash would let anybody who can reach the token endpoint burn our processors.

mod clients;
mod places;
mod shops;
mod signing_keys;

pub use clients::{Client, ClientScope, ClientSecret, NewClient, NoRandomness, Role};
pub use places::{StoreRow, TerminalRow};
pub use shops::{
    NewShop, SHOP_ID_CHARS_MAX, ShopOauth, ShopPlatform, ShopRow, ShopSecret, ShopSettings, till_of,
};
pub use signing_keys::SigningKeyRow;
pub(super) use signing_keys::statements;

use jiff::Timestamp;

use super::StoreError;

/// What became of a row that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Created,
    /// A row of that id was there; it was left alone.
    Exists,
    /// The store or terminal it names does not exist; nothing was made.
    NoSuchPlace,
}

/// Has `$read` answered, with `$connection` standing for a connection to either database.
macro_rules! on_read {
    ($store:expr, $connection:ident => $read:expr) => {{
        use $crate::store::connection::{Connection, Handle};
        let mut taken = Connection::brief($store).await?;
        match &mut taken.handle {
            Handle::Postgres($connection) => {
                let $connection = &mut **$connection;
                taken.patience.wait($read).await?
            }
            Handle::Sqlite($connection) => {
                let $connection = &mut **$connection;
                taken.patience.wait($read).await?
            }
        }
    }};
}
/// Runs `$body` with `$pool` standing for the write pool of either database.
macro_rules! on_write {
    ($store:expr, $pool:ident => $body:expr) => {
        match $store {
            $crate::store::Store::Postgres { write: $pool, .. } => $body,
            $crate::store::Store::Sqlite { write: $pool, .. } => $body,
        }
    };
}
use {on_read, on_write};

fn created(rows: u64) -> Creation {
    if rows == 1 {
        Creation::Created
    } else {
        Creation::Exists
    }
}

fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros)
        .map_err(|_| StoreError::Corrupt(format!("{micros} is no time")))
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}
