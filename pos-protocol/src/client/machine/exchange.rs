//! Which request goes next, and what its reply means.

use std::{collections::HashSet, time::Duration};

use serde_json::Value;

use super::{
    Exchange, InFlight, Live, Machine, Notice, Reply,
    writing::{Arrived, What},
};
use crate::{
    BasketId,
    client::{
        book::{Known, Place, State, Work},
        moment::Moment,
        verdict::Why,
    },
};

impl Machine {
    /// The next message to send, if one may go now.
    pub(super) fn next_exchange(&mut self, now: &Moment) -> Option<Exchange> {
        let width = self.health.queue_width(&self.settings);
        let in_flight = |live: &&Live| live.in_flight.is_some() && live.waiting.is_none();
        let queue_has_room = self.live.values().filter(in_flight).count() < width;
        let (mut baskets, untried) = (HashSet::new(), Live::default());
        let due = self.book.work().filter_map(|(place, known, work)| {
            let first = is_first(&mut baskets, known, work);
            let live = self.live.get(&place).unwrap_or(&untried);
            let sendable = match work {
                // A request nobody waits for is given up before anything else happens to it.
                Work::Send => {
                    let waited_for = live.waiting.is_some();
                    known.state == State::Kept || waited_for || self.is_asked_about(place, known)
                }
                Work::Learn => true,
                Work::Advise => false,
            };
            let waited_for = live.waiting.is_some();
            let may_go = sendable
                && first
                && live.in_flight.is_none()
                // Its answer is here and waits for room in the journal.
                && !self.arrived.iter().any(|arrived| arrived.place == place)
                && now.uptime >= live.not_before
                && live.waiting.is_none_or(|(_, until)| now.uptime < until)
                && (waited_for || queue_has_room)
                && self.health.lets(waited_for, now.uptime);
            may_go.then_some((live.not_before, place, work))
        });
        // What failed has to wait; what waits longest is first.
        let (_, place, work) = due.min_by_key(|(due, place, _)| (*due, *place))?;
        let message = self.book.at(place)?.request.message.clone();
        self.exchanges = self.exchanges.saturating_add(1);
        let number = self.exchanges;
        let live = self.live.entry(place).or_default();
        // A reversal says the same however often it comes.
        let ask = work == Work::Learn || (live.unsure && message.reverses().is_none());
        live.in_flight = Some(InFlight {
            number,
            sends: !ask,
        });
        Some(Exchange {
            number,
            request_id: message.request_id().clone(),
            message: (!ask).then_some(message),
        })
    }

    /// An exchange has ended. A reply that comes late, or twice, is taken for what it still is worth.
    pub fn replied(&mut self, now: &Moment, exchange: &Exchange, reply: Reply) {
        let sent = exchange.message.is_some();
        let place = self.book.place(&exchange.request_id);
        if let Some(live) = place.and_then(|place| self.live.get_mut(&place)) {
            live.in_flight = live
                .in_flight
                .filter(|under_way| under_way.number != exchange.number);
            live.maybe_sent |= sent && may_have_arrived(&reply);
        }
        let Some(place) = place.filter(|place| self.book.work_on(*place).is_some()) else {
            return;
        };
        match reply {
            Reply::Http {
                status,
                body,
                retry_after,
            } => self.answered(now, place, sent, (status, body, retry_after)),
            Reply::Lost => {
                self.line_failed(now, place);
                self.later(now, place, None, true);
            }
            Reply::NotSent { retry_after } => {
                self.line_failed(now, place);
                self.because(place, Why::Away);
                self.later(now, place, retry_after, false);
            }
            Reply::Operator(what) => self.operator(now, place, what),
        }
    }

    fn answered(
        &mut self,
        now: &Moment,
        place: Place,
        sent: bool,
        (status, body, retry_after): (u16, Option<Value>, Option<Duration>),
    ) {
        let body = body.unwrap_or_default();
        let problem = body.get("type").and_then(Value::as_str);
        let problem = problem.and_then(|kind| kind.rsplit_once("/problems/"));
        let problem = problem.map_or("", |(_, word)| word).to_owned();
        match (status, problem.as_str()) {
            (200, _) => self.taken_in(now, place, sent, body),
            (404, "unknown_resource") if !sent => self.not_there(place),
            (409, _) => {
                self.line_reached();
                self.later(now, place, retry_after, false);
            }
            (429, _) => {
                self.line_reached();
                let wait = retry_after.unwrap_or(Duration::from_secs(1));
                self.health.hold(now.uptime.saturating_add(wait));
                self.because(place, Why::Busy);
                if let Some(live) = self.live.get_mut(&place) {
                    live.not_before = now.uptime.saturating_add(wait);
                }
            }
            (422, "request_id_reused") => {
                self.line_worked();
                let what = What::Taken;
                self.arrived.push_back(Arrived { place, what });
            }
            (400 | 413 | 415 | 422, word) if !word.is_empty() && sent => {
                self.line_worked();
                let detail = body
                    .get("detail")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let what = What::Refused {
                    problem: problem.clone(),
                    detail: detail.to_owned(),
                };
                self.arrived.push_back(Arrived { place, what });
            }
            (408, _) => self.later(now, place, retry_after, true),
            (500, _) => {
                // One request may break something every time; the others need not wait for it.
                if self.health.faulted(place, now, &self.settings) {
                    self.notice(Notice::Away);
                }
                self.later(now, place, Some(self.settings.backoff_first), true);
            }
            (501..=599, _) => {
                self.line_failed(now, place);
                self.later(now, place, retry_after, true);
            }
            (status, word) => self.operator(now, place, unexpected(status, word)),
        }
    }

