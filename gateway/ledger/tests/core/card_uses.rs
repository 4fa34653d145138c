//! One card text, one basket; fresh at its first use; short codes.

use ledger::{card_use::CardProof, event::EventKind};
use member_card::SpendLimit;

use crate::world::{World, card_id, minutes, seconds};

#[test]
fn one_text_serves_all_of_one_basket_however_old_it_gets() {
    World::new().play(
        "
        grant ann 500
        text x ann
        s1.t1 b1 inquire x
            approved, available 500, spendable 500
        wait 10m
        a1: s1.t1 b1 authorize x 100
            approved, held 100, available 400
        wait 10m
        s1.t1 b1 buy x 1000 redeem=50
            approved, redeemed 50, earned 10, available 360
        ",
    );
}

#[test]
fn another_basket_is_refused_and_learns_nothing_but_fraud_rules_do() {
    let mut world = World::new();
    world.play(
        "
        grant ann 500
        text x ann
        s1.t1 b1 inquire x
        s1.t1 b2 inquire x
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        s1.t2 b1 authorize x 100
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        u1: s2.t1 b9 buy x 1000
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        again u1
            declined 94 card_already_used
        s1.t1 b1 authorize x 100
            approved, held 100, available 400
        ",
    );
    let reuse = world
        .all
        .events
        .iter()
        .rfind(|event| event.kind == EventKind::CardTextReused)
        .unwrap();
    let data: serde_json::Value = serde_json::from_str(&reuse.data).unwrap();
    for (field, expected) in [
        ("terminal_id", "s2.t1"),
        ("basket_id", "b9"),
        ("first_terminal_id", "s1.t1"),
        ("first_basket_id", "b1"),
        ("first_used_at", "2026-11-22T03:00:00Z"),
    ] {
        assert_eq!(data[field], expected, "{data}");
    }
}

#[test]
fn the_other_form_of_a_signature_is_the_same_use() {
    // Neither text nor signature is part of a use: any two texts of one card and second are one.
    let proof = |spend| CardProof::Text {
        card_id: card_id("ann"),
        issued_at: 1_795_000_000,
        spend,
    };
    let (one, other) = (proof(SpendLimit::Unlimited), proof(SpendLimit::EarnOnly));
    assert_eq!(one.use_key(), other.use_key());
    World::new().play(
        "
        text x ann
        text y ann
        s1.t1 b1 inquire x
        s1.t1 b2 inquire y
            declined 94 card_already_used
        s1.t1 b1 buy y 1000
            approved, earned 10, available 10
        ",
    );
}

#[test]
fn what_the_first_text_of_a_second_allows_is_what_the_use_allows() {
    World::new().play(
        "
        grant ann 500
        text x ann spend=none
        text y ann
        s1.t1 b1 inquire x
        s1.t1 b1 authorize y 100
            declined 58 spend_not_allowed, available 500
        ",
    );
}

#[test]
fn a_text_is_fresh_from_15_seconds_ahead_to_45_seconds_old() {
    World::new().play(
        "
        text old ann age=45s
        s1.t1 b1 inquire old
            approved, available 0, spendable 0
        text older ann age=46s
        s1.t1 b2 inquire older
            declined 54 card_text_expired, available 0
        text ahead ann age=-15s
        s1.t1 b3 inquire ahead
            approved, available 0, spendable 0
        text further ann age=-16s
        s1.t1 b4 inquire further
            declined 54 card_text_from_future, available 0
        ",
    );
}

#[test]
fn the_programme_sets_how_long_texts_and_codes_are_good() {
    let strict = |programme: &mut ledger::programme::Programme| {
        programme.cards.fresh_before_seconds = seconds(20);
        programme.cards.fresh_after_seconds = seconds(0);
        programme.cards.short_code_seconds = seconds(10);
    };
    World::with(strict).play(
        "
        short-code c ann
        short-code d ann
        text old ann age=20s
        s1.t1 b1 inquire old
            approved, available 0, spendable 0
        text older ann age=21s
        s1.t1 b2 inquire older
            declined 54 card_text_expired, available 0
        text ahead ann age=-1s
        s1.t1 b3 inquire ahead
            declined 54 card_text_from_future, available 0
        wait 9s
        s1.t1 b4 inquire c
            approved, available 0, spendable 0
        wait 1s
        s1.t1 b5 inquire d
            declined 54 card_text_expired, available 0
        ",
    );
}

