//! Servers on 127.0.0.1 that end with the test.

use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use outbound::https::{Client, Limits};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

/// A server; gone when dropped.
pub(crate) struct Server {
    pub(crate) base: String,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A port that is taken, so that nobody else gets it, and at which nobody answers.
pub(crate) struct Nobody {
    pub(crate) base: String,
    _socket: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let base = format!("http://{}", socket.local_addr().unwrap());
        Self {
            base,
            _socket: socket,
        }
    }
}

pub(crate) const ANSWER_BYTES_MAX: usize = 16 * 1_024;

/// A client with patience for a busy machine.
pub(crate) fn client() -> Client {
    patient(Duration::from_secs(60))
}

/// A client for servers that never answer.
pub(crate) fn impatient_client() -> Client {
    patient(Duration::from_millis(50))
}

fn patient(total: Duration) -> Client {
    let limits = Limits {
        connect: total,
        total,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    Client::new(limits).unwrap()
}

/// So many seconds after the time at which every test begins.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

pub(crate) const START: i64 = 1_800_000_000;
