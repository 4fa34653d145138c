//! One issuer's keys: fetched when they are needed, kept while it cannot be reached.
//!
//! Invariants: one fetch at a time; a fetch that has begun runs to its end even if nobody waits any more,
//! so that callers who hang up cannot make more of them; the interval after the last one is kept whatever
//! tokens come. The lock of fetching is never waited for by a caller whose key is at hand.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    Issuer, ProviderFault, Refusal, Settings, VerifyError,
    keys::{Key, Keys, PublishedKeys, Wanted},
};
use crate::https::{Client, Fault, HttpsUrl};

/// Where an issuer's configuration stands, below the issuer itself.
const CONFIGURATION: &str = ".well-known/openid-configuration";

/// What of an issuer's configuration matters (OpenID Connect Discovery 1.0, 4.2).
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

/// The last fetch: when, and what came of it.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    at: Timestamp,
    outcome: Result<(), ProviderFault>,
}

#[derive(Debug)]
pub(super) struct Provider {
    issuer: Arc<str>,
    url: HttpsUrl,
    keys: RwLock<Option<Arc<Keys>>>,
    /// Held while keys are fetched.
    last: Arc<Mutex<Option<Attempt>>>,
}

impl Provider {
    pub(super) fn new(issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.text.clone(),
            url: issuer.url.clone(),
            keys: RwLock::default(),
            last: Arc::default(),
        }
    }

    /// The key that a token asks for, fetched if it has to be.
    pub(super) async fn key(
        self: &Arc<Self>,
        client: &Client,
        settings: &Settings,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Arc<Key>, VerifyError> {
        let mut old_key = None;
        if let Some(keys) = self.kept(settings, now) {
            let found = keys.find(wanted);
            let is_settled = !matches!(found, Err(Refusal::UnknownKey));
            if is_settled && keys.age(now) < settings.refresh_after {
                return Ok(found?);
            }
            old_key = found.ok();
        }
        let turn = match old_key {
            None => self.last.clone().lock_owned().await,
            // Somebody else fetches already, and this token can be checked meanwhile.
            Some(key) => match self.last.clone().try_lock_owned() {
                Ok(turn) => turn,
                Err(_) => return Ok(key),
            },
        };
        let refreshed = self.refresh(turn, client, settings, now).await;
        let Some(keys) = self.kept(settings, now) else {
            return Err(refreshed.err().unwrap_or(ProviderFault::NoKeys).into());
        };
        match (keys.find(wanted), refreshed) {
            (Ok(key), _) => Ok(key),
            // The key may be a new one that could not be fetched.
            (Err(Refusal::UnknownKey), Err(fault)) => Err(fault.into()),
            (Err(refusal), _) => Err(refusal.into()),
        }
    }

    fn kept(&self, settings: &Settings, now: Timestamp) -> Option<Arc<Keys>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let kept = keys.as_ref();
        kept.filter(|keys| keys.age(now) < settings.keep_max)
            .cloned()
    }

    /// Fetches the keys, unless that was done just now; what came of it.
    async fn refresh(
        self: &Arc<Self>,
        mut turn: OwnedMutexGuard<Option<Attempt>>,
        client: &Client,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), ProviderFault> {
        if let Some(last) = *turn {
            let interval = match last.outcome {
                Ok(()) => settings.refetch_after,
                Err(_) => settings.retry_after,
            };
            if now.duration_since(last.at).abs() < interval {
                return last.outcome;
            }
        }
        let (provider, client) = (self.clone(), client.clone());
        let fetching = tokio::spawn(async move {
            let fetched = provider.fetch(&client, now).await;
            let outcome = fetched.map(|keys| {
                let mut kept = provider
                    .keys
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *kept = Some(Arc::new(keys));
            });
            if let Err(fault) = outcome {
                tracing::warn!(openid.issuer = %provider.issuer, %fault, "keys not fetched");
            }
            *turn = Some(Attempt { at: now, outcome });
            outcome
        });
        // It ends early only with the runtime itself.
        let gone = ProviderFault::Exchange(Fault::NotReached);
        fetching.await.unwrap_or(Err(gone))
    }

    async fn fetch(&self, client: &Client, now: Timestamp) -> Result<Keys, ProviderFault> {
        let configuration: Configuration = client.get_json(&self.url.below(CONFIGURATION)).await?;
        if configuration.issuer != *self.issuer {
            return Err(ProviderFault::WrongIssuer);
        }
        let keys_url = keys_url(&self.url, &configuration.jwks_uri)?;
        let published: PublishedKeys = client.get_json(&keys_url).await?;
        Keys::of(published, now).ok_or(ProviderFault::NoKeys)
    }
}

/// Where an issuer says that its keys are. One on another machine must not send us to our own.
fn keys_url(issuer: &HttpsUrl, told: &str) -> Result<HttpsUrl, ProviderFault> {
    let url = HttpsUrl::parse(told).map_err(|_| ProviderFault::KeysUrl)?;
    if issuer.is_encrypted() && !url.is_encrypted() {
        return Err(ProviderFault::KeysUrl);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_no_less_safely_than_the_configuration() {
        for (issuer, told, is_good) in [
            ("https://id.example", "https://id.example/keys", true),
            ("https://id.example", "https://keys.example/", true),
            ("https://id.example", "http://127.0.0.1/keys", false),
            ("https://id.example", "http://id.example/keys", false),
            ("https://id.example", "/keys", false),
            ("http://127.0.0.1", "http://127.0.0.1/keys", true),
            ("http://127.0.0.1", "https://id.example/keys", true),
            ("http://127.0.0.1", "http://id.example/keys", false),
        ] {
            let issuer = HttpsUrl::parse(issuer).unwrap();
            let url = keys_url(&issuer, told);
            assert_eq!(url.is_ok(), is_good, "{issuer:?} {told}");
        }
    }
}
