//! Undoing what was queued, renamed, or undone before.

use std::time::Duration;

use serde_json::json;

use super::{
    gateway::{calendar, http},
    scenes::{exchange, sell, wait_in_vain, world},
    world::{World, basket},
};
use crate::{
    RequestId,
    client::{
        ask::Ask,
        machine::{Notice, Reply, Ticket},
        verdict::Verdict,
    },
};

fn undo(world: &mut World, original: &RequestId) -> Ticket {
    let original_request_id = original.clone();
    let ticket = world.order(Ask::Reversal {
        original_request_id,
    });
    world.steps();
    ticket
}

/// The gateway cannot be reached at all: what is sent never leaves.
fn unreachable(world: &mut World) {
    for _ in 0..100 {
        for exchange in std::mem::take(&mut world.going) {
            world.reply(&exchange, Reply::NotSent { retry_after: None });
        }
        world.advance(Duration::from_millis(100));
        world.steps();
    }
}

fn nothing_stands(mut world: World) {
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
    let standing = world.machine.book().sold().filter(|sold| !sold.reversed);
    assert_eq!(standing.count(), 0);
}

#[test]
fn a_queued_sale_that_never_left_is_undone_by_any_of_its_names() {
    for by_first_name in [true, false] {
        let mut world = world();
        let ticket = sell(&mut world, "b", 0);
        let first = world.going[0].request_id.clone();
        unreachable(&mut world);
        assert!(matches!(world.told[&ticket], Verdict::Queued { .. }));
        let named = world.named[&ticket].clone();
        assert_ne!(named, first, "told the name of what is repeated");
        undo(&mut world, if by_first_name { &first } else { &named });
        nothing_stands(world);
    }
}

#[test]
fn a_sale_that_became_an_advice_late_is_undone_by_the_name_that_was_told() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    wait_in_vain(&mut world);
    let named = world.named[&ticket].clone();
    world.advance(Duration::from_secs(7_200));
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 1);
    let settled = world.notices.iter().find_map(|notice| match notice {
        Notice::Settled {
            request_id,
            replaces,
            ..
        } => Some((request_id.clone(), replaces.clone())),
        _ => None,
    });
    let (advice, replaces) = settled.unwrap();
    assert_eq!(replaces, std::slice::from_ref(&named));
    assert_ne!(advice, named);
    // Also when the journal was made smaller since, and after another start.
    let now = world.now();
    world.disk = world.machine.compacted(&now);
    world.restart();
    undo(&mut world, &named);
    nothing_stands(world);
}

#[test]
fn a_renamed_sale_is_undone_by_its_first_name() {
    let mut world = world();
    sell(&mut world, "b", 0);
    let first = world.going[0].request_id.clone();
    world.gateway.occupy(&first);
    exchange(&mut world);
    exchange(&mut world);
    assert_eq!(world.gateway.live("b").count(), 1);
    undo(&mut world, &first);
    nothing_stands(world);
}

/// The first finds the sale, whose answer was lost, and the second finds nothing.
#[test]
fn a_sale_that_is_undone_twice_is_in_the_totals_once() {
    for lost in [true, false] {
        let mut world = world();
        sell(&mut world, "b", 0);
        let original = world.going[0].request_id.clone();
        if lost {
            let first = world.going.pop().unwrap();
            world.arrive(&first);
            world.coming.clear();
        } else {
            exchange(&mut world);
        }
        undo(&mut world, &original);
        let second = undo(&mut world, &original);
        world.heal();
        undo(&mut world, &original);
        world.heal();
        assert!(matches!(world.told[&second], Verdict::Approved(_)));
        totals_agree(&world, 1);
        nothing_stands(world);
    }
}

/// A part of the sale was returned at another till, so it cannot be reversed: it stands.
#[test]
fn a_sale_that_cannot_be_reversed_is_in_the_totals() {
    for lost in [true, false] {
        let mut world = world();
        sell(&mut world, "b", 0);
        let original = world.going[0].request_id.clone();
        if lost {
            let first = world.going.pop().unwrap();
            world.arrive(&first);
            world.coming.clear();
        } else {
            exchange(&mut world);
        }
        let undone = undo(&mut world, &original);
        let reversal = world.going.pop().unwrap();
        let decline = json!({"outcome": "declined", "response_code": "21",
            "reason": "not_reversible", "request_id": reversal.request_id});
        world.reply(&reversal, http(200, decline));
        world.heal();
        assert!(matches!(world.told[&undone], Verdict::Declined(_)));
        totals_agree(&world, 1);
        let book = world.machine.book();
        assert!(book.sold().all(|sold| !sold.reversed));
        assert!(book.has_sale(&basket("b")));
        let now = world.now();
        world.disk = world.machine.compacted(&now);
        world.restart();
        totals_agree(&world, 1);
    }
}

fn totals_agree(world: &World, purchases: u64) {
    let day = "2026-11-22".parse().unwrap();
    let totals = world.machine.book().totals(day, &calendar());
    assert_eq!(totals, world.gateway.totals());
    assert_eq!(u64::from(totals.purchases), purchases);
}
