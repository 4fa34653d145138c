//! `GET /v1/me/why/{entry}`

use axum::{Json as Body, extract::State};
use uuid::Uuid;

use super::super::super::{
    App, PathId, Shopper,
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::person::why::{Explanation, explain, gather};

/// Why are my points what they are?
///
/// Of an entry of the history, a lot or a purchase: what was done and why, the receipt or order behind it,
/// the arithmetic, the rule and the version of the programme that decided; in English and Japanese.
#[utoipa::path(
    get, path = "/v1/me/why/{entry}", tag = "shopper", security(("card" = [])),
    params(("entry" = Uuid, Path, description = "An entry of the history, a lot or a purchase")),
    responses((status = 200, description = "Why", body = Explanation), Problems),
)]
pub(super) async fn why(
    State(app): State<App>,
    shopper: Shopper,
    PathId(entry): PathId<Uuid>,
) -> Result<Body<Explanation>, Problem> {
    let person = app.person_of(&shopper).await?;
    let facts = gather(app.store(), &person, entry).await?;
    let facts = facts.ok_or_else(|| {
        Problem::new(
            ProblemKind::UnknownResource,
            "The member has no such entry, lot or purchase.",
        )
    })?;
    Ok(Body(explain(&facts)))
}
