//! Adjustments, and the proposals that another person approves or refuses. Which of both it is, the ledger says.

use axum::{Json as Body, extract::State};
use jiff::{SignedDuration, Timestamp};
use ledger::{
    command::{Adjustment, AdjustmentRequest, Direction, Operation, ProposalDecision},
    decision::Answer,
    programme::BASE_CLASS,
    proposal::{Proposal, ProposalState},
};
use pos_protocol::{Points, StoreId};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        App, Json, PathId, Query,
        denied::no,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, reason, told},
    },
    Why, nobody,
};
use crate::{
    desk::{self, ScopeError, Who},
    limits,
    store::StoreError,
};

/// Points are to be granted or taken.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdjustmentAsk {
    /// `grant` or `take`.
    direction: String,
    /// How many, at least 1.
    points: Points,
    /// Class of the points granted; `base` if absent.
    #[serde(default)]
    class: Option<String>,
    /// Granted points can only be spent at these stores.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    only_stores: Vec<StoreId>,
    /// Granted points can only be spent on goods of these categories.
    #[serde(default)]
    only_categories: Vec<String>,
    /// Why, 1 to 200 characters; nothing personal.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// Grant or take points; beyond a limit only propose it.
#[utoipa::path(
    post, path = "/v1/admin/members/{member}/adjustments", tag = "console", security(("client" = ["admin"])),
    params(("member" = String, Path, description = "Number or id")), request_body = AdjustmentAsk,
    responses((status = 200, description = "Booked, or proposed", body = Value), Problems),
)]
pub(super) async fn adjust(
    State(app): State<App>,
    staff: Staff,
    PathId(who): PathId<Who>,
    Json(ask): Json<AdjustmentAsk>,
) -> Result<Body<Value>, Problem> {
    let why = reason(ask.reason.clone())?;
    let adjustment = adjustment(&app, &staff, &who, ask, why).await?;
    let (member_id, points) = (adjustment.member_id, adjustment.points);
    let subject = format!("member/{member_id}");
    let act = staff.act(&app, subject, &adjustment.reason, Some(points));
    let id = act.id();
    let doing = move |app| request(app, id, adjustment);
    let outcome = |proposed: &Option<Uuid>| match proposed {
        Some(_) => "proposed",
        None => "done",
    };
    let proposed = act.run(&app, doing, outcome).await?;
    told(answer(&app, member_id, proposed).await).map(Body)
}

async fn adjustment(
    app: &App,
    staff: &Staff,
    who: &Who,
    ask: AdjustmentAsk,
    reason: String,
) -> Result<Adjustment, Problem> {
    let direction = Direction::from_word(&ask.direction);
    let direction =
        direction.ok_or_else(|| Problem::invalid("/direction", "It is `grant` or `take`."))?;
    if ask.points.is_zero() {
        return Err(Problem::invalid("/points", "At least 1."));
    }
    let limited = !ask.only_stores.is_empty() || !ask.only_categories.is_empty();
    if direction == Direction::Take && (limited || ask.class.is_some()) {
        let detail = "Class, stores and categories go with `grant`.";
        return Err(Problem::invalid("/class", detail));
    }
    let class = ask.class.unwrap_or_else(|| BASE_CLASS.to_owned());
    let programme = app.store().programme().await?;
    let programme = programme.ok_or(StoreError::NoProgramme)?.programme;
    if programme.classes.get(&class).is_none() {
        return Err(Problem::invalid(
            "/class",
            "The programme has no such class.",
        ));
    }
    let scope = desk::scope(app.store(), ask.only_stores, ask.only_categories).await;
    let scope = scope.map_err(|error| match error {
        ScopeError::Stores(why) => Problem::invalid("/only_stores", format!("{why}.")),
        ScopeError::Categories(why) => Problem::invalid("/only_categories", format!("{why}.")),
        ScopeError::Store(error) => error.into(),
    })?;
    let person = app.person_at(who).await?;
    Ok(Adjustment {
        member_id: person.root.id,
        direction,
        points: ask.points,
        class,
        scope,
        reason,
        actor: staff.actor.to_string(),
    })
}

/// Has it booked, or proposed: the proposal then.
async fn request(app: App, act_id: Uuid, adjustment: Adjustment) -> Result<Option<Uuid>, Problem> {
    let day = SignedDuration::from_hours(limits::ADJUSTED_ALONE_HOURS);
    let since = app.now().checked_sub(day).unwrap_or(Timestamp::UNIX_EPOCH);
    let store = app.store();
    let within_a_day = store
        .adjusted_alone(&adjustment.actor, since, act_id)
        .await?;
    let member_id = adjustment.member_id;
    let request = AdjustmentRequest {
        adjustment,
        within_a_day,
    };
    let operation = Operation::RequestAdjustment(Box::new(request));
    match app.submit(operation, Some(member_id)).await? {
        Answer::Done => Ok(None),
        Answer::Proposed { id, .. } => Ok(Some(id)),
        other => Err(no(&other)),
    }
}

