//! `POST /v1/pos/link-codes`
//!
//! How a plastic card gets into the app: the cashier, who has the card at hand, has a code printed, and the
//! shopper types it on the phone. A number that somebody only knows is not enough.

use axum::{Json as Body, extract::State, http::StatusCode};
use jiff::Timestamp;
use ledger::{
    card_use::CardProof,
    command::{MakeLinkCode, Operation, Side},
    decision::Answer,
};
use personal_data::LinkCode;
use pos_protocol::BasketId;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App, Json, Pos,
        denied::{denied, unexpected},
        openapi::Problems,
        problem::{Problem, ProblemKind},
    },
    card::{self, Scan},
};
use crate::{claims, secrets::random};

/// A card that is at the till and wants to be linked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkCodeRequest {
    /// The basket, as for an inquiry.
    basket_id: BasketId,
    /// The scanned text of a plastic card.
    card: String,
}

/// A code that links whoever enters it to the card's member.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkCodeAnswer {
    /// To print for the shopper: `CFHJ-2345`.
    code: String,
    /// It must be entered before this.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A code for the owner of a plastic card to type into the app.
#[utoipa::path(
    post, path = "/v1/pos/link-codes", tag = "till", security(("client" = ["pos"])),
    request_body = LinkCodeRequest,
    responses((status = 201, description = "A code", body = LinkCodeAnswer), Problems),
)]
pub(super) async fn make(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<LinkCodeRequest>,
) -> Result<(StatusCode, Body<LinkCodeAnswer>), Problem> {
    app.rates.till_code(&till.terminal_id)?;
    let index = &app.secrets()?.index;
    let scan = Scan {
        till: &till,
        basket_id: &request.basket_id,
        at: app.now(),
    };
    let read = card::read(&app, &request.card, &scan).await?;
    let CardProof::Number { card_id, .. } = read.proof else {
        return Err(Problem::new(
            ProblemKind::UnknownResource,
            "This is no plastic card that is known.",
        ));
    };
    let code = LinkCode::from_random(random().map_err(Problem::fault)?);
    let make = MakeLinkCode {
        hash: claims::link_code(index, &code),
        side: Side::Card(card_id),
        shown_by: format!("till:{}", till.terminal_id),
        newcomer: app.newcomer().await?,
    };
    let operation = Operation::MakeLinkCode(Box::new(make));
    match app.submit(operation, read.member_hint).await? {
        Answer::CodeMade { expires_at, .. } => {
            let code = code.to_text();
            Ok((
                StatusCode::CREATED,
                Body(LinkCodeAnswer { code, expires_at }),
            ))
        }
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "This is no plastic card that is known.",
        )),
        Answer::Denied(denial) => Err(denied(denial)),
        other => Err(unexpected(&other)),
    }
}
