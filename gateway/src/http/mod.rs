//! The edge: bytes in, commands inwards, answers and problems out.
//!
//! ```text
//! connection → edge → caller → parse → card proof → Command → writer → answer
//! ```
//!
//! Handlers hold no rule of the business: they say who may call, give what was sent its type, verify
//! signatures, and hand on a command. Reading order: `server` and `connection` take bytes, `edge`
//! wraps every request, `caller` says who it is (`token`, `proof`), `json` reads what it says,
//! `problem` is all that can go wrong; then the handlers, a file for each noun.

mod app;
mod caller;
mod card_reads;
mod cards;
mod clients;
mod connection;
mod denied;
mod ec;
mod edge;
mod events;
mod guesses;
mod health;
mod json;
mod key_ring;
pub mod metrics;
mod newcomer;
mod oauth;
mod openapi;
mod pages;
mod place_names;
mod pos;
mod problem;
mod proof;
mod random;
mod rates;
mod server;
mod shopper;
mod stream_hub;
mod submit;
mod token;
mod web;

pub use app::{App, AppInner, Parts, PublicUrl, PublicUrlError, Settings};
pub use caller::{Admin, Ec, Peer, PeerAddress, Pos, Shopper};
pub use edge::RequestId;
pub use json::{Json, PathId, Query};
pub use key_ring::{KeyError, Rotation, rotate_signing_keys};
pub use pages::catalogue as problem_catalogue;
pub use problem::{Problem, ProblemKind};
pub use rates::{Rate, Rates};
pub use server::{ServerLimits, Tls, TlsError, serve};
pub use stream_hub::StreamHub;

use axum::{Router, middleware, routing::get};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Every call that the OpenAPI document lists.
fn calls() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .merge(pos::calls())
        .merge(shopper::calls())
        .merge(ec::calls())
        .routes(routes!(events::event))
        .routes(routes!(oauth::token))
        .routes(routes!(oauth::jwks))
        .routes(routes!(pages::problems))
        .routes(routes!(pages::problem))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// The OpenAPI 3.1 document.
#[must_use]
pub fn openapi_document() -> utoipa::openapi::OpenApi {
    calls().into_openapi()
}

/// Everything this gateway answers.
pub fn router(app: App) -> Router {
    with_routes(app, Router::new())
}

/// The same with further routes, which get the edge around them as well.
pub fn with_routes(app: App, further: Router<App>) -> Router {
    let (calls, document) = calls().split_for_parts();
    calls
        .route("/", get(pages::front))
        .merge(openapi::browser(document))
        .merge(further)
        .method_not_allowed_fallback(no_such_method)
        .fallback(web::file)
        .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
        .with_state(app)
}

async fn no_such_method() -> Problem {
    Problem::new(
        ProblemKind::MethodNotAllowed,
        "The path does not take this method.",
    )
}
