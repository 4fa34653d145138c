//! Cards that are numbers: plastic that anybody can copy, wallet passes, and what an older system brings.

use ledger::programme::Programme;
use pos_protocol::Points;

use crate::world::World;

#[test]
fn plastic_earns_and_does_not_spend_once_a_basket() {
    World::new().play(
        "
        plastic p1 lots=base:100
            enrolled
        s1.t1 b1 inquire p1
            approved, available 100, spendable 0
        s1.t1 b1 authorize p1 1
            declined 58 spend_not_allowed, available 100
        s1.t1 b1 buy p1 1000 redeem=1
            declined 58 spend_not_allowed, available 100
        s1.t1 b1 buy p1 1000
            approved, earned 10, available 110
        s1.t1 b1 buy p1 1000
            declined 94 basket_completed, available 110
        # A number is not used up: it serves any basket.
        s1.t2 b1 buy p1 1000
            approved, earned 10, available 120
        s1.t1 b2 buy p1 1000
            approved, earned 10, available 130
        s1.t1 b3 inquire p1
        wait 31m
        s1.t1 b3 buy p1 1000
            declined 54 card_text_expired, available 130
        s1.t1 b4 buy p1 1000
        revoke p1
            revoked
        s1.t1 b5 inquire p1
            declined 41 card_blocked
        ",
    );
}

#[test]
fn plastic_of_a_phone_leads_to_the_phone_s_member() {
    World::new().play(
        "
        grant ann 100
        plastic p1 of=ann
            enrolled
            nothing moves
            event card.enrolled
        plastic p1 of=ann
            enrolled before
            nothing moves
        # Whose it is, is nobody else's business.
        plastic p1 of=bob
            denied number_taken
        plastic p1 key=other
            denied number_taken
        plastic p2 of=nobody
            denied card_revoked
        s1.t1 b1 inquire p1
            approved, available 100, spendable 0
        s1.t1 b2 inquire p2
            declined 14 unknown_card
        # A number is no phone's text, and a text no pass.
        text x p1
        s1.t1 b3 inquire x
            declined 14 unknown_card
        pass y ann
        s1.t1 b3 inquire y
            declined 14 unknown_card
        ",
    );
}

#[test]
fn a_pass_shows_one_password_a_step_and_its_neighbours_are_good() {
    // 12:00:00 begins a step.
    World::new().play(
        "
        wallet w1 of=ann
        wait 5s
        pass now w1
        pass before w1 age=30s
        pass older w1 age=60s
        pass after w1 age=-30s
        pass later w1 age=-60s
        s1.t1 b1 inquire older
            declined 54 card_text_expired, available 0
        s1.t1 b2 inquire before
            approved, available 0, spendable 0
        s1.t1 b3 inquire now
            approved, available 0, spendable 0
        s1.t1 b4 inquire after
            approved, available 0, spendable 0
        s1.t1 b5 inquire later
            declined 54 card_text_from_future, available 0
        # One use for each.
        s1.t1 b6 inquire now
            declined 94 card_already_used
        s1.t1 b3 buy now 1000
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn a_pass_spends_up_to_the_programme_s_limit() {
    let rules = |programme: &mut Programme| {
        programme.cards.wallet_points_per_basket = Points::new(50).unwrap();
    };
    World::with(rules).play(
        "
        grant ann 500
        wallet w1 of=ann
        pass p w1
        s1.t1 b1 inquire p
            approved, available 500, spendable 50
        s1.t1 b1 authorize p 51
            declined 61 above_card_limit, available 500
        s1.t1 b1 authorize p 30
            approved, held 30, available 470
        s1.t1 b1 buy p 1000 redeem=21
            declined 61 above_card_limit, available 470
        s1.t1 b1 buy p 1000 redeem=20
            approved, redeemed 20, earned 10, available 460
        ",
    );
}

#[test]
fn an_import_brings_points_once_each_with_its_own_last_day() {
    let mut world = World::new();
    world.play(
        "
        plastic p1 lots=base:100:2027-03-31+active:20:2027-01-15+ever:3:2027-01-01+base:40+ever:5
            enrolled
            adjustment 100: issued > available, base 2027-03-31
            adjustment 20: issued > available, active 2027-01-15
            adjustment 3: issued > available, ever 2027-01-01
            adjustment 40: issued > available, base 2027-11-30
            adjustment 5: issued > available, ever ever
            event member.enrolled
            event card.enrolled
            event points.adjusted
        plastic p1 lots=base:100:2027-03-31
            enrolled before
            nothing moves
        at 2027-01-02T12:00
        sweep p1
            done
            expiry 3: available > breakage, ever 2027-01-01
        at 2027-04-01T12:00
        sweep p1
            done
            expiry 100: available > breakage, base 2027-03-31
            expiry 20: available > breakage, active 2027-01-15
        plastic p2 lots=base:7+gold:1
            denied unknown_class
        plastic p3 lots=base:1000000000000+base:1
            denied amount_too_large
        plastic p4 lots=base:0
            enrolled
            nothing moves
            event member.enrolled
            event card.enrolled
        grant ann 1000000000000
        plastic p5 of=ann lots=base:1
            denied amount_too_large
        ",
    );
    assert!(world.state.lots.values().all(|lot| !lot.granted.is_zero()));
    let cards: Vec<_> = world
        .state
        .cards
        .values()
        .map(|card| card.name.as_str())
        .collect();
    assert_eq!(cards.iter().filter(|name| **name == "1234").count(), 2);
}

#[test]
fn points_past_their_last_day_lapse_as_they_come() {
    World::new().play(
        "
        plastic p1 lots=base:100:2026-11-21+base:7:2026-11-22
            enrolled
            adjustment 100: issued > available, base 2026-11-21
            adjustment 7: issued > available, base 2026-11-22
            expiry 100: available > breakage, base 2026-11-21
            event member.enrolled
            event card.enrolled
            event points.adjusted
            event points.expired
        has p1 7
        ",
    );
}
