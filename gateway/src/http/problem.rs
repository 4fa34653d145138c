//! What goes wrong at the edge, as RFC 9457 problem details. One closed catalogue.
//!
//! A decline is not here: it is an answer, with status 200. A problem (4xx) says what the caller did
//! wrong. A fault (5xx) says nothing but that it happened, and the request id; its cause is logged,
//! once, by [`edge`](super::edge), which also turns every problem into its body. Neither ever implies
//! an outcome.

use std::{borrow::Cow, fmt};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{limits, store::StoreError};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal, $about:literal;)*) => {
        /// Every kind of problem. The words are stable; `type` is `/problems/` and the word.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemKind { $($(#[$doc])* $name,)* }

        impl ProblemKind {
            /// Every kind, in reading order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// A short summary, the same every time.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it: the text of the problem's page.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => $about,)* }
            }

            /// The kind of this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.word() == word)
            }
        }
    };
}

catalogue! {
    /// The request cannot be read at all.
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read",
        "The path, the query or a header is malformed, or the body broke off. Mend the request; sending it again unchanged does not help.";
    /// The body is no JSON.
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON",
        "The body is cut short, is not UTF-8, or breaks the grammar of JSON. `detail` names the line and column.";
    /// The body nests too deeply.
    BodyTooDeep = "body_too_deep", BAD_REQUEST, "The body nests too deeply",
        "Objects and arrays are nested deeper than any message of this interface needs.";
    /// No credentials.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Who is calling?",
        "The call needs `Authorization: Bearer`. Tills, shop systems and staff tools get a token from `POST /oauth/token`; a phone signs a proof with its card's key.";
    /// The access token is not good.
    InvalidToken = "invalid_token", UNAUTHORIZED, "The access token is not valid",
        "The token is malformed, has ended, was made by or for somebody else, or its client was disabled. Get another from `POST /oauth/token`.";
    /// The card's proof is not good.
    InvalidProof = "invalid_proof", UNAUTHORIZED, "The card's proof is not valid",
        "The proof is malformed, was made for another request or programme, has ended, was used before, or was not signed by the key of a known card. Make a new one for this very request; check the phone's clock against the `Date` of this answer.";
    /// The token does not allow this.
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token does not allow this",
        "The client lacks the scope that the call needs: `pos` for tills, `ec` for shop systems, `admin` for staff tools.";
    /// The role does not allow this.
    RoleNotAllowed = "role_not_allowed", FORBIDDEN, "The role does not allow this",
        "The caller is staff, and its role may not make this call. `docs/console.md` says which role may make which; a manager gives roles.";
    /// The card was revoked.
    CardRevoked = "card_revoked", FORBIDDEN, "The card was revoked",
        "The proof is genuine, but its card was revoked, for ever. The phone makes a new key and enrols it as a new card.";
    /// Not the caller's.
    NotYours = "not_yours", FORBIDDEN, "This belongs to somebody else",
        "The caller is known and the thing exists, but belongs to another member or terminal.";
    /// A webhook is not believed.
    WebhookRefused = "webhook_refused", UNAUTHORIZED, "The webhook is not believed",
        "There is no such shop, or the webhook is not signed with one of its secrets, names another shop, or is too old. Which of these is said in the gateway's log and nowhere else. Nothing was done.";
    /// No such route.
    NotFound = "not_found", NOT_FOUND, "There is nothing here",
        "No such path. All paths are listed in `/openapi.json` and on `/docs/`.";
    /// No such thing.
    UnknownResource = "unknown_resource", NOT_FOUND, "No such thing is known",
        "The path is right, but what it names does not exist where this caller may see it. For `GET /v1/pos/requests/{request_id}` this means: the request never arrived; send it again under the same id.";
    /// Wrong method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path does not take this method",
        "The path exists; the header `Allow` lists the methods it takes.";
    /// The body took too long.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "The body did not arrive in time",
        "The head of the request arrived, its body did not. Nothing was done.";
    /// The body is too large.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "No message of this interface needs that many bytes.";
    /// Not JSON by its own account.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has another media type",
        "Send `Content-Type: application/json`, and no `Content-Encoding`.";
    /// JSON, but not this message.
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "The message is not well-formed",
        "The body is JSON but not the message this call takes: a field is missing, unknown, of another type or outside its range. `errors` names the place as a JSON pointer. Nothing was done and nothing was stored under the request id.";
    /// Another body under a used id.
    RequestIdReused = "request_id_reused", UNPROCESSABLE_ENTITY, "The request id was used for another request",
        "A request id names one request for ever. A changed request needs a new id.";
    /// Too many requests.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "The caller asks faster than it may. Wait as long as `Retry-After` says; `RateLimit-Policy` and `RateLimit` give the numbers.";
    /// The operator has not set this up.
    NotSetUp = "not_set_up", NOT_IMPLEMENTED, "This gateway is not set up for that",
        "The call needs something that the operator has not configured, for example the file of secrets (`--secrets`) or a sign-in provider. `detail` says what.";
    /// It contradicts what is known.
    Conflict = "conflict", CONFLICT, "It does not go with how things stand",
        "The message is well-formed, and a rule says no. `detail` begins with the rule's stable word, for example `already_merged`.";
    /// Both are members.
    WouldMerge = "would_merge", CONFLICT, "Both sides are members already",
        "The link would merge two members into one. Show the shopper what that means, and send the same again with `agree_to_merge`.";
    /// Something broke.
    Fault = "fault", INTERNAL_SERVER_ERROR, "Something broke",
        "An error on our side. The outcome of the request is not known: ask for it with `GET /v1/pos/requests/{request_id}`, or send the same request again under the same id. Tell support the `request_id` of this answer.";
    /// The queue is full.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too much to do",
        "The request was not begun. Wait as long as `Retry-After` says, and send it again unchanged.";
    /// The database is away.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available now",
        "The database cannot be reached, or the gateway is starting or stopping. Nothing was approved. Wait as long as `Retry-After` says, and send the request again unchanged.";
    /// Nobody knows whether it happened.
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "The outcome is not known",
        "The request may have taken effect or not: neither an approval nor a decline. Send it again under the same id; the answer then is the one that counts.";
}

