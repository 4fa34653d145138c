//! `POST /v1/pos/reversals`

use axum::{extract::State, response::Response};
use ledger::command::Ask;
use pos_protocol::{ReversalAnswer, ReversalRequest};

use super::{
    super::{App, Json, Pos, openapi::Problems, problem::Problem},
    Asked, answer, fingerprint,
};

/// Undo a request whose answer never came, whether or not it ever arrived.
///
/// Repeat it until it is acknowledged. A late original is declined `reversed`.
#[utoipa::path(
    post, path = "/v1/pos/reversals", tag = "till", security(("client" = ["pos"])),
    request_body = ReversalRequest,
    responses((status = 200, description = "Approved or declined", body = ReversalAnswer), Problems),
)]
pub(super) async fn reverse(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<ReversalRequest>,
) -> Result<Response, Problem> {
    if request.original_request_id == request.request_id {
        return Err(Problem::invalid(
            "/original_request_id",
            "A reversal has a request id of its own.",
        ));
    }
    let fingerprint = fingerprint("reversal", "", &request);
    let ReversalRequest {
        request_id,
        original_request_id,
    } = request;
    let member_hint = app
        .store()
        .request_owner(&till.terminal_id, &original_request_id)
        .await?;
    let ask = Ask::Reversal {
        original_request_id,
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
