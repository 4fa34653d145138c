//! Stores and terminals.

use std::collections::BTreeMap;

use axum::{Json as Body, extract::State, http::StatusCode};
use pos_protocol::{StoreId, TerminalId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json,
        openapi::Problems,
        problem::Problem,
        staff::{Staff, reason},
    },
    Made, created,
};
use crate::{
    desk,
    store::{StoreRow, TerminalRow},
};

/// A store to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreToMake {
    /// Its id, 1 to 64 characters of A-Z a-z 0-9 . _ -
    #[schema(value_type = String)]
    store_id: StoreId,
    /// What people call it; its id if absent.
    #[serde(default)]
    name: Option<String>,
    /// Why, 1 to 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

/// A terminal to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TerminalToMake {
    /// Its id, 1 to 64 characters of A-Z a-z 0-9 . _ -
    #[schema(value_type = String)]
    terminal_id: TerminalId,
    /// Its store.
    #[schema(value_type = String)]
    store_id: StoreId,
    /// Why, 1 to 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

fn store_json(row: &StoreRow, shop: Option<&String>) -> Value {
    json!({ "store_id": row.id, "name": row.name, "created_at": row.created_at, "shop_id": shop })
}

fn terminal_json(row: &TerminalRow) -> Value {
    json!({ "terminal_id": row.id, "store_id": row.store_id, "created_at": row.created_at })
}

/// A name that people give something.
pub(super) fn name(given: Option<String>, usual: &str) -> Result<String, Problem> {
    let given = given.unwrap_or_else(|| usual.to_owned());
    desk::remark(&given).map_err(|why| Problem::invalid("/name", format!("A name: {why}.")))
}

/// Every store.
#[utoipa::path(
    get, path = "/v1/admin/stores", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Stores, by id", body = Value), Problems),
)]
pub(super) async fn stores(State(app): State<App>, _: Staff) -> Result<Body<Value>, Problem> {
    let shops = app.store().list_shops().await?.into_iter();
    let shops: BTreeMap<_, _> = shops
        .map(|shop| (shop.till.store_id, shop.id.to_string()))
        .collect();
    let rows = app.store().list_stores().await?;
    let stores = rows.iter().map(|row| store_json(row, shops.get(&row.id)));
    let stores: Vec<_> = stores.collect();
    Ok(Body(json!({ "stores": stores })))
}

/// Make a store known.
#[utoipa::path(
    post, path = "/v1/admin/stores", tag = "console", security(("client" = ["admin"])),
    request_body = StoreToMake,
    responses((status = 201, description = "The store", body = Value), Problems),
)]
pub(super) async fn create_store(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<StoreToMake>,
) -> Result<Made<Body<Value>>, Problem> {
    let why = reason(request.reason)?;
    let id = request.store_id;
    let name = name(request.name, id.as_str())?;
    let act = staff.act(&app, format!("store/{id}"), &why, None);
    let doing = move |app: App| async move {
        let created_at = app.now();
        let creation = app.store().create_store(&id, &name, created_at).await?;
        created(creation, "store", "")?;
        let row = StoreRow {
            id,
            name,
            created_at,
        };
        Ok(store_json(&row, None))
    };
    let made = act.done(&app, doing).await?;
    Ok((StatusCode::CREATED, Body(made)))
}

/// Every terminal.
#[utoipa::path(
    get, path = "/v1/admin/terminals", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Terminals, by id", body = Value), Problems),
)]
pub(super) async fn terminals(State(app): State<App>, _: Staff) -> Result<Body<Value>, Problem> {
    let rows = app.store().list_terminals().await?;
    let terminals: Vec<_> = rows.iter().map(terminal_json).collect();
    Ok(Body(json!({ "terminals": terminals })))
}

/// Make a terminal of a store known.
#[utoipa::path(
    post, path = "/v1/admin/terminals", tag = "console", security(("client" = ["admin"])),
    request_body = TerminalToMake,
    responses((status = 201, description = "The terminal", body = Value), Problems),
)]
pub(super) async fn create_terminal(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<TerminalToMake>,
) -> Result<Made<Body<Value>>, Problem> {
    let why = reason(request.reason)?;
    let (id, store_id) = (request.terminal_id, request.store_id);
    let act = staff.act(&app, format!("terminal/{id}"), &why, None);
    let doing = move |app: App| async move {
        let created_at = app.now();
        let creation = app.store().create_terminal(&id, &store_id, created_at);
        created(creation.await?, "terminal", "/store_id")?;
        let row = TerminalRow {
            id,
            store_id,
            created_at,
        };
        Ok(terminal_json(&row))
    };
    let made = act.done(&app, doing).await?;
    Ok((StatusCode::CREATED, Body(made)))
}
