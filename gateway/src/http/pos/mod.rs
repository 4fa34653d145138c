//! The calls of a till: a file for each noun.
//!
//! A handler gives what was sent its type, checks the shape that the type cannot say, verifies the
//! card's signature, and hands on one command. The answer it gets back is sent byte for byte: it is
//! what is stored under the request id.

mod authorizations;
mod card;
mod inquiries;
mod link_codes;
mod number;
mod purchases;
mod refunds;
mod requests;
mod reversals;
mod settlements;

pub(super) use card::{ReadCard, Scan, read as read_card, short_code_hash};
pub(super) use number::GENERATION;

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use ledger::{
    card_use::Till,
    command::{Ask, Operation, PosCommand},
    decision::Answer,
};
use pos_protocol::{MemberId, RequestId};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    problem::{Problem, ProblemKind},
};

/// Every call of a till.
pub(super) fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(inquiries::inquire))
        .routes(routes!(link_codes::make))
        .routes(routes!(authorizations::authorize))
        .routes(routes!(authorizations::void))
        .routes(routes!(purchases::purchase))
        .routes(routes!(refunds::quote))
        .routes(routes!(refunds::refund))
        .routes(routes!(reversals::reverse))
        .routes(routes!(requests::stored))
        .routes(routes!(settlements::settle))
}

/// A till's request on its way to the writer.
pub(super) struct Asked {
    pub(super) till: Till,
    pub(super) request_id: RequestId,
    pub(super) fingerprint: [u8; 32],
    /// The member it will turn out to be about, if that is known.
    pub(super) member_hint: Option<MemberId>,
    pub(super) ask: Ask,
}

/// Has the request decided and sends its answer.
pub(super) async fn answer(app: &App, asked: Asked) -> Result<Response, Problem> {
    let Asked {
        till,
        request_id,
        fingerprint,
        member_hint,
        ask,
    } = asked;
    let command = PosCommand {
        till,
        request_id,
        fingerprint,
        ask,
    };
    match app.submit(Operation::Pos(command), member_hint).await? {
        Answer::Message(body) => Ok(json(&body)),
        Answer::RequestIdReused => Err(Problem::new(
            ProblemKind::RequestIdReused,
            "The request id was used for another request.",
        )),
        other => Err(Problem::fault(format!(
            "a till's request was answered {other:?}"
        ))),
    }
}

/// A stored answer as it is.
pub(super) fn json(body: &Arc<str>) -> Response {
    let media_type = HeaderValue::from_static("application/json");
    (
        [(header::CONTENT_TYPE, media_type)],
        body.as_bytes().to_vec(),
    )
        .into_response()
}

/// SHA-256 over operation, id in the path, and the message as this gateway understands it: white
/// space and the order of fields do not make another request.
pub(super) fn fingerprint(operation: &str, path_id: &str, message: &impl Serialize) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [operation, path_id] {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    // A message that was read can be written.
    context.update(&serde_json::to_vec(message).unwrap_or_default());
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_sees_meaning_and_not_spelling() {
        let read = |text: &str| serde_json::from_str::<pos_protocol::VoidRequest>(text).unwrap();
        let (one, other) = (
            read(r#"{"request_id":"r1"}"#),
            read(" {\n\"request_id\" : \"r1\" }"),
        );
        assert_eq!(
            fingerprint("void", "a", &one),
            fingerprint("void", "a", &other)
        );
        assert_ne!(
            fingerprint("void", "a", &one),
            fingerprint("void", "b", &one)
        );
        assert_ne!(
            fingerprint("void", "a", &one),
            fingerprint("refund", "a", &one)
        );
        assert_ne!(
            fingerprint("void", "a", &one),
            fingerprint("void", "a", &read(r#"{"request_id":"r2"}"#))
        );
    }
}
