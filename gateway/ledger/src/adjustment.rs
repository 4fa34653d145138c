//! Adjustments: staff grants or takes points, with a reason.

use pos_protocol::{MemberId, Points, Reason};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    command::{Adjustment, Direction},
    decision::{Answer, Stop},
    denial::Denial,
    event::EventKind,
    lot::{self, LOTS_PER_MEMBER_MAX, LotKey},
    posting::{Posting, Slip},
};

impl Posting<'_> {
    pub(crate) fn adjust(&mut self, adjustment: &Adjustment) -> Result<Answer, Stop> {
        let Adjustment {
            member_id, points, ..
        } = *adjustment;
        let Some(member) = self.member(self.root(member_id)) else {
            return Ok(Answer::NotFound);
        };
        // A record that was merged is adjusted under the one it was merged into.
        let member_id = member.id;
        if member.erased_at.is_some() {
            // Nobody is there any more who could spend them.
            return Ok(Answer::Denied(Denial::MemberErased));
        }
        if points.is_zero() {
            return Ok(Answer::Refused(Reason::ZeroPoints));
        }
        self.settle_due(member_id)?;
        let id = self.new_id();
        let slip = self.programme_slip(member_id, Motive::Adjustment, id);
        let answer = match adjustment.direction {
            Direction::Grant => self.grant(&slip, adjustment)?,
            Direction::Take => self.take(&slip, points)?,
        };
        if answer == Answer::Done {
            // Taken points come from any class.
            let direction = adjustment.direction.word();
            let class = match adjustment.direction {
                Direction::Grant => Some(&adjustment.class),
                Direction::Take => None,
            };
            let data = json!({
                "adjustment_id": id,
                "member_id": member_id,
                "direction": direction,
                "points": points,
                "class": class,
                "reason": adjustment.reason,
                "actor": adjustment.actor,
            });
            self.member_event(
                member_id,
                EventKind::PointsAdjusted,
                format!("member/{member_id}"),
                data,
            );
        }
        Ok(answer)
    }

    fn grant(&mut self, slip: &Slip, adjustment: &Adjustment) -> Result<Answer, Stop> {
        let (member_id, points) = (slip.member_id, adjustment.points);
        let scope = adjustment.scope.clone();
        let Some(key) = LotKey::granted(self.programme(), &adjustment.class, self.today, scope)
        else {
            return Ok(Answer::NotFound);
        };
        if !self.has_room_for(member_id, points) {
            return Ok(Answer::Refused(Reason::AmountTooLarge));
        }
        let open = self
            .lots_of(member_id)
            .into_iter()
            .filter(|lot| lot.is_open())
            .count();
        if open >= LOTS_PER_MEMBER_MAX {
            return Ok(Answer::Refused(Reason::AboveProgrammeLimit));
        }
        let lot_id = self.lot_for(member_id, key, &format!("adjustment:{}", slip.source));
        self.transfer(
            slip,
            Account::ProgrammeIssued,
            Account::MemberAvailable,
            Some(lot_id),
            points,
        )?;
        self.pay_debt(member_id, lot_id, points)?;
        Ok(Answer::Done)
    }

    /// What staff takes comes from any lot, soonest expiry first.
    fn take(&mut self, slip: &Slip, points: Points) -> Result<Answer, Stop> {
        let parts = lot::select_any(self.pool(slip.member_id).into_iter(), self.today, points);
        if lot::sum(&parts) < points {
            return Ok(Answer::Refused(Reason::InsufficientPoints));
        }
        let parts = self.gather(slip, parts)?;
        self.transfer_parts(
            slip,
            Account::MemberAvailable,
            Account::ProgrammeIssued,
            &parts,
        )?;
        Ok(Answer::Done)
    }

    /// Whether all of a person's points with `more` stay within the largest amount.
    pub(crate) fn has_room_for(&self, member_id: MemberId, more: Points) -> bool {
        let family = self.family(member_id).into_iter();
        let mut all = family
            .filter_map(|id| self.member(id))
            .flat_map(|member| [member.available, member.held, member.pending]);
        self.member(member_id).is_some() && all.try_fold(more, Points::checked_add).is_some()
    }
}
