//! Figures, as JSON and as CSV, from a short cache: looking at them does not burden who sells.

use std::{sync::Arc, time::Duration};

use axum::{
    Json as Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, civil::Date};
use ledger::calendar;
use moka::sync::Cache;
use serde::Deserialize;
use serde_json::json;

use super::super::{
    App, PathId, Query,
    openapi::Problems,
    problem::{Problem, ProblemKind},
    staff::Staff,
};
use crate::{
    desk::figures::{Figure, Range, Row, rows, to_csv},
    limits,
    store::{Period, StoreError},
};

/// Where figures are defined.
const DOCUMENT: &str = include_str!("../../../../docs/console.md");

/// Figures computed a short while ago.
pub(in super::super) struct FigureCache {
    kept: Cache<(Figure, Range), Arc<Computed>>,
}

struct Computed {
    at: Timestamp,
    rows: Vec<Row>,
}

impl FigureCache {
    pub(in super::super) fn new() -> Self {
        let kept = Cache::builder()
            .max_capacity(limits::FIGURE_CACHE_ENTRIES_MAX)
            .time_to_live(Duration::from_secs(limits::FIGURE_CACHE_S))
            .build();
        Self { kept }
    }

    async fn get(&self, app: &App, figure: Figure, range: Range) -> Result<Arc<Computed>, Problem> {
        let key = (figure, range);
        if let Some(kept) = self.kept.get(&key) {
            return Ok(kept);
        }
        let (turns, app, cache) = (app.long_reads.clone(), app.clone(), self.kept.clone());
        let compute = async move {
            // Somebody else may have asked for it meanwhile.
            if let Some(kept) = cache.get(&key) {
                return Ok(kept);
            }
            let at = app.now();
            let programme = programme(&app).await?;
            let zone = programme.time_zone.time_zone();
            let rows = rows(app.store(), figure, &range, zone, at).await?;
            let computed = Arc::new(Computed { at, rows });
            cache.insert(key, computed.clone());
            Ok(computed)
        };
        turns.run(compute).await
    }
}

async fn programme(app: &App) -> Result<Arc<ledger::programme::Programme>, Problem> {
    let in_force = app.store().programme().await?;
    Ok(in_force.ok_or(StoreError::NoProgramme)?.programme)
}

/// Of when, and in which form.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FigureQuery {
    /// `day` or `month` (the default).
    #[serde(default)]
    by: Option<String>,
    /// The first day.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// `json` (the default) or `csv`.
    #[serde(default)]
    format: Option<String>,
}

fn wants_csv(query: &FigureQuery, headers: &HeaderMap) -> Result<bool, Problem> {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    match query.format.as_deref() {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        None => Ok(accept.is_some_and(|accept| accept.trim_start().starts_with("text/csv"))),
        Some(_) => Err(Problem::new(
            ProblemKind::BadRequest,
            "`format` is `json` or `csv`.",
        )),
    }
}

/// A figure, as JSON or as CSV.
#[utoipa::path(
    get, path = "/v1/admin/figures/{figure}", tag = "console", security(("client" = ["admin"])),
    params(
        ("figure" = String, Path, description = "`members`, `activity`, `points`, `liability`, `liability-age`, `channels` or `redemption`"),
        FigureQuery,
    ),
    responses(
        (status = 200, description = "Columns and rows", content((serde_json::Value = "application/json"), (String = "text/csv"))),
        Problems,
    ),
)]
pub(super) async fn figure(
    State(app): State<App>,
    _: Staff,
    PathId(word): PathId<String>,
    Query(query): Query<FigureQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let figure = Figure::from_word(&word).ok_or_else(unknown)?;
    let (by, by_word) = match query.by.as_deref() {
        Some("day") => (Period::Day, "day"),
        None | Some("month") => (Period::Month, "month"),
        Some(_) => {
            return Err(Problem::new(
                ProblemKind::BadRequest,
                "`by` is `day` or `month`.",
            ));
        }
    };
    let csv = wants_csv(&query, &headers)?;
    let today = calendar::today(&*programme(&app).await?, app.now());
    let range = Range::new(by, query.from, query.to, today)
        .map_err(|why| Problem::new(ProblemKind::BadRequest, format!("The range: {why}.")))?;
    let computed = app.figures.get(&app, figure, range).await?;
    if csv {
        let text = to_csv(figure.columns(), &computed.rows).map_err(Problem::fault)?;
        let name = format!("attachment; filename=\"{}.csv\"", figure.word());
        let head = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        return Ok((head, text).into_response());
    }
    let columns = figure.columns().iter();
    let columns = columns.map(|(name, kind)| json!({ "name": name, "kind": kind }));
    let prefix = app.settings().public_url.as_ref();
    let prefix = prefix
        .map(|url| url.prefix().to_owned())
        .unwrap_or_default();
    Ok(Body(json!({
        "figure": figure.word(),
        "definition": format!("{prefix}/definitions/{}", figure.word()),
        "by": by_word,
        "from": range.from,
        "to": range.to,
        "generated_at": computed.at,
        "columns": columns.collect::<Vec<_>>(),
        "rows": computed.rows,
    }))
    .into_response())
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownResource, "There is no such figure.")
}

/// What a figure counts.
#[utoipa::path(
    get, path = "/definitions/{figure}", tag = "console",
    params(("figure" = String, Path, description = "The figure")),
    responses(
        (status = 200, description = "Its definition", body = String, content_type = "text/plain"),
        Problems,
    ),
)]
pub(super) async fn definition(PathId(word): PathId<String>) -> Result<Response, Problem> {
    let figure = Figure::from_word(&word).ok_or_else(unknown)?;
    let heading = format!("\n### {}\n", figure.word());
    let text = DOCUMENT.split(&heading).nth(1).unwrap_or_default();
    let text = text.split("\n#").next().unwrap_or_default().trim();
    let text = format!("# {}\n\n{text}\n", figure.word());
    let head = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((head, text).into_response())
}
