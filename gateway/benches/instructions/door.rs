//! The front door: the router with its layers and a till's token, without connection and database.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
    routing::get,
};
use gateway::{
    http::{self, App, Pos},
    store::Store,
    writer::Lanes,
};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::{gateway_here, shop};

/// A route that only says who calls.
pub(crate) const TILL: &str = "/bench/till";
/// A route for everybody.
pub(crate) const OPEN: &str = "/bench/open";

/// A router in front of a prepared shop.
pub(crate) struct Door {
    runtime: Runtime,
    router: Router,
    token: String,
    _store: (Store, Lanes),
}

impl Door {
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime
            .block_on(async {
                let store = shop::store(directory).await?;
                let (app, lanes) = gateway_here::app(&store)?;
                app.read_signing_keys().await?;
                let router = http::with_routes(app, routes());
                let token = token(&router).await?;
                Ok((router, token, (store, lanes)))
            })
            .map(|(router, token, _store)| Self {
                runtime,
                router,
                token,
                _store,
            })
    }

    /// One call, which has to succeed.
    pub(crate) fn call(&self, path: &str) {
        let request = Request::get(path)
            .header(header::AUTHORIZATION, &self.token)
            .body(Body::empty())
            .expect("a request");
        let answer = self.runtime.block_on(self.router.clone().oneshot(request));
        let status = answer.expect("routers are infallible").status();
        assert!(status.is_success(), "{path}: {status}");
    }
}

fn routes() -> Router<App> {
    Router::new()
        .route(
            TILL,
            get(|Pos(till): Pos| async move { till.terminal_id.to_string() }),
        )
        .route(OPEN, get(|| async { "open" }))
}

async fn token(router: &Router) -> Result<String> {
    let secret = format!("{}:{}", shop::CLIENT, shop::SECRET);
    let basic = data_encoding::BASE64.encode(secret.as_bytes());
    let request = Request::post("/oauth/token")
        .header(header::AUTHORIZATION, format!("Basic {basic}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("grant_type=client_credentials"))?;
    let answer = router.clone().oneshot(request).await?;
    ensure!(
        answer.status().is_success(),
        "no token: {}",
        answer.status()
    );
    let body = axum::body::to_bytes(answer.into_body(), 65_536).await?;
    let body: serde_json::Value = serde_json::from_slice(&body)?;
    let token = body.get("access_token").and_then(|token| token.as_str());
    Ok(format!("Bearer {}", token.context("no token")?))
}
