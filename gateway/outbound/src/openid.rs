//! Proving who signed in at a brand's own sign-in: ID tokens by OpenID Connect Core 1.0, 3.1.3.7.
//!
//! Invariants: a [`Subject`] exists only after signature, issuer, audience, times and nonce were checked;
//! the algorithm is the key's, never the token's choice, and always RS256, PS256 or ES256; keys come only
//! from where the issuer itself says over HTTPS, and, however many tokens come, at most once per interval.
//! How the app gets the token (PKCE, the browser) is its own business; the nonce is the gateway's, given
//! out before and taken back once, and ties a token to one sign-in.

use std::{fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;

mod claims;
mod keys;
mod provider;

use self::{claims::Expected, provider::Provider};
use crate::https::{Client, Fault, HttpsUrl, UrlError};

/// Longer than ID tokens that servers pass on in headers.
const TOKEN_BYTES_MAX: usize = 16 * 1_024;
/// Issuers whose keys are kept; there is one or a few per brand.
const ISSUERS_MAX: u64 = 1_024;

/// Who may issue ID tokens, and for whom. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: Arc<str>,
    url: HttpsUrl,
    client_ids: Arc<[String]>,
    trusted_audiences: Arc<[String]>,
}

/// Why an [`Issuer`] cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// The issuer is no such URL.
    #[error("the issuer is wrong: {0}")]
    Url(#[from] UrlError),
    /// Nobody for whom it issues.
    #[error("an issuer needs at least one client id, and none that is empty")]
    NoClientId,
}

impl Issuer {
    /// The issuer as it stands in its tokens, to the letter, and the client ids that the brand's apps and
    /// servers have with it. A token whose `azp` is another client than its `aud` needs both here.
    pub fn new(
        issuer: &str,
        client_ids: impl IntoIterator<Item = String>,
    ) -> Result<Self, IssuerError> {
        let client_ids: Arc<[String]> = client_ids.into_iter().collect();
        if client_ids.is_empty() || client_ids.iter().any(String::is_empty) {
            return Err(IssuerError::NoClientId);
        }
        Ok(Self {
            text: issuer.into(),
            url: HttpsUrl::parse_base(issuer)?,
            client_ids,
            trusted_audiences: Arc::default(),
        })
    }

    /// Lets `audiences` stand beside a client id in `aud`. By themselves they make no token good.
    #[must_use]
    pub fn trusting(self, audiences: impl IntoIterator<Item = String>) -> Self {
        Self {
            trusted_audiences: audiences.into_iter().collect(),
            ..self
        }
    }

    /// The issuer's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// How long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How far the issuer's clock and ours may differ.
    pub leeway: SignedDuration,
    /// Keys older than this are fetched anew.
    pub refresh_after: SignedDuration,
    /// Keys older than this are not used, even if the issuer cannot be reached.
    pub keep_max: SignedDuration,
    /// A key that is not known makes a fetch at most this often. A key that is used sooner than this after
    /// its publication may be refused meanwhile.
    pub refetch_after: SignedDuration,
    /// After a fetch that failed the next one is tried at most this often.
    pub retry_after: SignedDuration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            leeway: SignedDuration::from_secs(60),
            refresh_after: SignedDuration::from_hours(1),
            keep_max: SignedDuration::from_hours(24),
            refetch_after: SignedDuration::from_secs(60),
            retry_after: SignedDuration::from_secs(5),
        }
    }
}

/// Checks ID tokens of any number of issuers and keeps their keys.
#[derive(Debug)]
pub struct Verifier {
    client: Client,
    settings: Settings,
    providers: Cache<Arc<str>, Arc<Provider>>,
}

/// Who signed in. `Debug` hides all but the issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    issuer: Arc<str>,
    subject: String,
    email: Option<Email>,
}

/// An address, as the issuer tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    address: String,
    verified: bool,
}

/// Why a token proves nothing, or not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The issuer's keys cannot be had; the same token may be good a little later.
    #[error("the sign-in server cannot be asked: {0}")]
    Unreachable(#[from] ProviderFault),
    /// The token is not good and will not be.
    #[error("the ID token is refused: {0}")]
    Refused(#[from] Refusal),
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than any ID token.
    #[error("it is too long")]
    TooLong,
    /// It is no signed JWT, or one of another kind.
    #[error("it cannot be read")]
    Unreadable,
    /// Not RS256, PS256 or ES256, or not what its key is for.
    #[error("it is not signed the way it must be")]
    Algorithm,
    /// It names no key, and the issuer has several.
    #[error("it does not say which key it is signed with")]
    KeyNotNamed,
    /// The issuer has no such key.
    #[error("it is signed with a key that the issuer does not have")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("its signature is wrong")]
    Signature,
    /// A claim is missing or of the wrong type.
    #[error("a claim is missing or malformed")]
    Claims,
    /// Somebody else issued it.
    #[error("another issuer issued it")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for another audience")]
    Audience,
    /// Somebody else asked for it, or it does not say who did among several.
    #[error("another client asked for it")]
    AuthorizedParty,
    /// It has ended.
    #[error("it has ended")]
    Expired,
    /// It begins in the future.
    #[error("it is not good yet")]
    NotYet,
    /// It belongs to another sign-in.
    #[error("it belongs to another sign-in")]
    Nonce,
    /// `sub` is not 1 to 255 printable ASCII characters.
    #[error("its subject is malformed")]
    Subject,
}

/// Why an issuer's keys cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderFault {
    /// An exchange with it came to nothing.
    #[error("{0}")]
    Exchange(#[from] Fault),
    /// Its configuration is another issuer's.
    #[error("its configuration names another issuer")]
    WrongIssuer,
    /// Its configuration names no URL at which keys could be fetched.
    #[error("its configuration names no acceptable address of keys")]
    KeysUrl,
    /// None of its keys is one for RS256, PS256 or ES256.
    #[error("it publishes no key that could be used")]
    NoKeys,
}

impl Verifier {
    /// Knows no keys yet; they are fetched when a token needs them.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        Self {
            client,
            settings,
            providers: Cache::new(ISSUERS_MAX),
        }
    }

    /// Who signed in at `issuer`, if `token` is good at `now` and belongs to the sign-in of `nonce`.
    pub async fn verify(
        &self,
        issuer: &Issuer,
        token: &str,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Subject, VerifyError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLong.into());
        }
        let wanted = keys::Wanted::of(token)?;
        let provider = self
            .providers
            .get_with(issuer.text.clone(), || Arc::new(Provider::new(issuer)));
        let key = provider
            .key(&self.client, &self.settings, &wanted, now)
            .await?;
        let expected = Expected {
            issuer,
            nonce,
            leeway: self.settings.leeway,
        };
        Ok(expected.check(token, &key, now)?)
    }
}

impl Subject {
    /// Who vouches for it; the subject means something only together with this.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer's name for the person, never given to another: 1 to 255 printable ASCII characters.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The person's address, if the issuer tells one.
    #[must_use]
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }
}

impl Email {
    /// The address, not checked for its form.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the issuer says that the person proved to own it.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email")
            .field("verified", &self.verified)
            .finish_non_exhaustive()
    }
}
