//! `POST /v1/ec/webhooks/{shop_id}`
//!
//! A genuine webhook never waits for what others forge: the signature is checked before anything is counted.
//! So a forgery costs a bounded body and one HMAC for each secret of the shop, and nothing in the database
//! but the look for a shop that was not asked for lately.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use ec::{
    Platform,
    delivery::{self, Arrival, Delivery},
    ec_cube, signature,
};
use jiff::SignedDuration;
use pos_protocol::ShopId;

use super::super::{
    App, PathId, Peer,
    json::body,
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::{
    intake::{KnownShop, measures},
    limits,
    store::NewMessage,
};

/// Take a webhook of a shop's platform.
///
/// The signature is checked over the body as it came. 200 means that it is kept, and will be booked; a
/// repeat is answered 200 as well.
#[utoipa::path(
    post, path = "/v1/ec/webhooks/{shop_id}", tag = "shop",
    params(("shop_id" = ShopId, Path, description = "The shop")),
    request_body(content = serde_json::Value, description = "What the platform sends, signed as it signs"),
    responses((status = 200, description = "It is kept"), Problems),
)]
pub(super) async fn receive(
    State(app): State<App>,
    Peer(peer): Peer,
    PathId(shop_id): PathId<ShopId>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let secrets = app.secrets()?;
    let shop = app.intake().shops().get(&shop_id, app.now()).await?;
    let headers = request.headers().clone();
    let bytes = body(request, limits::WEBHOOK_BYTES_MAX).await?;
    match believed(&app, shop.as_deref(), &headers, &bytes) {
        Ok(Arrival::Ping) => Ok(StatusCode::OK),
        Ok(Arrival::Webhook(delivery)) => {
            let platform = delivery.platform.as_str();
            if let Err(problem) = app.rates.webhook(&shop_id) {
                measures::webhook(platform, "limited");
                return Err(problem);
            }
            let messages = messages(&app, &shop_id, &delivery, &bytes);
            app.intake().accept(secrets, messages).await?;
            measures::webhook(platform, "accepted");
            Ok(StatusCode::OK)
        }
        Err(Refusal { platform, why }) => {
            measures::webhook(platform, "refused");
            // Who forged too many is told nothing more, and nor is the log.
            app.rates
                .forgery(peer, shop.is_some().then_some(&shop_id))?;
            tracing::warn!(shop.id = %shop_id, why, "webhook.refused");
            let refused = "The webhook is not believed.";
            Err(Problem::new(ProblemKind::WebhookRefused, refused).because(why))
        }
    }
}

/// What is kept: the webhook as it came, or an order each if one of EC-CUBE names several.
fn messages(app: &App, shop_id: &ShopId, delivery: &Delivery, bytes: &[u8]) -> Vec<NewMessage> {
    let split = match delivery.platform {
        Platform::EcCube4 => ec_cube::split(bytes),
        _ => None,
    };
    let bodies = split.unwrap_or_else(|| vec![bytes.to_vec()]);
    let message = |body| NewMessage {
        id: app.clock().new_id(),
        shop_id: shop_id.clone(),
        repeat_key: delivery.repeat_key(bytes),
        topic: delivery.topic.clone(),
        is_test: delivery.test,
        body,
        received_at: app.now(),
    };
    bodies.into_iter().map(message).collect()
}

/// Why a webhook is not believed; for the log only.
struct Refusal {
    platform: &'static str,
    why: String,
}

fn believed(
    app: &App,
    shop: Option<&KnownShop>,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Arrival, Refusal> {
    let refused = |platform, why: &str| Refusal {
        platform,
        why: why.to_owned(),
    };
    let shop = shop.ok_or_else(|| refused("none", "there is no such shop"))?;
    let platform = shop.row.platform.webhooks();
    let platform = platform.ok_or_else(|| refused("api", "the shop sends no webhooks"))?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let arrival = delivery::read(platform, header, bytes);
    let Arrival::Webhook(delivery) = &arrival else {
        return Ok(arrival);
    };
    let signed = header(signature::header_name(platform));
    let now = app.now();
    signature::verify(platform, &shop.secrets(now), signed, bytes)
        .map_err(|error| refused(platform.as_str(), &error.to_string()))?;
    if !delivery.is_from(shop.row.settings.domain.as_deref()) {
        return Err(refused(
            platform.as_str(),
            "it names another shop's domain, or none",
        ));
    }
    let window = SignedDuration::from_secs(limits::WEBHOOK_WINDOW_S);
    if !delivery.is_timely(now, window) {
        return Err(refused(
            platform.as_str(),
            "it is too old, of the future, or tells no time",
        ));
    }
    Ok(arrival)
}
