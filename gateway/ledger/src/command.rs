//! Everything that can be asked of the ledger.

use std::sync::Arc;

use jiff::civil::Date;
use member_card::{CardId, SpendLimit};
use pos_protocol::{
    Advice, AuthorizationId, BasketId, CommandId, MemberId, Points, PurchaseId, Receipt,
    RefundLine, RequestId, SettlementTotals,
};

mod person;

pub use person::{
    Confirm, EnterLinkCode, Erasure, IssueCard, Link, MakeLinkCode, Merging, OpeningLot,
    OrderReport, ProfileChange, Side, StartVerification, Unmerging,
};

use uuid::Uuid;

use crate::{
    account::words,
    card_use::{CardProof, ShortCodeHash, Till},
    identity::IdentityKey,
    lot::Scope,
    member::MemberNo,
    programme::Programme,
};

/// One thing to decide. `id` is fresh for every try to send it through the writer; what the command
/// makes gets ids derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Made at the edge.
    pub id: CommandId,
    /// What is asked.
    pub operation: Operation,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A till asks; its answer is stored under its request id.
    Pos(PosCommand),
    /// A phone shows a key that may be new.
    Enrol(Enrol),
    /// The owner revokes one of the member's cards.
    RevokeCard {
        /// The member whose card it must be.
        member_id: MemberId,
        /// The card.
        card_id: CardId,
    },
    /// A phone that is online asks for a one-time short code.
    MakeShortCode {
        /// The card that asks.
        card_id: CardId,
        /// SHA-256 of the digits.
        hash: ShortCodeHash,
        /// What the shopper allows.
        spend: SpendLimit,
    },
    /// Time has passed: let go what is due for this member.
    Sweep {
        /// The member.
        member_id: MemberId,
    },
    /// Staff grants or takes points.
    Adjust(Adjustment),
    /// Somebody at the desk wants to grant or take points; beyond a limit another person has to approve.
    RequestAdjustment(Box<AdjustmentRequest>),
    /// Another person approves or refuses what was proposed.
    DecideProposal(Box<ProposalDecision>),
    /// Staff blocks or unblocks a member.
    SetBlocked {
        /// The member.
        member_id: MemberId,
        /// Blocked or not.
        blocked: bool,
        /// Why, in words.
        reason: String,
        /// Who.
        actor: String,
    },
    /// Staff puts a new version of the programme in force, for every gateway.
    ActivateProgramme(Box<Activation>),
    /// Two sides, both proved, turn out to be one person.
    Link(Box<Link>),
    /// A code is to be shown that links whoever enters it.
    MakeLinkCode(Box<MakeLinkCode>),
    /// A code that links was entered.
    EnterLinkCode(Box<EnterLinkCode>),
    /// A code was sent to an address.
    StartVerification(Box<StartVerification>),
    /// A code that was sent to an address came back.
    Confirm(Box<Confirm>),
    /// An identity is given up.
    RevokeIdentity {
        /// The member whose identity it must be.
        member_id: MemberId,
        /// The identity.
        key: IdentityKey,
    },
    /// The owner gives a card a name.
    NameCard {
        /// The member whose card it must be.
        member_id: MemberId,
        /// The card.
        card_id: CardId,
        /// What to call it.
        name: String,
    },
    /// A plastic card or wallet pass is made known, with what it brings along.
    IssueCard(Box<IssueCard>),
    /// Staff merges two members.
    Merge(Box<Merging>),
    /// Staff parts two members again.
    Unmerge(Box<Unmerging>),
    /// An EC shop says how an order stands.
    ReportOrder(Box<OrderReport>),
    /// Personal data, sealed at the edge, takes the place of what was there.
    SetProfile(Box<ProfileChange>),
    /// The person behind a member is forgotten; the ledger stays.
    Erase(Box<Erasure>),
}

/// Staff puts a new version of the programme in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The version this one was compared with; 0 where there is none yet.
    pub replaces: i64,
    /// The settings.
    pub programme: Arc<Programme>,
    /// The text people edited, comments and all.
    pub source: String,
    /// Who.
    pub actor: String,
}

/// A phone shows a key that may be new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrol {
    /// The card.
    pub card_id: CardId,
    /// SEC1 uncompressed point, 65 bytes; the card id is its hash.
    pub public_key: Vec<u8>,
    /// The member to make, if the card is new.
    pub member_id: MemberId,
    /// The member's number, if the card is new.
    pub member_no: MemberNo,
}

/// Staff grants or takes points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The member.
    pub member_id: MemberId,
    /// Granted or taken.
    pub direction: Direction,
    /// How many, at least 1.
    pub points: Points,
    /// Class of the points granted; taken points come from any.
    pub class: String,
    /// Where granted points may be spent.
    pub scope: Scope,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// Somebody at the desk wants to grant or take points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentRequest {
    /// What is wanted; its actor is who wants it.
    pub adjustment: Adjustment,
    /// What the same actor adjusted alone within the last 24 hours.
    pub within_a_day: Points,
}

/// What a second person says to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalDecision {
    /// The proposal.
    pub id: Uuid,
    /// Approved, or refused.
    pub approve: bool,
    /// Why, in words.
    pub reason: String,
    /// Who.
    pub actor: String,
}

words! {
    /// Which way an adjustment goes.
    Direction {
        /// The member gets points.
        Grant = "grant",
        /// The member loses points.
        Take = "take",
    }
}

/// A till's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosCommand {
    /// Who asks.
    pub till: Till,
    /// Its name for the request.
    pub request_id: RequestId,
    /// SHA-256 of what it asks, so that another body under the same id is noticed.
    pub fingerprint: [u8; 32],
    /// What it asks.
    pub ask: Ask,
}

/// What a till asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Whose card is this, what can it spend here.
    Inquiry {
        /// The basket.
        basket_id: BasketId,
        /// The card.
        card: CardProof,
    },
    /// Hold points.
    Authorization {
        /// The basket.
        basket_id: BasketId,
        /// The card.
        card: CardProof,
        /// How many, at least 1.
        points: Points,
    },
    /// Let a hold go.
    Void {
        /// The hold.
        authorization_id: AuthorizationId,
    },
    /// The sale is complete.
    Purchase {
        /// The basket.
        basket_id: BasketId,
        /// What leads to the member.
        payment: Payment,
        /// The receipt.
        receipt: Arc<Receipt>,
        /// Set when the sale is reported afterwards.
        advice: Option<Advice>,
    },
    /// Goods come back, or would.
    Refund {
        /// The purchase.
        purchase_id: PurchaseId,
        /// Pieces by line; none for all that is left.
        lines: Option<Vec<RefundLine>>,
        /// Only say what would happen.
        quote: bool,
    },
    /// Undo a request whose answer never came.
    Reversal {
        /// The request.
        original_request_id: RequestId,
    },
    /// Hold the till's totals of a day against the gateway's.
    Settlement {
        /// The day.
        business_date: Date,
        /// The till's totals.
        totals: SettlementTotals,
    },
}

/// What leads a purchase to its member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// A card; points are authorized and captured in one go.
    Card {
        /// The card.
        card: CardProof,
        /// Points to pay with; zero to earn only.
        redeem: Points,
    },
    /// A hold.
    Authorization {
        /// The hold.
        authorization_id: AuthorizationId,
        /// How much of it; none for all.
        redeem: Option<Points>,
    },
}
