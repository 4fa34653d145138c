//! What the journal's entries add up to: every request and what became of it.
//!
//! The book changes only through [`Book::apply`], with entries that are durable. So reading the
//! journal again after a crash gives the same book.

mod smaller;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    message::{Message, OfflineSpending, Operation, Reading, Request},
    record::{Entry, Opened},
    verdict::Decline,
};
use crate::{
    AuthorizationAnswer, AuthorizationId, BasketId, Points, Reason, RequestId, ReversalAnswer,
    ReversalEffect,
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
    /// Whether a record behind it was damaged, which may have been its outcome.
    pub doubtful: bool,
}

/// What is left to do about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Send it until it is answered, or give it up.
    Send,
    /// It was declined late, and an advice may still get through.
    Advise,
    /// It was reversed, or could not be, because it took effect before; and its answer is missing in the
    /// day's totals.
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

    /// What this found in effect, if it is a reversal that did.
    fn undone(&self) -> Option<Undone> {
        self.request.message.reverses()?;
        match self.reading()? {
            Reading::Approved(answer) => {
                let answer: ReversalAnswer = serde_json::from_value(answer).ok()?;
                (answer.effect == Some(ReversalEffect::Refunded)).then_some(Undone::Refunded)
            }
            Reading::Declined(decline) => {
                (decline.known() == Some(Reason::NotReversible)).then_some(Undone::NotReversible)
            }
        }
    }

    fn wants_advice(&self) -> bool {
        let message = &self.request.message;
        // Whether the store bears the risk is not in the journal: that is for whoever writes it.
        let cured =
            |decline: &Decline| message.advice_may_cure(decline, OfflineSpending::StoreBearsRisk);
        self.state == State::Answered
            && self.kept
            && self.request.scanned_at.is_some()
            && self.decline().as_ref().is_some_and(cured)
    }
}

/// What a reversal found in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undone {
    /// A sale, which is undone.
    Refunded,
    /// Something that has no opposite, and stands.
    NotReversible,
}

/// The book.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    opened: Option<Opened>,
    requests: BTreeMap<Place, Known>,
    by_id: HashMap<RequestId, Place>,
    /// The authorizations that were approved, by their hold.
    holds: HashMap<AuthorizationId, Place>,
    work: BTreeSet<Place>,
    next: Place,
}

impl Book {
    /// The book of a journal's entries.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut book = Self::default();
        for entry in entries {
            book.apply(entry);
        }
        book
    }

    /// What is known of the requests so far may not be all.
    fn doubt(&mut self) {
        for known in self.requests.values_mut() {
            known.doubtful = true;
        }
    }

    /// Takes in one durable entry.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Opened(opened) => self.opened = Some(opened.clone()),
            Entry::Damaged { .. } => self.doubt(),
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
                self.note_hold(request_id);
                self.stand(request_id);
                // Its original may have something to learn now.
                let reversed = self
                    .find(request_id)
                    .and_then(|known| known.request.message.reverses().cloned());
                if let Some(original) = reversed {
                    self.stand(&original);
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

    /// Whether a reversal of this request is on its way, or has undone a sale.
    fn is_being_undone(&self, original: &RequestId) -> bool {
        let by = match self.find(original).map(|known| &known.state) {
            Some(State::Reversed { by }) => self.find(by),
            _ => None,
        };
        by.is_some_and(|by| by.state == State::Kept || by.undone() == Some(Undone::Refunded))
    }

    /// Whether this request was to be reversed, and could not be.
    fn is_not_reversible(&self, known: &Known) -> bool {
        let State::Reversed { by } = &known.state else {
            return false;
        };
        self.find(by).and_then(Known::undone) == Some(Undone::NotReversible)
    }

    /// What could not be reversed is what it was before: it took effect.
    fn stand(&mut self, id: &RequestId) {
        let stands = self
            .find(id)
            .is_some_and(|known| known.answer.is_some() && self.is_not_reversible(known));
        self.change(id, |known| {
            if stands {
                known.state = State::Answered;
            }
        });
    }

    fn note_hold(&mut self, id: &RequestId) {
        let Some(known) = self
            .find(id)
            .filter(|known| known.request.message.operation() == Operation::Authorization)
        else {
            return;
        };
        let hold = known
            .approval()
            .and_then(|answer| serde_json::from_value::<AuthorizationAnswer>(answer).ok())
            .and_then(|answer| answer.authorization);
        if let (Some(hold), Some(place)) = (hold, self.place(id)) {
            self.holds.insert(hold.id, place);
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
            // A second reversal finds nothing to undo; what the first found is in the totals.
            if !self.is_being_undone(original) {
                self.change(original, |known| {
                    known.state = State::Reversed { by: id.clone() };
                });
            }
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
                self.find(by)?.undone().map(|_| Work::Learn)
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

    /// When something was last heard of any request.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.requests.values().map(Known::last_at).max()
    }

    /// The request of this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<&Known> {
        self.requests.get(self.by_id.get(id)?)
    }

    /// The request that goes by this id now: itself, or the last that took its place.
    #[must_use]
    pub fn current<'a>(&'a self, id: &'a RequestId) -> &'a RequestId {
        let mut current = id;
        // Each took its place later than the one before it, so this ends.
        while let Some(State::Replaced { by }) = self.find(current).map(|known| &known.state) {
            current = by;
        }
        current
    }

    /// The ids this request went by before, the latest first.
    #[must_use]
    pub fn former(&self, id: &RequestId) -> Vec<RequestId> {
        let replaced = |id: &RequestId| self.find(id)?.request.replaces.clone();
        std::iter::successors(replaced(id), replaced).collect()
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

    /// How many points a hold promised, if its approval is here.
    #[must_use]
    pub fn held(&self, hold: AuthorizationId) -> Option<Points> {
        let place = self.holds.get(&hold)?;
        let approval = self.requests.get(place)?.approval()?;
        let answer: AuthorizationAnswer = serde_json::from_value(approval).ok()?;
        Some(answer.authorization?.points)
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
}
