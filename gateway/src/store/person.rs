//! Reads of a person: all records that are merged, with what belongs to them.
//!
//! Each record keeps its own rows; nothing is moved by a merge. So whatever is asked of a person is asked
//! of each record, and put together here. A person has a few records at most.

mod access;
mod ended;
mod file;
mod search;
mod untold;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use ledger::{
    account::Transfer,
    identity::{Identity, Merge},
    lot::Lot,
    member::{Card, Member},
    order::Order,
    profile::Profile,
};
use pos_protocol::{MemberId, Points, TransferId};
use uuid::Uuid;

use super::{
    Store, StoreError,
    connection::Connection,
    load::by_key,
    row::{Cell as _, cells},
    rows::{CARDS, IDENTITIES, LOTS, MERGES, ORDERS, TRANSFERS},
    snapshot::Snapshot,
    sql::{Sql, Value},
};

pub use access::Access;
pub use search::{SameTerm, SearchTerm};

static OPEN_LOTS: LazyLock<Sql> = LazyLock::new(|| {
    LOTS.select_asked(
        "WHERE member_id = ANY($1) AND is_open",
        1,
        "member_id = asked.column1 AND is_open",
    )
});
static CARDS_OF: LazyLock<Sql> = LazyLock::new(|| {
    CARDS.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});
static IDENTITIES_OF: LazyLock<Sql> = LazyLock::new(|| {
    IDENTITIES.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});
static MERGES_OF: LazyLock<Sql> = LazyLock::new(|| {
    MERGES.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});
static MERGES_INTO: LazyLock<Sql> = LazyLock::new(|| {
    MERGES.select_asked(
        "WHERE into_member = ANY($1)",
        1,
        "into_member = asked.column1",
    )
});
static ORDERS_OF: LazyLock<Sql> = LazyLock::new(|| {
    ORDERS.select_asked("WHERE member_id = ANY($1)", 1, "member_id = asked.column1")
});
/// What happened to a record, newest first. The same as of a member without merges: pooling moves points
/// between records of the person and changes nothing for it.
static HISTORY: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 AND transfer_id < $2 AND motive NOT IN ('hold', 'release', 'pooling', 'pooling_return') \
                 ORDER BY transfer_id DESC LIMIT $3";
    TRANSFERS.select(these, these)
});
/// What pooling moved in or out of a record since a time.
static POOLED: LazyLock<Sql> = LazyLock::new(|| {
    let these = "WHERE member_id = $1 AND transfer_id > $2 AND motive IN ('pooling', 'pooling_return') \
                 ORDER BY transfer_id";
    TRANSFERS.select(these, these)
});

/// The statements of this module.
pub(super) fn statements() -> Vec<Sql> {
    let mut all = vec![
        *OPEN_LOTS,
        *CARDS_OF,
        *IDENTITIES_OF,
        *MERGES_OF,
        *MERGES_INTO,
        *ORDERS_OF,
        *HISTORY,
        *POOLED,
    ];
    all.extend(file::statements());
    all.extend(search::statements());
    all.extend(access::statements());
    all.extend(ended::statements());
    all.extend(untold::statements());
    all
}

/// All records of a person at one moment, with what can be spent and what leads there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The record that all others were merged into: its number and rank are the person's.
    pub root: Member,
    /// The other records, by id.
    pub others: Vec<Member>,
    /// Open lots of all records.
    pub lots: Vec<Lot>,
    /// Cards of all records, revoked ones too, oldest first.
    pub cards: Vec<Card>,
    /// Identities of all records, given up ones too, oldest first.
    pub identities: Vec<Identity>,
}

impl Person {
    /// All records, the root first.
    pub fn records(&self) -> impl Iterator<Item = &Member> {
        std::iter::once(&self.root).chain(&self.others)
    }

    /// The ids of all records, the root first.
    #[must_use]
    pub fn ids(&self) -> Vec<MemberId> {
        self.records().map(|record| record.id).collect()
    }

    /// A record of the person.
    #[must_use]
    pub fn record(&self, id: MemberId) -> Option<&Member> {
        self.records().find(|record| record.id == id)
    }

    /// The sum of a balance over all records.
    pub fn total(&self, of: impl Fn(&Member) -> Points) -> Points {
        Points::total(self.records().map(of))
    }
}

/// The records of a person, found by following merges both ways; the root first, none if there is no such
/// member.
async fn records(
    connection: &mut Connection,
    member_id: MemberId,
) -> Result<Vec<Member>, StoreError> {
    let mut known = BTreeMap::<MemberId, Member>::new();
    let mut wanted = BTreeSet::from([member_id]);
    while !wanted.is_empty() {
        let found: Vec<Member> = by_key(connection, &[cells(&wanted)]).await?;
        wanted.clear();
        for member in found {
            wanted.extend(member.linked());
            known.insert(member.id, member);
        }
        wanted.retain(|id| !known.contains_key(id));
    }
    let root = known
        .values()
        .find(|member| member.merged_into.is_none())
        .map(|member| member.id);
    let root = root.and_then(|id| known.remove(&id));
    Ok(root.into_iter().chain(known.into_values()).collect())
}

