//! What the machine writes down, in which order, and what follows from it.

use super::{Live, Machine, Ticket, giving_up};
use crate::{
    RequestId, SettlementTotals,
    client::{
        ask::Ask,
        book::{Known, Place, State, Work},
        message::{GiveUp, Reading, Request},
        moment::Moment,
        names::Names,
        record::Entry,
        verdict::{Refusal, Verdict, Why},
    },
};

/// How often a request may find its id taken before that counts as a defect.
const RENAMED_MAX: u8 = 3;

/// Somebody waits for this to be written down.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) ticket: Ticket,
    pub(super) ask: Ask,
}

/// What the gateway said about a request, on its way into the journal.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) place: Place,
    pub(super) what: What,
}

/// What the gateway said.
#[derive(Debug)]
pub(super) enum What {
    /// An answer, as it came and as it reads.
    Answer(serde_json::Value, Reading),
    /// The message is malformed.
    Refused {
        /// The problem's word.
        problem: String,
        /// What is wrong.
        detail: String,
    },
    /// The id is another request's.
    Taken,
    /// The gateway does not know it any more.
    Gone,
}

/// Entries on their way to the disk, and what follows once they are there.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) entries: Vec<Entry>,
    pub(super) then: Then,
}

/// What follows once entries are durable.
#[derive(Debug)]
pub(super) enum Then {
    /// A request was written: send it, and let its cashier wait.
    Begin { id: RequestId, ticket: Ticket },
    /// A sale was queued as an advice at once.
    Queue {
        id: RequestId,
        ticket: Ticket,
        why: Why,
    },
    /// The gateway's word was written: tell it.
    Settle { place: Place, verdict: Verdict },
    /// The original's answer was written; nobody waits for it.
    Learnt { place: Place },
    /// The request goes on under another name.
    Rename { place: Place, to: RequestId },
    /// A request was given up: tell it.
    GiveUp { place: Place, verdict: Verdict },
    /// An advice took a sale's place.
    Advise { place: Place },
}

impl Machine {
    /// The next entries to write, if any.
    pub(super) fn next_write(&mut self, now: &Moment) -> Option<Vec<Entry>> {
        self.tell_kept(now);
        let resting = self
            .unwritable_until
            .is_some_and(|until| now.uptime < until);
        let pending = if let Some(ordered) = self.orders.pop_front() {
            // Tried even while the journal rests: somebody waits.
            self.write_order(now, ordered)
        } else if resting {
            self.tell_unwritten(now);
            None
        } else {
            self.write_arrived(now)
                .or_else(|| self.write_unattended(now))
        };
        let mut pending = pending?;
        if let Some(opened) = &self.new_names {
            pending.entries.insert(0, Entry::Opened(opened.clone()));
        }
        let entries = pending.entries.clone();
        self.pending = Some(pending);
        Some(entries)
    }

    fn write_order(&mut self, now: &Moment, ordered: Ordered) -> Option<Pending> {
        let Ordered { ticket, mut ask } = ordered;
        if let Ask::Reversal {
            original_request_id,
        } = &mut ask
        {
            // Under the id that the cashier was told there may be nothing to undo any more.
            *original_request_id = self.book.current(original_request_id).clone();
        }
        let Ok(id) = self.names.request() else {
            self.tell(ticket, None, Verdict::Refused(Refusal::Closed));
            return None;
        };
        let totals = match &ask {
            Ask::Settlement { business_date, .. } => self
                .book
                .totals(*business_date, &self.settings.business_day),
            _ => SettlementTotals::default(),
        };
        let mut request = Request {
            at: now.at,
            basket_id: ask.basket_id().cloned(),
            scanned_at: ask.scanned_at(),
            replaces: None,
            message: ask.message(id.clone(), totals),
        };
        if let Some(original) = request.message.reverses() {
            let original = self.book.find(original);
            request.basket_id = original.and_then(|known| known.request.basket_id.clone());
        }
        let mut then = Then::Begin {
            id: id.clone(),
            ticket,
        };
        let kept = self.gives_up(&request.message) == GiveUp::Keep;
        if self.health.is_away() && kept {
            let scanned_at = request.scanned_at.unwrap_or(now.at);
            if let Some(advice) = request.message.as_advice(scanned_at, id.clone()) {
                request.message = advice;
                let why = self.why_away();
                then = Then::Queue { id, ticket, why };
            }
        }
        let entries = vec![Entry::Request(Box::new(request))];
        Some(Pending { entries, then })
    }

