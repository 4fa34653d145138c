//! The calls of a shopper's phone: a file for each noun. Each proves itself with the card's key.

mod cards;
pub(super) mod history;
mod me;
mod person;
mod programme;
mod short_codes;
mod stream;
mod wallet_passes;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

/// Every call of a phone.
pub(super) fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(programme::programme))
        .routes(routes!(cards::enrol))
        .routes(routes!(cards::revoke, cards::name))
        .routes(routes!(me::me))
        .routes(routes!(history::history))
        .routes(routes!(stream::stream))
        .routes(routes!(short_codes::make))
        .routes(routes!(wallet_passes::make))
        .merge(person::calls())
}
