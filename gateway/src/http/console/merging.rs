//! Members that may be one person; merging and parting them, each with a preview.

use std::{collections::BTreeSet, str::FromStr as _};

use axum::{Json as Body, extract::State};
use ledger::{
    command::{Merging, Operation, Unmerging},
    decision::Answer,
    denial::Denial,
};
use pos_protocol::{MemberId, Points};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json, Query,
        denied::{denied, no},
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, reason, told},
    },
    members::note,
};
use crate::{
    desk::{
        Who,
        finding::{self, GroupAfter},
        merging::{Lent, foreseen, lent_across, side, side_of, sides},
    },
    limits,
    person::export,
    store::{Person, SameTerm},
};

/// Which groups.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CandidatesQuery {
    /// Only what comes after: `next` of the list before.
    #[serde(default)]
    after: Option<String>,
}

/// Members that may be one person. Merges none.
#[utoipa::path(
    get, path = "/v1/admin/merge-candidates", tag = "console", security(("client" = ["admin"])),
    params(CandidatesQuery),
    responses((status = 200, description = "Groups", body = Value), Problems),
)]
pub(super) async fn candidates(
    State(app): State<App>,
    staff: Staff,
    Query(query): Query<CandidatesQuery>,
) -> Result<Body<Value>, Problem> {
    let after = query.after.as_deref().map(GroupAfter::from_str);
    let after = after
        .transpose()
        .map_err(|why| Problem::new(ProblemKind::BadRequest, format!("`after`: {why}.")))?;
    let (turns, reader) = (app.long_reads.clone(), app.clone());
    let look = async move {
        let mut found = Vec::new();
        let each = |term, people: finding::Group| {
            found.push((term, people));
            found.len() < limits::CANDIDATES_LISTED_MAX
        };
        let most = limits::CANDIDATES_LOOKED_AT_MAX;
        let next = finding::candidates(reader.store(), after, most, each).await?;
        Ok((found, next))
    };
    let (found, next) = turns.run(look).await?;
    let people: BTreeSet<_> = found
        .iter()
        .flat_map(|(_, people)| people.values())
        .collect();
    note(
        &app,
        &staff,
        people.into_iter().copied(),
        "candidates",
        "console",
    )
    .await?;
    let found = found.iter().map(|(term, people)| {
        let why = match term {
            SameTerm::Person => "same_kana_and_birthday",
            SameTerm::Email => "same_email",
            SameTerm::Phone => "same_phone",
        };
        json!({ "why": why, "members": people.keys().collect::<Vec<_>>() })
    });
    let found: Vec<_> = found.collect();
    let next = next.map(|next| next.to_string());
    Ok(Body(json!({ "candidates": found, "next": next })))
}

fn who(text: &str, pointer: &'static str) -> Result<Who, Problem> {
    text.parse()
        .map_err(|error| Problem::invalid(pointer, format!("{error}.")))
}

/// Two members that would be merged.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergePreview {
    /// The member that becomes an alias, by number or id.
    member: String,
    /// The member that stays.
    into: String,
}

/// What would a merge bring together?
#[utoipa::path(
    post, path = "/v1/admin/merges/preview", tag = "console", security(("client" = ["admin"])),
    request_body = MergePreview,
    responses((status = 200, description = "Both sides, and what they would be", body = Value), Problems),
)]
pub(super) async fn preview(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<MergePreview>,
) -> Result<Body<Value>, Problem> {
    let alias = app.person_at(&who(&request.member, "/member")?).await?;
    let stays = app.person_at(&who(&request.into, "/into")?).await?;
    let ids = BTreeSet::from_iter([alias.ids(), stays.ids()].concat());
    note(&app, &staff, ids, "preview", "console").await?;
    let refusal = foreseen(&alias, &stays);
    let after = match refusal {
        Some(Denial::AlreadyMerged) => side(&stays),
        _ => sides(&[&stays, &alias]),
    };
    Ok(Body(json!({
        "allowed": refusal.is_none(),
        "refusal": refusal.map(Denial::word),
        "alias": side(&alias),
        "stays": side(&stays),
        "after": after,
    })))
}

/// Two members to merge.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeMembers {
    /// The member that becomes an alias, by number or id.
    member: String,
    /// The member that stays.
    into: String,
    /// Why, 1 to 200 characters; nothing personal.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// Merge a member into another: from then on they are one person.
