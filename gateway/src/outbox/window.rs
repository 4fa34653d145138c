//! Which of the events taken on may be sent now.
//!
//! Pure: no clock, no broker, no database. The properties that its tests hold it to:
//!
//! - Of one member at most one event is in flight, always the first that is not confirmed. So whatever
//!   the broker refuses or loses, and whatever is sent again, the member's events are first received in
//!   the order of their sequence.
//! - An event that failed waits for its time and holds back only its own member. Events without a
//!   member hold back nobody.
//! - Whatever was taken on stays until it is confirmed, and is never in flight twice.
//! - What is held in memory is bounded by [`WindowLimits`]. Events behind one that failed count by their
//!   bytes only: a member that is stuck does not use up the others' room.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, Instant},
};

use pos_protocol::MemberId;

use super::backoff;
use crate::{
    limits,
    store::{Placed, StoredEvent},
};

/// How much a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// Events sent and not confirmed.
    pub in_flight_events_max: usize,
    /// Events taken on and not confirmed.
    pub taken_events_max: usize,
    /// Bytes of those beyond which no more are taken on.
    pub taken_bytes_max: usize,
    /// Events that failed and wait, beyond which no more are taken on: nobody seems to listen.
    pub parked_events_max: usize,
    /// How long an event waits after its first failure; twice as long after each further one.
    pub parked_min: Duration,
    /// How long it waits at most.
    pub parked_max: Duration,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self {
            in_flight_events_max: limits::RELAY_IN_FLIGHT_EVENTS_MAX,
            taken_events_max: limits::RELAY_TAKEN_EVENTS_MAX,
            taken_bytes_max: limits::RELAY_TAKEN_BYTES_MAX,
            parked_events_max: limits::RELAY_PARKED_EVENTS_MAX,
            parked_min: Duration::from_millis(limits::RELAY_PARKED_MS_MIN),
            parked_max: Duration::from_millis(limits::RELAY_PARKED_MS_MAX),
        }
    }
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// An earlier event of its member is not confirmed.
    Behind,
    /// May be sent.
    Ready,
    /// Sent.
    InFlight,
    /// Failed; may be sent again from then on.
    Parked(Instant),
}

#[derive(Debug)]
struct Entry {
    position: i64,
    event: StoredEvent,
    standing: Standing,
    failures: u32,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.event.data.len() + self.event.subject.len() + size_of::<Self>()
    }
}

/// Events taken on, by their places.
#[derive(Debug, Default)]
pub struct Window {
    limits: WindowLimits,
    entries: BTreeMap<i64, Entry>,
    bytes: usize,
    /// Entries behind one that has failed.
    blocked: usize,
    /// The places of each member's entries, in order. Only the first is not behind.
    lines: HashMap<MemberId, VecDeque<i64>>,
    ready: BTreeSet<i64>,
    parked: BTreeSet<(Instant, i64)>,
    in_flight: usize,
    confirmed: Vec<i64>,
}

impl Window {
    /// An empty window.
    #[must_use]
    pub fn new(limits: WindowLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// The next event to send, in order of places: it is in flight from now on.
    pub fn next(&mut self, now: Instant) -> Option<(i64, &StoredEvent)> {
        while let Some(&(until, place)) = self.parked.first()
            && until <= now
        {
            self.parked.pop_first();
            self.make_ready(place);
        }
        if self.in_flight >= self.limits.in_flight_events_max {
            return None;
        }
        let place = self.ready.pop_first()?;
        let entry = self.entries.get_mut(&place)?;
        entry.standing = Standing::InFlight;
        self.in_flight += 1;
        Some((place, &entry.event))
    }

    /// The broker has taken charge of the event; the next one of its member may follow. Its event, if
    /// it was in flight.
    pub fn confirm(&mut self, place: i64) -> Option<StoredEvent> {
        self.landed(place)?;
        let entry = self.entries.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        self.confirmed.push(entry.position);
        if let Some(member_id) = entry.event.member_id
            && let Some(line) = self.lines.get_mut(&member_id)
        {
            line.pop_front();
            if entry.failures > 0 {
                self.blocked = self.blocked.saturating_sub(line.len());
            }
            match line.front().copied() {
                Some(next) => self.make_ready(next),
                None => drop(self.lines.remove(&member_id)),
            }
        }
        Some(entry.event)
    }

    /// The broker did not take the event, or it could not be sent. It waits and is sent again. How
    /// often it has failed by now, if it was in flight.
    pub fn fail(&mut self, place: i64, now: Instant) -> Option<u32> {
        let entry = self.landed(place)?;
        let failures = entry.failures.saturating_add(1);
        entry.failures = failures;
        let (min, max) = (self.limits.parked_min, self.limits.parked_max);
        let until = now + backoff::doubled(min, max, failures.saturating_sub(1));
        if failures == 1 {
            self.blocked += self.behind(place);
        }
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.standing = Standing::Parked(until);
            self.parked.insert((until, place));
        }
        Some(failures)
    }

