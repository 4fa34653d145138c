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
    (EventKind::MemberEnrolled, "enrol eve"),
    (EventKind::CardNamed, "name-card ann of ann"),
    (
        EventKind::PointsPooled,
        "merge ann into bob \n s1.t1 b1 authorize bob 1",
    ),
    (
        EventKind::PointsReturned,
        "merge ann into bob \n a: s1.t1 b1 authorize bob 1 \n s1.t1 void a",
    ),
    (
        EventKind::DebtSettled,
        "p: s1.t1 b1 buy bob 1000 \n wait 2d \n take bob 10 \n s1.t1 refund p \n \
         merge bob into ann \n grant ann 1",
    ),
    (EventKind::MemberLinked, "link ec/7 ann"),
    (
        EventKind::MemberUnlinked,
        "link ec/7 ann \n unlink ann ec/7",
    ),
    (
        EventKind::MemberEarnsOnly,
        "link email/a ann \n verify v bob email/a code=1 \n confirm v bob code=1 agreed=yes",
    ),
    (EventKind::MemberErased, "erase ann"),
    (EventKind::ProfileChanged, "profile ann"),
    (EventKind::OrderChanged, "order o1 by=ec/7 lines=a=1000"),
    (EventKind::MemberMerged, "merge ann into bob"),
    (
        EventKind::MemberUnmerged,
        "merge ann into bob \n unmerge ann",
    ),
];

#[test]
fn every_kind_is_told_for_its_cause() {
    let rules = |programme: &mut Programme| {
        programme.earn.pending_days = Days::new(1).unwrap();
        programme.returns.clawback = Clawback::Owe;
    };
    for (kind, script) in SCRIPTS {
        let mut world = World::with(rules);
        world.play("grant ann 500");
        let mut told = Vec::new();
        for line in script.lines() {
            assert!(!told.contains(kind), "{kind:?} came early: {script}");
            let decision = world.line(line.trim());
            let events = decision.map_or(Vec::new(), |decision| decision.changes.events);
            told = events.iter().map(|event| event.kind).collect();
        }
        assert!(told.contains(kind), "{kind:?}: {script}");
    }
    let mut world = World::new();
    world.activate(|programme| programme.earn.points = 2);
    let told = world.all.events.last().unwrap();
    assert_eq!(told.kind, EventKind::ProgrammeActivated);

    let first = [EventKind::ProgrammeActivated];
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

#[test]
fn pooled_points_are_told_of_their_lender_with_its_balance() {
    let mut world = World::new();
    world.play("grant ann 300 \n grant bob 200 \n merge bob into ann");
    let data = |world: &World, kind| -> Value {
        let event = world
            .all
            .events
            .iter()
            .rfind(|event| event.kind == kind)
            .unwrap();
        assert_eq!(event.member_id, Some(member_id("bob")));
        serde_json::from_str(&event.data).unwrap()
    };
    world.play("a: s1.t1 b1 authorize ann 450");
    let pooled = data(&world, EventKind::PointsPooled);
    world.play("s1.t1 void a");
    let returned = data(&world, EventKind::PointsReturned);
    let ann = json!(member_id("ann"));
    assert_eq!(
        (&pooled["to_member_id"], &returned["from_member_id"]),
        (&ann, &ann)
    );
    assert_eq!(
        (&pooled["points"], &returned["points"]),
        (&json!(150), &json!(150))
    );
    assert_eq!(pooled["lot_id"], returned["lot_id"]);
    let available = |data: &Value| data["balance"]["available"].clone();
    assert_eq!(
        (available(&pooled), available(&returned)),
        (json!(50), json!(200))
    );
}

#[test]
fn a_merge_is_told_of_both_with_their_parts_in_it() {
    let mut world = World::new();
    world.play("merge bob into ann");
    let told = world.all.events.iter().rev().take(2);
    let told: Vec<Value> = told
        .map(|event| serde_json::from_str(&event.data).unwrap())
        .collect();
    for (data, role, other) in [(&told[1], "alias", "ann"), (&told[0], "root", "bob")] {
        assert_eq!(data["role"], role);
        assert_eq!(data["other_member_id"], json!(member_id(other)));
        assert_eq!(
            (&data["proof"], &data["reason"]),
            (&json!("staff"), &json!("asked"))
        );
        assert_eq!(data["merge_id"], json!(world.all.merges[0].id));
    }
}

#[test]
fn an_order_is_told_without_who_ordered() {
    let mut world = World::new();
    world.play("order o1 paid by=ec/7 lines=a=1000");
    let data = newest(&world);
    assert_eq!(
        (&data["shop_id"], &data["order_id"]),
        (&json!("main"), &json!("o1"))
    );
    assert_eq!(data["state"], "paid");
    let order = world.state.orders.values().next().unwrap();
    assert_eq!(data["purchase_id"], json!(order.purchase_id));
    let mut fields: Vec<_> = data
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "balance",
            "member_id",
            "order_id",
            "purchase_id",
            "shop_id",
            "state"
        ]
    );
}
