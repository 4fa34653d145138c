//! The outermost layer: every request gets an id, every answer its headers, every problem its body.
//!
//! Invariants: no panic leaves a request unanswered; a fault is logged once, here, with its cause; no
//! body, query, header value or token is ever logged.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tracing::Instrument;

use super::{
    App, metrics,
    problem::{Problem, Unrendered},
};
use crate::{clock, limits};

/// The header that names a request.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id, for handlers that want to name it.
#[derive(Debug, Clone)]
pub struct RequestId(pub std::sync::Arc<str>);

/// What pages may load, unless an answer says otherwise: nothing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

pub(super) async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = clock::instant();
    let id = given_id(request.headers()).unwrap_or_else(|| app.clock().new_id().to_string());
    let id: std::sync::Arc<str> = id.into();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("http.request", request.id = %id, http.method = %method, http.route = %route);
    let run = AssertUnwindSafe(next.run(request)).catch_unwind();
    let mut response = run
        .instrument(span.clone())
        .await
        .unwrap_or_else(|panic| Problem::fault(panic_text(&panic)).into_response());
    let problem = response.extensions_mut().remove::<Unrendered>();
    if let Some(problem) = problem.and_then(|slot| slot.take()) {
        let _entered = span.enter();
        log(&problem);
        metrics::problem(problem.kind());
        response = rendered(problem, &id, &response, &method);
    }
    dress(&app, response.headers_mut(), &id);
    metrics::request(&method, &route, response.status(), began.elapsed());
    response
}

/// The problem with its body, keeping what the router said (`Allow`).
fn rendered(problem: Problem, id: &str, bare: &Response, method: &Method) -> Response {
    let mut response = problem.render(id);
    if let Some(allow) = bare.headers().get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if method == Method::HEAD {
        *response.body_mut() = axum::body::Body::empty();
    }
    response
}

fn log(problem: &Problem) {
    let kind = problem.kind();
    let cause = problem.cause().unwrap_or_default();
    if kind.status().is_server_error() {
        tracing::error!(problem = kind.word(), error = cause, "http.fault");
    } else {
        tracing::debug!(problem = kind.word(), error = cause, "http.problem");
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("no message"))
}

/// The id the caller gave, if it is one.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(&REQUEST_ID)?.to_str().ok()?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let sound = (1..=limits::REQUEST_ID_CHARS_MAX).contains(&text.len()) && text.chars().all(legal);
    sound.then(|| text.to_owned())
}

/// Adds the headers that every answer carries; those an answer set itself stay.
fn dress(app: &App, headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if app.settings().is_https() {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_id_is_kept() {
        let id = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(text).unwrap());
            given_id(&headers)
        };
        assert_eq!(id("till-1.0042").as_deref(), Some("till-1.0042"));
        for wrong in ["", "a b", "a\"b", "<script>", &"a".repeat(65)] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }
}
