//! `GET` and `PUT /v1/me/profile`, `GET /v1/me/export`, `DELETE /v1/me`

use axum::{Json as Body, extract::State, http::StatusCode};
use jiff::Timestamp;
use ledger::{
    calendar,
    command::{Erasure, Operation, ProfileChange},
    decision::Answer,
};
use personal_data::{FieldError, Profile, ProfileInput};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::super::{
    App, Json, Shopper,
    caller::Peer,
    denied::{denied, unexpected},
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::{
    person::{export, profile},
    store::{Person, StoreError},
};

/// Personal data. Nothing in it is compulsory.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ProfileAnswer {
    /// What the change of it must name; 0 before the first.
    version: i64,
    /// Every field, `null` where nothing is told; `null` as a whole before anything was.
    #[schema(value_type = Option<Object>, example = json!({"name": "山田 花子", "kana": "ヤマダ ハナコ", "email": "hanako@example.jp", "phone": "+819012345678", "birthday": "1990-04-01", "postal_code": "150-0001", "consents": []}))]
    profile: Option<Value>,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
}

/// Personal data as it shall be. What is left out is not kept any more.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileRequest {
    /// The version it was changed from; 0 for the first.
    version: i64,
    /// The whole of it: `name`, `kana`, `email`, `phone`, `birthday`, `postal_code`, `consents` (each with
    /// `purpose`, `wording_version`, `given_at` and perhaps `withdrawn_at`).
    #[schema(value_type = Object)]
    profile: ProfileInput,
}

/// That the shopper means it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseRequest {
    /// The word `erase`.
    #[schema(example = "erase")]
    confirm: String,
    /// Why, if the shopper says so. Not free text: it is kept for ever.
    #[serde(default)]
    reason: Option<EraseReason>,
}

/// Why somebody leaves.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum EraseReason {
    /// The membership is not wanted any more.
    NotWanted,
    /// Data about the shopper shall not be kept.
    Privacy,
    /// Anything else.
    Other,
}

impl EraseReason {
    fn text(self) -> &'static str {
        match self {
            Self::NotWanted => "asked by its owner: not_wanted",
            Self::Privacy => "asked by its owner: privacy",
            Self::Other => "asked by its owner: other",
        }
    }
}

/// The profile of the root, or what another record brought along as long as the root has none.
async fn read(app: &App, person: &Person) -> Result<ProfileAnswer, Problem> {
    let root = person.root.id;
    let version = app.store().profile_version(root).await?;
    let rows = app.store().profiles(&person.ids()).await?;
    let row = rows.iter().find(|row| row.member_id == root);
    let Some(row) = row.or(rows.first()) else {
        return Ok(ProfileAnswer {
            version,
            profile: None,
            changed_at: None,
        });
    };
    let opened = profile::open(app.secrets()?, row).map_err(Problem::fault)?;
    Ok(ProfileAnswer {
        version,
        profile: Some(opened.to_export()),
        changed_at: Some(row.changed_at),
    })
}

/// What have I told of myself?
#[utoipa::path(
    get, path = "/v1/me/profile", tag = "shopper", security(("card" = [])),
    responses((status = 200, description = "The profile", body = ProfileAnswer), Problems),
)]
pub(super) async fn profile(
    State(app): State<App>,
    shopper: Shopper,
) -> Result<Body<ProfileAnswer>, Problem> {
    app.secrets()?;
    let person = app.trusted_person_of(&shopper).await?;
    Ok(Body(read(&app, &person).await?))
}

/// Tell something of myself, or nothing any more.
///
/// The whole profile takes the place of what was there, if nobody changed it meanwhile. It is encrypted
/// under a key of the member's own; an address in it is not proved by standing there.
#[utoipa::path(
    put, path = "/v1/me/profile", tag = "shopper", security(("card" = [])),
    request_body = ProfileRequest,
    responses((status = 200, description = "The profile as it is now", body = ProfileAnswer), Problems),
)]
pub(super) async fn change_profile(
    State(app): State<App>,
    shopper: Shopper,
    Json(request): Json<ProfileRequest>,
) -> Result<Body<ProfileAnswer>, Problem> {
    let secrets = app.secrets()?;
    let in_force = app.store().programme().await?;
    let in_force = in_force.ok_or(StoreError::NoProgramme)?;
    let today = calendar::today(&in_force.programme, app.now());
    let told = Profile::parse(&request.profile, today).map_err(|error| misfit(&error))?;
    let person = app.trusted_person_of(&shopper).await?;
    let root = person.root.id;
    let change = ProfileChange {
        member_id: root,
        replaces: request.version,
        sealed: profile::seal(secrets, root, &told).map_err(Problem::fault)?,
        actor: format!("card:{}", shopper.card_id),
    };
    let operation = Operation::SetProfile(Box::new(change));
    match app.submit(operation, Some(root)).await? {
        Answer::Done => Ok(Body(read(&app, &person).await?)),
        Answer::Denied(denial) => Err(denied(denial)),
        other => Err(unexpected(&other)),
    }
}

fn misfit(error: &FieldError) -> Problem {
    let FieldError { field, fault } = error;
    Problem::invalid(
        format!("/profile/{}", field.as_str()),
        format!("It {fault}."),
    )
}

/// Everything that is kept of me.
///
/// Profile, records, cards, identities, lots, movements, purchases with their receipts, orders, merges, and
/// who else opened the personal data.
#[utoipa::path(
    get, path = "/v1/me/export", tag = "shopper", security(("card" = [])),
    responses((status = 200, description = "All of it", body = Value), Problems),
)]
pub(super) async fn export(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
) -> Result<Body<Value>, Problem> {
    // It reads a lot; a shopper needs it rarely.
    app.rates.guess(shopper.member_id, peer.0)?;
    let person = app.trusted_person_of(&shopper).await?;
    let secrets = app.settings().secrets.as_deref();
    let all = export::of(app.store(), secrets, &person, app.now()).await;
    all.map(Body).map_err(|error| match error {
        export::ExportError::Store(error) => error.into(),
        export::ExportError::NoSecrets => Problem::new(ProblemKind::NotSetUp, format!("{error}.")),
        error => Problem::fault(error),
    })
}

/// Forget me: personal data and its key are destroyed, identities are deleted, points lapse, cards lead to
/// nobody. What was booked stays, without a person behind it. It cannot be undone.
#[utoipa::path(
    delete, path = "/v1/me", tag = "shopper", security(("card" = [])),
    request_body = EraseRequest,
    responses((status = 204, description = "The person is forgotten"), Problems),
)]
pub(super) async fn erase(
    State(app): State<App>,
    shopper: Shopper,
    Json(request): Json<EraseRequest>,
) -> Result<StatusCode, Problem> {
    if request.confirm != "erase" {
        return Err(Problem::invalid("/confirm", "Say `erase`."));
    }
    app.trusted_person_of(&shopper).await?;
    let reason = request
        .reason
        .map_or("asked by its owner", EraseReason::text);
    let erasure = Erasure {
        member_id: shopper.member_id,
        reason: reason.to_owned(),
        actor: format!("card:{}", shopper.card_id),
    };
    let operation = Operation::Erase(Box::new(erasure));
    match app.submit(operation, Some(shopper.member_id)).await? {
        Answer::Done => Ok(StatusCode::NO_CONTENT),
        Answer::Denied(denial) => Err(denied(denial)),
        other => Err(unexpected(&other)),
    }
}
