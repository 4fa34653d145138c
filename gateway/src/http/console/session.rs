//! `GET /v1/admin/sign-in`, `POST /v1/admin/sessions`, `GET /v1/admin/me`

use axum::{Json as Body, extract::State, http::StatusCode};
use outbound::openid::VerifyError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json,
        caller::Peer,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, calls_of},
        token::refused,
    },
    Made, Secret, secret,
};
use crate::{limits, sign_in::NONCE_SECRET_CHARS, store::StoreError};

/// A sign-in that came back.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionRequest {
    /// The signed ID token.
    id_token: String,
    /// The secret that the sign-in's nonce was made of.
    nonce: String,
}

/// Which ways are there to sign in?
#[utoipa::path(
    get, path = "/v1/admin/sign-in", tag = "console",
    responses((status = 200, description = "The ways", body = Value), Problems),
)]
pub(super) async fn ways(State(app): State<App>) -> Body<Value> {
    let sign_in = app.settings().staff_sign_in.as_ref();
    let issuers = sign_in.into_iter().flat_map(|sign_in| sign_in.issuers());
    let openid = issuers.map(|issuer| {
        json!({
            "issuer": issuer.url, "name": issuer.name, "client_id": issuer.client_ids.first(),
            "authorization_url": issuer.authorization_url,
        })
    });
    Body(json!({ "client_credentials": true, "openid": openid.collect::<Vec<_>>() }))
}

/// Sign in with the brand's OpenID.
#[utoipa::path(
    post, path = "/v1/admin/sessions", tag = "console", request_body = SessionRequest,
    responses((status = 201, description = "A token for a short while", body = Value), Problems),
)]
pub(super) async fn begin(
    State(app): State<App>,
    peer: Peer,
    Json(request): Json<SessionRequest>,
) -> Result<Made<Secret>, Problem> {
    app.rates.peer(peer.0)?;
    let sign_in = app.settings().staff_sign_in.as_ref().ok_or_else(|| {
        let detail = "The gateway takes no sign-in of staff (`--staff-openid`).";
        Problem::new(ProblemKind::NotSetUp, detail)
    })?;
    if !NONCE_SECRET_CHARS.contains(&request.nonce.chars().count()) {
        return Err(Problem::invalid("/nonce", "It has 16 to 128 characters."));
    }
    let now = app.now();
    let verified = sign_in.verify(&request.id_token, &request.nonce, now).await;
    let who = verified.map_err(|error| match error {
        VerifyError::Refused(why) => refused(&why.to_string()),
        provider => Problem::new(
            ProblemKind::Unavailable,
            "The sign-in provider does not answer.",
        )
        .because(provider),
    })?;
    let role = who.role.ok_or_else(|| {
        let detail = "The sign-in is good, and gives no role at this gateway.";
        Problem::new(ProblemKind::RoleNotAllowed, detail)
    })?;
    let signer = app.keys.signer(now).await?;
    let id = app.clock().new_id();
    let access_token = app
        .tokens
        .issue_to_staff(&signer, &who.actor, role, id, now)?;
    // The subject may be an address: who it was is in the acts, not in the log.
    tracing::info!(staff.role = role.word(), "staff.signed_in");
    let answer = secret(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": limits::STAFF_SESSION_S,
        "role": role.word(),
        "actor": who.actor,
    }));
    Ok((StatusCode::CREATED, answer))
}

/// Who am I, and what may I do?
#[utoipa::path(
    get, path = "/v1/admin/me", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Actor, role and calls", body = Value), Problems),
)]
pub(super) async fn me(State(app): State<App>, staff: Staff) -> Result<Body<Value>, Problem> {
    let in_force = app.store().programme().await?;
    let programme = in_force.ok_or(StoreError::NoProgramme)?.programme;
    let desk = &programme.desk;
    Ok(Body(json!({
        "actor": staff.actor,
        "role": staff.role.word(),
        "programme": programme.id,
        "programme_name": programme.name,
        "classes": programme.classes.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "adjustments": {
            "alone_points_max": desk.alone_points_max,
            "alone_points_per_day_max": desk.alone_points_per_day_max,
            "proposal_hours": desk.proposal_hours,
        },
        "personal_data": app.settings().secrets.is_some(),
        "calls": calls_of(staff.role).collect::<Vec<_>>(),
    })))
}
