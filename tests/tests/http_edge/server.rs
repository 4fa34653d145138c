//! Connections: TLS, HTTP/2, slow and too many callers, shutting down.

use std::time::Duration;

use gateway::http::{ServerLimits, Tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::stage::{Set, Stage, answer};

/// One HTTP/1.1 connection by hand.
struct Line(TcpStream);

impl Line {
    async fn to(stage: &Stage) -> Self {
        Self(TcpStream::connect(&stage.address).await.unwrap())
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"))
            .await;
    }

    /// One whole answer with a body of known length.
    async fn answer(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut piece = [0; 4096];
            let read = self.0.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {text}");
            text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return body.to_owned();
            }
        }
    }

    /// Waits until the other side closes.
    async fn closed(mut self) {
        let mut rest = Vec::new();
        // Closing with unread bytes resets; both are an end.
        let _ = self.0.read_to_end(&mut rest).await;
    }
}

#[tokio::test]
async fn http_2_and_http_1_share_a_port() {
    let stage = Stage::new().await;
    let http2 = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let answer = http2.get(stage.url("/livez")).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.status().as_u16(), 200);
    let mut line = Line::to(&stage).await;
    line.ask("/livez").await;
    assert_eq!(line.answer().await, "ok\n");
}

#[tokio::test]
async fn tls_is_served_from_pem_files() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    assert!(Tls::from_pem_files(&key, &key).is_err());
    assert!(Tls::from_pem_files(&certificate, &folder.path().join("none")).is_err());

    let tls = Tls::from_pem_files(&certificate, &key).unwrap();
    let stage = Stage::with(Set {
        tls: Some(tls),
        ..Set::default()
    })
    .await;
    let trusting = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()])
        .resolve("localhost", stage.address.parse().unwrap())
        .build()
        .unwrap();
    let port = stage.address.rsplit_once(':').unwrap().1;
    let answer = trusting
        .get(format!("https://localhost:{port}/livez"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2, "by ALPN");
    assert_eq!(answer.text().await.unwrap(), "ok\n");
}

fn impatient() -> Set {
    Set {
        limits: ServerLimits {
            header_timeout: Duration::from_millis(50),
            idle_timeout: Duration::from_millis(50),
            ..ServerLimits::default()
        },
        ..Set::default()
    }
}

#[tokio::test]
async fn who_dawdles_is_cut_off() {
    let stage = Stage::with(impatient()).await;
    for beginning in ["", "G", "PRI", "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut line = Line::to(&stage).await;
        line.send(beginning).await;
        line.closed().await;
    }
    // After an answer the connection may rest a while, not for ever.
    let mut line = Line::to(&stage).await;
    line.ask("/livez").await;
    line.answer().await;
    line.closed().await;
}

#[tokio::test]
async fn a_request_in_flight_is_not_idle() {
    let stage = Stage::with(impatient()).await;
    let mut line = Line::to(&stage).await;
    line.ask("/stage/wait").await;
    stage.cues.entered.notified().await;
    // Somebody else is cut off meanwhile: the limits have run out more than once.
    for _ in 0..2 {
        Line::to(&stage).await.closed().await;
    }
    stage.cues.leave.notify_one();
    assert_eq!(line.answer().await, "left");
}

#[tokio::test]
async fn one_connection_too_many_waits_for_its_turn() {
    let stage = Stage::with(Set {
        limits: ServerLimits {
            connections: 1,
            ..ServerLimits::default()
        },
        ..Set::default()
    })
    .await;
    let mut first = Line::to(&stage).await;
    first.ask("/stage/hit").await;
    assert_eq!(first.answer().await, "0");
    let mut second = Line::to(&stage).await;
    second.ask("/stage/hit").await;
    for hit in 1..20 {
        first.ask("/stage/hit").await;
        assert_eq!(first.answer().await, hit.to_string());
    }
    drop(first);
    assert_eq!(second.answer().await, "20");
}

#[tokio::test]
async fn shutting_down_finishes_what_is_in_flight() {
    let stage = Stage::new().await;
    let mut idle = Line::to(&stage).await;
    idle.ask("/livez").await;
    idle.answer().await;
    let mut busy = Line::to(&stage).await;
    busy.ask("/stage/wait").await;
    stage.cues.entered.notified().await;

    stage.app.shutdown().cancel();
    idle.closed().await;
    while TcpStream::connect(&stage.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stage.serving.is_finished());
    stage.cues.leave.notify_one();
    assert_eq!(busy.answer().await, "left");
    busy.closed().await;
    stage.serving.await.unwrap();
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off() {
    let stage = Stage::with(Set {
        limits: ServerLimits {
            shutdown_grace: Duration::from_millis(50),
            ..ServerLimits::default()
        },
        ..Set::default()
    })
    .await;
    let mut busy = Line::to(&stage).await;
    busy.ask("/stage/wait").await;
    stage.cues.entered.notified().await;
    stage.app.shutdown().cancel();
    stage.serving.await.unwrap();
    busy.closed().await;
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let stage = Stage::new().await;
    let ready = || answer(reqwest::Client::new().get(stage.url("/readyz")));
    let (status, before) = ready().await;
    assert_eq!(status, 200, "{before}");
    stage.app.draining().cancel();
    let (status, after) = ready().await;
    assert_eq!(status, 503);
    assert!(
        after.contains(r#"{"name":"not_draining","ok":false}"#),
        "{after}"
    );
    // Draining only asks others to look elsewhere; who comes is served.
    assert_eq!(
        answer(reqwest::Client::new().get(stage.url("/livez")))
            .await
            .0,
        200
    );
}
