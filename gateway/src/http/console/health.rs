//! How the gateway fares; messages of EC shops that people have to look at; what staff did.

use axum::{Json as Body, extract::State};
use jiff::Timestamp;
use pos_protocol::ShopId;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        App, Json, Query,
        openapi::Problems,
        problem::Problem,
        staff::{Staff, reason},
    },
    conflict,
    members::{PageQuery, page},
};
use crate::{
    clock, limits,
    store::{LeaseName, Replay, Store, StoreError},
};

/// Dead letters on a page, if nothing is said.
const DEAD_LETTERS_DEFAULT: u32 = 50;

/// How does the gateway fare?
#[utoipa::path(
    get, path = "/v1/admin/health", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Queues, lag and database", body = Value), Problems),
)]
pub(super) async fn health(State(app): State<App>, _: Staff) -> Result<Body<Value>, Problem> {
    let now = app.now();
    let asked = clock::instant();
    let seen = look(app.store(), now).await;
    let answer_ms = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
    let lanes = app.writer().depths().into_iter().enumerate();
    let lanes = lanes.map(|(lane, (waiting, capacity))| {
        json!({ "lane": lane, "waiting": waiting, "capacity": capacity })
    });
    let writes = app.writer().ready();
    let kind = match app.store() {
        Store::Postgres { .. } => "postgres",
        Store::Sqlite { .. } => "sqlite",
    };
    let mut answer = json!({
        "at": now,
        "ready": seen.is_ok() && writes && app.keys.can_sign(now),
        "database": { "kind": kind, "ok": seen.is_ok(), "answer_ms": answer_ms },
        "writer": { "ok": writes, "lanes": lanes.collect::<Vec<_>>() },
    });
    match (seen, answer.as_object_mut()) {
        (Ok(Value::Object(seen)), Some(answer)) => answer.extend(seen),
        (Err(error), _) => tracing::warn!(error = %error, "console.database_away"),
        _ => {}
    }
    Ok(Body(answer))
}

async fn look(store: &Store, now: Timestamp) -> Result<Value, StoreError> {
    let programme = store.programme().await?;
    let outbox = store.outbox_status().await?;
    let inbox = store.inbox_status().await?;
    let relay = store.lease(LeaseName::Relay).await?;
    let age = |oldest: Option<Timestamp>| {
        oldest.map(|oldest| now.duration_since(oldest).as_secs().max(0))
    };
    let lag = age(outbox.oldest);
    // Where no gateway ever had a broker, events wait by design.
    let told_somebody = relay.beat > 0;
    Ok(json!({
        "programme_version": programme.map(|in_force| in_force.version),
        "outbox": {
            "waiting": outbox.waiting, "oldest_at": outbox.oldest, "oldest_age_seconds": lag,
            "alarm": told_somebody && lag.is_some_and(|lag| lag > limits::OUTBOX_AGE_ALARM_S),
        },
        "relay": { "held": relay.holder.is_some() },
        "inbox": {
            "waiting": inbox.waiting, "dead": inbox.dead, "oldest_at": inbox.oldest,
            "oldest_age_seconds": age(inbox.oldest),
        },
    }))
}

/// Which dead letters.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeadLettersQuery {
    /// Only of this shop.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// Only those after this message: `next` of the page before.
    #[serde(default)]
    #[param(value_type = Option<Uuid>)]
    after: Option<Uuid>,
    /// Messages on the page: 1 to 100.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Messages of shops that people have to look at, in the order they came.
#[utoipa::path(
    get, path = "/v1/admin/dead-letters", tag = "console", security(("client" = ["admin"])),
    params(DeadLettersQuery),
    responses((status = 200, description = "A page", body = Value), Problems),
)]
pub(super) async fn dead_letters(
    State(app): State<App>,
    _: Staff,
    Query(query): Query<DeadLettersQuery>,
) -> Result<Body<Value>, Problem> {
    let limit = query.limit.unwrap_or(DEAD_LETTERS_DEFAULT).clamp(1, 100);
    let after = query.after.unwrap_or(Uuid::nil());
    let ask = limit.saturating_add(1);
    let rows = app
        .store()
        .inbox_dead(query.shop_id.as_ref(), after, ask)
        .await?;
    let (rows, more) = page(rows, limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let letters = rows.iter().map(|row| {
        json!({
            "message_id": row.id, "shop_id": row.shop_id, "topic": row.topic,
            "received_at": row.received_at, "attempts": row.attempts, "error": row.error,
        })
    });
    let letters: Vec<_> = letters.collect();
    Ok(Body(json!({ "dead_letters": letters, "next": next })))
}

/// Which dead letters are tried again: one of these.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayRequest {
    /// This message.
    #[serde(default)]
    message_id: Option<Uuid>,
    /// All of this shop.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// All of all shops.
    #[serde(default)]
    all: bool,
    /// Why, 1 to 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// Have dead letters tried again.
#[utoipa::path(
    post, path = "/v1/admin/dead-letters/replay", tag = "console", security(("client" = ["admin"])),
    request_body = ReplayRequest,
    responses((status = 200, description = "How many", body = Value), Problems),
)]
pub(super) async fn replay(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<ReplayRequest>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    let ReplayRequest {
        message_id,
        shop_id,
        all,
        ..
    } = request;
    let subject = match (message_id, &shop_id, all) {
        (Some(id), None, false) => format!("message/{id}"),
        (None, Some(shop), false) => format!("shop/{shop}"),
        (None, None, true) => "shops".to_owned(),
        _ => {
            return Err(Problem::invalid(
                "",
                "Say `message_id`, `shop_id` or `all`.",
            ));
        }
    };
    let act = staff.act(&app, subject, &why, None);
    let doing = move |app: App| async move {
        let which = match (message_id, &shop_id) {
            (Some(id), _) => Replay::One(id),
            (None, Some(shop)) => Replay::Shop(shop),
            (None, None) => Replay::All,
        };
        match app.store().inbox_replay(which, app.now()).await? {
            0 if message_id.is_some() => Err(conflict(
                "not_dead",
                "there is no such dead letter any more",
            )),
            count => Ok(json!({ "replayed": count })),
        }
    };
    act.done(&app, doing).await.map(Body)
}

/// What staff did at the console.
#[utoipa::path(
    get, path = "/v1/admin/acts", tag = "console", security(("client" = ["admin"])),
    params(PageQuery),
    responses((status = 200, description = "A page, newest first", body = Value), Problems),
)]
pub(super) async fn acts(
    State(app): State<App>,
    _: Staff,
    Query(query): Query<PageQuery>,
) -> Result<Body<Value>, Problem> {
    let limit = query.limit();
    let rows = app
        .store()
        .acts_before(query.before, limit.saturating_add(1))
        .await?;
    let (rows, more) = page(rows, limit);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let acts = rows.iter().map(|row| {
        json!({
            "act_id": row.id, "at": row.at, "actor": row.actor, "role": row.role, "act": row.act,
            "subject": row.subject, "reason": row.reason, "points": row.points,
            "outcome": row.outcome,
        })
    });
    let acts: Vec<_> = acts.collect();
    Ok(Body(json!({ "acts": acts, "next": next })))
}
