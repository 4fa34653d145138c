//! What a till may ask. Every request carries a `request_id`; unknown fields are refused.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{AuthorizationId, BasketId, Points, Receipt, RequestId, Yen};

/// `POST /v1/pos/inquiries`: whose card is this and what can it spend here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InquiryRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// The basket the card text is bound to.
    pub basket_id: BasketId,
    /// The scanned text, whatever its kind.
    pub card: String,
}

/// `POST /v1/pos/authorizations`: hold points for a basket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizationRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// The basket the card text is bound to.
    pub basket_id: BasketId,
    /// The scanned text, whatever its kind.
    pub card: String,
    /// Points to hold, at least 1.
    pub points: Points,
}

/// `POST /v1/pos/authorizations/{id}/void`: let a hold go before it is captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VoidRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
}

/// `POST /v1/pos/purchases`: the sale is complete; capture its authorization and accrue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PurchaseRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// The basket the card text is bound to.
    pub basket_id: BasketId,
    /// The scanned text. Exactly one of `card` and `authorization_id` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The authorization to capture. Exactly one of `card` and `authorization_id` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_id: Option<AuthorizationId>,
    /// Points paid with. With `card`: authorized and captured in one message (none: earn only).
    /// With `authorization_id`: how much of the hold to capture (none: the whole hold).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeem_points: Option<Points>,
    /// The receipt.
    pub receipt: Receipt,
    /// Present when the sale already happened while the gateway could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
}

/// Marks a purchase as an advice: goods and money have changed hands, the gateway is told afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// When the card was scanned, on the till's clock; the text must have been fresh then.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub scanned_at: Timestamp,
}

/// `POST /v1/pos/purchases/{id}/refunds` and `…/refund-quotes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// What comes back; none for all that is left of the purchase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<RefundLine>>,
}

/// Pieces of one receipt line that come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The line of the receipt.
    pub line_no: u32,
    /// Pieces, at least 1.
    pub quantity: u32,
}

/// `POST /v1/pos/reversals`: undo a request whose answer never came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReversalRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// The request to undo, whether or not it ever arrived.
    pub original_request_id: RequestId,
}

/// `POST /v1/pos/settlements`: the till's totals of a business day, to be held against the gateway's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettlementRequest {
    /// Unique per terminal.
    pub request_id: RequestId,
    /// The business day to settle.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub business_date: Date,
    /// The till's own totals.
    pub totals: SettlementTotals,
}

/// Totals of one terminal on one business day. Reversed purchases count as refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettlementTotals {
    /// Completed purchases.
    pub purchases: u32,
    /// Sum of their totals, tax included.
    pub purchase_total: Yen,
    /// Points paid with.
    pub points_redeemed: Points,
    /// Points earned.
    pub points_earned: Points,
    /// Refunds, reversals of purchases among them.
    pub refunds: u32,
    /// Points given back to members.
    pub points_restored: Points,
    /// Earned points taken back.
    pub points_clawed_back: Points,
}
