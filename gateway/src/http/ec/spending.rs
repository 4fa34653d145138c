//! Spending points at a shop's checkout: `POST /v1/ec/inquiries`, `POST /v1/ec/authorizations`,
//! `…/{id}/void` and `GET /v1/ec/requests/{request_id}`.
//!
//! A customer whom the shop has signed in may spend what is theirs; or the shopper types a short code that
//! the phone shows. The hold is captured by the order: its statement names it.

use axum::{extract::State, response::Response};
use ledger::{
    card_use::{CardProof, Till},
    command::Ask,
};
use member_card::ScannedText;
use pos_protocol::{
    AuthorizationAnswer, AuthorizationId, BasketId, InquiryAnswer, OrderId, Points, RequestId,
    TEXT_CHARS_MAX, VoidAnswer, VoidRequest,
};
use serde::{Deserialize, Serialize};

use super::super::{
    App, Ec, Json, PathId,
    openapi::Problems,
    pos::{Asked, ReadCard, Scan, answer, fingerprint, json, read_card},
    problem::{Problem, ProblemKind},
};
use crate::{claims, intake::KnownShop};

/// What can this customer spend on this order?
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcInquiryRequest {
    /// The shop's name for this request, unique in the shop.
    request_id: RequestId,
    /// The shop's id of the order; it may still be a cart that becomes the order of this id.
    order_id: OrderId,
    /// The customer whom the shop has signed in; or `card`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    /// The short code that the shopper typed, twenty digits; or `customer_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<String>,
}

/// Hold points for an order.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcAuthorizationRequest {
    /// The shop's name for this request, unique in the shop.
    request_id: RequestId,
    /// The shop's id of the order.
    order_id: OrderId,
    /// The customer whom the shop has signed in; or `card`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer_id: Option<String>,
    /// The short code that the shopper typed, twenty digits; or `customer_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    card: Option<String>,
    /// Points to hold, at least 1.
    points: Points,
}

/// What can a customer spend on an order?
#[utoipa::path(
    post, path = "/v1/ec/inquiries", tag = "shop", security(("client" = ["ec"])),
    request_body = EcInquiryRequest,
    responses((status = 200, description = "Approved or declined", body = InquiryAnswer), Problems),
)]
pub(super) async fn inquire(
    State(app): State<App>,
    ec: Ec,
    Json(request): Json<EcInquiryRequest>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint("ec_inquiry", "", &request);
    let who = (request.customer_id.as_deref(), request.card.as_deref());
    let ReadCard { proof, member_hint } = payer(&app, &ec.shop, &request.order_id, who).await?;
    let ask = Ask::Inquiry {
        basket_id: basket(&request.order_id)?,
        card: proof,
    };
    let asked = Asked {
        till: till(&ec),
        request_id: request.request_id,
        fingerprint,
        member_hint,
        ask,
    };
    answer(&app, asked).await
}

/// Hold points for an order.
#[utoipa::path(
    post, path = "/v1/ec/authorizations", tag = "shop", security(("client" = ["ec"])),
    request_body = EcAuthorizationRequest,
    responses((status = 200, description = "Approved or declined", body = AuthorizationAnswer), Problems),
)]
pub(super) async fn authorize(
    State(app): State<App>,
    ec: Ec,
    Json(request): Json<EcAuthorizationRequest>,
) -> Result<Response, Problem> {
    if request.points.is_zero() {
        let detail = "An authorization holds at least 1 point.";
        return Err(Problem::invalid("/points", detail));
    }
    let fingerprint = fingerprint("ec_authorization", "", &request);
    let who = (request.customer_id.as_deref(), request.card.as_deref());
    let ReadCard { proof, member_hint } = payer(&app, &ec.shop, &request.order_id, who).await?;
    let ask = Ask::Authorization {
        basket_id: basket(&request.order_id)?,
        card: proof,
        points: request.points,
    };
    let asked = Asked {
        till: till(&ec),
        request_id: request.request_id,
        fingerprint,
        member_hint,
        ask,
    };
    answer(&app, asked).await
}

