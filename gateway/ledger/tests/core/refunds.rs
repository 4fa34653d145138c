//! Refunds: spent points go back to their lots, by line or whole, never more than were spent.

use ledger::programme::{ExpiredPoints, Programme, ReturnScope};
use proptest::prelude::{prop_assert_eq, proptest};

use crate::world::{World, days, member_id};

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
fn what_was_spent_last_comes_back_first() {
    World::new().play(
        "
        grant ann 100 class=short
        grant ann 100
        grant ann 100 class=ever
        p1: s1.t1 b1 buy ann food:3=240 redeem=240
            approved, redeemed 240, earned 2, available 62
        s1.t1 refund p1 1x1
            approved, goods 80, restored 80, available 142
            restoration 40: redeemed > available, ever ever
            restoration 40: redeemed > available, base 2027-11-30
        s1.t1 refund p1 1x1
            approved, goods 80, restored 80, clawed back 1, available 221
            restoration 60: redeemed > available, base 2027-11-30
            restoration 20: redeemed > available, short 2026-12-31
            clawback 1: available > issued, base 2027-11-30
        s1.t1 refund p1
            approved, goods 80, restored 80, clawed back 1, available 300
            restoration 80: redeemed > available, short 2026-12-31
            clawback 1: available > issued, base 2027-11-30
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
fn the_days_of_grace_do_not_widen_where_points_may_be_spent() {
    let grace = |programme: &mut Programme| {
        programme.returns.expired = ExpiredPoints::Grace { days: days(10) };
    };
    World::with(grace).play(
        "
        grant ann 100 class=short stores=s1
        p1: s1.t1 b1 buy ann 99 redeem=99
        at 2027-01-05T12:00
        s1.t1 refund p1
            approved, goods 99, restored 99, available 99
        s2.t1 b1 inquire ann
            approved, available 99, spendable 0
        s1.t1 b2 inquire ann
            approved, available 99, spendable 99
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

#[test]
fn a_line_of_number_zero_is_a_line_like_any_other() {
    World::new().play(
        "
        p1: s1.t1 b1 buy ann food:50=5000+toys:1=5000 first=0
        s1.t1 refund p1 0x50
            approved, goods 5000, clawed back 50, available 50
        ",
    );
}