    /// The connection is gone, and with it every answer that was awaited: what was in flight is sent
    /// again.
    pub fn disconnect(&mut self) {
        let in_flight = self.entries.iter_mut();
        for (place, entry) in in_flight.filter(|(_, entry)| entry.standing == Standing::InFlight) {
            entry.standing = Standing::Ready;
            self.ready.insert(*place);
        }
        self.in_flight = 0;
    }

    /// Takes on events, in order of their places, later than all that were taken on before.
    pub fn take_on(&mut self, placed: Vec<Placed>) {
        for row in placed {
            let member_id = row.event.member_id;
            let entry = Entry {
                position: row.position,
                event: row.event,
                standing: Standing::Behind,
                failures: 0,
            };
            self.bytes += entry.bytes();
            self.entries.insert(row.place, entry);
            let first = match member_id {
                Some(member_id) => {
                    let line = self.lines.entry(member_id).or_default();
                    line.push_back(row.place);
                    let head = line.front().and_then(|head| self.entries.get(head));
                    if line.len() > 1 && head.is_some_and(|head| head.failures > 0) {
                        self.blocked += 1;
                    }
                    line.len() == 1
                }
                None => true,
            };
            if first {
                self.make_ready(row.place);
            }
        }
    }

    /// How many more events may be taken on.
    #[must_use]
    pub fn room(&self) -> usize {
        let full = self.bytes >= self.limits.taken_bytes_max;
        if full || self.parked.len() >= self.limits.parked_events_max {
            return 0;
        }
        let taken = self.entries.len().saturating_sub(self.blocked);
        self.limits.taken_events_max.saturating_sub(taken)
    }

    /// The positions of events that were confirmed since the last time this was asked.
    pub fn take_confirmed(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.confirmed)
    }

    /// Positions that could not be removed; they are given again.
    pub fn give_back_confirmed(&mut self, mut positions: Vec<i64>) {
        self.confirmed.append(&mut positions);
    }

    /// Whether any were confirmed since then.
    #[must_use]
    pub fn has_confirmed(&self) -> bool {
        !self.confirmed.is_empty()
    }

    /// When the first of those that wait may be sent again.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.parked.first().map(|(until, _)| *until)
    }

    /// Whether nothing is left to send or to hear of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Events sent and not confirmed.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Events that failed and wait.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// How many of its member's events come after this one.
    fn behind(&self, place: i64) -> usize {
        let member_id = self
            .entries
            .get(&place)
            .and_then(|entry| entry.event.member_id);
        let line = member_id.and_then(|member_id| self.lines.get(&member_id));
        line.map_or(0, |line| line.len().saturating_sub(1))
    }

    /// Takes an event out of flight, if it is in flight.
    fn landed(&mut self, place: i64) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&place)?;
        if entry.standing != Standing::InFlight {
            return None;
        }
        self.in_flight = self.in_flight.saturating_sub(1);
        Some(entry)
    }

    fn make_ready(&mut self, place: i64) {
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.standing = Standing::Ready;
            self.ready.insert(place);
        }
    }
}

#[cfg(test)]
mod tests;
