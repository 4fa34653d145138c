//! Refunds: spent points go back to their lots, earned points are taken back pro rata.
//!
//! What is due is computed from the *cumulated* refunded amount and the difference to what was done
//! before. So it does not matter in which pieces goods come back, and a purchase that came back
//! whole has given back and taken back everything, never more.

use std::collections::BTreeMap;

use jiff::civil::Date;
use pos_protocol::{
    Points, PurchaseId, Reason, ReceiptLine, RefundAnswer, RefundId, RefundLine, RefundView,
    RequestId, Yen,
};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    calendar,
    card_use::Till,
    decision::{Broken, Stop},
    earning::{earns, share},
    event::EventKind,
    lot::{self, Lot, LotExpiry, LotKey, Part, Spending},
    order::NO_LINE,
    posting::{Posting, Slip},
    programme::{Clawback, ExpiredPoints, ReturnScope},
    records::{Purchase, PurchaseState, Refund, RequestKind},
    reply::Reply,
};

/// Points that had expired when they came back, granted anew for some days.
#[derive(Debug, Clone, Copy)]
struct Grace {
    expires_on: Date,
    points: Points,
}

impl Posting<'_> {
    pub(crate) fn refund(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        purchase_id: PurchaseId,
        lines: Option<&[RefundLine]>,
    ) -> Result<Reply, Stop> {
        let purchase = self.refundable(till, purchase_id)?;
        let returned = returned_lines(&purchase, lines)?;
        let refund = self.take_back(till, purchase, returned, false, Points::ZERO)?;
        let answer = RefundAnswer {
            refund: Some(refund_view(&refund, true)),
            points: self.balance(refund.member_id),
            ..RefundAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::Refund, &answer)
            .member(refund.member_id)
            .effect(refund.id.as_uuid()))
    }

    /// The same numbers as the refund would give now, and no effect but what is due anyway.
    pub(crate) fn quote(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        purchase_id: PurchaseId,
        lines: Option<&[RefundLine]>,
    ) -> Result<Reply, Stop> {
        let purchase = self.refundable(till, purchase_id)?;
        let returned = returned_lines(&purchase, lines)?;
        let mut trial = self.trial();
        let refund = trial.take_back(till, purchase, returned, false, Points::ZERO)?;
        let answer = RefundAnswer {
            refund: Some(refund_view(&refund, false)),
            points: trial.balance(refund.member_id),
            ..RefundAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::RefundQuote, &answer).member(refund.member_id))
    }

    /// The purchase, if this till may refund it. One it may not see is as good as unknown.
    fn refundable(&mut self, till: &Till, purchase_id: PurchaseId) -> Result<Purchase, Stop> {
        let scope = self.programme().returns.scope;
        let purchase = self.sold(purchase_id);
        // What stands for an order follows what its shop says of it.
        let of_tills = purchase.filter(|purchase| purchase.shop_id.is_none());
        let purchase = of_tills.filter(|purchase| match scope {
            ReturnScope::Terminal => purchase.terminal_id == till.terminal_id,
            ReturnScope::Store => purchase.store_id == till.store_id,
            ReturnScope::Chain => true,
        });
        let purchase = purchase
            .cloned()
            .ok_or(Stop::decline(Reason::UnknownPurchase))?;
        self.settle_due(purchase.member_id)?;
        if purchase.state == PurchaseState::Reversed {
            return Err(Stop::decline_member(Reason::Reversed, purchase.member_id));
        }
        Ok(purchase)
    }

    /// Takes the returned pieces back; the purchase keeps count. Of its pending points, `keep_pending`
    /// stay: what is taken beyond them comes from what can be spent.
    pub(crate) fn take_back(
        &mut self,
        till: &Till,
        mut purchase: Purchase,
        returned: BTreeMap<u32, u32>,
        reversal: bool,
        keep_pending: Points,
    ) -> Result<Refund, Stop> {
        let id = RefundId::new(self.new_id());
        for (line_no, quantity) in &returned {
            let sum = purchase.refunded.entry(*line_no).or_default();
            *sum = sum.saturating_add(*quantity);
        }
        let cumulated = refunded_amount(&purchase);
        let amount = cumulated.saturating_sub(purchase.refunded_amount);
        let restore =
            due(&purchase, cumulated, purchase.redeemed).saturating_sub(purchase.restored);
        let claw_back = clawback_due(&purchase).saturating_sub(purchase.clawback_due);
        let slip = Slip {
            member_id: purchase.member_id,
            motive: Motive::Restoration,
            source: id.as_uuid(),
            store_id: Some(purchase.store_id.clone()),
            business_date: self.business_date(&till.store_id),
        };
        let (lapsed, grace) = self.restore(&slip, &purchase, restore)?;
        let (clawed_back, missing) = self.claw_back(&slip, &purchase, claw_back, keep_pending)?;
        let (owed, shortfall) = self.settle_missing(&slip, missing)?;
        purchase.refunded_amount = cumulated;
        purchase.restored = purchase.restored.saturating_add(restore);
        purchase.clawback_due = purchase.clawback_due.saturating_add(claw_back);
        let refund = Refund {
            id,
            purchase_id: purchase.id,
            member_id: purchase.member_id,
            terminal_id: till.terminal_id.clone(),
            store_id: till.store_id.clone(),
            business_date: slip.business_date,
            lines: returned,
            amount,
            restored: restore.saturating_sub(lapsed),
            lapsed,
            clawed_back,
            owed,
            shortfall,
            reversal,
            at: self.now,
        };
        if reversal {
            purchase.state = PurchaseState::Reversed;
            self.edit_binding(purchase.used, |binding| binding.purchase_id = None);
        }
        self.tell_refund(&purchase, &refund, grace);
        self.changes.refunds.push(refund.clone());
        self.put_purchase(purchase.id, purchase);
        Ok(refund)
    }

    /// Gives `points` back to the lots they were spent from, last spent first; says how many lapsed
    /// for good, and which grace there was. Points of a lot past its last day lapse at once; the grace
    /// policy grants as many anew.
    fn restore(
        &mut self,
        slip: &Slip,
        purchase: &Purchase,
        points: Points,
    ) -> Result<(Points, Option<Grace>), Broken> {
        let last_first: Vec<Part> = purchase.redeemed_parts.iter().rev().copied().collect();
        let (_, left) = lot::split(&last_first, purchase.restored);
        let (parts, _) = lot::split(&left, points);
        let mut lapsed = Points::ZERO;
        let mut grace = None::<Grace>;
        for Part { lot_id, points } in parts {
            self.transfer(
                slip,
                Account::StoreRedeemed,
                Account::MemberAvailable,
                Some(lot_id),
                points,
            )?;
            // Points that came from another record of the person go back there.
            let (member_id, lot_id) = self.return_part(slip.member_id, lot_id, points)?;
            if self.is_erased(member_id) {
                self.expire_lots(member_id)?;
                lapsed = lapsed.saturating_add(points);
                continue;
            }
            let lot = self.lot((member_id, lot_id)).cloned();
            let lot = self.renew(lot.ok_or(Broken("a payment names no loaded lot"))?);
            if !lot.is_expired(self.today) {
                continue;
            }
            self.lapse(member_id, lot_id, points)?;
            match self.programme().returns.expired {
                ExpiredPoints::Lapse => lapsed = lapsed.saturating_add(points),
                ExpiredPoints::Grace { days } => {
                    let expires_on = calendar::days_after(self.today, days.get());
                    let sum = grace.map_or(points, |grace| grace.points.saturating_add(points));
                    grace = Some(Grace {
                        expires_on,
                        points: sum,
                    });
                    self.grant_grace(slip, &lot, expires_on, points)?;
                }
            }
            // The refund itself is told of the record that bought.
            if member_id != slip.member_id {
                self.tell_expiry(&lot, points);
            }
        }
        Ok((lapsed, grace))
    }

    /// Grants points of a lapsed lot anew, to whose they were.
    fn grant_grace(
        &mut self,
        slip: &Slip,
        lapsed: &Lot,
        expires_on: Date,
        points: Points,
    ) -> Result<(), Broken> {
        let key = LotKey {
            expiry: LotExpiry::Fixed,
            expires_on: Some(expires_on),
            ..lapsed.key.clone()
        };
        let member_id = lapsed.member_id;
        let anew = self.lot_for(member_id, key, &format!("refund:{}", slip.source));
        let slip = Slip {
            member_id,
            motive: Motive::Grace,
            ..slip.clone()
        };
        let (issued, available) = (Account::ProgrammeIssued, Account::MemberAvailable);
        self.transfer(&slip, issued, available, Some(anew), points)
    }

    /// Takes earned points back: first those of this purchase that are still pending, then from the
    /// lot they went to, then from any lot in spending order. Says how many were taken and how many
    /// are missing.
    fn claw_back(
        &mut self,
        slip: &Slip,
        purchase: &Purchase,
        points: Points,
        keep_pending: Points,
    ) -> Result<(Points, Points), Broken> {
        let member_id = slip.member_id;
        let slip = Slip {
            motive: Motive::Clawback,
            ..slip.clone()
        };
        let mut left = points;
        for pending_id in purchase
            .earned
            .iter()
            .filter_map(|earned| earned.pending_id)
        {
            let grant = self.pending((member_id, pending_id)).cloned();
            let Some(mut grant) = grant.filter(|grant| !grant.points.is_zero()) else {
                continue;
            };
            let taken = grant.points.saturating_sub(keep_pending).min(left);
            self.transfer(
                &slip,
                Account::MemberPending,
                Account::ProgrammeIssued,
                Some(grant.lot_id),
                taken,
            )?;
            grant.points = grant.points.saturating_sub(taken);
            left = left.saturating_sub(taken);
            self.put_pending((member_id, pending_id), grant);
        }
        for lot_id in purchase.earned.iter().map(|earned| earned.lot_id) {
            let there = self
                .lot((member_id, lot_id))
                .map_or(Points::ZERO, |lot| lot.available);
            let taken = there.min(left);
            left = left.saturating_sub(taken);
            self.transfer(
                &slip,
                Account::MemberAvailable,
                Account::ProgrammeIssued,
                Some(lot_id),
                taken,
            )?;
        }
        // As if the goods were paid again: lots limited to other goods or stores stay the member's.
        let anywhere = Spending::at(
            self.programme(),
            &purchase.store_id,
            Some(&purchase.receipt),
        );
        let parts = lot::select(self.pool(member_id).into_iter(), anywhere, self.today, left);
        let parts = self.gather(&slip, parts)?;
        self.transfer_parts(
            &slip,
            Account::MemberAvailable,
            Account::ProgrammeIssued,
            &parts,
        )?;
        left = left.saturating_sub(lot::sum(&parts));
        Ok((points.saturating_sub(left), left))
    }

    /// What the policy makes of earned points that are already spent: points owed, yen to deduct.
    fn settle_missing(&mut self, slip: &Slip, missing: Points) -> Result<(Points, Yen), Broken> {
        match self.programme().returns.clawback {
            Clawback::WithinBalance => Ok((Points::ZERO, Yen::ZERO)),
            Clawback::Owe => {
                let slip = Slip {
                    motive: Motive::Clawback,
                    ..slip.clone()
                };
                self.transfer(
                    &slip,
                    Account::MemberOwed,
                    Account::ProgrammeIssued,
                    None,
                    missing,
                )?;
                Ok((missing, Yen::ZERO))
            }
            Clawback::Deduct => {
                let yen = missing
                    .get()
                    .saturating_mul(i64::from(self.programme().yen_per_point.get()));
                Ok((Points::ZERO, Yen::new(yen).unwrap_or(Yen::MAX)))
            }
        }
    }

    fn tell_refund(&mut self, purchase: &Purchase, refund: &Refund, grace: Option<Grace>) {
        let grace =
            grace.map(|grace| json!({ "expires_on": grace.expires_on, "points": grace.points }));
        let flat = flat_yen(purchase, &refund.lines);
        let lines = refund.lines.iter();
        let lines = lines.filter(|(line_no, _)| flat.is_none() || **line_no != NO_LINE);
        let lines = lines.map(|(line_no, quantity)| RefundLine {
            line_no: *line_no,
            quantity: *quantity,
        });
        let mut data = json!({
            "refund_id": refund.id,
            "purchase_id": refund.purchase_id,
            "member_id": refund.member_id,
            "store_id": refund.store_id,
            "terminal_id": refund.terminal_id,
            "business_date": refund.business_date,
            "lines": lines.collect::<Vec<_>>(),
            "amount": refund.amount,
            "points_restored": refund.restored,
            "points_lapsed": refund.lapsed,
            "grace": grace,
            "points_clawed_back": refund.clawed_back,
            "points_owed": refund.owed,
            "shortfall_yen": refund.shortfall,
        });
        if let (Some(flat), Some(told)) = (flat, data.as_object_mut()) {
            told.insert("other_amount".to_owned(), json!(flat));
        }
        let kind = if refund.reversal {
            EventKind::PurchaseReversed
        } else {
            EventKind::PurchaseRefunded
        };
        self.member_event(
            refund.member_id,
            kind,
            format!("purchase/{}", refund.purchase_id),
            data,
        );
    }
}