async fn answer(
    app: &App,
    member_id: pos_protocol::MemberId,
    proposed: Option<Uuid>,
) -> Result<Value, Problem> {
    let person = app.store().person(member_id).await?.ok_or_else(nobody)?;
    let proposal = match proposed {
        Some(id) => Some(shown(app, id).await?),
        None => None,
    };
    Ok(json!({
        "outcome": if proposal.is_some() { "proposed" } else { "done" },
        "proposal": proposal,
        "points": { "available": person.total(|record| record.available) },
    }))
}

/// A proposal as it stands.
pub(super) fn proposal(row: &Proposal, member_no: &str, now: Timestamp) -> Value {
    let over = row.state == ProposalState::Open && now >= row.expires_at;
    let adjustment = &row.adjustment;
    json!({
        "proposal_id": row.id,
        "member_id": adjustment.member_id,
        "member_no": member_no,
        "direction": adjustment.direction.word(),
        "points": adjustment.points,
        "class": adjustment.class,
        "scope": adjustment.scope,
        "reason": adjustment.reason,
        "proposed_by": adjustment.actor,
        "proposed_at": row.proposed_at,
        "expires_at": row.expires_at,
        "state": if over { "expired" } else { row.state.word() },
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "decision_reason": row.decision_reason,
    })
}

async fn shown(app: &App, id: Uuid) -> Result<Value, Problem> {
    let row = app.store().proposal(id).await?.ok_or_else(unknown)?;
    numbered(app, &row).await
}

async fn numbered(app: &App, row: &Proposal) -> Result<Value, Problem> {
    let member = app.store().member(row.adjustment.member_id).await?;
    let number = member.map(|record| record.member.number.to_string());
    Ok(proposal(row, &number.unwrap_or_default(), app.now()))
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownResource, "There is no such proposal.")
}

/// Which proposals.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProposalsQuery {
    /// `open` (the default) or `all`.
    #[serde(default)]
    state: Option<String>,
}

/// Proposals, newest first.
#[utoipa::path(
    get, path = "/v1/admin/proposals", tag = "console", security(("client" = ["admin"])),
    params(ProposalsQuery),
    responses((status = 200, description = "Proposals", body = Value), Problems),
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Staff,
    Query(query): Query<ProposalsQuery>,
) -> Result<Body<Value>, Problem> {
    let open_at = match query.state.as_deref() {
        None | Some("open") => Some(app.now()),
        Some("all") => None,
        Some(_) => {
            return Err(Problem::new(
                ProblemKind::BadRequest,
                "`state` is `open` or `all`.",
            ));
        }
    };
    let rows = app
        .store()
        .proposals(open_at, limits::PROPOSALS_LISTED_MAX)
        .await?;
    let mut proposals = Vec::with_capacity(rows.len());
    for row in &rows {
        proposals.push(numbered(&app, row).await?);
    }
    Ok(Body(json!({ "proposals": proposals })))
}

/// Approve what somebody else proposed; it is booked with it.
#[utoipa::path(
    post, path = "/v1/admin/proposals/{proposal}/approve", tag = "console", security(("client" = ["admin"])),
    params(("proposal" = Uuid, Path, description = "The proposal")), request_body = Why,
    responses((status = 200, description = "The proposal as it is now", body = Value), Problems),
)]
pub(super) async fn approve(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<Uuid>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    decide(&app, &staff, id, request, true).await
}

/// Refuse a proposal, or take one's own back.
#[utoipa::path(
    post, path = "/v1/admin/proposals/{proposal}/refuse", tag = "console", security(("client" = ["admin"])),
    params(("proposal" = Uuid, Path, description = "The proposal")), request_body = Why,
    responses((status = 200, description = "The proposal as it is now", body = Value), Problems),
)]
pub(super) async fn refuse(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<Uuid>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    decide(&app, &staff, id, request, false).await
}

async fn decide(
    app: &App,
    staff: &Staff,
    id: Uuid,
    request: Why,
    approve: bool,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let row = app.store().proposal(id).await?.ok_or_else(unknown)?;
    let member_id = row.adjustment.member_id;
    let act = staff.act(app, format!("proposal/{id}"), &why, None);
    let decision = ProposalDecision {
        id,
        approve,
        reason: why,
        actor: staff.actor.to_string(),
    };
    let operation = Operation::DecideProposal(Box::new(decision));
    act.done(app, move |app| async move {
        match app.submit(operation, Some(member_id)).await? {
            Answer::Done => Ok(()),
            other => Err(no(&other)),
        }
    })
    .await?;
    told(shown(app, id).await).map(Body)
}
