//! Asking an EC-CUBE 4 shop for what its webhooks only hint at: GraphQL at `/api`, OAuth 2.0 at `/token`.
//!
//! Invariants: one renewal of the access token at a time, and one that has begun runs to its end even if
//! nobody waits any more; a refresh token that the shop gives out is stored before anything else is asked,
//! for the shop forgets the one before it; an access token that is refused is renewed once per question.
//! The authorization that the first refresh token comes from is done by hand, by the operator.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};

mod token;

use self::token::{Access, Renewed, TokenEndpoint};
use crate::https::{Answer, Client, Fault, HttpsUrl, UrlError, may_pass};

/// An access token is not used for the last minute of its life.
const ACCESS_MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// The life of an access token that does not tell it.
const ACCESS_LIFE_UNTOLD_S: i64 = 300;

/// What an access token is renewed with. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    /// The token as the shop gave it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The token's text, to be stored where secrets are.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// Where a shop's refresh token is kept; all gateways of a shop share it.
pub trait RefreshTokens: Send + Sync {
    /// The one that was stored last.
    fn load(&self) -> BoxFuture<'_, Result<RefreshToken, StoreFault>>;

    /// Stores a new one in place of `used`, which is good for nothing any more.
    fn store(&self, used: RefreshToken, new: RefreshToken)
    -> BoxFuture<'_, Result<(), StoreFault>>;
}

/// The store of refresh tokens failed; it says why in its own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the refresh token could not be loaded or stored")]
pub struct StoreFault;

/// How access tokens are had.
#[derive(Clone)]
pub enum Grant {
    /// What the plugin allows out of the box.
    RefreshToken(Arc<dyn RefreshTokens>),
    /// Where the operator switched it on.
    ClientCredentials,
}

/// A shop and the client that it knows the gateway as. `Debug` hides the secret.
#[derive(Clone)]
pub struct Shop {
    /// Where the shop is, for example `https://shop.example`.
    base: HttpsUrl,
    client_id: String,
    client_secret: String,
    grant: Grant,
}

