//! What is told: every kind has a script that ends with it, and the data say what others need.

use ledger::{
    event::EventKind,
    programme::{Clawback, Days, ExpiredPoints, Expiry, Programme},
};
use pos_protocol::MemberId;
use serde_json::{Value, json};

use crate::world::{World, expiring, member_id, months};

const SCRIPTS: &[(EventKind, &str)] = &[
    (EventKind::MemberBlocked, "block ann"),
    (EventKind::MemberUnblocked, "block ann \n unblock ann"),
    (EventKind::CardEnrolled, "enrol eve"),
    (EventKind::CardRevoked, "revoke ann"),
    (
        EventKind::CardTextReused,
        "text x ann \n s1.t1 b1 inquire x \n s1.t1 b2 inquire x",
    ),
    (EventKind::AuthorizationHeld, "s1.t1 b1 authorize ann 1"),
    (
        EventKind::AuthorizationVoided,
        "a: s1.t1 b1 authorize ann 1 \n s1.t1 void a",
    ),
    (
        EventKind::AuthorizationReversed,
        "a: s1.t1 b1 authorize ann 1 \n s1.t1 reverse a",
    ),
    (
        EventKind::AuthorizationExpired,
        "s1.t1 b1 authorize ann 1 \n wait 1h \n sweep ann",
    ),
    (EventKind::PurchaseCompleted, "s1.t1 b1 buy ann 100"),
    (
        EventKind::PurchaseRefunded,
        "p: s1.t1 b1 buy ann 100 \n s1.t1 refund p",
    ),
    (
        EventKind::PurchaseReversed,
        "p: s1.t1 b1 buy ann 100 \n s1.t1 reverse p",
    ),
    (
        EventKind::PointsMatured,
        "s1.t1 b1 buy ann 100 \n wait 2d \n sweep ann",
    ),
    (EventKind::PointsExpired, "wait 400d \n sweep ann"),
    (EventKind::PointsAdjusted, "take ann 1"),
    (EventKind::SettlementRecorded, "s1.t1 settle"),
];

#[test]
fn every_kind_is_told_for_its_cause() {
    let pending = |programme: &mut Programme| programme.earn.pending_days = Days::new(1).unwrap();
    for (kind, script) in SCRIPTS {
        let mut world = World::with(pending);
        world.play("grant ann 500");
        world.play(script);
        let told = world.all.events.last().unwrap();
        assert_eq!(told.kind, *kind, "{script}");
    }
    let world = World::new();
    assert_eq!(world.all.events[0].kind, EventKind::MemberEnrolled);
    let mut world = World::new();
    world.activate(|programme| programme.earn.points = 2);
    let told = world.all.events.last().unwrap();
    assert_eq!(told.kind, EventKind::ProgrammeActivated);

    let first = [EventKind::MemberEnrolled, EventKind::ProgrammeActivated];
    for kind in EventKind::ALL {
        let scripts = SCRIPTS.iter().filter(|(of, _)| of == kind).count();
        let also = first.iter().filter(|of| *of == kind).count();
        assert_eq!(scripts + also, 1, "{kind:?}");
        assert_eq!(EventKind::from_word(kind.word()), Some(*kind));
    }
}

/// The data of the newest event.
fn newest(world: &World) -> Value {
    serde_json::from_str(&world.all.events.last().unwrap().data).unwrap()
}

