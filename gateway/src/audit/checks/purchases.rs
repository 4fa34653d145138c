//! Purchases and their refunds.

use std::collections::BTreeMap;

use ledger::{
    account::{Account, Motive},
    lot,
    order::NO_LINE,
    records::{Purchase, PurchaseState, Refund},
};
use pos_protocol::{Points, PurchaseId};

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn moved(rows: &MemberRows, tally: &mut Tally) {
    let (moved, of_orders) = (rows.by_source(), rows.of_orders());
    for purchase in &rows.purchases {
        let row = || ("purchases", purchase.id);
        let source = purchase.id.as_uuid();
        let redeemed = purchase.redeemed.get();
        let parts = lot::sum(&purchase.redeemed_parts).get();
        tally.same(row(), "redeemed", redeemed, "its parts", parts);
        let by_itself = moved.sum(source, Motive::Capture);
        let by_hold = purchase
            .authorization_id
            .map_or(0, |id| moved.sum(id.as_uuid(), Motive::Capture));
        // A purchase is paid through its hold or by itself. An advice that came after its hold was
        // gone names the hold and was paid by itself; so is an order that was paid after its hold ended.
        let late = purchase.advice || of_orders.contains(&purchase.id);
        let paid = if by_itself > 0 || (late && redeemed == 0) {
            by_itself
        } else {
            by_hold
        };
        tally.same(row(), "redeemed", redeemed, "its transfers", paid);
        let shortfall = moved.sum(source, Motive::Shortfall);
        tally.same(
            row(),
            "shortfall",
            purchase.shortfall.get(),
            "its transfers",
            shortfall,
        );
        let earned = purchase.earned_points.get();
        let lines = Points::total(purchase.earned.iter().map(|line| line.points)).get();
        tally.same(row(), "earned_points", earned, "its lines", lines);
        let accrued = moved.sum(source, Motive::Accrual);
        tally.same(row(), "earned_points", earned, "its transfers", accrued);
    }
}

pub(super) fn refunds(rows: &MemberRows, tally: &mut Tally) {
    let mut by_purchase: BTreeMap<PurchaseId, Vec<&Refund>> = BTreeMap::new();
    for refund in &rows.refunds {
        by_purchase
            .entry(refund.purchase_id)
            .or_default()
            .push(refund);
    }
    for purchase in &rows.purchases {
        let refunds = by_purchase.remove(&purchase.id).unwrap_or_default();
        sums(purchase, &refunds, tally);
        bounds(purchase, tally);
    }
    for refund in by_purchase.values().flatten() {
        tally.expect(false, "refunds", refund.id, || {
            format!("the member has no purchase {}", refund.purchase_id)
        });
    }
}

/// What a purchase says was refunded is the sum of its refunds.
fn sums(purchase: &Purchase, refunds: &[&Refund], tally: &mut Tally) {
    let row = || ("purchases", purchase.id);
    let sum = |of: fn(&Refund) -> i64| -> i128 { refunds.iter().map(|r| i128::from(of(r))).sum() };
    tally.same(
        row(),
        "restored",
        purchase.restored.get(),
        "its refunds",
        sum(|refund| refund.restored.get()) + sum(|refund| refund.lapsed.get()),
    );
    tally.same(
        row(),
        "refunded_amount",
        purchase.refunded_amount.get(),
        "its refunds",
        sum(|refund| refund.amount.get()),
    );
    let mut pieces: BTreeMap<u32, u32> = BTreeMap::new();
    for (line, count) in refunds.iter().flat_map(|refund| &refund.lines) {
        let sum = pieces.entry(*line).or_default();
        *sum = sum.saturating_add(*count);
    }
    tally.expect(
        purchase.refunded == pieces,
        "purchases",
        purchase.id,
        || {
            format!(
                "the pieces refunded are {:?}, its refunds say {pieces:?}",
                purchase.refunded
            )
        },
    );
    let taken = sum(|refund| refund.clawed_back.get()) + sum(|refund| refund.owed.get());
    let due = i128::from(purchase.clawback_due.get());
    tally.expect(taken <= due, "purchases", purchase.id, || {
        format!("{due} earned points were due back, its refunds took {taken}")
    });
    let reversals = refunds.iter().filter(|refund| refund.reversal).count();
    let reversed = purchase.state == PurchaseState::Reversed;
    tally.expect(
        reversals <= 1 && (reversals == 1 || !reversed),
        "purchases",
        purchase.id,
        || format!("it is {} by {reversals} reversals", purchase.state.word()),
    );
}

/// Nothing is refunded that was not there.
fn bounds(purchase: &Purchase, tally: &mut Tally) {
    let mut within = |field: &str, part: i64, whole: i64| {
        tally.expect(part <= whole, "purchases", purchase.id, || {
            format!("{field}: {part} of {whole}")
        });
    };
    // What an advice claimed beyond the member's points is not the member's to get back.
    within(
        "restored of redeemed",
        purchase.restored.get(),
        purchase.redeemed.get(),
    );
    within(
        "clawback_due of earned_points",
        purchase.clawback_due.get(),
        purchase.earned_points.get(),
    );
    within(
        "refunded_amount of the receipt's total",
        purchase.refunded_amount.get(),
        purchase.receipt.total.get(),
    );
    for (line_no, pieces) in &purchase.refunded {
        let line = purchase
            .receipt
            .lines
            .iter()
            .find(|line| line.line_no == *line_no);
        // Yen for no line in particular, unless the receipt has a line of this number.
        if *line_no == NO_LINE && line.is_none() {
            continue;
        }
        within(
            &format!("pieces of line {line_no}"),
            i64::from(*pieces),
            line.map_or(0, |line| i64::from(line.quantity)),
        );
    }
}

pub(super) fn refund_moved(rows: &MemberRows, tally: &mut Tally) {
    let moved = rows.by_source();
    for refund in &rows.refunds {
        let source = refund.id.as_uuid();
        let restored = moved.moved(
            source,
            Motive::Restoration,
            Account::StoreRedeemed,
            Account::MemberAvailable,
        );
        let clawback =
            |debit| moved.moved(source, Motive::Clawback, debit, Account::ProgrammeIssued);
        let taken = clawback(Account::MemberAvailable) + clawback(Account::MemberPending);
        for (field, stored, derived) in [
            (
                "restored and lapsed",
                refund.restored.saturating_add(refund.lapsed).get(),
                restored,
            ),
            ("clawed_back", refund.clawed_back.get(), taken),
            ("owed", refund.owed.get(), clawback(Account::MemberOwed)),
        ] {
            tally.same(
                ("refunds", refund.id),
                field,
                stored,
                "its transfers",
                derived,
            );
        }
    }
}
