//! Refunds: spent points go back to their lots, earned points are taken back, never more of either.

use ledger::{
    programme::{Clawback, ExpiredPoints, Expiry, Programme, ReturnScope},
    state::Changes,
};
use proptest::prelude::{prop_assert_eq, proptest};

use crate::world::{World, days, expiring, member_id, months};

#[test]
fn a_whole_refund_undoes_the_points_of_its_purchase() {
    World::new().play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann 1000 redeem=200
            approved, redeemed 200, earned 10, available 310
        r1: s1.t1 refund p1
            approved, goods 1000, restored 200, clawed back 10, available 500
            restoration 200: redeemed > available, base 2027-11-30
            clawback 10: available > issued, base 2027-11-30
            event purchase.refunded
        again r1
            approved, goods 1000, restored 200, clawed back 10, available 500
        s1.t1 refund p1
            declined 61 above_refundable, available 500
            nothing moves
        ",
    );
}

#[test]
fn a_refund_by_line_moves_its_share() {
    World::new().play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann food:2=1000+toys:1=500 redeem=301
            approved, redeemed 301, earned 15, available 214
        # 301 × 500 ÷ 1500 = 100.3 and 15 × 500 ÷ 1500 = 5.
        s1.t1 refund p1 1x1
            approved, goods 500, restored 100, clawed back 5, available 309
        # 301 × 1000 ÷ 1500 = 200.7, less 100; 15 × 1000 ÷ 1500 = 10, less 5.
        s1.t1 refund p1 2x1
            approved, goods 500, restored 100, clawed back 5, available 404
        # The last piece brings all that is left.
        s1.t1 refund p1
            approved, goods 500, restored 101, clawed back 5, available 500
        ",
    );
}

#[test]
fn pieces_of_one_line_are_floored_in_sum_and_not_each() {
    World::new().play(
        "
        grant ann 100
        p1: s1.t1 b1 buy ann food:3=100 redeem=100
            approved, redeemed 100, earned 1, available 1
        s1.t1 refund p1 1x1
            approved, goods 33, restored 33, available 34
        s1.t1 refund p1 1x1
            approved, goods 33, restored 33, available 67
        s1.t1 refund p1 1x1
            approved, goods 34, restored 34, clawed back 1, available 100
        ",
    );
}

#[test]
fn no_piece_comes_back_twice() {
    World::new().play(
        "
        p1: s1.t1 b1 buy ann food:2=1000+toys:1=500
        s1.t1 refund p1 1x2
            approved, goods 1000, clawed back 10, available 5
        s1.t1 refund p1 1x1
            declined 61 above_refundable, available 5
        s1.t1 refund p1 2x1 2x1
            declined 61 above_refundable, available 5
        s1.t1 refund p1 3x1
            declined 25 unknown_line, available 5
        s1.t1 refund p1 2x0
            declined 61 above_refundable, available 5
        s1.t1 refund p1 2x4294967295 2x2
            declined 61 above_refundable, available 5
        s1.t1 refund p1 2x1
            approved, goods 500, clawed back 5, available 0
        ",
    );
}

