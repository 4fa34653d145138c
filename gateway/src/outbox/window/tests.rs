//! Windows against any pattern of answers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::clock;

const MEMBERS: u128 = 4;

fn small() -> WindowLimits {
    WindowLimits {
        in_flight_events_max: 3,
        taken_events_max: 20,
        taken_bytes_max: usize::MAX,
        parked_events_max: 5,
        parked_min: Duration::from_secs(1),
        parked_max: Duration::from_secs(10),
    }
}

/// An event of member `owner`; of nobody for 0.
fn placed(place: i64, owner: u128, member_sequence: i64) -> Placed {
    let member = MemberId::new(Uuid::from_u128(owner));
    Placed {
        place,
        position: place + 1_000,
        event: StoredEvent {
            id: pos_protocol::EventId::new(Uuid::from_u128(place.unsigned_abs().into())),
            member_id: (owner > 0).then_some(member),
            member_sequence,
            kind: "points.adjusted".into(),
            subject: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            data: "{}".into(),
            stream_sequence: Some(place),
        },
    }
}

#[derive(Debug, Clone)]
enum Step {
    TakeOn(Vec<u128>),
    Send,
    /// The how manieth of those in flight.
    Confirm(usize),
    Fail(usize),
    Disconnect,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop::collection::vec(0..=MEMBERS, 1..6).prop_map(Step::TakeOn),
        6 => Just(Step::Send),
        4 => any::<usize>().prop_map(Step::Confirm),
        2 => any::<usize>().prop_map(Step::Fail),
        1 => Just(Step::Disconnect),
        1 => (0_u64..4_000).prop_map(Step::Wait),
    ]
}

/// A window beside what has to be true of it.
struct Play {
    window: Window,
    now: Instant,
    last_place: i64,
    sequences: BTreeMap<u128, i64>,
    owners: BTreeMap<i64, u128>,
    in_flight: BTreeSet<i64>,
    parked: BTreeMap<i64, Instant>,
    confirmed: Vec<i64>,
}

impl Play {
    fn new() -> Self {
        Self {
            window: Window::new(small()),
            now: clock::instant(),
            last_place: 0,
            sequences: BTreeMap::new(),
            owners: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            parked: BTreeMap::new(),
            confirmed: Vec::new(),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::TakeOn(owners) => self.take_on(owners),
            Step::Send => {
                self.send();
            }
            Step::Confirm(which) => {
                if let Some(place) = self.pick(which) {
                    self.confirm(place);
                }
            }
            Step::Fail(which) => {
                if let Some(place) = self.pick(which) {
                    self.in_flight.remove(&place);
                    assert!(self.window.fail(place, self.now).is_some());
                    self.parked.insert(place, self.now + small().parked_min);
                }
            }
            Step::Disconnect => {
                self.window.disconnect();
                self.in_flight.clear();
            }
            Step::Wait(ms) => self.now += Duration::from_millis(ms),
        }
        self.check();
    }

    fn pick(&self, which: usize) -> Option<i64> {
        let count = self.in_flight.len();
        let place = self.in_flight.iter().nth(which.checked_rem(count)?);
        place.copied()
    }

    fn take_on(&mut self, owners: Vec<u128>) {
        let room = self.window.room();
        let mut rows = Vec::new();
        for owner in owners.into_iter().take(room) {
            self.last_place += 1;
            let sequence = self.sequences.entry(owner).or_default();
            *sequence += 1;
            self.owners.insert(self.last_place, owner);
            rows.push(placed(self.last_place, owner, *sequence));
        }
        self.window.take_on(rows);
    }

    fn send(&mut self) -> Option<i64> {
        let place = self.window.next(self.now).map(|(place, event)| {
            assert_eq!(event.stream_sequence, Some(place));
            place
        });
        match place {
            Some(place) => {
                assert!(self.in_flight.insert(place), "{place} is in flight twice");
                if let Some(until) = self.parked.remove(&place) {
                    assert!(until <= self.now, "{place} is sent before its time");
                }
            }
            // It keeps nothing back that could go.
            None => assert!(
                self.in_flight.len() == 3 || self.sendable().next().is_none(),
                "{:?} could be sent",
                self.sendable().next()
            ),
        }
        place
    }

