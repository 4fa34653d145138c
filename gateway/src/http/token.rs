//! Access tokens: JWTs by RFC 9068, made and checked here.
//!
//! Invariants: the algorithm is ES256, whatever a token says of itself; the key is one of ours, by
//! id; `typ`, `iss`, `aud`, `exp`, `nbf` are there and of the right JSON type; times are held against
//! the gateway's own clock. A checked token is remembered by its SHA-256, never by its text, and its
//! end is looked at every time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation};
use ledger::card_use::Till;
use moka::sync::Cache;
use pos_protocol::{StoreId, TerminalId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Settings,
    key_ring::{KeyError, KeyRing, Signer},
    problem::{Problem, ProblemKind},
};
use crate::{
    limits,
    store::{Client, ClientScope, Role},
};

/// The media type of an access token, in its header.
const TYP: &str = "at+jwt";

/// The claims of an access token.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    client_id: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terminal: Option<TerminalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store: Option<StoreId>,
    /// Of staff that signed in without a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) client_id: Arc<str>,
    pub(super) scopes: BTreeSet<ClientScope>,
    pub(super) till: Option<Till>,
    /// The role of staff that signed in with OpenID; a client's role is its row's.
    pub(super) role: Option<Role>,
    /// Unix seconds.
    ends_at: i64,
}

pub(super) struct Tokens {
    issuer: String,
    audience: String,
    validation: Validation,
    checked: Cache<[u8; 32], Arc<Access>>,
}

impl Tokens {
    pub(super) fn new(settings: &Settings) -> Self {
        let (issuer, audience) = (settings.issuer(), settings.programme.to_string());
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[&issuer]);
        validation.set_audience(&[&audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The library reads the system's clock; times are checked below, against ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.leeway = 0;
        Self {
            issuer,
            audience,
            validation,
            checked: Cache::builder()
                .max_capacity(limits::TOKEN_CACHE_ENTRIES_MAX)
                .time_to_live(Duration::from_secs(
                    limits::ACCESS_TOKEN_LIFE_S.unsigned_abs(),
                ))
                .build(),
        }
    }

    /// A token for `client`, good for [`limits::ACCESS_TOKEN_LIFE_S`] from `now`.
    pub(super) fn issue(
        &self,
        signer: &Signer,
        client: &Client,
        scopes: &BTreeSet<ClientScope>,
        id: Uuid,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(signer.kid().to_owned());
        let till = client
            .till
            .as_ref()
            .filter(|_| scopes.contains(&ClientScope::Pos));
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: client.id.clone(),
            client_id: client.id.clone(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: now.as_second().saturating_add(limits::ACCESS_TOKEN_LIFE_S),
            jti: id.to_string(),
            scope: ClientScope::join(scopes),
            terminal: till.map(|till| till.terminal_id.clone()),
            store: till.map(|till| till.store_id.clone()),
            role: None,
        };
        jsonwebtoken::encode(&header, &claims, signer.encoding()).map_err(|_| KeyError::NotMade)
    }

    /// A token for staff that signed in with OpenID, good for [`limits::STAFF_SESSION_S`] from `now`.
    pub(super) fn issue_to_staff(
        &self,
        signer: &Signer,
        actor: &str,
        role: Role,
        id: Uuid,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(signer.kid().to_owned());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: actor.to_owned(),
            client_id: actor.to_owned(),
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: now.as_second().saturating_add(limits::STAFF_SESSION_S),
            jti: id.to_string(),
            scope: ClientScope::Admin.word().to_owned(),
            terminal: None,
            store: None,
            role: Some(role.word().to_owned()),
        };
        jsonwebtoken::encode(&header, &claims, signer.encoding()).map_err(|_| KeyError::NotMade)
    }

    /// What `token` says, if it is good at `now`.
    pub(super) async fn check(
        &self,
        keys: &KeyRing,
        token: &str,
        now: Timestamp,
    ) -> Result<Arc<Access>, Problem> {
        if token.len() > limits::BEARER_TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let access = match self.checked.get(&digest) {
            Some(access) => access,
            None => {
                let access = Arc::new(self.verify(keys, token, now).await?);
                self.checked.insert(digest, access.clone());
                access
            }
        };
        if now.as_second() >= access.ends_at.saturating_add(limits::ACCESS_TOKEN_LEEWAY_S) {
            return Err(refused("it has ended"));
        }
        Ok(access)
    }

    async fn verify(&self, keys: &KeyRing, token: &str, now: Timestamp) -> Result<Access, Problem> {
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| refused("it cannot be read"))?;
        let typ = header.typ.as_deref().unwrap_or_default();
        let typ = typ.strip_prefix("application/").unwrap_or(typ);
        if !typ.eq_ignore_ascii_case(TYP) {
            return Err(refused("it is no access token"));
        }
        if header.alg != Algorithm::ES256 || header.crit.is_some() {
            return Err(refused("it is not signed the way our tokens are"));
        }
        let kid = header.kid.ok_or_else(|| refused("it names no key"))?;
        let key = keys.verifier(&kid, now).await.map_err(Problem::from)?;
        let key = key.ok_or_else(|| refused("its key is not known"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation)
            .map_err(|error| refused("its signature or claims are wrong").because(error))?
            .claims;
        if claims.nbf
            > now
                .as_second()
                .saturating_add(limits::ACCESS_TOKEN_LEEWAY_S)
        {
            return Err(refused("it is not good yet"));
        }
        Ok(access(claims))
    }
}

fn access(claims: Claims) -> Access {
    let till = claims.terminal.zip(claims.store);
    Access {
        client_id: claims.client_id.into(),
        scopes: claims
            .scope
            .split(' ')
            .filter_map(ClientScope::from_word)
            .collect(),
        till: till.map(|(terminal_id, store_id)| Till {
            terminal_id,
            store_id,
        }),
        role: claims.role.as_deref().and_then(Role::from_word),
        ends_at: claims.exp,
    }
}

pub(super) fn refused(why: &str) -> Problem {
    Problem::new(
        ProblemKind::InvalidToken,
        format!("The access token is refused: {why}."),
    )
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::from(error),
            other => Self::fault(other),
        }
    }
}
