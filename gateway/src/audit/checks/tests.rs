//! One member's life, decided by the ledger itself, passes every check; with one row corrupted, the
//! check that guards it fails.

mod corruptions;
mod persons;
mod persons_corrupted;
mod play;

use ledger::records::{HoldState, RequestKind};

use super::*;
use corruptions::CORRUPTIONS;
use persons_corrupted::PERSONS_CORRUPTED;
use play::sound;

fn tally(name: &str, rows: &MemberRows) -> Tally {
    let check = CHECKS.iter().find(|check| check.name == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}"));
    let mut tally = Tally::default();
    (check.run)(rows, &mut tally);
    tally
}

#[test]
fn a_life_decided_by_the_ledger_passes_every_check() {
    let rows = sound();
    for state in HoldState::ALL {
        assert!(
            rows.authorizations.iter().any(|row| row.state == *state),
            "{state:?}"
        );
    }
    assert_eq!(
        (rows.purchases.len(), rows.refunds.len(), rows.pending.len()),
        (3, 2, 3)
    );
    assert!(
        rows.requests
            .iter()
            .any(|row| row.kind == RequestKind::Tombstone)
    );
    for check in CHECKS {
        let tally = tally(check.name, &rows);
        assert_eq!(tally.findings, [], "{}", check.name);
        let elsewhere = PERSONS_CORRUPTED.iter();
        let elsewhere: Vec<_> = elsewhere.map(|(name, ..)| *name).collect();
        assert!(
            tally.checked > 0 || elsewhere.contains(&check.name),
            "{} checked nothing",
            check.name
        );
    }
}

#[test]
fn persons_of_several_records_pass_every_check() {
    let rows = persons::sound();
    for check in CHECKS {
        let mut tally = Tally::default();
        rows.values().for_each(|rows| (check.run)(rows, &mut tally));
        assert_eq!(tally.findings, [], "{}", check.name);
        assert!(tally.checked > 0, "{} checked nothing", check.name);
    }
}

#[test]
fn what_is_wrong_with_one_of_them_is_found() {
    let rows = persons::sound();
    for (place, (name, whose, corrupt)) in PERSONS_CORRUPTED.iter().enumerate() {
        let mut broken = rows[&play::member_id(*whose)].clone();
        let before = tally(name, &broken);
        assert_eq!(before.broken, 0, "{place}: {:?}", before.findings);
        corrupt(&mut broken);
        let tally = tally(name, &broken);
        assert!(tally.broken > 0, "corruption {place} slips through {name}");
    }
}

#[test]
fn each_check_can_fail() {
    let rows = sound();
    for (place, (name, corrupt)) in CORRUPTIONS.iter().enumerate() {
        let mut broken = rows.clone();
        corrupt(&mut broken);
        let tally = tally(name, &broken);
        assert!(tally.broken > 0, "corruption {place} slips through {name}");
        assert!(!tally.findings.is_empty());
    }
    for check in CHECKS {
        assert!(
            CORRUPTIONS.iter().any(|(name, _)| *name == check.name)
                || PERSONS_CORRUPTED
                    .iter()
                    .any(|(name, ..)| *name == check.name),
            "nothing shows that {} can fail",
            check.name
        );
    }
}
