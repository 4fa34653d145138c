//! Whose a database is: looked at before anything is written to it.
//!
//! The load test makes members, tills and points. That is welcome in a database that is empty or that a
//! load test filled, and nowhere else.

use std::{path::Path, str::FromStr};

use anyhow::{Context, ensure};
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions};

use crate::gateway::PROGRAMME_ID;

/// Has rows if the schema is there.
const POSTGRES_SCHEMA: &str =
    "SELECT 1 WHERE to_regclass('programmes') IS NOT NULL AND to_regclass('members') IS NOT NULL";
const SQLITE_SCHEMA: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name IN ('programmes', 'members') LIMIT 1";
const PROGRAMME_OF_MEMBERS: &str = "SELECT coalesce((SELECT settings FROM programmes ORDER BY version DESC LIMIT 1), '{}') \
     WHERE EXISTS (SELECT 1 FROM members)";

/// Goes on only if nobody's members are in the database, or only a load test's.
///
/// # Errors
/// If they are somebody else's, or the database cannot be asked.
pub async fn ensure_ours(database_url: &str) -> anyhow::Result<()> {
    let settings = if let Some(path) = database_url.strip_prefix("sqlite://") {
        sqlite_settings(Path::new(path)).await
    } else {
        postgres_settings(database_url).await
    };
    let Some(settings) = settings.context("cannot see whose the database is")? else {
        return Ok(());
    };
    let settings: serde_json::Value = serde_json::from_str(&settings)?;
    let programme = settings["id"].as_str().unwrap_or("without a name");
    ensure!(
        programme == PROGRAMME_ID,
        "the database has members of the programme {programme}; the load test writes only to an empty \
         database or to one of its own"
    );
    Ok(())
}

/// The programme of the members there are; none if there are none.
async fn postgres_settings(url: &str) -> anyhow::Result<Option<String>> {
    // The driver's own message may repeat the password.
    let options = PgConnectOptions::from_str(url).ok().context("no URL")?;
    let mut connection = options.connect().await?;
    let schema = sqlx::query(POSTGRES_SCHEMA).fetch_optional(&mut connection);
    let settings = match schema.await? {
        Some(_) => sqlx::query_scalar(PROGRAMME_OF_MEMBERS).fetch_optional(&mut connection),
        None => return Ok(None),
    };
    Ok(settings.await?)
}

async fn sqlite_settings(path: &Path) -> anyhow::Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await?;
    let schema = sqlx::query(SQLITE_SCHEMA).fetch_optional(&mut connection);
    let settings = match schema.await? {
        Some(_) => {
            sqlx::query_scalar(PROGRAMME_OF_MEMBERS)
                .fetch_optional(&mut connection)
                .await?
        }
        None => None,
    };
    // At once: while it is open, the journal stays a write-ahead log.
    connection.close().await?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn database(settings: &str, members: bool) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("a.db"))
            .create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        for sql in [
            "CREATE TABLE programmes (version INTEGER, settings TEXT)",
            "CREATE TABLE members (member_id BLOB)",
        ] {
            sqlx::query(sql).execute(&mut connection).await.unwrap();
        }
        let insert = sqlx::query("INSERT INTO programmes VALUES (1, $1)").bind(settings);
        insert.execute(&mut connection).await.unwrap();
        if members {
            let insert = sqlx::query("INSERT INTO members VALUES (x'00')");
            insert.execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
        directory
    }

    #[tokio::test]
    async fn somebody_elses_members_are_left_alone() {
        for (settings, members, ours) in [
            (r#"{"id":"loadtest"}"#, true, true),
            (r#"{"id":"chain"}"#, true, false),
            (r#"{"id":"chain"}"#, false, true),
            ("{}", true, false),
        ] {
            let directory = database(settings, members).await;
            let url = format!("sqlite://{}", directory.path().join("a.db").display());
            assert_eq!(ensure_ours(&url).await.is_ok(), ours, "{settings}");
        }
        assert!(ensure_ours("sqlite:///nowhere/a.db").await.is_ok());
    }
}
