//! `POST /v1/pos/inquiries`

use axum::{extract::State, response::Response};
use ledger::command::Ask;
use pos_protocol::{InquiryAnswer, InquiryRequest};

use super::{
    super::{App, Json, Pos, openapi::Problems, problem::Problem},
    Asked, answer, card, fingerprint,
};

/// Whose card is this, and what can it spend here?
///
/// Binds the card text to the basket.
#[utoipa::path(
    post, path = "/v1/pos/inquiries", tag = "till", security(("client" = ["pos"])),
    request_body = InquiryRequest,
    responses((status = 200, description = "Approved or declined", body = InquiryAnswer), Problems),
)]
pub(super) async fn inquire(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<InquiryRequest>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint("inquiry", "", &request);
    let InquiryRequest {
        request_id,
        basket_id,
        card,
    } = request;
    let scan = card::Scan {
        till: &till,
        basket_id: &basket_id,
        at: app.now(),
    };
    let card::ReadCard { proof, member_hint } = card::read(&app, &card, &scan).await?;
    let ask = Ask::Inquiry {
        basket_id,
        card: proof,
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
