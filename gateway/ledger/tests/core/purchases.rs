//! Purchases: what a receipt earns, paying with a card in one message, the basket, the day.

use ledger::programme::{Basis, Rounding};
use pos_protocol::Points;
use proptest::prelude::{Just, Strategy, prop_assert_eq, prop_oneof, proptest};

use crate::world::{World, member_id};

/// 1,100 yen with 100 yen tax, 330 of them paid with points, at 1 point per 16 yen.
#[test]
fn a_receipt_earns_on_the_basis_the_programme_sets_rounded_once() {
    use Basis::{Excluded, Included};
    // tax, paid with points, yen that earn, floored, half up, up
    for (tax, paid, basis, down, half_up, up) in [
        (Included, Included, 1_100, 68, 69, 69), // 68.75
        (Excluded, Included, 1_000, 62, 63, 63), // 62.5
        (Included, Excluded, 770, 48, 48, 49),   // 48.125
        (Excluded, Excluded, 700, 43, 44, 44),   // 43.75
    ] {
        for (rounding, earned) in [
            (Rounding::Down, down),
            (Rounding::HalfUp, half_up),
            (Rounding::Up, up),
        ] {
            let mut world = World::with(|programme| {
                programme.earn.per_yen = 16.try_into().unwrap();
                programme.earn.tax = tax;
                programme.earn.paid_with_points = paid;
                programme.earn.rounding = rounding;
            });
            world.play("grant ann 330 \n p1: s1.t1 b1 buy ann 1100 tax=100 redeem=330");
            let purchase = &world.answer("p1")["purchase"];
            assert_eq!(
                purchase["points_earned"], earned,
                "{tax:?} {paid:?} {rounding:?}"
            );
            let why = purchase["earned"][0]["why"].as_str().unwrap();
            let expected = format!("1 per 16 yen of {basis} yen (");
            assert!(why.starts_with(&expected), "{why}");
            assert!(why.ends_with(&format!(": {earned}")), "{why}");
        }
    }
}

#[test]
fn the_tax_within_the_part_paid_with_points_is_taken_out_once() {
    // 999 − 500 = 499 yen, of which 90 × 499 ÷ 999 = 44.9… → 44 yen are tax: 455 yen.
    let mut world = World::with(|programme| {
        programme.earn.per_yen = 1.try_into().unwrap();
        programme.earn.tax = Basis::Excluded;
        programme.earn.paid_with_points = Basis::Excluded;
    });
    world.play(
        "
        grant ann 500
        s1.t1 b1 buy ann 999 tax=90 redeem=500
            approved, redeemed 500, earned 455, available 455
        ",
    );
}

#[test]
fn a_point_may_be_worth_more_than_a_yen() {
    let mut world = World::with(|programme| {
        programme.yen_per_point = 2.try_into().unwrap();
        programme.earn.paid_with_points = Basis::Excluded;
    });
    world.play(
        "
        grant ann 1000
        s1.t1 b1 buy ann 1101 redeem=551
            declined 61 above_receipt_total, available 1000
        s1.t1 b1 buy ann 1101 redeem=330
            approved, redeemed 330, earned 4, available 674
        ",
    );
}

#[test]
fn a_receipt_that_earns_nothing_leaves_no_accrual() {
    World::new().play(
        "
        s1.t1 b1 buy ann 99
            approved, available 0
            nothing moves
            event purchase.completed
        s1.t1 b2 buy bob 0
            approved, available 0
            nothing moves
        ",
    );
}

#[test]
fn points_pay_in_the_message_of_the_purchase() {
    World::new().play(
        "
        grant ann 500
        s1.t1 b1 buy ann 1000 redeem=200
            approved, redeemed 200, earned 10, available 310
            capture 200: available > redeemed, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
            event purchase.completed
        ",
    );
}

#[test]
fn paying_at_once_keeps_every_limit() {
    let limit = |programme: &mut ledger::programme::Programme| {
        programme.limits.points_per_basket = Points::new(300).unwrap();
    };
    World::with(limit).play(
        "
        grant ann 250
        text none ann spend=none
        s1.t1 b1 buy none 1000 redeem=1
            declined 58 spend_not_allowed, available 250
        text some ann spend=100 age=1s
        s1.t1 b2 buy some 1000 redeem=101
            declined 61 above_card_limit, available 250
        text all ann age=2s
        s1.t1 b3 buy all 1000 redeem=301
            declined 61 above_programme_limit, available 250
        s1.t1 b3 buy all 200 redeem=201
            declined 61 above_receipt_total, available 250
        s1.t1 b3 buy all 1000 redeem=251
            declined 51 insufficient_points, available 250
        s1.t1 b3 buy all 250 redeem=250
            approved, redeemed 250, earned 2, available 2
        s1.t1 b1 buy none 1000
            approved, earned 10, available 12
        ",
    );
}

#[test]
fn open_holds_of_the_basket_count_against_its_limits() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=300
        s1.t1 b1 authorize x 200
        s1.t1 b1 buy x 1000 redeem=101
            declined 61 above_card_limit, available 300
        s1.t1 b1 buy x 1000 redeem=100
            approved, redeemed 100, earned 10, available 210
        ",
    );
}

#[test]
fn a_basket_has_one_purchase() {
    World::new().play(
        "
        grant ann 500
        text x ann
        a1: s1.t1 b1 authorize x 100
        s1.t1 b1 buy x 1000
            approved, earned 10, available 410
        s1.t1 b1 buy x 1000
            declined 94 basket_completed, available 410
        s1.t1 b1 buy x 1000 advice=0s
            declined 94 basket_completed, available 410
        s1.t1 b1 capture a1 1000
            declined 94 basket_completed, available 410
        s1.t1 b1 capture a1 1000 advice=1m
            declined 94 basket_completed, available 410
        s1.t1 b2 buy x 1000 advice=0s
            declined 94 card_already_used
        ",
    );
}