    pub(super) fn why_away(&self) -> Why {
        match self.health.operator() {
            Some(what) => Why::Operator(what.to_owned()),
            None => Why::Away,
        }
    }

    fn write_arrived(&mut self, now: &Moment) -> Option<Pending> {
        while let Some(Arrived { place, what }) = self.arrived.pop_front() {
            let pending = match self.book.work_on(place) {
                Some(Work::Send) => self.write_word(place, what, now),
                Some(Work::Learn) => self.write_learnt(place, what, now),
                _ => None,
            };
            if pending.is_some() {
                return pending;
            }
        }
        None
    }

    /// What the gateway said about a request that is sent.
    fn write_word(&mut self, place: Place, what: What, now: &Moment) -> Option<Pending> {
        let known = self.book.at(place)?;
        let (request_id, at) = (known.request.message.request_id().clone(), now.at);
        let waited_for = self
            .live
            .get(&place)
            .is_some_and(|live| live.waiting.is_some());
        let forsaken = known.state == State::Open && !waited_for;
        let rule = self.gives_up(&known.request.message);
        let asked = self.is_asked_about(place, known);
        let (answer, verdict) = match what {
            // It came too late: the cashier was told that it will be undone.
            What::Answer(_, Reading::Approved(_))
                if forsaken && rule == GiveUp::Reverse && !asked =>
            {
                return None;
            }
            What::Answer(answer, Reading::Approved(approval)) => {
                (answer, Verdict::Approved(approval))
            }
            What::Answer(answer, Reading::Declined(decline)) => {
                (answer, Verdict::Declined(decline))
            }
            What::Refused { problem, detail } => {
                return Some(refuse(place, request_id, at, problem, detail));
            }
            What::Taken => return self.rename(place, now),
            What::Gone => return None,
        };
        let mut entries = Vec::new();
        if forsaken && rule == GiveUp::Keep {
            // The cashier was told that it counts while that could not be written down.
            let request_id = request_id.clone();
            entries.push(Entry::Kept { request_id, at });
        }
        entries.push(Entry::Answer {
            request_id,
            at,
            answer,
        });
        let then = Then::Settle { place, verdict };
        Some(Pending { entries, then })
    }

    /// What the gateway said about the original of a reversal.
    fn write_learnt(&self, place: Place, what: What, now: &Moment) -> Option<Pending> {
        let request = &self.book.at(place)?.request;
        let (request_id, at) = (request.message.request_id().clone(), now.at);
        let entry = match what {
            What::Answer(answer, _) => Entry::Answer {
                request_id,
                at,
                answer,
            },
            What::Gone => Entry::Dropped { request_id, at },
            What::Refused { .. } | What::Taken => return None,
        };
        Some(Pending::one(entry, Then::Learnt { place }))
    }

    /// The request under a name of a new generation.
    fn rename(&mut self, place: Place, now: &Moment) -> Option<Pending> {
        let mut request = self.book.at(place)?.request.clone();
        let old = request.message.request_id().clone();
        if self
            .live
            .get(&place)
            .is_some_and(|live| live.renamed >= RENAMED_MAX)
        {
            let (problem, detail) = ("request_id_reused", "new names are taken too");
            return Some(refuse(
                place,
                old,
                now.at,
                problem.to_owned(),
                detail.to_owned(),
            ));
        }
        self.names = Names::next_generation(Some(self.names.opened()), now, "request_id_reused");
        self.new_names = Some(self.names.opened().clone());
        let to = self.names.request().ok()?;
        request.message = request.message.renamed(to.clone());
        request.replaces = Some(old);
        let entry = Entry::Request(Box::new(request));
        Some(Pending::one(entry, Then::Rename { place, to }))
    }

