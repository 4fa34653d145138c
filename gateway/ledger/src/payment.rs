//! How the points part of a purchase is paid: at once from the card's lots, or by capturing a hold.
//!
//! Asked beforehand, a till gets exactly what it asks for or a decline. An advice reports what has
//! happened: what is there is taken, the rest of the claim is the store's shortfall. A claim never
//! counts for more than the receipt is worth.

use jiff::SignedDuration;
use pos_protocol::{AuthorizationId, MemberId, Points, PurchaseId, Reason, Yen};
use uuid::Uuid;

use crate::{
    account::{Account, Motive},
    authorization::resolved,
    card_use::UseKey,
    command::Payment,
    decision::{Broken, Stop},
    identify::Presented,
    lot::{self, Part, Spending},
    member::{Member, MemberStatus},
    posting::{Posting, Slip},
    purchase::Sale,
    records::{Authorization, HoldState},
};

/// Who buys and how the points part is paid.
pub(crate) struct Paid {
    pub(crate) member_id: MemberId,
    pub(crate) used: UseKey,
    pub(crate) authorization_id: Option<AuthorizationId>,
    pub(crate) parts: Vec<Part>,
    /// Points claimed beyond what could be taken; only ever in an advice.
    pub(crate) shortfall: Points,
}

impl Posting<'_> {
    pub(crate) fn pay(
        &mut self,
        sale: Sale<'_>,
        purchase_id: PurchaseId,
        payment: &Payment,
    ) -> Result<Paid, Stop> {
        match payment {
            Payment::Card { card, redeem } => {
                let scanned_at = sale.advice.map_or(self.now, |advice| advice.scanned_at);
                let presented = self.identify(sale.till, sale.basket_id, card, scanned_at)?;
                self.check_sale(sale, presented.member_id, presented.used)?;
                self.pay_at_once(sale, purchase_id, presented, *redeem)
            }
            Payment::Authorization {
                authorization_id,
                redeem,
            } => {
                let hold = self.own_hold(sale.till, *authorization_id)?;
                if hold.basket_id != *sale.basket_id {
                    return Err(Stop::decline(Reason::UnknownAuthorization));
                }
                self.check_sale(sale, hold.member_id, hold.used)?;
                let claimed = redeem.unwrap_or(hold.points);
                match (resolved(hold.state), sale.advice) {
                    (None, _) => self.capture(sale, hold, claimed),
                    (Some(_), Some(_)) => self.post_without_hold(sale, purchase_id, &hold, claimed),
                    (Some(reason), None) => Err(Stop::decline_member(reason, hold.member_id)),
                }
            }
        }
    }

    /// Points that would pay the whole receipt.
    pub(crate) fn worth(&self, total: Yen) -> Points {
        let points = total
            .get()
            .checked_div(i64::from(self.programme().yen_per_point.get()))
            .unwrap_or(0);
        Points::new(points).unwrap_or(Points::ZERO)
    }

    /// Authorizes and captures in one step.
    fn pay_at_once(
        &mut self,
        sale: Sale<'_>,
        purchase_id: PurchaseId,
        presented: Presented,
        redeem: Points,
    ) -> Result<Paid, Stop> {
        let member_id = presented.member_id;
        let allowance = self.allowance(presented);
        let worth = self.worth(sale.receipt.total);
        if sale.advice.is_none() && !redeem.is_zero() {
            let too_much = (redeem > worth).then_some(Reason::AboveReceiptTotal);
            if let Some(reason) = allowance.refusal(redeem).or(too_much) {
                return Err(Stop::decline_member(reason, member_id));
            }
        }
        let claimed = redeem.min(worth);
        let parts = self.payable(sale, member_id, claimed.min(allowance.points()));
        let shortfall = claimed.saturating_sub(lot::sum(&parts));
        if sale.advice.is_none() && !shortfall.is_zero() {
            return Err(Stop::decline_member(Reason::InsufficientPoints, member_id));
        }
        let parts = self.spend(sale, member_id, purchase_id.as_uuid(), parts)?;
        Ok(Paid {
            member_id,
            used: presented.used,
            authorization_id: None,
            parts,
            shortfall,
        })
    }

    /// Captures a hold that stands, whole or in part; the rest goes back to its lots.
    pub(crate) fn capture(
        &mut self,
        sale: Sale<'_>,
        hold: Authorization,
        claimed: Points,
    ) -> Result<Paid, Stop> {
        let member_id = hold.member_id;
        let worth = self.worth(sale.receipt.total);
        if !sale.is_done() {
            let out = |member: &Member| {
                member.status == MemberStatus::Blocked || member.erased_at.is_some()
            };
            let blocked = self.member(self.root(member_id)).is_some_and(out);
            let refusal = if blocked {
                Some(Reason::MemberBlocked)
            } else if claimed > hold.points {
                Some(Reason::AboveHold)
            } else {
                (claimed > worth).then_some(Reason::AboveReceiptTotal)
            };
            if let Some(reason) = refusal {
                return Err(Stop::decline_member(reason, member_id));
            }
        }
        let claimed = claimed.min(worth);
        let (parts, rest) = lot::split(&hold.parts, claimed);
        let captured = lot::sum(&parts);
        let slip = self.sale_slip(sale, member_id, Motive::Capture, hold.id.as_uuid());
        self.transfer_parts(&slip, Account::MemberHeld, Account::StoreRedeemed, &parts)?;
        let slip = Slip {
            motive: Motive::Release,
            ..slip
        };
        self.transfer_parts(&slip, Account::MemberHeld, Account::MemberAvailable, &rest)?;
        self.count_holds(member_id, |open| open.saturating_sub(1));
        let (id, used, resolved_at) = (hold.id, hold.used, Some(self.now));
        self.put_authorization(
            id,
            Authorization {
                state: HoldState::Captured,
                captured,
                resolved_at,
                ..hold
            },
        );
        // What went back to a lot past its last day lapses at once.
        self.settle_due(member_id)?;
        let shortfall = claimed.saturating_sub(captured);
        Ok(Paid {
            member_id,
            used,
            authorization_id: Some(id),
            parts,
            shortfall,
        })
    }

    /// An advice whose hold is gone: the goods left all the same. A hold that ran out, or whose
    /// purchase was reversed, takes again what is there, as long as the scan belongs to the basket's
    /// life. A hold that the till itself let go takes nothing.
    fn post_without_hold(
        &mut self,
        sale: Sale<'_>,
        purchase_id: PurchaseId,
        hold: &Authorization,
        claimed: Points,
    ) -> Result<Paid, Stop> {
        let life =
            SignedDuration::from_mins(i64::from(self.programme().cards.basket_minutes.get()));
        let in_time = sale
            .advice
            .is_some_and(|advice| advice.scanned_at.duration_since(hold.held_at) <= life);
        let stood = matches!(hold.state, HoldState::Expired | HoldState::Captured);
        let claimed = claimed.min(self.worth(sale.receipt.total));
        let wanted = if in_time && stood {
            claimed.min(hold.points)
        } else {
            Points::ZERO
        };
        self.pay_without_hold(sale, purchase_id, hold, (claimed, wanted))
    }

    /// Takes as many as are there of the points wanted; the rest of the claim is the store's shortfall.
    pub(crate) fn pay_without_hold(
        &mut self,
        sale: Sale<'_>,
        purchase_id: PurchaseId,
        hold: &Authorization,
        (claimed, wanted): (Points, Points),
    ) -> Result<Paid, Stop> {
        let (member_id, used, authorization_id) = (hold.member_id, hold.used, Some(hold.id));
        // What was held was allowed; what is taken anew is not, where the record only earns for now.
        let wanted = if self.earns_only(member_id) {
            Points::ZERO
        } else {
            wanted
        };
        let parts = self.payable(sale, member_id, wanted);
        let parts = self.spend(sale, member_id, purchase_id.as_uuid(), parts)?;
        let shortfall = claimed.saturating_sub(lot::sum(&parts));
        Ok(Paid {
            member_id,
            used,
            authorization_id,
            parts,
            shortfall,
        })
    }

    /// The lots that pay `wanted` points for this receipt; fewer if they do not hold enough.
    fn payable(&self, sale: Sale<'_>, member_id: MemberId, wanted: Points) -> Vec<Part> {
        let here = Spending::at(self.programme(), &sale.till.store_id, Some(sale.receipt));
        lot::select(self.pool(member_id).into_iter(), here, self.today, wanted)
    }

    /// Pays with points that were not held; says from which of the record's own lots.
    fn spend(
        &mut self,
        sale: Sale<'_>,
        member_id: MemberId,
        source: Uuid,
        parts: Vec<Part>,
    ) -> Result<Vec<Part>, Broken> {
        let slip = self.sale_slip(sale, member_id, Motive::Capture, source);
        let parts = self.gather(&slip, parts)?;
        let (available, redeemed) = (Account::MemberAvailable, Account::StoreRedeemed);
        self.transfer_parts(&slip, available, redeemed, &parts)?;
        Ok(parts)
    }
}
