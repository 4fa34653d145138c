//! `GET /v1/me`

use std::collections::BTreeMap;

use axum::{Json as Body, extract::State};
use jiff::{Timestamp, civil::Date};
use ledger::{identity::Identity, lot::Lot, member::Card};
use member_card::{CardId, ProgrammeId};
use pos_protocol::Points;
use serde::Serialize;

use super::super::{App, Shopper, openapi::Problems, problem::Problem};
use super::person::{hex_key, place::Places};
use crate::{limits, store::Person};

/// The member as it sees itself. Where records were merged, all of them together.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MeAnswer {
    /// What people call the member by.
    member_no: String,
    /// `active` or `blocked`.
    status: &'static str,
    /// Rank in the programme.
    rank: String,
    /// The member's points.
    points: MyPoints,
    /// The cards that lead to the member, oldest first.
    cards: Vec<MyCard>,
    /// What else leads to the member: shop accounts, verified addresses, sign-ins.
    identities: Vec<MyIdentity>,
    /// Until then the asking card earns and does not spend: it came in by an address lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    earn_only_until: Option<Timestamp>,
    /// What card texts and proofs are signed for.
    #[schema(value_type = String)]
    programme: ProgrammeId,
    /// Number of the newest event of the card's own record.
    event_sequence: i64,
    /// Where a stream of events goes on: say it as `Last-Event-ID`.
    stream_position: String,
    /// The gateway's clock, to correct the phone's.
    #[schema(value_type = String, format = DateTime)]
    server_time: Timestamp,
}

/// Points by what can be done with them.
#[derive(Serialize, utoipa::ToSchema)]
struct MyPoints {
    /// Spendable now.
    available: Points,
    /// Promised to a basket that is open.
    held: Points,
    /// Earned and not yet spendable.
    pending: Points,
    /// Owed after a refund; the next points earned pay it.
    owed: Points,
    /// Spendable points that lapse, soonest first.
    expiring: Vec<Expiring>,
}

/// Spendable points and the last day they can be spent.
#[derive(Serialize, utoipa::ToSchema)]
struct Expiring {
    /// The last day.
    #[schema(value_type = String, format = Date)]
    on: Date,
    /// How many.
    points: Points,
}

/// A card of the member.
#[derive(Serialize, utoipa::ToSchema)]
struct MyCard {
    /// 16 hex digits.
    #[schema(value_type = String)]
    card_id: CardId,
    /// `device` (a phone), `wallet` (a wallet pass) or `plastic`.
    kind: &'static str,
    /// What its owner calls it; for a number, its last digits. Empty if it has no name.
    name: String,
    /// `active` or `revoked`.
    status: &'static str,
    /// Whether it is the card that asks.
    this: bool,
    /// When it was enrolled.
    #[schema(value_type = String, format = DateTime)]
    enrolled_at: Timestamp,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// Something that leads to the member besides cards.
#[derive(Serialize, utoipa::ToSchema)]
struct MyIdentity {
    /// Names it, to give it up: 64 hex digits.
    key: String,
    /// `ec_customer`, `ec_guest`, `email`, `phone` or `openid`.
    kind: &'static str,
    /// The shop or sign-in it belongs to; empty for addresses.
    issuer: String,
    /// The shop's customer number, or the address with most of it hidden.
    label: String,
    /// How it was proved: `link_code`, `one_time_code`, `shop_statement`, `id_token`, `staff`, or `order`
    /// where nobody proved it.
    proof: &'static str,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    proven_at: Timestamp,
}

/// Who am I, and what have I got?
///
/// Where records were merged, this is the whole person: number and rank of the record that stays, the
/// points, cards and identities of all.
#[utoipa::path(
    get, path = "/v1/me", tag = "shopper", security(("card" = [])),
    responses((status = 200, description = "The member", body = MeAnswer), Problems),
)]
pub(super) async fn me(
    State(app): State<App>,
    shopper: Shopper,
) -> Result<Body<MeAnswer>, Problem> {
    let person = app.person_of(&shopper).await?;
    Ok(Body(answer(&app, &shopper, person)))
}

fn answer(app: &App, shopper: &Shopper, person: Person) -> MeAnswer {
    let now = app.now();
    let own = person.record(shopper.member_id);
    let shown = person.cards.iter().take(limits::CARDS_SHOWN_MAX);
    let identities = person.identities.iter();
    let identities = identities.filter(|row| row.revoked_at.is_none());
    let places = Places::newest(shopper.member_id, person.records());
    MeAnswer {
        member_no: person.root.number.to_string(),
        status: person.root.status.word(),
        points: MyPoints {
            available: person.total(|record| record.available),
            held: person.total(|record| record.held),
            pending: person.total(|record| record.pending),
            owed: person.total(|record| record.owed),
            expiring: expiring(&person.lots),
        },
        cards: shown.map(|card| my_card(card, shopper.card_id)).collect(),
        identities: identities.map(my_identity).collect(),
        earn_only_until: own
            .and_then(|record| record.earn_only_until)
            .filter(|until| *until > now),
        programme: app.settings().programme.clone(),
        event_sequence: own.map_or(0, |record| record.event_sequence),
        stream_position: places.to_string(),
        server_time: now,
        rank: person.root.rank,
    }
}

fn my_card(card: &Card, asking: CardId) -> MyCard {
    MyCard {
        card_id: card.id,
        kind: card.kind.word(),
        name: card.name.clone(),
        status: card.status.word(),
        this: card.id == asking,
        enrolled_at: card.enrolled_at,
        revoked_at: card.revoked_at,
    }
}

fn my_identity(row: &Identity) -> MyIdentity {
    MyIdentity {
        key: hex_key(row.key),
        kind: row.kind.word(),
        issuer: row.issuer.clone(),
        label: row.label.clone(),
        proof: row.proof.word(),
        proven_at: row.proven_at,
    }
}

fn expiring(lots: &[Lot]) -> Vec<Expiring> {
    let mut by_day = BTreeMap::<Date, Points>::new();
    for lot in lots.iter().filter(|lot| !lot.available.is_zero()) {
        if let Some(day) = lot.key.expires_on {
            let points = by_day.entry(day).or_default();
            *points = points.saturating_add(lot.available);
        }
    }
    by_day
        .into_iter()
        .map(|(on, points)| Expiring { on, points })
        .collect()
}
