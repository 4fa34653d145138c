//! Linking from the shop's side: `POST /v1/ec/link-codes` and `POST /v1/ec/links`.
//!
//! Only for customers whom the shop has signed in. Both ways the other side is proved as well: by a code that
//! was shown there, or because the member verified the same address. Tries are few, so that neither is guessed.

use axum::{Json as Body, extract::State, http::StatusCode};
use jiff::Timestamp;
use ledger::{
    command::{EnterLinkCode, Link, MakeLinkCode, Operation, Side},
    decision::Answer,
    denial::Denial,
    identity::Proof,
};
use personal_data::{Email, LinkCode};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App, Ec, Json,
        denied::{denied, unexpected},
        openapi::Problems,
        problem::{Problem, ProblemKind},
    },
    orders::masked_number,
    spending::checked_customer,
};
use crate::{claims, newcomer, secrets::random};

/// A customer wants a code to type into the app.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcLinkCodeRequest {
    /// The customer whom the shop has signed in.
    customer_id: String,
}

/// A code that links whoever enters it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct EcLinkCodeAnswer {
    /// To show to the customer: `CFHJ-2345`. It cannot be asked for again.
    code: String,
    /// It must be entered before this.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A code for the customer to type into the app.
#[utoipa::path(
    post, path = "/v1/ec/link-codes", tag = "shop", security(("client" = ["ec"])),
    request_body = EcLinkCodeRequest,
    responses((status = 201, description = "A code", body = EcLinkCodeAnswer), Problems),
)]
pub(super) async fn make_code(
    State(app): State<App>,
    ec: Ec,
    Json(request): Json<EcLinkCodeRequest>,
) -> Result<(StatusCode, Body<EcLinkCodeAnswer>), Problem> {
    app.rates.shop_code(&ec.client_id)?;
    let secrets = app.secrets()?;
    let shop_id = &ec.shop.row.id;
    let customer = checked_customer(&request.customer_id)?;
    let claim = claims::ec_customer(&secrets.index, shop_id, customer);
    let hint = app.store().identity_owner(claim.key).await?;
    let drawn = random().map_err(Problem::fault)?;
    let code = LinkCode::from_random(drawn);
    let make = MakeLinkCode {
        hash: claims::link_code(&secrets.index, &code),
        side: Side::Identity(claim),
        shown_by: format!("shop:{shop_id}"),
        newcomer: app.newcomer().await?,
    };
    let operation = Operation::MakeLinkCode(Box::new(make));
    match app.submit(operation, hint).await? {
        Answer::CodeMade { expires_at, .. } => {
            let code = code.to_text();
            let answer = EcLinkCodeAnswer { code, expires_at };
            Ok((StatusCode::CREATED, Body(answer)))
        }
        Answer::Denied(denial) => Err(denied(denial)),
        other => Err(unexpected(&other)),
    }
}

/// A customer and somebody known elsewhere are one person.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EcLinkRequest {
    /// The customer whom the shop has signed in, and who agreed.
    customer_id: String,
    /// The code that the app, or another shop, showed; or `verified_email`.
    #[serde(default)]
    code: Option<String>,
    /// The customer's address, if the shop has verified it; or `code`.
    #[serde(default)]
    verified_email: Option<String>,
}

/// Who the customer is now.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct EcLinkAnswer {
    /// The last digits of the member's number.
    member_no: Option<String>,
    /// Whether two members became one.
    merged: bool,
}

/// Link a customer to a member, by a code or by an address that both sides verified.
///
/// 404 means that no member verified the address: nothing happened.
#[utoipa::path(
    post, path = "/v1/ec/links", tag = "shop", security(("client" = ["ec"])),
    request_body = EcLinkRequest,
    responses((status = 200, description = "They are linked", body = EcLinkAnswer), Problems),
)]
pub(super) async fn link(
    State(app): State<App>,
    ec: Ec,
    Json(request): Json<EcLinkRequest>,
) -> Result<Body<EcLinkAnswer>, Problem> {
    app.rates.link_try(&ec.client_id)?;
    let operation = operation(&app, &ec, &request)?;
    match app.submit(operation, None).await? {
        Answer::Linked { member_id, merged } => Ok(Body(EcLinkAnswer {
            member_no: masked_number(&app, member_id).await?,
            merged: merged.is_some(),
        })),
        Answer::Denied(denial) => Err(denied(denial)),
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "No member verified that address.",
        )),
        other => Err(unexpected(&other)),
    }
}

fn operation(app: &App, ec: &Ec, request: &EcLinkRequest) -> Result<Operation, Problem> {
    let index = &app.secrets()?.index;
    let shop_id = &ec.shop.row.id;
    let customer = checked_customer(&request.customer_id)?;
    let side = Side::Identity(claims::ec_customer(index, shop_id, customer));
    let actor = format!("shop:{shop_id}");
    match (&request.code, &request.verified_email) {
        (Some(code), None) => {
            // What cannot be a code is none that is known.
            let code = LinkCode::parse(code).map_err(|_| denied(Denial::UnknownCode))?;
            Ok(Operation::EnterLinkCode(Box::new(EnterLinkCode {
                hash: claims::link_code(index, &code),
                side,
                actor,
                agreed: true,
            })))
        }
        (None, Some(email)) => {
            let email = Email::parse(email)
                .map_err(|error| Problem::invalid("/verified_email", format!("{error}.")))?;
            let newcomer = newcomer::unchecked(app.clock()).map_err(Problem::fault)?;
            Ok(Operation::Link(Box::new(Link {
                asker: side,
                other: Side::Identity(claims::email(index, &email)),
                proof: Proof::ShopStatement,
                actor,
                agreed: true,
                only_known: true,
                // The shop's word is less than a code: what it brings together cannot be spent at once.
                cool_down: true,
                newcomer: Some(newcomer),
            })))
        }
        _ => Err(Problem::invalid(
            "",
            "Name either `code` or `verified_email`, not both.",
        )),
    }
}
