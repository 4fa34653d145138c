//! What happens when things fail between till and gateway, a test for every case a pure core can show.
//!
//! Not here, because they are not the core's: waiting for a request that is still running, an
//! unreachable gateway, a broker or database that is down, a killed process.

use ledger::programme::{Clawback, ExpiredPoints};

use crate::world::{World, days};

#[test]
fn request_lost_the_same_request_id_is_sent_again() {
    World::new().play(
        "
        grant ann 500
        # The first never arrived: nothing is stored, the same id decides.
        a1: s1.t1 b1 authorize ann 200
            approved, held 200, available 300
        ",
    );
}

#[test]
fn answer_lost_the_stored_answer_comes_byte_for_byte_approvals_and_declines_alike() {
    let mut world = World::new();
    // `again` demands the same bytes and no change at all.
    world.play(
        "
        grant ann 500
        i1: s1.t1 b1 inquire ann
        a1: s1.t1 b1 authorize ann 200
        d1: s1.t1 b1 authorize ann 900
            declined 51 insufficient_points, available 300
        p1: s1.t1 b1 capture a1 1000
        q1: s1.t1 quote p1
        f1: s1.t1 refund p1
        v1: s1.t1 reverse x9
        t1: s1.t1 settle
        grant ann 9999
        wait 90d
        block ann
        revoke ann
        again i1
            approved, available 500, spendable 500
        again a1
            approved, held 200, available 300
        again d1
            declined 51 insufficient_points, available 300
        again p1
            approved, redeemed 200, earned 10, available 310
        again q1
            approved, goods 1000, restored 200, clawed back 10, available 500
        again f1
            approved, goods 1000, restored 200, clawed back 10, available 500
        again v1
            approved, nothing to reverse
        again t1
        ",
    );
}

#[test]
fn duplicate_with_another_body_is_refused_and_changes_nothing() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        a1: s1.t1 b1 authorize ann 201
            request id reused
            nothing moves
        a1: s1.t1 b1 buy ann 1000
            request id reused
            nothing moves
        again a1
            approved, held 200, available 300
        # Another till counts its requests for itself.
        a1: s1.t2 b1 authorize ann 201
            approved, held 201, available 99
        ",
    );
}

#[test]
fn same_card_text_same_basket_is_the_same_use() {
    World::new().play(
        "
        grant ann 500
        text x ann
        s1.t1 b1 inquire x
            approved, available 500, spendable 500
        a1: s1.t1 b1 authorize x 200
            approved, held 200, available 300
        p1: s1.t1 b1 buy x 1000
            approved, earned 10, available 310
        again a1
            approved, held 200, available 300
        ",
    );
}

#[test]
fn same_card_text_another_basket_or_terminal_is_declined_with_an_event() {
    World::new().play(
        "
        text x ann
        s1.t1 b1 inquire x
        s1.t1 b2 inquire x
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        s1.t2 b1 buy x 1000
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        ",
    );
}

#[test]
fn reversal_after_a_time_out_is_idempotent() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        v1: s1.t1 reverse a1
            approved, reversed, authorization reversed, available 500
        again v1
            approved, reversed, authorization reversed, available 500
        v2: s1.t1 reverse a1
            approved, nothing to reverse, authorization reversed
            nothing moves
        ",
    );
}

#[test]
fn reversal_before_its_original_leaves_a_tombstone_and_the_late_original_is_declined() {
    World::new().play(
        "
        grant ann 500
        s1.t1 reverse p1
            approved, nothing to reverse
        p1: s1.t1 b1 buy ann 1000 redeem=200
            declined 12 reversed
            nothing moves
        again p1
            declined 12 reversed
        ",
    );
}

#[test]
fn reversal_races_capture_and_the_loser_is_told_the_state() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        p1: s1.t1 b1 capture a1 1000
        s1.t1 reverse a1
            approved, nothing to reverse, authorization captured
            nothing moves
        a2: s1.t1 b2 authorize ann 200
        s1.t1 reverse a2
            approved, reversed, authorization reversed, available 310
        s1.t1 b2 capture a2 1000
            declined 12 reversed, available 310
            nothing moves
        ",
    );
}

#[test]
fn reversal_after_the_purchase_is_the_refund_of_the_whole_purchase() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        p1: s1.t1 b1 buy ann 1000 redeem=200
        s1.t1 reverse p1
            approved, refunded, purchase reversed, goods 1000, restored 200, clawed back 10, available 500
        ",
    );
    let refund = world.all.refunds.last().unwrap();
    assert_eq!(refund.purchase_id, world.purchase_id("p1"));
}

#[test]
fn capture_after_the_hold_expired_is_declined_and_the_till_authorizes_again() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        wait 30m
        s1.t1 b1 capture a1 1000
            declined 12 hold_expired, available 500
        a2: s1.t1 b1 authorize ann 200
            approved, held 200, available 300
        s1.t1 b1 capture a2 1000
            approved, redeemed 200, earned 10, available 310
        ",
    );
}

