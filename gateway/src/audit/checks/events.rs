//! Events: none missing, none without its cause.

use std::collections::{BTreeMap, BTreeSet};

use ledger::records::HoldState;
use uuid::Uuid;

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn sequence(rows: &MemberRows, tally: &mut Tally) {
    let mut events: Vec<_> = rows
        .events
        .iter()
        .map(|event| (event.member_sequence, event.id))
        .collect();
    events.sort_unstable();
    let mut expected = 0_i64;
    for (found, id) in &events {
        expected += 1;
        tally.expect(*found == expected, "events", id, || {
            format!("it has number {found} where {expected} is due")
        });
        // One gap is one finding, not one for every event after it.
        expected = *found;
    }
    tally.same(
        ("members", rows.member.id),
        "event_sequence",
        rows.member.event_sequence,
        "the events",
        expected,
    );
}

pub(super) fn places(rows: &MemberRows, tally: &mut Tally) {
    let mut events: Vec<_> = rows.events.iter().collect();
    events.sort_unstable_by_key(|event| event.member_sequence);
    let pairs = events.iter().zip(events.iter().skip(1));
    for (event, next) in pairs {
        let in_order = match (event.stream_sequence, next.stream_sequence) {
            (Some(place), Some(later)) => place < later,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        tally.expect(in_order, "events", next.id, || {
            "it has a place in the stream before the event that came before it".into()
        });
    }
}

pub(super) fn told_once(rows: &MemberRows, tally: &mut Tally) {
    let mut told: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for event in &rows.events {
        *told.entry((&event.kind, &event.subject)).or_default() += 1;
    }
    let mut once = |table: &'static str, noun: &str, id: Uuid, kind: &str, times: u32| {
        let subject = format!("{noun}/{id}");
        let found = told.get(&(kind, subject.as_str())).copied().unwrap_or(0);
        tally.expect(found == times, table, id, || {
            format!("{kind} was told {found} times, not {times}")
        });
    };
    for hold in &rows.authorizations {
        let id = hold.id.as_uuid();
        once(
            "authorizations",
            "authorization",
            id,
            "authorization.held",
            1,
        );
        for (state, kind) in [
            (HoldState::Voided, "authorization.voided"),
            (HoldState::Reversed, "authorization.reversed"),
            (HoldState::Expired, "authorization.expired"),
        ] {
            let times = u32::from(hold.state == state);
            once("authorizations", "authorization", id, kind, times);
        }
    }
    for purchase in &rows.purchases {
        let id = purchase.id.as_uuid();
        once("purchases", "purchase", id, "purchase.completed", 1);
        for (reversal, kind) in [(false, "purchase.refunded"), (true, "purchase.reversed")] {
            let refunds = rows.refunds.iter();
            let of_kind =
                refunds.filter(|row| row.purchase_id == purchase.id && row.reversal == reversal);
            let times = u32::try_from(of_kind.count()).unwrap_or(u32::MAX);
            once("purchases", "purchase", id, kind, times);
        }
    }
}

pub(super) fn have_rows(rows: &MemberRows, tally: &mut Tally) {
    let known: BTreeSet<(&str, Uuid)> = [("member", rows.member.id.as_uuid())]
        .into_iter()
        .chain(rows.lots.iter().map(|row| ("lot", row.id.as_uuid())))
        .chain(
            rows.authorizations
                .iter()
                .map(|row| ("authorization", row.id.as_uuid())),
        )
        .chain(
            rows.purchases
                .iter()
                .map(|row| ("purchase", row.id.as_uuid())),
        )
        .collect();
    for event in &rows.events {
        let named = event.subject.split_once('/');
        let about = named.and_then(|(noun, id)| Some((noun, Uuid::parse_str(id).ok()?)));
        let there = about.is_some_and(|about| known.contains(&about));
        tally.expect(there, "events", event.id, || {
            format!(
                "{} is about {}, which is not there",
                event.kind, event.subject
            )
        });
    }
}
