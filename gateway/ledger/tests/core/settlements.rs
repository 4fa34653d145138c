//! Settlement: a terminal's day, counted on both sides.

use crate::world::World;

#[test]
fn totals_that_agree_agree() {
    World::new().play(
        "
        grant ann 500
        s1.t1 settle
            approved, agreed
            nothing moves
            event settlement.recorded
        p1: s1.t1 b1 buy ann food:2=1000 redeem=200
        a1: s1.t1 b2 authorize ann 100
        p2: s1.t1 b2 capture a1 500 redeem=50
        s1.t1 refund p1 1x1
        s1.t1 reverse p2
        s1.t1 settle purchases=2 total=1500 redeemed=250 earned=15 refunds=2 restored=150 clawed=10
            approved, agreed
        ",
    );
}

#[test]
fn every_difference_is_named_and_the_settlement_kept() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann 1000 redeem=200
        s1.t1 refund p1
        s1.t1 settle purchases=2 total=999 redeemed=1 earned=2 refunds=3 restored=4 clawed=5
            approved, purchases 2 here 1, purchase_total 999 here 1000, points_redeemed 1 here 200, points_earned 2 here 10, refunds 3 here 1, points_restored 4 here 200, points_clawed_back 5 here 10
        ",
    );
    let kept = world.all.settlements.last().unwrap();
    assert_eq!((kept.till.purchases, kept.gateway.purchases), (2, 1));
    assert_eq!(kept.business_date.to_string(), "2026-11-22");
}

#[test]
fn a_day_is_one_terminals_and_refunds_post_to_the_open_one() {
    World::new().play(
        "
        p1: s1.t1 b1 buy ann 1000 date=2026-11-21
        s1.t2 b1 buy ann 2000
        at 2026-11-23T12:00
        s1.t2 refund p1
        s1.t1 settle date=2026-11-21 purchases=1 total=1000 earned=10
            approved, agreed
        s1.t1 settle date=2026-11-22
            approved, agreed
        s1.t1 settle date=2026-11-23
            approved, agreed
        s1.t2 settle date=2026-11-22 purchases=1 total=2000 earned=20
            approved, agreed
        s1.t2 settle date=2026-11-23 refunds=1 clawed=10
            approved, agreed
        ",
    );
}

#[test]
fn what_the_store_bears_counts_as_redeemed() {
    World::new().play(
        "
        s1.t1 b1 buy ann 1000 redeem=30 advice=0s
        s1.t1 settle purchases=1 total=1000 redeemed=30 earned=10
            approved, agreed
        ",
    );
}
