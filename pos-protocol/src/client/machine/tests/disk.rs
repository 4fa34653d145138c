//! Disks that are full, records that are damaged, journals that are made smaller.

use std::time::Duration;

use super::scenes::{exchange, last_sent, sell, world};
use crate::client::{
    machine::Notice,
    record::Entry,
    verdict::{Refusal, Verdict},
};

#[test]
fn names_of_a_restored_journal_are_new() {
    let mut world = world();
    sell(&mut world, "b-1", 0);
    let old = world.going[0].request_id.clone();
    exchange(&mut world);
    world.disk.clear();
    world.restart();
    sell(&mut world, "b-2", 0);
    assert_ne!(world.going[0].request_id, old);
}

#[test]
fn with_a_full_disk_nothing_is_sent_and_the_cashier_is_told() {
    let mut world = world();
    world.disk_full = true;
    let ticket = sell(&mut world, "b", 0);
    let refused = Verdict::Refused(Refusal::JournalUnwritable("no space left".into()));
    assert_eq!(world.told[&ticket], refused);
    assert!(world.going.is_empty());
    world.disk_full = false;
    let ticket = sell(&mut world, "b", 0);
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    let said = [
        Notice::JournalUnwritable("no space left".into()),
        Notice::JournalWritable,
    ];
    assert!(said.iter().all(|notice| world.notices.contains(notice)));
}

#[test]
fn an_approval_that_cannot_be_written_down_was_not_received() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    world.disk_full = true;
    let mut sent = 0;
    for _ in 0..100 {
        sent += world.going.len();
        exchange(&mut world);
        world.advance(Duration::from_millis(100));
        world.steps();
    }
    assert!(matches!(
        world.told[&ticket],
        Verdict::NotAsked { undoing: true, .. }
    ));
    assert!(
        sent <= 10,
        "asked {sent} times while there was no room for the answer"
    );
    assert_eq!(world.gateway.live("b").count(), 1);
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
}

#[test]
fn an_approval_that_comes_after_the_cashier_was_told_otherwise_is_undone() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    let first = world.going.pop().unwrap();
    world.disk_full = true;
    world.advance(Duration::from_secs(6));
    world.steps();
    assert!(matches!(
        world.told[&ticket],
        Verdict::NotAsked { undoing: true, .. }
    ));
    world.arrive(&first);
    let (first, approval) = world.coming.pop().unwrap();
    world.reply(&first, approval);
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
    assert_eq!(
        world
            .machine
            .book()
            .sold()
            .filter(|sold| !sold.reversed)
            .count(),
        0
    );
}

#[test]
fn a_decline_that_comes_after_the_cashier_was_told_it_counts_is_cured() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 0);
    let first = world.going.pop().unwrap();
    world.disk_full = true;
    world.advance(Duration::from_secs(6));
    world.steps();
    assert!(matches!(world.told[&ticket], Verdict::Queued { .. }));
    world.advance(Duration::from_secs(60));
    world.arrive(&first);
    let (first, decline) = world.coming.pop().unwrap();
    world.disk_full = false;
    world.reply(&first, decline);
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 1);
}

#[test]
fn a_damaged_outcome_makes_a_request_unanswered_and_not_undone() {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    let damaged = world.disk.pop();
    assert!(matches!(damaged, Some(Entry::Answer { .. })));
    world.damaged_before = world.disk.len();
    world.restart();
    world.steps();
    assert_eq!(last_sent(&world).0, "status");
    exchange(&mut world);
    assert!(world.machine.is_settled());
    assert_eq!(world.gateway.live("b").count(), 1);
    assert_eq!(world.machine.book().sold().count(), 1);
}

#[test]
fn a_settled_request_loses_its_card_text_when_the_journal_is_made_smaller() {
    let mut world = world();
    sell(&mut world, "b-1", 0);
    exchange(&mut world);
    sell(&mut world, "b-2", 0);
    let now = world.now();
    let small = serde_json::to_string(&world.machine.compacted(&now)).unwrap();
    assert!(!small.contains("b-1@") && small.contains("b-2@"), "{small}");
}
