//! `POST /v1/ec/webhooks/{shop_id}`

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use ec::{
    delivery::{self, Arrival, Delivery},
    signature,
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
    // Anybody can invent webhooks; who invented too many is not listened to.
    app.rates.peer_has_some_left(peer)?;
    app.secrets()?;
    let shop = app.intake().shops().get(&shop_id, app.now()).await?;
    let headers = request.headers().clone();
    let bytes = body(request, limits::WEBHOOK_BYTES_MAX).await?;
    match believed(&app, shop.as_deref(), &headers, &bytes) {
        Ok(Arrival::Ping) => Ok(StatusCode::OK),
        Ok(Arrival::Webhook(delivery)) => {
            let platform = delivery.platform.as_str();
            let message = NewMessage {
                id: app.clock().new_id(),
                shop_id,
                repeat_key: delivery.repeat_key().map(str::to_owned),
                topic: delivery.topic,
                is_test: delivery.test,
                body: bytes.to_vec(),
                received_at: app.now(),
            };
            app.intake().accept(vec![message]).await?;
            measures::webhook(platform, "accepted");
            Ok(StatusCode::OK)
        }
        Err(Refusal { platform, why }) => {
            measures::webhook(platform, "refused");
            tracing::warn!(shop.id = %shop_id, why, "webhook.refused");
            app.rates.peer(peer)?;
            let refused = "The webhook is not believed.";
            Err(Problem::new(ProblemKind::WebhookRefused, refused).because(why))
        }
    }
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
    if !names_its_own(shop, delivery) {
        return Err(refused(platform.as_str(), "it names another shop's domain"));
    }
    let window = SignedDuration::from_secs(limits::WEBHOOK_WINDOW_S);
    if !delivery.is_timely(now, window) {
        return Err(refused(
            platform.as_str(),
            "it is too old, or of the future",
        ));
    }
    Ok(arrival)
}

/// Whether it names the domain that is set up, if one is.
fn names_its_own(shop: &KnownShop, delivery: &Delivery) -> bool {
    let Some(domain) = &shop.row.settings.domain else {
        return true;
    };
    let named = delivery.shop_domain.as_deref();
    named.is_some_and(|named| named.eq_ignore_ascii_case(domain))
}