/// Let a hold go before the order captures it.
#[utoipa::path(
    post, path = "/v1/ec/authorizations/{id}/void", tag = "shop", security(("client" = ["ec"])),
    params(("id" = AuthorizationId, Path, description = "The authorization")),
    request_body = VoidRequest,
    responses((status = 200, description = "Approved or declined", body = VoidAnswer), Problems),
)]
pub(super) async fn void(
    State(app): State<App>,
    ec: Ec,
    PathId(authorization_id): PathId<AuthorizationId>,
    Json(request): Json<VoidRequest>,
) -> Result<Response, Problem> {
    let fingerprint = fingerprint("ec_void", &authorization_id.to_string(), &request);
    let member_hint = app.owner_of_authorization(authorization_id).await?;
    let asked = Asked {
        till: till(&ec),
        request_id: request.request_id,
        fingerprint,
        member_hint,
        ask: Ask::Void { authorization_id },
    };
    answer(&app, asked).await
}

/// The stored answer of a request of this shop, byte for byte.
///
/// 404 means that the request never arrived: send it again under the same id.
#[utoipa::path(
    get, path = "/v1/ec/requests/{request_id}", tag = "shop", security(("client" = ["ec"])),
    params(("request_id" = RequestId, Path, description = "The shop's name for the request")),
    responses(
        (status = 200, description = "The answer as it was given", content_type = "application/json", body = serde_json::Value),
        Problems,
    ),
)]
pub(super) async fn stored(
    State(app): State<App>,
    ec: Ec,
    PathId(request_id): PathId<RequestId>,
) -> Result<Response, Problem> {
    let till = &ec.shop.row.till;
    match app.store().request(&till.terminal_id, &request_id).await? {
        Some(stored) => Ok(json(&stored.answer)),
        None => Err(Problem::new(
            ProblemKind::UnknownResource,
            "No request of this id was answered here.",
        )),
    }
}

fn till(ec: &Ec) -> Till {
    ec.shop.row.till.clone()
}

/// The order is its own basket.
fn basket(order: &OrderId) -> Result<BasketId, Problem> {
    let basket = BasketId::new(order.as_str());
    basket.map_err(|error| Problem::invalid("/order_id", format!("{error}.")))
}

/// Who pays: the shop's customer, or whom a short code leads to.
async fn payer(
    app: &App,
    shop: &KnownShop,
    order: &OrderId,
    (customer_id, card): (Option<&str>, Option<&str>),
) -> Result<ReadCard, Problem> {
    let secrets = app.secrets()?;
    match (customer_id, card) {
        (Some(customer_id), None) => {
            let customer_id = checked_customer(customer_id)?;
            let claim = claims::ec_customer(&secrets.index, &shop.row.id, customer_id);
            Ok(ReadCard {
                member_hint: app.store().identity_owner(claim.key).await?,
                proof: CardProof::Customer {
                    key: claim.key,
                    used: claims::order_use(&secrets.index, &shop.row.id, order),
                },
            })
        }
        // Nothing but a short code: whatever else is typed into a web page was copied from somewhere.
        (None, Some(card)) => match ScannedText::parse(card) {
            Ok(ScannedText::ShortCode(_)) => {
                let scan = Scan {
                    till: &shop.row.till,
                    basket_id: &basket(order)?,
                    at: app.now(),
                };
                read_card(app, card, &scan).await
            }
            _ => Ok(ReadCard {
                proof: CardProof::NotGenuine,
                member_hint: None,
            }),
        },
        _ => Err(Problem::invalid(
            "",
            "Name either `customer_id` or `card`, not both.",
        )),
    }
}

/// A customer's id as orders may name it.
pub(super) fn checked_customer(id: &str) -> Result<&str, Problem> {
    let legal = (1..=TEXT_CHARS_MAX).contains(&id.chars().count());
    if legal && !id.chars().any(char::is_control) {
        Ok(id)
    } else {
        let detail = format!("A customer's id is 1 to {TEXT_CHARS_MAX} characters.");
        Err(Problem::invalid("/customer_id", detail))
    }
}
