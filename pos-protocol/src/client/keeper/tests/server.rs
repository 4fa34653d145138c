//! A server that gives tokens, and to all else the answer that the test wants.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// Requests that a test has not looked at; of more it is not told.
const SEEN_MAX: usize = 1_024;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// It keeps the connection and says nothing.
    Never,
    /// A status, headers (each with its line end) and a body.
    With(u16, String, String),
}

/// The server. It ends with its handle.
pub(super) struct Server {
    pub(super) base: String,
    paths: mpsc::Receiver<String>,
    task: JoinHandle<()>,
}

type Choose = dyn Fn(&str, &str) -> Answer + Send + Sync;

impl Server {
    /// Answers each path and body with what `choose` says.
    pub(super) async fn start(
        choose: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (seen, paths) = mpsc::channel(SEEN_MAX);
        let choose: Arc<Choose> = Arc::new(choose);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, choose.clone(), seen.clone()));
            }
        });
        Self { base, paths, task }
    }

    /// Waits until this path is asked for.
    pub(super) async fn asked(&mut self, path: &str) {
        while self.paths.recv().await.unwrap() != path {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, choose: Arc<Choose>, seen: mpsc::Sender<String>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut path, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            }
            if let Some(bytes) = line.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let answer = match path.as_str() {
            "/oauth/token" => {
                let token = r#"{"access_token":"t","expires_in":3600}"#;
                Answer::With(200, String::new(), token.to_owned())
            }
            path => choose(path, std::str::from_utf8(&body).unwrap()),
        };
        let _ = seen.try_send(path);
        let Answer::With(status, headers, body) = answer else {
            std::future::pending().await
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
