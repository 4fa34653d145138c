//! Two records of one person: one balance while they are merged, and each its own afterwards.

use ledger::{
    RECORDS_PER_PERSON_MAX,
    event::EventKind,
    programme::{Clawback, Expiry, OpenHolds, Programme},
};
use pos_protocol::Points;

use crate::world::{World, expiring, months};

/// `ann` with 300 points, `bob` with 200, merged into `ann`.
fn merged() -> World {
    let mut world = World::new();
    world.play("grant ann 300 \n grant bob 200 \n merge bob into ann");
    world
}

#[test]
fn merged_records_have_one_balance_for_either_card() {
    let mut world = World::new();
    world.play(
        "
        grant ann 300
        grant bob 200 class=short
        merge bob into ann
            merged
            nothing moves
            event member.merged
            event member.merged
        s1.t1 b1 inquire bob
            approved, available 500, spendable 500
        s1.t1 b2 inquire ann
            approved, available 500, spendable 500
        # The soonest last day goes first, whosever it is.
        s1.t1 b3 buy ann 1000 redeem=350
            approved, redeemed 350, earned 10, available 160
            pooling 200: available > clearing, short 2026-12-31
            pooling 200: clearing > available, short 2026-12-31
            capture 200: available > redeemed, short 2026-12-31
            capture 150: available > redeemed, base 2027-11-30
            accrual 10: issued > available, base 2027-11-30
            event points.pooled
            event purchase.completed
        ",
    );
    world.play("has ann 160 \n has bob 0");
    world.play(
        "
        s1.t1 b4 buy bob 100 redeem=160
            declined 61 above_receipt_total, available 160
        s1.t1 b4 buy bob 1000 redeem=160
            approved, redeemed 160, earned 10, available 10
        has ann 0
        has bob 10
        ",
    );
}

#[test]
fn a_basket_that_began_before_a_merge_ends_after_it() {
    World::new().play(
        "
        grant ann 300
        grant bob 200
        a1: s1.t1 b1 authorize bob 150
        merge bob into ann
        # The basket's card may promise more, from both.
        a2: s1.t1 b1 authorize bob 250
            approved, held 250, available 100
        p1: s1.t1 b1 capture a1 1000
            approved, redeemed 150, earned 10, available 110
        s1.t1 void a2
            approved, available 360
        has ann 300
        has bob 60
        ",
    );
}

#[test]
fn what_comes_back_after_a_merge_goes_to_whose_it_was() {
    let mut world = merged();
    world.play(
        "
        p1: s1.t1 b1 buy bob 1000 redeem=400
            approved, redeemed 400, earned 10, available 110
        has ann 0
        has bob 110
        s1.t1 refund p1
            approved, goods 1000, restored 400, clawed back 10, available 500
        has ann 300
        has bob 200
        ",
    );
}

#[test]
fn what_comes_back_after_records_were_parted_goes_home_too() {
    let mut world = merged();
    world.play(
        "
        p1: s1.t1 b1 buy ann 1000 redeem=500
            approved, redeemed 500, earned 10, available 10
        unmerge bob
            done
            nothing moves
            event member.unmerged
            event member.unmerged
        has ann 10
        has bob 0
        s1.t1 b2 inquire bob
            approved, available 0, spendable 0
        s1.t1 refund p1
            approved, goods 1000, restored 500, clawed back 10, available 300
        has ann 300
        has bob 200
        s1.t1 b2 inquire bob
            approved, available 200, spendable 200
        ",
    );
}

#[test]
fn a_hold_over_pooled_points_outlives_the_merge_and_they_go_home_when_it_ends() {
    for (end, spent_of_bobs) in [
        ("s1.t1 void a1", 0),
        ("s1.t1 reverse a1", 0),
        ("wait 31m \n sweep ann", 0),
        ("s1.t1 b1 capture a1 1000 redeem=350 \n take ann 10", 50),
        ("s1.t1 b1 capture a1 1000 redeem=300 \n take ann 10", 0),
    ] {
        let mut world = merged();
        world.play(
            "
            a1: s1.t1 b1 authorize ann 450
                approved, held 450, available 50
            unmerge bob
            has ann 0 held=450
            has bob 50
            s1.t1 b9 authorize bob 60
                declined 51 insufficient_points, available 50
            ",
        );
        world.play(end);
        let spent_of_anns = if end.contains("capture") { 300 } else { 0 };
        world.play(&format!("has ann {}", 300 - spent_of_anns));
        world.play(&format!("has bob {}", 200 - spent_of_bobs));
    }
}

#[test]
fn nothing_is_left_to_part_when_all_is_spent() {
    let mut world = merged();
    world.play(
        "
        s1.t1 b1 buy ann 1000 redeem=500
        s1.t1 b2 buy bob 10 redeem=10
        unmerge bob
            done
        has ann 0
        has bob 0
        unmerge bob
            denied not_merged
        unmerge ann
            denied not_merged
        unmerge nobody
            not found
        ",
    );
}

