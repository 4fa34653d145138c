//! HTTP: one exchange with the gateway, with a token that is fetched when it is needed.
//!
//! What comes out is a [`Reply`]; what it means is decided by the [`machine`](super::machine). Beside it
//! the gateway's clock is read off its answers. Lock order: the token's, then the [`Skew`]'s, which is
//! held for a moment only.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Response, StatusCode, Url,
    header::{CONTENT_TYPE, DATE, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use super::{
    chaos::{Chaos, Mishap},
    machine::{Exchange, Reply},
    moment::Clock,
    record::Owner,
    settings::Settings,
    skew::Skew,
};

/// Bytes of an answer; none of the gateway's is longer.
const ANSWER_BYTES_MAX: usize = 1_024 * 1_024;
/// A token is not used for the last tenth of its life.
const TOKEN_LIFE_USED_TENTHS: u32 = 9;

/// Where the gateway is and how the till proves itself.
#[derive(Clone)]
pub struct Account {
    /// The gateway's URL, for example `https://points.example`.
    pub gateway: String,
    /// The client's id; it names the terminal.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
}

impl Account {
    /// Whose requests are asked with this account; `None` if the gateway is no URL.
    pub(crate) fn owner(&self) -> Option<Owner> {
        let mut url = Url::parse(&self.gateway).ok()?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(Owner {
            client_id: self.client_id.clone(),
            gateway: url.as_str().trim_end_matches('/').to_owned(),
        })
    }
}

impl Account {
    /// Whether secret and card texts go to another machine unencrypted.
    pub(crate) fn in_clear(&self) -> bool {
        let url = Url::parse(&self.gateway).ok();
        url.filter(|url| url.scheme() == "http").is_some_and(|url| {
            let host = url.host_str().unwrap_or_default();
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host != "localhost" && !address.is_ok_and(|address| address.is_loopback())
        })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("gateway", &self.owner().map(|owner| owner.gateway))
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The line to the gateway. Cheap to clone; clones share token and connections.
#[derive(Debug, Clone)]
pub(crate) struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    account: Account,
    clock: Clock,
    attempt: Duration,
    /// `Retry-After` is not followed beyond this.
    come_back_max: Duration,
    token: Mutex<Option<Token>>,
    skew: std::sync::Mutex<Skew>,
    chaos: Option<Chaos>,
}

struct Token {
    text: String,
    good_until: Duration,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u32,
}

/// Where a reply goes; more than one may come for an exchange.
pub(crate) type Replies = mpsc::Sender<(Exchange, Reply)>;

impl Wire {
    pub(crate) fn new(
        account: Account,
        clock: Clock,
        settings: &Settings,
        chaos: Option<Chaos>,
    ) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let gateway = account.gateway.trim_end_matches('/').to_owned();
        Ok(Self(Arc::new(Inner {
            http,
            account: Account { gateway, ..account },
            clock,
            attempt: settings.attempt,
            come_back_max: settings.backoff_max,
            token: Mutex::default(),
            skew: std::sync::Mutex::default(),
            chaos,
        })))
    }

    /// Carries out an exchange and passes on what came of it.
    pub(crate) async fn exchange(self, exchange: Exchange, replies: Replies) {
        let mishap = self.0.chaos.as_ref().map_or(Mishap::None, Chaos::next);
        let told = |reply| replies.send((exchange.clone(), reply));
        // Whoever waited for the reply may be gone; then nobody wants it.
        let _ = match mishap {
            Mishap::None => told(self.attempt(&exchange).await).await,
            Mishap::LoseRequest => told(Reply::Lost).await,
            Mishap::LoseAnswer => {
                self.attempt(&exchange).await;
                told(Reply::Lost).await
            }
            Mishap::DoubleRequest => {
                let twins = tokio::join!(self.attempt(&exchange), self.attempt(&exchange));
                told(of_twins(twins)).await
            }
            Mishap::DoubleAnswer => {
                let reply = self.attempt(&exchange).await;
                let _ = told(reply.clone()).await;
                told(reply).await
            }
            Mishap::DelayRequest(delay) => {
                tokio::time::sleep(delay).await;
                told(self.attempt(&exchange).await).await
            }
            Mishap::LateAnswer(delay) => {
                let reply = self.attempt(&exchange).await;
                let _ = told(Reply::Lost).await;
                tokio::time::sleep(delay).await;
                told(reply).await
            }
        };
    }

    /// One try, with a second one if the token had ended.
    pub(crate) async fn attempt(&self, exchange: &Exchange) -> Reply {
        let mut last = None;
        for _ in 0..2 {
            let token = match self.token(last.as_deref()).await {
                Ok(token) => token,
                Err(reply) => return reply,
            };
            match self.send(exchange, &token).await {
                Reply::Http { status: 401, .. } => last = Some(token),
                reply => return reply,
            }
        }
        Reply::Operator("the gateway does not take the token it just gave (401)".to_owned())
    }

    async fn send(&self, exchange: &Exchange, token: &str) -> Reply {
        let gateway = &self.0.account.gateway;
        let request = match &exchange.message {
            Some(message) => self
                .0
                .http
                .post(format!("{gateway}{}", message.path()))
                .header(CONTENT_TYPE, "application/json")
                .body(message.body().to_string()),
            None => {
                let id = path_segment(exchange.request_id.as_str());
                self.0.http.get(format!("{gateway}/v1/pos/requests/{id}"))
            }
        };
        let answer = async {
            let sent = self.0.clock.now().at;
            let response = request.bearer_auth(token).send().await?;
            self.hear_date(&response, sent);
            read(response, self.0.come_back_max).await
        };
        match tokio::time::timeout(self.0.attempt, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) if error.is_connect() => Reply::NotSent { retry_after: None },
            // An answer that breaks off is none.
            Ok(Err(_)) | Err(_) => Reply::Lost,
        }
    }

    fn hear_date(&self, response: &Response, sent: Timestamp) {
        let received = self.0.clock.now().at;
        let date = response.headers().get(DATE);
        let date = date.and_then(|value| rfc2822::parse(value.to_str().ok()?).ok());
        if let (Some(date), Ok(mut skew)) = (date, self.0.skew.lock()) {
            skew.heard(date.timestamp(), sent, received);
        }
    }

    /// What to add to the till's clock to have the gateway's.
    pub(crate) fn correction(&self) -> SignedDuration {
        let skew = self.0.skew.lock();
        skew.map_or(SignedDuration::ZERO, |skew| skew.correction())
    }

    /// The correction, if it is large and news.
    pub(crate) fn clock_news(&self) -> Option<SignedDuration> {
        self.0.skew.lock().ok()?.news()
    }

    /// The access token: the one in hand, unless it has ended or is the one that was `refused`.
    async fn token(&self, refused: Option<&str>) -> Result<String, Reply> {
        let mut held = self.0.token.lock().await;
        let now = self.0.clock.uptime();
        if let Some(token) = &*held
            && token.good_until > now
            && refused != Some(token.text.as_str())
        {
            return Ok(token.text.clone());
        }
        *held = None;
        let fetched = tokio::time::timeout(self.0.attempt, self.fetch_token()).await;
        let answer = fetched.unwrap_or(Err(Reply::NotSent { retry_after: None }))?;
        let life = Duration::from_secs(answer.expires_in.into());
        let used = life.saturating_mul(TOKEN_LIFE_USED_TENTHS) / 10;
        let text = answer.access_token;
        *held = Some(Token {
            text: text.clone(),
            good_until: now.saturating_add(used),
        });
        Ok(text)
    }

    async fn fetch_token(&self) -> Result<TokenAnswer, Reply> {
        let account = &self.0.account;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "pos"),
            ("client_id", &account.client_id),
            ("client_secret", &account.client_secret),
        ];
        let url = format!("{}/oauth/token", account.gateway);
        let lost = |error: reqwest::Error| {
            if error.is_builder() {
                Reply::Operator("the gateway's URL is not one".to_owned())
            } else {
                Reply::NotSent { retry_after: None }
            }
        };
        let response = self.0.http.post(&url).form(&form).send().await;
        match read(response.map_err(lost)?, self.0.come_back_max).await {
            Ok(Reply::Http {
                status: 200,
                body: Some(body),
                ..
            }) if let Ok(answer) = serde_json::from_value(body.clone()) => Ok(answer),
            Ok(Reply::Http {
                status: 429 | 500..=599,
                retry_after,
                ..
            }) => Err(Reply::NotSent { retry_after }),
            Ok(Reply::Http { status, body, .. }) => Err(Reply::Operator(refusal(
                &account.client_id,
                status,
                body.as_ref(),
            ))),
            Ok(_) | Err(_) => Err(Reply::NotSent { retry_after: None }),
        }
    }
}

