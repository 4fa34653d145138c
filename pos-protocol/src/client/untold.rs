//! What the last run decided and may not have told: it was killed in between.
//!
//! A verdict is told as soon as it is durable, before anything else is written. So what a cashier may
//! not know is decided behind the last order in the journal, or not at all. [`Entry::Told`] says that
//! all before it was told.

use std::collections::HashMap;

use super::{
    book::{Book, Known, State, Work},
    message::{GiveUp, Message, OfflineSpending, Operation, Reading, Request},
    record::Entry,
    verdict::{Refusal, Verdict, Why},
};
use crate::{BasketId, Points, RequestId};

/// A sale or refund of the last run whose verdict the cashier may not have seen. Show it before
/// anything is sold: what counts must not be entered again.
#[derive(Debug, Clone, PartialEq)]
pub struct Untold {
    /// The request.
    pub request_id: RequestId,
    /// Its basket, if it is a sale.
    pub basket_id: Option<BasketId>,
    /// The number of its receipt, if it is a sale.
    pub receipt: Option<String>,
    /// Sale or refund.
    pub operation: Operation,
    /// What became of it.
    pub verdict: Verdict,
}

/// What the journal's last run may not have told, oldest first.
pub(crate) fn untold(entries: &[Entry], book: &Book, spending: OfflineSpending) -> Vec<Untold> {
    let told = entries.iter().rposition(|entry| match entry {
        Entry::Opened(opened) => opened.why == "start",
        Entry::Told { .. } => true,
        _ => false,
    });
    let last_order = entries.iter().rposition(is_order);
    let from = told.max(last_order).unwrap_or(0);
    let decided = decisions(entries);
    let requests = book.requests().filter(|known| {
        let message = &known.request.message;
        let wanted = matches!(message.operation(), Operation::Purchase | Operation::Refund);
        let place = decided.get(message.request_id());
        wanted && known.request.replaces.is_none() && place.is_none_or(|place| *place >= from)
    });
    requests
        .map(|known| {
            let message = &known.request.message;
            Untold {
                request_id: message.request_id().clone(),
                basket_id: known.request.basket_id.clone(),
                receipt: message.purchase().map(|sale| sale.receipt.number.clone()),
                operation: message.operation(),
                verdict: verdict(end_of(book, known), book, spending),
            }
        })
        .collect()
}

/// Whether a cashier asked for it: neither a reversal nor a request in another's place.
fn is_order(entry: &Entry) -> bool {
    matches!(entry, Entry::Request(request)
        if request.replaces.is_none() && request.message.reverses().is_none())
}

/// Where it was decided what the cashier is told of each order.
fn decisions(entries: &[Entry]) -> HashMap<&RequestId, usize> {
    let (mut orders, mut decided) = (HashMap::<&RequestId, &RequestId>::new(), HashMap::new());
    for (place, entry) in entries.iter().enumerate() {
        let id = match entry {
            Entry::Request(request) => {
                let id = request.message.request_id();
                let replaced = request.replaces.as_ref();
                let order = replaced.map_or(id, |old| orders.get(old).copied().unwrap_or(old));
                orders.insert(id, order);
                decides(request).then(|| request.message.reverses().unwrap_or(id))
            }
            Entry::Kept { request_id, .. }
            | Entry::Dropped { request_id, .. }
            | Entry::Answer { request_id, .. }
            | Entry::Refused { request_id, .. } => Some(request_id),
            _ => None,
        };
        if let Some(id) = id {
            let order = orders.get(id).copied().unwrap_or(id);
            decided.entry(order).or_insert(place);
        }
    }
    decided
}

/// Whether a request decides what is told: an advice counts, a reversal gives its original up.
fn decides(request: &Request) -> bool {
    request.message.is_afterwards()
}

/// What took the request's place at last.
fn end_of<'a>(book: &'a Book, mut known: &'a Known) -> &'a Known {
    while let State::Replaced { by } = &known.state
        && let Some(next) = book.find(by)
    {
        known = next;
    }
    known
}

/// What the gateway promised to a sale.
fn held_for(message: &Message, book: &Book) -> Option<Points> {
    let hold = message.purchase()?.authorization_id?;
    book.held(hold)
}

fn verdict(known: &Known, book: &Book, spending: OfflineSpending) -> Verdict {
    let why = Why::Restarted;
    let message = &known.request.message;
    match &known.state {
        State::Open => match message.give_up(spending, held_for(message, book)) {
            GiveUp::Keep => Verdict::Queued { why },
            // Its approval may have been in a damaged record: it is asked for.
            _ if known.doubtful => Verdict::Unknown,
            _ => Verdict::NotAsked { why, undoing: true },
        },
        State::Answered => {
            let place = book.place(message.request_id());
            match known.reading() {
                _ if place.and_then(|place| book.work_on(place)) == Some(Work::Advise) => {
                    Verdict::Queued { why }
                }
                Some(Reading::Approved(answer)) => Verdict::Approved(answer),
                Some(Reading::Declined(decline)) => Verdict::Declined(decline),
                None => Verdict::Unknown,
            }
        }
        State::Kept | State::Replaced { .. } => Verdict::Queued { why },
        State::Reversed { .. } => Verdict::NotAsked { why, undoing: true },
        State::Dropped => Verdict::NotAsked {
            why,
            undoing: false,
        },
        State::Refused { problem } => Verdict::Refused(Refusal::Defect {
            problem: problem.clone(),
            detail: String::new(),
        }),
    }
}
