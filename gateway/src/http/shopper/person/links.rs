//! `POST /v1/me/link-codes`, `POST /v1/me/links`, `POST /v1/me/openid`, `DELETE /v1/me/identities/{key}`

use std::str::FromStr;

use axum::{Json as Body, extract::State, http::StatusCode};
use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;
use ledger::{
    command::{EnterLinkCode, Link, MakeLinkCode, Operation, Side},
    decision::Answer,
    denial::Denial,
    identity::{IdentityKey, Proof},
};
use outbound::openid::VerifyError;
use personal_data::LinkCode;
use serde::{Deserialize, Serialize};

use super::super::super::{
    App, Json, PathId, Shopper,
    caller::Peer,
    denied::{denied, unexpected},
    openapi::Problems,
    problem::{Problem, ProblemKind},
};
use crate::{claims, secrets, sign_in};

/// Tries to draw a code that nobody has.
const DRAWS_MAX: usize = 4;

/// A code that links whoever enters it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkCodeAnswer {
    /// Eight letters and digits with a hyphen, to show. Not kept: it cannot be asked for again.
    #[schema(example = "CFHJ-2345")]
    code: String,
    /// It must be entered before this.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A code that another channel or phone showed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnterRequest {
    /// As it was typed: either case, with or without the hyphen.
    code: String,
    /// Whether the shopper agreed that both become one member, should both be members.
    #[serde(default)]
    agree_to_merge: bool,
}

/// A signed ID token of the brand's sign-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInRequest {
    /// The token.
    id_token: String,
    /// A secret of 16 to 128 characters. The sign-in must have been begun with the nonce
    /// `base64url(SHA-256(card_id + "." + this))`, without padding: so a token is of use to one card only.
    #[schema(min_length = 16, max_length = 128)]
    nonce: String,
    /// Whether the shopper agreed that both become one member, should the sign-in be another member's.
    #[serde(default)]
    agree_to_merge: bool,
}

/// Both sides are one member now.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkedAnswer {
    /// `linked`, or `merged` if both sides were members.
    outcome: &'static str,
    /// The number of the member that both are.
    member_no: String,
}

/// The key of an identity in a path.
#[derive(Debug)]
pub(super) struct KeyInPath(IdentityKey);

impl FromStr for KeyInPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "the key of an identity is 64 hex digits";
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| wrong)?.try_into().map_err(|_| wrong)?;
        Ok(Self(IdentityKey(bytes)))
    }
}

/// Reads what the ledger says of a link.
pub(super) async fn linked(app: &App, answer: Answer) -> Result<LinkedAnswer, Problem> {
    match answer {
        Answer::Linked { member_id, merged } => {
            let record = app.store().member(member_id).await?;
            let record = record.ok_or_else(|| Problem::fault("a link leads to no member"))?;
            let outcome = if merged.is_some() { "merged" } else { "linked" };
            Ok(LinkedAnswer {
                outcome,
                member_no: record.member.number.to_string(),
            })
        }
        Answer::WouldMerge { member_id } => Err(app.would_merge(member_id).await),
        Answer::Denied(denial) => Err(denied(denial)),
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "No such verification, or it is not the card's.",
        )),
        other => Err(unexpected(&other)),
    }
}

/// Make a code that links: enter it in a shop's page, or on another phone.
#[utoipa::path(
    post, path = "/v1/me/link-codes", tag = "shopper", security(("card" = [])),
    responses((status = 201, description = "A code", body = LinkCodeAnswer), Problems),
)]
pub(super) async fn make_code(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
) -> Result<(StatusCode, Body<LinkCodeAnswer>), Problem> {
    let index = &app.secrets()?.index;
    // Each is something that could be hit by a guess while it lives.
    app.rates.guess(shopper.member_id, peer.0)?;
    for _ in 0..DRAWS_MAX {
        let code = LinkCode::from_random(secrets::random().map_err(Problem::fault)?);
        let make = MakeLinkCode {
            hash: claims::link_code(index, &code),
            side: Side::Card(shopper.card_id),
            shown_by: "card".to_owned(),
            newcomer: app.newcomer().await?,
        };
        let operation = Operation::MakeLinkCode(Box::new(make));
        match app.submit(operation, Some(shopper.member_id)).await? {
            Answer::CodeMade { expires_at, .. } => {
                let code = code.to_text();
                let answer = LinkCodeAnswer { code, expires_at };
                return Ok((StatusCode::CREATED, Body(answer)));
            }
            // Somebody has this very code.
            Answer::Denied(Denial::Moved) => {}
            Answer::Denied(denial) => return Err(denied(denial)),
            Answer::NotFound => return Err(denied(Denial::MemberErased)),
            other => return Err(unexpected(&other)),
        }
    }
    Err(Problem::fault("no free code was found"))
}

