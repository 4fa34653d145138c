//! What an answer says: the outcome, an ISO 8583 response code, and a stable reason word.

use serde::{Deserialize, Serialize};

/// Whether the gateway did what was asked. An unknown outcome is neither: it is a fault, never an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done, durably.
    Approved,
    /// Refused by a rule, durably: the same request id gets the same refusal again.
    Declined,
}

/// Field 39 of ISO 8583:1987, the subset this gateway uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub enum ResponseCode {
    /// Approved.
    #[serde(rename = "00")]
    Approved,
    /// Invalid transaction: the state of the hold, basket or day does not allow it.
    #[serde(rename = "12")]
    InvalidTransaction,
    /// Invalid amount.
    #[serde(rename = "13")]
    InvalidAmount,
    /// No such card number (also: unreadable text, wrong signature).
    #[serde(rename = "14")]
    UnknownCard,
    /// No action taken: the original cannot be reversed.
    #[serde(rename = "21")]
    NoActionTaken,
    /// Unable to locate the original record.
    #[serde(rename = "25")]
    RecordNotFound,
    /// Lost or blocked card or member.
    #[serde(rename = "41")]
    BlockedCard,
    /// Not enough points.
    #[serde(rename = "51")]
    InsufficientPoints,
    /// Expired card text.
    #[serde(rename = "54")]
    ExpiredCardText,
    /// Not permitted on this card or at this terminal.
    #[serde(rename = "58")]
    NotPermitted,
    /// Above a limit.
    #[serde(rename = "61")]
    AboveLimit,
    /// Received too late.
    #[serde(rename = "68")]
    TooLate,
    /// Duplicate: the card text or basket was already used.
    #[serde(rename = "94")]
    AlreadyUsed,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal => $code:ident),* $(,)?) => {
        /// Why a request was declined. The words are stable; new ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Reason {
            /// Every reason, for catalogues and tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The ISO 8583 response code that goes with the reason.
            #[must_use]
            pub const fn response_code(self) -> ResponseCode {
                match self { $(Self::$name => ResponseCode::$code,)* }
            }
        }
    };
}

reasons! {
    /// The text is unreadable, names no known card, or its signature is wrong. One answer for all three.
    UnknownCard = "unknown_card" => UnknownCard,
    /// The card was revoked by its owner or by staff.
    CardBlocked = "card_blocked" => BlockedCard,
    /// The member is blocked.
    MemberBlocked = "member_blocked" => BlockedCard,
    /// The card text is too old, or the basket that used it has outlived its time.
    CardTextExpired = "card_text_expired" => ExpiredCardText,
    /// The card text carries a time ahead of the gateway's clock.
    CardTextFromFuture = "card_text_from_future" => ExpiredCardText,
    /// Another basket used this card text first.
    CardAlreadyUsed = "card_already_used" => AlreadyUsed,
    /// The shopper has not switched spending on for this text.
    SpendNotAllowed = "spend_not_allowed" => NotPermitted,
    /// More than the shopper's spend limit in this text.
    AboveCardLimit = "above_card_limit" => AboveLimit,
    /// More than the programme lets one basket or one request spend.
    AboveProgrammeLimit = "above_programme_limit" => AboveLimit,
    /// More points than the receipt's total is worth.
    AboveReceiptTotal = "above_receipt_total" => AboveLimit,
    /// More than the authorization holds.
    AboveHold = "above_hold" => AboveLimit,
    /// More than what is left of the purchase to refund.
    AboveRefundable = "above_refundable" => AboveLimit,
    /// Nothing is asked for.
    ZeroPoints = "zero_points" => InvalidAmount,
    /// Too many open holds of this member.
    TooManyHolds = "too_many_holds" => AboveLimit,
    /// An amount or balance would pass the largest amount the ledger carries.
    AmountTooLarge = "amount_too_large" => AboveLimit,
    /// The member has fewer spendable points.
    InsufficientPoints = "insufficient_points" => InsufficientPoints,
    /// No such authorization for this till and basket.
    UnknownAuthorization = "unknown_authorization" => RecordNotFound,
    /// No such purchase where this till may see it.
    UnknownPurchase = "unknown_purchase" => RecordNotFound,
    /// No such line on the receipt.
    UnknownLine = "unknown_line" => RecordNotFound,
    /// The hold timed out and its points went back.
    HoldExpired = "hold_expired" => InvalidTransaction,
    /// The hold was voided.
    AlreadyVoided = "already_voided" => InvalidTransaction,
    /// The hold was captured by a purchase.
    AlreadyCaptured = "already_captured" => InvalidTransaction,
    /// The request, hold or purchase was reversed.
    Reversed = "reversed" => InvalidTransaction,
    /// This basket already has its purchase.
    BasketCompleted = "basket_completed" => AlreadyUsed,
    /// The business date is not open at this store.
    BusinessDateNotOpen = "business_date_not_open" => InvalidTransaction,
    /// The advice arrived after the programme's limit.
    AdviceTooLate = "advice_too_late" => TooLate,
    /// The original is a kind of request that cannot be reversed.
    NotReversible = "not_reversible" => NoActionTaken,
}
