//! The shop's token endpoint: an access token for a refresh token or for the client's own secret.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde::Deserialize;

use super::{
    ACCESS_LIFE_UNTOLD_S, ACCESS_MARGIN, Cause, FetchError, Grant, RefreshToken, Refusal, Rotation,
    Shop, StoreFault, refused_with,
};
use crate::https::{Answer, Client, Fault, HttpsUrl};

/// Longer than the plugin's JWTs, short enough for a header.
const ACCESS_TOKEN_CHARS_MAX: usize = 8 * 1_024;
/// A refresh token that is refused may have been used by another gateway; the store has a newer one then.
const REFRESHES_MAX: u8 = 2;

/// An access token. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Access {
    text: String,
    good_until: Timestamp,
}

impl Access {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_good(&self, now: Timestamp) -> bool {
        now < self.good_until
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("good_until", &self.good_until)
            .finish_non_exhaustive()
    }
}

/// RFC 6749, 5.1.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<u32>,
    #[serde(default)]
    refresh_token: Option<String>,
}

impl TokenAnswer {
    fn access(&self, now: Timestamp) -> Result<Access, Fault> {
        let is_bearer = self.token_type.as_deref().unwrap_or("Bearer");
        let fits_a_header = (1..=ACCESS_TOKEN_CHARS_MAX).contains(&self.access_token.len())
            && self
                .access_token
                .bytes()
                .all(|byte| byte.is_ascii_graphic());
        if !is_bearer.eq_ignore_ascii_case("Bearer") || !fits_a_header {
            return Err(Fault::Unreadable);
        }
        let life = self.expires_in.map_or(ACCESS_LIFE_UNTOLD_S, i64::from);
        let used = SignedDuration::from_secs(life).saturating_sub(ACCESS_MARGIN);
        Ok(Access {
            text: self.access_token.clone(),
            good_until: now.checked_add(used).unwrap_or(Timestamp::MAX),
        })
    }
}

/// What the shop gave out. A rotation counts even if the access token beside it cannot be used.
pub(super) struct Renewed {
    pub(super) access: Result<Access, Fault>,
    pub(super) rotation: Option<Rotation>,
}

pub(super) struct TokenEndpoint {
    url: HttpsUrl,
    client_id: String,
    client_secret: String,
    grant: Grant,
}

impl TokenEndpoint {
    pub(super) fn new(shop: Shop) -> Self {
        Self {
            url: shop.base.below("token"),
            client_id: shop.client_id,
            client_secret: shop.client_secret,
            grant: shop.grant,
        }
    }

    /// A new access token, and the new refresh token where the shop gave one out.
    pub(super) async fn renew(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<Renewed, FetchError> {
        let Grant::RefreshToken(tokens) = &self.grant else {
            let answer = self.ask(client, "client_credentials", None).await?;
            let answer = answer.ok_or(Refusal::Grant)?;
            return Ok(Renewed {
                access: answer.access(now),
                rotation: None,
            });
        };
        let mut tried = None;
        for _ in 0..REFRESHES_MAX {
            let used = tokens.load().await.map_err(Cause::from)?;
            if tried.as_ref() == Some(&used) {
                break;
            }
            let answer = self.ask(client, "refresh_token", Some(&used)).await?;
            let Some(answer) = answer else {
                tried = Some(used);
                continue;
            };
            let access = answer.access(now);
            let new = answer.refresh_token.map(RefreshToken);
            let new = new.filter(|new| *new != used);
            return Ok(Renewed {
                access,
                rotation: new.map(|new| Rotation { used, new }),
            });
        }
        Err(Refusal::Grant.into())
    }

    pub(super) async fn store(&self, rotation: &Rotation) -> Result<(), StoreFault> {
        match &self.grant {
            Grant::RefreshToken(tokens) => {
                let (used, new) = (rotation.used.clone(), rotation.new.clone());
                tokens.store(used, new).await
            }
            Grant::ClientCredentials => Ok(()),
        }
    }

    /// The answer; `None` if client or refresh token are refused.
    async fn ask(
        &self,
        client: &Client,
        grant_type: &str,
        refresh_token: Option<&RefreshToken>,
    ) -> Result<Option<TokenAnswer>, FetchError> {
        let mut form = vec![
            ("grant_type", grant_type),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        form.extend(refresh_token.map(|token| ("refresh_token", token.expose())));
        let request = client.post(&self.url).form(&form);
        let answer: Answer = client.exchange(request).await.map_err(Cause::from)?;
        match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => Ok(None),
            status if status.is_success() => Ok(Some(answer.json().map_err(Cause::from)?)),
            status => Err(refused_with(status)),
        }
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
