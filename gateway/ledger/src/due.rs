//! What time brings: holds that run out, pending points that mature, lots that pass their last day.
//!
//! Every decision about a member starts here, so that it never depends on whether a sweep came by
//! first. The sweep only makes sure that it also happens to members nobody asks about.

use std::collections::BTreeMap;

use jiff::civil::Date;
use pos_protocol::{MemberId, Points};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    calendar,
    decision::Broken,
    event::EventKind,
    lot::{self, Lender, Lot, LotExpiry, Part},
    posting::{Posting, Slip},
    records::{Authorization, HoldState},
};

/// Points of one class whose last day a purchase moved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renewed {
    pub(crate) expires_on: Date,
    pub(crate) points: Points,
}

impl Posting<'_> {
    /// Lets everything happen that is due by now, to all records of the person.
    pub(crate) fn settle_due(&mut self, member_id: MemberId) -> Result<(), Broken> {
        let family = self.family(member_id);
        for member_id in family.iter().copied() {
            for hold in self.holds_of(member_id) {
                if hold.expires_at <= self.now {
                    self.release(hold, HoldState::Expired)?;
                }
            }
            // What a capture left over.
            self.send_home(member_id)?;
        }
        for member_id in family {
            self.mature_pending(member_id)?;
            self.expire_lots(member_id)?;
        }
        Ok(())
    }

    /// Ends a hold without a payment: its points go back to their lots.
    pub(crate) fn release(
        &mut self,
        mut hold: Authorization,
        state: HoldState,
    ) -> Result<(), Broken> {
        let slip = Slip {
            member_id: hold.member_id,
            motive: Motive::Release,
            source: hold.id.as_uuid(),
            store_id: Some(hold.store_id.clone()),
            business_date: self.business_date(&hold.store_id),
        };
        self.transfer_parts(
            &slip,
            Account::MemberHeld,
            Account::MemberAvailable,
            &hold.parts,
        )?;
        // Before the end of the hold is told: with it goes the balance as it is then.
        self.send_home(hold.member_id)?;
        self.count_holds(hold.member_id, |open| open.saturating_sub(1));
        hold.state = state;
        hold.resolved_at = Some(self.now);
        let kind = match state {
            HoldState::Expired => EventKind::AuthorizationExpired,
            HoldState::Voided => EventKind::AuthorizationVoided,
            _ => EventKind::AuthorizationReversed,
        };
        let data = json!({
            "authorization_id": hold.id,
            "member_id": hold.member_id,
            "store_id": hold.store_id,
            "terminal_id": hold.terminal_id,
            "basket_id": hold.basket_id,
            "points": hold.points,
        });
        self.member_event(
            hold.member_id,
            kind,
            format!("authorization/{}", hold.id),
            data,
        );
        self.put_authorization(hold.id, hold);
        Ok(())
    }

    /// Keeps the member's count of open holds.
    pub(crate) fn count_holds(&mut self, member_id: MemberId, count: impl FnOnce(u32) -> u32) {
        if let Some(mut member) = self.member(member_id).cloned() {
            member.open_holds = count(member.open_holds);
            self.put_member(member_id, member);
        }
    }

    fn mature_pending(&mut self, member_id: MemberId) -> Result<(), Broken> {
        let today = self.today;
        let due: Vec<_> = self
            .pending_of(member_id)
            .into_iter()
            .filter(|grant| {
                !grant.points.is_zero() && grant.matures_on.is_some_and(|day| day <= today)
            })
            .cloned()
            .collect();
        for mut grant in due {
            let slip = self.programme_slip(member_id, Motive::Maturity, grant.id.as_uuid());
            let points = grant.points;
            self.transfer(
                &slip,
                Account::MemberPending,
                Account::MemberAvailable,
                Some(grant.lot_id),
                points,
            )?;
            self.pay_debt(member_id, grant.lot_id, points)?;
            let data = json!({ "member_id": member_id, "purchase_id": grant.purchase_id, "points": points });
            self.member_event(
                member_id,
                EventKind::PointsMatured,
                format!("purchase/{}", grant.purchase_id),
                data,
            );
            grant.points = Points::ZERO;
            self.put_pending((member_id, grant.id), grant);
        }
        Ok(())
    }

    pub(crate) fn is_erased(&self, member_id: MemberId) -> bool {
        let member = self.member(member_id);
        member.is_some_and(|member| member.erased_at.is_some())
    }

    pub(crate) fn expire_lots(&mut self, member_id: MemberId) -> Result<(), Broken> {
        let today = self.today;
        // Nobody is there any more who could spend what an erased person left.
        let erased = self.is_erased(member_id);
        let due: Vec<_> = self
            .lots_of(member_id)
            .into_iter()
            .filter(|lot| !lot.available.is_zero() && (erased || lot.is_expired(today)))
            .cloned()
            .collect();
        for lot in due {
            self.lapse(member_id, lot.id, lot.available)?;
            self.tell_expiry(&lot, lot.available);
        }
        Ok(())
    }

    pub(crate) fn tell_expiry(&mut self, lot: &Lot, points: Points) {
        let data = json!({
            "member_id": lot.member_id,
            "points": points,
            "class": lot.key.class,
            "expired_on": lot.key.expires_on,
        });
        let subject = format!("lot/{}", lot.id);
        self.member_event(lot.member_id, EventKind::PointsExpired, subject, data);
    }

    /// A purchase is activity of the person: lots that expire by activity get a new last day. Says which
    /// points have it now, by class.
    pub(crate) fn note_activity(&mut self, member_id: MemberId) -> BTreeMap<String, Renewed> {
        let today = self.today;
        if let Some(mut member) = self.member(member_id).cloned() {
            member.last_activity_on = Some(today);
            self.put_member(member_id, member);
        }
        let open = self.pool(member_id).into_iter();
        let open: Vec<_> = open.filter(|lot| lot.is_open()).collect();
        let lent: Vec<_> = open.iter().filter_map(|lot| lot.key.lender).collect();
        let counts = |lot: &Lot| {
            let key = |lender: &Lender| (lender.member_id, lender.lot_id);
            lot.is_open()
                || lent
                    .iter()
                    .any(|lender| key(lender) == (lot.member_id, lot.id))
        };
        // What is only kept by an open hold past its last day is not revived. What is lent out has its last
        // day at home.
        let alive = |lot: &&Lot| counts(lot) && lot.key.lender.is_none() && !lot.is_expired(today);
        let lots: Vec<_> = self
            .pool(member_id)
            .into_iter()
            .filter(alive)
            .cloned()
            .collect();
        let mut renewed = BTreeMap::<String, Renewed>::new();
        for lot in lots {
            let before = lot.key.expires_on;
            let lot = self.renew(lot);
            let moved = lot.is_open() && lot.key.expires_on != before;
            if let Some(expires_on) = lot.key.expires_on.filter(|_| moved) {
                // All of one class get the same day.
                let class = renewed.entry(lot.key.class).or_insert(Renewed {
                    expires_on,
                    points: Points::ZERO,
                });
                let points = [class.points, lot.available, lot.held, lot.pending];
                class.points = Points::total(points);
            }
        }
        renewed
    }

    /// The lot with the last day that the person's newest purchase gives it, if it expires by activity.
    /// Closed lots are renewed when spent points come back to them.
    pub(crate) fn renew(&mut self, mut lot: Lot) -> Lot {
        let renewed = self
            .last_activity(lot.member_id)
            .zip(self.programme().classes.get(&lot.key.class))
            .and_then(|(day, class)| calendar::last_day(class.expiry, day));
        if lot.key.expiry == LotExpiry::Activity && lot.key.expires_on < renewed {
            lot.key.expires_on = renewed;
            self.put_lot((lot.member_id, lot.id), lot.clone());
        }
        lot
    }

    /// Points past their last day become breakage.
    pub(crate) fn lapse(
        &mut self,
        member_id: MemberId,
        lot_id: pos_protocol::LotId,
        points: Points,
    ) -> Result<(), Broken> {
        let slip = self.programme_slip(member_id, Motive::Expiry, lot_id.as_uuid());
        self.transfer(
            &slip,
            Account::MemberAvailable,
            Account::ProgrammeBreakage,
            Some(lot_id),
            points,
        )
    }

    /// A slip for what no store is part of.
    pub(crate) fn programme_slip(
        &self,
        member_id: MemberId,
        motive: Motive,
        source: uuid::Uuid,
    ) -> Slip {
        Slip {
            member_id,
            motive,
            source,
            store_id: None,
            business_date: self.today,
        }
    }

    /// The open business day of a store.
    pub(crate) fn business_date(&self, store: &pos_protocol::StoreId) -> jiff::civil::Date {
        crate::calendar::business_date(self.programme(), store, self.now)
    }

    /// Points in `parts` of a hold, held against the hold's own figure.
    pub(crate) fn check_parts(parts: &[Part], points: Points) -> Result<(), Broken> {
        if lot::sum(parts) == points {
            Ok(())
        } else {
            Err(Broken("parts do not add up to their whole"))
        }
    }
}
