//! A gateway in miniature: one request id, one effect, one answer; tombstones; advices. Just enough of
//! the ledger's rules to find a till out that doubles or loses.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    PurchaseRequest, Reason, RequestId, SettlementTotals,
    client::{machine::Reply, message::Message, settings::BusinessDay},
};

/// How old a text may be at its first use.
const FRESH: SignedDuration = SignedDuration::from_secs(45);
/// How long a text serves its basket.
const BASKET: SignedDuration = SignedDuration::from_mins(30);
/// How long a hold lasts.
const HOLD: SignedDuration = SignedDuration::from_mins(30);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hold {
    pub(super) basket: String,
    pub(super) points: i64,
    pub(super) held_at: Timestamp,
    pub(super) state: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bought {
    pub(super) basket: String,
    pub(super) request_id: String,
    pub(super) points: i64,
    pub(super) yen: i64,
    pub(super) reversed: bool,
    /// Whether the store bears points that no hold promised.
    pub(super) above_promise: bool,
}

#[derive(Debug, Default)]
pub(super) struct Gateway {
    answers: HashMap<String, (Option<Value>, Value)>,
    pub(super) holds: BTreeMap<Uuid, Hold>,
    pub(super) bought: BTreeMap<Uuid, Bought>,
    bound: HashMap<String, (String, Timestamp)>,
    refunds: Vec<(i64, i64)>,
    pub(super) available: i64,
    ids: u128,
}

impl Gateway {
    pub(super) fn with_points(available: i64) -> Self {
        Self {
            available,
            ..Self::default()
        }
    }

    /// What `GET /v1/pos/requests/{id}` says.
    pub(super) fn status(&self, id: &RequestId) -> Reply {
        match self.answers.get(id.as_str()) {
            Some((_, answer)) => http(200, answer.clone()),
            None => http(404, json!({"type": "/problems/unknown_resource"})),
        }
    }

    /// Takes a request another till sent under this id.
    pub(super) fn occupy(&mut self, id: &RequestId) {
        let answer = json!({"outcome": "declined", "response_code": "14", "reason": "unknown_card", "request_id": id});
        self.answers
            .insert(id.to_string(), (Some(json!("another's")), answer));
    }

    /// Forgets what it answered.
    pub(super) fn forget(&mut self, id: &RequestId) {
        self.answers.remove(id.as_str());
    }

    pub(super) fn post(&mut self, message: &Message, now: Timestamp) -> Reply {
        let (id, body) = (message.request_id().to_string(), message.body());
        if let Some((first, answer)) = self.answers.get(&id) {
            return match first {
                Some(first) if *first != body => {
                    http(422, json!({"type": "/problems/request_id_reused"}))
                }
                _ => http(200, answer.clone()),
            };
        }
        let mut answer = match self.decide(message, now) {
            Ok(answer) => answer,
            Err(reason) => {
                json!({"outcome": "declined", "response_code": reason.response_code(), "reason": reason})
            }
        };
        if answer.get("outcome").is_none() {
            answer["outcome"] = json!("approved");
            answer["response_code"] = json!("00");
        }
        answer["request_id"] = json!(id);
        self.answers.insert(id, (Some(body), answer.clone()));
        http(200, answer)
    }

    fn new_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    fn decide(&mut self, message: &Message, now: Timestamp) -> Result<Value, Reason> {
        for hold in self.holds.values_mut() {
            if hold.state == "held" && now.duration_since(hold.held_at) > HOLD {
                hold.state = "expired";
                self.available += hold.points;
            }
        }
        match message {
            Message::Inquiry(_) => {
                Ok(json!({"member": {"display_name": "m", "member_no_masked": "1", "rank": "r"}}))
            }
            Message::Authorization(ask) => {
                self.identify(ask.basket_id.as_str(), &ask.card, now, now)?;
                let points = ask.points.get();
                if points > self.available {
                    return Err(Reason::InsufficientPoints);
                }
                self.available -= points;
                let id = self.new_id();
                let basket = ask.basket_id.to_string();
                let state = "held";
                self.holds.insert(
                    id,
                    Hold {
                        basket,
                        points,
                        held_at: now,
                        state,
                    },
                );
                Ok(
                    json!({"authorization": {"id": id, "approval_code": "1", "points": points, "expires_at": now}}),
                )
            }
            Message::Void(id, _) => {
                let hold = self.holds.get_mut(&id.as_uuid());
                let hold = hold.ok_or(Reason::UnknownAuthorization)?;
                if hold.state != "held" {
                    return Err(Reason::AlreadyVoided);
                }
                hold.state = "voided";
                self.available += hold.points;
                Ok(json!({}))
            }
            Message::Purchase(sale) => self.sell(sale, now),
            Message::Reversal(ask) => Ok(self.reverse(&ask.original_request_id)),
            Message::Settlement(_) => Ok(json!({"differences": []})),
            Message::RefundQuote(..) | Message::Refund(..) => Err(Reason::UnknownPurchase),
        }
    }

    /// A text serves the basket that used it first, and was fresh then.
    fn identify(
        &mut self,
        basket: &str,
        card: &str,
        scanned_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Reason> {
        if let Some((first, at)) = self.bound.get(card) {
            return match first == basket {
                false => Err(Reason::CardAlreadyUsed),
                true if scanned_at.duration_since(*at) > BASKET => Err(Reason::CardTextExpired),
                true => Ok(()),
            };
        }
        let shown: Timestamp = card.rsplit('@').next().unwrap().parse().unwrap();
        if scanned_at.duration_since(shown) > FRESH {
            return Err(Reason::CardTextExpired);
        }
        self.bound.insert(card.into(), (basket.into(), now));
        Ok(())
    }

    fn sell(&mut self, sale: &PurchaseRequest, now: Timestamp) -> Result<Value, Reason> {
        let basket = sale.basket_id.to_string();
        let scanned_at = sale.advice.as_ref().map_or(now, |advice| advice.scanned_at);
        if let Some(card) = &sale.card {
            self.identify(&basket, card, scanned_at, now)?;
        }
        if self.live(&basket).count() > 0 {
            return Err(Reason::BasketCompleted);
        }
        let (taken, shortfall) = match sale.authorization_id {
            Some(id) => {
                let hold = self.holds.get_mut(&id.as_uuid());
                let hold = hold.ok_or(Reason::UnknownAuthorization)?;
                let claimed = sale
                    .redeem_points
                    .map_or(hold.points, |points| points.get());
                if claimed > hold.points && sale.advice.is_none() {
                    return Err(Reason::AboveHold);
                }
                match (hold.state, &sale.advice) {
                    ("held", _) => {
                        hold.state = "captured";
                        let taken = claimed.min(hold.points);
                        self.available += hold.points - taken;
                        (taken, claimed - taken)
                    }
                    ("expired", Some(_)) => {
                        let taken = claimed.min(self.available);
                        self.available -= taken;
                        (taken, claimed - taken)
                    }
                    ("expired", None) => return Err(Reason::HoldExpired),
                    (_, Some(_)) => (0, claimed),
                    (_, None) => return Err(Reason::AlreadyVoided),
                }
            }
            None => {
                let claimed = sale.redeem_points.map_or(0, |points| points.get());
                let taken = claimed.min(self.available);
                if taken < claimed && sale.advice.is_none() {
                    return Err(Reason::InsufficientPoints);
                }
                self.available -= taken;
                (taken, claimed - taken)
            }
        };
        let (id, yen) = (self.new_id(), sale.receipt.total.get());
        let points = taken + shortfall;
        let hold = sale
            .authorization_id
            .and_then(|id| self.holds.get(&id.as_uuid()));
        let promised = hold.map_or(0, |hold| hold.points);
        let request_id = sale.request_id.to_string();
        self.bought.insert(
            id,
            Bought {
                basket,
                request_id,
                points,
                yen,
                reversed: false,
                above_promise: shortfall > 0 && points > promised,
            },
        );
        let mut purchase =
            json!({"id": id, "points_redeemed": taken, "points_earned": yen / 100, "earned": []});
        if shortfall > 0 {
            purchase["points_shortfall"] = json!(shortfall);
        }
        Ok(json!({ "purchase": purchase }))
    }

    fn reverse(&mut self, original: &RequestId) -> Value {
        let nothing = json!({"effect": "nothing_to_reverse"});
        let Some((_, answer)) = self.answers.get(original.as_str()) else {
            let tombstone = json!({"outcome": "declined", "response_code": "12", "reason": "reversed", "request_id": original});
            self.answers.insert(original.to_string(), (None, tombstone));
            return nothing;
        };
        let id = |pointer| serde_json::from_value::<Uuid>(answer.pointer(pointer)?.clone()).ok();
        let (hold, purchase) = (id("/authorization/id"), id("/purchase/id"));
        if let Some(hold) = hold.and_then(|id| self.holds.get_mut(&id))
            && hold.state == "held"
        {
            hold.state = "reversed";
            self.available += hold.points;
            return json!({"effect": "reversed"});
        }
        match purchase.and_then(|id| self.bought.get_mut(&id)) {
            Some(bought) if !bought.reversed => {
                bought.reversed = true;
                self.available += bought.points;
                let (restored, back) = (bought.points, bought.yen / 100);
                self.refunds.push((restored, back));
                json!({"effect": "refunded", "refund": {"amount": bought.yen, "points_restored": restored,
                    "points_lapsed": 0, "points_clawed_back": back, "points_owed": 0, "shortfall_yen": 0}})
            }
            _ => nothing,
        }
    }

    /// Sales of a basket that stand.
    pub(super) fn live<'a>(&'a self, basket: &'a str) -> impl Iterator<Item = &'a Bought> {
        self.bought
            .values()
            .filter(move |bought| bought.basket == basket && !bought.reversed)
    }

    /// The day's totals, by the gateway's rule; all of a test happens on one day.
    pub(super) fn totals(&self) -> SettlementTotals {
        let (sold, back) = (self.bought.values(), self.refunds.iter());
        let yen: i64 = sold.clone().map(|bought| bought.yen).sum();
        let json = json!({
            "purchases": self.bought.len(),
            "purchase_total": yen,
            "points_redeemed": sold.clone().map(|bought| bought.points).sum::<i64>(),
            "points_earned": sold.map(|bought| bought.yen / 100).sum::<i64>(),
            "refunds": self.refunds.len(),
            "points_restored": back.clone().map(|(restored, _)| restored).sum::<i64>(),
            "points_clawed_back": back.map(|(_, back)| back).sum::<i64>(),
        });
        serde_json::from_value(json).unwrap()
    }
}

/// The calendar of the tests: one day for everything.
pub(super) fn calendar() -> BusinessDay {
    BusinessDay::default()
}

pub(super) fn http(status: u16, body: Value) -> Reply {
    Reply::Http {
        status,
        body: Some(body),
        retry_after: None,
    }
}