#[utoipa::path(
    post, path = "/v1/admin/merges", tag = "console", security(("client" = ["admin"])),
    request_body = MergeMembers,
    responses((status = 200, description = "The person both are now", body = Value), Problems),
)]
pub(super) async fn merge(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<MergeMembers>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let member_id = app.member_at(&who(&request.member, "/member")?).await?;
    let into = app.member_at(&who(&request.into, "/into")?).await?;
    let act = staff.act(&app, format!("member/{member_id}"), &why, None);
    let merging = Merging {
        member_id,
        into,
        reason: why,
        actor: staff.actor.to_string(),
    };
    let operation = Operation::Merge(Box::new(merging));
    let doing = move |app: App| async move {
        match app.submit(operation, Some(into)).await? {
            Answer::Linked { member_id, .. } => Ok(member_id),
            other => Err(no(&other)),
        }
    };
    let root = act.done(&app, doing).await?;
    told(merged(&app, root).await).map(Body)
}

async fn merged(app: &App, id: MemberId) -> Result<Value, Problem> {
    let person = app.person_at(&Who::Id(id)).await?;
    Ok(json!({ "merged_into": person.root.id, "person": side(&person) }))
}

/// A member that would be parted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnmergePreview {
    /// The member that was merged into another, by number or id.
    member: String,
}

/// What would be parted?
#[utoipa::path(
    post, path = "/v1/admin/unmerges/preview", tag = "console", security(("client" = ["admin"])),
    request_body = UnmergePreview,
    responses((status = 200, description = "What stays with the parted records", body = Value), Problems),
)]
pub(super) async fn preview_unmerge(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<UnmergePreview>,
) -> Result<Body<Value>, Problem> {
    let id = app.member_at(&who(&request.member, "/member")?).await?;
    let parting = Parting::of(&app, id).await?;
    let whole = app.person_at(&Who::Id(id)).await?;
    note(&app, &staff, whole.ids(), "preview", "console").await?;
    Ok(Body(parting.report(&whole, false)))
}

/// A member to part.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnmergeMember {
    /// The member that was merged into another, by number or id.
    member: String,
    /// Why, 1 to 200 characters; nothing personal.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// Part a merged member again from the one it was merged into.
#[utoipa::path(
    post, path = "/v1/admin/unmerges", tag = "console", security(("client" = ["admin"])),
    request_body = UnmergeMember,
    responses((status = 200, description = "What stayed with the parted records", body = Value), Problems),
)]
pub(super) async fn unmerge(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<UnmergeMember>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let member_id = app.member_at(&who(&request.member, "/member")?).await?;
    let act = staff.act(&app, format!("member/{member_id}"), &why, None);
    let unmerging = Unmerging {
        member_id,
        reason: why,
        actor: staff.actor.to_string(),
    };
    let parting = act.done(&app, move |app| part(app, unmerging)).await?;
    // What fell due was settled before both were parted.
    let parted = app.person_at(&Who::Id(member_id)).await;
    told(parted.map(|parted| Body(parting.report(&parted, true))))
}

async fn part(app: App, unmerging: Unmerging) -> Result<Parting, Problem> {
    let member_id = unmerging.member_id;
    let parting = Parting::of(&app, member_id).await?;
    let operation = Operation::Unmerge(Box::new(unmerging));
    match app.submit(operation, Some(member_id)).await? {
        Answer::Done => Ok(parting),
        other => Err(no(&other)),
    }
}

/// What leaves with an alias.
struct Parting {
    side: BTreeSet<MemberId>,
    lent: Vec<Lent>,
}

impl Parting {
    async fn of(app: &App, id: MemberId) -> Result<Self, Problem> {
        let whole = app.person_at(&Who::Id(id)).await?;
        let alias = whole.record(id).filter(|row| row.merged_into.is_some());
        if alias.is_none() {
            return Err(denied(Denial::NotMerged));
        }
        let side = side_of(id, &whole);
        let lent = lent_across(app.store(), &whole, id, &side).await?;
        Ok(Self { side, lent })
    }

    fn report(&self, person: &Person, parted: bool) -> Value {
        let records = || person.records().filter(|row| self.side.contains(&row.id));
        let total = |of: fn(&ledger::member::Member) -> Points| Points::total(records().map(of));
        let lots = person.lots.iter();
        let lots = lots
            .filter(|lot| self.side.contains(&lot.member_id))
            .map(export::lot);
        let lent = self.lent.iter().map(|row| {
            json!({
                "lot_id": row.lot_id, "of_member_id": row.lender, "by_member_id": row.borrower,
                "points": row.points, "by_the_parted": self.side.contains(&row.borrower),
            })
        });
        json!({
            "parted": parted,
            "records": self.side,
            "points": {
                "available": total(|row| row.available), "held": total(|row| row.held),
                "pending": total(|row| row.pending), "owed": total(|row| row.owed),
            },
            "lots": lots.collect::<Vec<_>>(),
            "spent_across": lent.collect::<Vec<_>>(),
        })
    }
}
