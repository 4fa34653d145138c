//! One exchange with another server: a request, and an answer that is bounded in time and size.
//!
//! Invariants: a [`HttpsUrl`] is HTTPS, or plain HTTP to this very machine; a redirect is an answer like
//! any other and never followed; an [`Answer`] holds at most [`Limits::answer_bytes_max`] bytes. A
//! [`Fault`] names no URL, for a URL may hold a secret.

use std::{fmt, net::IpAddr, time::Duration};

use reqwest::{Certificate, RequestBuilder, StatusCode, Url, header::ACCEPT, redirect::Policy};
use serde::de::DeserializeOwned;

/// How the gateway names itself to other servers.
const USER_AGENT: &str = concat!("point-gateway/", env!("CARGO_PKG_VERSION"));
/// Longer than any URL an operator writes down.
const URL_CHARS_MAX: usize = 2_048;

/// What an exchange may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// For the whole exchange, until the last byte of the answer.
    pub total: Duration,
    /// The body of an answer.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            answer_bytes_max: 1_024 * 1_024,
        }
    }
}

/// Asks other servers. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    answer_bytes_max: usize,
}

/// The TLS of this machine cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("no TLS client could be made")]
pub struct ClientError(#[source] reqwest::Error);

impl Client {
    /// Trusts the machine's certificate authorities; where it has none, those that Mozilla trusts.
    pub fn new(limits: Limits) -> Result<Self, ClientError> {
        let http = match settings(limits).build() {
            Ok(http) => http,
            Err(error) => {
                tracing::info!(%error, "no certificate authorities of the system; the built-in ones are used");
                let built_in = built_in_authorities().map_err(ClientError)?;
                let settings = settings(limits).tls_certs_only(built_in);
                settings.build().map_err(ClientError)?
            }
        };
        Ok(Self {
            http,
            answer_bytes_max: limits.answer_bytes_max,
        })
    }

    pub(crate) fn post(&self, url: &HttpsUrl) -> RequestBuilder {
        self.http.post(url.0.clone())
    }

    /// Sends a body with these headers, as some other program would; the status of the answer.
    ///
    /// # Errors
    /// [`Fault`] if the exchange came to nothing.
    pub async fn send(
        &self,
        url: &HttpsUrl,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Result<u16, Fault> {
        let mut request = self.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.status(request).await.map(|status| status.as_u16())
    }

    /// Sends a request and reads the answer, whatever its status.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Fault> {
        let mut response = request.send().await.map_err(Fault::of)?;
        let too_long = Fault::TooLong(self.answer_bytes_max);
        let told = response.content_length().unwrap_or_default();
        if usize::try_from(told).map_or(true, |told| told > self.answer_bytes_max) {
            return Err(too_long);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Fault::of)? {
            if chunk.len() > self.answer_bytes_max.saturating_sub(body.len()) {
                return Err(too_long);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            body,
        })
    }

    /// Sends a request of whose answer only the status counts; the body is not waited for.
    pub(crate) async fn status(&self, request: RequestBuilder) -> Result<StatusCode, Fault> {
        let response = request.send().await.map_err(Fault::of)?;
        Ok(response.status())
    }

    /// The JSON that stands at `url`.
    pub(crate) async fn get_json<T: DeserializeOwned>(&self, url: &HttpsUrl) -> Result<T, Fault> {
        let request = self.http.get(url.0.clone());
        let answer = self
            .exchange(request.header(ACCEPT, "application/json"))
            .await?;
        answer.json()
    }
}

fn settings(limits: Limits) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(limits.connect)
        .timeout(limits.total)
}

fn built_in_authorities() -> reqwest::Result<Vec<Certificate>> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect()
}

/// What came back, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// The body of an answer that says 2xx.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        if !self.status.is_success() {
            return Err(Fault::Status(self.status.as_u16()));
        }
        serde_json::from_slice(&self.body).map_err(|_| Fault::Unreadable)
    }
}

/// Whether the same request may well succeed a little later.
pub(crate) fn may_pass(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// Why an exchange came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No connection, no trust in its certificate, or it broke.
    #[error("the server cannot be reached")]
    NotReached,
    /// It took longer than [`Limits`] allows.
    #[error("the server did not answer in time")]
    TimedOut,
    /// Not the status that was hoped for. A redirect is one of these.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer is longer than so many bytes.
    #[error("the server's answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer is no JSON of the expected form.
    #[error("the server's answer cannot be read")]
    Unreadable,
}

impl Fault {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "it stands in for the error and drops it, with its URL"
    )]
    fn of(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::NotReached
        }
    }
}

