//! Clients: tills, shop systems and staff tools that ask for access tokens.

use std::{collections::BTreeSet, fmt};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use ledger::card_use::Till;
use pos_protocol::{ShopId, StoreId, TerminalId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Creation, corrupt, created, on_read, on_write, time};
use crate::store::{Store, StoreError};

/// What a client may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientScope {
    /// Staff tools: members, clients, programme.
    Admin,
    /// Shop systems that report orders.
    Ec,
    /// Tills. The client names its terminal.
    Pos,
}

impl ClientScope {
    /// Every scope, in alphabetical order.
    pub const ALL: &[Self] = &[Self::Admin, Self::Ec, Self::Pos];

    /// The word in tokens and rows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Ec => "ec",
            Self::Pos => "pos",
        }
    }

    /// The scope of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.word() == word)
    }

    /// Several scopes as one text: words in alphabetical order, a space between them.
    #[must_use]
    pub fn join(scopes: &BTreeSet<Self>) -> String {
        let words: Vec<_> = scopes.iter().map(|scope| scope.word()).collect();
        words.join(" ")
    }
}

/// What a member of staff may do at the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Helps members.
    Support,
    /// Decides, and sets up stores, tills, shops and clients.
    Manager,
    /// Looks, and changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: &[Self] = &[Self::Support, Self::Manager, Self::Auditor];

    /// The word in rows, tokens and settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.word() == word)
    }
}

/// A client's secret in clear. Shown once, wiped when dropped, hidden in `Debug`.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct NoRandomness;

impl ClientSecret {
    /// A new secret of 256 random bits, 43 characters of base64url.
    ///
    /// # Errors
    /// [`NoRandomness`] if the system has none.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| NoRandomness)?;
        Ok(Self(Zeroizing::new(BASE64URL_NOPAD.encode(bytes.as_ref()))))
    }

    /// A given secret. Only for a demo, whose secret is printed in its manual: what is kept is a fast
    /// hash, which protects no secret that can be guessed.
    #[must_use]
    pub fn given(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

/// A client to make.
#[derive(Debug, Clone)]
pub struct NewClient<'a> {
    /// Its name.
    pub id: &'a str,
    /// Its secret.
    pub secret: &'a ClientSecret,
    /// What it may be used for.
    pub scopes: &'a BTreeSet<ClientScope>,
    /// Its terminal, if it is a till.
    pub terminal: Option<&'a TerminalId>,
    /// Its shop, if it is a shop's system.
    pub shop: Option<&'a ShopId>,
    /// What it may do at the console, if it is a staff tool.
    pub role: Option<Role>,
}

/// A client as it is kept.
#[derive(Clone)]
pub struct Client {
    /// Its name.
    pub id: String,
    secret_hash: [u8; 32],
    /// What it may be used for.
    pub scopes: BTreeSet<ClientScope>,
    /// Its terminal and the terminal's store, if it is a till.
    pub till: Option<Till>,
    /// Its shop, if it is a shop's system.
    pub shop_id: Option<ShopId>,
    /// What it may do at the console.
    pub role: Option<Role>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was disabled.
    pub disabled_at: Option<Timestamp>,
}

impl Client {
    /// Whether `secret` is its secret. Takes the same time whatever the answer.
    #[must_use]
    pub fn knows(&self, secret: &str) -> bool {
        let given = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret.as_bytes())));
        bool::from(given.as_ref().ct_eq(&self.secret_hash))
    }

    /// Whether it may get and use tokens.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("scopes", &self.scopes)
            .field("till", &self.till)
            .field("shop_id", &self.shop_id)
            .field("disabled_at", &self.disabled_at)
            .finish_non_exhaustive()
    }
}

type Row = (
    String,
    Vec<u8>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    Option<i64>,
);

const COLUMNS_BY_ID: &str = "SELECT c.client_id, c.secret_hash, c.scopes, c.terminal_id, t.store_id, c.shop_id, c.role, c.created_at, c.disabled_at \
     FROM clients c LEFT JOIN terminals t ON t.terminal_id = c.terminal_id WHERE c.client_id = $1";
