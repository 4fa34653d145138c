//! Pending points: earned, not yet spendable, spendable from a day on.

use ledger::programme::Clawback;

use crate::world::{World, days};

fn waiting(n: u32) -> World {
    World::with(|programme| {
        programme.earn.pending_days = days(n);
        programme.returns.clawback = Clawback::Owe;
    })
}

#[test]
fn earned_points_are_pending_until_their_day() {
    let mut world = waiting(7);
    world.play(
        "
        p1: s1.t1 b1 buy ann 1000
            approved, earned 10, available 0
            accrual 10: issued > pending, base 2027-11-30
        at 2026-11-28T23:59
        s1.t1 b2 authorize ann 1
            declined 51 insufficient_points, available 0
        sweep ann
            done
            nothing moves
        at 2026-11-29T00:00
        s1.t1 b3 authorize ann 10
            approved, held 10, available 0
            maturity 10: pending > available, base 2027-11-30
            hold 10: available > held, base 2027-11-30
            event points.matured
            event authorization.held
        sweep ann
            done
            nothing moves
        ",
    );
    let earned = &world.answer("p1")["purchase"]["earned"][0];
    assert_eq!(earned["pending_until"], "2026-11-29");
    assert_eq!(earned["expires_on"], "2027-11-30");
}

#[test]
fn a_refund_takes_its_own_pending_points_first() {
    waiting(7).play(
        "
        grant ann 100 class=short
        p1: s1.t1 b1 buy ann food:2=1000
        s1.t1 b2 buy ann 1000
        s1.t1 refund p1 1x1
            approved, goods 500, clawed back 5, available 100
            clawback 5: pending > issued, base 2027-11-30
        at 2026-11-29T00:00
        sweep ann
            done
            maturity 5: pending > available, base 2027-11-30
            maturity 10: pending > available, base 2027-11-30
            event points.matured
            event points.matured
        ",
    );
    waiting(7).play(
        "
        p1: s1.t1 b1 buy ann 1000
        wait 1s
        s1.t1 b2 buy ann 1000
        at 2026-11-29T00:00
        sweep ann
            done
            maturity 10: pending > available, base 2027-11-30
            maturity 10: pending > available, base 2027-11-30
        s1.t1 refund p1
            approved, goods 1000, clawed back 10, available 10
            clawback 10: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn pending_points_of_another_purchase_are_not_taken() {
    waiting(7).play(
        "
        p1: s1.t1 b1 buy ann 1000
        at 2026-11-29T00:00
        s1.t1 b2 buy ann 2000 redeem=10
            approved, redeemed 10, earned 20, available 0
        s1.t1 refund p1
            approved, goods 1000, owed 10, available 0
            clawback 10: owed > issued
        at 2026-12-06T00:00
        sweep ann
            done
            maturity 20: pending > available, base 2027-11-30
            debt settlement 10: available > owed, base 2027-11-30
        s1.t1 b3 inquire ann
            approved, available 10, spendable 10
        ",
    );
}

#[test]
fn points_that_mature_after_their_last_day_lapse_at_once() {
    waiting(400).play(
        "
        s1.t1 b1 buy ann 1000
        at 2027-12-01T00:00
        sweep ann
            done
            nothing moves
        at 2027-12-27T00:00
        sweep ann
            done
            maturity 10: pending > available, base 2027-11-30
            expiry 10: available > breakage, base 2027-11-30
        ",
    );
}
