//! The person behind a member.

use ledger::profile::SealedProfile;

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn forgotten(rows: &MemberRows, tally: &mut Tally) {
    let member = &rows.member;
    let erased = member.erased_at.is_some();
    tally.expect(
        !erased || rows.identities.is_empty(),
        "members",
        member.id,
        || {
            let count = rows.identities.len();
            format!("it is erased, and {count} identities lead to it")
        },
    );
    tally.expect(
        !erased || member.available.is_zero(),
        "members",
        member.id,
        || format!("it is erased, and has {} points", member.available),
    );
    for profile in &rows.profiles {
        let empty = profile.sealed == SealedProfile::default();
        tally.expect(!erased || empty, "profiles", profile.member_id, || {
            "its member is erased, and it is not empty".into()
        });
    }
}
