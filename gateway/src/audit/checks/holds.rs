//! Holds from their beginning to their one end.

use std::collections::BTreeMap;

use ledger::{
    account::Motive,
    lot,
    records::{Authorization, HoldState},
};
use pos_protocol::AuthorizationId;

use super::super::{
    rows::{BySource, MemberRows},
    tally::Tally,
};

pub(super) fn resolved_once(rows: &MemberRows, tally: &mut Tally) {
    let moved = rows.by_source();
    for hold in &rows.authorizations {
        let row = || ("authorizations", hold.id);
        let parts = lot::sum(&hold.parts).get();
        tally.same(row(), "points", hold.points.get(), "its parts", parts);
        promised(hold, &moved, tally);
        let source = hold.id.as_uuid();
        let captured = moved.sum(source, Motive::Capture);
        let released = moved.sum(source, Motive::Release);
        tally.same(
            row(),
            "captured",
            hold.captured.get(),
            "its transfers",
            captured,
        );
        let (points, ended) = (i128::from(hold.points.get()), hold.resolved_at.is_some());
        let sound = match hold.state {
            HoldState::Held => captured == 0 && released == 0 && !ended,
            HoldState::Captured => captured + released == points && ended,
            HoldState::Voided | HoldState::Reversed | HoldState::Expired => {
                captured == 0 && released == points && ended
            }
        };
        tally.expect(sound, "authorizations", hold.id, || {
            let end = if ended { "has" } else { "has no" };
            format!(
                "it is {}, {end} end, held {points}, captured {captured} and released {released}",
                hold.state.word()
            )
        });
    }
}

/// The hold took from each lot what its parts say.
fn promised(hold: &Authorization, moved: &BySource, tally: &mut Tally) {
    let source = hold.id.as_uuid();
    let mut by_lot = BTreeMap::new();
    for part in &hold.parts {
        *by_lot.entry(part.lot_id).or_insert(0) += i128::from(part.points.get());
    }
    for (lot_id, points) in &by_lot {
        let taken = moved.of_lot(source, Motive::Hold, *lot_id);
        tally.expect(taken == *points, "authorizations", hold.id, || {
            format!("it holds {points} of lot {lot_id}, its transfers took {taken}")
        });
    }
    let taken = moved.sum(source, Motive::Hold);
    tally.same(
        ("authorizations", hold.id),
        "points",
        hold.points.get(),
        "its transfers",
        taken,
    );
}

pub(super) fn captured_by_one(rows: &MemberRows, tally: &mut Tally) {
    let (moved, of_orders) = (rows.by_source(), rows.of_orders());
    let mut captures: BTreeMap<AuthorizationId, u32> = BTreeMap::new();
    for purchase in &rows.purchases {
        let Some(hold_id) = purchase.authorization_id else {
            continue;
        };
        // An advice or order may name a hold that was already gone; then it paid by itself or not at all.
        let by_itself = moved.sum(purchase.id.as_uuid(), Motive::Capture) > 0;
        let late = purchase.advice || of_orders.contains(&purchase.id);
        let unpaid = purchase.redeemed.is_zero() && late;
        if !by_itself && !unpaid {
            *captures.entry(hold_id).or_default() += 1;
        }
    }
    for hold in &rows.authorizations {
        let count = captures.remove(&hold.id).unwrap_or_default();
        let sound = match hold.state {
            HoldState::Captured if hold.captured.is_zero() => count <= 1,
            HoldState::Captured => count == 1,
            _ => count == 0,
        };
        tally.expect(sound, "authorizations", hold.id, || {
            format!("it is {} and {count} purchases took it", hold.state.word())
        });
    }
    for hold_id in captures.keys() {
        tally.expect(false, "authorizations", hold_id, || {
            "a purchase took it, and the member has no such authorization".into()
        });
    }
}
