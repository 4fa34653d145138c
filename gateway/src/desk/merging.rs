//! What a merge would bring together, and what an unmerge would part.
//!
//! A merge moves nothing, so a preview only adds up what is there: it says what the merge then does.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    account::{Account, Motive},
    denial::Denial,
    identity::MergeAct,
    lot::Lot,
    not_mergeable,
};
use pos_protocol::{LotId, MemberId, Points};
use serde_json::{Value, json};

use crate::{
    person::export,
    store::{Person, Store, StoreError},
};

/// A person as one side of a merge.
pub(crate) fn side(person: &Person) -> Value {
    sides(&[person])
}

/// Several persons as the one they will be; the first stays.
pub(crate) fn sides(persons: &[&Person]) -> Value {
    let Some(stays) = persons.first() else {
        return Value::Null;
    };
    let all = || persons.iter();
    let total = |of: fn(&Person) -> Points| Points::total(all().map(|person| of(person)));
    let mut lots: Vec<_> = all().flat_map(|person| &person.lots).collect();
    lots.sort_by_key(|lot| lot.id);
    let standing = |person: &&Person| {
        let stands = person
            .identities
            .iter()
            .filter(|row| row.revoked_at.is_none());
        stands.count()
    };
    json!({
        "member_id": stays.root.id,
        "member_no": stays.root.number.as_str(),
        "status": stays.root.status.word(),
        "rank": stays.root.rank,
        "records": all().map(|person| person.records().count()).sum::<usize>(),
        "points": {
            "available": total(|person| person.total(|record| record.available)),
            "held": total(|person| person.total(|record| record.held)),
            "pending": total(|person| person.total(|record| record.pending)),
            "owed": total(|person| person.total(|record| record.owed)),
        },
        "cards": all().map(|person| person.cards.len()).sum::<usize>(),
        "identities": all().map(standing).sum::<usize>(),
        "lots": lots.into_iter().map(export::lot).collect::<Vec<_>>(),
    })
}

/// What the ledger says to a merge of these two as they stand. What falls due until then may change it.
pub(crate) fn foreseen(alias: &Person, stays: &Person) -> Option<Denial> {
    let (alias, stays): (Vec<_>, Vec<_>) = (alias.records().collect(), stays.records().collect());
    not_mergeable(&alias, &stays)
}

/// The records on the side of `alias`: itself and all that were merged into it.
pub(crate) fn side_of(alias: MemberId, person: &Person) -> BTreeSet<MemberId> {
    let (mut side, mut next) = (BTreeSet::from([alias]), vec![alias]);
    while let Some(id) = next.pop() {
        let merged = person.record(id).into_iter().flat_map(|row| &row.merged);
        next.extend(merged.copied().filter(|id| side.insert(*id)));
    }
    side
}

/// Points of a lot of one side that went to baskets of the other and did not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lent {
    pub(crate) lot_id: LotId,
    pub(crate) lender: MemberId,
    pub(crate) borrower: MemberId,
    pub(crate) points: i64,
}

/// What was spent across the two sides since the newest merge of `alias`, and did not come back.
pub(crate) async fn lent_across(
    store: &Store,
    person: &Person,
    alias: MemberId,
    side: &BTreeSet<MemberId>,
) -> Result<Vec<Lent>, StoreError> {
    let merges = store.merges_of(&person.ids()).await?;
    let newest = merges
        .iter()
        .rfind(|merge| merge.act == MergeAct::Merged && merge.member_id == alias);
    let since = newest.map_or(uuid::Uuid::nil(), |merge| merge.id.as_uuid());
    let mut net = BTreeMap::<(MemberId, LotId), i64>::new();
    for record in person.ids() {
        for transfer in store.pooled_since(record, since).await? {
            let Some(lot_id) = transfer.lot_id else {
                continue;
            };
            let points = transfer.points.get();
            let sum = net.entry((record, lot_id)).or_default();
            // Into a lot that names its lender, and out of it again.
            *sum = match (transfer.motive, transfer.credit) {
                (Motive::Pooling, Account::MemberAvailable) => sum.saturating_add(points),
                (Motive::PoolingReturn, Account::ProgrammeClearing) => sum.saturating_sub(points),
                _ => *sum,
            };
        }
    }
    let lots = net.keys().map(|key| key.1).collect();
    let lots = store.lots_by_id(&lots).await?;
    Ok(across(&net, &lots, side))
}

/// Of what each record took into lots that have a lender, what came from the other side.
fn across(
    net: &BTreeMap<(MemberId, LotId), i64>,
    lots: &[Lot],
    side: &BTreeSet<MemberId>,
) -> Vec<Lent> {
    let lent = lots.iter().filter_map(|lot| {
        let lender = lot.key.lender?;
        let points = *net.get(&(lot.member_id, lot.id))?;
        let other = side.contains(&lender.member_id) != side.contains(&lot.member_id);
        (other && points > Points::ZERO.get()).then_some(Lent {
            lot_id: lender.lot_id,
            lender: lender.member_id,
            borrower: lot.member_id,
            points,
        })
    });
    lent.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ledger::lot::{Lender, LotExpiry, LotKey, Scope};
    use uuid::Uuid;

    use super::*;

    fn lot(id: u128, member: u128, lender: Option<(u128, u128)>) -> Lot {
        let member_id = |id| MemberId::new(Uuid::from_u128(id));
        let lot_id = |id| LotId::new(Uuid::from_u128(id));
        Lot {
            id: lot_id(id),
            member_id: member_id(member),
            key: LotKey {
                class: "base".into(),
                expiry: LotExpiry::Never,
                expires_on: None,
                funding: "programme".into(),
                scope: Scope::default(),
                lender: lender.map(|(member, lot)| Lender {
                    member_id: member_id(member),
                    lot_id: lot_id(lot),
                }),
            },
            granted: Points::ZERO,
            available: Points::ZERO,
            held: Points::ZERO,
            pending: Points::ZERO,
            opened_at: Timestamp::UNIX_EPOCH,
            origin: String::new(),
            programme_version: 1,
        }
    }

    #[test]
    fn only_what_went_from_one_side_to_the_other_is_reported() {
        // Records 1 and 2 are parted from 3.
        let lots = [
            lot(10, 3, Some((1, 100))),
            lot(11, 2, Some((1, 100))),
            lot(12, 1, Some((3, 300))),
            lot(13, 3, Some((2, 200))),
            lot(14, 3, None),
        ];
        let net = lots
            .iter()
            .zip([5, 7, 9, 0, 4])
            .map(|(lot, points)| ((lot.member_id, lot.id), points))
            .collect();
        let side = BTreeSet::from([1, 2].map(|id| MemberId::new(Uuid::from_u128(id))));
        let found: Vec<_> = across(&net, &lots, &side)
            .into_iter()
            .map(|row| {
                let ids = [
                    row.lot_id.as_uuid(),
                    row.lender.as_uuid(),
                    row.borrower.as_uuid(),
                ];
                (ids.map(|id| id.as_u128()), row.points)
            })
            .collect();
        assert_eq!(found, [([100, 1, 3], 5), ([300, 3, 1], 9)]);
    }
}