/// A problem on its way to the caller.
pub struct Problem(Box<Inner>);

struct Inner {
    kind: ProblemKind,
    detail: Cow<'static, str>,
    pointer: Option<String>,
    headers: HeaderMap,
    cause: Option<String>,
}

/// One place in the body and what is wrong there.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ProblemError<'a> {
    /// JSON pointer (RFC 6901) into the body; empty for the whole of it.
    pub pointer: &'a str,
    /// What is wrong there, in plain words.
    pub detail: &'a str,
}

/// RFC 9457 problem details.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody<'a> {
    /// `/problems/` and a stable word; a page that explains it.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short summary, the same for every problem of the type.
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this very request.
    pub detail: &'a str,
    /// The id of the request in our logs, also in the header `x-request-id`.
    pub request_id: &'a str,
    /// Places in the body, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ProblemError<'a>>>,
}

/// The media type of problem details.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// Longest `detail`, in characters: parts of it may come from the caller's own bytes.
const DETAIL_CHARS_MAX: usize = 300;

impl Problem {
    /// A problem with a detail of its own.
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self(Box::new(Inner {
            kind,
            detail: clipped(detail.into()),
            pointer: None,
            headers: HeaderMap::new(),
            cause: None,
        }));
        let challenge = match kind {
            ProblemKind::Unauthenticated => Some("Bearer"),
            ProblemKind::InvalidToken | ProblemKind::InvalidProof => {
                Some(r#"Bearer error="invalid_token""#)
            }
            ProblemKind::InsufficientScope => Some(r#"Bearer error="insufficient_scope""#),
            _ => None,
        };
        if let Some(challenge) = challenge {
            problem = problem.header(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        let retry_s = match kind {
            ProblemKind::Overloaded | ProblemKind::Unavailable | ProblemKind::OutcomeUnknown => {
                limits::RETRY_AFTER_UNAVAILABLE_S
            }
            _ => return problem,
        };
        problem.header(header::RETRY_AFTER, HeaderValue::from(retry_s))
    }

    /// A field that is not what it should be; `pointer` is a JSON pointer into the body.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::new(ProblemKind::ValidationFailed, detail);
        problem.0.pointer = Some(pointer.into());
        problem
    }

    /// Something broke on our side; `cause` goes to the log and nowhere else.
    pub fn fault(cause: impl fmt::Display) -> Self {
        Self::new(
            ProblemKind::Fault,
            "An error on our side; the outcome is not known.",
        )
        .because(cause)
    }

    /// Adds what the log shall say and the caller shall not.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Adds a header field to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// What the caller is told.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What the log shall say.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The whole answer.
    pub(super) fn render(self, request_id: &str) -> Response {
        let Inner {
            kind,
            detail,
            pointer,
            headers,
            ..
        } = *self.0;
        let body = ProblemBody {
            kind: format!("/problems/{}", kind.word()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: &detail,
            request_id,
            errors: pointer.as_deref().map(|pointer| {
                vec![ProblemError {
                    pointer,
                    detail: &detail,
                }]
            }),
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (kind.status(), body).into_response();
        *response.headers_mut() = headers;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
    }
}

fn clipped(detail: Cow<'static, str>) -> Cow<'static, str> {
    match detail.char_indices().nth(DETAIL_CHARS_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", detail.get(..end).unwrap_or_default())),
        None => detail,
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("pointer", &self.0.pointer)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

/// A problem in a response that [`edge`](super::edge) has not given its body yet.
#[derive(Clone)]
pub(super) struct Unrendered(std::sync::Arc<std::sync::Mutex<Option<Problem>>>);

impl Unrendered {
    pub(super) fn take(&self) -> Option<Problem> {
        self.0.lock().ok()?.take()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind().status().into_response();
        let slot = std::sync::Arc::new(std::sync::Mutex::new(Some(self)));
        response.extensions_mut().insert(Unrendered(slot));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let problem = match &error {
            StoreError::Unavailable(_) | StoreError::Conflict(_) => {
                Self::new(ProblemKind::Unavailable, "The database is not available.")
            }
            StoreError::NoProgramme => {
                Self::new(ProblemKind::Unavailable, "No programme is in force yet.")
            }
            StoreError::OutcomeUnknown(_) => Self::new(
                ProblemKind::OutcomeUnknown,
                "The database did not say whether it committed.",
            ),
            _ => Self::fault(""),
        };
        problem.because(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_statuses_are_errors() {
        let mut words: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
            assert_eq!(ProblemKind::from_word(kind.word()), Some(*kind));
        }
    }

    #[test]
    fn a_cause_never_reaches_the_caller() {
        let problem = Problem::from(StoreError::Corrupt("password=hunter2".into()));
        assert_eq!(
            problem.cause(),
            Some("a stored row cannot be understood: password=hunter2")
        );
        let shown = format!("{:?}", problem.render("r-1").into_body());
        assert!(!shown.contains("hunter2"));
    }
}
