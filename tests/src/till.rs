//! A till: a client with a token that asks the gateway over HTTP, and nothing it could not know.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use tokio::sync::Mutex;

use crate::{ask::Ask, reply::Reply};

/// How long a till waits for an answer before it counts as lost.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// The first pause before a till asks again; it doubles, up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(20);
/// The longest pause before a till asks again.
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// How often [`Till::insist`] asks before it gives the gateway up.
const ATTEMPTS_MAX: u32 = 240;

/// No answer came: the outcome of the request is not known.
#[derive(Debug, Clone)]
pub struct Lost(
    /// What the connection said.
    pub String,
);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer: {}", self.0)
    }
}

impl std::error::Error for Lost {}

impl From<reqwest::Error> for Lost {
    fn from(error: reqwest::Error) -> Self {
        let error: &dyn std::error::Error = &error;
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        Self(text)
    }
}

/// A till. Cheap to clone; clones share the token.
#[derive(Debug, Clone)]
pub struct Till {
    /// Its client id.
    pub client_id: Arc<str>,
    /// Its terminal.
    pub terminal: Arc<str>,
    secret: Arc<str>,
    base: Arc<str>,
    http: reqwest::Client,
    token: Arc<Mutex<Option<String>>>,
}

impl Till {
    /// A till that asks the gateway at `base`, for example `http://127.0.0.1:8080`.
    #[must_use]
    pub fn new(base: &str, client_id: &str, terminal: &str, secret: &str) -> Self {
        Self {
            client_id: client_id.into(),
            terminal: terminal.into(),
            secret: secret.into(),
            base: base.into(),
            http: http_client(),
            token: Arc::default(),
        }
    }

    /// The same till, asking another gateway of the same database.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.into(),
            ..self.clone()
        }
    }

    /// Its secret, for whoever acts in its name.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The gateway it asks.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The till's access token, fetched when it is needed first.
    ///
    /// # Errors
    /// [`Lost`] if no answer came.
    ///
    /// # Panics
    /// If the gateway refuses the till.
    pub async fn token(&self) -> Result<String, Lost> {
        let mut token = self.token.lock().await;
        if let Some(token) = &*token {
            return Ok(token.clone());
        }
        loop {
            let reply = self.ask_for_token().await?;
            match reply.status {
                200 => return Ok(token.insert(reply.word("/access_token")).clone()),
                // Every till of a chain may start at the same moment behind one address.
                429 => tokio::time::sleep(retry_after(&reply)).await,
                503 => return Err(Lost(format!("{reply:?}"))),
                _ => panic!("no token for {}: {reply:?}", self.client_id),
            }
        }
    }

    async fn ask_for_token(&self) -> Result<Reply, Lost> {
        let request = self
            .http
            .post(format!("{}/oauth/token", self.base))
            .basic_auth(&self.client_id, Some(&self.secret))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials");
        Ok(Reply::read(request.send().await?).await?)
    }

    /// Sends a request once and waits for whatever comes back.
    ///
    /// # Errors
    /// [`Lost`] if no answer came within [`DEADLINE`].
    pub async fn send(&self, ask: &Ask) -> Result<Reply, Lost> {
        let request = self
            .http
            .post(format!("{}{}", self.base, ask.path))
            .header(AUTHORIZATION, format!("Bearer {}", self.token().await?))
            .header(CONTENT_TYPE, "application/json")
            .body(ask.body.clone());
        Ok(Reply::read(request.send().await?).await?)
    }

    /// Asks what became of a request.
    ///
    /// # Errors
    /// [`Lost`] if no answer came within [`DEADLINE`].
    pub async fn status(&self, request_id: &str) -> Result<Reply, Lost> {
        self.get(&format!("/v1/pos/requests/{request_id}")).await
    }

    /// Gets any path with the till's token.
    ///
    /// # Errors
    /// [`Lost`] if no answer came within [`DEADLINE`].
    pub async fn get(&self, path: &str) -> Result<Reply, Lost> {
        let request = self
            .http
            .get(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.token().await?));
        Ok(Reply::read(request.send().await?).await?)
    }

    /// Sends a request, again and again under its id, until there is an answer that is final.
    ///
    /// # Panics
    /// If the gateway says that it is broken (500), or gives no answer for minutes.
    pub async fn insist(&self, ask: &Ask) -> Reply {
        persist(|| self.send(ask)).await
    }

    /// Asks what became of a request until there is an answer.
    ///
    /// # Panics
    /// If the gateway says that it is broken (500), or gives no answer for minutes.
    pub async fn insist_on_status(&self, request_id: &str) -> Reply {
        persist(|| self.status(request_id)).await
    }
}

/// Whether an answer settles a request. A fault of the gateway is never one, nor is "later".
#[must_use]
pub fn is_final(reply: &Reply) -> bool {
    !matches!(reply.status, 409 | 429 | 502..=504)
}

/// Repeats one attempt, with a pause that doubles, until its answer is final.
///
/// # Panics
/// If the gateway says that it is broken (500), or gives no answer for minutes.
pub async fn persist<F: Future<Output = Result<Reply, Lost>>>(attempt: impl Fn() -> F) -> Reply {
    let mut pause = Pause::default();
    let mut last = String::new();
    for _ in 0..ATTEMPTS_MAX {
        match attempt().await {
            Ok(reply) if reply.status == 429 => {
                last = format!("{reply:?}");
                tokio::time::sleep(retry_after(&reply)).await;
            }
            Ok(reply) if is_final(&reply) => {
                assert_ne!(reply.status, 500, "the gateway is broken: {reply:?}");
                return reply;
            }
            Ok(reply) => last = format!("{reply:?}"),
            Err(lost) => last = lost.to_string(),
        }
        pause.wait().await;
    }
    panic!("no final answer after {ATTEMPTS_MAX} attempts; the last: {last}");
}

/// A till's back-off: doubling pauses.
#[derive(Debug)]
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(PAUSE_FIRST)
    }
}

impl Pause {
    /// Waits, the next time longer.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = self.0.saturating_mul(2).min(PAUSE_MAX);
    }
}

fn retry_after(reply: &Reply) -> Duration {
    let seconds = reply
        .headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

/// A client with the till's deadline; connections are kept between requests.
///
/// # Panics
/// If the system gives no TLS backend.
#[must_use]
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .timeout(DEADLINE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("an HTTP client")
}
