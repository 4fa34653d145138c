//! Personal data, as the ledger sees it: a sealed box that belongs to a member.
//!
//! What is in the box and how it is sealed is the edge's; the ledger keeps it with its version, tells that
//! it changed, and forgets it when the person is erased. Terms are keyed hashes that staff searches by.

use jiff::Timestamp;
use pos_protocol::MemberId;
use serde_json::json;

use crate::{
    command::{Erasure, ProfileChange},
    decision::{Answer, Stop},
    denial::Denial,
    event::EventKind,
    member::Member,
    posting::Posting,
};

/// Sealed personal data and what it is searched by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SealedProfile {
    /// Which master key wraps the member's key.
    pub key_id: String,
    /// The member's key, wrapped.
    pub wrapped_key: Vec<u8>,
    /// The data, encrypted under the member's key.
    pub sealed: Vec<u8>,
    /// Keyed hashes to search by.
    pub terms: Terms,
}

/// Keyed hashes of what people are searched by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Of the e-mail address.
    pub email: Option<[u8; 32]>,
    /// Of the phone number.
    pub phone: Option<[u8; 32]>,
    /// Of the name in kana and the birthday.
    pub person: Option<[u8; 32]>,
    /// Of the name in kana.
    pub kana: Option<[u8; 32]>,
}

/// The personal data of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub member_id: MemberId,
    /// How often it was changed, from 1.
    pub version: i64,
    /// The data; empty once the person is erased.
    pub sealed: SealedProfile,
    /// When it last changed.
    pub changed_at: Timestamp,
}

impl Posting<'_> {
    pub(crate) fn set_profile(&mut self, change: &ProfileChange) -> Answer {
        let member_id = change.member_id;
        let Some(member) = self.member(member_id) else {
            return Answer::NotFound;
        };
        if member.erased_at.is_some() {
            return Answer::Denied(Denial::MemberErased);
        }
        let version = self.profile(member_id).map_or(0, |row| row.version);
        if version != change.replaces {
            return Answer::Denied(Denial::Moved);
        }
        self.put_profile(
            member_id,
            Profile {
                member_id,
                version: version.saturating_add(1),
                sealed: change.sealed.clone(),
                changed_at: self.now,
            },
        );
        let data = json!({ "member_id": member_id, "actor": change.actor });
        let subject = format!("member/{member_id}");
        self.member_event(member_id, EventKind::ProfileChanged, subject, data);
        Answer::Done
    }

    /// Forgets the person behind all records that are merged: personal data and its keys go, identities
    /// are deleted, cards and customers lead to nobody any more, points lapse. What was booked stays.
    pub(crate) fn erase(&mut self, erasure: &Erasure) -> Result<Answer, Stop> {
        let Some(member) = self.member(erasure.member_id) else {
            return Ok(Answer::NotFound);
        };
        if member.erased_at.is_some() {
            return Ok(Answer::Done);
        }
        for member_id in self.family(erasure.member_id) {
            if let Some(row) = self.member(member_id).cloned() {
                let erased_at = Some(self.now);
                self.put_member(member_id, Member { erased_at, ..row });
            }
            if let Some(row) = self.profile(member_id).cloned() {
                let (version, sealed) = (row.version.saturating_add(1), SealedProfile::default());
                self.put_profile(
                    member_id,
                    Profile {
                        version,
                        sealed,
                        changed_at: self.now,
                        ..row
                    },
                );
            }
            let own = self.state.identities.values();
            let own = own
                .filter(|row| row.member_id == member_id)
                .map(|row| row.key);
            self.changes.forgotten.extend(own);
            let data = json!({
                "member_id": member_id,
                "reason": erasure.reason,
                "actor": erasure.actor,
            });
            let subject = format!("member/{member_id}");
            self.member_event(member_id, EventKind::MemberErased, subject, data);
        }
        self.settle_due(erasure.member_id)?;
        Ok(Answer::Done)
    }
}