/// The pieces that come back now, by line.
fn returned_lines(
    purchase: &Purchase,
    lines: Option<&[RefundLine]>,
) -> Result<BTreeMap<u32, u32>, Stop> {
    let left = left_lines(purchase);
    let returned = match lines {
        None => left,
        Some(lines) => {
            let mut returned = BTreeMap::<u32, u32>::new();
            for line in lines {
                if !purchase
                    .receipt
                    .lines
                    .iter()
                    .any(|sold| sold.line_no == line.line_no)
                {
                    return Err(Stop::decline_member(
                        Reason::UnknownLine,
                        purchase.member_id,
                    ));
                }
                let sum = returned.entry(line.line_no).or_default();
                *sum = sum.saturating_add(line.quantity);
                if *sum > left.get(&line.line_no).copied().unwrap_or(0) {
                    return Err(Stop::decline_member(
                        Reason::AboveRefundable,
                        purchase.member_id,
                    ));
                }
            }
            returned
        }
    };
    if returned.values().all(|quantity| *quantity == 0) {
        return Err(Stop::decline_member(
            Reason::AboveRefundable,
            purchase.member_id,
        ));
    }
    Ok(returned)
}

/// The pieces that have not come back yet, by line.
pub(crate) fn left_lines(purchase: &Purchase) -> BTreeMap<u32, u32> {
    let left = |line: &pos_protocol::ReceiptLine| {
        line.quantity
            .saturating_sub(purchase.refunded.get(&line.line_no).copied().unwrap_or(0))
    };
    let lines = purchase
        .receipt
        .lines
        .iter()
        .map(|line| (line.line_no, left(line)));
    lines.filter(|(_, quantity)| *quantity > 0).collect()
}

