//! What a till may ask. Every request carries a `request_id`; unknown fields are refused.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{AuthorizationId, BasketId, Points, Receipt, RequestId, Yen};

/// `POST /v1/pos/inquiries`: whose card is this and what can it spend here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// What stands for a card text where a message is shown: whoever has the text can show the card.
struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Debug for InquiryRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InquiryRequest")
            .field("request_id", &self.request_id)
            .field("basket_id", &self.basket_id)
            .field("card", &Hidden)
            .finish()
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("request_id", &self.request_id)
            .field("basket_id", &self.basket_id)
            .field("card", &Hidden)
            .field("points", &self.points)
            .finish()
    }
}

impl fmt::Debug for PurchaseRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PurchaseRequest")
            .field("request_id", &self.request_id)
            .field("basket_id", &self.basket_id)
            .field("card", &self.card.as_ref().map(|_| Hidden))
            .field("authorization_id", &self.authorization_id)
            .field("redeem_points", &self.redeem_points)
            .field("receipt", &self.receipt)
            .field("advice", &self.advice)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_text_is_never_shown() {
        let request_id = RequestId::new("r-1").unwrap();
        let basket_id = BasketId::new("b-1").unwrap();
        let card = "7001234567890".to_owned();
        let receipt = Receipt {
            number: "R-1".to_owned(),
            business_date: "2026-11-22".parse().unwrap(),
            occurred_at: Timestamp::UNIX_EPOCH,
            lines: Vec::new(),
            total: Yen::ZERO,
            tax: Yen::ZERO,
        };
        let inquiry = InquiryRequest {
            request_id: request_id.clone(),
            basket_id: basket_id.clone(),
            card: card.clone(),
        };
        let authorization = AuthorizationRequest {
            request_id: request_id.clone(),
            basket_id: basket_id.clone(),
            card: card.clone(),
            points: Points::ZERO,
        };
        let purchase = PurchaseRequest {
            request_id,
            basket_id,
            card: Some(card.clone()),
            authorization_id: None,
            redeem_points: None,
            receipt,
            advice: None,
        };
        let shown = format!("{inquiry:?} {authorization:#?} {purchase:?}");
        assert!(shown.contains("b-1") && !shown.contains(&card), "{shown}");
    }
}
