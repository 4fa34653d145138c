//! Advices: sales that already happened. Goods are gone, so nothing the member lacks stops them.

use crate::world::{World, hours};

#[test]
fn an_advice_takes_what_is_there_and_the_store_bears_the_rest() {
    World::new().play(
        "
        grant ann 100
        text x ann
        wait 2h
        s1.t1 b1 buy x 1000 redeem=150 advice=2h
            approved, redeemed 100, shortfall 50, earned 10, available 10
            capture 100: available > redeemed, base 2027-11-30
            shortfall 50: shortfall > redeemed
            accrual 10: issued > available, base 2027-11-30
            event purchase.completed
        ",
    );
}

#[test]
fn an_advice_takes_no_more_than_the_shopper_and_the_receipt_allow() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=100
        s1.t1 b1 buy x 1000 redeem=150 advice=0s
            approved, redeemed 100, shortfall 50, earned 10, available 410
        text y ann spend=none age=1s
        s1.t1 b2 buy y 1000 redeem=150 advice=0s
            approved, shortfall 150, earned 10, available 420
        text z ann age=2s
        # A claim counts for no more than the receipt is worth.
        s1.t1 b3 buy z 100 redeem=150 advice=0s
            approved, redeemed 100, earned 1, available 321
        ",
    );
}

#[test]
fn the_text_must_have_been_fresh_at_the_scan() {
    World::new().play(
        "
        text x ann
        wait 2h
        # Scanned 46 seconds after it was made, and 16 seconds before.
        s1.t1 b1 buy x 1000 advice=7154s
            declined 54 card_text_expired, available 0
        s1.t1 b1 buy x 1000 advice=7216s
            declined 54 card_text_from_future, available 0
        s1.t1 b1 buy x 1000 advice=7155s
            approved, earned 10, available 10
        short-code c ann
        wait 2h
        s1.t1 b2 buy c 1000 advice=7140s
            declined 54 card_text_expired, available 10
        s1.t1 b2 buy c 1000 advice=7141s
            approved, earned 10, available 20
        ",
    );
}

#[test]
fn an_advice_comes_within_the_programmes_limit() {
    World::with(|programme| programme.cards.advice_hours = hours(24)).play(
        "
        text x ann
        text y bob
        wait 24h
        s1.t1 b1 buy x 1000 advice=24h
            approved, earned 10, available 10
        wait 1s
        s1.t1 b2 buy y 1000 advice=86401s
            declined 68 advice_too_late
            nothing moves
        ",
    );
}

#[test]
fn an_advice_from_the_future_is_refused_beyond_five_minutes_of_clock_error() {
    World::new().play(
        "
        text x ann age=-300s
        s1.t1 b1 buy x 1000 advice=-301s
            declined 54 card_text_from_future
        s1.t1 b1 buy x 1000 advice=-300s
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn an_advice_posts_to_a_business_day_as_old_as_the_limit_allows() {
    World::with(|programme| programme.cards.advice_hours = hours(72)).play(
        "
        text x ann
        s1.t1 b1 buy x 1000 advice=0s date=2026-11-17
            declined 12 business_date_not_open, available 0
        s1.t1 b1 buy x 1000 advice=0s date=2026-11-24
            declined 12 business_date_not_open, available 0
        s1.t1 b1 buy x 1000 advice=0s date=2026-11-18
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn an_advice_captures_a_hold_that_stands() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        a2: s1.t1 b2 authorize ann 100
        a3: s1.t1 b3 authorize ann 100
        wait 20m
        s1.t1 b1 capture a1 1000 advice=20m
            approved, redeemed 100, earned 10, available 210
        s1.t1 b2 capture a2 1000 redeem=150 advice=20m
            approved, redeemed 100, shortfall 50, earned 10, available 220
            capture 100: held > redeemed, base 2027-11-30
            shortfall 50: shortfall > redeemed
            accrual 10: issued > available, base 2027-11-30
        s1.t1 b3 capture a3 60 advice=20m
            approved, redeemed 60, available 260
            capture 60: held > redeemed, base 2027-11-30
            release 40: held > available, base 2027-11-30
        ",
    );
}

#[test]
fn an_advice_on_a_hold_that_is_gone_takes_what_is_there_of_it() {
    World::new().play(
        "
        grant ann 150
        a1: s1.t1 b1 authorize ann 100
        a2: s1.t1 b2 authorize ann 50
        wait 31m
        # Expired: its points are back, and still there.
        s1.t1 b1 capture a1 1000 advice=30m
            approved, redeemed 100, earned 10, available 60
            release 100: held > available, base 2027-11-30
            release 50: held > available, base 2027-11-30
            capture 100: available > redeemed, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
        take ann 40
        s1.t1 b2 capture a2 1000 advice=30m
            approved, redeemed 20, shortfall 30, earned 10, available 10
        ",
    );
}

#[test]
fn an_advice_on_a_hold_that_is_gone_takes_no_more_than_was_held() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=100
        a1: s1.t1 b1 authorize x 100
        wait 31m
        s1.t1 b1 capture a1 1000 redeem=400 advice=30m
            approved, redeemed 100, shortfall 300, earned 10, available 410
        ",
    );
}

#[test]
fn an_advice_on_a_hold_that_the_till_let_go_takes_nothing() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        s1.t1 void a1
        s1.t1 b1 capture a1 1000 advice=1m
            approved, shortfall 100, earned 10, available 510
        a2: s1.t1 b2 authorize ann 100
        s1.t1 reverse a2
        s1.t1 b2 capture a2 1000 advice=1m
            approved, shortfall 100, earned 10, available 520
        ",
    );
}

#[test]
fn an_advice_scanned_after_the_baskets_life_takes_nothing_of_an_old_hold() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        wait 40m
        s1.t1 b1 capture a1 1000 advice=1m
            approved, shortfall 100, earned 10, available 510
        ",
    );
}

#[test]
fn a_basket_that_was_opened_before_an_outage_is_completed_after_it() {
    World::new().play(
        "
        text x ann
        s1.t1 b1 inquire x
            approved, available 0, spendable 0
        wait 5h
        s1.t1 b1 buy x 1000 advice=17990s
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn an_advice_is_held_to_who_the_member_is() {
    World::new().play(
        "
        text x ann
        text y ann age=1s
        s1.t1 b1 inquire x
        s1.t1 b2 buy x 1000 advice=0s
            declined 94 card_already_used
        s1.t1 b1 buy scribble 1000 advice=0s
            declined 14 unknown_card
        block ann
        s1.t1 b3 buy y 1000 advice=0s
            declined 41 member_blocked
        unblock ann
        revoke ann
        s1.t1 b3 buy y 1000 advice=0s
            declined 41 card_blocked
        ",
    );
}
