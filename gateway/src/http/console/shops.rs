//! EC shops and what they sign with. A secret is in the one answer of the call that made it.

use axum::{Json as Body, extract::State, http::StatusCode};
use jiff::{SignedDuration, Timestamp};
use outbound::https::HttpsUrl;
use pos_protocol::ShopId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        App, Json, PathId,
        openapi::Problems,
        problem::{Problem, ProblemKind},
        staff::{Staff, reason, told},
    },
    Made, Secret, Why, conflict, created, places, secret,
};
use crate::{
    limits,
    store::{
        ClientSecret, NewShop, SHOP_ID_CHARS_MAX, ShopPlatform, ShopRow, ShopSecret, ShopSettings,
    },
};

/// A shop to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShopToMake {
    /// Its id, 1 to 61 characters of a-z 0-9 -
    #[schema(value_type = String)]
    shop_id: ShopId,
    /// `shopify`, `woocommerce`, `ec_cube` or `api`.
    platform: String,
    /// What people call it; its id if absent.
    #[serde(default)]
    name: Option<String>,
    /// Where it is, `https://…`.
    #[serde(default)]
    base_url: Option<String>,
    /// Why, 1 to 200 characters.
    #[serde(default)]
    #[schema(required = true)]
    reason: Option<String>,
}

fn shown(shop: &ShopRow, secrets: &[ShopSecret]) -> Value {
    let path = shop
        .platform
        .webhooks()
        .map(|_| format!("/v1/ec/webhooks/{}", shop.id));
    let secrets = secrets
        .iter()
        .map(|secret| json!({ "created_at": secret.created_at, "ends_at": secret.ends_at }));
    json!({
        "shop_id": shop.id,
        "platform": shop.platform.word(),
        "name": shop.name,
        "base_url": shop.base_url,
        "store_id": shop.till.store_id,
        "terminal_id": shop.till.terminal_id,
        "webhook_path": path,
        "secrets": secrets.collect::<Vec<_>>(),
        "created_at": shop.created_at,
        "disabled_at": shop.disabled_at,
    })
}

async fn with_secrets(app: &App, shop: &ShopRow) -> Result<Value, Problem> {
    let secrets = app.store().shop_secrets(&shop.id, app.now()).await?;
    Ok(shown(shop, &secrets))
}

fn unknown() -> Problem {
    Problem::new(ProblemKind::UnknownResource, "There is no such shop.")
}

/// Whether the gateway makes the secret that the platform signs with.
fn gives_secret(platform: ShopPlatform) -> bool {
    platform == ShopPlatform::WooCommerce
}

/// Every shop, without secrets.
#[utoipa::path(
    get, path = "/v1/admin/shops", tag = "console", security(("client" = ["admin"])),
    responses((status = 200, description = "Shops, by id", body = Value), Problems),
)]
pub(super) async fn list(State(app): State<App>, _: Staff) -> Result<Body<Value>, Problem> {
    let mut shops = Vec::new();
    for shop in app.store().list_shops().await? {
        shops.push(with_secrets(&app, &shop).await?);
    }
    Ok(Body(json!({ "shops": shops })))
}

/// Make a shop known; its webhook secret is shown once.
#[utoipa::path(
    post, path = "/v1/admin/shops", tag = "console", security(("client" = ["admin"])),
    request_body = ShopToMake,
    responses((status = 201, description = "The shop and its secret", body = Value), Problems),
)]
pub(super) async fn create(
    State(app): State<App>,
    staff: Staff,
    Json(request): Json<ShopToMake>,
) -> Result<Made<Secret>, Problem> {
    let why = reason(request.reason)?;
    let id = request.shop_id;
    if id.as_str().len() > SHOP_ID_CHARS_MAX {
        let detail = format!("At most {SHOP_ID_CHARS_MAX} characters.");
        return Err(Problem::invalid("/shop_id", detail));
    }
    let platform = ShopPlatform::from_word(&request.platform)
        .ok_or_else(|| Problem::invalid("/platform", "No such platform."))?;
    if let Some(url) = &request.base_url {
        HttpsUrl::parse(url).map_err(|error| Problem::invalid("/base_url", format!("{error}.")))?;
    }
    let name = places::name(request.name, id.as_str())?;
    let act = staff.act(&app, format!("shop/{id}"), &why, None);
    let (new_id, base_url) = (id.clone(), request.base_url);
    let doing = move |app: App| async move {
        let shop = NewShop {
            id: &new_id,
            platform,
            name: &name,
            base_url: base_url.as_deref(),
            settings: &ShopSettings::default(),
        };
        let now = app.now();
        created(app.store().create_shop(&shop, now).await?, "shop", "")?;
        match gives_secret(platform) {
            true => give(&app, &new_id, now).await.map(Some),
            false => Ok(None),
        }
    };
    let new = act.done(&app, doing).await?;
    let answer = told(made(&app, &id, new.as_ref()).await)?;
    Ok((StatusCode::CREATED, secret(answer)))
}

