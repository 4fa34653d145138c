//! Identities: both sides are proved before anything is linked, and who took over an address waits.

use ledger::identity::Proof;

use crate::world::{World, claim, hours, member_id};

#[test]
fn a_link_code_is_good_once_and_for_minutes() {
    World::new().play(
        "
        link-code c1 ann
            code made
            nothing moves
        link-code c1 ann
            denied moved
        enter c1 ec/7
            linked
            nothing moves
            event member.linked
        enter c1 ec/8
            denied unknown_code
        enter c2 ec/8
            denied unknown_code
        link-code c3 ann
        wait 10m
        enter c3 ec/8
            denied unknown_code
        link-code c4 nobody
            not found
        # The customer's orders are Ann's now.
        grant ann 100
        main.ec o1 inquire ec/7
            approved, available 100, spendable 100
        main.ec o2 inquire ec/8
            declined 14 unknown_card
        ",
    );
}

#[test]
fn a_code_that_a_shop_shows_links_the_card_that_enters_it() {
    let mut world = World::new();
    world.play(
        "
        link-code c1 ec/7
            code made
        grant ec/7 50
        grant ann 100
        enter c1 ann
            would merge
            nothing moves
        # It was not used up by asking.
        enter c1 ann agreed=yes
            merged
            nothing moves
            event member.merged
            event member.merged
        enter c1 bob agreed=yes
            denied unknown_code
        s1.t1 b1 inquire ann
            approved, available 150, spendable 150
        main.ec o1 inquire ec/7
            approved, available 150, spendable 150
        ",
    );
    // The older record stays.
    let merge = world.all.merges.last().unwrap();
    assert_eq!(
        (merge.member_id, merge.into),
        (member_id("ec/7"), member_id("ann"))
    );
    assert_eq!(merge.proof, Proof::LinkCode);
}

#[test]
fn an_address_is_proved_by_the_card_that_asked_and_a_code_that_came_back() {
    World::new().play(
        "
        verify v1 ann email/a code=1
            code made
            nothing moves
        confirm v1 bob code=1
            not found
        confirm v1 ann code=2
            denied unknown_code
        confirm v1 ann code=1
            linked
            nothing moves
            event member.linked
        confirm v1 ann code=1
            denied unknown_code
        verify v2 ann phone/a code=1
        wait 10m
        confirm v2 ann code=1
            denied unknown_code
        verify v3 nobody email/a code=1
            not found
        ",
    );
}

#[test]
fn wrong_codes_are_counted_and_then_the_right_one_is_too_late() {
    let mut world = World::new();
    world.play("verify v1 ann email/a code=1");
    for _ in 0..5 {
        world.play("confirm v1 ann code=2 \n     denied unknown_code");
    }
    world.play(
        "
        confirm v1 ann code=1
            denied too_many_attempts
        verify v2 ann email/a code=1
        confirm v2 ann code=1
            linked
        ",
    );
}

#[test]
fn a_shop_s_word_of_an_address_links_only_what_the_member_verified() {
    World::new().play(
        "
        link ec/7 email/a known=yes
            not found
        verify v1 ann email/a code=1
        link ec/7 email/a known=yes
            not found
        # An order makes a member for the customer, and still no link.
        order o1 paid by=ec/7 lines=a=1000
            order paid
        link ec/7 email/a known=yes agreed=yes
            not found
        confirm v1 ann code=1
        link ec/7 email/a known=yes
            would merge
            nothing moves
        link ec/7 email/a known=yes agreed=yes
            merged
        link ec/8 email/a known=yes
            linked
            nothing moves
            event member.linked
        order o1 shipped by=ec/7
            order shipped
        s1.t1 b1 inquire ann
            approved, available 10, spendable 10
        ",
    );
}

#[test]
fn what_only_an_order_named_is_proved_by_a_link() {
    let mut world = World::new();
    let proof = |world: &World| world.state.identities[&claim("ec/7").key].proof;
    world.play("order o1 paid by=ec/7 lines=a=1000");
    assert_eq!(proof(&world), Proof::Order);
    world.play(
        "link-code c1 ann \n block ann \n enter c1 ec/7 agreed=yes \n     denied member_blocked",
    );
    assert_eq!(proof(&world), Proof::Order);
    world.play("unblock ann \n enter c1 ec/7 agreed=yes \n     merged");
    assert_eq!(proof(&world), Proof::LinkCode);
}

#[test]
fn a_revoked_identity_leads_nowhere_until_somebody_proves_it_anew() {
    World::new().play(
        "
        grant ann 100
        link-code c1 ann
        enter c1 ec/7
        main.ec o1 authorize ec/7 40
            approved, held 40, available 60
        unlink bob ec/7
            not found
        unlink ann ec/7
            done
            nothing moves
            event member.unlinked
        unlink ann ec/7
            not found
        main.ec o2 inquire ec/7
            declined 14 unknown_card
        link-code c2 bob
        enter c2 ec/7
            linked
        main.ec o2 inquire ec/7
            approved, available 0, spendable 0
        # What the other one began is not theirs.
        main.ec o1 inquire ec/7
            declined 94 card_already_used
        ",
    );
}

