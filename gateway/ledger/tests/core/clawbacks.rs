//! Clawback: earned points are taken back, and what is done when they are gone; quotes of it.

use ledger::{
    programme::{Clawback, Expiry},
    state::Changes,
};

use crate::world::{World, expiring, member_id, months};

/// Ten points earned by `p1`, five of them gone when it comes back.
const HALF_SPENT: &str = "
    p1: s1.t1 b1 buy ann 1000
        approved, earned 10, available 10
    wait 1s
    s1.t1 b2 buy ann 500 redeem=10
        approved, redeemed 10, earned 5, available 5
";

fn clawing_back(policy: Clawback) -> World {
    let mut world = World::with(|programme| programme.returns.clawback = policy);
    world.play(HALF_SPENT);
    world
}

#[test]
fn within_balance_takes_back_what_is_there() {
    clawing_back(Clawback::WithinBalance).play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 5, available 0
            clawback 5: available > issued, base 2027-11-30
        s1.t1 b3 buy ann 2000
            approved, earned 20, available 20
        ",
    );
}

#[test]
fn what_is_owed_is_paid_by_the_next_accrual() {
    let mut world = clawing_back(Clawback::Owe);
    world.play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 5, owed 5, available 0
            clawback 5: available > issued, base 2027-11-30
            clawback 5: owed > issued
        wait 1s
        s1.t1 b3 buy ann 300
            approved, earned 3, available 0
            accrual 3: issued > available, base 2027-11-30
            debt settlement 3: available > owed, base 2027-11-30
        ",
    );
    assert_eq!(world.state.members[&member_id("ann")].owed.get(), 2);
    world.play(
        "
        grant ann 100
            done
            adjustment 100: issued > available, base 2027-11-30
            debt settlement 2: available > owed, base 2027-11-30
        ",
    );
    assert_eq!(world.state.members[&member_id("ann")].owed.get(), 0);
}

#[test]
fn an_accrual_that_paid_a_debt_is_owed_again_when_it_comes_back() {
    clawing_back(Clawback::Owe).play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 5, owed 5, available 0
        wait 1s
        p3: s1.t1 b3 buy ann 300
            approved, earned 3, available 0
        s1.t1 refund p3
            approved, goods 300, owed 3, available 0
        ",
    );
}

#[test]
fn points_that_staff_took_are_owed_like_points_that_were_spent() {
    World::with(|programme| programme.returns.clawback = Clawback::Owe).play(
        "
        p1: s1.t1 b1 buy ann 1000
        take ann 4
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 1000, clawed back 6, owed 4, available 0
            clawback 6: available > issued, base 2027-11-30
            clawback 4: owed > issued
        ",
    );
}

#[test]
fn deduct_names_the_yen_to_keep() {
    clawing_back(Clawback::Deduct).play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 5, yen kept 5, available 0
            clawback 5: available > issued, base 2027-11-30
        ",
    );
    let mut world = World::with(|programme| {
        programme.returns.clawback = Clawback::Deduct;
        programme.yen_per_point = 3.try_into().unwrap();
    });
    world.play(HALF_SPENT);
    world.play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 5, yen kept 15, available 0
        ",
    );
}

#[test]
fn earned_points_are_taken_from_their_lot_first_then_as_if_spent() {
    World::new().play(
        "
        grant ann 4 class=short
        grant ann 3 class=ever stores=s2
        p1: s1.t1 b1 buy ann 1000
            approved, earned 10, available 17
        a1: s2.t1 b1 authorize ann 9
            approved, held 9, available 8
            hold 4: available > held, short 2026-12-31
            hold 5: available > held, base 2027-11-30
        grant ann 2 class=ever
        s1.t1 quote p1
            approved, goods 1000, clawed back 7, available 3
        s2.t1 void a1
            approved, available 19
        s1.t1 refund p1
            approved, goods 1000, clawed back 10, available 9
            clawback 10: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn points_limited_to_another_store_are_not_taken_back() {
    World::new().play(
        "
        p1: s1.t1 b1 buy ann 1000
        take ann 10
        grant ann 4 class=ever
        grant ann 5 class=ever stores=s2
        grant ann 6 class=ever categories=toys
        s1.t1 refund p1
            approved, goods 1000, clawed back 4, available 11
            clawback 4: available > issued, ever ever
        ",
    );
}

#[test]
fn a_quote_is_the_refund_it_announces_and_changes_nothing() {
    for policy in [Clawback::WithinBalance, Clawback::Owe, Clawback::Deduct] {
        let mut world = clawing_back(policy);
        let quote = world.line("q1: s1.t1 quote p1").unwrap();
        let only_its_answer = Changes {
            requests: quote.changes.requests.clone(),
            ..Changes::default()
        };
        assert_eq!(quote.changes, only_its_answer);
        world.play("f1: s1.t1 refund p1");
        let (quoted, done) = (world.answer("q1"), world.answer("f1"));
        assert_eq!(quoted["points"], done["points"]);
        let mut refund = done["refund"].clone();
        assert!(refund.as_object_mut().unwrap().remove("id").is_some());
        assert_eq!(quoted["refund"], refund);
    }
}

#[test]
fn the_rate_that_was_awarded_is_the_rate_that_is_taken_back() {
    let mut world = World::new();
    world.play("p1: s1.t1 b1 buy ann 1000");
    world.activate(|programme| {
        programme.earn.points = 50;
        programme.classes = expiring(Expiry::Activity { months: months(1) });
    });
    world.play(
        "
        s1.t1 refund p1
            approved, goods 1000, clawed back 10, available 0
        ",
    );
}
