//! What all handlers share.

use std::{fmt, ops::Deref, sync::Arc, time::Duration};

use axum::http::{Uri, uri::Authority};
use jiff::Timestamp;
use member_card::ProgrammeId;
use metrics_exporter_prometheus::PrometheusHandle;
use outbound::delivery::Delivery;
use tokio_util::sync::CancellationToken;

use super::{
    cards::CardKeys,
    clients::Clients,
    console::{FigureCache, Turns},
    guesses::Guesses,
    health::StoreSeen,
    key_ring::{KeyError, KeyRing},
    place_names::PlaceNames,
    problem::{Problem, ProblemKind},
    proof::ProofsSeen,
    rates::{RateLimits, Rates},
    stream_hub::StreamHub,
    submit::Owners,
    token::Tokens,
};
use crate::{
    clock::Clock, desk::sign_in::StaffSignIn, intake::Intake, limits, secrets::Secrets,
    sign_in::SignIn, store::Store, wallets::Wallets, web_pages::WebPages, writer::Writer,
};

/// The URL under which the world reaches the gateway: `https://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    https: bool,
    authority: Authority,
    /// Empty, or begins with `/` and does not end with one.
    prefix: String,
}

/// A text that is no public URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a public URL is http:// or https://, a host, and perhaps a port and a path")]
pub struct PublicUrlError;

impl PublicUrl {
    /// Whether callers come by TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Host and port, without the port that the scheme implies.
    #[must_use]
    pub fn origin(&self) -> (&str, String) {
        let scheme = if self.https { "https" } else { "http" };
        (scheme, bare_authority(scheme, &self.authority))
    }

    /// What comes before every path of this gateway.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// An authority in lower case, without the port that the scheme implies.
pub(super) fn bare_authority(scheme: &str, authority: &Authority) -> String {
    let host = authority.host().to_ascii_lowercase();
    match (scheme, authority.port_u16()) {
        (_, None) | ("http", Some(80)) | ("https", Some(443)) => host,
        (_, Some(port)) => format!("{host}:{port}"),
    }
}

impl std::str::FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let uri: Uri = text.parse().map_err(|_| PublicUrlError)?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(PublicUrlError),
        };
        let authority = uri.authority().ok_or(PublicUrlError)?.clone();
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(PublicUrlError);
        }
        Ok(Self {
            https,
            authority,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, authority) = self.origin();
        write!(f, "{scheme}://{authority}{}", self.prefix)
    }
}

/// What an operator decides about the edge.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The programme whose cards and tokens are taken.
    pub programme: ProgrammeId,
    /// How the world reaches the gateway, if that is known: needed behind a proxy.
    pub public_url: Option<PublicUrl>,
    /// Proxies in front whose `X-Forwarded-For` is believed; 0 to believe none.
    pub trusted_proxies: usize,
    /// How often each caller may ask.
    pub rates: Rates,
    /// What identities, personal data and wallet passes need; without it they are not served.
    pub secrets: Option<Arc<Secrets>>,
    /// What wallet passes are made with.
    pub wallets: Arc<Wallets>,
    /// Where codes and notices to members go; without it no address can be proved.
    pub delivery: Option<Delivery>,
    /// Sign-ins of the brand; without it no ID token is taken.
    pub sign_in: Option<Arc<SignIn>>,
    /// The pages for shoppers, cashiers and staff.
    pub web_pages: Arc<WebPages>,
    /// Sign-ins of staff; without it staff comes with a client.
    pub staff_sign_in: Option<Arc<StaffSignIn>>,
}

impl Settings {
    /// Settings for a gateway that is reached directly.
    #[must_use]
    pub fn new(programme: ProgrammeId) -> Self {
        Self {
            programme,
            public_url: None,
            trusted_proxies: 0,
            rates: Rates::default(),
            secrets: None,
            wallets: Arc::default(),
            delivery: None,
            sign_in: None,
            web_pages: Arc::default(),
            staff_sign_in: None,
        }
    }

    /// Who signs access tokens. Without a public URL it follows from the programme, so that all
    /// gateways of one database agree.
    #[must_use]
    pub fn issuer(&self) -> String {
        match &self.public_url {
            Some(url) => url.to_string(),
            None => format!("urn:point-gateway:{}", self.programme),
        }
    }

    /// Whether callers come by TLS, as far as is known.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }
}