    /// An answer came. One that answers another request is not ours.
    fn taken_in(&mut self, now: &Moment, place: Place, sent: bool, answer: Value) {
        let Some(known) = self.book.at(place) else {
            return;
        };
        match known.request.message.read(&answer) {
            Some(reading) => {
                self.line_worked();
                let what = What::Answer(answer, reading);
                self.arrived.push_back(Arrived { place, what });
            }
            // What is stored under the id is another request's answer. Sending ours settles it: the
            // gateway compares the bodies.
            None if !sent && known.request.message.is_named_by(&answer) => self.not_there(place),
            None => {
                // Something on the way answers in the gateway's place.
                self.line_failed(now, place);
                self.later(now, place, None, true);
            }
        }
    }

    /// The gateway has nothing under the id: the request is sent, again and under the same id.
    fn not_there(&mut self, place: Place) {
        self.line_reached();
        if self.book.work_on(place) == Some(Work::Learn) {
            let what = What::Gone;
            self.arrived.push_back(Arrived { place, what });
        }
        if let Some(live) = self.live.get_mut(&place) {
            live.unsure = false;
            live.not_before = Duration::ZERO;
        }
    }

    /// The gateway refuses the till. The cashier need not wait for it.
    fn operator(&mut self, now: &Moment, place: Place, what: String) {
        let request = (place, self.is_waited_for(place));
        if self.health.refused(&what, request, now, &self.settings) {
            self.notice(Notice::Operator(what.clone()));
        }
        if let Some(live) = self.live.get_mut(&place) {
            live.why = Some(Why::Operator(what));
            if let Some((_, until)) = &mut live.waiting {
                *until = now.uptime;
            }
        }
        self.later(now, place, None, true);
    }

    /// Tries a request again after a pause that doubles; in the queue up to the line's longest, so
    /// that one which fails every time costs the others little. The gateway may ask for another.
    fn later(&mut self, now: &Moment, place: Place, wait: Option<Duration>, unsure: bool) {
        let Some(live) = self.live.get_mut(&place) else {
            return;
        };
        live.unsure |= unsure && live.may_arrive();
        let settings = &self.settings;
        live.away = self.health.is_away();
        let wait = if live.waiting.is_some() {
            let (first, max) = (settings.pause_first, settings.pause_max);
            live.pause = live.pause.saturating_mul(2).clamp(first, max);
            wait.unwrap_or(live.pause)
        } else {
            let (first, max) = (settings.backoff_first, settings.backoff_max);
            live.pause = live.pause.saturating_mul(2).clamp(first, max);
            live.pause.max(wait.unwrap_or_default())
        };
        live.not_before = now.uptime.saturating_add(wait);
    }

    fn because(&mut self, place: Place, why: Why) {
        if let Some(live) = self.live.get_mut(&place) {
            live.why.get_or_insert(why);
        }
    }

    fn line_reached(&mut self) {
        if self.health.reached() {
            self.back();
        }
    }

    fn line_worked(&mut self) {
        if self.health.worked() {
            self.back();
        }
    }

    fn back(&mut self) {
        self.notice(Notice::Back);
        // These failed because nothing got through.
        for live in self.live.values_mut().filter(|live| live.away) {
            live.not_before = Duration::ZERO;
        }
    }

    fn line_failed(&mut self, now: &Moment, place: Place) {
        let request = (place, self.is_waited_for(place));
        if self.health.failed(request, now, &self.settings) {
            self.notice(Notice::Away);
        }
    }

    fn is_waited_for(&self, place: Place) -> bool {
        let live = self.live.get(&place);
        live.is_some_and(|live| live.waiting.is_some())
    }
}

/// Whether nothing before this request is unsettled in its basket. Remembers the basket.
fn is_first<'a>(baskets: &mut HashSet<&'a BasketId>, known: &'a Known, work: Work) -> bool {
    match &known.request.basket_id {
        Some(basket) if work != Work::Learn => baskets.insert(basket),
        _ => true,
    }
}

/// Whether the gateway may have seen what was sent.
fn may_have_arrived(reply: &Reply) -> bool {
    match reply {
        Reply::Lost => true,
        // Refused before anything was begun.
        Reply::Http { status, .. } => !matches!(status, 401 | 403 | 404 | 405 | 429),
        Reply::NotSent { .. } | Reply::Operator(_) => false,
    }
}

fn unexpected(status: u16, problem: &str) -> String {
    match (status, problem) {
        (403, _) => "the client lacks the scope `pos` or a terminal (403)".to_owned(),
        (404, _) => "there is no point gateway at this address (404)".to_owned(),
        (status, "") => format!("something that is no point gateway answers with {status}"),
        (status, word) => format!("the gateway answers {status} {word}"),
    }
}
