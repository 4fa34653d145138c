//! Reads that the store will offer itself.

use ledger::member::{Card, CardStatus};
use member_card::CardId;
use pos_protocol::MemberId;

use crate::store::{Store, StoreError};

pub(super) async fn card(store: &Store, id: CardId) -> Result<Option<Card>, StoreError> {
    const SQL: &str = "SELECT member_id, public_key, status FROM cards WHERE card_id = $1";
    let key = i64::from_be_bytes(id.get().to_be_bytes());
    let row: Option<(uuid::Uuid, Vec<u8>, String)> = match store {
        Store::Postgres { read, .. } => sqlx::query_as(SQL).bind(key).fetch_optional(read).await,
        Store::Sqlite { read, .. } => sqlx::query_as(SQL).bind(key).fetch_optional(read).await,
    }
    .map_err(StoreError::from_sqlx)?;
    Ok(row.map(|(member, public_key, status)| Card {
        id,
        member_id: MemberId::new(member),
        public_key,
        status: CardStatus::from_word(&status).unwrap_or(CardStatus::Revoked),
        enrolled_at: jiff::Timestamp::UNIX_EPOCH,
        revoked_at: None,
    }))
}

pub(super) async fn schema_is_current(store: &Store) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT max(version) FROM programmes";
    let row: Result<Option<i64>, _> = match store {
        Store::Postgres { read, .. } => sqlx::query_scalar(SQL).fetch_one(read).await,
        Store::Sqlite { read, .. } => sqlx::query_scalar(SQL).fetch_one(read).await,
    };
    match row.map_err(StoreError::from_sqlx) {
        Ok(_) => Ok(true),
        Err(StoreError::Rejected(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) async fn programme_in_force(store: &Store) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT max(version) FROM programmes";
    let row: Result<Option<i64>, _> = match store {
        Store::Postgres { read, .. } => sqlx::query_scalar(SQL).fetch_one(read).await,
        Store::Sqlite { read, .. } => sqlx::query_scalar(SQL).fetch_one(read).await,
    };
    row.map_err(StoreError::from_sqlx)?
        .ok_or(StoreError::NoProgramme)
}
