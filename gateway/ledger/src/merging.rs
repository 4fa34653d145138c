//! Merging the records of one person, and parting them again.

use pos_protocol::{MemberId, MergeId, Points};
use serde_json::json;

use crate::{
    command::{Merging, Unmerging},
    decision::{Answer, Stop},
    denial::Denial,
    event::EventKind,
    family::RECORDS_PER_PERSON_MAX,
    identity::{Merge, MergeAct, Proof},
    member::{Member, MemberStatus},
    posting::Posting,
};

/// Why two records become one person's.
pub(crate) struct Grounds<'c> {
    pub(crate) proof: Proof,
    pub(crate) reason: &'c str,
    pub(crate) actor: &'c str,
}

/// Why two persons cannot become one as they stand, each given by all its records, the root first.
#[must_use]
pub fn not_mergeable(alias: &[&Member], stays: &[&Member]) -> Option<Denial> {
    let roots = || alias.first().into_iter().chain(stays.first());
    let all = || alias.iter().chain(stays);
    if alias.first().map(|root| root.id) == stays.first().map(|root| root.id) {
        return Some(Denial::AlreadyMerged);
    }
    if roots().any(|root| root.erased_at.is_some()) {
        return Some(Denial::MemberErased);
    }
    if roots().any(|root| root.status == MemberStatus::Blocked) {
        return Some(Denial::MemberBlocked);
    }
    if all().count() > RECORDS_PER_PERSON_MAX {
        return Some(Denial::TooManyRecords);
    }
    let mut points = all().flat_map(|row| [row.available, row.held, row.pending]);
    let sum = points.try_fold(Points::ZERO, Points::checked_add);
    sum.is_none().then_some(Denial::AmountTooLarge)
}

impl Posting<'_> {
    pub(crate) fn merge(&mut self, merging: &Merging) -> Result<Answer, Stop> {
        let grounds = Grounds {
            proof: Proof::Staff,
            reason: &merging.reason,
            actor: &merging.actor,
        };
        self.merge_records(merging.member_id, merging.into, &grounds)
    }

    /// Merges all records of one person into those of another. Which alias of a person is named does not
    /// matter: roots are merged, so merges that cross cannot make a ring.
    pub(crate) fn merge_records(
        &mut self,
        member_id: MemberId,
        into: MemberId,
        grounds: &Grounds<'_>,
    ) -> Result<Answer, Stop> {
        let (alias, root) = (self.root(member_id), self.root(into));
        // What was due while they were two has happened to each of them.
        self.settle_due(alias)?;
        self.settle_due(root)?;
        let (Some(from), Some(to)) = (self.member(alias).cloned(), self.member(root).cloned())
        else {
            return Ok(Answer::NotFound);
        };
        let (own, others) = (self.family(alias), self.family(root));
        let records = |ids: &[MemberId]| -> Vec<&Member> {
            ids.iter().filter_map(|id| self.member(*id)).collect()
        };
        if let Some(denial) = not_mergeable(&records(&own), &records(&others)) {
            return Ok(Answer::Denied(denial));
        }
        self.put_member(
            alias,
            Member {
                merged_into: Some(root),
                ..from
            },
        );
        let mut merged = to.merged.clone();
        merged.insert(alias);
        self.put_member(root, Member { merged, ..to });
        self.note_merge(MergeAct::Merged, (alias, root), grounds);
        // Who joins records that only earn for now, only earns as long.
        let (joining, joined) = (self.cooling(&own), self.cooling(&others));
        self.earn_only(&own, joined);
        self.earn_only(&others, joining);
        Ok(Answer::Linked {
            member_id: root,
            merged: Some(alias),
        })
    }

    /// Parts a record, with what was merged into it, from the one it was merged into. Every lot stayed with
    /// its record; what is left there is the record's own again.
    pub(crate) fn unmerge(&mut self, unmerging: &Unmerging) -> Result<Answer, Stop> {
        let alias = unmerging.member_id;
        let Some(from) = self.member(alias).cloned() else {
            return Ok(Answer::NotFound);
        };
        let Some(root) = from.merged_into else {
            return Ok(Answer::Denied(Denial::NotMerged));
        };
        self.settle_due(alias)?;
        // Whoever was blocked while they were one is blocked as both.
        let status = self.member(self.root(root)).map(|row| row.status);
        if let Some(mut row) = self.member(alias).cloned() {
            row.merged_into = None;
            row.status = status.unwrap_or(row.status);
            self.put_member(alias, row);
        }
        if let Some(mut row) = self.member(root).cloned() {
            row.merged.remove(&alias);
            self.put_member(root, row);
        }
        let grounds = Grounds {
            proof: Proof::Staff,
            reason: &unmerging.reason,
            actor: &unmerging.actor,
        };
        self.note_merge(MergeAct::Unmerged, (alias, root), &grounds);
        Ok(Answer::Done)
    }

    /// Keeps the act, and tells it of both records.
    fn note_merge(
        &mut self,
        act: MergeAct,
        (alias, root): (MemberId, MemberId),
        grounds: &Grounds<'_>,
    ) {
        let id = MergeId::new(self.new_id());
        let kind = match act {
            MergeAct::Merged => EventKind::MemberMerged,
            MergeAct::Unmerged => EventKind::MemberUnmerged,
        };
        for (member_id, other, role) in [(alias, root, "alias"), (root, alias, "root")] {
            let data = json!({
                "merge_id": id,
                "member_id": member_id,
                "other_member_id": other,
                "role": role,
                "proof": grounds.proof.word(),
                "reason": grounds.reason,
                "actor": grounds.actor,
            });
            self.member_event(member_id, kind, format!("member/{member_id}"), data);
        }
        self.changes.merges.push(Merge {
            id,
            act,
            member_id: alias,
            into: root,
            proof: grounds.proof,
            reason: grounds.reason.to_owned(),
            actor: grounds.actor.to_owned(),
            at: self.now,
        });
    }
}
