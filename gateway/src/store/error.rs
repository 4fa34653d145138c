//! What can go wrong with a database, sorted by what a caller can do about it.
//!
//! Sorted by SQLSTATE and SQLite result code, never by the text of a message.

/// A failure of the store. None of these is an answer to a business question.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else changed the same rows first: deadlock, serialization failure, or a unique key
    /// that was free when the batch looked. Nothing was written. Run the batch again.
    #[error("lost a race for rows: {0}")]
    Conflict(String),
    /// The database cannot be reached or cannot take writes now: down, shutting down, out of
    /// connections, disk full, locked for too long. Nothing was written.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// COMMIT was sent and its answer never came. The batch is there whole or not at all.
    #[error("the outcome of a commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// The database refuses the batch for what is in it. Nothing was written.
    #[error("the database refuses the rows: {0}")]
    Rejected(String),
    /// A row says what this program never writes.
    #[error("a stored row cannot be understood: {0}")]
    Corrupt(String),
    /// No programme is in force yet: nothing can be decided.
    #[error("no programme is in force; apply one with `gateway admin programme apply FILE`")]
    NoProgramme,
}

impl StoreError {
    /// A value that cannot be sent.
    pub(crate) fn unfit(error: sqlx::error::BoxDynError) -> Self {
        Self::Rejected(error.to_string())
    }

    /// Sorts a driver's error.
    pub(crate) fn from_sqlx(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default().into_owned();
                Self::from_code(&code, text)
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::TypeNotFound { .. } => Self::Corrupt(text),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(text),
            _ => Self::Rejected(text),
        }
    }

    /// Sorts by five-character SQLSTATE (PostgreSQL) or decimal result code (SQLite).
    fn from_code(code: &str, text: String) -> Self {
        let text = format!("{code}: {text}");
        match code {
            // serialization_failure, deadlock_detected, unique_violation; SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY,
            // SQLITE_BUSY_SNAPSHOT
            "40001" | "40P01" | "23505" | "2067" | "1555" | "517" => Self::Conflict(text),
            // lock_not_available, query_canceled (statement_timeout), read_only_sql_transaction
            "55P03" | "57014" | "25006" => Self::Unavailable(text),
            // connection exceptions, insufficient resources, operator intervention, system errors
            _ if ["08", "53", "57", "58"]
                .iter()
                .any(|class| code.len() == 5 && code.starts_with(class)) =>
            {
                Self::Unavailable(text)
            }
            // SQLITE_BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
            _ => match code.parse::<u32>().map(|sqlite| sqlite & 0xFF) {
                Ok(5..=10 | 13..=15) if code.len() != 5 => Self::Unavailable(text),
                _ => Self::Rejected(text),
            },
        }
    }

    /// Whether running the same batch again can succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}
