//! Personal data, names of cards, and the forgetting of a person.

use ledger::{
    command::{Erasure, Merging, Operation},
    decide,
    decision::Answer,
    denial::Denial,
};

use crate::world::{SECRET, World, claim, hash, load, member_id, profile};

#[test]
fn personal_data_is_replaced_by_who_saw_it() {
    let mut world = World::new();
    world.play(
        "
        profile ann
            done
            nothing moves
            event member.profile_changed
        profile ann
            denied moved
        profile ann from=1
            done
        profile nobody
            not found
        ",
    );
    let row = &world.state.profiles[&member_id("ann")];
    assert_eq!(
        (row.version, row.sealed.terms.email),
        (2, Some(hash("ann")))
    );
}

#[test]
fn a_card_is_named_by_its_owner() {
    let mut world = World::new();
    world.play(
        "
        name-card ann of ann
            done
            nothing moves
            event card.named
        name-card ann of bob
            not found
        name-card nobody of ann
            not found
        merge ann into bob
        name-card ann of bob
            done
        ",
    );
    assert!(world.state.cards.values().any(|card| card.name == SECRET));
}

#[test]
fn an_erased_person_leaves_the_ledger_and_nothing_else() {
    let mut world = World::new();
    world.play(
        "
        grant ann 300
        grant bob 200
        merge bob into ann
        profile ann
        profile bob
        verify v ann email/a code=1
        confirm v ann code=1
        link ec/7 bob
        plastic p1 of=bob
        text t bob
        short-code c ann
        p1x: s1.t1 b1 buy ann 1000 redeem=250
        a1: s1.t1 b2 authorize ann 100
        order o1 paid by=ec/7 lines=a=1000
        erase bob
            done
            expiry 160: available > breakage, base 2027-11-30
            event member.erased
            event member.erased
            event points.expired
        erase ann
            done
            nothing moves
        s1.t1 b3 inquire ann
            declined 41 card_blocked
        s1.t1 b3 inquire t
            declined 41 card_blocked
        s1.t1 b3 inquire c
            declined 41 card_blocked
        s1.t1 b3 inquire p1
            declined 41 card_blocked
        main.ec o2 inquire ec/7
            declined 14 unknown_card
        enrol ann
            refused card_blocked
        link-code d ann
            not found
        profile ann from=2
            denied member_erased
        grant bob 5
            denied member_erased
            nothing moves
        # What began is ended, and what comes back lapses.
        s1.t1 void a1
            approved, available 0
        s1.t1 refund p1x
            approved, goods 1000, lapsed 250, available 0
        order o1 shipped
            order shipped
            maturity 10: pending > available, base 2027-11-30
            expiry 10: available > breakage, base 2027-11-30
        has ann 0
        has bob 0
        ",
    );
}

#[test]
fn identities_and_keys_of_an_erased_person_are_gone_and_proofs_lead_nowhere() {
    let mut world = World::new();
    world.play(
        "
        profile ann
        verify v ann email/a code=1
        confirm v ann code=1
        verify w ann email/b code=1
        link-code c ann
        erase ann
        confirm w ann code=1
            not found
        enter c bob agreed=yes
            not found
        # The address is free.
        verify x bob email/a code=1
        confirm x bob code=1
            linked
        erase nobody
            not found
        ",
    );
    let row = &world.state.profiles[&member_id("ann")];
    assert_eq!((row.version, &row.sealed), (2, &Default::default()));
    let owner = |name| {
        world
            .state
            .identities
            .get(&claim(name).key)
            .map(|row| row.member_id)
    };
    assert_eq!(owner("email/a"), Some(member_id("bob")));
    assert_eq!(owner("email/b"), None);
    let change = Operation::SetProfile(Box::new(profile("ann", 2)));
    let answer = world.run(change).answer;
    assert_eq!(answer, Answer::Denied(Denial::MemberErased));
}

#[test]
fn who_is_merged_and_erased_in_one_batch_is_erased_whole() {
    let mut world = World::new();
    world.play("profile bob \n link ec/7 bob");
    let commands = [
        Operation::Merge(Box::new(Merging {
            member_id: member_id("bob"),
            into: member_id("ann"),
            reason: "asked".to_owned(),
            actor: "staff".to_owned(),
        })),
        Operation::Erase(Box::new(Erasure {
            member_id: member_id("ann"),
            reason: "asked".to_owned(),
            actor: "staff".to_owned(),
        })),
    ];
    let commands = commands.map(|operation| world.command(operation));
    let mut loaded = load(
        &world.state,
        commands.iter().map(|command| (command, world.now)),
    );
    for command in &commands {
        let decision = decide(&loaded, command, world.now);
        loaded.apply(&decision.changes);
        world.state.apply(&decision.changes);
    }
    assert_eq!(
        world.state.profiles[&member_id("bob")].sealed,
        Default::default()
    );
    assert!(!world.state.identities.contains_key(&claim("ec/7").key));
}
