//! The store: rows on SQLite or PostgreSQL, one behaviour.
//!
//! SQL keeps and finds rows; it decides nothing. Every id is a UUID, every time a BIGINT of
//! microseconds UTC, every business date a text `YYYY-MM-DD`, every structure JSON as text, so that
//! most statements are one text for both databases.
//!
//! Changes go one way: [`Store::begin`] locks, [`Batch::load`] reads, [`Batch::write`] writes (the
//! lock order is told there), [`Batch::commit`] makes it last. Reads beside it are single statements
//! ([`Store::card`] and its like) or one moment of the whole database ([`Snapshot`]).
//!
//! Inside: `table` turns names of columns into the statements of both databases, `rows` says how each
//! record becomes columns, `sql` carries values to either driver, `connection` runs statements and
//! sees to it that no transaction outlives its batch, `together` runs several in one round trip.

mod batch;
mod by_member;
mod cell;
mod check;
mod connect;
mod connection;
mod diagnosis;
mod ec_reads;
mod error;
mod events;
mod figures;
mod inbox;
mod lease;
mod load;
mod person;
mod programme;
mod read;
mod reference;
mod relay;
mod row;
mod rows;
mod schema;
mod snapshot;
mod sql;
mod staff;
mod table;
mod together;
mod write;

pub use batch::Batch;
pub use by_member::{ByMember, EventHead, OfMember, Unreadable};
pub use connect::{DatabaseUrl, DatabaseUrlError, PoolSizes, Store};
pub use diagnosis::{Diagnosis, PostgresDiagnosis, SqliteDiagnosis};
pub use ec_reads::{ChannelRow, OrderPoints};
pub use error::StoreError;
pub use events::{EventFilter, OutboxStatus, Places};
pub use figures::{ActivityRow, MovedRow, Period, ReachedRow};
pub use inbox::{DeadMessage, Fate, InboxMessage, InboxStatus, NewMessage, Replay, Sent};
pub use lease::{Lease, LeaseName};
pub use person::{Access, Person, SameTerm, SearchTerm};
pub use programme::ProgrammeCache;
pub use read::MemberRecord;
pub use reference::{
    Client, ClientScope, ClientSecret, Creation, NewClient, NewShop, NoRandomness, Role,
    SHOP_ID_CHARS_MAX, ShopOauth, ShopPlatform, ShopRow, ShopSecret, ShopSettings, SigningKeyRow,
    StoreRow, TerminalRow, till_of,
};
pub use relay::{Placed, RelayTurn, Resumed, Term, Waiting};
pub use rows::StoredEvent;
pub use schema::{Applied, SchemaState};
pub use snapshot::{LotBalance, Paged, Snapshot, Span};
pub use staff::StaffAct;