#[test]
fn a_purchase_is_told_with_its_whole_receipt_and_the_reasons_of_its_points() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        p1: s1.t1 b1 capture a1 food:2=1000+toys:1=500 redeem=120 tax=136
        ",
    );
    let (data, purchase) = (newest(&world), world.purchase_id("p1"));
    let ann: MemberId = member_id("ann");
    let receipt = world.state.purchases[&purchase].receipt.as_ref();
    assert_eq!(data["receipt"], serde_json::to_value(receipt).unwrap());
    assert_eq!(receipt.lines.len(), 2);
    for (field, expected) in [
        ("purchase_id", json!(purchase)),
        ("member_id", json!(ann)),
        ("store_id", json!("s1")),
        ("terminal_id", json!("s1.t1")),
        ("basket_id", json!("b1")),
        ("channel", json!("store")),
        ("authorization_id", json!(world.authorization_id("a1"))),
        ("points_redeemed", json!(120)),
        ("points_earned", json!(15)),
        ("programme_version", json!(1)),
        ("renewed", json!([])),
        (
            "balance",
            json!({ "available": 395, "held": 0, "pending": 0, "owed": 0 }),
        ),
    ] {
        assert_eq!(data[field], expected, "{field}");
    }
    let why = "1 per 100 yen of 1500 yen (tax included, whole receipt), rounded down: 15";
    let earned = json!([{ "points": 15, "class": "base", "expires_on": "2027-11-30", "why": why }]);
    assert_eq!(data["earned"], earned);
}

#[test]
fn a_purchase_tells_which_points_it_keeps_alive_for_longer() {
    let mut world = World::new();
    world.play(
        "
        grant ann 30 class=active
        grant ann 5 class=active stores=s1
        grant ann 7 class=ever
        at 2026-12-24T12:00
        s1.t1 b1 buy ann 100
        ",
    );
    let renewed = json!([{ "class": "active", "expires_on": "2027-06-24", "points": 35 }]);
    assert_eq!(newest(&world)["renewed"], renewed);
    world.play("s1.t1 b2 buy ann 100");
    assert_eq!(newest(&world)["renewed"], json!([]), "it is the same day");
}

#[test]
fn a_refund_tells_its_pieces_and_the_days_of_grace() {
    let grace = |programme: &mut Programme| {
        programme.returns.expired = ExpiredPoints::Grace {
            days: Days::new(10).unwrap(),
        };
    };
    let mut world = World::with(grace);
    world.play(
        "
        grant ann 20 class=short
        grant ann 30 class=active
        grant ann 50
        p1: s1.t1 b1 buy ann food:4=1000 redeem=100
        at 2027-06-05T12:00
        s1.t1 refund p1 1x1
        ",
    );
    // Spent last comes back first: nothing yet of what had expired.
    let data = newest(&world);
    assert_eq!(data["lines"], json!([{ "line_no": 1, "quantity": 1 }]));
    assert_eq!(
        (&data["points_restored"], &data["grace"]),
        (&json!(25), &Value::Null)
    );
    world.play("s1.t1 refund p1 1x3");
    let data = newest(&world);
    assert_eq!(data["points_restored"], 75);
    let grace = json!({ "expires_on": "2027-06-15", "points": 50 });
    assert_eq!(data["grace"], grace, "of both lots");
}

#[test]
fn points_that_pay_a_debt_are_seen_in_the_balance() {
    let owe = |programme: &mut Programme| {
        programme.returns.clawback = Clawback::Owe;
        programme.classes = expiring(Expiry::Fixed { months: months(12) });
    };
    let mut world = World::with(owe);
    world.play(
        "
        p1: s1.t1 b1 buy ann 1000
        s1.t1 b2 buy ann 10 redeem=10
        s1.t1 refund p1
        ",
    );
    assert_eq!(newest(&world)["balance"]["owed"], 10);
    world.play("s1.t1 b3 buy ann 1500");
    let data = newest(&world);
    assert_eq!(data["points_earned"], 15);
    let balance = json!({ "available": 5, "held": 0, "pending": 0, "owed": 0 });
    assert_eq!(data["balance"], balance);
}

#[test]
fn points_taken_have_no_class() {
    let mut world = World::new();
    world.play("grant ann 10 class=short");
    assert_eq!(newest(&world)["class"], "short");
    world.play("take ann 4");
    let data = newest(&world);
    assert_eq!(
        (&data["direction"], &data["class"]),
        (&json!("take"), &Value::Null)
    );
}
