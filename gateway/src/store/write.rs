//! Writing what decisions changed.
//!
//! Lock order, for all batches everywhere: the members, sorted by id, when the batch begins; then new
//! rows, table by table in the order of [`Batch::write`], within each in order of their keys. Changed
//! rows belong to a member and are safe behind its lock, whenever they are written. Two batches can only
//! meet at a key that both make (a request, a card, a member number); there one waits for the other, and
//! never the other way round.

use std::sync::LazyLock;

use ledger::{
    records::Event,
    state::{Changes, Edits},
};

use super::{
    StoreError,
    batch::Batch,
    row::{Row, Rows, cells},
    rows::{EVENTS, IDENTITIES},
    sql::Sql,
    together::Writes,
};

/// Events on PostgreSQL go into the log and the outbox in one statement. The database counts the
/// positions in the outbox up as rows are inserted, so the order of the rows is the order of sending.
pub(super) const SEND: (&str, &str) = (
    "event_id, member_id, member_sequence",
    "INSERT INTO outbox (event_id, member_id, member_sequence) \
     SELECT event_id, member_id, member_sequence FROM new_events ORDER BY member_sequence, event_id",
);
/// Deletes identities whose person was erased.
static FORGET: LazyLock<Sql> = LazyLock::new(|| IDENTITIES.delete());
/// The outbox for SQLite, which is given the rows in order.
const SEND_EACH: Sql = Sql {
    postgres: "INSERT INTO outbox (event_id, member_id, member_sequence) VALUES ($1, $2, $3)",
    sqlite: "INSERT INTO outbox (event_id, member_id, member_sequence) \
             SELECT * FROM (VALUES {(?, ?, ?)}) WHERE column1 IS NOT NULL",
};

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    vec![SEND_EACH, *FORGET]
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
        let mut writes = Writes::default();
        insert(&mut writes, &sorted(&changes.programmes, |row| row.version))?;
        save(&mut writes, &changes.members)?;
        save(&mut writes, &changes.cards)?;
        save(&mut writes, &changes.short_codes)?;
        save(&mut writes, &changes.card_uses)?;
        save(&mut writes, &changes.lots)?;
        save(&mut writes, &changes.pending)?;
        save(&mut writes, &changes.authorizations)?;
        save(&mut writes, &changes.purchases)?;
        let forgotten = vec![cells(&changes.forgotten)];
        writes.delete(IDENTITIES.name, *FORGET, forgotten);
        save(&mut writes, &changes.identities)?;
        save(&mut writes, &changes.link_codes)?;
        save(&mut writes, &changes.verifications)?;
        save(&mut writes, &changes.proposals)?;
        save(&mut writes, &changes.orders)?;
        save(&mut writes, &changes.profiles)?;
        insert(&mut writes, &sorted(&changes.merges, |row| row.id))?;
        let requests = sorted(&changes.requests, |row| (&row.terminal_id, &row.request_id));
        insert(&mut writes, &requests)?;
        insert(&mut writes, &sorted(&changes.refunds, |row| row.id))?;
        insert(&mut writes, &sorted(&changes.settlements, |row| row.id))?;
        let transfers = sorted(&changes.transfers, |row| (row.member_id, row.id));
        insert(&mut writes, &transfers)?;
        log(&mut writes, &changes.events, self.connection.is_postgres())?;
        self.connection.write_together(&writes).await?;
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

fn insert<'a, R: Row>(writes: &mut Writes<'a>, rows: &[&'a R]) -> Result<(), StoreError> {
    let table = R::table();
    let columns = Rows::whole(rows.iter().copied())?;
    writes.insert(table.name, table.statements().insert, columns);
    Ok(())
}

fn save<'a, K, R: Row>(writes: &mut Writes<'a>, edits: &'a Edits<K, R>) -> Result<(), StoreError> {
    let with = |created: bool| {
        let chosen = edits.values().filter(move |edit| edit.created == created);
        chosen.map(|edit| &edit.row).collect::<Vec<_>>()
    };
    insert(writes, &with(true))?;
    let table = R::table();
    let columns = Rows::changed(with(false))?;
    writes.update(table.name, table.statements().update, columns);
    Ok(())
}

fn log<'a>(
    writes: &mut Writes<'a>,
    events: &'a [Event],
    is_postgres: bool,
) -> Result<(), StoreError> {
    // In order of sending, also where they go in several statements. Nobody else makes their keys.
    let in_order = sorted(events, |row| (row.member_sequence, row.id));
    let rows = Rows::whole(in_order.iter().copied())?;
    writes.insert_then(EVENTS.name, EVENTS.statements().insert, rows, SEND);
    if !is_postgres {
        let mut rows = Rows::whole(in_order)?;
        rows.truncate(3);
        writes.insert("outbox", SEND_EACH, rows);
    }
    Ok(())
}