/// Yen of all pieces of some lines that came back so far, floored by line, and what was refunded for no
/// line; at most what the lines cost.
pub(crate) fn refunded_yen(
    purchase: &Purchase,
    counts: impl Fn(&ReceiptLine) -> bool,
) -> (Yen, Yen) {
    let lines = || purchase.receipt.lines.iter().filter(|line| counts(line));
    let back = |line: &ReceiptLine| {
        let pieces = purchase.refunded.get(&line.line_no).copied().unwrap_or(0);
        let (pieces, quantity) = (i64::from(pieces), i64::from(line.quantity));
        Yen::new(share(line.amount.get(), pieces, quantity)).unwrap_or(Yen::ZERO)
    };
    let flat = flat_yen(purchase, &purchase.refunded).unwrap_or(Yen::ZERO);
    let whole = Yen::total(lines().map(|line| line.amount));
    let part = Yen::total(lines().map(back)).saturating_add(flat);
    (part.min(whole), whole)
}

/// The yen among what came back that are for no line in particular. A till may give a line of its receipt the
/// number that stands for it.
fn flat_yen(purchase: &Purchase, returned: &BTreeMap<u32, u32>) -> Option<Yen> {
    let flat = *returned.get(&NO_LINE)?;
    let mut lines = purchase.receipt.lines.iter();
    let is_line = lines.any(|line| line.line_no == NO_LINE);
    (!is_line).then(|| Yen::new(i64::from(flat)).unwrap_or(Yen::MAX))
}

