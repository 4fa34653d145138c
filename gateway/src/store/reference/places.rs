//! Stores and the terminals that stand in them.

use jiff::Timestamp;
use pos_protocol::{StoreId, TerminalId};

use super::{Creation, corrupt, created, on_read, on_write, time};
use crate::store::{Store, StoreError};

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRow {
    /// The store.
    pub id: StoreId,
    /// What people call it.
    pub name: String,
    /// When it was made known.
    pub created_at: Timestamp,
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRow {
    /// The terminal.
    pub id: TerminalId,
    /// Its store.
    pub store_id: StoreId,
    /// When it was made known.
    pub created_at: Timestamp,
}

impl Store {
    /// Makes a store known.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn create_store(
        &self,
        id: &StoreId,
        name: &str,
        now: Timestamp,
    ) -> Result<Creation, StoreError> {
        const SQL: &str = "INSERT INTO stores (store_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let rows = on_write!(self, pool => sqlx::query(SQL)
            .bind(id.as_str()).bind(name).bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(created(rows))
    }

    /// Makes a terminal of a store known.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn create_terminal(
        &self,
        id: &TerminalId,
        store: &StoreId,
        now: Timestamp,
    ) -> Result<Creation, StoreError> {
        const SQL: &str = "INSERT INTO terminals (terminal_id, store_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        if self.store_row(store).await?.is_none() {
            return Ok(Creation::NoSuchPlace);
        }
        let rows = on_write!(self, pool => sqlx::query(SQL)
            .bind(id.as_str()).bind(store.as_str()).bind(now.as_microsecond())
            .execute(pool).await.map_err(StoreError::from_sqlx)?.rows_affected());
        Ok(created(rows))
    }

    /// One store.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn store_row(&self, id: &StoreId) -> Result<Option<StoreRow>, StoreError> {
        const SQL: &str = "SELECT store_id, name, created_at FROM stores WHERE store_id = $1";
        let row: Option<(String, String, i64)> = on_read!(self, connection => sqlx::query_as(SQL)
            .bind(id.as_str()).fetch_optional(connection));
        row.map(store_from).transpose()
    }

    /// One terminal.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn terminal(&self, id: &TerminalId) -> Result<Option<TerminalRow>, StoreError> {
        const SQL: &str =
            "SELECT terminal_id, store_id, created_at FROM terminals WHERE terminal_id = $1";
        let row: Option<(String, String, i64)> = on_read!(self, connection => sqlx::query_as(SQL)
            .bind(id.as_str()).fetch_optional(connection));
        row.map(terminal_from).transpose()
    }

    /// Every store, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn list_stores(&self) -> Result<Vec<StoreRow>, StoreError> {
        const SQL: &str = "SELECT store_id, name, created_at FROM stores ORDER BY store_id";
        let rows: Vec<(String, String, i64)> = on_read!(self, connection => sqlx::query_as(SQL)
            .fetch_all(connection));
        rows.into_iter().map(store_from).collect()
    }

    /// Every terminal, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn list_terminals(&self) -> Result<Vec<TerminalRow>, StoreError> {
        const SQL: &str =
            "SELECT terminal_id, store_id, created_at FROM terminals ORDER BY terminal_id";
        let rows: Vec<(String, String, i64)> = on_read!(self, connection => sqlx::query_as(SQL)
            .fetch_all(connection));
        rows.into_iter().map(terminal_from).collect()
    }
}

fn store_from((id, name, created_at): (String, String, i64)) -> Result<StoreRow, StoreError> {
    Ok(StoreRow {
        id: StoreId::new(&id).map_err(corrupt)?,
        name,
        created_at: time(created_at)?,
    })
}

fn terminal_from(
    (id, store, created_at): (String, String, i64),
) -> Result<TerminalRow, StoreError> {
    Ok(TerminalRow {
        id: TerminalId::new(&id).map_err(corrupt)?,
        store_id: StoreId::new(&store).map_err(corrupt)?,
        created_at: time(created_at)?,
    })
}
