//! What follows once entries are durable, or could not be made so.

use super::{
    Live, Machine, Notice, Ticket,
    writing::{Pending, Then},
};
use crate::{
    RequestId,
    client::{
        book::{Place, State, Work},
        moment::Moment,
        verdict::{Refusal, Verdict, Why},
    },
};

impl Machine {
    /// The entries of the last [`Step::Write`](super::Step::Write) are durable.
    pub fn written(&mut self, now: &Moment) {
        let Some(Pending { entries, then }) = self.pending.take() else {
            return;
        };
        for entry in &entries {
            self.book.apply(entry);
        }
        self.new_names = None;
        if self.unwritable_until.take().is_some() {
            self.notice(Notice::JournalWritable);
        }
        match then {
            Then::Begin { id, ticket } => self.begin(now, &id, ticket),
            Then::Queue { id, ticket, why } => {
                if let Some(place) = self.book.place(&id) {
                    self.live.insert(place, Live::default());
                }
                self.tell(ticket, Some(id), Verdict::Queued { why });
            }
            Then::Settle { place, verdict } => self.settled(place, verdict),
            Then::Learnt { place } => {
                self.live.remove(&place);
            }
            Then::Rename { place, to } => self.renamed(place, to),
            Then::GiveUp { place, verdict } => self.gave_up(place, verdict),
            Then::Advise { place } => self.follow(place, Live::default()),
        }
    }

    fn begin(&mut self, now: &Moment, id: &RequestId, ticket: Ticket) {
        let Some(place) = self.book.place(id) else {
            return;
        };
        let (wait, why) = if self.health.is_away() {
            (self.settings.deadline_away, Some(self.why_away()))
        } else {
            (self.settings.deadline, None)
        };
        let live = Live {
            waiting: Some((ticket, now.uptime.saturating_add(wait))),
            why,
            ..Live::default()
        };
        self.live.insert(place, live);
        self.release_original(place);
    }

    /// Whoever still waited for a request that is now to be undone waits no longer.
    fn release_original(&mut self, reversal: Place) {
        let message = self.book.at(reversal).map(|known| &known.request.message);
        let original = message.and_then(|message| message.reverses()).cloned();
        let place = original.as_ref().and_then(|id| self.book.place(id));
        let live = place.and_then(|place| self.live.remove(&place));
        if let Some((ticket, _)) = live.and_then(|live| live.waiting) {
            let (why, undoing) = (Why::Busy, true);
            self.tell(ticket, original, Verdict::NotAsked { why, undoing });
        }
    }

    fn settled(&mut self, place: Place, verdict: Verdict) {
        let live = self.live.remove(&place).unwrap_or_default();
        let Some(known) = self.book.at(place) else {
            return;
        };
        let request = &known.request;
        let request_id = request.message.request_id().clone();
        if let Some((ticket, _)) = live.waiting {
            self.tell(ticket, Some(request_id), verdict);
        } else if self.book.work_on(place) != Some(Work::Advise) {
            let notice = Notice::Settled {
                replaces: self.book.former(&request_id),
                request_id,
                basket_id: request.basket_id.clone(),
                operation: request.message.operation(),
                verdict,
            };
            self.notice(notice);
        }
    }

    fn renamed(&mut self, place: Place, to: RequestId) {
        let old = self.live.remove(&place).unwrap_or_default();
        if let Some(known) = self.book.at(place) {
            let request_id = known.request.message.request_id().clone();
            let renamed = to.clone();
            self.notice(Notice::RequestIdTaken {
                request_id,
                renamed,
            });
        }
        if let Some(place) = self.book.place(&to) {
            let live = Live {
                waiting: old.waiting,
                why: old.why,
                renamed: old.renamed.saturating_add(1),
                ..Live::default()
            };
            self.live.insert(place, live);
        }
    }

    fn gave_up(&mut self, place: Place, verdict: Verdict) {
        let Some(known) = self.book.at(place) else {
            return;
        };
        let id = known.request.message.request_id();
        let id = self.book.current(id).clone();
        let still_sent = known.state == State::Kept;
        let waiting = self
            .live
            .get_mut(&place)
            .and_then(|live| live.waiting.take());
        if !still_sent {
            self.follow(place, Live::default());
        }
        if let Some((ticket, _)) = waiting {
            self.tell(ticket, Some(id), verdict);
        }
    }

    /// The request that took this one's place, or undoes it, goes on with `live`.
    fn follow(&mut self, place: Place, live: Live) {
        self.live.remove(&place);
        let by = self.book.at(place).and_then(|known| match &known.state {
            State::Reversed { by } | State::Replaced { by } => self.book.place(by),
            _ => None,
        });
        if let Some(by) = by {
            self.live.insert(by, live);
        }
    }

    /// The entries of the last [`Step::Write`](super::Step::Write) could not be made durable: none of
    /// them counts.
    pub fn unwritten(&mut self, now: &Moment, why: &str) {
        let Some(Pending { then, .. }) = self.pending.take() else {
            return;
        };
        if self.unwritable_until.is_none() {
            self.notice(Notice::JournalUnwritable(why.to_owned()));
        }
        let until = now.uptime.saturating_add(self.settings.unwritable_pause);
        self.unwritable_until = Some(until);
        match then {
            Then::Begin { ticket, .. } | Then::Queue { ticket, .. } => {
                let refusal = Refusal::JournalUnwritable(why.to_owned());
                self.tell(ticket, None, Verdict::Refused(refusal));
            }
            Then::GiveUp { place, .. } => self.tell_overdue(place, now),
            // What the gateway said counts as lost: it is asked for again. The rest is tried again.
            Then::Settle { .. }
            | Then::Rename { .. }
            | Then::Learnt { .. }
            | Then::Advise { .. } => {}
        }
    }
}