/// Yen of all goods that came back so far.
fn refunded_amount(purchase: &Purchase) -> Yen {
    refunded_yen(purchase, |_| true).0
}

/// Earned points due back once what was refunded so far is counted: pro rata of what earns, floored; all
/// of them when all that earns came back.
fn clawback_due(purchase: &Purchase) -> Points {
    let earned = purchase.earned_points;
    let (back, whole) = refunded_yen(purchase, |line| earns(purchase.fee_earns, line));
    if back >= whole {
        return earned;
    }
    let part = share(earned.get(), back.get(), whole.get());
    Points::new(part).unwrap_or(Points::ZERO).min(earned)
}

/// The part of `whole` that is due once goods for `cumulated` yen have come back, floored; all of it
/// when everything has.
fn due(purchase: &Purchase, cumulated: Yen, whole: Points) -> Points {
    if left_lines(purchase).is_empty() {
        return whole;
    }
    let part = share(whole.get(), cumulated.get(), purchase.receipt.total.get());
    Points::new(part).unwrap_or(Points::ZERO).min(whole)
}

pub(crate) fn refund_view(refund: &Refund, done: bool) -> RefundView {
    RefundView {
        id: done.then_some(refund.id),
        amount: refund.amount,
        points_restored: refund.restored,
        points_lapsed: refund.lapsed,
        points_clawed_back: refund.clawed_back,
        points_owed: refund.owed,
        shortfall_yen: refund.shortfall,
    }
}
