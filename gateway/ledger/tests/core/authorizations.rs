//! Inquiry, authorization, capture, void: holds are real.

use ledger::programme::OpenHolds;
use pos_protocol::Points;

use crate::world::{World, minutes};

#[test]
fn a_hold_is_captured_by_its_purchase() {
    World::new().play(
        "
        grant ann 500
            done
            adjustment 500: issued > available, base 2027-11-30
            event points.adjusted
        a1: s1.t1 b1 authorize ann 200
            approved, held 200, available 300
            hold 200: available > held, base 2027-11-30
            event authorization.held
        s1.t1 b1 capture a1 1000
            approved, redeemed 200, earned 10, available 310
            capture 200: held > redeemed, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
            event purchase.completed
        s1.t1 void a1
            declined 12 already_captured, available 310
            nothing moves
        ",
    );
}

#[test]
fn a_capture_below_the_hold_releases_the_rest_to_its_own_lots() {
    World::new().play(
        "
        grant ann 100 class=short
        grant ann 100
        a1: s1.t1 b1 authorize ann 150
            approved, held 150, available 50
            hold 100: available > held, short 2026-12-31
            hold 50: available > held, base 2027-11-30
        s1.t1 b1 capture a1 1000 redeem=70
            approved, redeemed 70, earned 10, available 140
            capture 70: held > redeemed, short 2026-12-31
            release 30: held > available, short 2026-12-31
            release 50: held > available, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn a_capture_of_nothing_releases_all() {
    World::new().play(
        "
        grant ann 100
        a1: s1.t1 b1 authorize ann 100
        s1.t1 b1 capture a1 1000 redeem=0
            approved, earned 10, available 110
            release 100: held > available, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn a_capture_above_the_hold_or_the_receipt_is_declined_and_the_hold_stands() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        s1.t1 b1 capture a1 1000 redeem=201
            declined 61 above_hold, available 300
            nothing moves
        s1.t1 b1 capture a1 199
            declined 61 above_receipt_total, available 300
            nothing moves
        s1.t1 b1 capture a1 200
            approved, redeemed 200, earned 2, available 302
        ",
    );
}

#[test]
fn a_void_lets_go_once() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        s1.t1 void a1
            approved, available 500
            release 200: held > available, base 2027-11-30
            event authorization.voided
        s1.t1 void a1
            declined 12 already_voided, available 500
            nothing moves
        s1.t1 b1 capture a1 1000
            declined 12 already_voided, available 500
            nothing moves
        ",
    );
}

#[test]
fn a_hold_stands_until_its_last_second_and_expires_by_itself() {
    let mut world = World::with(|programme| programme.holds.minutes = minutes(10));
    world.play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        a2: s1.t1 b2 authorize ann 100
        ",
    );
    let expires_at = &world.answer("a1")["authorization"]["expires_at"];
    assert_eq!(expires_at, "2026-11-22T03:10:00Z");
    world.play(
        "
        wait 599s
        s1.t1 void a2
            approved, available 300
        wait 1s
        s1.t1 void a1
            declined 12 hold_expired, available 500
            release 200: held > available, base 2027-11-30
            event authorization.expired
        ",
    );
}

#[test]
fn a_hold_that_expires_while_another_is_used_is_let_go_once() {
    World::new().play(
        "
        grant ann 500
        s1.t1 b1 authorize ann 100
        s1.t1 b2 authorize ann 100
        wait 20m
        a3: s1.t1 b3 authorize ann 50
        a4: s1.t1 b4 authorize ann 50
        wait 10m
        s1.t1 b3 capture a3 1000 redeem=40
            approved, redeemed 40, earned 10, available 420
            release 100: held > available, base 2027-11-30
            release 100: held > available, base 2027-11-30
            capture 40: held > redeemed, base 2027-11-30
            release 10: held > available, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
        s1.t1 void a4
            approved, available 470
            release 50: held > available, base 2027-11-30
        ",
    );
}

#[test]
fn two_open_baskets_never_promise_the_same_point() {
    World::new().play(
        "
        grant ann 500
        s1.t1 b1 authorize ann 300
            approved, held 300, available 200
        s2.t1 b1 authorize ann 300
            declined 51 insufficient_points, available 200
            nothing moves
        s2.t1 b1 authorize ann 200
            approved, held 200, available 0
        ",
    );
}