#[test]
fn merges_that_cannot_be_are_refused_and_change_nothing() {
    let mut world = World::new();
    world.play(
        "
        enrol cat
        merge ann into ann
            denied already_merged
        merge nobody into ann
            not found
        merge ann into nobody
            not found
        merge ann into bob
            merged
        # Crossing, twice, and in a ring.
        merge bob into ann
            denied already_merged
        merge ann into bob
            denied already_merged
        merge bob into cat
            merged
        merge cat into ann
            denied already_merged
        enrol dan
        block dan
        merge dan into ann
            denied member_blocked
        unblock dan
        block ann
        # The block is on the person.
        s1.t1 b1 inquire bob
            declined 41 member_blocked
        s1.t1 b1 inquire cat
            declined 41 member_blocked
        merge dan into ann
            denied member_blocked
        unblock cat
        erase dan
        merge dan into ann
            denied member_erased
        merge ann into dan
            denied member_erased
        ",
    );
    assert_eq!(world.all.merges.len(), 2);
}

#[test]
fn a_person_has_so_many_records_and_no_more() {
    let mut world = World::new();
    for n in 2..RECORDS_PER_PERSON_MAX {
        world.play(&format!(
            "enrol m{n} \n grant m{n} 1 \n merge m{n} into ann"
        ));
    }
    world.play(
        "
        merge bob into m7
            merged
        enrol cat
        merge cat into ann
            denied too_many_records
        merge ann into cat
            denied too_many_records
        s1.t1 b1 buy bob 1000 redeem=30
            approved, redeemed 30, earned 10, available 10
        ",
    );
}

#[test]
fn a_chain_of_merges_is_followed_to_its_end() {
    let mut world = World::new();
    world.play("grant m0 5");
    for n in 0..RECORDS_PER_PERSON_MAX {
        world.play(&format!("enrol m{n}"));
    }
    for n in 1..RECORDS_PER_PERSON_MAX {
        world.play(&format!("merge m{} into m{n}", n - 1));
    }
    world.play(
        "
        grant m0 7
        has m31 7
        s1.t1 b1 inquire m0
            approved, available 7, spendable 7
        ",
    );
}

#[test]
fn a_record_in_the_middle_takes_along_what_was_merged_into_it() {
    World::new().play(
        "
        enrol cat
        grant ann 1
        grant bob 10
        grant cat 100
        merge cat into bob
        merge bob into ann
        s1.t1 b1 inquire cat
            approved, available 111, spendable 111
        unmerge bob
        s1.t1 b2 inquire ann
            approved, available 1, spendable 1
        s1.t1 b3 inquire bob
            approved, available 110, spendable 110
        s1.t1 b4 buy cat 1000 redeem=110
            approved, redeemed 110, earned 10, available 10
        # And may come back.
        merge ann into cat
            merged
        s1.t1 b5 inquire ann
            approved, available 11, spendable 11
        ",
    );
}

#[test]
fn points_that_would_be_too_many_are_not_merged() {
    let most = Points::MAX.get();
    World::new().play(&format!(
        "
        grant ann {most}
        grant bob 1
        merge bob into ann
            denied amount_too_large
        take bob 1
        merge bob into ann
            merged
        grant bob 1
            refused amount_too_large
        "
    ));
}

#[test]
fn what_one_record_earns_pays_the_debt_of_the_other() {
    let mut world = World::with(|programme| programme.returns.clawback = Clawback::Owe);
    world.play(
        "
        p1: s1.t1 b1 buy bob 1000
        s1.t1 b2 buy bob 10 redeem=10
        s1.t1 refund p1
            approved, goods 1000, owed 10, available 0
        merge bob into ann
        s1.t1 b3 buy ann 1500
            approved, earned 15, available 5
            accrual 15: issued > available, base 2027-11-30
            debt settlement 10: available > clearing, base 2027-11-30
            debt settlement 10: clearing > owed
            event debt.settled
            event purchase.completed
        has ann 5
        has bob 0
        ",
    );
}

#[test]
fn what_was_due_before_a_merge_happened_to_each() {
    let rules = |programme: &mut Programme| {
        programme.returns.clawback = Clawback::Owe;
        programme.earn.pending_days = crate::world::days(1);
    };
    World::with(rules).play(
        "
        grant bob 10
        p1: s1.t1 b1 buy bob 1000
        wait 2d
        s1.t1 b2 buy bob 20 redeem=20
        s1.t1 refund p1
            approved, goods 1000, owed 10, available 0
        s1.t1 b3 buy ann 3000
        wait 2d
        # Ann's points matured while she had no debt to pay.
        merge bob into ann
            merged
            maturity 30: pending > available, base 2027-11-30
        has ann 30
        has bob 0 owed=10
        ",
    );
}

