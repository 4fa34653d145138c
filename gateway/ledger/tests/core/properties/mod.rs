//! What holds for every list of commands.
//!
//! [`steps`] draws what members, tills and staff might do, [`player`] makes commands of it against the
//! ledger as it stands. The world that runs them audits the books after every command: I1, I2, I3, I5,
//! I9, gap-free events, bounded refunds. What is left to say is said here.
//!
//! Each property plays 256 lists; `PROPTEST_CASES` plays more.

mod orders;
mod people;
mod player;
mod said;
mod steps;

use std::collections::BTreeSet;

use ledger::{
    account::Motive,
    command::Operation,
    decide,
    decision::Answer,
    denial::Denial,
    event::EventKind,
    order::OrderState,
    records::{HoldState, PurchaseState, RequestKind, StoredRequest},
    state::{Changes, State},
};
use pos_protocol::Reason;
use proptest::{
    prelude::{prop_assert, prop_assert_eq, proptest},
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::world::{World, check_created, load};

use player::Player;
use steps::{Step, Variant, any_variant, steps, wild_steps};

fn play(variant: Variant, steps: &[Step]) -> Player {
    let mut player = Player::new(World::with(|programme| variant.edit(programme)));
    for step in steps {
        player.step(step);
    }
    player
}

proptest! {
    /// I4 and I8, with the audit of every command on the way.
    #[test]
    fn a_repeated_request_is_inert_and_a_changed_one_refused(
        variant in any_variant(),
        steps in steps(60..90),
    ) {
        let mut player = play(variant, &steps);
        for mut pos in player.sent() {
            let key = (pos.till.terminal_id.clone(), pos.request_id.clone());
            let stored = player.world.state.requests[&key].clone();
            let again = player.world.run(Operation::Pos(pos.clone()));
            let fits = stored.fingerprint.is_none_or(|own| own == pos.fingerprint);
            let expected = |fits| match fits {
                true => Answer::Message(stored.answer.clone()),
                false => Answer::RequestIdReused,
            };
            prop_assert_eq!(again.answer, expected(fits));
            prop_assert!(again.changes.is_empty());
            pos.fingerprint[31] ^= 1;
            let changed = player.world.run(Operation::Pos(pos));
            prop_assert_eq!(changed.answer, expected(stored.kind == RequestKind::Tombstone));
            prop_assert!(changed.changes.is_empty());
        }
        for request in player.world.state.requests.values() {
            check_effect(&player.world.state, request);
        }
    }

    /// The rows that the keys name are enough for any batch, and a batch changes what its commands
    /// change one by one.
    #[test]
    fn any_split_into_batches_gives_the_same_answers_and_rows(
        variant in any_variant(),
        steps in steps(60..90),
        sizes in proptest::collection::vec(1..24_usize, 200),
    ) {
        let player = play(variant.clone(), &steps);
        let mut batched = World::with(|programme| variant.edit(programme));
        let mut log = player.log.as_slice();
        for size in sizes {
            let (batch, rest) = log.split_at(size.min(log.len()));
            log = rest;
            run_batch(&mut batched.state, &mut batched.all, batch);
        }
        prop_assert!(log.is_empty());
        prop_assert_eq!(&batched.all, &player.world.all);
        check_same_rows(&batched.state, &player.world.state);
    }

    /// Time is settled by whoever asks: a sweep at any moment changes no later answer. Only what a record
    /// had lent when it was parted waits for who borrowed it.
    #[test]
    fn no_answer_depends_on_whether_a_sweep_came_by(
        variant in any_variant(),
        steps in steps(60..90),
    ) {
        let mut plain = Player::new(World::with(|programme| variant.edit(programme)));
        let mut swept = Player::new(World::with(|programme| variant.edit(programme)));
        for step in &steps {
            if matches!(step, Step::Unmerge(_)) {
                continue;
            }
            if let Step::Wait(seconds) = step {
                plain.step(&Step::Wait(*seconds.max(&0)));
                swept.wait_and_sweep(*seconds.max(&0));
            } else {
                let said = plain.step(step);
                prop_assert_eq!(swept.step(step), said, "{:?}", step);
            }
        }
    }

    /// No command and no amount makes the ledger panic, and a fault changes nothing.
    #[test]
    fn every_command_has_a_decision(variant in any_variant(), steps in wild_steps(60..90)) {
        let mut player = Player::wild(World::with(|programme| variant.edit(programme)));
        for step in &steps {
            player.step(step);
        }
    }
}

/// I8: what a stored answer says of its effect is so, and stays so.
fn check_effect(state: &State, request: &StoredRequest) {
    let holds = state.authorizations.values();
    let purchases = state.purchases.values();
    match (request.kind, request.effect) {
        (RequestKind::Authorization, Some(id)) => {
            assert_eq!(holds.filter(|hold| hold.id.as_uuid() == id).count(), 1);
        }
        (RequestKind::Purchase, Some(id)) => {
            assert_eq!(
                purchases
                    .filter(|purchase| purchase.id.as_uuid() == id)
                    .count(),
                1
            );
        }
        (RequestKind::Tombstone, effect) => {
            assert_eq!((effect, request.fingerprint), (None, None));
            assert!(request.answer.contains(r#""outcome":"declined""#));
            assert!(request.answer.contains(r#""reason":"reversed""#));
        }
        _ => {}
    }
}

fn run_batch(state: &mut State, all: &mut Changes, batch: &[player::Decided]) {
    let commands = batch.iter().map(|decided| (&decided.command, decided.now));
    let mut loaded = load(state, commands);
    let mut changes = Changes::default();
    for decided in batch {
        let decision = decide(&loaded, &decided.command, decided.now);
        assert_eq!(decision.answer, decided.answer, "{:?}", decided.command);
        loaded.apply(&decision.changes);
        changes.absorb(decision.changes);
    }
    check_created(state, &changes);
    state.apply(&changes);
    all.absorb(changes);
}

fn check_same_rows(one: &State, other: &State) {
    assert_eq!(one.members, other.members);
    assert_eq!(one.cards, other.cards);
    assert_eq!(one.card_uses, other.card_uses);
    assert_eq!(one.short_codes, other.short_codes);
    assert_eq!(one.lots, other.lots);
    assert_eq!(one.pending, other.pending);
    assert_eq!(one.authorizations, other.authorizations);
    assert_eq!(one.purchases, other.purchases);
    assert_eq!(one.identities, other.identities);
    assert_eq!(one.link_codes, other.link_codes);
    assert_eq!(one.proposals, other.proposals);
    assert_eq!(one.verifications, other.verifications);
    assert_eq!(one.orders, other.orders);
    assert_eq!(one.profiles, other.profiles);
    assert_eq!(one.requests, other.requests);
    assert_eq!(one.totals, other.totals);
    assert_eq!(one.in_force.version, other.in_force.version);
    assert_eq!(one.in_force.programme, other.in_force.programme);
}

/// The lists are worth something only if they get everywhere.
#[test]
fn random_lists_reach_every_movement_and_almost_every_reason() {
    let mut runner = TestRunner::deterministic();
    let (mut motives, mut holds) = (BTreeSet::new(), BTreeSet::new());
    let (mut purchases, mut answers) = (BTreeSet::new(), Vec::new());
    let (mut told, mut orders, mut denials) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..100 {
        let drawn = (any_variant(), steps(60..90))
            .new_tree(&mut runner)
            .unwrap();
        let (variant, steps) = drawn.current();
        let player = play(variant, &steps);
        motives.extend(
            player
                .world
                .all
                .transfers
                .iter()
                .map(|transfer| transfer.motive),
        );
        told.extend(player.world.all.events.iter().map(|event| event.kind));
        denials.extend(
            player
                .log
                .iter()
                .filter_map(|decided| match decided.answer {
                    Answer::Denied(denial) => Some(denial),
                    _ => None,
                }),
        );
        orders.extend(
            player
                .log
                .iter()
                .filter_map(|decided| match decided.answer {
                    Answer::OrderBooked { state, .. } => Some(state),
                    _ => None,
                }),
        );
        let state = &player.world.state;
        holds.extend(state.authorizations.values().map(|hold| hold.state));
        purchases.extend(state.purchases.values().map(|purchase| purchase.state));
        answers.extend(
            state
                .requests
                .values()
                .map(|request| request.answer.clone()),
        );
    }
    assert_eq!(motives, Motive::ALL.iter().copied().collect());
    assert_eq!(holds, HoldState::ALL.iter().copied().collect());
    assert_eq!(purchases, PurchaseState::ALL.iter().copied().collect());
    assert_eq!(told, EventKind::ALL.iter().copied().collect());
    assert_eq!(orders, OrderState::ALL.iter().copied().collect());
    let never: Vec<_> = Denial::ALL
        .iter()
        .filter(|denial| !denials.contains(denial))
        .collect();
    // Three members who guess now and then, everyday amounts, and nobody at the desk: tables tell of these.
    let beyond = [
        Denial::TooManyRecords,
        Denial::AmountTooLarge,
        Denial::TooManyAttempts,
        Denial::UnknownClass,
        Denial::OwnProposal,
        Denial::ProposalDecided,
        Denial::ProposalExpired,
    ];
    assert!(
        never.iter().all(|denial| beyond.contains(denial)),
        "{never:?}"
    );
    let said = |what: &str| answers.iter().any(|answer| answer.contains(what));
    for effect in ["reversed", "refunded", "nothing_to_reverse"] {
        assert!(said(&format!(r#""effect":"{effect}""#)), "{effect}");
    }
    assert!(said(r#""points_shortfall""#) && said(r#""pending_until""#));
    let never: Vec<Reason> = Reason::ALL
        .iter()
        .copied()
        .filter(|reason| !said(&format!(r#""reason":"{}""#, reason.word())))
        .collect();
    // Amounts that large are drawn by the wild lists only.
    assert_eq!(never, [Reason::AmountTooLarge]);
}
