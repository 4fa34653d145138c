//! Disks that are full, records that are damaged, journals that are made smaller.

use std::time::Duration;

use super::{
    scenes::{exchange, last_sent, lose, sell, world},
    world::{sale, scan},
};
use crate::client::{
    ask::Ask,
    machine::Notice,
    record::Entry,
    settings::BusinessDay,
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

/// The record of an approval is damaged after the goods have gone: the sale is never undone for it,
/// also when the till was started once more before it could ask.
#[test]
fn a_damaged_outcome_makes_a_request_unanswered_and_not_undone() {
    for starts in 1..=3 {
        a_damaged_outcome(starts);
    }
}

fn a_damaged_outcome(starts: usize) {
    let mut world = world();
    let ticket = sell(&mut world, "b", 200);
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Approved(_)));
    let damaged = world.disk.pop();
    assert!(matches!(damaged, Some(Entry::Answer { .. })));
    world.disk.push(Entry::Damaged { records: 1 });
    for start in 0..starts {
        if start == 2 {
            let now = world.now();
            world.disk = world.machine.compacted(&now);
        }
        world.restart();
        lose(&mut world);
    }
    world.advance(Duration::from_secs(60));
    world.steps();
    assert_eq!(last_sent(&world).0, "status");
    exchange(&mut world);
    assert!(world.machine.is_settled());
    assert_eq!(world.gateway.live("b").count(), 1);
    assert_eq!(world.machine.book().sold().count(), 1);
}

/// The gateway has no answer, so nobody was told of an approval.
#[test]
fn a_doubtful_sale_that_never_arrived_is_not_made_after_all() {
    let mut world = world();
    sell(&mut world, "b", 200);
    let late = world.going.pop().unwrap();
    world.disk.push(Entry::Damaged { records: 1 });
    world.restart();
    world.steps();
    assert_eq!(last_sent(&world).0, "status");
    exchange(&mut world);
    // It comes before what undoes it.
    world.arrive(&late);
    world.coming.clear();
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
    assert_eq!(world.gateway.available, 500);
}

/// The outcome was a decline, which nobody took for a sale.
#[test]
fn a_doubtful_sale_that_was_declined_is_not_told_as_an_advice() {
    let mut world = world();
    let at = world.now().at;
    let order = Ask::Purchase(sale("b", scan("b", at), 200));
    world.advance(Duration::from_secs(60));
    let ticket = world.order(order);
    world.steps();
    exchange(&mut world);
    assert!(matches!(world.told[&ticket], Verdict::Declined(_)));
    world.disk.pop();
    world.disk.push(Entry::Damaged { records: 1 });
    world.restart();
    world.heal();
    assert_eq!(world.gateway.live("b").count(), 0);
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

/// The clock jumps ten years ahead, before or after another sale, and the journal is made smaller.
#[test]
fn a_clock_that_jumps_forgets_nothing_of_today() {
    for sells_then in [false, true] {
        let mut world = world();
        sell(&mut world, "b-1", 0);
        exchange(&mut world);
        world.advance(Duration::from_secs(10 * 365 * 86_400));
        if sells_then {
            sell(&mut world, "b-2", 0);
            exchange(&mut world);
        }
        let before = world.machine.book().sold().count();
        assert_eq!(before, if sells_then { 2 } else { 1 });
        let now = world.now();
        world.disk = world.machine.compacted(&now);
        world.restart();
        assert_eq!(world.machine.book().sold().count(), before);
    }
}

/// What is older than the newest days on which anything was sold, and older than that, is forgotten.
#[test]
fn old_days_are_forgotten() {
    let mut world = world();
    for day in 0..40 {
        let name = format!("b-{day}");
        let at = world.now().at;
        let mut sale = sale(&name, scan(&name, at), 0);
        sale.receipt.business_date = BusinessDay::default().of(at);
        world.order(Ask::Purchase(sale));
        world.steps();
        exchange(&mut world);
        world.advance(Duration::from_secs(86_400));
    }
    assert_eq!(world.machine.book().sold().count(), 40);
    let now = world.now();
    world.disk = world.machine.compacted(&now);
    world.restart();
    let left = world.machine.book().sold().count();
    assert!((31..=32).contains(&left), "{left} of 40 days are left");
}