const COLUMNS_ALL: &str = "SELECT c.client_id, c.secret_hash, c.scopes, c.terminal_id, t.store_id, c.shop_id, c.role, c.created_at, c.disabled_at \
     FROM clients c LEFT JOIN terminals t ON t.terminal_id = c.terminal_id ORDER BY c.client_id";

impl Store {
    /// Makes a client.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn create_client(
        &self,
        client: &NewClient<'_>,
        now: Timestamp,
    ) -> Result<Creation, StoreError> {
        const SQL: &str = "INSERT INTO clients (client_id, secret_hash, scopes, terminal_id, created_at, role, shop_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        if let Some(terminal) = client.terminal
            && self.terminal(terminal).await?.is_none()
        {
            return Ok(Creation::NoSuchPlace);
        }
        let hash = client.secret.hash().to_vec();
        let scopes = ClientScope::join(client.scopes);
        let terminal = client.terminal.map(TerminalId::as_str);
        let rows = on_write!(self, pool => sqlx::query(SQL)
            .bind(client.id).bind(hash).bind(scopes).bind(terminal).bind(now.as_microsecond())
            .bind(client.role.map(Role::word)).bind(client.shop.map(ShopId::as_str))
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(created(rows))
    }

    /// Gives a client another secret; the old one is worthless at once. `false` if there is no such
    /// client.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn rotate_client_secret(
        &self,
        id: &str,
        secret: &ClientSecret,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE clients SET secret_hash = $2 WHERE client_id = $1";
        let rows = on_write!(self, pool => sqlx::query(SQL).bind(id).bind(secret.hash().to_vec())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(rows == 1)
    }

    /// Disables a client: it gets no more tokens, and those it has end within
    /// [`CLIENT_STANDING_S`](crate::limits::CLIENT_STANDING_S). `false` if there is no such client;
    /// disabling twice keeps the first time.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn disable_client(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE clients SET disabled_at = COALESCE(disabled_at, $2) WHERE client_id = $1";
        let rows = on_write!(self, pool => sqlx::query(SQL).bind(id).bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(rows == 1)
    }

    /// One client.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn client(&self, id: &str) -> Result<Option<Client>, StoreError> {
        let row: Option<Row> = on_read!(self, connection => sqlx::query_as(COLUMNS_BY_ID).bind(id)
            .fetch_optional(connection));
        row.map(client_from).transpose()
    }

    /// Every client, by name.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn list_clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<Row> = on_read!(self, connection => sqlx::query_as(COLUMNS_ALL)
            .fetch_all(connection));
        rows.into_iter().map(client_from).collect()
    }
}

fn client_from(row: Row) -> Result<Client, StoreError> {
    let (id, hash, words, terminal, store, shop, role, created_at, disabled_at) = row;
    let secret_hash = hash
        .try_into()
        .map_err(|_| corrupt("a secret hash that is not 32 bytes"))?;
    let scopes = words
        .split_whitespace()
        .map(|word| ClientScope::from_word(word).ok_or_else(|| corrupt(format!("scope {word}"))))
        .collect::<Result<_, _>>()?;
    let till = match (terminal, store) {
        (Some(terminal), Some(store)) => Some(Till {
            terminal_id: TerminalId::new(&terminal).map_err(corrupt)?,
            store_id: StoreId::new(&store).map_err(corrupt)?,
        }),
        _ => None,
    };
    Ok(Client {
        id,
        secret_hash,
        scopes,
        till,
        shop_id: shop
            .map(|id| ShopId::new(&id).map_err(corrupt))
            .transpose()?,
        role: role
            .map(|word| Role::from_word(&word).ok_or_else(|| corrupt(format!("role {word}"))))
            .transpose()?,
        created_at: time(created_at)?,
        disabled_at: disabled_at.map(time).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_long_random_and_hidden() {
        let (a, b) = (
            ClientSecret::generate().unwrap(),
            ClientSecret::generate().unwrap(),
        );
        assert_eq!(a.reveal().len(), 43);
        assert_ne!(a.reveal(), b.reveal());
        assert!(!format!("{a:?}").contains(a.reveal()));
    }

    #[test]
    fn scopes_have_one_written_form() {
        let scopes = ClientScope::ALL.iter().rev().copied().collect();
        assert_eq!(ClientScope::join(&scopes), "admin ec pos");
        assert_eq!(ClientScope::from_word("POS"), None);
    }
}
