//! Writing what decisions changed: one statement per table and kind of change.
//!
//! Lock order, for all batches everywhere: the members, sorted by id, when the batch begins; then the
//! tables in the order of [`Batch::write`], within each the rows in order of their keys. Rows that
//! belong to a member are safe behind the member's lock. Two batches can only meet at a key that both
//! make (a request, a card, a member number); there one waits for the other, and never the other way
//! round.

use ledger::{
    records::Event,
    state::{Changes, Edits},
};

use super::{
    StoreError,
    batch::Batch,
    connection::Connection,
    row::{Row, Rows},
    rows::EVENTS,
    sql::Sql,
};

/// Events on PostgreSQL go into the log and the outbox in one statement. The database counts the
/// positions in the outbox up as rows are inserted, so the order of the rows is the order of sending.
static LOG_AND_SEND: std::sync::LazyLock<Sql> = std::sync::LazyLock::new(|| {
    let Sql { postgres, sqlite } = EVENTS.statements().insert;
    Sql::assembled(
        format!(
            "WITH logged AS ({postgres} RETURNING event_id, member_id, member_sequence) \
             INSERT INTO outbox (event_id, member_id, member_sequence) \
             SELECT event_id, member_id, member_sequence FROM logged ORDER BY member_sequence, event_id"
        ),
        sqlite.to_owned(),
    )
});
const SEND: Sql = Sql {
    postgres: "INSERT INTO outbox (event_id, member_id, member_sequence) VALUES ($1, $2, $3)",
    sqlite: "INSERT INTO outbox (event_id, member_id, member_sequence) VALUES {(?, ?, ?)}",
};

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![*LOG_AND_SEND, SEND]
}

impl Batch {
    /// Writes `changes`. May be called more than once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a row that should be new exists or one that should exist does not;
    /// [`StoreError::Rejected`] if a row breaks a constraint. After any error the batch can only be
    /// rolled back.
    pub async fn write(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.members.clear(); // as they were before
        let connection = &mut self.connection;
        insert(connection, &sorted(&changes.programmes, |row| row.version)).await?;
        save(connection, &changes.members).await?;
        save(connection, &changes.cards).await?;
        save(connection, &changes.short_codes).await?;
        save(connection, &changes.card_uses).await?;
        save(connection, &changes.lots).await?;
        save(connection, &changes.pending).await?;
        save(connection, &changes.authorizations).await?;
        save(connection, &changes.purchases).await?;
        let requests = sorted(&changes.requests, |row| (&row.terminal_id, &row.request_id));
        insert(connection, &requests).await?;
        insert(connection, &sorted(&changes.refunds, |row| row.id)).await?;
        insert(connection, &sorted(&changes.settlements, |row| row.id)).await?;
        insert(
            connection,
            &sorted(&changes.transfers, |row| (row.member_id, row.id)),
        )
        .await?;
        log(connection, &changes.events).await?;
        if let Some(newest) = changes.programmes.last() {
            self.version = Some(newest.version);
        }
        Ok(())
    }
}

fn sorted<'a, T, K: Ord>(rows: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_by_key(|row| key(row));
    rows
}

async fn insert<R: Row>(connection: &mut Connection, rows: &[&R]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = Rows::whole(rows.iter().copied())?;
    let table = R::table();
    let insert = table.statements().insert;
    connection.write_each(table.name, insert, &columns).await
}

async fn save<K, R: Row>(
    connection: &mut Connection,
    edits: &Edits<K, R>,
) -> Result<(), StoreError> {
    let with = |created: bool| {
        let chosen = edits.values().filter(move |edit| edit.created == created);
        chosen.map(|edit| &edit.row).collect::<Vec<_>>()
    };
    insert(connection, &with(true)).await?;
    let changed = with(false);
    if changed.is_empty() {
        return Ok(());
    }
    let columns = Rows::changed(changed)?;
    let table = R::table();
    let update = table.statements().update;
    connection.write_each(table.name, update, &columns).await
}

async fn log(connection: &mut Connection, events: &[Event]) -> Result<(), StoreError> {
    let by_key = Rows::whole(sorted(events, |row| row.id))?;
    connection
        .write_each("events", *LOG_AND_SEND, &by_key)
        .await?;
    if !connection.is_postgres() {
        let in_order = Rows::whole(sorted(events, |row| (row.member_sequence, row.id)))?;
        let outbox = in_order.get(..3).unwrap_or_default();
        connection.write_each("outbox", SEND, outbox).await?;
    }
    Ok(())
}
