//! How each record of the ledger is kept: its table, how it is written, how it is read.
//!
//! A column counts as fixed if nothing ever changes it once its row is written; updates leave it
//! out.

mod card_use;
mod event;
mod identity;
mod member;
mod order;
mod points;
mod profile;
mod programme;
mod proposal;
mod request;
mod sale;

pub use event::StoredEvent;
pub(crate) use event::{EVENT_LOG, EVENTS};
pub(crate) use identity::{IDENTITIES, MERGES};
pub(crate) use member::{CARDS, MEMBERS};
pub(crate) use order::ORDERS;
pub(crate) use points::{LOTS, PENDING, TRANSFERS};
pub(crate) use profile::PROFILES;
pub(crate) use programme::PROGRAMMES;
pub(crate) use proposal::PROPOSALS;
pub(crate) use sale::{AUTHORIZATIONS, REFUNDS};

use super::table::Table;

/// Every table.
pub(crate) fn tables() -> [&'static Table; 21] {
    [
        &PROGRAMMES,
        &MEMBERS,
        &CARDS,
        &card_use::CARD_USES,
        &card_use::SHORT_CODES,
        &LOTS,
        &PENDING,
        &AUTHORIZATIONS,
        &sale::PURCHASES,
        &IDENTITIES,
        &identity::LINK_CODES,
        &identity::VERIFICATIONS,
        &PROPOSALS,
        &ORDERS,
        &PROFILES,
        &MERGES,
        &REFUNDS,
        &request::REQUESTS,
        &request::SETTLEMENTS,
        &TRANSFERS,
        &EVENTS,
    ]
}