#[test]
fn a_purchase_of_one_record_renews_the_lots_of_the_other() {
    let rules = |programme: &mut Programme| {
        programme.classes = expiring(Expiry::Activity { months: months(6) });
    };
    World::with(rules).play(
        "
        grant ann 100
        grant bob 200
        merge bob into ann
        at 2027-04-10T12:00
        s1.t1 b1 buy ann 100
        at 2027-06-10T12:00
        s1.t1 b2 inquire bob
            approved, available 301, spendable 301
        # Parted, each lives by its own purchases, with what it was given so far.
        unmerge bob
        s1.t1 b3 buy ann 100
        at 2027-11-10T12:00
        sweep bob
            done
            expiry 200: available > breakage, base 2027-10-10
        s1.t1 b4 inquire ann
            approved, available 102, spendable 102
        ",
    );
}

#[test]
fn limits_count_over_all_records() {
    let rules = |programme: &mut Programme| {
        programme.limits.open_holds_per_member = OpenHolds::new(2).unwrap();
    };
    World::with(rules).play(
        "
        grant ann 100
        merge bob into ann
        s1.t1 b1 authorize ann 1
        a2: s1.t1 b2 authorize bob 1
        s1.t1 b3 authorize ann 1
            declined 61 too_many_holds, available 98
        s1.t1 b3 authorize bob 1
            declined 61 too_many_holds, available 98
        s1.t1 void a2
        s1.t1 b3 authorize bob 1
            approved, held 1, available 98
        ",
    );
}

#[test]
fn staff_takes_from_all_records_and_gives_to_the_one_that_stays() {
    let mut world = merged();
    world.play(
        "
        take bob 450
            done
        s1.t1 b1 inquire bob
            approved, available 50, spendable 50
        take ann 51
            refused insufficient_points
        grant bob 7
        unmerge bob
        ",
    );
    let told = |kind| {
        world
            .all
            .events
            .iter()
            .filter(|event| event.kind == kind)
            .count()
    };
    assert_eq!(told(EventKind::PointsAdjusted), 4);
    assert_eq!(told(EventKind::MemberMerged), 2);
}

#[test]
fn a_lender_gets_points_back_that_lapse_at_once_and_is_told() {
    let mut world = World::new();
    world.play(
        "
        grant bob 200 class=short
        merge bob into ann
        at 2026-12-31T23:50
        a1: s1.t1 b1 authorize ann 200
        unmerge bob
        wait 31m
        sweep ann
            done
            release 200: held > available, short 2026-12-31
            pooling return 200: available > clearing, short 2026-12-31
            pooling return 200: clearing > available, short 2026-12-31
            expiry 200: available > breakage, short 2026-12-31
            event points.returned
            event points.expired
            event authorization.expired
        has ann 0
        has bob 0
        ",
    );
}

#[test]
fn points_that_are_lent_live_as_if_they_were_at_home() {
    let rules = |programme: &mut Programme| {
        programme.classes = expiring(Expiry::Activity { months: months(1) });
    };
    // A purchase renews them while a basket holds them.
    let mut world = World::with(rules);
    world.play(
        "
        grant bob 200
        merge bob into ann
        at 2026-12-21T23:50
        a1: s1.t1 b1 authorize ann 200
        at 2026-12-22T00:05
        s1.t1 b2 buy ann 1000
        s1.t1 void a1
            approved, available 210
        at 2027-01-22T12:00
        s1.t1 b3 inquire bob
            approved, available 210, spendable 210
        at 2027-01-23T12:00
        s1.t1 b4 inquire bob
            approved, available 0, spendable 0
        ",
    );
    // Past their last day it does not, no more than points of one's own.
    for (holder, lapsed) in [("ann", "pooling return"), ("bob", "release")] {
        let mut world = World::with(rules);
        world.play("grant bob 200 \n merge bob into ann \n at 2026-12-22T23:50");
        world.play(&format!("a1: s1.t1 b1 authorize {holder} 200"));
        let decision = world.line("at 2026-12-23T00:05");
        assert!(decision.is_none());
        world.play(
            "
            s1.t1 b2 buy ann 1000
            s1.t1 void a1
                approved, available 10
            has ann 10
            has bob 0
            ",
        );
        let moved = |what: &str| {
            let mut all = world.all.transfers.iter();
            all.any(|transfer| transfer.motive.word().replace('_', " ") == what)
        };
        assert!(moved(lapsed) && moved("expiry"));
    }
}

#[test]
fn a_short_code_of_either_record_goes_on_after_a_merge() {
    World::new().play(
        "
        grant ann 300
        grant bob 200
        short-code before bob
        merge bob into ann
        short-code after bob
            short code made
            nothing moves
        s1.t1 b1 inquire before
            approved, available 500, spendable 500
        s1.t1 b2 inquire after
            approved, available 500, spendable 500
        s1.t1 b1 buy before 1000 redeem=400
            approved, redeemed 400, earned 10, available 110
        s1.t1 b3 inquire after
            declined 94 card_already_used
        unmerge bob
        s1.t1 b2 buy after 1000
            approved, earned 10, available 120
        ",
    );
}
