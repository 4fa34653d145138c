//! A database that does not answer, and one that takes no writes.

use std::{
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use acceptance::{
    databases::{Database, Engine},
    on_each_database,
};
use gateway::store::Store;
use serde_json::json;
use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

use crate::{
    phone::{Phone, said},
    stage::{Set, Stage, answer},
};

on_each_database!(readiness_follows_the_writes);

/// A way to the database on which a connection falls silent, for ever, when it carries a text.
struct Freezing {
    url: String,
    /// Whether the text still has that effect.
    armed: Arc<AtomicBool>,
}

impl Freezing {
    async fn at(database: &Database, text: &'static str) -> Self {
        let server = PgConnectOptions::from_str(database.url()).unwrap();
        let place = (server.get_host().to_owned(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(true));
        // In clear, or the text could not be seen.
        let server = server.ssl_mode(PgSslMode::Disable);
        let url = server.host("127.0.0.1").port(port).to_url_lossy();
        let trips = armed.clone();
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect((place.0.as_str(), place.1)).await;
                tokio::spawn(carry(near, far.unwrap(), text, trips.clone()));
            }
        });
        Self {
            url: url.to_string(),
            armed,
        }
    }
}

async fn carry(near: TcpStream, far: TcpStream, text: &str, armed: Arc<AtomicBool>) {
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
        (near.into_split(), far.into_split());
    tokio::spawn(async move { copy(&mut far_in, &mut near_out).await });
    let mut piece = vec![0; 65_536];
    loop {
        let read = near_in.read(&mut piece).await.unwrap_or(0);
        let Some(said) = piece.get(..read).filter(|said| !said.is_empty()) else {
            return;
        };
        let holds = said.windows(text.len()).any(|part| part == text.as_bytes());
        if holds && armed.load(Ordering::SeqCst) {
            // Both ends stay open; what else comes is not even read.
            return std::future::pending().await;
        }
        if far_out.write_all(said).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_database_that_freezes_under_a_read_is_unavailable() {
    let database = Database::create(Engine::Postgres).await;
    let stage = Stage::over(database, Set::default()).await;
    let key = Phone::enrolled(&stage).await.key;
    let freezing = Freezing::at(stage.database(), "motive NOT IN").await;
    let behind = stage.another_by(&freezing.url).await;
    let phone = Phone {
        stage: &behind,
        key,
    };
    // More often than the pool has connections: those that fell silent are not used again.
    for _ in 0..5 {
        let (status, problem) = phone.get("/v1/me/history").await;
        assert_eq!(
            (status, &problem["type"]),
            (503, &json!("/problems/unavailable")),
            "{problem}"
        );
        assert_eq!(phone.get("/v1/me").await.0, 200, "others are served");
    }
    freezing.armed.store(false, Ordering::SeqCst);
    assert_eq!(phone.get("/v1/me/history").await.0, 200);
}

async fn readiness_follows_the_writes(database: Database) {
    let stage = Stage::over(database, Set::default()).await;
    let ready = || answer(reqwest::Client::new().get(stage.url("/readyz")));
    let (status, before) = ready().await;
    assert_eq!(status, 200, "{before}");
    match stage.app.store() {
        Store::Sqlite { write, .. } => write.close().await,
        Store::Postgres { write, .. } => write.close().await,
    }
    let till = stage.token().await;
    let ask = json!({"request_id": "r1", "basket_id": "b1", "card": "7001"});
    let request = reqwest::Client::new().post(stage.url("/v1/pos/inquiries"));
    let (status, problem) = said(request.bearer_auth(till).json(&ask)).await;
    assert_eq!(
        (status, &problem["type"]),
        (503, &json!("/problems/unavailable"))
    );
    let (status, after) = ready().await;
    assert_eq!(status, 503);
    assert!(after.contains(r#"{"name":"writer","ok":false}"#), "{after}");
    assert!(
        after.contains(r#"{"name":"database","ok":true}"#),
        "{after}"
    );
}