impl Shop {
    /// The shop at `base`, with the client made in its administration.
    pub fn new(
        base: &str,
        client_id: String,
        client_secret: String,
        grant: Grant,
    ) -> Result<Self, UrlError> {
        Ok(Self {
            base: HttpsUrl::parse_base(base)?,
            client_id,
            client_secret,
            grant,
        })
    }
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop")
            .field("base", &self.base)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why a question was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not now; the same question may be asked again later.
    #[error("the shop cannot be asked now: {0}")]
    Retry(#[from] Cause),
    /// Not without a change on one side.
    #[error("the shop refuses: {0}")]
    Refused(#[from] Refusal),
}

/// What passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The exchange came to nothing.
    #[error("{0}")]
    Exchange(#[from] Fault),
    /// The refresh token could not be loaded or stored.
    #[error("{0}")]
    Store(#[from] StoreFault),
}

/// What does not pass by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Client or refresh token are no longer good; the operator has to authorize the gateway anew.
    #[error("it gives out no access token; authorize the gateway anew")]
    Grant,
    /// A fresh access token is refused.
    #[error("it refuses the access token it has just given out")]
    AccessToken,
    /// Some other status.
    #[error("it answered with status {0}")]
    Status(u16),
    /// The answer holds no data: the question is wrong, or asks for more than the client may see.
    #[error("it answers with errors and no data")]
    NoData,
}

/// Asks one shop. Cheap to clone; clones share the access token.
#[derive(Debug, Clone)]
pub struct EcCube(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    api: HttpsUrl,
    tokens: TokenEndpoint,
    state: Arc<Mutex<State>>,
    /// Renewals that have ended, so that those who waited for one can tell that it failed.
    renewals: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    access: Option<Access>,
    /// The last renewal failed like this.
    failed: Option<FetchError>,
    /// Given out in place of another, and not stored yet.
    unstored: Option<Rotation>,
}

/// A refresh token that another took the place of, and that other.
#[derive(Debug, Clone)]
struct Rotation {
    used: RefreshToken,
    new: RefreshToken,
}

enum Asked {
    Answered(Value),
    Unauthorized,
}

impl EcCube {
    /// Has no access token yet; one is fetched for the first question.
    #[must_use]
    pub fn new(client: Client, shop: Shop) -> Self {
        Self(Arc::new(Inner {
            api: shop.base.below("api"),
            tokens: TokenEndpoint::new(shop),
            client,
            state: Arc::default(),
            renewals: AtomicU64::new(0),
        }))
    }

    /// Asks `{"query": …, "variables": …}`; the answer is the whole one, `data` and `errors`. The plugin
    /// tells warnings as `errors` beside good data, so what they mean is for the caller to say.
    pub async fn fetch(&self, query: &Value, now: Timestamp) -> Result<Value, FetchError> {
        let access = self.access(None, now).await?;
        if let Asked::Answered(answer) = self.ask(&access, query).await? {
            return Ok(answer);
        }
        let renewed = self.access(Some(&access), now).await?;
        match self.ask(&renewed, query).await? {
            Asked::Answered(answer) => Ok(answer),
            Asked::Unauthorized => Err(Refusal::AccessToken.into()),
        }
    }

    async fn ask(&self, access: &Access, query: &Value) -> Result<Asked, FetchError> {
        let request = self.0.client.post(&self.0.api);
        let request = request.bearer_auth(access.text()).json(query);
        let answer: Answer = self.0.client.exchange(request).await.map_err(Cause::from)?;
        let status = answer.status;
        if status == StatusCode::UNAUTHORIZED {
            return Ok(Asked::Unauthorized);
        }
        if !status.is_success() {
            return Err(refused_with(status));
        }
        let answer: Value = answer.json().map_err(Cause::from)?;
        match answer.get("data") {
            None | Some(Value::Null) => Err(Refusal::NoData.into()),
            Some(_) => Ok(Asked::Answered(answer)),
        }
    }

    /// An access token that is good at `now` and not the one that was `refused`.
    async fn access(&self, refused: Option<&Access>, now: Timestamp) -> Result<Access, FetchError> {
        let seen = self.0.renewals.load(Ordering::Acquire);
        let mut state = self.0.state.clone().lock_owned().await;
        if let Some(rotation) = state.unstored.clone() {
            self.0.tokens.store(&rotation).await.map_err(Cause::from)?;
            state.unstored = None;
        }
        if let Some(access) = &state.access
            && access.is_good(now)
            && Some(access) != refused
        {
            return Ok(access.clone());
        }
        if let Some(error) = state.failed
            && self.0.renewals.load(Ordering::Acquire) != seen
        {
            return Err(error);
        }
        let inner = self.0.clone();
        let renewing = tokio::spawn(async move { inner.renew(state, now).await });
        // It ends early only with the runtime itself.
        let gone = FetchError::Retry(Cause::Exchange(Fault::NotReached));
        renewing.await.unwrap_or(Err(gone))
    }
}

impl Inner {
    async fn renew(
        &self,
        mut state: OwnedMutexGuard<State>,
        now: Timestamp,
    ) -> Result<Access, FetchError> {
        state.access = None;
        let outcome = match self.tokens.renew(&self.client, now).await {
            Ok(renewed) => self
                .take(&mut state, renewed)
                .await
                .map_err(FetchError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            tracing::warn!(shop = ?self.api, %error, "access token not renewed");
        }
        state.failed = outcome.as_ref().err().copied();
        self.renewals.fetch_add(1, Ordering::Release);
        outcome
    }

    async fn take(&self, state: &mut State, renewed: Renewed) -> Result<Access, Cause> {
        state.access = renewed.access.as_ref().ok().cloned();
        if let Some(rotation) = renewed.rotation {
            let stored = self.tokens.store(&rotation).await;
            if let Err(fault) = stored {
                tracing::error!(shop = ?self.api, "the shop's new refresh token is not stored yet");
                state.unstored = Some(rotation);
                return Err(fault.into());
            }
        }
        Ok(renewed.access?)
    }
}

fn refused_with(status: StatusCode) -> FetchError {
    if may_pass(status) {
        Cause::Exchange(Fault::Status(status.as_u16())).into()
    } else {
        Refusal::Status(status.as_u16()).into()
    }
}
