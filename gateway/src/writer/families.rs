//! Which records were merged, as far as this gateway has seen: a hint, like everything kept here.
//!
//! A batch locks the members it was told of and finds the records they are merged with when it reads
//! them; then it lets go and locks them all. Who was seen merged is locked together from then on, so that
//! a merged member's commands take no round trip more than anybody else's. A hint that is out of date
//! costs a lock or a round trip, and decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ledger::member::Member;
use moka::sync::Cache;
use pos_protocol::MemberId;

use crate::limits;

#[derive(Debug)]
pub(super) struct Families(Cache<MemberId, Arc<BTreeSet<MemberId>>>);

impl Families {
    pub(super) fn new() -> Self {
        Self(Cache::new(limits::FAMILY_CACHE_ENTRIES_MAX))
    }

    /// The members, and all records they were seen merged with.
    pub(super) fn with_theirs(&self, members: &BTreeSet<MemberId>) -> BTreeSet<MemberId> {
        let mut all = members.clone();
        for family in members.iter().filter_map(|id| self.0.get(id)) {
            all.extend(family.iter());
        }
        all
    }

    /// Remembers who is merged with whom after a batch.
    pub(super) fn remember(&self, members: &BTreeMap<MemberId, Member>) {
        for member in members.values() {
            let linked: BTreeSet<MemberId> = member.linked().collect();
            let known = self.0.get(&member.id);
            if linked.is_empty() {
                if known.is_some() {
                    self.0.invalidate(&member.id);
                }
                continue;
            }
            let family = Arc::new(family_of(members, member.id));
            if known.as_ref() != Some(&family) {
                self.0.insert(member.id, family);
            }
        }
    }
}

fn family_of(members: &BTreeMap<MemberId, Member>, member_id: MemberId) -> BTreeSet<MemberId> {
    let mut family = BTreeSet::from([member_id]);
    let mut next = vec![member_id];
    while let Some(id) = next.pop() {
        let linked = members.get(&id).into_iter().flat_map(Member::linked);
        next.extend(linked.filter(|id| family.insert(*id)));
    }
    family
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ledger::member::MemberNo;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> MemberId {
        MemberId::new(Uuid::from_u128(number))
    }

    fn rows(rows: &[(u128, Option<u128>, &[u128])]) -> BTreeMap<MemberId, Member> {
        let made = |(number, into, merged): &(u128, Option<u128>, &[u128])| {
            let number = id(*number);
            let mut row = Member::new(number, MemberNo::from_seed(1), "", Timestamp::UNIX_EPOCH);
            row.merged_into = into.map(id);
            row.merged = merged.iter().copied().map(id).collect();
            (number, row)
        };
        rows.iter().map(made).collect()
    }

    #[test]
    fn whoever_was_seen_merged_is_taken_together_until_seen_apart() {
        let families = Families::new();
        let of = |number| families.with_theirs(&BTreeSet::from([id(number)]));
        let ids = |numbers: &[u128]| -> BTreeSet<_> { numbers.iter().copied().map(id).collect() };
        assert_eq!(of(1), ids(&[1]));
        families.remember(&rows(&[
            (1, None, &[2]),
            (2, Some(1), &[3]),
            (3, Some(2), &[]),
            (4, None, &[]),
        ]));
        for member in 1..=3 {
            assert_eq!(of(member), ids(&[1, 2, 3]));
        }
        assert_eq!(of(4), ids(&[4]));
        families.remember(&rows(&[(1, None, &[]), (2, None, &[3]), (3, Some(2), &[])]));
        assert_eq!((of(1), of(3)), (ids(&[1]), ids(&[2, 3])));
    }
}
