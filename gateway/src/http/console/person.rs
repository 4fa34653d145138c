//! Personal data of a member, and what is done to a person: block, unblock, revoke a card, export, erase.

use axum::{
    Json as Body,
    extract::{Path, State, rejection::PathRejection},
};
use ledger::{
    command::{Erasure, Operation},
    decision::Answer,
    member::MemberStatus,
};
use member_card::CardId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json, PathId,
        denied::no,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, reason},
    },
    Why, conflict,
    members::{both, note},
};
use crate::{
    desk::Who,
    person::{export, profile},
    store::Person,
};

/// Open a member's personal data.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/profile", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = Why,
    responses((status = 200, description = "What the member told", body = Value), Problems),
)]
pub(super) async fn profile(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let person = app.person_at(&who).await?;
    let subject = format!("member/{}", person.root.id);
    let act = staff.act(&app, subject, &why, None);
    act.done(&app, move |app| open(app, staff, person, why))
        .await
        .map(Body)
}

async fn open(app: App, staff: Staff, person: Person, why: String) -> Result<Value, Problem> {
    let secrets = app.secrets()?;
    note(&app, &staff, person.ids(), "profile", &why).await?;
    let mut all = Vec::new();
    for row in app.store().profiles(&person.ids()).await? {
        let open = profile::open(secrets, &row).map_err(Problem::fault)?;
        all.push(json!({
            "member_id": row.member_id, "version": row.version, "changed_at": row.changed_at,
            "profile": open.to_export(),
        }));
    }
    Ok(json!({ "profiles": all }))
}

/// Everything that is kept of a person, to hand out.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/export", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = Why,
    responses((status = 200, description = "All of it", body = Value), Problems),
)]
pub(super) async fn export(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let person = app.person_at(&who).await?;
    let subject = format!("member/{}", person.root.id);
    let act = staff.act(&app, subject, &why, None);
    let doing = move |app: App| async move {
        note(&app, &staff, person.ids(), "export", &why).await?;
        let (turns, now) = (app.long_reads.clone(), app.now());
        turns
            .run(async move {
                let secrets = app.settings().secrets.as_deref();
                let all = export::of(app.store(), secrets, &person, now).await;
                all.map_err(not_exported)
            })
            .await
    };
    act.done(&app, doing).await.map(Body)
}

fn not_exported(error: export::ExportError) -> Problem {
    match error {
        export::ExportError::Store(error) => error.into(),
        export::ExportError::NoSecrets => Problem::new(ProblemKind::NotSetUp, format!("{error}.")),
        error => Problem::fault(error),
    }
}

/// Somebody is to be forgotten.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseMember {
    /// The member's number, to say that it is meant.
    confirm: String,
    /// Why, 1 to 200 characters; nothing personal.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// Forget the person behind a member, for ever.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/erase", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = EraseMember,
    responses((status = 200, description = "The person is forgotten", body = Value), Problems),
)]
pub(super) async fn erase(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(request): Json<EraseMember>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let person = app.person_at(&who).await?;
    let mut numbers = person.records().map(|record| record.number.as_str());
    if !numbers.any(|number| number == request.confirm) {
        return Err(Problem::invalid(
            "/confirm",
            "It is not the member's number.",
        ));
    }
    let member_id = person.root.id;
    let act = staff.act(&app, format!("member/{member_id}"), &why, None);
    let erasure = Erasure {
        member_id,
        reason: why,
        actor: staff.actor.to_string(),
    };
    let operation = Operation::Erase(Box::new(erasure));
    let doing = move |app: App| async move {
        match app.submit(operation, Some(member_id)).await? {
            Answer::Done => Ok(json!({ "done": true })),
            other => Err(no(&other)),
        }
    };
    act.done(&app, doing).await.map(Body)
}

/// Block a member: earns nothing, spends nothing.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/block", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = Why,
    responses((status = 200, description = "The status", body = Value), Problems),
)]
pub(super) async fn block(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    set_blocked(&app, &staff, &who, request, true).await
}

/// Let a blocked member take part again.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/unblock", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = Why,
    responses((status = 200, description = "The status", body = Value), Problems),
)]
pub(super) async fn unblock(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    set_blocked(&app, &staff, &who, request, false).await
}

async fn set_blocked(
    app: &App,
    staff: &Staff,
    who: &Who,
    request: Why,
    blocked: bool,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let member_id = app.member_at(who).await?;
    let act = staff.act(app, format!("member/{member_id}"), &why, None);
    let operation = Operation::SetBlocked {
        member_id,
        blocked,
        reason: why,
        actor: staff.actor.to_string(),
    };
    let status = match blocked {
        true => MemberStatus::Blocked,
        false => MemberStatus::Active,
    };
    let doing = move |app: App| async move {
        match app.submit(operation, Some(member_id)).await? {
            Answer::Done => Ok(json!({ "status": status.word() })),
            other => Err(no(&other)),
        }
    };
    act.done(app, doing).await.map(Body)
}

/// Revoke one of a member's cards, for ever.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/cards/{card}/revoke", tag = "console",
    security(("client" = ["admin"])),
    params(
        ("member" = String, Path, description = "Number or id"),
        ("card" = String, Path, description = "The card's id, 16 hex digits"),
    ),
    request_body = Why,
    responses((status = 200, description = "Whether it was good before", body = Value), Problems),
)]
pub(super) async fn revoke_card(
    State(app): State<App>,
    staff: Staff,
    path: Result<Path<(String, String)>, PathRejection>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    let (who, card_id): (Who, CardId) = both(path)?;
    let why = reason(request.reason)?;
    let member_id = app.member_at(&who).await?;
    let act = staff.act(&app, format!("card/{card_id}"), &why, None);
    let operation = Operation::RevokeCard { member_id, card_id };
    let doing = move |app: App| async move {
        match app.submit(operation, Some(member_id)).await? {
            Answer::CardRevoked { changed } => Ok(json!({ "changed": changed })),
            Answer::NotFound => Err(conflict(
                "not_of_member",
                "the card is not one of the member's",
            )),
            other => Err(no(&other)),
        }
    };
    act.done(&app, doing).await.map(Body)
}
