//! `POST /v1/me/short-codes`

use axum::{
    Json as Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp};
use ledger::{command::Operation, decision::Answer};
use member_card::SpendLimit;
use pos_protocol::Reason;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App, Json, Shopper, openapi::Problems, pos::short_code_hash, problem::Problem, random,
    },
    cards::revoked,
};
use crate::store::StoreError;

/// What a short code begins with.
const PREFIX: &str = "7002";
/// How many codes there are: sixteen digits follow the prefix.
const CODES: u64 = 10_000_000_000_000_000;

/// What the code may do.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShortCodeRequest {
    /// Points the code may spend in its basket, at most 16,777,214; 0 to earn only, absent for no
    /// limit of the shopper's own.
    #[serde(default)]
    #[schema(maximum = 16_777_214)]
    spend_limit: Option<u32>,
}

/// A one-time code.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ShortCodeAnswer {
    /// Twenty digits, to show as Code 128 or to read aloud. Not kept: it cannot be asked for again.
    text: String,
    /// It must first be used before this.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Make a one-time code, for tills that cannot scan a QR code.
#[utoipa::path(
    post, path = "/v1/me/short-codes", tag = "shopper", security(("card" = [])),
    request_body = ShortCodeRequest,
    responses((status = 201, description = "A code", body = ShortCodeAnswer), Problems),
)]
pub(super) async fn make(
    State(app): State<App>,
    shopper: Shopper,
    Json(request): Json<ShortCodeRequest>,
) -> Result<Response, Problem> {
    let spend = match request.spend_limit {
        None => SpendLimit::Unlimited,
        Some(0) => SpendLimit::EarnOnly,
        Some(points) if points <= SpendLimit::POINTS_MAX => SpendLimit::UpTo(points),
        Some(_) => {
            let detail = format!("A spend limit is at most {}.", SpendLimit::POINTS_MAX);
            return Err(Problem::invalid("/spend_limit", detail));
        }
    };
    let in_force = app.store().programme().await?;
    let in_force = in_force.ok_or(StoreError::NoProgramme)?;
    let life_s = in_force.programme.cards.short_code_seconds.get();
    // Taken before the code is made: the phone stops to show it a little too soon, never too late.
    let now = app.now();
    let expires_at = now
        .checked_add(SignedDuration::from_secs(life_s.into()))
        .unwrap_or(now);
    let text = format!("{PREFIX}{:016}", random::below(CODES)?);
    let operation = Operation::MakeShortCode {
        card_id: shopper.card_id,
        hash: short_code_hash(&text),
        spend,
    };
    match app.submit(operation, Some(shopper.member_id)).await? {
        Answer::ShortCodeMade => {
            let answer = ShortCodeAnswer { text, expires_at };
            Ok((StatusCode::CREATED, Body(answer)).into_response())
        }
        Answer::Refused(Reason::CardBlocked) => Err(revoked()),
        other => Err(Problem::fault(format!(
            "a short code was answered {other:?}"
        ))),
    }
}
