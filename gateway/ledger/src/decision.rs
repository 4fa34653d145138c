//! What a decision is: an answer, and all that changes with it.

use std::sync::Arc;

use jiff::Timestamp;
use member_card::CardId;
use pos_protocol::{MemberId, PurchaseId, Reason};
use uuid::Uuid;

use crate::{denial::Denial, member::MemberNo, order::OrderState, state::Changes};

/// The outcome of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to tell the caller.
    pub answer: Answer,
    /// What to write, in the same transaction as everything else of the command.
    pub changes: Changes,
}

/// What to tell the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A till's answer as JSON, new or stored, to be given byte for byte.
    Message(Arc<str>),
    /// The request id was used for something else.
    RequestIdReused,
    /// The card and its member.
    Enrolled {
        /// The card.
        card_id: CardId,
        /// Its member.
        member_id: MemberId,
        /// The member's number.
        member_no: MemberNo,
        /// Whether both are new.
        created: bool,
    },
    /// The short code can be shown.
    ShortCodeMade,
    /// The card is revoked; `changed` if it was not before.
    CardRevoked {
        /// Whether this command did it.
        changed: bool,
    },
    /// The programme version is in force.
    ProgrammeActivated {
        /// Its number.
        version: i64,
    },
    /// Somebody else activated a version first; nothing changed.
    ProgrammeMoved {
        /// The version in force.
        version: i64,
    },
    /// The command did what it says.
    Done,
    /// Both sides are this member now.
    Linked {
        /// The record that stays.
        member_id: MemberId,
        /// The record that became an alias, if two were merged.
        merged: Option<MemberId>,
    },
    /// Both sides are members; who asks has to agree that they are merged. Nothing changed.
    WouldMerge {
        /// The other member.
        member_id: MemberId,
    },
    /// A code was made that has to come back before a time.
    CodeMade {
        /// The verification it belongs to; nil for a code that links.
        id: Uuid,
        /// Until when.
        expires_at: Timestamp,
    },
    /// Another person has to approve the adjustment first.
    Proposed {
        /// The proposal.
        id: Uuid,
        /// Until when.
        expires_at: Timestamp,
    },
    /// The order is booked as far as it goes.
    OrderBooked {
        /// Whose, if a customer was named.
        member_id: Option<MemberId>,
        /// What has become of it.
        state: OrderState,
        /// The purchase that stands for it.
        purchase_id: Option<PurchaseId>,
    },
    /// A rule says no to staff or owner; nothing changed but what was due by now.
    Refused(Reason),
    /// The same, about a person.
    Denied(Denial),
    /// What the command names does not exist, or is not the caller's.
    NotFound,
    /// The state contradicts itself; nothing changed. A fault, never an answer to a till.
    Fault(&'static str),
}

/// A state that this program never writes, or an amount beyond what a ledger carries. The decision
/// is given up whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// Why a rule stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The answer is no. What identifying the card and the passing of time changed stays.
    Decline(Reason, Option<MemberId>),
    /// The decision is given up whole.
    Broken(Broken),
}

impl Stop {
    /// No, without a word about any member.
    pub(crate) fn decline(reason: Reason) -> Self {
        Self::Decline(reason, None)
    }

    /// No, with the member's points.
    pub(crate) fn decline_member(reason: Reason, member_id: MemberId) -> Self {
        Self::Decline(reason, Some(member_id))
    }
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}
