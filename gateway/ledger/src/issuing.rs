//! Cards that are numbers: plastic cards of an older system, and wallet passes.

use pos_protocol::{MemberId, Points};
use serde_json::json;

use crate::{
    account::{Account, Motive},
    command::{IssueCard, OpeningLot, Side},
    decision::{Answer, Broken, Stop},
    denial::Denial,
    event::EventKind,
    lot::{LotExpiry, LotKey, Scope},
    member::{Card, CardStatus},
    posting::Posting,
};

impl Posting<'_> {
    /// Makes a card known, for the member that asks or for a new one. The same card again is the same card,
    /// and brings nothing along a second time.
    pub(crate) fn issue_card(&mut self, issue: &IssueCard) -> Result<Answer, Stop> {
        if let Some(card) = self.card(issue.card_id) {
            // Who asks for a number of somebody else is not told whose it is.
            let root = self.root(card.member_id);
            let asker = issue.asker.map(|id| self.member_of(&Side::Card(id)));
            let own = asker.is_none_or(|asker| asker.map(|id| self.root(id)) == Some(root));
            let same = own && card.public_key == issue.key && card.kind == issue.kind;
            return Ok(match self.member(root) {
                Some(member) if same => Answer::Enrolled {
                    card_id: issue.card_id,
                    member_id: member.id,
                    member_no: member.number.clone(),
                    created: false,
                },
                _ => Answer::Denied(Denial::NumberTaken),
            });
        }
        if let Some(unknown) = self.unknown_class(&issue.lots) {
            return Ok(unknown);
        }
        let member_id = match issue.asker {
            None => self.make_shadow(&issue.newcomer),
            Some(card_id) => match self.member_of(&Side::Card(card_id)) {
                Some(member_id) => member_id,
                None => return Ok(Answer::Denied(Denial::CardRevoked)),
            },
        };
        let points = Points::total(issue.lots.iter().map(|lot| lot.points));
        if !self.has_room_for(member_id, points) {
            return Ok(Answer::Denied(Denial::AmountTooLarge));
        }
        let card = Card {
            id: issue.card_id,
            member_id,
            kind: issue.kind,
            public_key: issue.key.clone(),
            name: issue.name.clone(),
            status: CardStatus::Active,
            enrolled_at: self.now,
            revoked_at: None,
        };
        self.put_card(issue.card_id, card);
        let subject = format!("member/{member_id}");
        let data = json!({
            "member_id": member_id,
            "card_id": issue.card_id,
            "kind": issue.kind.word(),
        });
        self.member_event(member_id, EventKind::CardEnrolled, subject, data);
        if !points.is_zero() {
            self.open_lots(member_id, issue)?;
        }
        let root = self.root(member_id);
        let member = self
            .member(root)
            .ok_or(Broken("a card leads to no member"))?;
        Ok(Answer::Enrolled {
            card_id: issue.card_id,
            member_id: root,
            member_no: member.number.clone(),
            created: true,
        })
    }

    fn unknown_class(&self, lots: &[OpeningLot]) -> Option<Answer> {
        let classes = &self.programme().classes;
        let unknown = lots.iter().any(|lot| classes.get(&lot.class).is_none());
        let mut points = lots.iter().map(|lot| lot.points);
        let sum = points.try_fold(Points::ZERO, Points::checked_add);
        match (unknown, sum) {
            (true, _) => Some(Answer::Denied(Denial::UnknownClass)),
            (_, None) => Some(Answer::Denied(Denial::AmountTooLarge)),
            _ => None,
        }
    }

    /// Books the points of an older system, each with its own last day.
    fn open_lots(&mut self, member_id: MemberId, issue: &IssueCard) -> Result<(), Stop> {
        let id = self.new_id();
        let slip = self.programme_slip(member_id, Motive::Adjustment, id);
        for lot in issue.lots.iter().filter(|lot| !lot.points.is_zero()) {
            let key = LotKey::granted(self.programme(), &lot.class, self.today, Scope::default());
            let mut key = key.ok_or(Broken("a class that was there is gone"))?;
            if let (LotExpiry::Fixed | LotExpiry::Activity, Some(day)) =
                (key.expiry, lot.expires_on)
            {
                key.expires_on = Some(day);
            } else if let Some(day) = lot.expires_on {
                key.expiry = LotExpiry::Fixed;
                key.expires_on = Some(day);
            }
            let lot_id = self.lot_for(member_id, key, &issue.origin);
            let (issued, available) = (Account::ProgrammeIssued, Account::MemberAvailable);
            self.transfer(&slip, issued, available, Some(lot_id), lot.points)?;
        }
        let points = Points::total(issue.lots.iter().map(|lot| lot.points));
        let data = json!({
            "adjustment_id": id,
            "member_id": member_id,
            "direction": "grant",
            "points": points,
            "class": null,
            "reason": issue.origin,
            "actor": issue.actor,
        });
        let subject = format!("member/{member_id}");
        self.member_event(member_id, EventKind::PointsAdjusted, subject, data);
        // What an older system left past its last day lapses at once, and is told.
        self.settle_due(member_id)?;
        Ok(())
    }

    pub(crate) fn name_card(
        &mut self,
        member_id: MemberId,
        card_id: member_card::CardId,
        name: &str,
    ) -> Answer {
        let family = self.family(member_id);
        let own = |card: &&Card| family.contains(&card.member_id);
        let Some(card) = self.card(card_id).filter(own).cloned() else {
            return Answer::NotFound;
        };
        let (owner, name) = (card.member_id, name.to_owned());
        self.put_card(card_id, Card { name, ..card });
        let data = json!({ "member_id": owner, "card_id": card_id });
        let subject = format!("member/{owner}");
        self.member_event(owner, EventKind::CardNamed, subject, data);
        Answer::Done
    }
}
