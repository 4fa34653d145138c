//! Inquiry, authorization and void: from a scanned card to a hold, and back.

use jiff::SignedDuration;
use pos_protocol::{
    AuthorizationAnswer, AuthorizationId, AuthorizationView, Balance, BasketId, InquiryAnswer,
    Points, Reason, RequestId, VoidAnswer,
};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    card_use::{CardProof, Till},
    decision::Stop,
    event::EventKind,
    identify::Presented,
    lot::{self, Part, Spending},
    posting::{Posting, Slip},
    records::{Authorization, HoldState, RequestKind},
    reply::Reply,
};

impl Posting<'_> {
    pub(crate) fn inquire(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        basket_id: &BasketId,
        card: &CardProof,
    ) -> Result<Reply, Stop> {
        let presented = self.identify(till, basket_id, card, self.now)?;
        let member_id = presented.member_id;
        let allowed = self.allowance(presented).points();
        let here = Spending::at(self.programme(), &till.store_id, None);
        let parts = lot::select(self.pool(member_id).into_iter(), here, self.today, allowed);
        let points = self.balance(member_id).map(|balance| Balance {
            spendable: Some(lot::sum(&parts)),
            ..balance
        });
        let member = self.view(member_id);
        let answer = InquiryAnswer {
            member,
            points,
            ..InquiryAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::Inquiry, &answer).member(member_id))
    }

    pub(crate) fn authorize(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        basket_id: &BasketId,
        card: &CardProof,
        points: Points,
    ) -> Result<Reply, Stop> {
        let presented = self.identify(till, basket_id, card, self.now)?;
        let parts = self.spendable_parts(till, presented, points)?;
        let hold = self.hold(till, basket_id, presented, points, parts)?;
        let view = AuthorizationView {
            id: hold.id,
            approval_code: hold.approval_code(),
            points: hold.points,
            expires_at: hold.expires_at,
        };
        let answer = AuthorizationAnswer {
            authorization: Some(view),
            points: self.balance(presented.member_id),
            ..AuthorizationAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::Authorization, &answer)
            .member(presented.member_id)
            .effect(hold.id.as_uuid()))
    }

    /// The lots that pay `points` for an open basket, or why they do not.
    fn spendable_parts(
        &self,
        till: &Till,
        presented: Presented,
        points: Points,
    ) -> Result<Vec<Part>, Stop> {
        let member_id = presented.member_id;
        let decline = |reason| Stop::decline_member(reason, member_id);
        if points.is_zero() {
            return Err(decline(Reason::ZeroPoints));
        }
        if self
            .binding(presented.used)
            .is_some_and(|binding| binding.purchase_id.is_some())
        {
            return Err(decline(Reason::BasketCompleted));
        }
        if let Some(reason) = self.allowance(presented).refusal(points) {
            return Err(decline(reason));
        }
        let open_max = self.programme().limits.open_holds_per_member.get();
        if self.total_holds(member_id) >= open_max {
            return Err(decline(Reason::TooManyHolds));
        }
        let here = Spending::at(self.programme(), &till.store_id, None);
        let parts = lot::select(self.pool(member_id).into_iter(), here, self.today, points);
        if lot::sum(&parts) < points {
            Err(decline(Reason::InsufficientPoints))
        } else {
            Ok(parts)
        }
    }

    fn hold(
        &mut self,
        till: &Till,
        basket_id: &BasketId,
        presented: Presented,
        points: Points,
        parts: Vec<Part>,
    ) -> Result<Authorization, Stop> {
        Self::check_parts(&parts, points)?;
        let id = AuthorizationId::new(self.new_id());
        let slip = Slip {
            member_id: presented.member_id,
            motive: Motive::Hold,
            source: id.as_uuid(),
            store_id: Some(till.store_id.clone()),
            business_date: self.business_date(&till.store_id),
        };
        let parts = self.gather(&slip, parts)?;
        self.transfer_parts(&slip, Account::MemberAvailable, Account::MemberHeld, &parts)?;
        self.count_holds(presented.member_id, |open| open.saturating_add(1));
        let minutes = SignedDuration::from_mins(i64::from(self.programme().holds.minutes.get()));
        let hold = Authorization {
            id,
            member_id: presented.member_id,
            terminal_id: till.terminal_id.clone(),
            store_id: till.store_id.clone(),
            basket_id: basket_id.clone(),
            used: presented.used,
            points,
            parts,
            state: HoldState::Held,
            captured: Points::ZERO,
            held_at: self.now,
            expires_at: self.now.checked_add(minutes).unwrap_or(self.now),
            resolved_at: None,
        };
        let data = json!({
            "authorization_id": id,
            "member_id": hold.member_id,
            "store_id": hold.store_id,
            "terminal_id": hold.terminal_id,
            "basket_id": hold.basket_id,
            "points": points,
            "expires_at": hold.expires_at,
        });
        self.member_event(
            hold.member_id,
            EventKind::AuthorizationHeld,
            format!("authorization/{id}"),
            data,
        );
        self.put_authorization(id, hold.clone());
        Ok(hold)
    }

    pub(crate) fn void(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        authorization_id: AuthorizationId,
    ) -> Result<Reply, Stop> {
        let hold = self.own_hold(till, authorization_id)?;
        let member_id = hold.member_id;
        if let Some(reason) = resolved(hold.state) {
            return Err(Stop::decline_member(reason, member_id));
        }
        self.release(hold, HoldState::Voided)?;
        // What went back to a lot past its last day lapses at once.
        self.settle_due(member_id)?;
        let answer = VoidAnswer {
            points: self.balance(member_id),
            ..VoidAnswer::approved(request_id.clone())
        };
        Ok(Reply::new(RequestKind::Void, &answer)
            .member(member_id)
            .effect(authorization_id.as_uuid()))
    }

    /// The terminal's own authorization, as it stands now. Another terminal's is as good as unknown.
    pub(crate) fn own_hold(
        &mut self,
        till: &Till,
        id: AuthorizationId,
    ) -> Result<Authorization, Stop> {
        let unknown = Stop::decline(Reason::UnknownAuthorization);
        let member_id = match self.authorization(id) {
            Some(hold) if hold.terminal_id == till.terminal_id => hold.member_id,
            _ => return Err(unknown),
        };
        self.settle_due(member_id)?;
        self.authorization(id).cloned().ok_or(unknown)
    }
}

/// Why a hold cannot be used any more; `None` while it stands.
pub(crate) fn resolved(state: HoldState) -> Option<Reason> {
    match state {
        HoldState::Held => None,
        HoldState::Captured => Some(Reason::AlreadyCaptured),
        HoldState::Voided => Some(Reason::AlreadyVoided),
        HoldState::Reversed => Some(Reason::Reversed),
        HoldState::Expired => Some(Reason::HoldExpired),
    }
}
