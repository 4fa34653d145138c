//! The till's half of the protocol as a machine without I/O.
//!
//! Orders, replies and moments go in; [`Step`]s come out: entries to make durable, requests to send,
//! verdicts to tell. The driver carries a step out before it asks for the next one.
//!
//! Invariants:
//! - A request is sent only after its entry is durable.
//! - An approval is told only after it is durable. One that cannot be written down counts as lost: on
//!   the strength of a promise that a crash would forget, nothing is given.
//! - What was told to count is in the journal, and is repeated until the gateway has answered it.
//! - Requests of one basket are sent in the order in which they were written: so a reversal goes
//!   before the advice of the same basket.
//! - The [`Book`] changes only by durable entries. All else here may be forgotten in a crash: a
//!   request that nobody waits for any more is given up the way its kind asks for.

mod exchange;
mod giving_up;
mod run;
#[cfg(test)]
mod tests;
mod writing;
mod written;

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde_json::Value;

use super::{
    ask::Ask,
    book::{Book, Place},
    line::Health,
    message::{Message, Operation},
    moment::Moment,
    names::Names,
    record::{Entry, Opened},
    settings::Settings,
    verdict::{Refusal, Verdict, Why},
};
use crate::{BasketId, RequestId};

use writing::{Arrived, Ordered, Pending};

/// Who waits for a verdict; the driver's own number.
pub type Ticket = u64;

/// What the driver does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Make these entries durable, then call [`Machine::written`] or [`Machine::unwritten`].
    Write(Vec<Entry>),
    /// Send a request; its reply goes to [`Machine::replied`].
    Send(Exchange),
    /// Tell a verdict to the cashier who waits.
    Tell {
        /// Who waits.
        ticket: Ticket,
        /// The request, if it got a name.
        request_id: Option<RequestId>,
        /// The end.
        verdict: Verdict,
    },
    /// Tell whoever looks after the till.
    Notice(Notice),
}

/// What the driver is told when it asks what to do.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, taken apart as soon as it is there"
)]
pub enum Next {
    /// This, now.
    Do(Step),
    /// Nothing until something happens, or until this time; see [`Moment::uptime`].
    Wait(Option<Duration>),
}

/// One message to the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its number; later ones are higher.
    pub number: u64,
    /// The request it is about.
    pub request_id: RequestId,
    /// The message to post, or none to ask what became of the request.
    pub message: Option<Message>,
}

/// What came of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// An HTTP answer.
    Http {
        /// Its status.
        status: u16,
        /// Its body, if it is JSON.
        body: Option<Value>,
        /// What it says about when to come back.
        retry_after: Option<Duration>,
    },
    /// Nothing came back.
    Lost,
    /// The request never left.
    NotSent {
        /// When the gateway asked to come back, if it did.
        retry_after: Option<Duration>,
    },
    /// The gateway refuses this till; what an operator has to mend.
    Operator(String),
}

/// News for whoever looks after the till; not for the cashier's eyes during a sale.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A request that nobody waited for any more has come to its end.
    Settled {
        /// The request.
        request_id: RequestId,
        /// The ids it went by before, the latest first: the cashier may have been told one of them.
        replaces: Vec<RequestId>,
        /// Its basket.
        basket_id: Option<BasketId>,
        /// What it asked for.
        operation: Operation,
        /// Its end. A decline here is of something the cashier was told would count: look at it.
        verdict: Verdict,
    },
    /// The gateway gives no answers; sales are queued.
    Away,
    /// It answers again.
    Back,
    /// The till's clock is off the gateway's by so many seconds; more than none if it is behind.
    ClockWrong {
        /// What to add to the till's clock.
        seconds: i64,
    },
    /// The gateway refuses this till; an operator has to mend it.
    Operator(String),
    /// A request id was taken by another request: two tills use one journal's names. New ones were
    /// drawn.
    RequestIdTaken {
        /// The id.
        request_id: RequestId,
        /// The name that the request has now.
        renamed: RequestId,
    },
    /// The journal cannot be written; nothing is sent until it can.
    JournalUnwritable(String),
    /// It can be written again.
    JournalWritable,
}

/// What only this run of the till knows about a request.
#[derive(Debug, Clone, Default)]
struct Live {
    /// The cashier who waits, and until when.
    waiting: Option<(Ticket, Duration)>,
    /// Whether it may have reached the gateway.
    maybe_sent: bool,
    /// Whether to ask what became of it before it is sent again.
    unsure: bool,
    /// The exchange under way.
    in_flight: Option<InFlight>,
    not_before: Duration,
    pause: Duration,
    /// Whether it failed last while the gateway counted as away.
    away: bool,
    why: Option<Why>,
    /// How often its id turned out to be taken.
    renamed: u8,
}

/// An exchange under way.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    number: u64,
    /// Whether it carries the request, or only asks about it.
    sends: bool,
}

impl Live {
    /// Whether the gateway may have the request, or may get it yet.
    fn may_arrive(&self) -> bool {
        self.maybe_sent || self.in_flight.is_some_and(|exchange| exchange.sends)
    }

