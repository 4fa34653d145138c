//! Members and cards: enrolment, blocking, and what staff grants and takes.

use ledger::{
    command::{Adjustment, Direction, Operation},
    decision::Answer,
    lot::{LOTS_PER_MEMBER_MAX, Scope},
    member::MemberNo,
};
use pos_protocol::{Points, Reason};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::world::{World, card_id, enrol, member_id};

#[test]
fn the_same_key_again_is_the_same_card() {
    let mut world = World::new();
    world.play(
        "
        enrol cat
            enrolled
            nothing moves
            event member.enrolled
            event card.enrolled
        enrol cat
            enrolled before
            nothing moves
        ",
    );
    // A phone that lost the answer asks with a fresh member id; it gets the first one.
    let mut again = enrol("cat");
    again.member_id = member_id("somebody");
    again.member_no = MemberNo::from_seed(1);
    let decision = world.run(Operation::Enrol(again));
    let expected = Answer::Enrolled {
        card_id: card_id("cat"),
        member_id: member_id("cat"),
        member_no: enrol("cat").member_no,
        created: false,
    };
    assert_eq!(decision.answer, expected);
    assert!(decision.changes.is_empty());
    // Another key with the same hash is not let in.
    let mut forged = enrol("cat");
    forged.public_key[1] ^= 1;
    let decision = world.run(Operation::Enrol(forged));
    assert_eq!(decision.answer, Answer::Refused(Reason::UnknownCard));
    assert!(decision.changes.is_empty());
    world.play(
        "
        revoke cat
        enrol cat
            refused card_blocked
        ",
    );
}

#[test]
fn a_blocked_member_neither_earns_nor_spends() {
    World::new().play(
        "
        grant ann 500
        short-code c ann
        p1: s1.t1 b1 buy ann 1000
        block ann
            done
            nothing moves
            event member.blocked
        block ann
            done
            nothing moves
        s1.t1 b2 inquire ann
            declined 41 member_blocked
        s1.t1 b2 authorize ann 1
            declined 41 member_blocked
        s1.t1 b2 buy ann 1000
            declined 41 member_blocked
        s1.t1 b3 buy c 1000
            declined 41 member_blocked
        # Goods may come back all the same.
        s1.t1 refund p1
            approved, goods 1000, clawed back 10, available 500
        unblock ann
            done
            nothing moves
            event member.unblocked
        s1.t1 b4 buy ann 1000 redeem=500
            approved, redeemed 500, earned 10, available 10
        block nobody
            not found
        ",
    );
}

#[test]
fn a_block_stops_a_capture_but_not_an_advice_or_what_gives_back() {
    World::new().play(
        "
        grant ann 500
        a1: s1.t1 b1 authorize ann 100
        a2: s1.t1 b2 authorize ann 100
        a3: s1.t1 b3 authorize ann 100
        a4: s1.t1 b4 authorize ann 100
        block ann
        s1.t1 b1 capture a1 1000
            declined 41 member_blocked, available 100
            nothing moves
        s1.t1 b1 capture a1 1000 advice=0s
            approved, redeemed 100, earned 10, available 110
        s1.t1 void a2
            approved, available 210
        s1.t1 reverse a3
            approved, reversed, authorization reversed, available 310
        wait 30m
        s1.t1 b4 capture a4 1000
            declined 12 hold_expired, available 410
        ",
    );
}

#[test]
fn a_blocked_text_is_not_bound() {
    let mut world = World::new();
    world.play(
        "
        block ann
        s1.t1 b1 inquire ann
            declined 41 member_blocked
        ",
    );
    assert!(world.state.card_uses.is_empty());
}

#[test]
fn staff_grants_into_a_class_and_takes_from_any() {
    World::new().play(
        "
        grant ann 10 class=short
            done
            adjustment 10: issued > available, short 2026-12-31
        grant ann 10 class=ever stores=s9 categories=toys
            done
            adjustment 10: issued > available, ever ever
        take ann 15
            done
            adjustment 10: available > issued, short 2026-12-31
            adjustment 5: available > issued, ever ever
            event points.adjusted
        take ann 6
            refused insufficient_points
            nothing moves
        grant ann 0
            refused zero_points
        take ann 0
            refused zero_points
        grant ann 10 class=gold
            not found
        grant nobody 10
            not found
        take nobody 10
            not found
        ",
    );
}

#[test]
fn staff_opens_only_so_many_lots_and_purchases_earn_all_the_same() {
    let mut world = World::new();
    for n in 0..=LOTS_PER_MEMBER_MAX {
        let grant = Operation::Adjust(Adjustment {
            member_id: member_id("ann"),
            direction: Direction::Grant,
            points: Points::new(1).unwrap(),
            class: "ever".to_owned(),
            scope: Scope {
                stores: [format!("store-{n}").parse().unwrap()].into(),
                ..Scope::default()
            },
            reason: "asked".to_owned(),
            actor: "staff".to_owned(),
        });
        let decision = world.run_unaudited(grant);
        let full = n == LOTS_PER_MEMBER_MAX;
        let refused = Answer::Refused(Reason::AboveProgrammeLimit);
        assert_eq!(
            decision.answer,
            if full { refused } else { Answer::Done },
            "{n}"
        );
    }
    assert_eq!(world.state.lots.len(), LOTS_PER_MEMBER_MAX);
    let decision = world.line("p1: s1.t1 b1 buy ann 1000");
    assert!(decision.is_some_and(|decision| decision.changes.purchases.len() == 1));
}

#[test]
fn what_is_due_happens_before_staff_takes() {
    World::new().play(
        "
        grant ann 10 class=short
        grant ann 5
        at 2027-01-01T00:00
        take ann 6
            refused insufficient_points
            expiry 10: available > breakage, short 2026-12-31
        take ann 5
            done
            adjustment 5: available > issued, base 2027-11-30
        ",
    );
}

#[test]
fn a_sweep_of_nobody_is_done() {
    World::new().play("sweep nobody \n    done \n    nothing moves");
}

#[test]
fn a_member_number_ends_in_a_luhn_check_digit() {
    // 7992739871 has check digit 3 in every description of the algorithm.
    assert_eq!(MemberNo::from_seed(7_992_739_871).as_str(), "079927398713");
    assert_eq!(MemberNo::from_seed(0).as_str(), "000000000000");
    assert_eq!(MemberNo::from_seed(100_000_000_001), MemberNo::from_seed(1));
    assert_eq!(MemberNo::from_seed(7_992_739_871).masked(), "********8713");
    for wrong in [
        "",
        "079927398714",
        "79927398713",
        "0799273987133",
        "07992739871x",
        "０７９９２７３",
    ] {
        assert_eq!(MemberNo::parse(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_typing_slip_is_no_member_number(seed: u64, place in 0..12_usize, slip in 1..10_u8) {
        let number = MemberNo::from_seed(seed);
        prop_assert_eq!(MemberNo::parse(number.as_str()), Some(number.clone()));
        let mut typed = number.as_str().as_bytes().to_vec();
        typed[place] = b'0' + (typed[place] - b'0' + slip) % 10;
        prop_assert!(MemberNo::parse(std::str::from_utf8(&typed).unwrap()).is_none());
    }
}
