//! Events: what a decision did, for whoever listens.
//!
//! Every change of points, cards, members and programme is told by exactly one event, and the event
//! is among the same [`Changes`](crate::state::Changes). What changes none of these is not told: an
//! inquiry, a quote, a decline, a card text bound to its basket, a short code made, a tombstone.
//! The capture of a hold is part of its purchase's event.
//!
//! Data holds no card text, no key and no personal data. Only a receipt's lines are without a small
//! bound; [`EventKind`] is the closed list that `docs/asyncapi.yaml` describes.

use pos_protocol::{EventId, MemberId};
use serde_json::{Value, json};

use crate::{account::words, posting::Posting, records::Event};

words! {
    /// What happened: the CloudEvents type, and the routing key.
    EventKind {
        /// A member was made.
        MemberEnrolled = "member.enrolled",
        /// Staff blocked a member.
        MemberBlocked = "member.blocked",
        /// Staff let a blocked member take part again.
        MemberUnblocked = "member.unblocked",
        /// A card was made for a member.
        CardEnrolled = "card.enrolled",
        /// A card's owner gave it a name; which, is not told.
        CardNamed = "card.named",
        /// A card was revoked, for ever.
        CardRevoked = "card.revoked",
        /// A card text or short code was shown for a second basket, and declined there.
        CardTextReused = "card.text_reused",
        /// Points were promised to a basket.
        AuthorizationHeld = "authorization.held",
        /// A till let a hold go.
        AuthorizationVoided = "authorization.voided",
        /// A till undid the request that made a hold.
        AuthorizationReversed = "authorization.reversed",
        /// A hold ran out of time.
        AuthorizationExpired = "authorization.expired",
        /// Goods and points changed hands.
        PurchaseCompleted = "purchase.completed",
        /// Goods came back.
        PurchaseRefunded = "purchase.refunded",
        /// A till undid the request that made a purchase.
        PurchaseReversed = "purchase.reversed",
        /// Pending points became spendable.
        PointsMatured = "points.matured",
        /// Points passed their last day.
        PointsExpired = "points.expired",
        /// Staff granted or took points.
        PointsAdjusted = "points.adjusted",
        /// Points went to a basket of another record of the same person.
        PointsPooled = "points.pooled",
        /// Pooled points that were not spent came back.
        PointsReturned = "points.returned",
        /// Another record of the same person paid a debt.
        DebtSettled = "debt.settled",
        /// An identity was proved to be the member's.
        MemberLinked = "member.linked",
        /// An identity was given up.
        MemberUnlinked = "member.unlinked",
        /// For some hours the member's cards earn and do not spend: an address was taken over.
        MemberEarnsOnly = "member.earns_only",
        /// The person behind the member was erased.
        MemberErased = "member.erased",
        /// Personal data was changed; which, is not told.
        ProfileChanged = "member.profile_changed",
        /// An EC order was paid, shipped, changed or cancelled.
        OrderChanged = "order.changed",
        /// Two records turned out to be one person's. Told of both.
        MemberMerged = "member.merged",
        /// Two merged records were parted again. Told of both.
        MemberUnmerged = "member.unmerged",
        /// A till's totals of a business day were held against the gateway's.
        SettlementRecorded = "settlement.recorded",
        /// A version of the programme came into force.
        ProgrammeActivated = "programme.activated",
    }
}

impl Posting<'_> {
    /// Records that something happened to a member. Told after the change: the data gets the member's
    /// balance as it is now.
    pub(crate) fn member_event(
        &mut self,
        member_id: MemberId,
        kind: EventKind,
        subject: String,
        mut data: Value,
    ) {
        let mut sequence = 0;
        if let Some(mut member) = self.member(member_id).cloned() {
            member.event_sequence = member.event_sequence.saturating_add(1);
            sequence = member.event_sequence;
            if let Some(fields) = data.as_object_mut() {
                let balance = json!({
                    "available": member.available,
                    "held": member.held,
                    "pending": member.pending,
                    "owed": member.owed,
                });
                fields.insert("balance".to_owned(), balance);
            }
            self.put_member(member_id, member);
        }
        self.event(Some(member_id), sequence, kind, subject, &data);
    }

    /// Records that something happened to no member in particular.
    pub(crate) fn plain_event(&mut self, kind: EventKind, subject: String, data: &Value) {
        self.event(None, 0, kind, subject, data);
    }

    fn event(
        &mut self,
        member_id: Option<MemberId>,
        member_sequence: i64,
        kind: EventKind,
        subject: String,
        data: &Value,
    ) {
        let id = EventId::new(self.new_id());
        self.changes.events.push(Event {
            id,
            member_id,
            member_sequence,
            kind,
            subject,
            at: self.now,
            data: data.to_string(),
        });
    }
}