    /// A request that an earlier run may have sent.
    fn resumed() -> Self {
        Self {
            maybe_sent: true,
            unsure: true,
            why: Some(Why::Restarted),
            ..Self::default()
        }
    }
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    book: Book,
    names: Names,
    /// Names that have to be written down before they are used.
    new_names: Option<Opened>,
    live: HashMap<Place, Live>,
    health: Health,
    ready: VecDeque<Step>,
    orders: VecDeque<Ordered>,
    arrived: VecDeque<Arrived>,
    pending: Option<Pending>,
    unwritable_until: Option<Duration>,
    exchanges: u64,
}

impl Machine {
    /// A machine over the book of a journal that was just opened.
    #[must_use]
    pub fn new(settings: Settings, book: Book, now: &Moment) -> Self {
        let names = Names::next_generation(book.opened(), now, "start");
        let live = book
            .work()
            .map(|(place, _, _)| (place, Live::resumed()))
            .collect();
        Self {
            settings,
            new_names: Some(names.opened().clone()),
            book,
            names,
            live,
            health: Health::default(),
            ready: VecDeque::new(),
            orders: VecDeque::new(),
            arrived: VecDeque::new(),
            pending: None,
            unwritable_until: None,
            exchanges: 0,
        }
    }

    /// What the journal's entries add up to.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// How it is set up.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the gateway has given no answers for a while.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.health.is_away()
    }

    /// Whether nothing is left to do: every request has its end, and it is written down.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.book.unsettled() == 0
            && self.ready.is_empty()
            && self.orders.is_empty()
            && self.arrived.is_empty()
            && self.pending.is_none()
    }

    /// A name for a new basket.
    ///
    /// # Errors
    /// Never with names of this crate; the type of the id wants it.
    pub fn new_basket(&mut self) -> Result<BasketId, crate::IdError> {
        self.names.basket()
    }

    /// A smaller journal that says the same; see [`Book::compacted`].
    #[must_use]
    pub fn compacted(&self, now: &Moment) -> Vec<Entry> {
        let settings = &self.settings;
        // The clock may have jumped forward since.
        let newest = self.book.newest().unwrap_or(now.at).min(now.at);
        let since = newest.checked_sub(settings.keep).unwrap_or(newest);
        let days = usize::try_from(settings.keep.as_hours() / 24).unwrap_or(0);
        self.book
            .compacted(since, days.max(1), &settings.business_day)
    }

    /// Takes the journal's compaction for granted: the book is read again from what is in the file.
    ///
    /// Only when [`Machine::is_settled`]: places change.
    pub fn compact(&mut self, entries: &[Entry]) {
        self.book = Book::of(entries);
        self.live.clear();
    }

    /// Somebody asks for something and waits for the verdict.
    pub fn order(&mut self, now: &Moment, ticket: Ticket, ask: Ask) {
        let refused = self.refusal(&ask).or_else(|| ask.violation());
        if let Some(refusal) = refused {
            self.tell(ticket, None, Verdict::Refused(refusal));
            return;
        }
        self.health.nudge(now, &self.settings);
        self.orders.push_back(Ordered { ticket, ask });
    }

    fn refusal(&self, ask: &Ask) -> Option<Refusal> {
        match ask {
            Ask::Purchase(sale) if self.book.has_sale(&sale.basket_id) => {
                Some(Refusal::BasketCompleted)
            }
            Ask::Settlement {
                business_date,
                anyway: false,
            } => {
                let calendar = &self.settings.business_day;
                let unsettled = self.book.unsettled_on(*business_date, calendar);
                (unsettled > 0).then_some(Refusal::Unsettled(unsettled))
            }
            _ => None,
        }
    }

    /// The next thing to do, or how long there is none. After [`Step::Write`] the machine wants to know
    /// how it went before it is asked again.
    ///
    /// Both are of one moment: a request that falls due between two looks at the clock would be neither
    /// done nor waited for.
    pub fn next(&mut self, now: &Moment) -> Next {
        match self.step(now) {
            Some(step) => Next::Do(step),
            None => Next::Wait(self.wakes_at(now)),
        }
    }

    fn step(&mut self, now: &Moment) -> Option<Step> {
        debug_assert!(self.pending.is_none(), "a write without its outcome");
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Some(step);
            }
            if let Some(entries) = self.next_write(now) {
                return Some(Step::Write(entries));
            }
            if self.ready.is_empty() {
                return self.next_exchange(now).map(Step::Send);
            }
        }
    }

    /// When something falls due if nothing happens before.
    fn wakes_at(&self, now: &Moment) -> Option<Duration> {
        let mut times: Vec<Duration> = self.unwritable_until.into_iter().collect();
        for (place, _, _) in self.book.work() {
            let Some(live) = self.live.get(&place) else {
                continue;
            };
            times.extend(live.waiting.map(|(_, deadline)| deadline));
            times.push(live.not_before);
        }
        if self.book.unsettled() > 0 {
            times.extend(self.health.wakes());
        }
        times.into_iter().filter(|time| *time > now.uptime).min()
    }

    fn tell(&mut self, ticket: Ticket, request_id: Option<RequestId>, verdict: Verdict) {
        self.ready.push_back(Step::Tell {
            ticket,
            request_id,
            verdict,
        });
    }

    fn notice(&mut self, notice: Notice) {
        self.ready.push_back(Step::Notice(notice));
    }
}
