//! `GET /v1/events/{event_id}`: an event that did not fit into its message, whole.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use pos_protocol::EventId;

use super::{
    Admin, App, PathId,
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::cloud_event::{CLOUD_EVENT_JSON, CloudEvent};

/// A whole event, as CloudEvents 1.0 in structured JSON.
///
/// A message of more than 64 KiB is sent without the lines of its receipt; its attribute `dataref`
/// leads here.
#[utoipa::path(
    get, path = "/v1/events/{event_id}", tag = "events", security(("client" = ["admin"])),
    params(("event_id" = EventId, Path, description = "The event's id; also the message id")),
    responses(
        (status = 200, description = "The event; `docs/asyncapi.yaml` describes every type", content_type = "application/cloudevents+json", body = serde_json::Value),
        Problems,
    ),
)]
pub(super) async fn event(
    State(app): State<App>,
    _: Admin,
    PathId(event_id): PathId<EventId>,
) -> Result<Response, Problem> {
    let Some(event) = app.store().event(event_id).await? else {
        return Err(Problem::new(
            ProblemKind::UnknownResource,
            "There is no event of this id.",
        ));
    };
    let event = CloudEvent::whole(event, &app.settings().programme).map_err(Problem::fault)?;
    let body = serde_json::to_vec(&event).map_err(Problem::fault)?;
    let media_type = HeaderValue::from_static(CLOUD_EVENT_JSON);
    Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
}
