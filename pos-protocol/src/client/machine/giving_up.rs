//! What becomes of a request when nobody can wait for it any longer.

use super::{Live, Machine};
use crate::{
    RequestId, ReversalRequest,
    client::{
        book::{Known, Place, State},
        message::{GiveUp, Message, Operation, Request},
        moment::Moment,
        record::Entry,
        verdict::{Verdict, Why},
    },
};

/// How a request is given up: what is written, and what is told.
#[derive(Debug)]
pub(super) struct GivenUp {
    pub(super) entry: Entry,
    pub(super) verdict: Verdict,
}

impl Machine {
    /// How to give a request up. `name` is for the request that this may take.
    pub(super) fn given_up(
        &self,
        known: &Known,
        live: &Live,
        now: &Moment,
        name: RequestId,
    ) -> GivenUp {
        let (request, at) = (&known.request, now.at);
        let request_id = request.message.request_id().clone();
        // What was never tried had to wait for something else.
        let untried = || {
            if live.pause.is_zero() && !live.may_arrive() {
                Why::Busy
            } else {
                Why::NoAnswer
            }
        };
        let why = live.why.clone().unwrap_or_else(untried);
        match self.gives_up(&request.message) {
            GiveUp::Forget => GivenUp {
                entry: Entry::Dropped { request_id, at },
                verdict: Verdict::NotAsked {
                    why,
                    undoing: false,
                },
            },
            // It never left the till: there is nothing to undo.
            GiveUp::Reverse if !live.may_arrive() => GivenUp {
                entry: Entry::Dropped { request_id, at },
                verdict: Verdict::NotAsked {
                    why,
                    undoing: false,
                },
            },
            GiveUp::Reverse => GivenUp {
                entry: Entry::Request(Box::new(reversal(known, name, at))),
                verdict: Verdict::NotAsked { why, undoing: true },
            },
            GiveUp::Keep => {
                let advice = (!live.may_arrive())
                    .then(|| advice(known, name, at))
                    .flatten();
                let entry = match advice {
                    // It never left the till: it is told as what it is, a sale that happened.
                    Some(advice) => Entry::Request(Box::new(advice)),
                    None => Entry::Kept { request_id, at },
                };
                GivenUp {
                    entry,
                    verdict: Verdict::Queued { why },
                }
            }
        }
    }

    /// What giving this message up means.
    pub(super) fn gives_up(&self, message: &Message) -> GiveUp {
        let hold = message.purchase().and_then(|sale| sale.authorization_id);
        let held = hold.and_then(|hold| self.book.held(hold));
        message.give_up(self.settings.offline_spending, held)
    }

    /// Whether the gateway has to be asked before this sale is given up: its outcome may have been in a
    /// damaged record. If the gateway has none, nobody was told of an approval, and it may be undone.
    pub(super) fn is_asked_about(&self, place: Place, known: &Known) -> bool {
        let message = &known.request.message;
        known.doubtful
            && known.state == State::Open
            && message.operation() == Operation::Purchase
            && self.gives_up(message) == GiveUp::Reverse
            && self.live.get(&place).is_some_and(|live| live.unsure)
    }
}

/// The reversal of a request.
fn reversal(known: &Known, request_id: RequestId, at: jiff::Timestamp) -> Request {
    Request {
        message: Message::Reversal(ReversalRequest {
            request_id,
            original_request_id: known.request.message.request_id().clone(),
        }),
        at,
        basket_id: known.request.basket_id.clone(),
        scanned_at: None,
        replaces: None,
    }
}

/// The advice that takes the place of a sale; `None` if it is none, or nobody knows when its card was
/// scanned.
pub(super) fn advice(known: &Known, request_id: RequestId, at: jiff::Timestamp) -> Option<Request> {
    let request = &known.request;
    let scanned_at = request.scanned_at?;
    Some(Request {
        message: request.message.as_advice(scanned_at, request_id)?,
        at,
        basket_id: request.basket_id.clone(),
        scanned_at: Some(scanned_at),
        replaces: Some(request.message.request_id().clone()),
    })
}
