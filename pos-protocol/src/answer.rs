//! What the gateway answers. Answers are stored with their request and given again byte for byte.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    AuthorizationId, Outcome, Points, PurchaseId, Reason, RefundId, RequestId, ResponseCode,
    SettlementId, SettlementTotals, Yen,
};

macro_rules! answer {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name {
            /// Approved or declined.
            pub outcome: Outcome,
            /// ISO 8583 field 39.
            pub response_code: ResponseCode,
            /// Why it was declined.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub reason: Option<Reason>,
            /// The request this answers.
            pub request_id: RequestId,
            $($(#[$fdoc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }

        impl $name {
            /// An approval with nothing filled in yet.
            #[must_use]
            pub fn approved(request_id: RequestId) -> Self {
                Self {
                    outcome: Outcome::Approved,
                    response_code: ResponseCode::Approved,
                    reason: None,
                    request_id,
                    $($field: None,)*
                }
            }
        }
    };
}

answer! {
    /// A decline of any request; the other answers have this shape when they are declined.
    DeclineAnswer {
        /// Points of the member, where the card was good enough to name one.
        points: Balance,
    }
}

impl DeclineAnswer {
    /// A decline for `reason`.
    #[must_use]
    pub fn new(request_id: RequestId, reason: Reason, points: Option<Balance>) -> Self {
        Self {
            outcome: Outcome::Declined,
            response_code: reason.response_code(),
            reason: Some(reason),
            request_id,
            points,
        }
    }
}

/// The member's points after the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Balance {
    /// Points not held, not pending.
    pub available: Points,
    /// What this card may spend in this basket now: scope, card limit and programme limit applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spendable: Option<Points>,
}

/// The member as a cashier may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberView {
    /// A name a cashier may say aloud; holds no personal data the member did not give.
    pub display_name: String,
    /// The member number with all but the last four digits hidden.
    pub member_no_masked: String,
    /// The member's rank in the programme.
    pub rank: String,
}

answer! {
    /// Answer to an inquiry.
    InquiryAnswer {
        /// Who it is.
        member: MemberView,
        /// What there is to spend.
        points: Balance,
    }
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuthorizationView {
    /// Name it in the purchase or the void.
    pub id: AuthorizationId,
    /// Six digits for the receipt (ISO 8583 field 38).
    pub approval_code: String,
    /// Points held.
    pub points: Points,
    /// After this the points go back by themselves.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Timestamp,
}

answer! {
    /// Answer to an authorization.
    AuthorizationAnswer {
        /// The hold.
        authorization: AuthorizationView,
        /// What is left.
        points: Balance,
    }
}

answer! {
    /// Answer to a void.
    VoidAnswer {
        /// What is there after the points went back.
        points: Balance,
    }
}

/// Points one rule granted for a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EarnedView {
    /// How many.
    pub points: Points,
    /// The class of the lot they went to.
    pub class: String,
    /// Last day they can be spent; none if they do not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub expires_on: Option<Date>,
    /// The first day they can be spent, if that is later than today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub pending_until: Option<Date>,
    /// The arithmetic in words.
    pub why: String,
}

/// A completed purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseView {
    /// Name it in refunds.
    pub id: PurchaseId,
    /// Points paid with.
    pub points_redeemed: Points,
    /// Points an advice claimed beyond what the member had; the store bears them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_shortfall: Option<Points>,
    /// Points earned, pending ones included.
    pub points_earned: Points,
    /// Where the earned points come from.
    pub earned: Vec<EarnedView>,
}

answer! {
    /// Answer to a purchase.
    PurchaseAnswer {
        /// The purchase.
        purchase: PurchaseView,
        /// What is there now.
        points: Balance,
    }
}

/// What a refund does, or would do, to points and cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefundView {
    /// The refund; none in a quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RefundId>,
    /// Yen value of the returned goods, tax included.
    pub amount: Yen,
    /// Spent points given back.
    pub points_restored: Points,
    /// Spent points that had expired meanwhile and lapse.
    pub points_lapsed: Points,
    /// Earned points taken back.
    pub points_clawed_back: Points,
    /// Earned points the member no longer has; the next accrual pays them.
    pub points_owed: Points,
    /// Earned points the member no longer has, to be kept from the cash refund, in yen.
    pub shortfall_yen: Yen,
}

answer! {
    /// Answer to a refund or a refund quote.
    RefundAnswer {
        /// What happened, or would happen.
        refund: RefundView,
        /// What is there now.
        points: Balance,
    }
}

/// What a reversal found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReversalEffect {
    /// The hold was released.
    Reversed,
    /// The purchase was refunded whole.
    Refunded,
    /// There was nothing to undo, and there never will be: a late original is declined.
    NothingToReverse,
}

/// The original of a reversal, as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OriginalView {
    /// What the original asked for.
    pub operation: String,
    /// The state it is in now.
    pub state: String,
}

answer! {
    /// Answer to a reversal.
    ReversalAnswer {
        /// What was undone.
        effect: ReversalEffect,
        /// The original, if it had arrived.
        original: OriginalView,
        /// What is there now.
        points: Balance,
        /// The linked refund, when a purchase was undone.
        refund: RefundView,
    }
}

/// One total on which till and gateway differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The total's name.
    pub field: String,
    /// What the till says.
    pub till: i64,
    /// What the gateway says.
    pub gateway: i64,
}

answer! {
    /// Answer to a settlement.
    SettlementAnswer {
        /// The settlement.
        settlement_id: SettlementId,
        /// What the till sent.
        till: SettlementTotals,
        /// What the gateway has.
        gateway: SettlementTotals,
        /// Every total on which they differ; empty when both agree.
        differences: Vec<Difference>,
    }
}
