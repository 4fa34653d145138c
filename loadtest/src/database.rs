//! The kinds of database a gateway runs on.

use std::fmt;

use anyhow::bail;
use serde::Serialize;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// The kind that a database's URL names.
    ///
    /// # Errors
    /// If it names another.
    pub fn of(url: &str) -> anyhow::Result<Self> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres),
            Some(("sqlite", _)) => Ok(Self::Sqlite),
            _ => bail!("a database is postgres://… or sqlite://PATH"),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_kind() {
        for (url, engine) in [
            ("postgres://localhost/a", Engine::Postgres),
            ("postgresql:///a", Engine::Postgres),
            ("sqlite:///tmp/a", Engine::Sqlite),
        ] {
            assert_eq!(Engine::of(url).unwrap(), engine);
        }
        for wrong in ["mysql://a", "/tmp/a", ""] {
            assert!(Engine::of(wrong).is_err(), "{wrong}");
        }
    }
}
