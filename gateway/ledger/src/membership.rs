//! Members and cards: enrolment, revocation, short codes, blocking; and the programme's activation.

use jiff::SignedDuration;
use member_card::{CardId, SpendLimit};
use pos_protocol::{MemberId, Reason};
use serde_json::json;

use crate::{
    card_use::{ShortCode, ShortCodeHash},
    command::{Activation, Enrol},
    decision::{Answer, Stop},
    event::EventKind,
    member::{Card, CardKind, CardStatus, Member, MemberStatus},
    posting::Posting,
    programme::BASE_RANK,
    records::ProgrammeVersion,
};

impl Posting<'_> {
    /// The same key again is the same card, whoever asks and however often.
    pub(crate) fn enrol(&mut self, enrol: &Enrol) -> Result<Answer, Stop> {
        let card_id = enrol.card_id;
        if let Some(card) = self.card(card_id) {
            if card.status == CardStatus::Revoked || self.is_erased(card.member_id) {
                return Ok(Answer::Refused(Reason::CardBlocked));
            }
            if card.public_key != enrol.public_key {
                // Two keys with one hash: the second is not let in.
                return Ok(Answer::Refused(Reason::UnknownCard));
            }
            let member_id = self.root(card.member_id);
            let member = self
                .member(member_id)
                .ok_or(crate::decision::Broken("a card leads to no member"))?;
            let member_no = member.number.clone();
            return Ok(Answer::Enrolled {
                card_id,
                member_id,
                member_no,
                created: false,
            });
        }
        let member_id = enrol.member_id;
        self.put_member(
            member_id,
            Member::new(member_id, enrol.member_no.clone(), BASE_RANK, self.now),
        );
        let card = Card {
            id: card_id,
            member_id,
            kind: CardKind::Device,
            public_key: enrol.public_key.clone(),
            name: String::new(),
            status: CardStatus::Active,
            enrolled_at: self.now,
            revoked_at: None,
        };
        self.put_card(card_id, card);
        let subject = format!("member/{member_id}");
        let data = json!({ "member_id": member_id, "rank": BASE_RANK });
        self.member_event(member_id, EventKind::MemberEnrolled, subject.clone(), data);
        let kind = CardKind::Device.word();
        let data = json!({ "member_id": member_id, "card_id": card_id, "kind": kind });
        self.member_event(member_id, EventKind::CardEnrolled, subject, data);
        Ok(Answer::Enrolled {
            card_id,
            member_id,
            member_no: enrol.member_no.clone(),
            created: true,
        })
    }

    pub(crate) fn revoke_card(&mut self, member_id: MemberId, card_id: CardId) -> Answer {
        let family = self.family(member_id);
        let Some(card) = self
            .card(card_id)
            .filter(|card| family.contains(&card.member_id))
            .cloned()
        else {
            return Answer::NotFound;
        };
        // Told of the record the card was made under.
        let member_id = card.member_id;
        if card.status == CardStatus::Revoked {
            return Answer::CardRevoked { changed: false };
        }
        self.put_card(
            card_id,
            Card {
                status: CardStatus::Revoked,
                revoked_at: Some(self.now),
                ..card
            },
        );
        let data = json!({ "member_id": member_id, "card_id": card_id });
        self.member_event(
            member_id,
            EventKind::CardRevoked,
            format!("member/{member_id}"),
            data,
        );
        Answer::CardRevoked { changed: true }
    }

    pub(crate) fn make_short_code(
        &mut self,
        card_id: CardId,
        hash: ShortCodeHash,
        spend: SpendLimit,
    ) -> Answer {
        let Some(card) = self.card(card_id) else {
            return Answer::NotFound;
        };
        if card.status == CardStatus::Revoked {
            return Answer::Refused(Reason::CardBlocked);
        }
        let member_id = card.member_id;
        if self.short_code(hash).is_some() {
            // Ten thousand million million codes: a collision is a guess. Ask again.
            return Answer::Refused(Reason::CardAlreadyUsed);
        }
        let life =
            SignedDuration::from_secs(i64::from(self.programme().cards.short_code_seconds.get()));
        let expires_at = self.now.checked_add(life).unwrap_or(self.now);
        self.put_short_code(
            hash,
            ShortCode {
                hash,
                card_id: Some(card_id),
                member_id,
                spend,
                expires_at,
                binding: None,
            },
        );
        Answer::ShortCodeMade
    }

    pub(crate) fn set_blocked(
        &mut self,
        member_id: MemberId,
        blocked: bool,
        reason: &str,
        actor: &str,
    ) -> Answer {
        let Some(member) = self.member(self.root(member_id)).cloned() else {
            return Answer::NotFound;
        };
        let member_id = member.id;
        let status = if blocked {
            MemberStatus::Blocked
        } else {
            MemberStatus::Active
        };
        if member.status == status {
            return Answer::Done;
        }
        self.put_member(member_id, Member { status, ..member });
        let kind = if blocked {
            EventKind::MemberBlocked
        } else {
            EventKind::MemberUnblocked
        };
        let data = json!({ "member_id": member_id, "reason": reason, "actor": actor });
        self.member_event(member_id, kind, format!("member/{member_id}"), data);
        Answer::Done
    }

    /// A version replaces the one it was compared with, or none.
    pub(crate) fn activate_programme(&mut self, activation: &Activation) -> Answer {
        let in_force = &self.state.in_force;
        let same_programme =
            in_force.version == 0 || in_force.programme.id == activation.programme.id;
        if in_force.version != activation.replaces || !same_programme {
            return Answer::ProgrammeMoved {
                version: in_force.version,
            };
        }
        let version = in_force.version.saturating_add(1);
        let data = json!({
            "programme": activation.programme.id,
            "version": version,
            "actor": activation.actor,
        });
        self.plain_event(
            EventKind::ProgrammeActivated,
            format!("programme/{}", activation.programme.id),
            &data,
        );
        self.changes.programmes.push(ProgrammeVersion {
            version,
            programme: activation.programme.clone(),
            source: activation.source.clone(),
            actor: activation.actor.clone(),
            activated_at: self.now,
        });
        Answer::ProgrammeActivated { version }
    }
}
