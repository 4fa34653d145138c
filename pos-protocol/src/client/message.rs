//! A request as the till keeps it: the wire message, where it goes, and what giving it up means.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::verdict::Decline;
use crate::{
    Advice, AuthorizationAnswer, AuthorizationId, AuthorizationRequest, BasketId, InquiryAnswer,
    InquiryRequest, Outcome, Points, PurchaseAnswer, PurchaseId, PurchaseRequest, Reason,
    RefundAnswer, RefundRequest, RequestId, ReversalAnswer, ReversalRequest, SettlementAnswer,
    SettlementRequest, VoidAnswer, VoidRequest,
};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Whose card is this.
    Inquiry,
    /// Hold points.
    Authorization,
    /// Let a hold go.
    Void,
    /// The sale.
    Purchase,
    /// What would a refund do.
    RefundQuote,
    /// Goods come back.
    Refund,
    /// Undo a request.
    Reversal,
    /// Compare a day's totals.
    Settlement,
}

/// A message on its way to the gateway.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each is the request of its name")]
pub enum Message {
    Inquiry(InquiryRequest),
    Authorization(AuthorizationRequest),
    Void(AuthorizationId, VoidRequest),
    Purchase(PurchaseRequest),
    RefundQuote(PurchaseId, RefundRequest),
    Refund(PurchaseId, RefundRequest),
    Reversal(ReversalRequest),
    Settlement(SettlementRequest),
}

/// What a till does with a request that has no answer when the cashier can wait no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// Nothing: it changes nothing that matters.
    Forget,
    /// Undo it with a reversal; nothing may be given on its strength.
    Reverse,
    /// Let it stand, and repeat it under its id until it is answered.
    Keep,
}

/// Whether a sale may be paid with points that the gateway was not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OfflineSpending {
    /// Points not promised by the gateway are not taken. The cashier is told to take them off.
    #[default]
    Refuse,
    /// The shop takes them all the same and bears what the member turns out not to have: the gateway
    /// books the shortfall against the store.
    StoreBearsRisk,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// Done, durably.
    Approved(Value),
    /// Refused by a rule, durably.
    Declined(Decline),
}

/// A request as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Request {
    /// What is sent.
    pub message: Message,
    /// When it was written down, on the till's clock.
    pub at: Timestamp,
    /// The basket, also of messages that do not name it: requests of one basket go in order.
    pub basket_id: Option<BasketId>,
    /// When the card was scanned; a sale that becomes an advice needs it.
    pub scanned_at: Option<Timestamp>,
    /// The request this one takes the place of: a sale that becomes an advice, an id that was taken.
    pub replaces: Option<RequestId>,
}

/// The same, as a line of the journal has it: path and body as they are sent.
#[derive(Serialize, Deserialize)]
struct Written {
    request_id: RequestId,
    at: Timestamp,
    operation: Operation,
    path: String,
    body: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basket_id: Option<BasketId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scanned_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<RequestId>,
}

