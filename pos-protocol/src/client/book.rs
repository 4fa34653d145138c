//! What the journal's entries add up to: every request and what became of it.
//!
//! The book changes only through [`Book::apply`], with entries that are durable. So reading the
//! journal again after a crash gives the same book.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    message::{Message, Operation, Reading, Request},
    record::{Entry, Opened},
    verdict::Decline,
};
use crate::{
    AuthorizationAnswer, AuthorizationId, BasketId, RequestId, ReversalAnswer, ReversalEffect,
};

/// Where a request is in the journal: later requests have higher numbers.
pub type Place = u64;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Written down; nothing is known yet.
    Open,
    /// The cashier was told that it counts; it is repeated until it is answered.
    Kept,
    /// A reversal is in the journal: it is not sent any more.
    Reversed {
        /// The reversal's request id.
        by: RequestId,
    },
    /// Another request took its place: it is not sent any more.
    Replaced {
        /// That request's id.
        by: RequestId,
    },
    /// Given up, with nothing to undo.
    Dropped,
    /// The gateway approved or declined it.
    Answered,
    /// The gateway refused it as malformed or misnamed: it had no effect.
    Refused {
        /// The problem's word.
        problem: String,
    },
}

/// A request and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The request.
    pub request: Request,
    /// What became of it.
    pub state: State,
    /// Whether the cashier was told that it counts before it was answered.
    pub kept: bool,
    /// The answer, if one is known; also of a request that was reversed.
    pub answer: Option<Value>,
    /// When the answer came.
    pub answered_at: Option<Timestamp>,
    /// Whether a record behind it was damaged, which may have been its answer.
    pub doubtful: bool,
}

/// What is left to do about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Send it until it is answered, or give it up.
    Send,
    /// It was declined late, and an advice may still get through.
    Advise,
    /// It was reversed, took effect before, and its answer is missing in the day's totals.
    Learn,
}

impl Known {
    /// What the answer says, if there is one.
    #[must_use]
    pub fn reading(&self) -> Option<Reading> {
        self.answer
            .as_ref()
            .and_then(|answer| self.request.message.read(answer))
    }

    /// The approval, if it is one.
    #[must_use]
    pub fn approval(&self) -> Option<Value> {
        match self.reading()? {
            Reading::Approved(answer) => Some(answer),
            Reading::Declined(_) => None,
        }
    }

    /// The decline, if it is one.
    #[must_use]
    pub fn decline(&self) -> Option<Decline> {
        match self.reading()? {
            Reading::Declined(decline) => Some(decline),
            Reading::Approved(_) => None,
        }
    }

    /// Whether it is a sale that counts, or may yet.
    #[must_use]
    pub fn is_live_sale(&self) -> bool {
        self.request.message.operation() == Operation::Purchase
            && match self.state {
                State::Open | State::Kept => true,
                State::Answered => self.approval().is_some() || self.wants_advice(),
                _ => false,
            }
    }

    fn wants_advice(&self) -> bool {
        let message = &self.request.message;
        let cured = |decline: &Decline| message.advice_may_cure(decline);
        self.state == State::Answered
            && self.kept
            && self.request.scanned_at.is_some()
            && self.decline().as_ref().is_some_and(cured)
    }
}

/// The book.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    opened: Option<Opened>,
    requests: BTreeMap<Place, Known>,
    by_id: HashMap<RequestId, Place>,
    work: BTreeSet<Place>,
    next: Place,
}