async fn made(app: &App, id: &ShopId, new: Option<&ClientSecret>) -> Result<Value, Problem> {
    let row = app.store().shop(id).await?.ok_or_else(unknown)?;
    let mut answer = with_secrets(app, &row).await?;
    if let Some(fields) = answer.as_object_mut() {
        let new = new.map(ClientSecret::reveal);
        fields.insert("webhook_secret".to_owned(), new.into());
    }
    Ok(answer)
}

async fn give(app: &App, id: &ShopId, old_end: Timestamp) -> Result<ClientSecret, Problem> {
    let new = ClientSecret::generate().map_err(Problem::fault)?;
    app.store()
        .add_shop_secret(id, new.reveal(), app.now(), old_end)
        .await?;
    Ok(new)
}

/// Give a shop another webhook secret; the old one stays good for an hour.
#[utoipa::path(
    post, path = "/v1/admin/shops/{shop}/rotate-secret", tag = "console", security(("client" = ["admin"])),
    params(("shop" = String, Path, description = "The shop")), request_body = Why,
    responses((status = 200, description = "The new secret", body = Value), Problems),
)]
pub(super) async fn rotate(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<ShopId>,
    Json(request): Json<Why>,
) -> Result<Secret, Problem> {
    let why = reason(request.reason)?;
    let shop = app.store().shop(&id).await?.ok_or_else(unknown)?;
    let act = staff.act(&app, format!("shop/{id}"), &why, None);
    let doing = move |app: App| async move {
        if !gives_secret(shop.platform) {
            let text = "the platform makes its secret itself: `gateway admin shop rotate-secret`";
            return Err(conflict("secret_of_platform", text));
        }
        let overlap = SignedDuration::from_secs(limits::SHOP_SECRET_OVERLAP_S);
        let old_end = app.now().checked_add(overlap).unwrap_or(app.now());
        let new = give(&app, &id, old_end).await?;
        Ok(json!({ "shop_id": id, "webhook_secret": new.reveal(), "old_ends_at": old_end }))
    };
    act.done(&app, doing).await.map(secret)
}

/// Disable a shop: it is believed no more; what is booked stays.
#[utoipa::path(
    post, path = "/v1/admin/shops/{shop}/disable", tag = "console", security(("client" = ["admin"])),
    params(("shop" = String, Path, description = "The shop")), request_body = Why,
    responses((status = 200, description = "Since when", body = Value), Problems),
)]
pub(super) async fn disable(
    State(app): State<App>,
    staff: Staff,
    PathId(id): PathId<ShopId>,
    Json(request): Json<Why>,
) -> Result<Body<Value>, Problem> {
    let why = reason(request.reason)?;
    app.store().shop(&id).await?.ok_or_else(unknown)?;
    let act = staff.act(&app, format!("shop/{id}"), &why, None);
    let disabled = id.clone();
    let doing = move |app: App| async move {
        app.store().disable_shop(&disabled, app.now()).await?;
        Ok(())
    };
    act.done(&app, doing).await?;
    told(since(&app, &id).await).map(Body)
}

async fn since(app: &App, id: &ShopId) -> Result<Value, Problem> {
    let shop = app.store().shop(id).await?.ok_or_else(unknown)?;
    Ok(json!({ "shop_id": id, "disabled_at": shop.disabled_at }))
}
