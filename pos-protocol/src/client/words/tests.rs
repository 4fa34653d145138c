use super::*;

const OPERATIONS: [Operation; 8] = [
    Operation::Inquiry,
    Operation::Authorization,
    Operation::Void,
    Operation::Purchase,
    Operation::RefundQuote,
    Operation::Refund,
    Operation::Reversal,
    Operation::Settlement,
];

fn verdicts() -> Vec<(&'static str, Verdict<()>)> {
    let decline = Decline {
        reason: "not_known_here".to_owned(),
        response_code: "57".to_owned(),
        points: None,
    };
    let not_asked = |undoing| Verdict::NotAsked {
        why: Why::NoAnswer,
        undoing,
    };
    let queued = |why| Verdict::Queued { why };
    let refused = Verdict::Refused;
    let defect = Refusal::Defect {
        problem: String::new(),
        detail: String::new(),
    };
    vec![
        ("approved", Verdict::Approved(())),
        ("declined", Verdict::Declined(decline)),
        ("not_asked", not_asked(false)),
        ("undoing", not_asked(true)),
        ("queued", queued(Why::Away)),
        ("operator", queued(Why::Operator("the secret".to_owned()))),
        (
            "unwritable",
            refused(Refusal::JournalUnwritable(String::new())),
        ),
        ("malformed", refused(Refusal::Malformed(String::new()))),
        ("defect", refused(defect)),
        ("completed", refused(Refusal::BasketCompleted)),
        ("unsettled", refused(Refusal::Unsettled(1))),
        ("closed", refused(Refusal::Closed)),
        ("unknown", Verdict::Unknown),
    ]
}

/// What a cashier must never read: about points that are not in question, or a sale that is none.
#[test]
fn words_are_about_what_was_asked() {
    use Operation::{Authorization, Inquiry, Purchase, Refund};
    for operation in OPERATIONS {
        let sells = [Inquiry, Authorization, Purchase].contains(&operation);
        let pays = [Authorization, Purchase].contains(&operation);
        for (name, verdict) in verdicts() {
            let english = super::verdict(&verdict, operation, Language::English);
            let japanese = super::verdict(&verdict, operation, Language::Japanese);
            let about = format!("{operation:?} {name}: {english} / {japanese}");
            assert!(english.is_ascii() && english.len() > 8, "{about}");
            assert!(!japanese.is_ascii(), "{about}");
            let says = |en, ja| {
                let said = english.contains(en);
                assert_eq!(said, japanese.contains(ja), "{about}");
                said
            };
            let not_asked = ["not_asked", "undoing"].contains(&name);
            let not_done = ["unwritable", "malformed", "defect", "closed"].contains(&name);
            let takes_off = says("Take the points off", "ポイントを外してください");
            assert_eq!(takes_off, pays && not_asked, "{about}");
            let without = says("Sell without points", "ポイントなしで会計");
            assert_eq!(
                without,
                sells && (not_done || name == "declined"),
                "{about}"
            );
            let nothing_back = says("Give nothing back", "返金しない");
            assert_eq!(nothing_back, operation == Refund && not_done, "{about}");
            let counts = english.starts_with("It counts.");
            let queued = ["queued", "operator"].contains(&name);
            assert_eq!(counts, operation == Purchase && queued, "{about}");
            let fault = says("set up wrongly", "設定に誤り");
            assert_eq!(fault, name == "operator", "{about}");
            assert_eq!(
                says("being undone", "取消を自動"),
                name == "undoing",
                "{about}"
            );
        }
    }
}

/// Every operation has words of its own where it matters.
#[test]
fn queued_requests_say_what_follows() {
    let words = |operation| {
        let verdict = Verdict::<()>::Queued { why: Why::Away };
        super::verdict(&verdict, operation, Language::English)
    };
    let follows = [
        (Operation::Void, "The held points go back"),
        (Operation::Purchase, "The points follow"),
        (Operation::Refund, "kept from the cash"),
        (Operation::Reversal, "It will be undone"),
    ];
    for (operation, part) in follows {
        let said = words(operation);
        assert!(said.contains(part), "{operation:?}: {said}");
    }
}
