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
        staff::{Staff, reason, told},
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
    /// `pos` or `ec`.
    scope: String,
    /// Its terminal, with `pos`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    terminal_id: Option<TerminalId>,
    /// Its shop, with `ec`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    shop_id: Option<ShopId>,
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

/// What a new client may do, if that and where it belongs fit together.
///
/// Clients of staff are made and given secrets at the command line only: who could do it here would be a second
/// person to themselves, and approve what they proposed.
async fn fitting(app: &App, request: &ClientToMake) -> Result<ClientScope, Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let id = &request.client_id;
    if !(1..=64).contains(&id.len()) || !id.chars().all(legal) {
        let detail = "1 to 64 characters of A-Z a-z 0-9 . _ -";
        return Err(Problem::invalid("/client_id", detail));
    }
    let scope = match ClientScope::from_word(&request.scope) {
        Some(scope @ (ClientScope::Pos | ClientScope::Ec)) => scope,
        Some(ClientScope::Admin) => {
            let detail = "Clients of staff are made with `gateway admin client create`.";
            return Err(Problem::invalid("/scope", detail));
        }
        None => return Err(Problem::invalid("/scope", "It is `pos` or `ec`.")),
    };
    let wants = |wanted: bool, given: bool, pointer: &'static str| match wanted == given {
        true => Ok(()),
        false => Err(Problem::invalid(
            pointer,
            "A till has a terminal, a shop system a shop, and nothing else.",
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
    if let Some(shop) = &request.shop_id
        && app.store().shop(shop).await?.is_none()
    {
        return Err(Problem::invalid("/shop_id", "There is no such shop."));
    }
    Ok(scope)
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
    let scope = fitting(&app, &request).await?;
    let id = request.client_id.clone();
    let act = staff.act(&app, format!("client/{id}"), &why, None);
    let new = act.done(&app, move |app| make(app, request, scope)).await?;
    let row = app.store().client(&id).await.map_err(Problem::from);
    let row = told(row.and_then(|row| row.ok_or_else(unknown)))?;
    let mut answer = shown(&row);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("client_secret".to_owned(), new.reveal().into());
    }
    Ok((StatusCode::CREATED, secret(answer)))
}

async fn make(
    app: App,
    request: ClientToMake,
    scope: ClientScope,
) -> Result<ClientSecret, Problem> {
    let new = ClientSecret::generate().map_err(Problem::fault)?;
    let client = NewClient {
        id: &request.client_id,
        secret: &new,
        scopes: &BTreeSet::from([scope]),
        terminal: request.terminal_id.as_ref(),
        shop: request.shop_id.as_ref(),
        role: None,
    };
    let creation = app.store().create_client(&client, app.now()).await?;
    created(creation, "client", "/terminal_id")?;
    Ok(new)
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
    let client = app.store().client(&id).await?.ok_or_else(unknown)?;
    let of_staff = client.scopes.contains(&ClientScope::Admin) && *id != *staff.actor;
    let act = staff.act(&app, format!("client/{id}"), &why, None);
    let doing = move |app: App| async move {
        if of_staff {
            let text = "somebody else's secret is changed with `gateway admin client rotate`";
            return Err(conflict("staff_client", text));
        }
        let new = ClientSecret::generate().map_err(Problem::fault)?;
        match app.store().rotate_client_secret(&id, &new).await? {
            true => Ok(json!({ "client_id": id, "client_secret": new.reveal() })),
            false => Err(unknown()),
        }
    };
    act.done(&app, doing).await.map(secret)
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
    let own = *id == *staff.actor;
    let act = staff.act(&app, format!("client/{id}"), &why, None);
    let disabled = id.clone();
    let doing = move |app: App| async move {
        if own {
            return Err(conflict("own_client", "you are signed in with it"));
        }
        app.store().disable_client(&disabled, app.now()).await?;
        Ok(())
    };
    act.done(&app, doing).await?;
    told(since(&app, &id).await).map(Body)
}

async fn since(app: &App, id: &str) -> Result<Value, Problem> {
    let client = app.store().client(id).await?.ok_or_else(unknown)?;
    Ok(json!({ "client_id": id, "disabled_at": client.disabled_at }))
}