/// What is known of a message that was sent twice: that one did not leave says nothing of the other.
fn of_twins((one, other): (Reply, Reply)) -> Reply {
    match one {
        Reply::NotSent { .. } | Reply::Operator(_) => other,
        one => one,
    }
}

/// What an operator has to mend when there is no token.
fn refusal(client: &str, status: u16, body: Option<&Value>) -> String {
    let word = body.and_then(|body| body.get("error")?.as_str());
    match word {
        Some("invalid_client") => format!(
            "the gateway does not know client {client}, or its secret is wrong, or it is disabled"
        ),
        Some("invalid_scope") => format!("client {client} is no till: it lacks the scope `pos`"),
        Some(word) => format!("no token for client {client}: {word} ({status})"),
        None => format!("there is no point gateway at this address: no token ({status})"),
    }
}

/// A whole answer. Whatever is too long or no JSON has no body.
async fn read(mut response: Response, come_back_max: Duration) -> reqwest::Result<Reply> {
    let status: StatusCode = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(|seconds| Duration::from_secs(seconds).min(come_back_max));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
            return Ok(Reply::Lost);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Reply::Http {
        status: status.as_u16(),
        body: serde_json::from_slice(&bytes).ok(),
        retry_after,
    })
}

/// A request id as part of a path: it may hold any printable character.
fn path_segment(id: &str) -> String {
    let mut segment = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_whose_twin_may_have_arrived_may_have_arrived() {
        let not_sent = || Reply::NotSent { retry_after: None };
        for (one, other, known) in [
            (not_sent(), Reply::Lost, Reply::Lost),
            (Reply::Lost, not_sent(), Reply::Lost),
            (Reply::Operator(String::new()), Reply::Lost, Reply::Lost),
            (not_sent(), not_sent(), not_sent()),
        ] {
            assert_eq!(of_twins((one, other)), known);
        }
    }
}