/// Enter a code that a shop's page or another phone shows: both become one member.
///
/// Where both are members with points, the answer is `would_merge` until the shopper agrees; the code
/// stays good.
#[utoipa::path(
    post, path = "/v1/me/links", tag = "shopper", security(("card" = [])),
    request_body = EnterRequest,
    responses((status = 200, description = "Both are one member", body = LinkedAnswer), Problems),
)]
pub(super) async fn enter_code(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
    Json(request): Json<EnterRequest>,
) -> Result<Body<LinkedAnswer>, Problem> {
    let index = &app.secrets()?.index;
    app.rates.guess(shopper.member_id, peer.0)?;
    let code = LinkCode::parse(&request.code);
    let code = code.map_err(|error| Problem::invalid("/code", format!("{error}.")))?;
    let enter = EnterLinkCode {
        hash: claims::link_code(index, &code),
        side: Side::Card(shopper.card_id),
        actor: format!("card:{}", shopper.card_id),
        agreed: request.agree_to_merge,
    };
    let operation = Operation::EnterLinkCode(Box::new(enter));
    let answer = app.submit(operation, Some(shopper.member_id)).await?;
    Ok(Body(linked(&app, answer).await?))
}

/// Link the brand's own sign-in (OpenID Connect).
///
/// After a merge the card earns and does not spend for some hours, and addresses that were proved
/// get a notice.
#[utoipa::path(
    post, path = "/v1/me/openid", tag = "shopper", security(("card" = [])),
    request_body = SignInRequest,
    responses((status = 200, description = "The sign-in leads to the member", body = LinkedAnswer), Problems),
)]
pub(super) async fn sign_in(
    State(app): State<App>,
    shopper: Shopper,
    peer: Peer,
    Json(request): Json<SignInRequest>,
) -> Result<Body<LinkedAnswer>, Problem> {
    let index = &app.secrets()?.index;
    let sign_in = app.settings().sign_in.as_ref().ok_or_else(|| {
        Problem::new(
            ProblemKind::NotSetUp,
            "The gateway takes ID tokens of nobody (`--openid`).",
        )
    })?;
    app.rates.guess(shopper.member_id, peer.0)?;
    if !sign_in::NONCE_SECRET_CHARS.contains(&request.nonce.chars().count()) {
        return Err(Problem::invalid("/nonce", "It has 16 to 128 characters."));
    }
    let nonce = sign_in::nonce(shopper.card_id, &request.nonce);
    let subject = sign_in.verify(&request.id_token, &nonce, app.now()).await;
    let subject = subject.map_err(|error| match error {
        VerifyError::Refused(refusal) => {
            Problem::invalid("/id_token", format!("The ID token is refused: {refusal}."))
        }
        VerifyError::Unreachable(fault) => {
            let detail = "The sign-in server cannot be asked now.";
            Problem::new(ProblemKind::Unavailable, detail).because(fault)
        }
    })?;
    let claim = claims::openid(index, subject.issuer(), subject.subject());
    let link = Link {
        asker: Side::Card(shopper.card_id),
        other: Side::Identity(claim),
        proof: Proof::IdToken,
        actor: format!("card:{}", shopper.card_id),
        agreed: request.agree_to_merge,
        only_known: false,
        cool_down: true,
        newcomer: None,
    };
    let operation = Operation::Link(Box::new(link));
    let answer = app.submit(operation, Some(shopper.member_id)).await?;
    Ok(Body(linked(&app, answer).await?))
}

/// Give up something that leads to the member: from now on it leads to nobody.
#[utoipa::path(
    delete, path = "/v1/me/identities/{key}", tag = "shopper", security(("card" = [])),
    params(("key" = String, Path, description = "64 hex digits, from `GET /v1/me`")),
    responses((status = 204, description = "It is given up"), Problems),
)]
pub(super) async fn give_up(
    State(app): State<App>,
    shopper: Shopper,
    PathId(key): PathId<KeyInPath>,
) -> Result<StatusCode, Problem> {
    app.trusted_person_of(&shopper).await?;
    let member_id = shopper.member_id;
    let operation = Operation::RevokeIdentity {
        member_id,
        key: key.0,
    };
    match app.submit(operation, Some(member_id)).await? {
        Answer::Done => Ok(StatusCode::NO_CONTENT),
        Answer::NotFound => Err(Problem::new(
            ProblemKind::UnknownResource,
            "The member has no such identity.",
        )),
        other => Err(unexpected(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_path_is_64_hex_digits() {
        let text = "0123456789abcdefABCDEF".to_owned() + &"0".repeat(42);
        assert!(text.parse::<KeyInPath>().is_ok());
        for wrong in ["", "12", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
            assert!(wrong.parse::<KeyInPath>().is_err(), "{wrong}");
        }
    }
}
