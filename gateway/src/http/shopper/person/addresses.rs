//! `POST /v1/me/verifications`, `POST /v1/me/verifications/{id}/confirmations`
//!
//! Whether an address leads to a member already is told only to who has proved to read there.

use axum::{Json as Body, extract::State, http::StatusCode};
use jiff::Timestamp;
use ledger::{
    command::{Confirm, Operation, StartVerification},
    decision::Answer,
    denial::Denial,
    identity::Claim,
};
use outbound::delivery::{Details, Kind, Message, MessageId, Recipient};
use personal_data::{Email, IndexKey, OneTimeCode, Phone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    super::super::{
        App, Json, PathId, Shopper,
        caller::Peer,
        denied::{denied, unexpected},
        openapi::Problems,
        problem::{Problem, ProblemKind},
    },
    links::{LinkedAnswer, linked},
};
use crate::{claims, secrets};

/// An address to prove: one of the two.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerificationRequest {
    /// An e-mail address.
    #[serde(default)]
    email: Option<String>,
    /// A telephone number that takes text messages, Japanese or with `+` and the country.
    #[serde(default)]
    phone: Option<String>,
}

/// A code is on its way.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct VerificationAnswer {
    /// The verification.
    id: Uuid,
    /// The code must come back before this.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The code that arrived.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmationRequest {
    /// Six digits, as they were typed.
    code: String,
    /// Whether the shopper agreed that both become one member, should the address be another member's.
    #[serde(default)]
    agree_to_merge: bool,
}

/// An address in both its forms: where to send to, and what the ledger finds it by.
fn address(index: &IndexKey, request: &VerificationRequest) -> Result<(Recipient, Claim), Problem> {
    match (&request.email, &request.phone) {
        (Some(text), None) => {
            let email = Email::parse(text);
            let email = email.map_err(|error| Problem::invalid("/email", format!("{error}.")))?;
            let claim = claims::email(index, &email);
            Ok((Recipient::Email(email.to_text()), claim))
        }
        (None, Some(text)) => {
            let phone = Phone::parse(text);
            let phone = phone.map_err(|error| Problem::invalid("/phone", format!("{error}.")))?;
            let claim = claims::phone(index, &phone);
            Ok((Recipient::Phone(phone.to_text()), claim))
        }
        _ => Err(Problem::invalid("", "Say `email` or `phone`, one of them.")),
    }
}

/// Send a one-time code to an address, to prove that it is the shopper's.
///
/// The answer is the same whether or not anybody knows the address.
#[utoipa::path(
    post, path = "/v1/me/verifications", tag = "shopper", security(("card" = [])),
    request_body = VerificationRequest,
    responses((status = 201, description = "A code was sent", body = VerificationAnswer), Problems),
)]
pub(super) async fn start(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
    Json(request): Json<VerificationRequest>,
) -> Result<(StatusCode, Body<VerificationAnswer>), Problem> {
    let index = &app.secrets()?.index;
    let delivery = app.settings().delivery.as_ref().ok_or_else(|| {
        Problem::new(
            ProblemKind::NotSetUp,
            "The gateway can send no messages (`--delivery-url`).",
        )
    })?;
    let (to, claim) = address(index, &request)?;
    app.rates.message(shopper.member_id, peer.0, claim.key)?;
    let code = OneTimeCode::from_random(secrets::random().map_err(Problem::fault)?);
    let start = StartVerification {
        card_id: shopper.card_id,
        claim,
        code_hash: claims::one_time_code(index, shopper.card_id, &code),
    };
    let operation = Operation::StartVerification(Box::new(start));
    let (id, expires_at) = match app.submit(operation, Some(shopper.member_id)).await? {
        Answer::CodeMade { id, expires_at } => (id, expires_at),
        Answer::Denied(denial) => return Err(denied(denial)),
        Answer::NotFound => return Err(denied(Denial::MemberErased)),
        other => return Err(unexpected(&other)),
    };
    let now = app.now();
    let message = Message {
        id: MessageId::parse(&id.to_string()).map_err(Problem::fault)?,
        occurred_at: now,
        to,
        kind: Kind::OneTimeCode {
            code: code.as_str().to_owned(),
            expires_at,
        },
        details: Details(json!({ "programme": app.settings().programme.to_string() })),
    };
    delivery.send(&message, now).await.map_err(|error| {
        let detail = "The code could not be sent now; nothing was proved.";
        Problem::new(ProblemKind::Unavailable, detail).because(error)
    })?;
    Ok((
        StatusCode::CREATED,
        Body(VerificationAnswer { id, expires_at }),
    ))
}

/// Bring back the code that arrived: the address now leads to the member.
///
/// If it is another member's, the answer is `would_merge` until the shopper agrees; the code stays good.
/// After a merge the card earns and does not spend for some hours, and addresses that were proved
/// get a notice.
#[utoipa::path(
    post, path = "/v1/me/verifications/{id}/confirmations", tag = "shopper", security(("card" = [])),
    params(("id" = Uuid, Path, description = "The verification")),
    request_body = ConfirmationRequest,
    responses((status = 200, description = "The address leads to the member", body = LinkedAnswer), Problems),
)]
pub(super) async fn confirm(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
    PathId(id): PathId<Uuid>,
    Json(request): Json<ConfirmationRequest>,
) -> Result<Body<LinkedAnswer>, Problem> {
    let index = &app.secrets()?.index;
    app.rates.guess(shopper.member_id, peer.0)?;
    let code = OneTimeCode::parse(&request.code);
    let code = code.map_err(|error| Problem::invalid("/code", format!("{error}.")))?;
    let confirm = Confirm {
        id,
        card_id: shopper.card_id,
        code_hash: claims::one_time_code(index, shopper.card_id, &code),
        agreed: request.agree_to_merge,
    };
    let operation = Operation::Confirm(Box::new(confirm));
    let answer = app.submit(operation, Some(shopper.member_id)).await?;
    Ok(Body(linked(&app, answer).await?))
}