impl Message {
    /// What it asks for.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Inquiry(_) => Operation::Inquiry,
            Self::Authorization(_) => Operation::Authorization,
            Self::Void(..) => Operation::Void,
            Self::Purchase(_) => Operation::Purchase,
            Self::RefundQuote(..) => Operation::RefundQuote,
            Self::Refund(..) => Operation::Refund,
            Self::Reversal(_) => Operation::Reversal,
            Self::Settlement(_) => Operation::Settlement,
        }
    }

    /// Where it is posted.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Inquiry(_) => "/v1/pos/inquiries".to_owned(),
            Self::Authorization(_) => "/v1/pos/authorizations".to_owned(),
            Self::Void(id, _) => format!("/v1/pos/authorizations/{id}/void"),
            Self::Purchase(_) => "/v1/pos/purchases".to_owned(),
            Self::RefundQuote(id, _) => format!("/v1/pos/purchases/{id}/refund-quotes"),
            Self::Refund(id, _) => format!("/v1/pos/purchases/{id}/refunds"),
            Self::Reversal(_) => "/v1/pos/reversals".to_owned(),
            Self::Settlement(_) => "/v1/pos/settlements".to_owned(),
        }
    }

    /// The body, the same every time.
    #[must_use]
    pub fn body(&self) -> Value {
        let body = match self {
            Self::Inquiry(body) => serde_json::to_value(body),
            Self::Authorization(body) => serde_json::to_value(body),
            Self::Void(_, body) => serde_json::to_value(body),
            Self::Purchase(body) => serde_json::to_value(body),
            Self::RefundQuote(_, body) | Self::Refund(_, body) => serde_json::to_value(body),
            Self::Reversal(body) => serde_json::to_value(body),
            Self::Settlement(body) => serde_json::to_value(body),
        };
        // Messages are plain data with text keys; they always have a JSON form.
        body.unwrap_or_default()
    }

    /// Its request id.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        match self {
            Self::Inquiry(body) => &body.request_id,
            Self::Authorization(body) => &body.request_id,
            Self::Void(_, body) => &body.request_id,
            Self::Purchase(body) => &body.request_id,
            Self::RefundQuote(_, body) | Self::Refund(_, body) => &body.request_id,
            Self::Reversal(body) => &body.request_id,
            Self::Settlement(body) => &body.request_id,
        }
    }

    /// The same message under another id.
    #[must_use]
    pub fn renamed(mut self, request_id: RequestId) -> Self {
        *match &mut self {
            Self::Inquiry(body) => &mut body.request_id,
            Self::Authorization(body) => &mut body.request_id,
            Self::Void(_, body) => &mut body.request_id,
            Self::Purchase(body) => &mut body.request_id,
            Self::RefundQuote(_, body) | Self::Refund(_, body) => &mut body.request_id,
            Self::Reversal(body) => &mut body.request_id,
            Self::Settlement(body) => &mut body.request_id,
        } = request_id;
        self
    }

    /// The sale, if it is one.
    #[must_use]
    pub fn purchase(&self) -> Option<&PurchaseRequest> {
        match self {
            Self::Purchase(sale) => Some(sale),
            _ => None,
        }
    }

    /// The request it undoes, if it is a reversal.
    #[must_use]
    pub fn reverses(&self) -> Option<&RequestId> {
        match self {
            Self::Reversal(body) => Some(&body.original_request_id),
            _ => None,
        }
    }

    /// Whether nobody waits for it from the beginning: it tells the gateway what has happened.
    #[must_use]
    pub fn is_afterwards(&self) -> bool {
        match self {
            Self::Reversal(_) => true,
            Self::Purchase(sale) => sale.advice.is_some(),
            _ => false,
        }
    }

    /// What giving it up means. `held` is how many points the hold that it captures promised, if the
    /// till knows.
    #[must_use]
    pub fn give_up(&self, spending: OfflineSpending, held: Option<Points>) -> GiveUp {
        match self {
            Self::Inquiry(_) | Self::RefundQuote(..) | Self::Settlement(_) => GiveUp::Forget,
            Self::Authorization(_) => GiveUp::Reverse,
            Self::Void(..) | Self::Refund(..) | Self::Reversal(_) => GiveUp::Keep,
            // A hold was promised; points without a hold, or above it, were not.
            Self::Purchase(sale) => match sale.redeem_points {
                Some(points)
                    if sale.advice.is_none()
                        && held.is_none_or(|held| points > held)
                        && !points.is_zero()
                        && spending == OfflineSpending::Refuse =>
                {
                    GiveUp::Reverse
                }
                _ => GiveUp::Keep,
            },
        }
    }

    /// The sale as an advice: it happened, and is told afterwards.
    #[must_use]
    pub fn as_advice(&self, scanned_at: Timestamp, request_id: RequestId) -> Option<Self> {
        let sale = self.purchase()?;
        Some(Self::Purchase(PurchaseRequest {
            request_id,
            advice: Some(Advice { scanned_at }),
            ..sale.clone()
        }))
    }

    /// Whether an advice may get what the sale itself, declined for this, did not: what it is judged
    /// by is the time of the scan, and it is never refused for lack of points. Those it takes only
    /// where the store bears the risk.
    #[must_use]
    pub fn advice_may_cure(&self, decline: &Decline, spending: OfflineSpending) -> bool {
        let Some(sale) = self.purchase().filter(|sale| sale.advice.is_none()) else {
            return false;
        };
        match decline.known() {
            Some(Reason::CardTextExpired | Reason::HoldExpired | Reason::BusinessDateNotOpen) => {
                true
            }
            Some(
                Reason::InsufficientPoints
                | Reason::SpendNotAllowed
                | Reason::AboveCardLimit
                | Reason::AboveProgrammeLimit
                | Reason::AboveReceiptTotal
                | Reason::AboveHold,
            ) => spending == OfflineSpending::StoreBearsRisk,
            Some(Reason::MemberBlocked) => sale.authorization_id.is_some(),
            _ => false,
        }
    }

    /// Whether this is an answer of a gateway under this message's id, whatever it answers.
    pub(crate) fn is_named_by(&self, answer: &Value) -> bool {
        let id = answer.get("request_id").and_then(Value::as_str);
        id == Some(self.request_id().as_str()) && answer.get("outcome").is_some()
    }

    /// What an answer says; `None` if it is not an answer to this message.
    #[must_use]
    pub fn read(&self, answer: &Value) -> Option<Reading> {
        if !self.is_named_by(answer) {
            return None;
        }
        let outcome = answer.get("outcome").cloned().unwrap_or_default();
        match serde_json::from_value(outcome).ok()? {
            Outcome::Declined => Decline::read(answer).map(Reading::Declined),
            Outcome::Approved => self.fits(answer).then(|| Reading::Approved(answer.clone())),
        }
    }

    /// Whether an approval has what an approval of this message has.
    fn fits(&self, answer: &Value) -> bool {
        fn has<A: DeserializeOwned>(answer: &Value, wanted: fn(&A) -> bool) -> bool {
            A::deserialize(answer).is_ok_and(|answer| wanted(&answer))
        }
        match self {
            Self::Inquiry(_) => has::<InquiryAnswer>(answer, |a| a.member.is_some()),
            Self::Authorization(_) => {
                has::<AuthorizationAnswer>(answer, |a| a.authorization.is_some())
            }
            Self::Void(..) => has::<VoidAnswer>(answer, |_| true),
            Self::Purchase(_) => has::<PurchaseAnswer>(answer, |a| a.purchase.is_some()),
            Self::RefundQuote(..) | Self::Refund(..) => {
                has::<RefundAnswer>(answer, |a| a.refund.is_some())
            }
            Self::Reversal(_) => has::<ReversalAnswer>(answer, |a| a.effect.is_some()),
            Self::Settlement(_) => has::<SettlementAnswer>(answer, |a| a.differences.is_some()),
        }
    }

    /// Takes the card text out; for what is settled.
    pub(crate) fn strip(&mut self) {
        match self {
            Self::Inquiry(body) => body.card.clear(),
            Self::Authorization(body) => body.card.clear(),
            Self::Purchase(body) => body.card = None,
            _ => {}
        }
    }
}

