//! The calls of EC shops: a file for each noun.
//!
//! What a shop says of orders is made durable and answered; the intake books it afterwards. What a shopper
//! waits for at a checkout is decided at once, with the answers a till would get: the shop has a till of its
//! own, and an order is its basket.

mod links;
mod orders;
mod spending;
mod webhooks;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    problem::{Problem, ProblemKind},
};
use crate::intake::AcceptError;

/// Every call of a shop.
pub(super) fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::receive))
        .routes(routes!(orders::report))
        .routes(routes!(orders::look))
        .routes(routes!(spending::inquire))
        .routes(routes!(spending::authorize))
        .routes(routes!(spending::void))
        .routes(routes!(spending::stored))
        .routes(routes!(links::make_code))
        .routes(routes!(links::link))
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Full => {
                Self::new(ProblemKind::Overloaded, "Too many messages are waiting.").because(error)
            }
            AcceptError::Store(error) => error.into(),
        }
    }
}
