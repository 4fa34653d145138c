//! Persons: records that belong together, where a person was first met, and what it buys in which channel.
//!
//! A merge is told of both records, and says which of the two is the alias. A record is the alias of at
//! most one other at a time, so the newest event in which it is the alias says where it belongs: what was
//! told of other records meanwhile, earlier or later, makes no difference. Nothing is moved between
//! records. A person is what its records are together, so a merge that is undone leaves no trace in sums.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use crate::message::{Fact, Happened};

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS merges (
    member_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, merged_into TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (member_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    member_id TEXT NOT NULL, kind TEXT NOT NULL, issuer TEXT NOT NULL,
    sequence INTEGER NOT NULL, proof TEXT,
    PRIMARY KEY (member_id, kind, issuer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channels (
    member_id TEXT NOT NULL, channel TEXT NOT NULL,
    first_at INTEGER NOT NULL, purchases INTEGER NOT NULL, yen INTEGER NOT NULL,
    PRIMARY KEY (member_id, channel)
) WITHOUT ROWID;
";

const MERGE: &str = "
INSERT INTO merges VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET
    sequence = excluded.sequence, merged_into = excluded.merged_into
WHERE excluded.sequence > merges.sequence";

// What a member gave up stays as a row without proof, so that an older event that comes late is known.
const IDENTITY: &str = "
INSERT INTO identities VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    sequence = excluded.sequence, proof = excluded.proof
WHERE excluded.sequence > identities.sequence";

const TOUCH: &str = "
INSERT INTO channels VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    first_at = min(first_at, excluded.first_at),
    purchases = purchases + excluded.purchases,
    yen = yen + excluded.yen";

// Whose member asked to be forgotten is not remembered, also if it is told late.
const FORGET: &str = "DELETE FROM identities WHERE member_id IN (SELECT member_id FROM erased)";

/// Enters what happened to a record. Sums do not mind the order; of states the newest counts.
pub(crate) async fn enter(db: &mut SqliteConnection, happened: &Happened) -> sqlx::Result<()> {
    let Happened {
        member_id,
        sequence,
        fact,
    } = happened;
    let (member_id, sequence) = (member_id.as_str(), *sequence);
    let query = match fact {
        Fact::BelongsTo(root) => sqlx::query(MERGE)
            .bind(member_id)
            .bind(sequence)
            .bind(root.as_deref()),
        Fact::Erased => {
            sqlx::query("INSERT INTO erased VALUES (?) ON CONFLICT DO NOTHING").bind(member_id)
        }
        Fact::Identity(identity) => sqlx::query(IDENTITY)
            .bind(member_id)
            .bind(&identity.kind)
            .bind(&identity.issuer)
            .bind(sequence)
            .bind(identity.proof.as_deref()),
        Fact::Touched(touch) => sqlx::query(TOUCH)
            .bind(member_id)
            .bind(&touch.channel)
            .bind(touch.at)
            .bind(touch.purchases)
            .bind(touch.yen),
    };
    query.execute(&mut *db).await?;
    if matches!(fact, Fact::Erased | Fact::Identity(_)) {
        sqlx::query(FORGET).execute(db).await?;
    }
    Ok(())
}

/// A person: one record, or several that were merged.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Person {
    /// The record that the others were merged into.
    pub(crate) id: String,
    /// All records.
    pub(crate) records: BTreeSet<String>,
    /// What all records have.
    pub(crate) balance: Balances,
    /// The person asked to be forgotten.
    pub(crate) erased: bool,
    /// The channel in which the person was first met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_touch: Option<String>,
    /// What the person bought, by channel.
    pub(crate) channels: BTreeMap<String, Sales>,
    /// What leads to the person besides cards. Nothing once it is erased.
    pub(crate) identities: BTreeSet<String>,
    #[serde(skip)]
    first_at: Option<i64>,
}

#[derive(Debug, Default, Clone, Copy, Serialize, FromRow)]
pub(crate) struct Balances {
    pub(crate) available: i64,
    pub(crate) held: i64,
    pub(crate) pending: i64,
    pub(crate) owed: i64,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Sales {
    pub(crate) purchases: i64,
    pub(crate) yen: i64,
}

/// Every person, in the order of their ids.
pub(crate) async fn all(db: &mut SqliteConnection) -> sqlx::Result<Vec<Person>> {
    let merges: Vec<(String, String)> =
        sqlx::query_as("SELECT member_id, merged_into FROM merges WHERE merged_into IS NOT NULL")
            .fetch_all(&mut *db)
            .await?;
    let roots = Roots(merges.into_iter().collect());
    let mut persons = BTreeMap::<String, Person>::new();
    for member_id in roots.0.keys() {
        roots.person(&mut persons, member_id);
    }
    let balances: Vec<(String, i64, i64, i64, i64)> =
        sqlx::query_as("SELECT member_id, available, held, pending, owed FROM balances")
            .fetch_all(&mut *db)
            .await?;
    for (member_id, available, held, pending, owed) in balances {
        let sum = &mut roots.person(&mut persons, &member_id).balance;
        sum.available += available;
        sum.held += held;
        sum.pending += pending;
        sum.owed += owed;
    }
    let channels: Vec<(String, String, i64, i64, i64)> =
        sqlx::query_as("SELECT member_id, channel, first_at, purchases, yen FROM channels")
            .fetch_all(&mut *db)
            .await?;
    for (member_id, channel, first_at, purchases, yen) in channels {
        let person = roots.person(&mut persons, &member_id);
        if person.first_at.is_none_or(|known| first_at < known) {
            person.first_at = Some(first_at);
            person.first_touch = Some(channel.clone());
        }
        let sales = person.channels.entry(channel).or_default();
        sales.purchases += purchases;
        sales.yen += yen;
    }
    let identities: Vec<(String, String, String)> =
        sqlx::query_as("SELECT member_id, kind, issuer FROM identities WHERE proof IS NOT NULL")
            .fetch_all(&mut *db)
            .await?;
    for (member_id, kind, issuer) in identities {
        let person = roots.person(&mut persons, &member_id);
        person
            .identities
            .insert(format!("{kind} {issuer}").trim_end().to_owned());
    }
    let erased: Vec<(String,)> = sqlx::query_as("SELECT member_id FROM erased")
        .fetch_all(db)
        .await?;
    for (member_id,) in erased {
        roots.person(&mut persons, &member_id).erased = true;
    }
    Ok(persons.into_values().collect())
}

/// Which record each alias was merged into.
struct Roots(BTreeMap<String, String>);

impl Roots {
    /// The person of a record.
    fn person<'p>(
        &self,
        persons: &'p mut BTreeMap<String, Person>,
        member_id: &str,
    ) -> &'p mut Person {
        let mut root = member_id;
        // While events are missing, what is known may be a ring for a moment.
        for _ in 0..self.0.len() {
            match self.0.get(root) {
                Some(into) => root = into,
                None => break,
            }
        }
        let person = persons.entry(root.to_owned()).or_default();
        root.clone_into(&mut person.id);
        person.records.insert(root.to_owned());
        person.records.insert(member_id.to_owned());
        person
    }
}
