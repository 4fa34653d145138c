//! Adjustments: staff grants or takes points, with a reason.

use pos_protocol::{MemberId, Points, Reason};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    command::{Adjustment, Direction},
    decision::{Answer, Stop},
    event::EventKind,
    lot::{self, LOTS_PER_MEMBER_MAX, LotKey},
    posting::{Posting, Slip},
};

impl Posting<'_> {
    pub(crate) fn adjust(&mut self, adjustment: &Adjustment) -> Result<Answer, Stop> {
        let Adjustment {
            member_id, points, ..
        } = *adjustment;
        if self.member(member_id).is_none() {
            return Ok(Answer::NotFound);
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
            let (direction, class) = match adjustment.direction {
                Direction::Grant => ("grant", Some(&adjustment.class)),
                Direction::Take => ("take", None),
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
        let Adjustment {
            member_id, points, ..
        } = *adjustment;
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
        let parts = lot::select_any(self.lots_of(slip.member_id).into_iter(), self.today, points);
        if lot::sum(&parts) < points {
            return Ok(Answer::Refused(Reason::InsufficientPoints));
        }
        self.transfer_parts(
            slip,
            Account::MemberAvailable,
            Account::ProgrammeIssued,
            &parts,
        )?;
        Ok(Answer::Done)
    }

    /// Whether all of a member's points with `more` stay within the largest amount.
    pub(crate) fn has_room_for(&self, member_id: MemberId, more: Points) -> bool {
        self.member(member_id).is_some_and(|member| {
            let all = [member.available, member.held, member.pending, more];
            all.into_iter()
                .try_fold(Points::ZERO, Points::checked_add)
                .is_some()
        })
    }
}
