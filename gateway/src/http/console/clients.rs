//! Clients: who may ask for access tokens. A secret is in the one answer of the call that made it.

use std::collections::BTreeSet;

use axum::{Json as Body, extract::State, http::StatusCode};
use pos_protocol::{ShopId, TerminalId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json, PathId,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, reason},
    },
    Made, Secret, Why, conflict, created, secret,
};
use crate::store::{Client, ClientScope, ClientSecret, NewClient, Role};

/// A client to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientToMake {
    /// Its name, 1 to 64 characters of A-Z a-z 0-9 . _ -
    client_id: String,
    /// `pos`, `ec` or `admin`.
    scope: String,
    /// Its terminal, with `pos`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    terminal_id: Option<TerminalId>,
    /// Its shop, with `ec`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// What it may do at the console, with `admin`: `support`, `manager` or `auditor`.
    #[serde(default)]
    role: Option<String>,
    /// Why, 1 to 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

fn shown(client: &Client) -> Value {
    let scopes: Vec<_> = client.scopes.iter().map(|scope| scope.word()).collect();
    let till = client.till.as_ref();
    json!({
        "client_id": client.id,
        "scopes": scopes,
        "role": client.role.map(Role::word),
        "terminal_id": till.map(|till| &till.terminal_id),
        "store_id": till.map(|till| &till.store_id),
        "shop_id": client.shop_id,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
    })
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownResource, "There is no such client.")
}

/// Every client, without secrets.
#[utoipa::path(
    get, path = "/v1/admin/clients", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Clients, by name", body = Value), Problems),
)]
pub(super) async fn list(State(app): State<App>, _: Staff) -> Result<Body<Value>, Problem> {
    let rows = app.store().list_clients().await?;
    let clients: Vec<_> = rows.iter().map(shown).collect();
    Ok(Body(json!({ "clients": clients })))
}

/// What a new client may do and where it belongs, if that fits together.
async fn fitting(
    app: &App,
    request: &ClientToMake,
) -> Result<(ClientScope, Option<Role>), Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let id = &request.client_id;
    if !(1..=64).contains(&id.len()) || !id.chars().all(legal) {
        let detail = "1 to 64 characters of A-Z a-z 0-9 . _ -";
        return Err(Problem::invalid("/client_id", detail));
    }
    let scope = ClientScope::from_word(&request.scope);
    let scope = scope.ok_or_else(|| Problem::invalid("/scope", "It is `pos`, `ec` or `admin`."))?;
    let wants = |wanted: bool, given: bool, pointer: &'static str| match wanted == given {
        true => Ok(()),
        false => Err(Problem::invalid(
            pointer,
            "A till has a terminal, a shop system a shop, a staff tool a role, and nothing else.",
        )),
    };
    wants(
        scope == ClientScope::Pos,
        request.terminal_id.is_some(),
        "/terminal_id",
    )?;
    wants(
        scope == ClientScope::Ec,
        request.shop_id.is_some(),
        "/shop_id",
    )?;
    wants(scope == ClientScope::Admin, request.role.is_some(), "/role")?;
    let role = request.role.as_deref();
    let misread = || Problem::invalid("/role", "It is `support`, `manager` or `auditor`.");
    let role = role
        .map(|word| Role::from_word(word).ok_or_else(misread))
        .transpose()?;
    if let Some(shop) = &request.shop_id
        && app.store().shop(shop).await?.is_none()
    {
        return Err(Problem::invalid("/shop_id", "There is no such shop."));
    }
    Ok((scope, role))
}

/// Make a client; its secret is shown once.
#[utoipa::path(
    post, path = "/v1/admin/clients", tag = "console", security(("client" = ["admin"])),
    request_body = ClientToMake,
    responses((status = 201, description = "The client and its secret", body = Value), Problems),
)]
pub(super) async fn create(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<ClientToMake>,
) -> Result<Made<Secret>, Problem> {
    let why = reason(request.reason.clone())?;
    let (scope, role) = fitting(&app, &request).await?;
    let act = staff
        .begin(&app, format!("client/{}", request.client_id), &why, None)
        .await?;
    let made = make(&app, &request, scope, role).await;
    let made = act.done(&app, made).await?;
    Ok((StatusCode::CREATED, secret(made)))
}

async fn make(
    app: &App,
    request: &ClientToMake,
    scope: ClientScope,
    role: Option<Role>,
) -> Result<Value, Problem> {
    let new = ClientSecret::generate().map_err(Problem::fault)?;
    let client = NewClient {
        id: &request.client_id,
        secret: &new,
        scopes: &BTreeSet::from([scope]),
        terminal: request.terminal_id.as_ref(),
        role,
    };
    let creation = app.store().create_client(&client, app.now()).await?;
    created(creation, "client", "/terminal_id")?;
    if let Some(shop) = &request.shop_id {
        app.store()
            .set_client_shop(&request.client_id, shop)
            .await?;
    }
    let row = app
        .store()
        .client(&request.client_id)
        .await?
        .ok_or_else(unknown)?;
    let mut answer = shown(&row);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("client_secret".to_owned(), new.reveal().into());
    }
    Ok(answer)
}

/// Give a client another secret; the old one is worthless at once.
#[utoipa::path(
    post, path = "/v1/admin/clients/{client}/rotate-secret", tag = "console",
    security(("client" = ["admin"])),
    params(("client" = String, Path, description = "The client")), request_body = Why,
    responses((status = 200, description = "The new secret", body = Value), Problems),
)]
pub(super) async fn rotate(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<String>,
    Json(request): Json<Why>,
) -> Result<Secret, Problem> {
    let why = reason(request.reason)?;
    app.store().client(&id).await?.ok_or_else(unknown)?;
    let act = staff
        .begin(&app, format!("client/{id}"), &why, None)
        .await?;
    let rotated = async {
        let new = ClientSecret::generate().map_err(Problem::fault)?;
        match app.store().rotate_client_secret(&id, &new).await? {
            true => Ok(json!({ "client_id": id, "client_secret": new.reveal() })),
            false => Err(unknown()),
        }
    };
    let rotated = rotated.await;
    act.done(&app, rotated).await.map(secret)
}

/// Shut a client out; its tokens end within a minute.
#[utoipa::path(
    post, path = "/v1/admin/clients/{client}/disable", tag = "console", security(("client" = ["admin"])),
    params(("client" = String, Path, description = "The client")), request_body = Why,
    responses((status = 200, description = "Since when", body = Value), Problems),
)]
pub(super) async fn disable(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<String>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    app.store().client(&id).await?.ok_or_else(unknown)?;
    let act = staff
        .begin(&app, format!("client/{id}"), &why, None)
        .await?;
    let disabled = async {
        if *id == *staff.actor {
            return Err(conflict("own_client", "you are signed in with it"));
        }
        app.store().disable_client(&id, app.now()).await?;
        let client = app.store().client(&id).await?.ok_or_else(unknown)?;
        Ok(json!({ "client_id": id, "disabled_at": client.disabled_at }))
    };
    let disabled = disabled.await;
    act.done(&app, disabled).await.map(Body)
}