impl Book {
    /// The book of a journal's entries. Requests before `damaged_before` (an index into them) may have
    /// lost their outcome.
    #[must_use]
    pub fn of(entries: &[Entry], damaged_before: usize) -> Self {
        let mut book = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            if index == damaged_before {
                book.doubt();
            }
            book.apply(entry);
        }
        if damaged_before >= entries.len() {
            book.doubt();
        }
        book
    }

    fn doubt(&mut self) {
        for known in self.requests.values_mut() {
            known.doubtful = true;
        }
    }

    /// Takes in one durable entry.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Opened(opened) => self.opened = Some(opened.clone()),
            Entry::Told { .. } => {}
            Entry::Request(request) => self.apply_request(request),
            Entry::Kept { request_id, .. } => self.change(request_id, |known| {
                known.kept = true;
                if known.state == State::Open {
                    known.state = State::Kept;
                }
            }),
            Entry::Dropped { request_id, .. } => {
                self.change(request_id, |known| known.state = State::Dropped);
            }
            Entry::Answer {
                request_id,
                at,
                answer,
            } => {
                self.change(request_id, |known| {
                    known.answer = Some(answer.clone());
                    known.answered_at = Some(*at);
                    if matches!(known.state, State::Open | State::Kept) {
                        known.state = State::Answered;
                    }
                });
                // Its original may have something to learn now.
                let reversed = self
                    .find(request_id)
                    .and_then(|known| known.request.message.reverses().cloned());
                if let Some(original) = reversed {
                    self.change(&original, |_| {});
                }
            }
            Entry::Refused {
                request_id,
                problem,
                ..
            } => self.change(request_id, |known| {
                known.state = State::Refused {
                    problem: problem.clone(),
                };
            }),
        }
    }

    fn apply_request(&mut self, request: &Request) {
        let id = request.message.request_id().clone();
        let afterwards = request.message.is_afterwards();
        let mut known = Known {
            request: request.clone(),
            state: State::Open,
            kept: afterwards,
            answer: None,
            answered_at: None,
            doubtful: false,
        };
        if let Some(replaced) = &request.replaces {
            self.change(replaced, |old| {
                known.kept |= old.kept;
                old.state = State::Replaced { by: id.clone() };
            });
        }
        if known.kept {
            known.state = State::Kept;
        }
        if let Some(original) = request.message.reverses() {
            self.change(original, |known| {
                known.state = State::Reversed { by: id.clone() };
            });
        }
        let place = self.next;
        self.next = self.next.saturating_add(1);
        self.by_id.insert(id, place);
        self.requests.insert(place, known);
        self.work.insert(place);
    }

    fn change(&mut self, id: &RequestId, with: impl FnOnce(&mut Known)) {
        let Some(place) = self.by_id.get(id).copied() else {
            return;
        };
        if let Some(known) = self.requests.get_mut(&place) {
            with(known);
        }
        if self.work_on(place).is_some() {
            self.work.insert(place);
        } else {
            self.work.remove(&place);
        }
    }

    /// What is left to do about the request at `place`.
    #[must_use]
    pub fn work_on(&self, place: Place) -> Option<Work> {
        let known = self.requests.get(&place)?;
        match &known.state {
            State::Open | State::Kept => Some(Work::Send),
            State::Answered if known.wants_advice() => Some(Work::Advise),
            State::Reversed { by } if known.answer.is_none() => {
                let undone = self.find(by)?.approval()?;
                let undone: ReversalAnswer = serde_json::from_value(undone).ok()?;
                (undone.effect == Some(ReversalEffect::Refunded)).then_some(Work::Learn)
            }
            _ => None,
        }
    }

    /// Requests with something left to do, oldest first.
    pub fn work(&self) -> impl Iterator<Item = (Place, &Known, Work)> {
        self.work.iter().filter_map(|place| {
            let known = self.requests.get(place)?;
            Some((*place, known, self.work_on(*place)?))
        })
    }

    /// How many requests have something left to do.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.work.len()
    }

    /// The request of this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<&Known> {
        self.requests.get(self.by_id.get(id)?)
    }

    /// Where the request of this id is.
    #[must_use]
    pub fn place(&self, id: &RequestId) -> Option<Place> {
        self.by_id.get(id).copied()
    }

    /// The request at this place.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<&Known> {
        self.requests.get(&place)
    }

    /// Every request, oldest first.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &Known> {
        self.requests.values()
    }

    /// What names are made from; none before the journal's first opening.
    #[must_use]
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// Whether the basket has a sale that counts, or may yet.
    #[must_use]
    pub fn has_sale(&self, basket: &BasketId) -> bool {
        let mut latest = self.requests.values().rev();
        latest.any(|known| known.request.basket_id.as_ref() == Some(basket) && known.is_live_sale())
    }

    /// Holds that were approved and of which nothing further is written: no void, sale or reversal.
    #[must_use]
    pub fn open_holds(&self) -> Vec<(BasketId, AuthorizationId)> {
        let mut holds = Vec::new();
        for known in self.requests.values() {
            let message = &known.request.message;
            let ended = match message {
                Message::Void(id, _) => Some(*id),
                Message::Purchase(sale) => sale.authorization_id,
                _ => None,
            };
            if let Some(ended) = ended {
                holds.retain(|(_, id)| *id != ended);
            }
            if message.operation() != Operation::Authorization || known.state != State::Answered {
                continue;
            }
            let hold = known
                .approval()
                .and_then(|answer| serde_json::from_value::<AuthorizationAnswer>(answer).ok())
                .and_then(|answer| answer.authorization);
            if let (Some(hold), Some(basket)) = (hold, &known.request.basket_id) {
                holds.push((basket.clone(), hold.id));
            }
        }
        holds
    }

    /// The entries of a smaller journal that says the same of everything that still matters: what has
    /// something left to do, as it is; sales, refunds and what undid them since `since`, and open
    /// holds, without their card texts. The rest is settled and forgotten.
    #[must_use]
    pub fn compacted(&self, since: Timestamp) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.opened.clone().map(Entry::Opened).into_iter().collect();
        let holds: BTreeSet<AuthorizationId> =
            self.open_holds().into_iter().map(|(_, id)| id).collect();
        for (place, known) in &self.requests {
            let verbatim = self.work.contains(place);
            if verbatim || self.is_worth_keeping(known, since, &holds) {
                entries.extend(known.entries(verbatim));
            }
        }
        entries
    }

    fn is_worth_keeping(
        &self,
        known: &Known,
        since: Timestamp,
        holds: &BTreeSet<AuthorizationId>,
    ) -> bool {
        let message = &known.request.message;
        let undoes_open_sale = || {
            let original = message.reverses().and_then(|id| self.place(id));
            original.is_some_and(|place| self.work.contains(&place))
        };
        // The original of a reversal that is still on its way: what it undoes is learned from it.
        let being_undone = match &known.state {
            State::Reversed { by } => self.place(by).is_some_and(|by| self.work.contains(&by)),
            _ => false,
        };
        if being_undone || undoes_open_sale() {
            return true;
        }
        let recent = known.answered_at.unwrap_or(known.request.at) >= since;
        match message.operation() {
            Operation::Purchase | Operation::Refund | Operation::Reversal => {
                recent && known.approval().is_some()
            }
            Operation::Authorization => known
                .approval()
                .and_then(|answer| serde_json::from_value::<AuthorizationAnswer>(answer).ok())
                .and_then(|answer| answer.authorization)
                .is_some_and(|hold| recent && holds.contains(&hold.id)),
            _ => false,
        }
    }
}

impl Known {
    /// The entries that make this, in order. A reversal or replacement is made by its own request.
    fn entries(&self, verbatim: bool) -> Vec<Entry> {
        let mut request = self.request.clone();
        if !verbatim {
            request.message.strip();
        }
        let (request_id, at) = (request.message.request_id().clone(), request.at);
        let afterwards = request.message.is_afterwards();
        let mut entries = vec![Entry::Request(Box::new(request))];
        if self.kept && !afterwards {
            let request_id = request_id.clone();
            entries.push(Entry::Kept { request_id, at });
        }
        if let (Some(answer), Some(at)) = (&self.answer, self.answered_at) {
            entries.push(Entry::Answer {
                request_id,
                at,
                answer: answer.clone(),
            });
        }
        entries
    }
}