    /// Gives up what nobody waits for any longer, and makes the advices of sales declined late.
    fn write_unattended(&mut self, now: &Moment) -> Option<Pending> {
        let found = self
            .book
            .work()
            .find_map(|(place, known, work)| match work {
                Work::Advise => Some((place, work)),
                Work::Send if self.is_unattended(place, known, now) => Some((place, work)),
                _ => None,
            });
        let (place, work) = found?;
        let name = self.names.request().ok()?;
        let known = self.book.at(place)?;
        match work {
            // The store does not bear what the member turned out not to have.
            Work::Advise if !self.may_advise(known) => {
                let request_id = known.request.message.request_id().clone();
                let entry = Entry::Dropped {
                    request_id,
                    at: now.at,
                };
                let verdict = Verdict::Declined(known.decline()?);
                Some(Pending::one(entry, Then::Settle { place, verdict }))
            }
            Work::Advise => {
                let advice = giving_up::advice(known, name, now.at)?;
                let entry = Entry::Request(Box::new(advice));
                Some(Pending::one(entry, Then::Advise { place }))
            }
            _ => {
                let live = self.live.get(&place).cloned().unwrap_or_else(Live::resumed);
                let given_up = self.given_up(known, &live, now, name);
                let verdict = given_up.verdict;
                Some(Pending::one(
                    given_up.entry,
                    Then::GiveUp { place, verdict },
                ))
            }
        }
    }

    /// Whether the advice of a sale that was declined late may be told.
    fn may_advise(&self, known: &Known) -> bool {
        let spending = self.settings.offline_spending;
        let message = &known.request.message;
        let decline = known.decline();
        decline.is_some_and(|decline| message.advice_may_cure(&decline, spending))
    }

    /// What is repeated until it is answered has no entry for giving up: the cashier is just told.
    fn tell_kept(&mut self, now: &Moment) {
        let overdue = self.book.work().filter_map(|(place, known, _)| {
            let (ticket, until) = self.live.get(&place)?.waiting?;
            (known.state == State::Kept && now.uptime >= until).then_some((place, ticket))
        });
        for (place, ticket) in overdue.collect::<Vec<_>>() {
            let id = self
                .book
                .at(place)
                .map(|known| known.request.message.request_id().clone());
            let live = self.live.entry(place).or_default();
            live.waiting = None;
            let why = live.why.clone().unwrap_or(Why::NoAnswer);
            self.tell(ticket, id, Verdict::Queued { why });
        }
    }

    /// Whether a request is still open and its cashier has waited long enough, or is gone.
    pub(super) fn is_unattended(&self, place: Place, known: &Known, now: &Moment) -> bool {
        let waiting = self.live.get(&place).and_then(|live| live.waiting);
        known.state == State::Open
            && waiting.is_none_or(|(_, until)| now.uptime >= until)
            && !self.is_asked_about(place, known)
    }

    /// The journal cannot be written, and cashiers wait no longer: they are told. What they are told
    /// holds without the entry: a restart gives the same requests up in the same way.
    fn tell_unwritten(&mut self, now: &Moment) {
        let overdue: Vec<Place> = self
            .book
            .work()
            .filter(|(place, known, _)| {
                let waits = self
                    .live
                    .get(place)
                    .is_some_and(|live| live.waiting.is_some());
                waits && self.is_unattended(*place, known, now)
            })
            .map(|(place, _, _)| place)
            .collect();
        for place in overdue {
            self.tell_overdue(place, now);
        }
    }

    pub(super) fn tell_overdue(&mut self, place: Place, now: &Moment) {
        let Some(known) = self.book.at(place).cloned() else {
            return;
        };
        let id = known.request.message.request_id().clone();
        let Some(live) = self.live.get_mut(&place) else {
            return;
        };
        let Some((ticket, _)) = live.waiting.take() else {
            return;
        };
        let live = live.clone();
        let verdict = self.given_up(&known, &live, now, id.clone()).verdict;
        self.tell(ticket, Some(id), verdict);
    }
}

impl Pending {
    fn one(entry: Entry, then: Then) -> Self {
        Self {
            entries: vec![entry],
            then,
        }
    }
}

fn refuse(
    place: Place,
    request_id: RequestId,
    at: jiff::Timestamp,
    problem: String,
    detail: String,
) -> Pending {
    let refusal = Refusal::Defect {
        problem: problem.clone(),
        detail: detail.clone(),
    };
    let entry = Entry::Refused {
        request_id,
        at,
        problem,
        detail,
    };
    let verdict = Verdict::Refused(refusal);
    Pending::one(entry, Then::Settle { place, verdict })
}
