//! Which places of the stream have not come yet.
//!
//! The gateway numbers events from 1 without a gap. Everything up to the highest number seen has come,
//! but for the gaps. They are rows, so that a restart forgets none, and ranges, so that a CRM that
//! starts late has one gap and not a million.

use sqlx::SqliteConnection;

/// Places that have not come, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, sqlx::FromRow)]
pub(crate) struct Gap {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Notes that the event at `place` has come. False if another was there before.
pub(crate) async fn note(db: &mut SqliteConnection, place: i64) -> sqlx::Result<bool> {
    let highest: i64 = sqlx::query_scalar("SELECT highest FROM stream")
        .fetch_one(&mut *db)
        .await?;
    if place > highest {
        // What lies between may still come: the relay sends many at once, and they overtake each other.
        add(db, highest + 1, place - 1).await?;
        sqlx::query("UPDATE stream SET highest = ?")
            .bind(place)
            .execute(db)
            .await?;
        return Ok(true);
    }
    let gap = "DELETE FROM gaps WHERE first <= ?1 AND last >= ?1 RETURNING first, last";
    let Some(gap) = sqlx::query_as::<_, Gap>(gap)
        .bind(place)
        .fetch_optional(&mut *db)
        .await?
    else {
        return Ok(false);
    };
    add(db, gap.first, place - 1).await?;
    add(db, place + 1, gap.last).await?;
    Ok(true)
}

async fn add(db: &mut SqliteConnection, first: i64, last: i64) -> sqlx::Result<()> {
    if first <= last {
        sqlx::query("INSERT INTO gaps (first, last) VALUES (?, ?)")
            .bind(first)
            .bind(last)
            .execute(db)
            .await?;
    }
    Ok(())
}

/// The gaps as they are now, in order; at most `limit`.
pub(crate) async fn all(db: &mut SqliteConnection, limit: u32) -> sqlx::Result<Vec<Gap>> {
    sqlx::query_as("SELECT first, last FROM gaps ORDER BY first LIMIT ?")
        .bind(limit)
        .fetch_all(db)
        .await
}
