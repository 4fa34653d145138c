//! The calls of a phone about its person: what leads there, who it is, and why its points are what they
//! are.

mod addresses;
mod data;
mod links;
pub(super) mod place;
mod why;

use data_encoding::HEXLOWER;
use ledger::{identity::IdentityKey, member::Member};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::super::{
    App, Shopper,
    problem::{Problem, ProblemKind},
};
use crate::store::Person;

/// Every call about a person.
pub(super) fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(links::make_code))
        .routes(routes!(links::enter_code))
        .routes(routes!(links::sign_in))
        .routes(routes!(links::give_up))
        .routes(routes!(addresses::start))
        .routes(routes!(addresses::confirm))
        .routes(routes!(data::profile, data::change_profile))
        .routes(routes!(data::export))
        .routes(routes!(data::erase))
        .routes(routes!(why::why))
}

/// The key of an identity, as a phone names it.
pub(super) fn hex_key(key: IdentityKey) -> String {
    HEXLOWER.encode(&key.0)
}

impl App {
    /// The person that asks.
    pub(super) async fn person_of(&self, shopper: &Shopper) -> Result<Person, Problem> {
        let person = self.store().person(shopper.member_id).await?;
        let person = person.ok_or_else(|| Problem::fault("a card leads to no member"))?;
        not_erased(&person.root)?;
        Ok(person)
    }

    /// The person that asks, if the record that asks may act for all of it: one that took over an address
    /// lately may neither read what others told of themselves nor do what cannot be undone.
    pub(super) async fn trusted_person_of(&self, shopper: &Shopper) -> Result<Person, Problem> {
        let person = self.person_of(shopper).await?;
        let own = person.records().find(|row| row.id == shopper.member_id);
        let until = own.and_then(|row| row.earn_only_until);
        match until.filter(|until| *until > self.now()) {
            None => Ok(person),
            Some(until) => Err(Problem::new(
                ProblemKind::Conflict,
                format!(
                    "earns_only: this phone joined through an address; it may do this from {until} on."
                ),
            )),
        }
    }

    /// The records of the person that asks, the root first.
    pub(super) async fn records_of(&self, shopper: &Shopper) -> Result<Vec<Member>, Problem> {
        let records = self.store().records_of(shopper.member_id).await?;
        let root = records.first();
        not_erased(root.ok_or_else(|| Problem::fault("a card leads to no member"))?)?;
        Ok(records)
    }
}

/// The cards of a person that was erased lead to nobody: the phone begins anew, as with a revoked card.
fn not_erased(root: &Member) -> Result<(), Problem> {
    match root.erased_at {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            ProblemKind::CardRevoked,
            "The person was erased; its cards lead to nobody.",
        )),
    }
}