    /// What could be sent now: the first of each member, and all of nobody's, not parked and not in
    /// flight.
    fn sendable(&self) -> impl Iterator<Item = i64> {
        let mut seen = BTreeSet::new();
        let waiting = self.owners.iter();
        let waiting = waiting.filter(|(place, _)| !self.confirmed.contains(place));
        let first = waiting.filter(move |(_, owner)| **owner == 0 || seen.insert(**owner));
        // The second failure lasts longer than the first: only those that never failed are sure.
        let free = first.filter(|(place, _)| !self.parked.contains_key(place));
        let free = free.filter(|(place, _)| !self.in_flight.contains(place));
        free.map(|(place, _)| *place)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn confirm(&mut self, place: i64) {
        self.in_flight.remove(&place);
        assert!(self.window.confirm(place).is_some());
        let owner = self.owners[&place];
        let before = self
            .owners
            .iter()
            .filter(|(other, of)| **of == owner && **other < place);
        for (other, _) in before {
            assert!(
                owner == 0 || self.confirmed.contains(other),
                "{place} of member {owner} is confirmed before {other}"
            );
        }
        self.confirmed.push(place);
    }

    fn check(&self) {
        assert_eq!(self.window.in_flight(), self.in_flight.len());
        assert!(self.in_flight.len() <= 3);
        let taken = self.owners.len() - self.confirmed.len();
        let failed = |place: &i64| self.window.entries[place].failures > 0;
        let lines = self.window.lines.values();
        let blocked: usize = lines
            .filter(|line| failed(&line[0]))
            .map(|line| line.len() - 1)
            .sum();
        assert_eq!(self.window.blocked, blocked);
        assert!(self.window.room() <= 20_usize.saturating_sub(taken - blocked));
        let mut members = BTreeSet::new();
        for place in &self.in_flight {
            let owner = self.owners[place];
            assert!(
                owner == 0 || members.insert(owner),
                "two of member {owner} are in flight"
            );
        }
    }

    /// From now on the broker takes everything.
    fn finish(&mut self) {
        while self.confirmed.len() < self.owners.len() {
            while let Some(place) = self.send() {
                self.confirm(place);
            }
            for place in self.in_flight.clone() {
                self.confirm(place);
            }
            self.now += small().parked_max;
        }
        let mut positions = self.window.take_confirmed();
        positions.sort_unstable();
        let all: Vec<_> = self.owners.keys().map(|place| place + 1_000).collect();
        assert_eq!(positions, all, "every event is confirmed, once");
        assert_eq!((self.window.bytes, self.window.lines.len()), (0, 0));
        assert_eq!(self.window.blocked, 0);
    }
}

proptest! {
    #[test]
    fn members_keep_their_order_and_nothing_is_forgotten(
        steps in prop::collection::vec(step(), 1..200)
    ) {
        let mut play = Play::new();
        for step in steps {
            play.run(step);
        }
        play.finish();
    }
}

#[test]
fn a_failure_holds_back_only_its_own_member() {
    let mut window = Window::new(small());
    let now = clock::instant();
    window.take_on(vec![
        placed(1, 1, 1),
        placed(2, 1, 2),
        placed(3, 2, 1),
        placed(4, 0, 0),
        placed(5, 0, 0),
    ]);
    let sent: Vec<_> = std::iter::from_fn(|| window.next(now).map(|(place, _)| place)).collect();
    assert_eq!(sent, [1, 3, 4]);
    for place in [1, 4] {
        assert_eq!(window.fail(place, now), Some(1));
    }
    assert_eq!(window.next(now).map(|(place, _)| place), Some(5));
    assert_eq!(window.next(now), None);
    assert_eq!(window.next_due(), Some(now + Duration::from_secs(1)));
    assert_eq!(
        window
            .next(now + Duration::from_secs(1))
            .map(|(place, _)| place),
        Some(1)
    );
}

#[test]
fn failures_wait_longer_each_time_up_to_a_limit() {
    let mut window = Window::new(small());
    let mut now = clock::instant();
    window.take_on(vec![placed(1, 1, 1)]);
    for (failures, wait) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (6, 10)] {
        assert!(window.next(now).is_some());
        assert_eq!(window.fail(1, now), Some(failures));
        let due = now + Duration::from_secs(wait);
        assert_eq!(window.next_due(), Some(due));
        assert!(window.next(due - Duration::from_nanos(1)).is_none());
        now = due;
    }
}

#[test]
fn nothing_is_taken_on_while_nobody_listens_or_memory_is_full() {
    let now = clock::instant();
    let mut window = Window::new(small());
    window.take_on((1..=6).map(|place| placed(place, 0, 0)).collect());
    for _ in 0..5 {
        let (place, _) = window.next(now).expect("an event to send");
        assert!(window.room() > 0);
        window.fail(place, now);
    }
    assert_eq!((window.room(), window.parked()), (0, 5));

    let mut window = Window::new(WindowLimits {
        taken_bytes_max: 1,
        ..small()
    });
    assert!(window.room() > 0);
    window.take_on(vec![placed(1, 1, 1)]);
    assert_eq!(window.room(), 0);
    assert!(window.next(now).is_some());
    window.confirm(1);
    assert!(window.room() > 0);
}

#[test]
fn an_answer_about_what_is_not_in_flight_changes_nothing() {
    let now = clock::instant();
    let mut window = Window::new(small());
    window.take_on(vec![placed(1, 1, 1)]);
    assert_eq!((window.confirm(1), window.fail(1, now)), (None, None));
    assert!(window.next(now).is_some());
    window.disconnect();
    assert_eq!(window.confirm(1), None);
    assert_eq!(window.next(now).map(|(place, _)| place), Some(1));
}

#[test]
fn positions_that_could_not_be_removed_are_given_again() {
    let now = clock::instant();
    let mut window = Window::new(small());
    window.take_on(vec![placed(1, 1, 1), placed(2, 2, 1)]);
    while window.next(now).is_some() {}
    window.confirm(1);
    let lost = window.take_confirmed();
    assert!(!window.has_confirmed());
    window.confirm(2);
    window.give_back_confirmed(lost);
    let mut positions = window.take_confirmed();
    positions.sort_unstable();
    assert_eq!(positions, [1_001, 1_002]);
}

#[test]
fn a_stuck_member_does_not_use_up_the_room_of_others() {
    let start = clock::instant();
    let mut window = Window::new(small());
    window.take_on((1..=6).map(|place| placed(place, 1, place)).collect());
    assert_eq!(window.room(), 14);
    assert_eq!(window.next(start).map(|(place, _)| place), Some(1));
    window.fail(1, start);
    assert_eq!(window.room(), 19, "five wait behind it");
    window.take_on(vec![placed(7, 1, 7), placed(8, 2, 1)]);
    assert_eq!(window.room(), 18, "the other member's counts");
    // It fails again, and is confirmed at last: all count again.
    for _ in 0..2 {
        let due = window.next_due().unwrap();
        while window.next(due).is_some() {}
        window.fail(1, due);
    }
    let due = window.next_due().unwrap();
    assert_eq!(window.next(due).map(|(place, _)| place), Some(1));
    window.confirm(1).unwrap();
    assert_eq!(window.room(), 13, "2 to 8 are left");
}
