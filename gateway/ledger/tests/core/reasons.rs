//! Every reason to decline has a script that ends with it.

use ledger::programme::{OpenHolds, Programme};
use pos_protocol::{Points, Reason};

use crate::world::World;

const SCRIPTS: &[(Reason, &str)] = &[
    (Reason::UnknownCard, "s1.t1 b1 inquire scribble"),
    (Reason::CardBlocked, "revoke ann \n s1.t1 b1 inquire ann"),
    (Reason::MemberBlocked, "block ann \n s1.t1 b1 inquire ann"),
    (
        Reason::CardTextExpired,
        "text x ann age=46s \n s1.t1 b1 inquire x",
    ),
    (
        Reason::CardTextFromFuture,
        "text x ann age=-16s \n s1.t1 b1 inquire x",
    ),
    (
        Reason::CardAlreadyUsed,
        "text x ann \n s1.t1 b1 inquire x \n s1.t1 b2 inquire x",
    ),
    (
        Reason::SpendNotAllowed,
        "text x ann spend=none \n s1.t1 b1 authorize x 1",
    ),
    (
        Reason::AboveCardLimit,
        "text x ann spend=1 \n s1.t1 b1 authorize x 2",
    ),
    (Reason::AboveProgrammeLimit, "s1.t1 b1 authorize ann 100001"),
    (Reason::AboveReceiptTotal, "s1.t1 b1 buy ann 1 redeem=2"),
    (
        Reason::AboveHold,
        "a: s1.t1 b1 authorize ann 1 \n s1.t1 b1 capture a 9 redeem=2",
    ),
    (
        Reason::AboveRefundable,
        "p: s1.t1 b1 buy ann 1 \n s1.t1 refund p 1x2",
    ),
    (Reason::ZeroPoints, "s1.t1 b1 authorize ann 0"),
    (
        Reason::TooManyHolds,
        "s1.t1 b1 authorize ann 1 \n s1.t1 b2 authorize ann 1",
    ),
    (Reason::AmountTooLarge, "s1.t1 b1 buy ann 1000000000000"),
    (Reason::InsufficientPoints, "s1.t1 b1 authorize ann 501"),
    (Reason::UnknownAuthorization, "s1.t1 void a"),
    (Reason::UnknownPurchase, "s1.t1 refund p"),
    (
        Reason::UnknownLine,
        "p: s1.t1 b1 buy ann 1 \n s1.t1 refund p 2x1",
    ),
    (
        Reason::HoldExpired,
        "a: s1.t1 b1 authorize ann 1 \n wait 30m \n s1.t1 void a",
    ),
    (
        Reason::AlreadyVoided,
        "a: s1.t1 b1 authorize ann 1 \n s1.t1 void a \n s1.t1 void a",
    ),
    (
        Reason::AlreadyCaptured,
        "a: s1.t1 b1 authorize ann 1 \n s1.t1 b1 capture a 1 \n s1.t1 void a",
    ),
    (
        Reason::Reversed,
        "s1.t1 reverse a \n a: s1.t1 b1 inquire ann",
    ),
    (
        Reason::BasketCompleted,
        "s1.t1 b1 buy ann 1 \n s1.t1 b1 buy ann 1",
    ),
    (
        Reason::BusinessDateNotOpen,
        "s1.t1 b1 buy ann 1 date=2026-01-01",
    ),
    (Reason::AdviceTooLate, "s1.t1 b1 buy ann 1 advice=73h"),
    (Reason::NotReversible, "v: s1.t1 reverse v"),
];

#[test]
fn every_reason_is_given_for_its_cause() {
    let limits = |programme: &mut Programme| {
        programme.earn.points = 500;
        programme.limits.points_per_basket = Points::new(100_000).unwrap();
        programme.limits.open_holds_per_member = OpenHolds::new(1).unwrap();
    };
    for (reason, script) in SCRIPTS {
        let mut world = World::with(limits);
        world.play("grant ann 500");
        let decisions: Vec<_> = script
            .lines()
            .filter_map(|line| world.line(line.trim()))
            .collect();
        let (last, before) = decisions.split_last().unwrap();
        let said = format!("\"reason\":\"{}\"", reason.word());
        let given = |decision: &ledger::decision::Decision| match &decision.answer {
            ledger::decision::Answer::Message(text) => text.contains(&said),
            _ => false,
        };
        assert!(given(last), "{reason:?}: {:?}", last.answer);
        assert!(!before.iter().any(given), "{reason:?} came early");
    }
    for reason in Reason::ALL {
        let scripts = SCRIPTS.iter().filter(|(of, _)| of == reason).count();
        assert_eq!(scripts, 1, "{reason:?}");
    }
}