#[test]
fn spent_points_that_expired_meanwhile_lapse() {
    World::new().play(
        "
        grant ann 100 class=short
        p1: s1.t1 b1 buy ann 1000 redeem=100
            approved, redeemed 100, earned 10, available 10
        at 2026-12-31T23:59
        p2: s1.t1 quote p1
            approved, goods 1000, restored 100, clawed back 10, available 100
        at 2027-01-01T00:00
        s1.t1 refund p1
            approved, goods 1000, lapsed 100, clawed back 10, available 0
            restoration 100: redeemed > available, short 2026-12-31
            expiry 100: available > breakage, short 2026-12-31
            clawback 10: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn spent_points_that_expired_meanwhile_come_back_for_the_days_of_grace() {
    let grace = |programme: &mut Programme| {
        programme.returns.expired = ExpiredPoints::Grace { days: days(10) };
    };
    World::with(grace).play(
        "
        grant ann 100 class=short
        p1: s1.t1 b1 buy ann food:2=1000 redeem=100
        at 2027-01-05T12:00
        s1.t1 refund p1 1x1
            approved, goods 500, restored 50, clawed back 5, available 55
            restoration 50: redeemed > available, short 2026-12-31
            expiry 50: available > breakage, short 2026-12-31
            grace 50: issued > available, short 2027-01-15
            clawback 5: available > issued, base 2027-11-30
        # The same days of grace, the same lot.
        s1.t1 refund p1 1x1
            approved, goods 500, restored 50, clawed back 5, available 100
        at 2027-01-15T23:59
        a1: s1.t1 b2 authorize ann 1
            approved, held 1, available 99
        at 2027-01-16T00:00
        sweep ann
            done
            expiry 99: available > breakage, short 2027-01-15
        wait 30m
        sweep ann
            done
            release 1: held > available, short 2027-01-15
            expiry 1: available > breakage, short 2027-01-15
        ",
    );
}

#[test]
fn grace_of_no_days_lasts_until_midnight() {
    let grace = |programme: &mut Programme| {
        programme.returns.expired = ExpiredPoints::Grace { days: days(0) };
    };
    World::with(grace).play(
        "
        grant ann 100 class=short
        p1: s1.t1 b1 buy ann 50 redeem=50
        at 2027-01-05T12:00
        s1.t1 refund p1
            approved, goods 50, restored 50, available 50
            expiry 50: available > breakage, short 2026-12-31
            restoration 50: redeemed > available, short 2026-12-31
            expiry 50: available > breakage, short 2026-12-31
            grace 50: issued > available, short 2027-01-05
        at 2027-01-06T00:00
        s1.t1 b2 inquire ann
            approved, available 0, spendable 0
        ",
    );
}

#[test]
fn points_spent_from_a_lot_kept_alive_by_activity_come_back_alive() {
    // Spent whole or all but one point: the purchase was activity either way.
    for spent in [99, 100] {
        let mut world = World::with(|programme| {
            programme.earn.points = 0;
        });
        world.play(&format!(
            "
            grant ann 100 class=active
            at 2027-05-20T12:00
            p1: s1.t1 b1 buy ann 1000 redeem={spent}
            at 2027-06-01T12:00
            s1.t1 refund p1
                approved, goods 1000, restored {spent}, available 100
            sweep ann
                done
                nothing moves
            at 2027-11-21T00:00
            "
        ));
        let expired = world.line("sweep ann").unwrap().changes.transfers;
        let points: i64 = expired.iter().map(|transfer| transfer.points.get()).sum();
        assert_eq!(points, 100, "they expire six months after the purchase");
    }
}

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
fn the_programme_says_which_tills_refund() {
    for (scope, same_store, other_store) in [
        (ReturnScope::Terminal, false, false),
        (ReturnScope::Store, true, false),
        (ReturnScope::Chain, true, true),
    ] {
        for (till, allowed) in [
            ("s1.t1", true),
            ("s1.t2", same_store),
            ("s2.t1", other_store),
        ] {
            let mut world = World::with(|programme| programme.returns.scope = scope);
            world.play(&format!(
                "
                p1: s1.t1 b1 buy ann 1000
                {till} refund p1
                    {}
                ",
                if allowed {
                    "approved, goods 1000, clawed back 10, available 0"
                } else {
                    "declined 25 unknown_purchase"
                }
            ));
        }
    }
    World::new().play("s1.t1 refund p9 \n    declined 25 unknown_purchase");
}

#[test]
fn a_refund_posts_to_the_open_day_of_the_till_and_names_its_purchase() {
    let mut world = World::with(|programme| programme.returns.scope = ReturnScope::Chain);
    world.play(
        "
        p1: s1.t1 b1 buy ann 1000
        at 2026-11-25T04:00
        s2.t1 refund p1
        ",
    );
    let refund = world.all.refunds.last().unwrap();
    assert_eq!(refund.business_date.to_string(), "2026-11-24");
    assert_eq!(refund.purchase_id, world.purchase_id("p1"));
    assert_eq!(refund.terminal_id.as_str(), "s2.t1");
    let clawback = world.all.transfers.last().unwrap();
    assert_eq!(clawback.business_date.to_string(), "2026-11-24");
    assert_eq!(clawback.source, refund.id.as_uuid());
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

proptest! {
    /// However goods come back, in the end points are where one whole refund would have left them, and
    /// after every piece they are where the sum of the pieces says.
    #[test]
    fn refunds_do_not_depend_on_their_path(
        lines in proptest::collection::vec((1..=4_u32, 0..=3_000_u32), 1..=4),
        redeem_share in 0..=100_u32,
        order in proptest::num::u64::ANY,
    ) {
        let receipt: Vec<_> =
            lines.iter().map(|(pieces, amount)| format!("goods:{pieces}={amount}")).collect();
        let total: u32 = lines.iter().map(|(_, amount)| amount).sum();
        let redeem = total * redeem_share / 100;
        let mut world = World::with(|programme| programme.earn.per_yen = 7.try_into().unwrap());
        world.play("grant ann 50000");
        world.play(&format!("p1: s1.t1 b1 buy ann {} redeem={redeem}", receipt.join("+")));
        let mut pieces: Vec<u32> = (1..)
            .zip(&lines)
            .flat_map(|(no, (pieces, _))| (0..*pieces).map(move |_| no))
            .collect();
        shuffle(&mut pieces, order);
        for line_no in pieces {
            world.play(&format!("s1.t1 refund p1 {line_no}x1"));
            let purchase = &world.state.purchases[&world.purchase_id("p1")];
            let back: i64 = purchase.refunded_amount.get();
            let whole = purchase.refunded.values().sum::<u32>()
                == lines.iter().map(|(pieces, _)| pieces).sum::<u32>();
            let share = |points: i64| if whole { points } else { points * back / i64::from(total.max(1)) };
            prop_assert_eq!(purchase.restored.get(), share(purchase.redeemed.get()));
            prop_assert_eq!(purchase.clawback_due.get(), share(purchase.earned_points.get()));
        }
        prop_assert_eq!(world.state.members[&member_id("ann")].available.get(), 50_000);
    }
}

fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for i in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let j = usize::try_from(seed >> 33).unwrap() % (i + 1);
        items.swap(i, j);
    }
}