#[test]
fn a_text_that_was_not_fresh_is_not_bound() {
    let mut world = World::new();
    world.play(
        "
        text x ann age=-16s
        s1.t1 b1 inquire x
            declined 54 card_text_from_future, available 0
        ",
    );
    assert!(world.state.card_uses.is_empty());
    world.play(
        "
        wait 1s
        s1.t1 b2 inquire x
            approved, available 0, spendable 0
        ",
    );
}

#[test]
fn a_decline_binds_the_text_all_the_same() {
    World::new().play(
        "
        text x ann
        s1.t1 b1 authorize x 100
            declined 51 insufficient_points, available 0
        s1.t1 b2 inquire x
            declined 94 card_already_used
        ",
    );
}

#[test]
fn a_basket_lives_for_its_time() {
    World::with(|programme| programme.cards.basket_minutes = minutes(20)).play(
        "
        text x ann
        s1.t1 b1 inquire x
        wait 20m
        s1.t1 b1 inquire x
            approved, available 0, spendable 0
        wait 1s
        s1.t1 b1 inquire x
            declined 54 card_text_expired, available 0
        s1.t1 b2 inquire x
            declined 94 card_already_used
        ",
    );
}

#[test]
fn malformed_unknown_and_wrongly_signed_look_the_same() {
    let mut world = World::new();
    world.play(
        "
        text x nobody
        r1: s1.t1 b1 inquire x
            declined 14 unknown_card
        r2: s1.t1 b1 inquire scribble
            declined 14 unknown_card
        r3: s1.t1 b1 buy scribble 1000
            declined 14 unknown_card
        ",
    );
    let but_for_its_id = |label: &str| world.answer(label).to_string().replace(label, "");
    assert_eq!(but_for_its_id("r1"), but_for_its_id("r2"));
    assert_eq!(but_for_its_id("r1"), but_for_its_id("r3"));
    assert!(world.state.card_uses.is_empty());
}

#[test]
fn a_short_code_serves_one_basket() {
    World::new().play(
        "
        grant ann 500
        short-code c ann
            short code made
            nothing moves
        s1.t1 b1 inquire c
            approved, available 500, spendable 500
        a1: s1.t1 b1 authorize c 100
            approved, held 100, available 400
        s1.t1 b2 inquire c
            declined 94 card_already_used
            nothing moves
            event card.text_reused
        s1.t1 b1 capture a1 1000
            approved, redeemed 100, earned 10, available 410
        s1.t1 b1 buy c 1000
            declined 94 basket_completed, available 410
        ",
    );
}

#[test]
fn a_short_code_is_used_within_its_minute_or_never() {
    World::new().play(
        "
        short-code c ann
        short-code d ann
        short-code c ann
            refused card_already_used
        wait 59s
        s1.t1 b1 inquire c
            approved, available 0, spendable 0
        wait 1s
        s1.t1 b2 inquire d
            declined 54 card_text_expired, available 0
        s1.t1 b1 buy c 1000
            approved, earned 10, available 10
        short-code e nobody
            not found
        s1.t1 b3 inquire e
            declined 14 unknown_card
        ",
    );
}

#[test]
fn a_short_code_carries_the_shoppers_limit() {
    World::new().play(
        "
        grant ann 500
        short-code c ann spend=100
        s1.t1 b1 buy c 1000 redeem=101
            declined 61 above_card_limit, available 500
        s1.t1 b1 buy c 1000 redeem=100
            approved, redeemed 100, earned 10, available 410
        ",
    );
}

#[test]
fn a_card_in_good_standing_is_asked_for_at_every_use() {
    World::new().play(
        "
        text x ann
        short-code c ann
        s1.t1 b1 inquire x
        s1.t1 b2 inquire c
        revoke ann of bob
            not found
        revoke ann
            revoked
            nothing moves
            event card.revoked
        revoke ann
            revoked before
        s1.t1 b1 buy x 1000
            declined 41 card_blocked
        s1.t1 b2 buy c 1000
            declined 41 card_blocked
        short-code d ann
            refused card_blocked
        ",
    );
}
