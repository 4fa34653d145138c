//! What a till writes down before it sends: where to, under which request id, and the exact bytes.

use jiff::tz::TimeZone;
use member_card::CardText;
use pos_protocol::{
    Advice, AuthorizationId, AuthorizationRequest, BasketId, InquiryRequest, Points, PurchaseId,
    PurchaseRequest, Receipt, ReceiptLine, RefundLine, RefundRequest, RequestId, ReversalRequest,
    VoidRequest, Yen,
};
use serde::Serialize;

/// One request of a till. Sending it again sends the same bytes.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Its id, unique per terminal.
    pub request_id: String,
    /// The path it is posted to.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Ask {
    /// A request with any body; for bodies that no message has.
    #[must_use]
    pub fn raw(request_id: &str, path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            request_id: request_id.to_owned(),
            path: path.to_owned(),
            body: body.into(),
        }
    }

    fn message(request_id: &str, path: String, message: &impl Serialize) -> Self {
        let body = serde_json::to_vec(message).expect("messages have a JSON text");
        Self {
            request_id: request_id.to_owned(),
            path,
            body,
        }
    }

    /// Whose card is this.
    #[must_use]
    pub fn inquiry(request_id: &str, basket_id: &str, card: &CardText) -> Self {
        let message = InquiryRequest {
            request_id: id(request_id),
            basket_id: basket(basket_id),
            card: card.to_digits(),
        };
        Self::message(request_id, "/v1/pos/inquiries".into(), &message)
    }

    /// Hold points.
    #[must_use]
    pub fn authorization(request_id: &str, basket_id: &str, card: &CardText, points: i64) -> Self {
        let message = AuthorizationRequest {
            request_id: id(request_id),
            basket_id: basket(basket_id),
            card: card.to_digits(),
            points: amount(points),
        };
        Self::message(request_id, "/v1/pos/authorizations".into(), &message)
    }

    /// Let a hold go.
    #[must_use]
    pub fn void(request_id: &str, authorization: AuthorizationId) -> Self {
        let message = VoidRequest {
            request_id: id(request_id),
        };
        let path = format!("/v1/pos/authorizations/{authorization}/void");
        Self::message(request_id, path, &message)
    }

    /// A sale whose points part, if any, is paid at once.
    #[must_use]
    pub fn purchase(
        request_id: &str,
        basket_id: &str,
        card: &CardText,
        redeem: i64,
        receipt: Receipt,
    ) -> Self {
        let message = PurchaseRequest {
            card: Some(card.to_digits()),
            redeem_points: (redeem > 0).then(|| amount(redeem)),
            ..sale(request_id, basket_id, receipt)
        };
        Self::message(request_id, "/v1/pos/purchases".into(), &message)
    }

    /// A sale that captures a hold, whole (`None`) or in part.
    #[must_use]
    pub fn capture(
        request_id: &str,
        basket_id: &str,
        authorization: AuthorizationId,
        redeem: Option<i64>,
        receipt: Receipt,
    ) -> Self {
        let message = PurchaseRequest {
            authorization_id: Some(authorization),
            redeem_points: redeem.map(amount),
            ..sale(request_id, basket_id, receipt)
        };
        Self::message(request_id, "/v1/pos/purchases".into(), &message)
    }

    /// A sale that happened while the gateway could not be asked.
    #[must_use]
    pub fn advice(
        request_id: &str,
        basket_id: &str,
        card: &CardText,
        scanned_at: jiff::Timestamp,
        receipt: Receipt,
    ) -> Self {
        let message = PurchaseRequest {
            card: Some(card.to_digits()),
            advice: Some(Advice { scanned_at }),
            ..sale(request_id, basket_id, receipt)
        };
        Self::message(request_id, "/v1/pos/purchases".into(), &message)
    }

    /// Goods come back: pieces by line, or all that is left.
    #[must_use]
    pub fn refund(request_id: &str, purchase: PurchaseId, lines: Option<&[(u32, u32)]>) -> Self {
        Self::take_back(request_id, purchase, lines, "refunds")
    }

    /// What a refund would give.
    #[must_use]
    pub fn refund_quote(
        request_id: &str,
        purchase: PurchaseId,
        lines: Option<&[(u32, u32)]>,
    ) -> Self {
        Self::take_back(request_id, purchase, lines, "refund-quotes")
    }

    fn take_back(
        request_id: &str,
        purchase: PurchaseId,
        lines: Option<&[(u32, u32)]>,
        what: &str,
    ) -> Self {
        let line = |&(line_no, quantity)| RefundLine { line_no, quantity };
        let message = RefundRequest {
            request_id: id(request_id),
            lines: lines.map(|lines| lines.iter().map(line).collect()),
        };
        let path = format!("/v1/pos/purchases/{purchase}/{what}");
        Self::message(request_id, path, &message)
    }

    /// Undo a request, whether or not it arrived.
    #[must_use]
    pub fn reversal(request_id: &str, original_request_id: &str) -> Self {
        let message = ReversalRequest {
            request_id: id(request_id),
            original_request_id: id(original_request_id),
        };
        Self::message(request_id, "/v1/pos/reversals".into(), &message)
    }
}

fn sale(request_id: &str, basket_id: &str, receipt: Receipt) -> PurchaseRequest {
    PurchaseRequest {
        request_id: id(request_id),
        basket_id: basket(basket_id),
        card: None,
        authorization_id: None,
        redeem_points: None,
        receipt,
        advice: None,
    }
}

fn id(text: &str) -> RequestId {
    RequestId::new(text).expect("a request id")
}

fn basket(text: &str) -> BasketId {
    BasketId::new(text).expect("a basket id")
}

fn amount(points: i64) -> Points {
    Points::new(points).expect("an amount of points")
}

/// A receipt of today with one line for each amount of yen, tax included at 10 %. Line `n` (from 1)
/// has `n` pieces, so that lines can come back in part.
///
/// # Panics
/// If an amount is no amount of yen.
#[must_use]
pub fn receipt(number: &str, yen: &[i64]) -> Receipt {
    let now = gateway::clock::Clock::system().now();
    let zone = TimeZone::get("Asia/Tokyo").expect("the time zone is built in");
    let lines: Vec<_> = (1_u32..)
        .zip(yen)
        .map(|(line_no, yen)| ReceiptLine {
            line_no,
            sku: format!("sku-{line_no}"),
            name: format!("goods {line_no}"),
            category: "goods".into(),
            quantity: line_no,
            amount: Yen::new(*yen).expect("an amount of yen"),
            tax_rate: 10,
        })
        .collect();
    let total = Yen::total(lines.iter().map(|line| line.amount));
    Receipt {
        number: number.to_owned(),
        business_date: now.to_zoned(zone).date(),
        occurred_at: now,
        tax: Yen::new(total.get() / 11).expect("less than the total"),
        total,
        lines,
    }
}
