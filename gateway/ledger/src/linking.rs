//! Linking: one more identity for a member, or the merge of two members that turn out to be one person.
//!
//! Both sides are proved before a link is made: who asks has signed in (a card's proof, a shop's token),
//! and the other side is a code that was shown elsewhere, a code that was sent to an address, a signed ID
//! token, or a shop's statement of an address that the member verified too. A guess never links.

use jiff::{SignedDuration, Timestamp};
use pos_protocol::MemberId;
use serde_json::json;
use uuid::Uuid;

use crate::{
    command::{Confirm, EnterLinkCode, Link, MakeLinkCode, Side, StartVerification},
    decision::{Answer, Stop},
    denial::Denial,
    event::EventKind,
    identity::{Claim, Identity, LinkCode, Newcomer, Proof, Verification},
    member::{Card, CardKind, CardStatus, Member},
    merging::Grounds,
    posting::Posting,
    programme::BASE_RANK,
};

impl Posting<'_> {
    /// The member a side leads to, if it leads to one.
    pub(crate) fn member_of(&self, side: &Side) -> Option<MemberId> {
        let member_id = match side {
            Side::Member(member_id) => *member_id,
            Side::Card(card_id) => {
                let good = |card: &&Card| card.status == CardStatus::Active;
                self.card(*card_id).filter(good)?.member_id
            }
            Side::Identity(claim) => {
                let known = self.identity(claim.key);
                known.filter(|row| row.revoked_at.is_none())?.member_id
            }
        };
        let member = self.member(self.root(member_id))?;
        member.erased_at.is_none().then_some(member_id)
    }

    pub(crate) fn link(&mut self, link: &Link) -> Result<Answer, Stop> {
        let Link {
            asker,
            other,
            proof,
            actor,
            agreed,
            only_known,
            ..
        } = link;
        Ok(match (self.member_of(asker), self.member_of(other)) {
            (Some(one), Some(two)) if self.root(one) == self.root(two) => {
                for side in [asker, other] {
                    self.confirm_identity(side, *proof, actor);
                }
                Answer::Linked {
                    member_id: self.root(one),
                    merged: None,
                }
            }
            (Some(_), Some(two)) if !agreed => Answer::WouldMerge {
                member_id: self.root(two),
            },
            (Some(one), Some(two)) => {
                let answer = self.merge_linked(link, one, two)?;
                if matches!(answer, Answer::Linked { .. }) {
                    for side in [asker, other] {
                        self.confirm_identity(side, *proof, actor);
                    }
                }
                answer
            }
            (Some(member_id), None) => self.attach(other, member_id, *proof, actor, *only_known),
            // An account that nobody knew joins as a record of its own, so that it can be held back.
            (None, Some(member_id)) if link.cool_down => match (asker, &link.newcomer) {
                (Side::Identity(claim), Some(newcomer)) => {
                    let shadow = self.make_shadow(newcomer);
                    self.put_new_identity(claim, shadow, *proof, actor);
                    self.merge_linked(link, shadow, member_id)?
                }
                _ => Answer::NotFound,
            },
            (None, Some(member_id)) => self.attach(asker, member_id, *proof, actor, false),
            (None, None) => Answer::NotFound,
        })
    }

    fn merge_linked(&mut self, link: &Link, one: MemberId, two: MemberId) -> Result<Answer, Stop> {
        let own = self.family(one);
        let grounds = Grounds {
            proof: link.proof,
            reason: "linked by its owner",
            actor: &link.actor,
        };
        let (younger, older) = self.by_age(one, two);
        let answer = self.merge_records(younger, older, &grounds)?;
        if link.cool_down && matches!(answer, Answer::Linked { .. }) {
            let hours = i64::from(self.programme().linking.cool_down_hours.get());
            let until = self.now.checked_add(SignedDuration::from_hours(hours));
            self.earn_only(&own, until.ok());
        }
        Ok(answer)
    }

    /// Until when the person, with any of its records, only earns.
    pub(crate) fn cooling(&self, records: &[MemberId]) -> Option<Timestamp> {
        let rows = records.iter().filter_map(|id| self.member(*id));
        rows.filter_map(|row| row.earn_only_until).max()
    }

    /// Lets records only earn until a time, if that lies ahead: who took over an address may not spend at
    /// once.
    pub(crate) fn earn_only(&mut self, records: &[MemberId], until: Option<Timestamp>) {
        let Some(until) = until.filter(|until| *until > self.now) else {
            return;
        };
        for member_id in records.iter().copied() {
            let Some(member) = self.member(member_id).cloned() else {
                continue;
            };
            if member.earn_only_until >= Some(until) {
                continue;
            }
            let earn_only_until = Some(until);
            self.put_member(
                member_id,
                Member {
                    earn_only_until,
                    ..member
                },
            );
            let data = json!({ "member_id": member_id, "earn_only_until": until });
            let subject = format!("member/{member_id}");
            self.member_event(member_id, EventKind::MemberEarnsOnly, subject, data);
        }
    }

    /// The younger record is merged into the older one.
    fn by_age(&self, one: MemberId, two: MemberId) -> (MemberId, MemberId) {
        let (one, two) = (self.root(one), self.root(two));
        let age = |id| (self.member(id).map(|member| member.enrolled_at), id);
        if age(one) < age(two) {
            (two, one)
        } else {
            (one, two)
        }
    }

    fn attach(
        &mut self,
        side: &Side,
        member_id: MemberId,
        proof: Proof,
        actor: &str,
        only_known: bool,
    ) -> Answer {
        match side {
            Side::Identity(claim) if !only_known => {
                self.put_new_identity(claim, member_id, proof, actor);
                Answer::Linked {
                    member_id: self.root(member_id),
                    merged: None,
                }
            }
            _ => Answer::NotFound,
        }
    }

    pub(crate) fn put_new_identity(
        &mut self,
        claim: &Claim,
        member_id: MemberId,
        proof: Proof,
        actor: &str,
    ) {
        let Claim {
            key,
            kind,
            ref issuer,
            ref label,
        } = *claim;
        self.put_identity(
            key,
            Identity {
                key,
                kind,
                issuer: issuer.clone(),
                member_id,
                label: label.clone(),
                proof,
                actor: actor.to_owned(),
                proven_at: self.now,
                revoked_at: None,
            },
        );
        let data = json!({
            "member_id": member_id,
            "kind": kind.word(),
            "issuer": issuer,
            "proof": proof.word(),
        });
        let subject = format!("member/{member_id}");
        self.member_event(member_id, EventKind::MemberLinked, subject, data);
    }

    /// An identity that only an order had named is now proved.
    fn confirm_identity(&mut self, side: &Side, proof: Proof, actor: &str) {
        let Side::Identity(claim) = side else { return };
        let unproven = |row: &&Identity| row.proof == Proof::Order && row.revoked_at.is_none();
        if let Some(row) = self.identity(claim.key).filter(unproven) {
            let member_id = row.member_id;
            self.put_new_identity(claim, member_id, proof, actor);
        }
    }

    /// A member for an identity that nobody has yet.
    pub(crate) fn make_shadow(&mut self, newcomer: &Newcomer) -> MemberId {
        let member_id = newcomer.member_id;
        let number = newcomer.member_no.clone();
        self.put_member(
            member_id,
            Member::new(member_id, number, BASE_RANK, self.now),
        );
        let data = json!({ "member_id": member_id, "rank": BASE_RANK });
        let subject = format!("member/{member_id}");
        self.member_event(member_id, EventKind::MemberEnrolled, subject, data);
        member_id
    }

    /// Whether the side is a number that anybody can copy: having it at hand proves little.
    fn is_copyable(&self, side: &Side) -> bool {
        let Side::Card(card_id) = side else {
            return false;
        };
        let card = self.card(*card_id);
        card.is_some_and(|card| card.kind == CardKind::Plastic)
    }

    /// A code to be shown to whom `side` leads to; a shop's customer that nobody knows yet becomes a member.
    pub(crate) fn make_link_code(&mut self, make: &MakeLinkCode) -> Answer {
        if self.link_code(make.hash).is_some() {
            return Answer::Denied(Denial::Moved);
        }
        let member_id = match (self.member_of(&make.side), &make.side) {
            (Some(member_id), _) => member_id,
            (None, Side::Identity(claim)) => {
                let member_id = self.make_shadow(&make.newcomer);
                self.put_new_identity(claim, member_id, Proof::ShopStatement, &make.shown_by);
                member_id
            }
            (None, _) => return Answer::NotFound,
        };
        let minutes = i64::from(self.programme().linking.code_minutes.get());
        let life = SignedDuration::from_mins(minutes);
        let expires_at = self.now.checked_add(life).unwrap_or(self.now);
        self.put_link_code(
            make.hash,
            LinkCode {
                hash: make.hash,
                member_id,
                shown_by: make.shown_by.clone(),
                expires_at,
                cool_down: self.is_copyable(&make.side),
                used_at: None,
            },
        );
        Answer::CodeMade {
            id: Uuid::nil(),
            expires_at,
        }
    }

    pub(crate) fn enter_link_code(&mut self, enter: &EnterLinkCode) -> Result<Answer, Stop> {
        let live = |code: &&LinkCode| code.used_at.is_none() && code.expires_at > self.now;
        let Some(code) = self.link_code(enter.hash).filter(live).cloned() else {
            return Ok(Answer::Denied(Denial::UnknownCode));
        };
        let answer = self.link(&Link {
            asker: enter.side.clone(),
            other: Side::Member(code.member_id),
            proof: Proof::LinkCode,
            actor: enter.actor.clone(),
            agreed: enter.agreed,
            only_known: false,
            cool_down: code.cool_down,
            newcomer: None,
        })?;
        if matches!(answer, Answer::Linked { .. }) {
            let used_at = Some(self.now);
            self.put_link_code(enter.hash, LinkCode { used_at, ..code });
        }
        Ok(answer)
    }

    pub(crate) fn start_verification(&mut self, start: &StartVerification) -> Answer {
        let Some(member_id) = self.member_of(&Side::Card(start.card_id)) else {
            return Answer::NotFound;
        };
        let id = self.new_id();
        let minutes = i64::from(self.programme().linking.code_minutes.get());
        let life = SignedDuration::from_mins(minutes);
        let expires_at = self.now.checked_add(life).unwrap_or(self.now);
        self.put_verification(
            id,
            Verification {
                id,
                member_id,
                claim: start.claim.clone(),
                code_hash: start.code_hash,
                expires_at,
                attempts: 0,
                used_at: None,
            },
        );
        Answer::CodeMade { id, expires_at }
    }

    /// The code that was sent came back, or a wrong one did; wrong ones are counted.
    pub(crate) fn confirm(&mut self, confirm: &Confirm) -> Result<Answer, Stop> {
        let asker = Side::Card(confirm.card_id);
        let own = self.member_of(&asker);
        let mine = |row: &&Verification| Some(row.member_id) == own;
        let Some(row) = self.verification(confirm.id).filter(mine).cloned() else {
            return Ok(Answer::NotFound);
        };
        if row.used_at.is_some() || row.expires_at <= self.now {
            return Ok(Answer::Denied(Denial::UnknownCode));
        }
        if row.attempts >= self.programme().linking.attempts_max.get() {
            return Ok(Answer::Denied(Denial::TooManyAttempts));
        }
        if row.code_hash != confirm.code_hash {
            let attempts = row.attempts.saturating_add(1);
            self.put_verification(row.id, Verification { attempts, ..row });
            return Ok(Answer::Denied(Denial::UnknownCode));
        }
        let answer = self.link(&Link {
            asker,
            other: Side::Identity(row.claim.clone()),
            proof: Proof::OneTimeCode,
            actor: format!("card:{}", confirm.card_id),
            agreed: confirm.agreed,
            only_known: false,
            cool_down: true,
            newcomer: None,
        })?;
        if matches!(answer, Answer::Linked { .. }) {
            let used_at = Some(self.now);
            self.put_verification(row.id, Verification { used_at, ..row });
        }
        Ok(answer)
    }

    /// Gives up an identity: from now on it leads to nobody, until it is proved anew.
    pub(crate) fn revoke_identity(
        &mut self,
        member_id: MemberId,
        key: crate::identity::IdentityKey,
    ) -> Result<Answer, Stop> {
        let family = self.family(member_id);
        let own = |row: &&Identity| family.contains(&row.member_id) && row.revoked_at.is_none();
        let Some(row) = self.identity(key).filter(own).cloned() else {
            return Ok(Answer::NotFound);
        };
        let data = json!({
            "member_id": row.member_id,
            "kind": row.kind.word(),
            "issuer": row.issuer,
        });
        let owner = row.member_id;
        let revoked_at = Some(self.now);
        self.put_identity(key, Identity { revoked_at, ..row });
        let subject = format!("member/{owner}");
        self.member_event(owner, EventKind::MemberUnlinked, subject, data);
        Ok(Answer::Done)
    }
}
