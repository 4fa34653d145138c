//! Adjustments that four eyes have to see.

use jiff::SignedDuration;
use ledger::{
    command::{Adjustment, AdjustmentRequest, Direction, Operation, ProposalDecision},
    decision::Answer,
    denial::Denial,
    lot::Scope,
    programme::BASE_CLASS,
    proposal::{ProposalState, may_alone},
};
use pos_protocol::{Points, Reason};
use uuid::Uuid;

use crate::world::{World, member_id};

fn points(number: i64) -> Points {
    Points::new(number).unwrap()
}

fn ask(world: &mut World, direction: Direction, number: i64, within_a_day: i64) -> Answer {
    let adjustment = Adjustment {
        member_id: member_id("ann"),
        direction,
        points: points(number),
        class: BASE_CLASS.to_owned(),
        scope: Scope::default(),
        reason: "goodwill".to_owned(),
        actor: "one".to_owned(),
    };
    let request = AdjustmentRequest {
        adjustment,
        within_a_day: points(within_a_day),
    };
    let operation = Operation::RequestAdjustment(Box::new(request));
    world.run(operation).answer
}

fn proposed(world: &mut World, number: i64) -> Uuid {
    match ask(world, Direction::Grant, number, 0) {
        Answer::Proposed { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

fn decided(world: &mut World, id: Uuid, actor: &str, approve: bool) -> Answer {
    let decision = ProposalDecision {
        id,
        approve,
        reason: "checked".to_owned(),
        actor: actor.to_owned(),
    };
    let operation = Operation::DecideProposal(Box::new(decision));
    world.run(operation).answer
}

fn available(world: &World) -> i64 {
    world.state.members[&member_id("ann")].available.get()
}

#[test]
fn what_one_may_do_alone_ends_at_the_limit_and_at_the_day() {
    let world = World::new();
    let rule = &world.state.in_force.programme.desk;
    for (number, within, alone) in [
        (1_000, 0, true),
        (1_001, 0, false),
        (1_000, 4_000, true),
        (1, 5_000, false),
        (1, 1_000_000_000_000, false),
    ] {
        let may = may_alone(rule, points(number), points(within));
        assert_eq!(may, alone, "{number} after {within}");
    }
}

#[test]
fn beyond_the_limit_nothing_moves_until_another_person_approves() {
    let mut world = World::new();
    assert_eq!(ask(&mut world, Direction::Grant, 1_000, 0), Answer::Done);
    let id = proposed(&mut world, 1_001);
    assert_eq!(available(&world), 1_000);
    let own = decided(&mut world, id, "one", true);
    assert_eq!(own, Answer::Denied(Denial::OwnProposal));
    assert_eq!(decided(&mut world, id, "two", true), Answer::Done);
    assert_eq!(available(&world), 2_001);
    let row = &world.state.proposals[&id];
    assert_eq!(row.state, ProposalState::Approved);
    assert_eq!(row.decided_by.as_deref(), Some("two"));
    for approve in [true, false] {
        let again = decided(&mut world, id, "three", approve);
        assert_eq!(again, Answer::Denied(Denial::ProposalDecided));
    }
    assert_eq!(available(&world), 2_001);
}

#[test]
fn a_proposal_is_taken_back_ends_and_waits_for_points() {
    let mut world = World::new();
    let id = proposed(&mut world, 2_000);
    assert_eq!(decided(&mut world, id, "one", false), Answer::Done);
    assert_eq!(world.state.proposals[&id].state, ProposalState::Refused);

    let id = proposed(&mut world, 2_000);
    world.now += SignedDuration::from_hours(72);
    let late = Answer::Denied(Denial::ProposalExpired);
    assert_eq!(decided(&mut world, id, "two", true), late);
    assert_eq!(decided(&mut world, id, "two", false), late);

    // What is not there is not proposed; what is gone meanwhile leaves the proposal open.
    let none = Answer::Refused(Reason::InsufficientPoints);
    assert_eq!(ask(&mut world, Direction::Take, 1_500, 0), none);
    world.play("grant ann 1500");
    let Answer::Proposed { id, .. } = ask(&mut world, Direction::Take, 1_500, 0) else {
        panic!("no proposal");
    };
    world.play("take ann 1");
    assert_eq!(decided(&mut world, id, "two", true), none);
    assert_eq!(world.state.proposals[&id].state, ProposalState::Open);
    assert_eq!(
        decided(&mut world, Uuid::nil(), "two", true),
        Answer::NotFound
    );
    assert_eq!(available(&world), 1_499);
}
