//! `POST /v1/cards`, `DELETE /v1/me/cards/{card_id}`

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
    member::MemberNo,
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
    random,
};

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
    let operation = Operation::Enrol(Enrol {
        card_id: key.card_id(),
        public_key: key.to_sec1().to_vec(),
        member_id: MemberId::new(app.clock().new_id()),
        member_no: free_number(&app).await?,
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

/// A member number that nobody has. Two enrolments may still draw the same at one moment: then the
/// database refuses one of them, and its phone asks again.
async fn free_number(app: &App) -> Result<MemberNo, Problem> {
    const NUMBERS: u64 = 100_000_000_000;
    loop {
        let number = MemberNo::from_seed(random::below(NUMBERS)?);
        if app.store().member_by_no(&number).await?.is_none() {
            return Ok(number);
        }
    }
}

pub(super) fn revoked() -> Problem {
    Problem::new(ProblemKind::CardRevoked, "The card was revoked.")
}

/// Revoke one of the member's cards, for ever: a phone that was lost.
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