#[test]
fn purchase_that_already_happened_is_posted_and_the_shortfall_reported() {
    let mut world = World::new();
    world.play(
        "
        grant ann 100
        p1: s1.t1 b1 buy ann 1000 redeem=150 advice=0s
            approved, redeemed 100, shortfall 50, earned 10, available 10
            capture 100: available > redeemed, base 2027-11-30
            shortfall 50: shortfall > redeemed
            accrual 10: issued > available, base 2027-11-30
        ",
    );
    let event = world.all.events.last().unwrap();
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(
        (&data["points_shortfall"], &data["advice"]),
        (&50.into(), &true.into())
    );
}

#[test]
fn capture_below_the_hold_releases_the_rest_and_above_it_is_declined() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 200
        s1.t1 b1 capture a1 1000 redeem=201
            declined 61 above_hold, available 300
        s1.t1 b1 capture a1 1000 redeem=120
            approved, redeemed 120, earned 10, available 390
            capture 120: held > redeemed, base 2027-11-30
            release 80: held > available, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
        ",
    );
}

#[test]
fn two_refunds_of_one_line_the_excess_is_declined() {
    World::new().play(
        "
        p1: s1.t1 b1 buy ann food:3=900
        s1.t1 refund p1 1x2
            approved, goods 600, clawed back 6, available 3
        s1.t1 refund p1 1x2
            declined 61 above_refundable, available 3
            nothing moves
        s1.t1 refund p1 1x1
            approved, goods 300, clawed back 3, available 0
        ",
    );
}

#[test]
fn refund_after_the_spent_points_expired_follows_the_policy() {
    for (policy, answer) in [
        (ExpiredPoints::Lapse, "lapsed 100, available 0"),
        (
            ExpiredPoints::Grace { days: days(7) },
            "restored 100, available 100",
        ),
    ] {
        let mut world = World::with(|programme| {
            programme.earn.points = 0;
            programme.returns.expired = policy;
        });
        world.play(&format!(
            "
            grant ann 100 class=short
            p1: s1.t1 b1 buy ann 1000 redeem=100
            wait 60d
            s1.t1 refund p1
                approved, goods 1000, {answer}
            "
        ));
    }
}

#[test]
fn refund_after_the_earned_points_were_spent_follows_the_policy() {
    for (policy, answer) in [
        (Clawback::WithinBalance, "available 0"),
        (Clawback::Owe, "owed 10, available 0"),
        (Clawback::Deduct, "yen kept 10, available 0"),
    ] {
        let mut world = World::with(|programme| programme.returns.clawback = policy);
        world.play(&format!(
            "
            p1: s1.t1 b1 buy ann 1000
            s1.t1 b2 buy ann 99 redeem=10
            s1.t1 refund p1
                approved, goods 1000, {answer}
            "
        ));
    }
}

#[test]
fn gateway_unreachable_the_queued_advice_is_accepted_later() {
    World::new().play(
        "
        text x ann
        text y ann age=46s
        wait 71h
        s1.t1 b1 buy x 1000 advice=71h
            approved, earned 10, available 10
        s1.t1 b2 buy y 1000 advice=71h
            declined 54 card_text_expired, available 10
        wait 2h
        s1.t1 b3 buy bob 1000 advice=73h
            declined 68 advice_too_late
        ",
    );
}

#[test]
fn tills_clock_is_wrong_both_times_are_kept_and_the_gateways_decides() {
    let mut world = World::new();
    world.play("p1: s1.t1 b1 buy ann 1000 occurred=2d");
    let purchase = &world.state.purchases[&world.purchase_id("p1")];
    assert_eq!(purchase.recorded_at, world.now);
    assert_eq!(
        purchase.receipt.occurred_at.to_string(),
        "2026-11-20T03:00:00Z"
    );
    let event = world.all.events.last().unwrap();
    assert!(
        event.data.contains(r#""till_clock_skew_seconds":172800"#),
        "{}",
        event.data
    );
}

#[test]
fn business_day_rollover_refunds_and_reversals_post_to_the_open_day_and_name_their_original() {
    let mut world = World::new();
    world.play(
        "
        p1: s1.t1 b1 buy ann 1000
        p2: s1.t1 b2 buy ann 1000
        at 2026-11-23T05:00
        s1.t1 refund p1
        s1.t1 reverse p2
        ",
    );
    for (refund, label) in world.all.refunds.iter().zip(["p1", "p2"]) {
        assert_eq!(refund.business_date.to_string(), "2026-11-23");
        let purchase = &world.state.purchases[&world.purchase_id(label)];
        assert_eq!(refund.purchase_id, purchase.id);
        assert_eq!(purchase.receipt.business_date.to_string(), "2026-11-22");
    }
}
