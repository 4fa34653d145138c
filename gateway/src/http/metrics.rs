//! What this gateway measures at its edge, for `/metrics`.
//!
//! Labels have few values: a route is its template, never its path.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::problem::ProblemKind;

const REQUEST_SECONDS: &str = "http_request_seconds";
const PROBLEMS: &str = "http_problems_total";
const RATE_LIMITED: &str = "http_rate_limited_total";
const CONNECTIONS: &str = "http_connections_open";
const HANDSHAKES_FAILED: &str = "tls_handshakes_failed_total";
const GUESSES_CAPPED: &str = "gateway_card_guesses_capped_total";
const NOT_GENUINE: &str = "gateway_cards_not_genuine_total";
const STREAMS: &str = "http_streams_open";

/// Bounds of every `…_seconds` histogram, dense where a till waits.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2,
    0.5, 1.0, 2.0, 5.0,
];

/// Makes this process measure, and gives what `/metrics` shows. Once per process.
///
/// # Errors
/// [`BuildError`] if a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .install_recorder()?;
    describe();
    Ok(handle)
}

/// What `/metrics` shows of a gateway that does not measure: for tests, and for a second gateway in
/// one process.
#[must_use]
pub fn unmeasured() -> PrometheusHandle {
    PrometheusBuilder::new().build_recorder().handle()
}

fn describe() {
    describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "From the head of a request to the head of its answer, by method, route and status"
    );
    describe_counter!(PROBLEMS, Unit::Count, "Problems answered, by kind");
    describe_counter!(
        RATE_LIMITED,
        Unit::Count,
        "Requests refused for their rate, by kind of caller"
    );
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections open");
    describe_counter!(
        HANDSHAKES_FAILED,
        Unit::Count,
        "TLS handshakes that failed or took too long"
    );
    describe_counter!(
        GUESSES_CAPPED,
        Unit::Count,
        "Card texts answered without a look, after too many that were not genuine, by cap"
    );
    describe_counter!(
        NOT_GENUINE,
        Unit::Count,
        "Card texts that were not genuine, by what they looked like"
    );
    describe_gauge!(STREAMS, Unit::Count, "Event streams open to phones");
    crate::outbox::measures::describe();
    crate::intake::measures::describe();
}

pub(super) fn request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    // A client may invent methods; a label may not.
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    };
    histogram!(REQUEST_SECONDS, "method" => method, "route" => route.to_owned(), "status" => status.as_str().to_owned())
        .record(took);
}

pub(super) fn problem(kind: ProblemKind) {
    counter!(PROBLEMS, "problem" => kind.word()).increment(1);
}

pub(super) fn rate_limited(caller: &'static str) {
    counter!(RATE_LIMITED, "caller" => caller).increment(1);
}

pub(super) fn guesses_capped(cap: &'static str) {
    counter!(GUESSES_CAPPED, "cap" => cap).increment(1);
}

pub(super) fn not_genuine(kind: &'static str) {
    counter!(NOT_GENUINE, "kind" => kind).increment(1);
}

pub(super) fn handshake_failed() {
    counter!(HANDSHAKES_FAILED).increment(1);
}

/// Counts something open for as long as it lives.
#[derive(Debug)]
pub(super) struct Open(&'static str);

impl Open {
    pub(super) fn connection() -> Self {
        Self::new(CONNECTIONS)
    }

    pub(super) fn stream() -> Self {
        Self::new(STREAMS)
    }

    fn new(name: &'static str) -> Self {
        gauge!(name).increment(1);
        Self(name)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1);
    }
}
