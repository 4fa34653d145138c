//! Notices to people: somebody joined your membership.
//!
//! Only addresses that were proved get one. The ledger knows those by keyed hashes; the addresses
//! themselves stand in the profiles, if their owners wrote them there.

use ledger::identity::{Identity, IdentityKey};
use outbound::delivery::{Delivery, Details, Kind, Message, MessageId, MessageIdError, Recipient};
use personal_data::Profile;
use pos_protocol::MemberId;
use serde_json::json;

use super::profile;
use crate::{
    claims,
    clock::Clock,
    secrets::Secrets,
    store::{Store, StoreError},
};

/// What a notice of a merge is about; receivers have a text for it.
const MERGED: &str = "member_merged";

/// Why nobody could be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message has no name.
    #[error(transparent)]
    Message(#[from] MessageIdError),
}

/// Tells all proved addresses of a person but the one it was joined by. What cannot be delivered is
/// logged.
///
/// # Errors
/// [`NoticeError`]
pub async fn merged(
    store: &Store,
    secrets: &Secrets,
    delivery: &Delivery,
    clock: &Clock,
    member_id: MemberId,
    joined_by: IdentityKey,
) -> Result<(), NoticeError> {
    let Some(person) = store.person(member_id).await? else {
        return Ok(());
    };
    let rows = store.profiles(&person.ids()).await?;
    let profiles = rows.iter().filter_map(|row| {
        let opened = profile::open(secrets, row);
        opened
            .inspect_err(|error| tracing::warn!(member.id = %row.member_id, error = %error, "profile.not_opened"))
            .ok()
    });
    let profiles: Vec<_> = profiles.collect();
    for to in receivers(secrets, &profiles, &person.identities, joined_by) {
        let now = clock.now();
        let message = Message {
            id: MessageId::parse(&clock.new_id().to_string())?,
            occurred_at: now,
            to,
            kind: Kind::Notice {
                topic: MERGED.to_owned(),
            },
            details: Details(json!({ "member_no": person.root.number.masked() })),
        };
        match delivery.send(&message, now).await {
            Ok(()) => tracing::info!(member.id = %member_id, "person.notice_sent"),
            Err(error) => {
                tracing::warn!(member.id = %member_id, error = %error, "person.notice_lost");
            }
        }
    }
    Ok(())
}

/// The addresses in the profiles that were proved, each once.
fn receivers(
    secrets: &Secrets,
    profiles: &[Profile],
    identities: &[Identity],
    joined_by: IdentityKey,
) -> Vec<Recipient> {
    let proved = |key: IdentityKey| {
        let stands = |row: &Identity| row.key == key && row.revoked_at.is_none();
        key != joined_by && identities.iter().any(stands)
    };
    let mut found = Vec::new();
    for profile in profiles {
        let email = profile.email.as_ref();
        let email = email.filter(|email| proved(claims::email(&secrets.index, email).key));
        let phone = profile.phone.as_ref();
        let phone = phone.filter(|phone| proved(claims::phone(&secrets.index, phone).key));
        let email = email.map(|email| Recipient::Email(email.to_text()));
        let phone = phone.map(|phone| Recipient::Phone(phone.to_text()));
        for to in [email, phone].into_iter().flatten() {
            if !found.contains(&to) {
                found.push(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use ledger::identity::{Claim, Proof};
    use personal_data::{Email, ProfileInput};
    use uuid::Uuid;

    use super::*;

    fn identity(claim: Claim, revoked: bool) -> Identity {
        Identity {
            key: claim.key,
            kind: claim.kind,
            issuer: claim.issuer,
            member_id: MemberId::new(Uuid::from_u128(1)),
            label: claim.label,
            proof: Proof::OneTimeCode,
            actor: "card:1".into(),
            proven_at: Timestamp::UNIX_EPOCH,
            revoked_at: revoked.then_some(Timestamp::UNIX_EPOCH),
        }
    }

    #[test]
    fn only_other_addresses_that_were_proved_are_told() {
        let secrets = Secrets::for_tests();
        let claim = |text| claims::email(&secrets.index, &Email::parse(text).unwrap());
        let profile = |email: &str| {
            let input = ProfileInput {
                email: Some(email.into()),
                phone: Some("090-1234-5678".into()),
                ..ProfileInput::default()
            };
            Profile::parse(&input, date(2026, 11, 22)).unwrap()
        };
        let profiles = [
            "a@example.jp",
            "b@example.jp",
            "c@example.jp",
            "d@example.jp",
        ];
        let profiles = profiles.map(profile);
        let identities = [
            identity(claim("a@example.jp"), false),
            identity(claim("b@example.jp"), true),
            identity(claim("c@example.jp"), false),
        ];
        let told = receivers(&secrets, &profiles, &identities, claim("c@example.jp").key);
        assert!(told == [Recipient::Email("a@example.jp".into())]);
    }
}
