//! `POST /v1/pos/purchases`

use std::sync::Arc;

use axum::{extract::State, response::Response};
use ledger::{
    card_use::Till,
    command::{Ask, Payment},
};
use pos_protocol::{MemberId, Points, PurchaseAnswer, PurchaseRequest};

use super::{
    super::{App, Json, Pos, openapi::Problems, problem::Problem},
    Asked, answer, card, fingerprint,
};

/// The sale is complete: capture its hold, or spend in one go, and accrue.
#[utoipa::path(
    post, path = "/v1/pos/purchases", tag = "till", security(("client" = ["pos"])),
    request_body = PurchaseRequest,
    responses((status = 200, description = "Approved or declined", body = PurchaseAnswer), Problems),
)]
pub(super) async fn purchase(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<PurchaseRequest>,
) -> Result<Response, Problem> {
    if let Some(violation) = request.receipt.violation() {
        return Err(Problem::invalid(
            format!("/receipt{}", violation.pointer),
            violation.detail,
        ));
    }
    let fingerprint = fingerprint("purchase", "", &request);
    let (payment, member_hint) = payment(&app, &till, &request).await?;
    let PurchaseRequest {
        request_id,
        basket_id,
        receipt,
        advice,
        ..
    } = request;
    let ask = Ask::Purchase {
        basket_id,
        payment,
        receipt: Arc::new(receipt),
        advice,
    };
    answer(
        &app,
        Asked {
            till,
            request_id,
            fingerprint,
            member_hint,
            ask,
        },
    )
    .await
}

async fn payment(
    app: &App,
    till: &Till,
    request: &PurchaseRequest,
) -> Result<(Payment, Option<MemberId>), Problem> {
    match (&request.card, request.authorization_id) {
        (Some(text), None) => {
            let advice = request.advice.as_ref();
            let scan = card::Scan {
                till,
                basket_id: &request.basket_id,
                at: advice.map_or_else(|| app.now(), |advice| advice.scanned_at),
            };
            let card::ReadCard { proof, member_hint } = card::read(app, text, &scan).await?;
            let redeem = request.redeem_points.unwrap_or(Points::ZERO);
            Ok((
                Payment::Card {
                    card: proof,
                    redeem,
                },
                member_hint,
            ))
        }
        (None, Some(authorization_id)) => {
            let member_hint = app.owner_of_authorization(authorization_id).await?;
            Ok((
                Payment::Authorization {
                    authorization_id,
                    redeem: request.redeem_points,
                },
                member_hint,
            ))
        }
        (Some(_), Some(_)) => Err(Problem::invalid(
            "/authorization_id",
            "Give `card` or `authorization_id`, not both.",
        )),
        (None, None) => Err(Problem::invalid("", "Give `card` or `authorization_id`.")),
    }
}
