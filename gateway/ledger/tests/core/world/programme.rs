//! Programmes for tests: one plain programme, edited as a test needs it.

use ledger::programme::{Classes, Days, Expiry, Hours, Minutes, Months, Programme, Seconds};
use serde_json::json;

/// 1 point per 100 yen, tax included, whole receipt, floored; fixed expiry after 12 months for `base`,
/// classes of every other kind; all else as it is by default.
pub(crate) fn programme(edit: impl FnOnce(&mut Programme)) -> Programme {
    let mut programme = serde_json::from_value(json!({
        "id": "demo",
        "name": "Demo",
        "time_zone": "Asia/Tokyo",
        "earn": { "points": 1, "per_yen": 100 },
        "classes": {
            "base": { "expiry": { "kind": "fixed", "months": 12 } },
            "short": { "expiry": { "kind": "fixed", "months": 1 } },
            "active": { "expiry": { "kind": "activity", "months": 6 } },
            "ever": { "expiry": { "kind": "never" } },
        },
    }))
    .unwrap();
    edit(&mut programme);
    programme
}

/// Classes in which purchases earn points that expire like this.
pub(crate) fn expiring(base: Expiry) -> Classes {
    let classes = json!({ "base": { "expiry": base }, "ever": { "expiry": Expiry::Never } });
    serde_json::from_value(classes).unwrap()
}

pub(crate) fn seconds(n: u32) -> Seconds {
    Seconds::new(n).unwrap()
}

pub(crate) fn minutes(n: u32) -> Minutes {
    Minutes::new(n).unwrap()
}

pub(crate) fn hours(n: u32) -> Hours {
    Hours::new(n).unwrap()
}

pub(crate) fn days(n: u32) -> Days {
    Days::new(n).unwrap()
}

pub(crate) fn months(n: u32) -> Months {
    Months::new(n).unwrap()
}
