//! `POST /v1/pos/authorizations` and `…/{id}/void`

use axum::{extract::State, response::Response};
use ledger::command::Ask;
use pos_protocol::{
    AuthorizationAnswer, AuthorizationId, AuthorizationRequest, VoidAnswer, VoidRequest,
};

use super::{
    super::{App, Json, PathId, Pos, openapi::Problems, problem::Problem},
    Asked, answer, card, fingerprint,
};

/// Hold points for a basket.
#[utoipa::path(
    post, path = "/v1/pos/authorizations", tag = "till", security(("client" = ["pos"])),
    request_body = AuthorizationRequest,
    responses((status = 200, description = "Approved or declined", body = AuthorizationAnswer), Problems),
)]
pub(super) async fn authorize(
    State(app): State<App>,
    Pos(till): Pos,
    Json(request): Json<AuthorizationRequest>,
) -> Result<Response, Problem> {
    if request.points.is_zero() {
        return Err(Problem::invalid(
            "/points",
            "An authorization holds at least 1 point.",
        ));
    }
    let fingerprint = fingerprint("authorization", "", &request);
    let AuthorizationRequest {
        request_id,
        basket_id,
        card,
        points,
    } = request;
    let scan = card::Scan {
        till: &till,
        basket_id: &basket_id,
        at: app.now(),
    };
    let card::ReadCard { proof, member_hint } = card::read(&app, &card, &scan).await?;
    let ask = Ask::Authorization {
        basket_id,
        card: proof,
        points,
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

/// Let a hold go before it is captured.
#[utoipa::path(
    post, path = "/v1/pos/authorizations/{id}/void", tag = "till", security(("client" = ["pos"])),
    params(("id" = AuthorizationId, Path, description = "The authorization")),
    request_body = VoidRequest,
    responses((status = 200, description = "Approved or declined", body = VoidAnswer), Problems),
)]
pub(super) async fn void(
    State(app): State<App>,
    Pos(till): Pos,
    PathId(authorization_id): PathId<AuthorizationId>,
    Json(request): Json<VoidRequest>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint("void", &authorization_id.to_string(), &request);
    let member_hint = app.owner_of_authorization(authorization_id).await?;
    let ask = Ask::Void { authorization_id };
    answer(
        &app,
        Asked {
            till,
            request_id: request.request_id,
            fingerprint,
            member_hint,
            ask,
        },
    )
    .await
}