/// The parts an [`App`] is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// What the operator decided.
    pub settings: Settings,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// The write path.
    pub writer: Writer,
    /// The streams to phones; the writer tells it what was committed, see [`StreamHub::committed`].
    pub streams: StreamHub,
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<AppInner>);

/// See [`App`].
pub struct AppInner {
    parts: Parts,
    pub(super) keys: KeyRing,
    pub(super) tokens: Tokens,
    pub(super) clients: Clients,
    pub(super) cards: CardKeys,
    pub(super) place_names: PlaceNames,
    pub(super) proofs: ProofsSeen,
    pub(super) rates: RateLimits,
    pub(super) guesses: Guesses,
    pub(super) owners: Owners,
    pub(super) store_seen: StoreSeen,
    pub(super) figures: FigureCache,
    pub(super) long_reads: Turns,
    intake: Intake,
    draining: CancellationToken,
    shutdown: CancellationToken,
}

impl Deref for App {
    type Target = AppInner;

    fn deref(&self) -> &AppInner {
        &self.0
    }
}

impl App {
    /// Puts the parts together. Nothing is read or begun yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(AppInner {
            keys: KeyRing::new(parts.store.clone()),
            tokens: Tokens::new(&parts.settings),
            clients: Clients::new(parts.store.clone()),
            cards: CardKeys::new(parts.store.clone()),
            place_names: PlaceNames::new(parts.store.clone()),
            proofs: ProofsSeen::new(),
            rates: RateLimits::new(parts.settings.rates),
            guesses: Guesses::new(),
            owners: Owners::new(),
            store_seen: StoreSeen::default(),
            figures: FigureCache::new(),
            long_reads: Turns::default(),
            intake: Intake::new(parts.store.clone()),
            draining: CancellationToken::new(),
            shutdown: CancellationToken::new(),
            parts,
        }))
    }

    /// Reads the signing keys from the store, and makes the first one if there is none. Done again by
    /// [`App::upkeep`]; do it once before serving, so that the gateway is ready at once.
    ///
    /// # Errors
    /// [`KeyError`] if the store fails.
    pub async fn read_signing_keys(&self) -> Result<(), KeyError> {
        self.keys.make_sure(self.now()).await
    }

    /// Keeps signing keys, rates, metrics and streams fresh until the gateway shuts down. Run it as a
    /// task.
    pub async fn upkeep(self) {
        let streams = self.streams().poll(self.store(), self.shutdown());
        tokio::join!(streams, self.refresh());
    }

    async fn refresh(&self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(limits::SIGNING_KEYS_REFRESH_S));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.read_signing_keys().await {
                tracing::warn!(error = %error, "signing_keys.refresh_failed");
            }
            self.rates.upkeep();
            self.guesses.upkeep();
            self.parts.metrics.run_upkeep();
        }
    }
}

impl AppInner {
    /// Where everything is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// What the operator decided.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// What `/metrics` shows.
    #[must_use]
    pub fn metrics(&self) -> &PrometheusHandle {
        &self.parts.metrics
    }

    /// The write path.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.parts.writer
    }

    /// The way into the inbox of EC shops.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The secrets of the programme.
    ///
    /// # Errors
    /// A problem where the gateway has none.
    pub(super) fn secrets(&self) -> Result<&Secrets, Problem> {
        let missing = || {
            Problem::new(
                ProblemKind::NotSetUp,
                "The gateway has no file of secrets (`--secrets`).",
            )
        };
        self.parts.settings.secrets.as_deref().ok_or_else(missing)
    }

    /// The streams to phones.
    #[must_use]
    pub fn streams(&self) -> &StreamHub {
        &self.parts.streams
    }

    /// Cancelled when readiness shall turn false, so that a load balancer looks elsewhere, while
    /// requests are still served.
    #[must_use]
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Cancelled when the gateway shuts down: streams end, no connection is taken any more. Give it
    /// to [`serve`](super::serve).
    #[must_use]
    pub fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("settings", &self.parts.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_has_one_written_form() {
        for (given, shown) in [
            ("https://Points.Example", "https://points.example"),
            ("https://points.example:443/", "https://points.example"),
            ("http://localhost:8080/gw/", "http://localhost:8080/gw"),
        ] {
            assert_eq!(given.parse::<PublicUrl>().unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "points.example",
            "ftp://a",
            "https://a?b",
            "https://u:p@a",
            "/x",
        ] {
            assert_eq!(wrong.parse::<PublicUrl>(), Err(PublicUrlError), "{wrong}");
        }
    }
}
