//! `GET /v1/programme`

use axum::{Json as Body, extract::State};
use jiff::Timestamp;
use member_card::ProgrammeId;
use serde::Serialize;

use super::super::{App, caller::Peer, openapi::Problems, problem::Problem};
use crate::store::StoreError;

/// What a phone has to know before it makes a key.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ProgrammeAnswer {
    /// What card texts and proofs are signed for.
    #[schema(value_type = String)]
    programme: ProgrammeId,
    /// What shoppers call it.
    name: String,
    /// The gateway's clock, to correct the phone's.
    #[schema(value_type = String, format = DateTime)]
    server_time: Timestamp,
}

/// Which programme is this?
///
/// The one call of a phone without a proof: a phone learns here what to sign for, and what time it is.
#[utoipa::path(
    get, path = "/v1/programme", tag = "shopper",
    responses((status = 200, description = "The programme", body = ProgrammeAnswer), Problems),
)]
pub(super) async fn programme(
    State(app): State<App>,
    peer: Peer,
) -> Result<Body<ProgrammeAnswer>, Problem> {
    app.rates.peer(peer.0)?;
    let in_force = app.store().programme().await?;
    let in_force = in_force.ok_or(StoreError::NoProgramme)?;
    Ok(Body(ProgrammeAnswer {
        programme: in_force.programme.id.clone(),
        name: in_force.programme.name.clone().into(),
        server_time: app.now(),
    }))
}