impl Store {
    /// The ids of all records of the person of a member, the root first; none if there is no such member.
    ///
    /// # Errors
    /// As any read.
    pub async fn records_of(&self, member_id: MemberId) -> Result<Vec<Member>, StoreError> {
        let mut snapshot = Snapshot::brief(self).await?;
        let found = records(&mut snapshot.connection, member_id).await?;
        snapshot.end().await?;
        Ok(found)
    }

    /// The person of a member.
    ///
    /// # Errors
    /// As any read.
    pub async fn person(&self, member_id: MemberId) -> Result<Option<Person>, StoreError> {
        let mut snapshot = Snapshot::brief(self).await?;
        let connection = &mut snapshot.connection;
        let mut found = records(connection, member_id).await?.into_iter();
        let Some(root) = found.next() else {
            snapshot.end().await?;
            return Ok(None);
        };
        let others: Vec<_> = found.collect();
        let ids: Vec<_> = std::iter::once(&root)
            .chain(&others)
            .map(|record| record.id)
            .collect();
        let lots = connection.fetch_each(*OPEN_LOTS, &[cells(&ids)]).await?;
        let mut cards: Vec<Card> = connection.fetch_each(*CARDS_OF, &[cells(&ids)]).await?;
        let mut identities: Vec<Identity> = connection
            .fetch_each(*IDENTITIES_OF, &[cells(&ids)])
            .await?;
        snapshot.end().await?;
        cards.sort_by_key(|card| (card.enrolled_at, card.id));
        identities.sort_by_key(|row| (row.proven_at, row.key));
        Ok(Some(Person {
            root,
            others,
            lots,
            cards,
            identities,
        }))
    }

    /// What happened to the points of these records, newest first, from before `before` on; as
    /// [`history`](Self::history) of one.
    ///
    /// # Errors
    /// As any read.
    pub async fn person_history(
        &self,
        records: &[MemberId],
        before: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let before = before.map_or(Uuid::max(), TransferId::as_uuid);
        let mut found = Vec::<Transfer>::new();
        for id in records {
            let values = [id.to_value(), Value::Uuid(before), Value::Int(limit.into())];
            found.extend(connection.fetch::<Transfer>(*HISTORY, &values).await?);
        }
        found.sort_by_key(|transfer| std::cmp::Reverse((transfer.id, transfer.member_id)));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    /// What pooling moved out of and into a record after the command that made `after`.
    ///
    /// # Errors
    /// As any read.
    pub async fn pooled_since(
        &self,
        record: MemberId,
        after: Uuid,
    ) -> Result<Vec<Transfer>, StoreError> {
        let mut connection = Connection::reading(self).await?;
        let values = [record.to_value(), Value::Uuid(after)];
        connection.fetch(*POOLED, &values).await
    }

    /// The profiles of these records that hold anything, newest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn profiles(&self, records: &[MemberId]) -> Result<Vec<Profile>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found: Vec<Profile> = by_key(&mut connection, &[cells(records)]).await?;
        // A forgotten person leaves an empty row.
        found.retain(|profile| !profile.sealed.sealed.is_empty());
        found.sort_by_key(|profile| std::cmp::Reverse(profile.changed_at));
        Ok(found)
    }

    /// The version of a record's profile, an emptied one too; 0 where there never was one.
    ///
    /// # Errors
    /// As any read.
    pub async fn profile_version(&self, record: MemberId) -> Result<i64, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let found: Vec<Profile> = by_key(&mut connection, &[cells([&record])]).await?;
        Ok(found.first().map_or(0, |profile| profile.version))
    }

    /// Merges of these records and their undoing, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn merges_of(&self, records: &[MemberId]) -> Result<Vec<Merge>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found = BTreeMap::new();
        for sql in [*MERGES_OF, *MERGES_INTO] {
            let some: Vec<Merge> = connection.fetch_each(sql, &[cells(records)]).await?;
            found.extend(some.into_iter().map(|merge| (merge.id, merge)));
        }
        Ok(found.into_values().collect())
    }

    /// Orders of these records, oldest first.
    ///
    /// # Errors
    /// As any read.
    pub async fn orders_of(&self, records: &[MemberId]) -> Result<Vec<Order>, StoreError> {
        let mut connection = Connection::brief(self).await?;
        let mut found: Vec<Order> = connection.fetch_each(*ORDERS_OF, &[cells(records)]).await?;
        found.sort_by_key(|order| order.first_at);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DatabaseUrl, PoolSizes};

    #[tokio::test]
    async fn every_statement_is_understood_and_finds_nothing_where_nothing_is() {
        let directory = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(directory.path().join("persons.db"));
        let store = Store::open(&url, PoolSizes::default()).await.unwrap();
        store.migrate().await.unwrap();
        store.check_statements().await.unwrap();
        let nobody = MemberId::new(Uuid::from_u128(7));
        assert_eq!(store.person(nobody).await.unwrap(), None);
        assert!(store.purchases_of(nobody).await.unwrap().is_empty());
        let access = Access {
            id: Uuid::from_u128(1),
            at: jiff::Timestamp::UNIX_EPOCH,
            member_id: nobody,
            actor: "cli:test".into(),
            what: "profile".into(),
            purpose: "a call".into(),
        };
        store.note_access(&access).await.unwrap();
        assert_eq!(store.accesses(&[nobody]).await.unwrap(), [access]);
    }
}
