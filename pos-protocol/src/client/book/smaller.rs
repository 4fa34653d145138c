//! The book as a smaller journal: what of it still matters.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};

use super::{Book, Known, Place, State};
use crate::{
    AuthorizationAnswer, AuthorizationId,
    client::{
        message::{Message, Operation},
        record::Entry,
        settings::BusinessDay,
    },
};

impl Book {
    /// The entries of a smaller journal that says the same of everything that still matters: what has
    /// something left to do, as it is; sales, refunds and what undid them since `since`, those of the
    /// newest `days` business days on which there were any, and open holds, without their card texts.
    /// The rest is settled and forgotten.
    ///
    /// The days are counted, not measured: a clock that jumps makes none of them old.
    #[must_use]
    pub fn compacted(&self, since: Timestamp, days: usize, calendar: &BusinessDay) -> Vec<Entry> {
        let busy: BTreeSet<Date> = self
            .requests
            .values()
            .filter_map(|known| known.business_day(calendar))
            .collect();
        let days: BTreeSet<Date> = busy.into_iter().rev().take(days).collect();
        let recent = |known: &Known| {
            let day = || known.business_day(calendar);
            known.last_at() >= since || day().is_some_and(|day| days.contains(&day))
        };
        let mut entries: Vec<Entry> = self.opened.clone().map(Entry::Opened).into_iter().collect();
        let holds: BTreeSet<AuthorizationId> =
            self.open_holds().into_iter().map(|(_, id)| id).collect();
        let doubtful = |place: &&Place| {
            let known = self.requests.get(place);
            known.is_some_and(|known| known.doubtful)
        };
        // Doubt is about all requests before a place; of what is settled nobody asks any more.
        let mut doubt_behind = self.work.iter().rev().find(doubtful).copied();
        for (place, known) in &self.requests {
            if !known.doubtful && doubt_behind.take().is_some() {
                entries.push(Entry::Damaged { records: 1 });
            }
            if self.stays(*place, known, &recent, &holds) {
                entries.extend(known.entries(self.work.contains(place)));
            }
        }
        if doubt_behind.is_some() {
            entries.push(Entry::Damaged { records: 1 });
        }
        entries
    }

    fn stays(
        &self,
        place: Place,
        known: &Known,
        recent: &dyn Fn(&Known) -> bool,
        holds: &BTreeSet<AuthorizationId>,
    ) -> bool {
        self.work.contains(&place) || self.is_worth_keeping(place, known, recent, holds)
    }

    fn is_worth_keeping(
        &self,
        place: Place,
        known: &Known,
        recent: &dyn Fn(&Known) -> bool,
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
        // Somebody may know the request by this id, and undo it by it.
        if let State::Replaced { by } = &known.state {
            let by = self.place(by).filter(|by| *by > place);
            return by
                .and_then(|by| Some((by, self.requests.get(&by)?)))
                .is_some_and(|(by, known)| self.stays(by, known, recent, holds));
        }
        let recent = recent(known);
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
    /// When something was last heard of it.
    pub(super) fn last_at(&self) -> Timestamp {
        self.answered_at.unwrap_or(self.request.at)
    }

    /// The business day in whose totals it is, if it is in any.
    fn business_day(&self, calendar: &BusinessDay) -> Option<Date> {
        match &self.request.message {
            Message::Purchase(sale) => Some(sale.receipt.business_date),
            Message::Refund(..) | Message::Reversal(_) => Some(calendar.of(self.last_at())),
            _ => None,
        }
    }

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