/// Where another server is: `https://…`, or `http://…` on this machine, for tests and development.
///
/// `Debug` shows the origin only; paths and queries of webhooks often hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpsUrl(Url);

/// Why a text is no [`HttpsUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Longer than any URL in use.
    #[error("a URL has at most {URL_CHARS_MAX} characters")]
    TooLong,
    /// No absolute URL.
    #[error("it is no absolute URL")]
    Unreadable,
    /// Neither HTTPS nor HTTP to this machine.
    #[error("it must start with https://; http:// is for 127.0.0.1, [::1] and localhost only")]
    NotHttps,
    /// A name or password stands in it.
    #[error("it must not hold a user name or password")]
    HasPassword,
    /// `#…` is not sent to a server.
    #[error("it must not hold a fragment")]
    HasFragment,
    /// Where a path is put behind it, nothing else can follow.
    #[error("it must not hold a query")]
    HasQuery,
}

impl HttpsUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_CHARS_MAX {
            return Err(UrlError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| UrlError::Unreadable)?;
        let here = || {
            let host = url.host_str().unwrap_or_default();
            let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        match url.scheme() {
            "https" => {}
            "http" if here() => {}
            _ => return Err(UrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::HasPassword);
        }
        if url.fragment().is_some() {
            return Err(UrlError::HasFragment);
        }
        Ok(Self(url))
    }

    /// Reads a URL that paths are put behind.
    pub(crate) fn parse_base(text: &str) -> Result<Self, UrlError> {
        let url = Self::parse(text)?;
        if url.0.query().is_some() {
            return Err(UrlError::HasQuery);
        }
        Ok(url)
    }

    /// `path` below this URL, without a slash of its own.
    pub(crate) fn below(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        Self(url)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Debug for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpsUrl({})", self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_or_of_this_machine() {
        for (text, expected) in [
            ("https://id.example", Ok(())),
            ("https://id.example:8443/tenant?x=1", Ok(())),
            ("http://127.0.0.1:8080/", Ok(())),
            ("http://127.8.0.1/", Ok(())),
            ("http://[::1]:9/", Ok(())),
            ("http://localhost/", Ok(())),
            ("http://id.example", Err(UrlError::NotHttps)),
            ("http://10.0.0.1/", Err(UrlError::NotHttps)),
            ("http://localhost.evil.example/", Err(UrlError::NotHttps)),
            ("http://127.0.0.1.evil.example/", Err(UrlError::NotHttps)),
            ("ftp://127.0.0.1/", Err(UrlError::NotHttps)),
            ("file:///etc/passwd", Err(UrlError::NotHttps)),
            ("id.example", Err(UrlError::Unreadable)),
            ("", Err(UrlError::Unreadable)),
            ("https://a:b@id.example", Err(UrlError::HasPassword)),
            ("https://a@id.example", Err(UrlError::HasPassword)),
            ("https://id.example/#a", Err(UrlError::HasFragment)),
        ] {
            assert_eq!(HttpsUrl::parse(text).map(|_| ()), expected, "{text}");
        }
        let long = format!("https://id.example/{}", "a".repeat(URL_CHARS_MAX));
        assert_eq!(HttpsUrl::parse(&long).unwrap_err(), UrlError::TooLong);
        let query = HttpsUrl::parse_base("https://id.example/?a=1");
        assert_eq!(query.unwrap_err(), UrlError::HasQuery);
    }

    #[test]
    fn a_path_goes_behind_the_base() {
        for (base, expected) in [
            ("https://a.example", "https://a.example/api"),
            ("https://a.example/", "https://a.example/api"),
            ("https://a.example/shop", "https://a.example/shop/api"),
            ("https://a.example/shop/", "https://a.example/shop/api"),
        ] {
            let url = HttpsUrl::parse_base(base).unwrap().below("api");
            assert_eq!(url.0.as_str(), expected, "{base}");
        }
    }

    #[test]
    fn debug_output_hides_the_path() {
        let url = HttpsUrl::parse("https://hooks.example:8443/T0/s3cret?key=s3cret").unwrap();
        assert_eq!(format!("{url:?}"), "HttpsUrl(https://hooks.example:8443)");
    }

    #[test]
    fn a_machine_without_authorities_trusts_the_built_in_ones() {
        let built_in = built_in_authorities().unwrap();
        assert!(built_in.len() > 50);
        let client = settings(Limits::default()).tls_certs_only(built_in).build();
        assert!(client.is_ok(), "{client:?}");
    }
}
