//! A line between till and gateway on which the test decides what happens to each message.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
};

use acceptance::gateway_process::GatewayProcess;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

/// What happens to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It passes, and so does its answer.
    None,
    /// It does not reach the gateway.
    LoseRequest,
    /// It reaches the gateway; the answer breaks off.
    LoseAnswer,
    /// The gateway gets it twice at once; one answer passes.
    Double,
    /// The gateway is killed before it gets it.
    KillBefore,
    /// The gateway is killed as soon as it was sent.
    KillDuring,
    /// The gateway is killed once it has answered; the answer breaks off.
    KillAfter,
}

/// Somebody is to kill the gateway, start it again, and say when that is done.
pub(crate) type Killing = oneshot::Sender<()>;

/// The line. It ends with its handle.
pub(crate) struct Line {
    pub(crate) base: String,
    ends: Arc<Ends>,
    /// Comes when a gateway is to be killed; for [`kill_on_cue`].
    pub(crate) killings: Option<mpsc::Receiver<Killing>>,
    task: JoinHandle<()>,
}

struct Ends {
    upstream: String,
    http: reqwest::Client,
    plan: Mutex<VecDeque<Fault>>,
    open: watch::Sender<bool>,
    killings: mpsc::Sender<Killing>,
}

impl Line {
    /// A line to the gateway at `upstream`.
    pub(crate) async fn to(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (killings, to_kill) = mpsc::channel(8);
        let ends = Arc::new(Ends {
            upstream,
            http: acceptance::till::http_client(),
            plan: Mutex::default(),
            open: watch::Sender::new(true),
            killings,
        });
        let app = Router::new().fallback(pass).with_state(ends.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            base,
            ends,
            killings: Some(to_kill),
            task,
        }
    }

    /// What happens to the next messages to the point interface; all later ones pass.
    pub(crate) fn plan(&self, faults: &[Fault]) {
        *self.ends.plan.lock().unwrap() = faults.iter().copied().collect();
    }

    /// Whether messages pass at all. One that comes while the line is shut waits.
    pub(crate) fn open(&self, open: bool) {
        self.ends.open.send_replace(open);
    }
}

/// Kills and restarts the gateway whenever the line asks for it.
pub(crate) async fn kill_on_cue(
    gateway: &mut GatewayProcess,
    mut killings: mpsc::Receiver<Killing>,
) -> anyhow::Result<()> {
    while let Some(done) = killings.recv().await {
        gateway.kill().await?;
        gateway.restart().await?;
        let _ = done.send(());
    }
    Ok(())
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(ends): State<Arc<Ends>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    let path = head.uri.to_string();
    let mut fault = Fault::None;
    if path.starts_with("/v1/pos/") {
        fault = ends.plan.lock().unwrap().pop_front().unwrap_or(Fault::None);
    }
    let _ = ends.open.subscribe().wait_for(|open| *open).await;
    let forward = || {
        forward(
            &ends,
            head.method.clone(),
            &path,
            &head.headers,
            body.clone(),
        )
    };
    match fault {
        Fault::None => forward().await.unwrap_or_else(broken_off),
        Fault::LoseRequest => broken_off(()),
        Fault::LoseAnswer => {
            let _ = forward().await;
            broken_off(())
        }
        Fault::Double => {
            let (one, other) = tokio::join!(forward(), forward());
            one.or(other).unwrap_or_else(broken_off)
        }
        Fault::KillBefore => {
            ends.kill().await;
            broken_off(())
        }
        Fault::KillDuring => {
            let _ = tokio::join!(forward(), ends.kill());
            broken_off(())
        }
        Fault::KillAfter => {
            let _ = forward().await;
            ends.kill().await;
            broken_off(())
        }
    }
}

impl Ends {
    /// Has the gateway killed and waits until it is back.
    async fn kill(&self) {
        let (done, back) = oneshot::channel();
        if self.killings.send(done).await.is_ok() {
            let _ = back.await;
        }
    }
}

async fn forward(
    ends: &Ends,
    method: Method,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response, ()> {
    let mut request = ends
        .http
        .request(method, format!("{}{path}", ends.upstream));
    for name in ["authorization", "content-type"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.body(body).send().await.map_err(|_| ())?;
    let mut response = Response::builder().status(answer.status());
    for name in ["content-type", "retry-after"] {
        if let Some(value) = answer.headers().get(name) {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.map_err(|_| ())?;
    response.body(Body::from(body)).map_err(|_| ())
}

/// An answer that breaks off in its body: the connection is gone.
fn broken_off(_: ()) -> Response {
    let broken = futures_util::stream::iter([Err::<Bytes, _>(io::Error::other("cut"))]);
    let mut response = Response::new(Body::from_stream(broken));
    *response.status_mut() = StatusCode::OK;
    response
}