/// `ann` verified an address; a stranger who reads her mail takes it over with a card of his own.
fn taken_over() -> World {
    let mut world = World::with(|programme| programme.linking.cool_down_hours = hours(72));
    world.play(
        "
        grant ann 500
        verify v1 ann email/a code=1
        confirm v1 ann code=1
        enrol eve
        verify v2 eve email/a code=2
        confirm v2 eve code=2
            would merge
        confirm v2 eve code=2 agreed=yes
            merged
            nothing moves
            event member.merged
            event member.merged
            event member.earns_only
        ",
    );
    world
}

#[test]
fn who_took_over_an_address_earns_and_does_not_spend_for_days() {
    taken_over().play(
        "
        s1.t1 b1 inquire eve
            approved, available 500, spendable 0
        s1.t1 b1 authorize eve 1
            declined 58 spend_not_allowed, available 500
        s1.t1 b1 buy eve 1000 redeem=1
            declined 58 spend_not_allowed, available 500
        # Goods that left already: the store bears the points.
        s1.t1 b1 buy eve 1000 redeem=1 advice=0s
            approved, shortfall 1, earned 10, available 510
        short-code c eve
        s1.t1 b2 authorize c 1
            declined 58 spend_not_allowed, available 510
        # Ann goes on as before.
        s1.t1 b3 buy ann 1000 redeem=100
            approved, redeemed 100, earned 10, available 420
        wait 72h
        s1.t1 b4 buy eve 1000 redeem=100
            approved, redeemed 100, earned 10, available 330
        ",
    );
}

#[test]
fn nothing_that_joins_the_new_card_spends_earlier() {
    // A card, a customer and an address that come to the record by a link, from either side.
    for joins in [
        "enrol two \n link-code c eve \n enter c two agreed=yes",
        "enrol two \n link-code c two \n enter c eve agreed=yes",
        "enrol two \n verify v two email/b code=1 \n confirm v two code=1 \n \
         verify w eve email/b code=1 \n confirm w eve code=1 agreed=yes",
        "verify v eve email/b code=1 \n confirm v eve code=1 \n enrol two \n \
         verify w two email/b code=1 \n confirm w two code=1 agreed=yes",
        "enrol two \n verify w two email/a code=1 \n confirm w two code=1 agreed=yes",
        "enrol one \n link-code c eve \n enter c one agreed=yes \n enrol two \n \
         link-code d one \n enter d two agreed=yes",
    ] {
        let mut world = taken_over();
        world.play(joins);
        world.play(
            "
            s1.t1 b1 inquire two
                approved, available 500, spendable 0
            s1.t1 b2 buy two 1000 redeem=1
                declined 58 spend_not_allowed, available 500
            ",
        );
    }
    let mut world = taken_over();
    world.play(
        "
        link-code c eve
        enter c ec/7
            linked
        main.ec o1 authorize ec/7 1
            declined 58 spend_not_allowed, available 500
        wallet w1 of=eve
            enrolled
        pass p w1
        s1.t1 b1 buy p 1000 redeem=1
            declined 58 spend_not_allowed, available 500
        ",
    );
}

#[test]
fn a_hold_that_ran_out_before_pays_nothing_of_the_others() {
    World::with(|programme| programme.linking.cool_down_hours = hours(72)).play(
        "
        grant ann 500
        verify v1 ann email/a code=1
        confirm v1 ann code=1
        enrol eve
        grant eve 100
        link ec/9 eve
        h: main.ec o1 authorize ec/9 100
        wait 31m
        take eve 100
        verify v2 eve email/a code=2
        confirm v2 eve code=2 agreed=yes
            merged
        order o1 paid by=ec/9 lines=a=1000 hold=h
            order paid
            shortfall 100: shortfall > redeemed
            accrual 10: issued > pending, base 2027-11-30
        has ann 500
        ",
    );
}

#[test]
fn an_account_that_a_shop_states_an_address_of_is_held_back() {
    World::with(|programme| programme.linking.cool_down_hours = hours(72)).play(
        "
        grant ann 500
        verify v1 ann email/a code=1
        confirm v1 ann code=1
        link ec/9 email/a agreed=yes known=yes cool=yes
            merged
        main.ec o1 authorize ec/9 1
            declined 58 spend_not_allowed, available 500
        s1.t1 b1 buy ann 1000 redeem=100
            approved, redeemed 100, earned 10, available 410
        ",
    );
}

#[test]
fn a_code_made_for_a_number_holds_whoever_enters_it_back() {
    World::with(|programme| programme.linking.cool_down_hours = hours(72)).play(
        "
        plastic p1 lots=base:500
        link-code c p1
        enter c ann agreed=yes
            merged
        s1.t1 b1 authorize ann 1
            declined 58 spend_not_allowed, available 500
        ",
    );
}

#[test]
fn a_second_recovery_does_not_shorten_the_first() {
    let mut world = taken_over();
    world.play(
        "
        wait 48h
        verify v3 eve email/a code=1
        confirm v3 eve code=1
            linked
        unmerge eve
        verify v4 eve email/a code=1
        confirm v4 eve code=1 agreed=yes
            merged
        wait 71h
        s1.t1 b1 authorize eve 1
            declined 58 spend_not_allowed, available 500
        wait 1h
        s1.t1 b2 authorize eve 1
            approved, held 1, available 499
        ",
    );
}
