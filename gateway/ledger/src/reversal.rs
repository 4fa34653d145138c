//! Reversals: undo a request whose answer never came, whether or not it ever arrived.
//!
//! A reversal that comes before its original leaves a tombstone: a stored decline under the
//! original's request id. The late original finds it like any stored answer and takes no effect.

use pos_protocol::{
    AuthorizationId, DeclineAnswer, OriginalView, Points, PurchaseId, Reason, RequestId,
    ReversalAnswer, ReversalEffect,
};
use uuid::Uuid;

use crate::{
    card_use::Till,
    decision::{Broken, Stop},
    posting::Posting,
    records::{HoldState, PurchaseState, RequestKind, StoredRequest},
    refund::{left_lines, refund_view},
    reply::{Reply, to_json},
};

impl Posting<'_> {
    pub(crate) fn reverse(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        original_request_id: &RequestId,
    ) -> Result<Reply, Stop> {
        let key = (till.terminal_id.clone(), original_request_id.clone());
        if original_request_id == request_id {
            return Err(Stop::decline(Reason::NotReversible));
        }
        let Some(original) = self.state.requests.get(&key) else {
            self.bury(till, original_request_id);
            return Ok(nothing(request_id, None));
        };
        match (original.kind, original.effect) {
            (RequestKind::Authorization, Some(id)) => {
                self.reverse_hold(request_id, AuthorizationId::new(id))
            }
            (RequestKind::Purchase, Some(id)) => {
                self.reverse_purchase(till, request_id, PurchaseId::new(id))
            }
            // These took effect and have no opposite: saying "nothing to reverse" would be a lie.
            (RequestKind::Void | RequestKind::Refund | RequestKind::Reversal, Some(_)) => {
                Err(Stop::decline(Reason::NotReversible))
            }
            (kind, _) => Ok(nothing(request_id, Some(view(kind, "no_effect")))),
        }
    }

    /// Leaves a decline where the original's answer would be.
    fn bury(&mut self, till: &Till, original_request_id: &RequestId) {
        let decline = DeclineAnswer::new(original_request_id.clone(), Reason::Reversed, None);
        self.changes.requests.push(StoredRequest {
            terminal_id: till.terminal_id.clone(),
            request_id: original_request_id.clone(),
            member_id: None,
            kind: RequestKind::Tombstone,
            fingerprint: None,
            effect: None,
            answer: to_json(&decline),
            at: self.now,
        });
    }

    fn reverse_hold(&mut self, request_id: &RequestId, id: AuthorizationId) -> Result<Reply, Stop> {
        let missing = Broken("a stored request names no loaded authorization");
        let member_id = self.authorization(id).ok_or(missing)?.member_id;
        self.settle_due(member_id)?;
        let hold = self.authorization(id).cloned().ok_or(missing)?;
        if hold.state != HoldState::Held {
            let original = view(RequestKind::Authorization, hold.state.word());
            return Ok(nothing(request_id, Some(original)).member(member_id));
        }
        self.release(hold, HoldState::Reversed)?;
        // What went back to a lot past its last day lapses at once.
        self.settle_due(member_id)?;
        let answer = ReversalAnswer {
            effect: Some(ReversalEffect::Reversed),
            original: Some(view(RequestKind::Authorization, HoldState::Reversed.word())),
            points: self.balance(member_id),
            ..ReversalAnswer::approved(request_id.clone())
        };
        Ok(reply(&answer, id.as_uuid()).member(member_id))
    }

    /// A purchase is undone by the refund of all that is left of it; its basket is free again.
    fn reverse_purchase(
        &mut self,
        till: &Till,
        request_id: &RequestId,
        id: PurchaseId,
    ) -> Result<Reply, Stop> {
        let purchase = self
            .sold(id)
            .cloned()
            .ok_or(Broken("a stored request names no loaded purchase"))?;
        let member_id = purchase.member_id;
        self.settle_due(member_id)?;
        let left = left_lines(&purchase);
        if purchase.state == PurchaseState::Reversed || left.is_empty() {
            let state = if purchase.state == PurchaseState::Reversed {
                "reversed"
            } else {
                "refunded"
            };
            return Ok(
                nothing(request_id, Some(view(RequestKind::Purchase, state))).member(member_id),
            );
        }
        let refund = self.take_back(till, purchase, left, true, Points::ZERO)?;
        let answer = ReversalAnswer {
            effect: Some(ReversalEffect::Refunded),
            original: Some(view(RequestKind::Purchase, "reversed")),
            points: self.balance(member_id),
            refund: Some(refund_view(&refund, true)),
            ..ReversalAnswer::approved(request_id.clone())
        };
        Ok(reply(&answer, refund.id.as_uuid()).member(member_id))
    }
}

fn view(kind: RequestKind, state: &str) -> OriginalView {
    OriginalView {
        operation: kind.word().to_owned(),
        state: state.to_owned(),
    }
}

fn nothing(request_id: &RequestId, original: Option<OriginalView>) -> Reply {
    let effect = Some(ReversalEffect::NothingToReverse);
    let answer = ReversalAnswer {
        effect,
        original,
        ..ReversalAnswer::approved(request_id.clone())
    };
    Reply::new(RequestKind::Reversal, &answer)
}

fn reply(answer: &ReversalAnswer, effect: Uuid) -> Reply {
    Reply::new(RequestKind::Reversal, answer).effect(effect)
}
