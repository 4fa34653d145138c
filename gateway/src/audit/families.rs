//! Records of one person: that merges are known at both ends and make no ring.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{RECORDS_PER_PERSON_MAX, member::Member};
use pos_protocol::MemberId;

use super::tally::Tally;

/// The merges that stand; only members that take part in one are remembered.
#[derive(Default)]
pub(super) struct Families {
    pub(super) tally: Tally,
    into: BTreeMap<MemberId, MemberId>,
    merged: BTreeMap<MemberId, BTreeSet<MemberId>>,
}

impl Families {
    pub(super) fn count(&mut self, member: &Member) {
        if let Some(into) = member.merged_into {
            self.into.insert(member.id, into);
        }
        if !member.merged.is_empty() {
            self.merged.insert(member.id, member.merged.clone());
        }
    }

    pub(super) fn finish(&mut self) {
        for (alias, root) in &self.into {
            let known = self
                .merged
                .get(root)
                .is_some_and(|merged| merged.contains(alias));
            self.tally.expect(known, "members", alias, || {
                format!("it was merged into {root}, which does not name it")
            });
            let mut end = *root;
            for _ in 0..RECORDS_PER_PERSON_MAX {
                end = self.into.get(&end).copied().unwrap_or(end);
            }
            let ends = !self.into.contains_key(&end);
            self.tally
                .expect(ends, "members", alias, || "its merges make a ring".into());
        }
        for (root, merged) in &self.merged {
            for alias in merged {
                let known = self.into.get(alias) == Some(root);
                self.tally.expect(known, "members", root, || {
                    format!("it names {alias} as merged, which does not name it")
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ledger::member::MemberNo;
    use uuid::Uuid;

    use super::*;

    fn member(id: u128, into: Option<u128>, merged: &[u128]) -> Member {
        let id_of = |id| MemberId::new(Uuid::from_u128(id));
        let mut member = Member::new(
            id_of(id),
            MemberNo::from_seed(7),
            "regular",
            Timestamp::UNIX_EPOCH,
        );
        member.merged_into = into.map(id_of);
        member.merged = merged.iter().copied().map(id_of).collect();
        member
    }

    #[test]
    fn ends_that_do_not_meet_and_rings_are_found() {
        for (members, broken) in [
            (
                vec![
                    (1, None, vec![2]),
                    (2, Some(1), vec![3]),
                    (3, Some(2), vec![]),
                ],
                0,
            ),
            (vec![(1, None, vec![]), (2, Some(1), vec![])], 1),
            (vec![(1, None, vec![2]), (2, None, vec![])], 1),
            (vec![(1, Some(2), vec![2]), (2, Some(1), vec![1])], 2),
        ] {
            let mut families = Families::default();
            for (id, into, merged) in &members {
                families.count(&member(*id, *into, merged));
            }
            families.finish();
            assert_eq!(families.tally.broken, broken, "{members:?}");
        }
    }
}