#[test]
fn the_business_day_turns_at_the_cut_over_and_is_open_a_day_around() {
    World::new().play(
        "
        at 2026-11-23T04:59
        s1.t1 b1 buy ann 100 date=2026-11-20
            declined 12 business_date_not_open, available 0
        s1.t1 b1 buy ann 100 date=2026-11-24
            declined 12 business_date_not_open, available 0
        s1.t1 b1 buy ann 100 date=2026-11-21
            approved, earned 1, available 1
        s1.t1 b2 buy bob 100 date=2026-11-23
            approved, earned 1, available 1
        at 2026-11-23T05:00
        s1.t1 b3 buy ann 100 date=2026-11-21
            declined 12 business_date_not_open, available 1
        s1.t1 b3 buy ann 100 date=2026-11-24
            approved, earned 1, available 2
        ",
    );
}

#[test]
fn a_store_may_turn_its_day_at_a_time_of_its_own() {
    let mut world = World::with(|programme| {
        let early = serde_json::from_str(r#"{"cut_over":"00:00"}"#).unwrap();
        programme
            .business_day
            .stores
            .insert("s2".parse().unwrap(), early);
    });
    world.play(
        "
        at 2026-11-23T00:30
        s1.t1 b1 buy ann 100
        s2.t1 b1 buy ann 100
        ",
    );
    let days: Vec<_> = world
        .all
        .transfers
        .iter()
        .map(|transfer| transfer.business_date.to_string())
        .collect();
    assert_eq!(days, ["2026-11-22", "2026-11-23"]);
}

#[test]
fn a_till_clock_more_than_five_minutes_off_is_flagged_and_the_gateways_time_decides() {
    let mut world = World::new();
    for (basket, occurred, flagged) in [
        ("b1", "300s", serde_json::Value::Null),
        ("b2", "301s", 301.into()),
        ("b3", "-300s", serde_json::Value::Null),
        ("b4", "-301s", (-301).into()),
    ] {
        world.play(&format!(
            "wait 1s \n s1.t1 {basket} buy ann 100 occurred={occurred}"
        ));
        let event = world.all.events.last().unwrap();
        let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["till_clock_skew_seconds"], flagged, "{occurred}");
        assert_eq!(data["recorded_at"], world.now.to_string());
        assert!(data["receipt"]["occurred_at"].is_string());
    }
}

#[test]
fn a_balance_never_passes_the_largest_amount() {
    World::new().play(
        "
        grant ann 999999999990
        s1.t1 b1 buy ann 1000
            approved, earned 10, available 1000000000000
        s1.t1 b2 buy ann 100
            declined 61 amount_too_large, available 1000000000000
        grant ann 1
            refused amount_too_large
        s1.t1 b3 buy bob 99
            approved, available 0
        ",
    );
}

#[test]
fn a_purchase_keeps_what_decided_it() {
    let mut world = World::new();
    world.play("grant ann 10 \n p1: s1.t2 b7 buy ann food:1=600+toys:1=400 redeem=10");
    let purchase = &world.state.purchases[&world.purchase_id("p1")];
    assert_eq!(purchase.member_id, member_id("ann"));
    assert_eq!(
        (purchase.terminal_id.as_str(), purchase.store_id.as_str()),
        ("s1.t2", "s1")
    );
    assert_eq!(
        (purchase.basket_id.as_str(), purchase.programme_version),
        ("b7", 1)
    );
    assert_eq!(
        purchase.earned[0].why,
        "1 per 100 yen of 1000 yen (tax included, whole receipt), rounded down: 10"
    );
    assert_eq!(purchase.recorded_at, world.now);
}

fn basis() -> impl Strategy<Value = Basis> {
    prop_oneof![Just(Basis::Included), Just(Basis::Excluded)]
}

proptest! {
    /// The basis is a fraction of whole yen, so the oracle is plain integer arithmetic on it.
    #[test]
    fn earning_is_exact_for_any_amount(
        total in 0..=1_000_000_000_i64,
        tax_share in 0..=1_000_i64,
        paid_share in 0..=1_000_i64,
        points in 0..=500_u16,
        per_yen in 1..=10_000_u32,
        (tax_basis, paid_basis) in (basis(), basis()),
    ) {
        let (tax, redeem) = (total * tax_share / 1_000, total * paid_share / 1_000);
        let mut counted = total;
        if paid_basis == Basis::Excluded {
            counted -= redeem;
        }
        if tax_basis == Basis::Excluded && total > 0 {
            counted -= tax * counted / total;
        }
        let product = counted * i64::from(points);
        let (whole, rest) = (product / i64::from(per_yen), product % i64::from(per_yen));
        for (rounding, expected) in [
            (Rounding::Down, whole),
            (Rounding::HalfUp, whole + i64::from(2 * rest >= i64::from(per_yen))),
            (Rounding::Up, whole + i64::from(rest > 0)),
        ] {
            let mut world = World::with(|programme| {
                programme.earn.points = points;
                programme.earn.per_yen = per_yen.try_into().unwrap();
                programme.earn.tax = tax_basis;
                programme.earn.paid_with_points = paid_basis;
                programme.earn.rounding = rounding;
            });
            if redeem > 0 {
                world.play(&format!("grant ann {redeem}"));
            }
            world.play(&format!("p1: s1.t1 b1 buy ann {total} tax={tax} redeem={redeem}"));
            prop_assert_eq!(world.answer("p1")["purchase"]["points_earned"].as_i64(), Some(expected));
        }
    }
}
