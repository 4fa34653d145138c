//! `/livez`, `/readyz`, `/metrics`: for whoever runs the gateway.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use tokio::sync::Mutex;

use super::App;
use crate::{
    clock, limits,
    store::{SchemaState, Store},
};

/// Whether the process runs.
///
/// Says nothing of the database: restarting a gateway does not mend one.
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, description = "It runs", body = String, content_type = "text/plain")),
)]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// One thing that has to hold for the gateway to serve.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Check {
    /// What was looked at.
    name: &'static str,
    /// Whether it holds.
    ok: bool,
    /// What is wrong, where that can be said without telling secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

/// Whether the gateway can serve.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Readiness {
    /// Whether every check holds.
    ready: bool,
    /// Every check.
    checks: Vec<Check>,
}

/// Whether requests should come here.
///
/// Ready when the database answers and takes writes, its schema is current, a programme is in force, a
/// key can sign tokens, and the gateway is not about to stop. What is said of the database may be a
/// second old.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready; the checks say why", body = Readiness),
    ),
)]
pub(super) async fn readyz(State(app): State<App>) -> impl IntoResponse {
    let store = app.store_seen.state(app.store()).await;
    let behind = Some("run `gateway migrate`");
    let none = Some("apply one with `gateway admin programme apply FILE`");
    let reached = !matches!(store, StoreState::Away);
    let migrated = matches!(store, StoreState::NoProgramme | StoreState::Ready);
    let checks = vec![
        check("database", reached, None),
        check("schema", migrated, behind.filter(|_| reached)),
        check(
            "programme",
            matches!(store, StoreState::Ready),
            none.filter(|_| migrated),
        ),
        check("writer", app.writer().ready(), None),
        check("signing_key", app.keys.can_sign(app.now()), None),
        check(
            "not_draining",
            !app.draining().is_cancelled() && !app.shutdown().is_cancelled(),
            None,
        ),
    ];
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { ready, checks }))
}

fn check(name: &'static str, ok: bool, detail: Option<&'static str>) -> Check {
    Check {
        name,
        ok,
        detail: detail.filter(|_| !ok),
    }
}

#[derive(Debug, Clone, Copy)]
enum StoreState {
    Away,
    Behind,
    NoProgramme,
    Ready,
}

/// The state of the database as it was last seen.
#[derive(Debug, Default)]
pub(super) struct StoreSeen {
    /// Held while it is looked at, so that one looks for all.
    last: Mutex<Option<(Instant, StoreState)>>,
}

impl StoreSeen {
    async fn state(&self, store: &Store) -> StoreState {
        let mut last = self.last.lock().await;
        let fresh = Duration::from_millis(limits::READINESS_CACHE_MS);
        if let Some((at, state)) = *last
            && at.elapsed() < fresh
        {
            return state;
        }
        let patience = Duration::from_millis(limits::READINESS_TIMEOUT_MS);
        let state = tokio::time::timeout(patience, look_at(store)).await;
        let state = state.unwrap_or(StoreState::Away);
        *last = Some((clock::instant(), state));
        state
    }
}

async fn look_at(store: &Store) -> StoreState {
    match store.schema_state().await {
        // A newer release keeps its schema usable for the one before it.
        Ok(SchemaState::UpToDate | SchemaState::Ahead(_)) => {}
        Ok(_) => return StoreState::Behind,
        Err(_) => return StoreState::Away,
    }
    match store.programme().await {
        Ok(Some(_)) => StoreState::Ready,
        Ok(None) => StoreState::NoProgramme,
        Err(_) => StoreState::Away,
    }
}

/// Measurements in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Measurements", body = String, content_type = "text/plain")),
)]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let text = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, text)], app.metrics().render())
}
