//! One HTTP/1.1 connection, kept open, as a till keeps its own. Plain HTTP only: TLS would measure the
//! client's cryptography as much as the gateway.

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Uri,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How often a request that does not count is sent before the gateway is given up.
const ATTEMPTS_MAX: u32 = 120;

/// An answer: status and body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Seconds to wait before coming again, if the gateway says so.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| {
            let text = String::from_utf8_lossy(&self.body);
            format!("unexpected answer, {}: {text}", self.status)
        })
    }
}

/// Where a gateway listens.
#[derive(Debug, Clone)]
pub struct Place {
    authority: String,
    host: HeaderValue,
}

impl Place {
    /// From `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// If it is another kind of URL.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("no URL: {url}"))?;
        let parts = (uri.scheme_str(), uri.authority(), uri.path());
        let (Some("http"), Some(authority), "/") = parts else {
            bail!("{url}: the load test speaks plain HTTP to http://HOST[:PORT]");
        };
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            host: HeaderValue::from_str(authority.as_str())?,
            authority: format!("{}:{port}", authority.host()),
        })
    }

    /// Its base URL.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.host.to_str().unwrap_or_default())
    }
}

/// A connection to a gateway; made when it is needed, and again when it was closed.
#[derive(Debug)]
pub struct Wire {
    place: Place,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Wire {
    /// A connection that is not open yet.
    #[must_use]
    pub fn new(place: &Place) -> Self {
        Self {
            place: place.clone(),
            open: None,
        }
    }

    /// Opens it, so that the first request finds it open.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn open(&mut self) -> anyhow::Result<&mut SendRequest<Full<Bytes>>> {
        if self.open.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(&self.place.authority)
                .await
                .with_context(|| format!("cannot connect to {}", self.place.authority))?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.open = Some(sender);
        }
        let sender = self.open.as_mut().context("it was just opened")?;
        sender.ready().await?;
        Ok(sender)
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let host = self.place.host.clone();
        request.headers_mut().insert(HOST, host);
        let response = self.open().await?.send_request(request).await?;
        let retry_after = response.headers().get(hyper::header::RETRY_AFTER);
        let retry_after_s = retry_after
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer {
            status,
            retry_after_s,
            body,
        })
    }

    /// Sends a request again, as it is, for as long as the gateway says "later"; for what comes before
    /// and after the measurement.
    ///
    /// # Errors
    /// If the connection breaks, or the gateway says "later" for minutes.
    pub async fn send_patiently(
        &mut self,
        request: &Request<Full<Bytes>>,
    ) -> anyhow::Result<Answer> {
        for _ in 0..ATTEMPTS_MAX {
            let answer = self.send(request.clone()).await?;
            if !matches!(answer.status, 409 | 429 | 503) {
                return Ok(answer);
            }
            let wait = std::time::Duration::from_secs(answer.retry_after_s.unwrap_or(1));
            tokio::time::sleep(wait).await;
        }
        bail!("{} is too busy", request.uri())
    }
}

/// A GET.
///
/// # Errors
/// If the path is none.
pub fn get(path: &str) -> anyhow::Result<Request<Full<Bytes>>> {
    Ok(Request::get(path).body(Full::default())?)
}

/// A POST of JSON, with a bearer token if there is one.
///
/// # Errors
/// If the path or the token cannot be sent.
pub fn post(path: &str, token: Option<&str>, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    Ok(request.body(Full::new(body))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_plain_http_origin() {
        let place = Place::parse("http://localhost:8080").unwrap();
        assert_eq!(place.authority, "localhost:8080");
        assert_eq!(place.base(), "http://localhost:8080");
        assert_eq!(Place::parse("http://a/").unwrap().authority, "a:80");
        for wrong in ["https://a", "localhost:8080", "http://a/b", ""] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
