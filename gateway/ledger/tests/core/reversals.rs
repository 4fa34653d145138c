//! Reversals: before, after, twice; of holds, of purchases, of what has no opposite.

use crate::world::World;

#[test]
fn a_reversed_hold_is_let_go_once() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        v1: s1.t1 reverse a1
            approved, reversed, authorization reversed, available 500
            release 200: held > available, base 2027-11-30
            event authorization.reversed
        again v1
            approved, reversed, authorization reversed, available 500
        s1.t1 reverse a1
            approved, nothing to reverse, authorization reversed
            nothing moves
        s1.t1 b1 capture a1 1000
            declined 12 reversed, available 500
        # The till may ask anew, with the same text.
        s1.t1 b1 authorize ann 200
            approved, held 200, available 300
        ",
    );
}

#[test]
fn a_reversal_tells_the_state_of_a_hold_that_is_no_longer_open() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        a2: s1.t1 b2 authorize ann 100
        a3: s1.t1 b3 authorize ann 100
        s1.t1 b1 capture a1 1000
        s1.t1 void a2
        wait 30m
        s1.t1 reverse a1
            approved, nothing to reverse, authorization captured
        s1.t1 reverse a2
            approved, nothing to reverse, authorization voided
        s1.t1 reverse a3
            approved, nothing to reverse, authorization expired
            nothing moves
        ",
    );
}

#[test]
fn a_tombstone_declines_the_late_original_for_ever_whatever_its_body() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        v1: s1.t1 reverse a1
            approved, nothing to reverse
            nothing moves
        again v1
            approved, nothing to reverse
        s1.t1 reverse a1
            approved, nothing to reverse, tombstone no_effect
        a1: s1.t1 b1 authorize ann 200
            declined 12 reversed
            nothing moves
        a1: s1.t1 b1 buy ann 1000
            declined 12 reversed
            nothing moves
        a1: s1.t1 reverse v1
            declined 12 reversed
        wait 300d
        a1: s1.t1 b1 authorize ann 1
            declined 12 reversed
            nothing moves
        a1: s1.t2 b1 authorize ann 1
            approved, held 1, available 499
        ",
    );
}

#[test]
fn a_reversed_purchase_is_refunded_whole_and_frees_its_basket() {
    World::new().play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann 1000 redeem=200
            approved, redeemed 200, earned 10, available 310
        v1: s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 1000, restored 200, clawed back 10, available 500
            restoration 200: redeemed > available, base 2027-11-30
            clawback 10: available > issued, base 2027-11-30
            event purchase.reversed
        again v1
            approved, refunded, purchase reversed, goods 1000, restored 200, clawed back 10, available 500
        s1.t1 reverse p1
            approved, nothing to reverse, purchase reversed
            nothing moves
        s1.t1 refund p1
            declined 12 reversed, available 500
        p2: s1.t1 b1 buy ann 1000
            approved, earned 10, available 510
        # The reversed purchase's basket is another purchase's now.
        s1.t1 reverse p1
            approved, nothing to reverse, purchase reversed
        s1.t1 b1 buy ann 1000
            declined 94 basket_completed, available 510
        ",
    );
}

#[test]
fn reversing_a_captured_purchase_does_not_open_the_hold_again() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        p1: s1.t1 b1 capture a1 1000 redeem=150
            approved, redeemed 150, earned 10, available 360
        s1.t1 reverse a1
            approved, nothing to reverse, authorization captured
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 1000, restored 150, clawed back 10, available 500
        s1.t1 b1 capture a1 1000
            declined 12 already_captured, available 500
            nothing moves
        ",
    );
}

#[test]
fn a_reversal_after_refunds_takes_the_rest() {
    World::new().play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann food:2=1000 redeem=200
        s1.t1 refund p1 1x1
            approved, goods 500, restored 100, clawed back 5, available 405
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 500, restored 100, clawed back 5, available 500
        p2: s1.t1 b2 buy ann 1000
        s1.t1 refund p2
        s1.t1 reverse p2
            approved, nothing to reverse, purchase refunded
            nothing moves
        s1.t1 b2 buy ann 1000
            declined 94 basket_completed, available 500
        ",
    );
}

#[test]
fn a_reversed_short_code_purchase_frees_its_basket_too() {
    World::new().play(
        "
        short-code c ann
        p1: s1.t1 b1 buy c 1000
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 1000, clawed back 10, available 0
        s1.t1 b1 buy c 1000
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn a_request_without_effect_has_nothing_to_reverse() {
    World::new().play(
        "
        i1: s1.t1 b1 inquire ann
        d1: s1.t1 b1 authorize ann 100
        p1: s1.t1 b1 buy ann 1000
        q1: s1.t1 quote p1
        t1: s1.t1 settle
        s1.t1 reverse i1
            approved, nothing to reverse, inquiry no_effect
        s1.t1 reverse d1
            approved, nothing to reverse, authorization no_effect
        s1.t1 reverse q1
            approved, nothing to reverse, refund_quote no_effect
        s1.t1 reverse t1
            approved, nothing to reverse, settlement no_effect
        again d1
            declined 51 insufficient_points, available 0
        ",
    );
}

#[test]
fn what_took_effect_and_has_no_opposite_is_not_reversible() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        o1: s1.t1 void a1
        p1: s1.t1 b1 buy ann 1000
        f1: s1.t1 refund p1
        p2: s1.t1 b2 buy bob 1000
        v1: s1.t1 reverse p2
        s1.t1 reverse o1
            declined 21 not_reversible
        s1.t1 reverse f1
            declined 21 not_reversible
        s1.t1 reverse v1
            declined 21 not_reversible
        v2: s1.t1 reverse v2
            declined 21 not_reversible
            nothing moves
        ",
    );
}

#[test]
fn one_tills_reversal_says_nothing_of_another_tills_request() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        s1.t2 reverse a1
            approved, nothing to reverse
            nothing moves
        s1.t1 b1 capture a1 1000
            approved, redeemed 200, earned 10, available 310
        ",
    );
}

#[test]
fn a_reversal_posts_to_the_open_day_and_lapses_what_expired() {
    let mut world = World::new();
    world.play(
        "
        grant ann 100 class=short
        p1: s1.t1 b1 buy ann 100 redeem=100
        at 2027-01-10T04:59
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 100, lapsed 100, clawed back 1, available 0
            restoration 100: redeemed > available, short 2026-12-31
            expiry 100: available > breakage, short 2026-12-31
            clawback 1: available > issued, base 2027-11-30
        ",
    );
    let refund = world.all.refunds.last().unwrap();
    assert_eq!(refund.business_date.to_string(), "2027-01-09");
    assert!(refund.reversal);
    assert_eq!(refund.purchase_id, world.purchase_id("p1"));
}
