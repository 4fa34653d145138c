//! What leads to a member besides cards: customers of EC shops, verified addresses, outside sign-ins.
//!
//! An identity is known by a keyed hash of its kind and value, made at the edge; the value itself is not
//! here. It belongs to one member at a time. Who proved it, how and when is part of the row.

use jiff::Timestamp;
use pos_protocol::{MemberId, MergeId};
use uuid::Uuid;

use crate::{account::words, member::MemberNo};

/// Keyed hash of an identity's kind, issuer and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityKey(pub [u8; 32]);

words! {
    /// What an identity is.
    IdentityKind {
        /// A customer account of one EC shop.
        EcCustomer = "ec_customer",
        /// A guest of one EC shop, by the address in the order. Nobody proved it.
        EcGuest = "ec_guest",
        /// An e-mail address that the member verified.
        Email = "email",
        /// A phone number (E.164) that the member verified.
        Phone = "phone",
        /// A subject of an OpenID provider.
        OpenId = "openid",
    }
}

words! {
    /// How it was proved that two things belong to one person.
    Proof {
        /// A code shown in one channel was entered in the other.
        LinkCode = "link_code",
        /// A code sent to the address came back.
        OneTimeCode = "one_time_code",
        /// An EC shop states it, for an address that the member verified too.
        ShopStatement = "shop_statement",
        /// A signed ID token (OpenID Connect).
        IdToken = "id_token",
        /// Staff decided, with a reason.
        Staff = "staff",
        /// Nobody proved it: an order named it.
        Order = "order",
    }
}

/// An identity that somebody shows, whether or not it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What it is found by.
    pub key: IdentityKey,
    /// What it is.
    pub kind: IdentityKind,
    /// The shop or OpenID provider it is an identity of; empty for addresses.
    pub issuer: String,
    /// What people are shown: the shop's customer id, or the address with most of it hidden.
    pub label: String,
}

/// An identity of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What it is found by.
    pub key: IdentityKey,
    /// What it is.
    pub kind: IdentityKind,
    /// The shop or OpenID provider it is an identity of; empty for addresses.
    pub issuer: String,
    /// Whose.
    pub member_id: MemberId,
    /// What people are shown.
    pub label: String,
    /// How it was proved.
    pub proof: Proof,
    /// Who says so.
    pub actor: String,
    /// When.
    pub proven_at: Timestamp,
    /// When it was given up; from then on it leads to nobody.
    pub revoked_at: Option<Timestamp>,
}

/// SHA-256 of a code that people type.
pub type CodeHash = [u8; 32];

/// A one-time code that links whoever enters it to the member it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCode {
    /// What it is found by.
    pub hash: CodeHash,
    /// Whose.
    pub member_id: MemberId,
    /// The channel that shows it, for example `card` or `shop:main`.
    pub shown_by: String,
    /// It must be entered before this.
    pub expires_at: Timestamp,
    /// Who enters it only earns for some hours: it was made for a number that anybody can copy.
    pub cool_down: bool,
    /// When it was entered.
    pub used_at: Option<Timestamp>,
}

/// An address that a member wants to prove, and the code that was sent there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The verification.
    pub id: Uuid,
    /// Who wants to prove it.
    pub member_id: MemberId,
    /// What is to be proved.
    pub claim: Claim,
    /// The code that was sent.
    pub code_hash: CodeHash,
    /// It must come back before this.
    pub expires_at: Timestamp,
    /// Wrong codes so far.
    pub attempts: u32,
    /// When it came back.
    pub used_at: Option<Timestamp>,
}

words! {
    /// What was done to two records.
    MergeAct {
        /// They were merged.
        Merged = "merged",
        /// They were parted again.
        Unmerged = "unmerged",
    }
}

/// A merge or its undoing, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The act.
    pub id: MergeId,
    /// Which of the two.
    pub act: MergeAct,
    /// The record that became an alias, or stopped being one.
    pub member_id: MemberId,
    /// The record it was merged into.
    pub into: MemberId,
    /// How it was proved that both are one person's.
    pub proof: Proof,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// The member to make where nobody is found. Ids and numbers come from the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The member.
    pub member_id: MemberId,
    /// The member's number.
    pub member_no: MemberNo,
}
