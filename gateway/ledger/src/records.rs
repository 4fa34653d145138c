//! What is kept of authorizations, purchases, refunds, requests, settlements and events: rows as
//! values. The rules that make and change them are in the module of each noun.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date};
use pos_protocol::{
    AuthorizationId, BasketId, EventId, LotId, MemberId, PendingId, Points, PurchaseId, Receipt,
    RefundId, RequestId, SettlementId, SettlementTotals, ShopId, StoreId, TerminalId, Yen,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{account::words, card_use::UseKey, event::EventKind, lot::Part, programme::Programme};

words! {
    /// The life of a hold. All but `Held` are final.
    HoldState {
        /// Points are promised to the basket.
        Held = "held",
        /// A purchase took them, whole or in part.
        Captured = "captured",
        /// The till let go.
        Voided = "voided",
        /// The till's request was undone.
        Reversed = "reversed",
        /// Its time ran out.
        Expired = "expired",
    }
}

/// An authorization: a hold on named lots for one basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// The authorization.
    pub id: AuthorizationId,
    /// Whose points.
    pub member_id: MemberId,
    /// The terminal it was given to.
    pub terminal_id: TerminalId,
    /// The terminal's store.
    pub store_id: StoreId,
    /// The basket it was given for.
    pub basket_id: BasketId,
    /// The card text or short code that allowed it.
    pub used: UseKey,
    /// Points held.
    pub points: Points,
    /// The lots they come from, in the order they are spent.
    pub parts: Vec<Part>,
    /// Where it is in its life.
    pub state: HoldState,
    /// Points captured; zero unless captured.
    pub captured: Points,
    /// When it was given.
    pub held_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// When it reached its final state.
    pub resolved_at: Option<Timestamp>,
}

impl Authorization {
    /// Six digits for the receipt (ISO 8583 field 38), a function of the id.
    #[must_use]
    pub fn approval_code(&self) -> String {
        format!("{:06}", self.id.as_uuid().as_u128() % 999_983)
    }
}

words! {
    /// The life of a purchase.
    PurchaseState {
        /// Goods and points changed hands.
        Completed = "completed",
        /// The till's request was undone: refunded whole, and its basket is free again.
        Reversed = "reversed",
    }
}

/// What one rule granted for a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// How many points.
    pub points: Points,
    /// Their class.
    pub class: String,
    /// The lot they went to.
    pub lot_id: LotId,
    /// Last day they can be spent.
    pub expires_on: Option<Date>,
    /// The pending grant, if they cannot be spent at once.
    pub pending_id: Option<PendingId>,
    /// First day they can be spent, if they cannot be spent at once.
    pub pending_until: Option<Date>,
    /// The arithmetic in words.
    pub why: String,
}

/// A completed purchase, with all that a refund and a "why" need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The purchase.
    pub id: PurchaseId,
    /// Whose.
    pub member_id: MemberId,
    /// The terminal that sold.
    pub terminal_id: TerminalId,
    /// Its store.
    pub store_id: StoreId,
    /// The basket.
    pub basket_id: BasketId,
    /// The authorization it captured, if points were held before.
    pub authorization_id: Option<AuthorizationId>,
    /// The card text or short code of the basket.
    pub used: UseKey,
    /// The receipt as the till sent it.
    pub receipt: Arc<Receipt>,
    /// Points the member paid with.
    pub redeemed: Points,
    /// The lots they came from, in the order they were spent.
    pub redeemed_parts: Vec<Part>,
    /// Points an advice claimed beyond what the member had.
    pub shortfall: Points,
    /// Points earned, pending ones included.
    pub earned_points: Points,
    /// Where they come from.
    pub earned: Vec<Earned>,
    /// Whether the sale was reported afterwards.
    pub advice: bool,
    /// The EC shop whose order it stands for; only the shop takes it back.
    pub shop_id: Option<ShopId>,
    /// Whether a shipping fee on the receipt earned, by the programme of then.
    pub fee_earns: bool,
    /// The programme version that decided.
    pub programme_version: i64,
    /// When the gateway recorded it.
    pub recorded_at: Timestamp,
    /// Completed or reversed.
    pub state: PurchaseState,
    /// Pieces refunded so far, by receipt line.
    pub refunded: BTreeMap<u32, u32>,
    /// Yen of the goods refunded so far.
    pub refunded_amount: Yen,
    /// Spent points returned to their lots so far, lapsed ones included.
    pub restored: Points,
    /// Earned points due back so far, taken or not.
    pub clawback_due: Points,
}

