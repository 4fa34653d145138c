//! What a till asks for, before it has a name.

use std::fmt;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    message::{Message, Operation},
    verdict::Refusal,
};
use crate::{
    AuthorizationId, AuthorizationRequest, BasketId, InquiryRequest, Points, PurchaseId,
    PurchaseRequest, Receipt, RefundLine, RefundRequest, RequestId, ReversalRequest,
    SettlementRequest, SettlementTotals, VoidRequest,
};

/// A card as the scanner gave it, and when.
#[derive(Clone, PartialEq, Eq)]
pub struct Scan {
    /// The text, whatever its kind.
    pub text: String,
    /// When it was scanned, on the till's own clock ([`Client::now`](super::Client::now)). What the
    /// gateway is told is corrected by how far that clock is known to be off.
    pub at: Timestamp,
}

impl fmt::Debug for Scan {
    /// Without the text: whoever has it can show the card.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A sale.
#[derive(Debug, Clone, PartialEq)]
pub struct Sale {
    /// The basket.
    pub basket_id: BasketId,
    /// The card.
    pub scan: Scan,
    /// The hold to capture; none to pay at once, or to earn only.
    pub authorization_id: Option<AuthorizationId>,
    /// Points paid with. With a hold: how much of it; none for the whole.
    pub redeem_points: Option<Points>,
    /// The receipt.
    pub receipt: Receipt,
}

/// One thing a till asks the gateway.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Ask {
    /// Whose card is this, and what can it spend here?
    Inquiry {
        /// The basket.
        basket_id: BasketId,
        /// The card.
        scan: Scan,
    },
    /// Hold points for the basket.
    Authorization {
        /// The basket.
        basket_id: BasketId,
        /// The card.
        scan: Scan,
        /// How many.
        points: Points,
    },
    /// Let a hold go.
    Void {
        /// The hold's basket.
        basket_id: BasketId,
        /// The hold.
        authorization_id: AuthorizationId,
    },
    /// The sale.
    Purchase(Sale),
    /// What would a refund do?
    RefundQuote {
        /// The sale.
        purchase_id: PurchaseId,
        /// What comes back; none for all that is left.
        lines: Option<Vec<RefundLine>>,
    },
    /// Goods come back.
    Refund {
        /// The sale.
        purchase_id: PurchaseId,
        /// What comes back; none for all that is left.
        lines: Option<Vec<RefundLine>>,
    },
    /// Undo an earlier request of this till, whatever became of it.
    Reversal {
        /// The earlier request.
        original_request_id: RequestId,
    },
    /// Compare the day's totals with the gateway's. The totals are the journal's.
    Settlement {
        /// The business day.
        business_date: Date,
        /// Settle although requests of the day are still unanswered.
        anyway: bool,
    },
}

impl Ask {
    /// What it asks for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Inquiry { .. } => Operation::Inquiry,
            Self::Authorization { .. } => Operation::Authorization,
            Self::Void { .. } => Operation::Void,
            Self::Purchase(_) => Operation::Purchase,
            Self::RefundQuote { .. } => Operation::RefundQuote,
            Self::Refund { .. } => Operation::Refund,
            Self::Reversal { .. } => Operation::Reversal,
            Self::Settlement { .. } => Operation::Settlement,
        }
    }

    /// The rule that the message would break, if any.
    pub(crate) fn violation(&self) -> Option<Refusal> {
        let malformed = |what: String| Some(Refusal::Malformed(what));
        match self {
            Self::Purchase(sale) => sale
                .receipt
                .violation()
                .and_then(|violation| malformed(violation.to_string())),
            Self::Authorization { points, .. } if points.is_zero() => {
                malformed("a hold is of one point at least".to_owned())
            }
            Self::RefundQuote { lines, .. } | Self::Refund { lines, .. } => {
                let lines = lines.as_deref()?;
                let mut numbers: Vec<u32> = lines.iter().map(|line| line.line_no).collect();
                numbers.sort_unstable();
                numbers.dedup();
                if lines.is_empty() || numbers.len() != lines.len() {
                    return malformed("lines that come back are named once each".to_owned());
                }
                let none = lines.iter().any(|line| line.quantity == 0);
                none.then(|| Refusal::Malformed("no pieces of a line come back".to_owned()))
            }
            _ => None,
        }
    }

    /// The basket it belongs to.
    pub(crate) fn basket_id(&self) -> Option<&BasketId> {
        match self {
            Self::Inquiry { basket_id, .. }
            | Self::Authorization { basket_id, .. }
            | Self::Void { basket_id, .. } => Some(basket_id),
            Self::Purchase(sale) => Some(&sale.basket_id),
            _ => None,
        }
    }

    /// When its card was scanned.
    pub(crate) fn scanned_at(&self) -> Option<Timestamp> {
        match self {
            Self::Inquiry { scan, .. } | Self::Authorization { scan, .. } => Some(scan.at),
            Self::Purchase(sale) => Some(sale.scan.at),
            _ => None,
        }
    }

    /// Moves the time of the scan to the gateway's clock.
    pub(crate) fn correct_scan(&mut self, by: SignedDuration) {
        let scan = match self {
            Self::Inquiry { scan, .. } | Self::Authorization { scan, .. } => scan,
            Self::Purchase(sale) => &mut sale.scan,
            _ => return,
        };
        scan.at = scan.at.saturating_add(by).unwrap_or(scan.at);
    }

    /// The message under this name. `totals` are those of a settlement's day.
    pub(crate) fn message(self, request_id: RequestId, totals: SettlementTotals) -> Message {
        match self {
            Self::Inquiry { basket_id, scan } => Message::Inquiry(InquiryRequest {
                request_id,
                basket_id,
                card: scan.text,
            }),
            Self::Authorization {
                basket_id,
                scan,
                points,
            } => Message::Authorization(AuthorizationRequest {
                request_id,
                basket_id,
                card: scan.text,
                points,
            }),
            Self::Void {
                authorization_id, ..
            } => Message::Void(authorization_id, VoidRequest { request_id }),
            Self::Purchase(sale) => Message::Purchase(PurchaseRequest {
                request_id,
                basket_id: sale.basket_id,
                card: sale.authorization_id.is_none().then_some(sale.scan.text),
                authorization_id: sale.authorization_id,
                redeem_points: sale.redeem_points,
                receipt: sale.receipt,
                advice: None,
            }),
            Self::RefundQuote { purchase_id, lines } => {
                Message::RefundQuote(purchase_id, RefundRequest { request_id, lines })
            }
            Self::Refund { purchase_id, lines } => {
                Message::Refund(purchase_id, RefundRequest { request_id, lines })
            }
            Self::Reversal {
                original_request_id,
            } => Message::Reversal(ReversalRequest {
                request_id,
                original_request_id,
            }),
            Self::Settlement { business_date, .. } => Message::Settlement(SettlementRequest {
                request_id,
                business_date,
                totals,
            }),
        }
    }
}
