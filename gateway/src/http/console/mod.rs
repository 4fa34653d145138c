//! The calls of the staff console. `docs/console.md` tells them with examples; who may make which is in
//! [`staff`](super::staff).
//!
//! Handlers hold no rule: they name whom and what is meant, note the act, and hand on a command, or write
//! reference data.

mod adjustments;
mod clients;
mod figures;
mod health;
mod members;
mod merging;
mod person;
mod places;
mod session;
mod shops;
mod turns;

pub(super) use figures::FigureCache;
pub(super) use turns::Turns;

use axum::{
    Json as Body,
    http::{HeaderName, StatusCode, header},
};
use pos_protocol::MemberId;
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    problem::{Problem, ProblemKind},
};
use crate::{
    desk::{NotFound, Who},
    store::{Creation, Person},
};

/// Every call of the console.
pub(super) fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session::ways))
        .routes(routes!(session::begin))
        .routes(routes!(session::me))
        .routes(routes!(members::search))
        .routes(routes!(members::record))
        .routes(routes!(members::history))
        .routes(routes!(members::why))
        .routes(routes!(members::orders))
        .routes(routes!(person::profile))
        .routes(routes!(person::export))
        .routes(routes!(person::erase))
        .routes(routes!(person::block))
        .routes(routes!(person::unblock))
        .routes(routes!(person::revoke_card))
        .routes(routes!(adjustments::adjust))
        .routes(routes!(adjustments::list))
        .routes(routes!(adjustments::approve))
        .routes(routes!(adjustments::refuse))
        .routes(routes!(merging::candidates))
        .routes(routes!(merging::preview))
        .routes(routes!(merging::merge))
        .routes(routes!(merging::preview_unmerge))
        .routes(routes!(merging::unmerge))
        .routes(routes!(places::stores, places::create_store))
        .routes(routes!(places::terminals, places::create_terminal))
        .routes(routes!(clients::list, clients::create))
        .routes(routes!(clients::rotate))
        .routes(routes!(clients::disable))
        .routes(routes!(shops::list, shops::create))
        .routes(routes!(shops::rotate))
        .routes(routes!(shops::disable))
        .routes(routes!(health::health))
        .routes(routes!(health::dead_letters))
        .routes(routes!(health::replay))
        .routes(routes!(health::acts))
        .routes(routes!(figures::figure))
        .routes(routes!(figures::definition))
}

/// Why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Why, 1 to 200 characters; kept for ever and told to the CRM: nothing personal.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

impl From<NotFound> for Problem {
    fn from(error: NotFound) -> Self {
        match error {
            NotFound::Nobody => nobody(),
            NotFound::Store(error) => error.into(),
        }
    }
}

fn nobody() -> Problem {
    Problem::new(ProblemKind::UnknownResource, "There is no such member.")
}

/// An answer that holds a secret, which nothing on the way may keep.
type Secret = ([(HeaderName, &'static str); 1], Body<Value>);

fn secret(answer: Value) -> Secret {
    ([(header::CACHE_CONTROL, "no-store")], Body(answer))
}

/// What was made.
type Made<T> = (StatusCode, T);

/// Nothing, if it was made; why not, otherwise.
fn created(creation: Creation, what: &str, place: &str) -> Result<(), Problem> {
    match creation {
        Creation::Created => Ok(()),
        Creation::Exists => Err(conflict(
            "exists",
            format!("there is such a {what} already"),
        )),
        Creation::NoSuchPlace => Err(Problem::invalid(place, "There is no such place.")),
    }
}

fn conflict(word: &str, text: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Conflict, format!("{word}: {text}."))
}

impl App {
    /// The person that `{member}` in a path or body means.
    async fn person_at(&self, who: &Who) -> Result<Person, Problem> {
        let id = who.find(self.store()).await?;
        let person = self.store().person(id).await?;
        person.ok_or_else(nobody)
    }

    /// The record that `{member}` means.
    async fn member_at(&self, who: &Who) -> Result<MemberId, Problem> {
        Ok(who.find(self.store()).await?)
    }
}