/// One refund, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The purchase it takes back from.
    pub purchase_id: PurchaseId,
    /// Whose.
    pub member_id: MemberId,
    /// The terminal that refunded.
    pub terminal_id: TerminalId,
    /// Its store.
    pub store_id: StoreId,
    /// The open business day it posts to.
    pub business_date: Date,
    /// Pieces by receipt line.
    pub lines: BTreeMap<u32, u32>,
    /// Yen of the goods.
    pub amount: Yen,
    /// Spent points given back, for the member to spend again.
    pub restored: Points,
    /// Spent points that had expired meanwhile: given back and lapsed at once, not counted in `restored`.
    pub lapsed: Points,
    /// Earned points taken back.
    pub clawed_back: Points,
    /// Earned points now owed.
    pub owed: Points,
    /// Yen to keep from the cash refund.
    pub shortfall: Yen,
    /// Whether a reversal made it.
    pub reversal: bool,
    /// When.
    pub at: Timestamp,
}

words! {
    /// What a stored request asked for.
    RequestKind {
        /// An inquiry.
        Inquiry = "inquiry",
        /// An authorization.
        Authorization = "authorization",
        /// A void.
        Void = "void",
        /// A purchase.
        Purchase = "purchase",
        /// A refund quote.
        RefundQuote = "refund_quote",
        /// A refund.
        Refund = "refund",
        /// A reversal.
        Reversal = "reversal",
        /// A settlement.
        Settlement = "settlement",
        /// Nothing yet: a reversal came first, and the late original is declined.
        Tombstone = "tombstone",
    }
}

/// A request that was answered. (terminal, request id) is unique: one effect, one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// The terminal.
    pub terminal_id: TerminalId,
    /// Its name for the request.
    pub request_id: RequestId,
    /// The member it touched, if any.
    pub member_id: Option<MemberId>,
    /// What it asked for.
    pub kind: RequestKind,
    /// SHA-256 of what it asked for; none in a tombstone, which fits any.
    pub fingerprint: Option<[u8; 32]>,
    /// The authorization, purchase or refund it made; none if it was declined or made none.
    pub effect: Option<Uuid>,
    /// The answer, byte for byte.
    pub answer: Arc<str>,
    /// When it was answered.
    pub at: Timestamp,
}

/// A settlement of one terminal's business day, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The settlement.
    pub id: SettlementId,
    /// The terminal.
    pub terminal_id: TerminalId,
    /// Its store.
    pub store_id: StoreId,
    /// The day.
    pub business_date: Date,
    /// What the till sent.
    pub till: SettlementTotals,
    /// What the gateway had.
    pub gateway: SettlementTotals,
    /// When.
    pub at: Timestamp,
}

/// A programme version, immutable once written; the one with the highest number is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgrammeVersion {
    /// From 1, without gaps.
    pub version: i64,
    /// The settings.
    pub programme: Arc<Programme>,
    /// The text people edited.
    pub source: String,
    /// Who put it in force.
    pub actor: String,
    /// When.
    pub activated_at: Timestamp,
}

/// Something that happened, for whoever listens. Written with its cause, sent later, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event; also the message id.
    pub id: EventId,
    /// The member it is about.
    pub member_id: Option<MemberId>,
    /// Place among the member's events, from 1; 0 where no member is meant.
    pub member_sequence: i64,
    /// CloudEvents type, and routing key.
    pub kind: EventKind,
    /// CloudEvents subject.
    pub subject: String,
    /// When it happened.
    pub at: Timestamp,
    /// CloudEvents data, as JSON text. No personal data, no card text.
    pub data: String,
}
