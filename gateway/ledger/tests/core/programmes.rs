//! Programme versions: what a programme may say, and how a new version comes into force.

use std::sync::Arc;

use ledger::{
    account::{Account, Motive},
    calendar::business_date,
    command::{Activation, Operation},
    decision::Answer,
    event::EventKind,
    lot::LotExpiry,
    member::{CardStatus, MemberStatus},
    programme::{Minutes, OpenHolds, Programme},
    records::{HoldState, PurchaseState, RequestKind},
};
use member_card::ProgrammeId;
use serde_json::{Value, json};

use crate::world::{World, programme};

fn activation(replaces: i64, programme: Programme) -> Operation {
    Operation::ActivateProgramme(Box::new(Activation {
        replaces,
        programme: Arc::new(programme),
        source: "# by hand".to_owned(),
        actor: "staff".to_owned(),
    }))
}

#[test]
fn a_new_version_decides_from_the_next_command_on() {
    let mut world = World::new();
    world.play("p1: s1.t1 b1 buy ann 1000");
    let answer = world.activate(|programme| programme.earn.points = 5);
    assert_eq!(answer, Answer::ProgrammeActivated { version: 2 });
    world.play("p2: s1.t1 b2 buy ann 1000 \n    approved, earned 50, available 60");
    let version = |label| world.state.purchases[&world.purchase_id(label)].programme_version;
    assert_eq!((version("p1"), version("p2")), (1, 2));
    let kept = world.all.programmes.last().unwrap();
    assert_eq!(
        (kept.version, kept.source.as_str(), kept.actor.as_str()),
        (2, "edited", "staff")
    );
    let events = world.all.events.iter();
    assert_eq!(
        events
            .filter(|event| event.kind == EventKind::ProgrammeActivated)
            .count(),
        1
    );
}

#[test]
fn a_version_replaces_only_the_one_it_was_compared_with() {
    let mut world = World::new();
    world.activate(|programme| programme.earn.points = 5);
    for (replaces, id) in [(1, "demo"), (3, "demo"), (2, "other")] {
        let edited = programme(|programme| programme.id = ProgrammeId::new(id).unwrap());
        let decision = world.run(activation(replaces, edited));
        assert_eq!(
            decision.answer,
            Answer::ProgrammeMoved { version: 2 },
            "{replaces} {id}"
        );
        assert!(decision.changes.is_empty());
    }
    assert_eq!(world.state.in_force.programme.earn.points, 5);
}

#[test]
fn the_first_version_replaces_nothing_and_names_the_programme() {
    let mut world = World::empty(programme(|_| {}));
    world.state.in_force.version = 0;
    let other = programme(|programme| programme.id = ProgrammeId::new("other").unwrap());
    let decision = world.run(activation(0, other));
    assert_eq!(decision.answer, Answer::ProgrammeActivated { version: 1 });
    assert_eq!(world.state.in_force.programme.id.as_str(), "other");
}

#[test]
fn a_programme_reads_back_as_it_was_written() {
    let mut world = World::new();
    world.activate(|programme| programme.business_day.cut_over = "04:30:00".parse().unwrap());
    let programme = world.state.in_force.programme.as_ref();
    let text = serde_json::to_string(programme).unwrap();
    assert_eq!(
        &serde_json::from_str::<Programme>(&text).unwrap(),
        programme
    );
    assert!(text.contains(r#""cut_over":"04:30""#), "{text}");
}

/// The plain programme as JSON, with one place changed.
fn with(pointer: &str, value: Value) -> Result<Programme, serde_json::Error> {
    let mut json = serde_json::to_value(programme(|_| {})).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), value);
    }
    serde_json::from_value(json)
}

#[test]
fn settings_that_make_no_sense_are_refused_where_they_are_read() {
    for (pointer, value) in [
        ("/bonus", json!(true)),
        ("/name", json!("")),
        ("/name", json!("two\nlines")),
        ("/time_zone", json!("Asia/Edo")),
        ("/yen_per_point", json!(0)),
        ("/earn/per_yen", json!(0)),
        ("/earn/points", json!(-1)),
        ("/earn/rounding", json!("bankers")),
        ("/earn/pending_days", json!(3_661)),
        ("/classes/base", Value::Null),
        ("/classes/Gold", json!({ "expiry": { "kind": "never" } })),
        ("/classes/base/expiry/months", json!(0)),
        ("/classes/base/expiry/months", json!(241)),
        ("/holds/minutes", json!(0)),
        ("/cards/fresh_before_seconds", json!(3_601)),
        ("/cards/advice_hours", json!(721)),
        ("/business_day/cut_over", json!("25:00")),
        ("/limits/points_per_basket", json!(-1)),
        ("/limits/open_holds_per_member", json!(0)),
    ] {
        assert!(with(pointer, value.clone()).is_err(), "{pointer} {value}");
    }
    for (pointer, value) in [
        ("/yen_per_point", Value::Null),
        ("/earn/points", json!(0)),
        ("/cards/fresh_before_seconds", json!(0)),
        ("/classes/gold_2", json!({ "expiry": { "kind": "never" } })),
        ("/returns/expired", json!({ "kind": "grace", "days": 0 })),
    ] {
        assert!(with(pointer, value.clone()).is_ok(), "{pointer} {value}");
    }
    let many: serde_json::Map<_, _> = (0..16)
        .map(|n| (format!("c{n}"), json!({ "expiry": { "kind": "never" } })))
        .chain([("base".to_owned(), json!({ "expiry": { "kind": "never" } }))])
        .collect();
    assert!(with("/classes", Value::Object(many)).is_err());
}

#[test]
fn ranges_end_where_they_say() {
    assert_eq!(Minutes::new(43_200).map(Minutes::get), Some(43_200));
    assert_eq!((Minutes::new(0), Minutes::new(43_201)), (None, None));
    assert_eq!((OpenHolds::new(0), OpenHolds::new(101)), (None, None));
}

#[test]
fn a_business_day_begins_at_the_cut_over_on_the_programmes_calendar() {
    let programme = programme(|_| {});
    let store = "s1".parse().unwrap();
    for (now, day) in [
        ("2026-12-31T19:59:59Z", "2026-12-31"),
        ("2026-12-31T20:00:00Z", "2027-01-01"),
        ("2027-01-01T19:59:59Z", "2027-01-01"),
    ] {
        let date = business_date(&programme, &store, now.parse().unwrap());
        assert_eq!(date.to_string(), day, "{now}");
    }
}

#[test]
fn every_word_stands_for_its_value() {
    macro_rules! check {
        ($($name:ident),*) => {$(
            for value in $name::ALL {
                assert_eq!($name::from_word(value.word()), Some(*value));
            }
            assert_eq!($name::from_word("?"), None);
        )*};
    }
    check!(
        Account,
        Motive,
        LotExpiry,
        MemberStatus,
        CardStatus,
        HoldState,
        PurchaseState,
        RequestKind
    );
}
