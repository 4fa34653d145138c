//! `GET /v1/pos/requests/{request_id}`

use axum::{extract::State, response::Response};
use pos_protocol::RequestId;

use super::{
    super::{
        App, PathId, Pos,
        openapi::Problems,
        problem::{Problem, ProblemKind},
    },
    json,
};

/// The stored answer of a request of this terminal, byte for byte.
///
/// 404 means that the request never arrived: send it again under the same id.
#[utoipa::path(
    get, path = "/v1/pos/requests/{request_id}", tag = "till", security(("client" = ["pos"])),
    params(("request_id" = RequestId, Path, description = "The till's name for the request")),
    responses(
        (status = 200, description = "The answer as it was given", content_type = "application/json", body = serde_json::Value),
        Problems,
    ),
)]
pub(super) async fn stored(
    State(app): State<App>,
    Pos(till): Pos,
    PathId(request_id): PathId<RequestId>,
) -> Result<Response, Problem> {
    match app.store().request(&till.terminal_id, &request_id).await? {
        Some(stored) => Ok(json(&stored.answer)),
        None => Err(Problem::new(
            ProblemKind::UnknownResource,
            "No request of this id was answered here.",
        )),
    }
}
