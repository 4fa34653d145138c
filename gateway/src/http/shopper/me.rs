//! `GET /v1/me`

use std::collections::BTreeMap;

use axum::{Json as Body, extract::State};
use jiff::{Timestamp, civil::Date};
use ledger::{lot::Lot, member::Card};
use member_card::{CardId, ProgrammeId};
use pos_protocol::Points;
use serde::Serialize;

use super::super::{App, Shopper, openapi::Problems, problem::Problem};
use crate::{limits, store::MemberRecord};

/// The member as it sees itself.
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
    /// What card texts and proofs are signed for.
    #[schema(value_type = String)]
    programme: ProgrammeId,
    /// Number of the member's newest event: where a stream of events goes on.
    event_sequence: i64,
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

/// Who am I, and what have I got?
#[utoipa::path(
    get, path = "/v1/me", tag = "shopper", security(("card" = [])),
    responses((status = 200, description = "The member", body = MeAnswer), Problems),
)]
pub(super) async fn me(
    State(app): State<App>,
    shopper: Shopper,
) -> Result<Body<MeAnswer>, Problem> {
    let record = app.store().member(shopper.member_id).await?;
    let record = record.ok_or_else(|| Problem::fault("a card leads to no member"))?;
    Ok(Body(answer(&app, shopper.card_id, record)))
}

fn answer(app: &App, asking: CardId, record: MemberRecord) -> MeAnswer {
    let MemberRecord {
        member,
        lots,
        cards,
    } = record;
    let shown = cards.iter().take(limits::CARDS_SHOWN_MAX);
    MeAnswer {
        member_no: member.number.to_string(),
        status: member.status.word(),
        rank: member.rank,
        points: MyPoints {
            available: member.available,
            held: member.held,
            pending: member.pending,
            owed: member.owed,
            expiring: expiring(&lots),
        },
        cards: shown.map(|card| my_card(card, asking)).collect(),
        programme: app.settings().programme.clone(),
        event_sequence: member.event_sequence,
        server_time: app.now(),
    }
}

fn my_card(card: &Card, asking: CardId) -> MyCard {
    MyCard {
        card_id: card.id,
        status: card.status.word(),
        this: card.id == asking,
        enrolled_at: card.enrolled_at,
        revoked_at: card.revoked_at,
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