#[test]
fn nothing_cannot_be_held() {
    World::new().play(
        "
        grant ann 500
        s1.t1 b1 authorize ann 0
            declined 13 zero_points, available 500
            nothing moves
        ",
    );
}

#[test]
fn one_member_has_only_so_many_open_holds() {
    let limit = |programme: &mut ledger::programme::Programme| {
        programme.limits.open_holds_per_member = OpenHolds::new(2).unwrap();
    };
    World::with(limit).play(
        "
        grant ann 500
        grant bob 500
        a1: s1.t1 b1 authorize ann 1
        s1.t1 b2 authorize ann 1
        s1.t1 b3 authorize ann 1
            declined 61 too_many_holds, available 498
        s1.t1 b4 authorize bob 1
            approved, held 1, available 499
        s1.t1 void a1
        s1.t1 b3 authorize ann 1
            approved, held 1, available 498
        wait 30m
        s1.t1 b5 authorize ann 1
            approved, held 1, available 499
            release 1: held > available, base 2027-11-30
            release 1: held > available, base 2027-11-30
            hold 1: available > held, base 2027-11-30
        ",
    );
}

#[test]
fn a_hold_belongs_to_its_till_and_its_basket() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        s1.t2 void a1
            declined 25 unknown_authorization
        s1.t2 b1 capture a1 1000
            declined 25 unknown_authorization
        s1.t1 b2 capture a1 1000
            declined 25 unknown_authorization
        s1.t1 void a9
            declined 25 unknown_authorization
        s1.t1 b1 capture a1 1000
            approved, redeemed 200, earned 10, available 310
        ",
    );
}

#[test]
fn the_limit_in_a_text_counts_all_open_holds_under_it() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=300
        a1: s1.t1 b1 authorize x 200
            approved, held 200, available 300
        s1.t1 b1 authorize x 101
            declined 61 above_card_limit, available 300
        s1.t1 b1 inquire x
            approved, available 300, spendable 100
        s1.t1 b1 authorize x 100
            approved, held 100, available 200
        s1.t1 void a1
        s1.t1 b1 authorize x 200
            approved, held 200, available 200
        ",
    );
}

#[test]
fn a_text_that_only_earns_holds_nothing() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=none
        s1.t1 b1 inquire x
            approved, available 500, spendable 0
        s1.t1 b1 authorize x 1
            declined 58 spend_not_allowed, available 500
        text y ann spend=0 age=1s
        s1.t1 b2 authorize y 1
            declined 61 above_card_limit, available 500
        ",
    );
}

#[test]
fn the_programme_limits_what_one_basket_spends() {
    let limit = |programme: &mut ledger::programme::Programme| {
        programme.limits.points_per_basket = Points::new(300).unwrap();
    };
    World::with(limit).play(
        "
        grant ann 500
        s1.t1 b1 inquire ann
            approved, available 500, spendable 300
        s1.t1 b1 authorize ann 301
            declined 61 above_programme_limit, available 500
        s1.t1 b1 authorize ann 200
            approved, held 200, available 300
        s1.t1 b1 authorize ann 101
            declined 61 above_programme_limit, available 300
        wait 1s
        s1.t1 b2 authorize ann 300
            approved, held 300, available 0
        ",
    );
}

#[test]
fn a_completed_basket_holds_nothing_more() {
    World::new().play(
        "
        grant ann 500
        s1.t1 b1 buy ann 1000
        s1.t1 b1 authorize ann 1
            declined 94 basket_completed, available 510
        ",
    );
}

#[test]
fn an_inquiry_shows_the_member_and_nothing_personal() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        i1: s1.t1 b1 inquire ann
            approved, available 500, spendable 500
            nothing moves
        ",
    );
    let number = world.state.members[&crate::world::member_id("ann")]
        .number
        .clone();
    let last_four = &number.as_str()[8..];
    let member = &world.answer("i1")["member"];
    assert_eq!(member["member_no_masked"], format!("********{last_four}"));
    assert_eq!(member["display_name"], format!("Member {last_four}"));
    assert_eq!(member["rank"], "regular");
}
