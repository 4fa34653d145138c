//! `POST /v1/pos/settlements`

use axum::{extract::State, response::Response};
use ledger::command::Ask;
use pos_protocol::{SettlementAnswer, SettlementRequest};

use super::{
    super::{App, Json, Pos, openapi::Problems, problem::Problem},
    Asked, answer, fingerprint,
};

/// Hold the till's totals of a business day against the gateway's.
#[utoipa::path(
    post, path = "/v1/pos/settlements", tag = "till", security(("client" = ["pos"])),
    request_body = SettlementRequest,
    responses((status = 200, description = "Both sides' totals and each difference", body = SettlementAnswer), Problems),
)]
pub(super) async fn settle(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<SettlementRequest>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint("settlement", "", &request);
    let SettlementRequest {
        request_id,
        business_date,
        totals,
    } = request;
    let ask = Ask::Settlement {
        business_date,
        totals,
    };
    answer(
        &app,
        Asked {
            till,
            request_id,
            fingerprint,
            member_hint: None,
            ask,
        },
    )
    .await
}
