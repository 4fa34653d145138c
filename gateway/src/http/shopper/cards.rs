//! `POST /v1/cards`, `DELETE` and `PATCH /v1/me/cards/{card_id}`

use axum::{
    Json as Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use ledger::{
    command::{Enrol, Operation},
    decision::Answer,
};
use member_card::{CardId, Jwk, ProgrammeId, PublicKey};
use pos_protocol::MemberId;
use serde::{Deserialize, Serialize};

use super::super::{
    App, Json, PathId, Shopper,
    caller::Peer,
    openapi::Problems,
    problem::{Problem, ProblemKind},
    proof::{Proof, Target},
};

/// Characters in the name of a card.
const CARD_NAME_CHARS_MAX: usize = 40;

/// A phone's new key, and that the phone has it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrolRequest {
    /// The public key as a JWK: EC, P-256.
    #[schema(value_type = Object, example = json!({"kty": "EC", "crv": "P-256", "x": "…", "y": "…"}))]
    public_key: Jwk,
    /// A card proof for this very request, signed by the key.
    proof: String,
}

/// The card and its member.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct EnrolAnswer {
    /// 16 hex digits; a function of the key.
    #[schema(value_type = String)]
    card_id: CardId,
    /// The member it leads to.
    member_id: MemberId,
    /// What people call the member by.
    member_no: String,
    /// What card texts and proofs are signed for.
    #[schema(value_type = String)]
    programme: ProgrammeId,
    /// The gateway's clock, to correct the phone's.
    #[schema(value_type = String, format = DateTime)]
    server_time: Timestamp,
}

/// Enrol a phone: its key becomes a card, and the card a member. No form, no personal data.
///
/// The same key again is the same card.
#[utoipa::path(
    post, path = "/v1/cards", tag = "shopper",
    request_body = EnrolRequest,
    responses(
        (status = 201, description = "A new card", body = EnrolAnswer),
        (status = 200, description = "The card is known", body = EnrolAnswer),
        Problems,
    ),
)]
pub(super) async fn enrol(
    State(app): State<App>,
    peer: Peer,
    target: Target,
    Json(request): Json<EnrolRequest>,
) -> Result<Response, Problem> {
    app.rates.peer(peer.0)?;
    let key = PublicKey::from_jwk(&request.public_key)
        .map_err(|error| Problem::invalid("/public_key", format!("{error}.")))?;
    Proof::parse(&request.proof)?.check(&key, &target, &app)?;
    let newcomer = app.newcomer().await?;
    let operation = Operation::Enrol(Enrol {
        card_id: key.card_id(),
        public_key: key.to_sec1().to_vec(),
        member_id: newcomer.member_id,
        member_no: newcomer.member_no,
    });
    let hint = app.cards.key(key.card_id()).await?;
    match app
        .submit(operation, hint.map(|known| known.member_id))
        .await?
    {
        Answer::Enrolled {
            card_id,
            member_id,
            member_no,
            created,
        } => {
            let answer = EnrolAnswer {
                card_id,
                member_id,
                member_no: member_no.to_string(),
                programme: app.settings().programme.clone(),
                server_time: app.now(),
            };
            let status = if created {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            Ok((status, Body(answer)).into_response())
        }
        Answer::Refused(_) => Err(revoked()),
        other => Err(Problem::fault(format!(
            "an enrolment was answered {other:?}"
        ))),
    }
}

pub(super) fn revoked() -> Problem {
    Problem::new(ProblemKind::CardRevoked, "The card was revoked.")
}

/// Revoke one of the member's cards, for ever: a phone that was lost. Any card of the person will do.
///
/// Revoking it again changes nothing. A card may revoke itself.
#[utoipa::path(
    delete, path = "/v1/me/cards/{card_id}", tag = "shopper", security(("card" = [])),
    params(("card_id" = String, Path, description = "16 hex digits")),
    responses((status = 204, description = "It is revoked"), Problems),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    shopper: Shopper,
    PathId(card_id): PathId<CardId>,
) -> Result<StatusCode, Problem> {
    let member_id = shopper.member_id;
    let operation = Operation::RevokeCard { member_id, card_id };
    match app.submit(operation, Some(member_id)).await? {
        Answer::CardRevoked { .. } => Ok(StatusCode::NO_CONTENT),
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "The member has no such card.",
        )),
        other => Err(Problem::fault(format!(
            "a revocation was answered {other:?}"
        ))),
    }
}

/// What to call a card.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NameRequest {
    /// 1 to 40 characters, for example `My old phone`.
    #[schema(min_length = 1, max_length = 40)]
    name: String,
}

/// Give one of the member's cards a name, so that it is known from the others.
#[utoipa::path(
    patch, path = "/v1/me/cards/{card_id}", tag = "shopper", security(("card" = [])),
    params(("card_id" = String, Path, description = "16 hex digits")),
    request_body = NameRequest,
    responses((status = 204, description = "It has the name"), Problems),
)]
pub(super) async fn name(
    State(app): State<App>,
    shopper: Shopper,
    PathId(card_id): PathId<CardId>,
    Json(request): Json<NameRequest>,
) -> Result<StatusCode, Problem> {
    let member_id = shopper.member_id;
    let name = card_name(&request.name).map_err(|detail| Problem::invalid("/name", detail))?;
    let operation = Operation::NameCard {
        member_id,
        card_id,
        name,
    };
    match app.submit(operation, Some(member_id)).await? {
        Answer::Done => Ok(StatusCode::NO_CONTENT),
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "The member has no such card.",
        )),
        other => Err(Problem::fault(format!("a name was answered {other:?}"))),
    }
}

/// A name without spaces around it.
fn card_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let chars = name.chars().count();
    if !(1..=CARD_NAME_CHARS_MAX).contains(&chars) {
        return Err(format!("A name has 1 to {CARD_NAME_CHARS_MAX} characters."));
    }
    if name.chars().any(char::is_control) {
        return Err("A name has no control characters.".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!(card_name(" 古い電話 ").unwrap(), "古い電話");
        assert_eq!(card_name(&"あ".repeat(40)).unwrap().chars().count(), 40);
        for wrong in ["", "  ", "a\tb", "a\nb", &"a".repeat(41)] {
            assert!(card_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