impl From<Request> for Written {
    fn from(request: Request) -> Self {
        let message = request.message;
        Self {
            request_id: message.request_id().clone(),
            at: request.at,
            operation: message.operation(),
            path: message.path(),
            body: message.body(),
            basket_id: request.basket_id,
            scanned_at: request.scanned_at,
            replaces: request.replaces,
        }
    }
}

impl TryFrom<Written> for Request {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        fn body<T: DeserializeOwned>(body: Value) -> Result<T, String> {
            serde_json::from_value(body).map_err(|error| error.to_string())
        }
        /// The id in the path.
        fn target<T: std::str::FromStr>(path: &str) -> Result<T, String> {
            let id = path.split('/').nth(4).and_then(|id| id.parse().ok());
            id.ok_or_else(|| format!("no id in the path {path}"))
        }
        let Written {
            path, body: value, ..
        } = written;
        let message = match written.operation {
            Operation::Inquiry => Message::Inquiry(body(value)?),
            Operation::Authorization => Message::Authorization(body(value)?),
            Operation::Void => Message::Void(target(&path)?, body(value)?),
            Operation::Purchase => Message::Purchase(body(value)?),
            Operation::RefundQuote => Message::RefundQuote(target(&path)?, body(value)?),
            Operation::Refund => Message::Refund(target(&path)?, body(value)?),
            Operation::Reversal => Message::Reversal(body(value)?),
            Operation::Settlement => Message::Settlement(body(value)?),
        };
        Ok(Self {
            message,
            at: written.at,
            basket_id: written.basket_id,
            scanned_at: written.scanned_at,
            replaces: written.replaces,
        })
    }
}
