//! Lots: which is spent first, which merge, where they may be spent, when they expire.

use ledger::{
    lot::{self, Part},
    programme::Expiry,
};
use pos_protocol::{LotId, Points};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use uuid::Uuid;

use crate::world::{World, expiring, member_id, months};

#[test]
fn the_soonest_expiry_is_spent_first_then_the_oldest_and_what_stays_for_ever_last() {
    World::new().play(
        "
        grant ann 10 class=ever
        grant ann 10
        grant ann 10 class=active
        grant ann 10 class=short
        wait 1s
        grant ann 10 class=ever stores=s1
        s1.t1 b1 buy ann 100 redeem=45
            approved, redeemed 45, earned 1, available 6
            capture 10: available > redeemed, short 2026-12-31
            capture 10: available > redeemed, active 2027-05-22
            capture 10: available > redeemed, base 2027-11-30
            capture 10: available > redeemed, ever ever
            capture 5: available > redeemed, ever ever
            accrual 1: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn of_two_lots_with_one_last_day_the_older_is_spent_first() {
    let mut world = World::new();
    world.play(
        "
        grant ann 10 stores=s1
        wait 1s
        grant ann 10
        s1.t1 b1 buy ann 15 redeem=15
        ",
    );
    let left: Vec<_> = world
        .state
        .lots
        .values()
        .map(|lot| (lot.key.scope.stores.len(), lot.available.get()))
        .collect();
    assert_eq!(left, [(1, 0), (0, 5)]);
}

#[test]
fn lots_with_one_key_merge_and_others_do_not() {
    let mut world = World::new();
    world.play(
        "
        grant ann 10
        s1.t1 b1 buy ann 1000
        at 2026-11-30T23:59
        s1.t1 b2 buy ann 1000
        grant ann 10 stores=s1
        grant ann 10 class=ever
        grant bob 10
        at 2026-12-01T00:00
        s1.t1 b3 buy ann 1000
        ",
    );
    let lots = world
        .state
        .lots
        .values()
        .filter(|lot| lot.member_id == member_id("ann"));
    let mut shown: Vec<_> = lots
        .map(|lot| {
            let until = lot.key.expires_on.map(|day| day.to_string());
            (
                lot.key.class.as_str(),
                until.unwrap_or_default(),
                lot.granted.get(),
            )
        })
        .collect();
    shown.sort_unstable();
    let expected = [
        ("base", "2027-11-30".to_owned(), 10),
        ("base", "2027-11-30".to_owned(), 30),
        ("base", "2027-12-31".to_owned(), 10),
        ("ever", String::new(), 10),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn an_emptied_lot_stays_closed_and_a_new_grant_opens_another() {
    let mut world = World::new();
    world.play(
        "
        grant ann 10
        take ann 10
        grant ann 10
        ",
    );
    let granted: Vec<_> = world
        .state
        .lots
        .values()
        .map(|lot| lot.granted.get())
        .collect();
    assert_eq!(granted, [10, 10]);
}

#[test]
fn points_limited_to_a_store_are_spent_there_only() {
    World::new().play(
        "
        grant ann 100 stores=s1+s3
        s2.t1 b1 inquire ann
            approved, available 100, spendable 0
        s2.t1 b1 authorize ann 1
            declined 51 insufficient_points, available 100
        wait 1s
        s1.t1 b2 inquire ann
            approved, available 100, spendable 100
        s1.t1 b2 authorize ann 100
            approved, held 100, available 0
        ",
    );
}

#[test]
fn points_limited_to_categories_pay_for_those_goods_only() {
    World::new().play(
        "
        grant ann 500 categories=toys+books
        grant ann 100 class=ever
        # Without a receipt nobody knows the goods.
        s1.t1 b1 inquire ann
            approved, available 600, spendable 100
        s1.t1 b1 authorize ann 101
            declined 51 insufficient_points, available 600
        s1.t1 b1 buy ann food:1=1000+toys:1=200+books:1=100 redeem=401
            declined 51 insufficient_points, available 600
        s1.t1 b1 buy ann food:1=1000+toys:1=200+books:1=100 redeem=400
            approved, redeemed 400, earned 13, available 213
            capture 300: available > redeemed, base 2027-11-30
            capture 100: available > redeemed, ever ever
            accrual 13: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn two_limited_lots_do_not_pay_for_the_same_goods() {
    World::with(|programme| programme.yen_per_point = 2.try_into().unwrap()).play(
        "
        grant ann 80 class=short categories=toys
        grant ann 80 class=ever categories=toys
        s1.t1 b1 buy ann toys:1=201+food:1=900 redeem=101
            declined 51 insufficient_points, available 160
        s1.t1 b1 buy ann toys:1=201+food:1=900 redeem=100
            approved, redeemed 100, earned 11, available 71
            capture 80: available > redeemed, short 2026-12-31
            capture 20: available > redeemed, ever ever
            accrual 11: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn a_lot_can_be_spent_on_its_last_day_and_lapses_at_midnight() {
    World::new().play(
        "
        grant ann 100 class=short
        at 2026-12-31T23:59
        s1.t1 b1 buy ann 40 redeem=40
            approved, redeemed 40, available 60
        at 2027-01-01T00:00
        s1.t1 b2 inquire ann
            approved, available 0, spendable 0
            expiry 60: available > breakage, short 2026-12-31
            event points.expired
        sweep ann
            done
            nothing moves
        ",
    );
}

#[test]
fn a_held_lot_does_not_expire_while_held_and_lapses_at_release() {
    World::new().play(
        "
        grant ann 100 class=short
        at 2026-12-31T23:50
        a1: s1.t1 b1 authorize ann 30
        a2: s1.t1 b2 authorize ann 20
        a3: s1.t1 b3 authorize ann 10
        at 2027-01-01T00:10
        s1.t1 b1 capture a1 1000 redeem=25
            approved, redeemed 25, earned 10, available 10
            expiry 40: available > breakage, short 2026-12-31
            capture 25: held > redeemed, short 2026-12-31
            release 5: held > available, short 2026-12-31
            expiry 5: available > breakage, short 2026-12-31
            accrual 10: issued > available, base 2028-01-31
        s1.t1 void a2
            approved, available 10
            release 20: held > available, short 2026-12-31
            expiry 20: available > breakage, short 2026-12-31
        s1.t1 reverse a3
            approved, reversed, authorization reversed, available 10
            release 10: held > available, short 2026-12-31
            expiry 10: available > breakage, short 2026-12-31
        ",
    );
}

#[test]
fn a_purchase_renews_what_expires_by_activity() {
    let activity = |programme: &mut ledger::programme::Programme| {
        programme.classes = expiring(Expiry::Activity { months: months(6) });
    };
    let mut world = World::with(activity);
    world.play(
        "
        s1.t1 b1 buy ann 1000
            approved, earned 10, available 10
            accrual 10: issued > available, base 2027-05-22
        at 2027-05-22T23:59
        s1.t1 b2 buy ann 1000
            approved, earned 10, available 20
            accrual 10: issued > available, base 2027-11-22
        at 2027-11-23T00:00
        s1.t1 b3 buy ann 1000
            approved, earned 10, available 10
            expiry 20: available > breakage, base 2027-11-22
            accrual 10: issued > available, base 2028-05-23
        # Only purchases are activity.
        at 2028-05-20T12:00
        s1.t1 b4 inquire ann
            approved, available 10, spendable 10
        grant ann 1 class=ever
        at 2028-05-24T00:00
        s1.t1 b5 inquire ann
            approved, available 1, spendable 1
        ",
    );
}

#[test]
fn a_purchase_never_shortens_a_lot() {
    let activity = |programme: &mut ledger::programme::Programme| {
        programme.classes = expiring(Expiry::Activity { months: months(6) });
    };
    let mut world = World::with(activity);
    world.play("s1.t1 b1 buy ann 1000");
    world.activate(|programme| {
        programme.classes = expiring(Expiry::Activity { months: months(1) });
    });
    world.play(
        "
        wait 10d
        s1.t1 b2 buy ann 1000
        ",
    );
    let days: Vec<_> = world
        .state
        .lots
        .values()
        .map(|lot| lot.key.expires_on.unwrap().to_string())
        .collect();
    assert_eq!(days, ["2027-05-22", "2027-01-02"]);
}

#[test]
fn activity_after_the_last_day_does_not_revive_what_was_only_held() {
    World::new().play(
        "
        grant ann 100 class=active
        at 2027-05-22T23:50
        a1: s1.t1 b1 authorize ann 100
        at 2027-05-23T00:10
        s1.t1 b2 buy ann 1000
            approved, earned 10, available 10
        s1.t1 void a1
            approved, available 10
            release 100: held > available, active 2027-05-22
            expiry 100: available > breakage, active 2027-05-22
        ",
    );
}

fn parts(points: &[i64]) -> Vec<Part> {
    let part = |(lot, points): (u128, &i64)| Part {
        lot_id: LotId::new(Uuid::from_u128(lot)),
        points: Points::new(*points).unwrap(),
    };
    (1..).zip(points).map(part).collect()
}

proptest! {
    #[test]
    fn a_split_keeps_every_point_in_its_lot_and_order(
        points in proptest::collection::vec(1..1_000_i64, 0..8),
        at in 0..5_000_i64,
    ) {
        let whole = parts(&points);
        let (head, tail) = lot::split(&whole, Points::new(at).unwrap());
        prop_assert_eq!(lot::sum(&head).get(), at.min(points.iter().sum()));
        prop_assert!(head.iter().chain(&tail).all(|part| !part.points.is_zero()));
        let mut joined = head;
        for part in tail {
            match joined.last_mut() {
                Some(last) if last.lot_id == part.lot_id => {
                    last.points = last.points.checked_add(part.points).unwrap();
                }
                _ => joined.push(part),
            }
        }
        prop_assert_eq!(joined, whole);
    }
}
