//! Notices to people: somebody joined your membership.
//!
//! Only addresses that were proved get one. The ledger knows those by keyed hashes; the addresses
//! themselves stand in the profiles, if their owners wrote them there. A notice that is sent again is the
//! same message, so that its receiver can tell a repetition.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use ledger::identity::{Identity, IdentityKey, Merge};
use outbound::delivery::{
    Delivery, DeliveryError, Details, Kind, Message, MessageId, MessageIdError, Recipient,
};
use personal_data::Profile;
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
/// Bytes of an address's key that tell it from the person's others.
const KEY_BYTES: usize = 4;

/// Why somebody was not told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message has no name.
    #[error(transparent)]
    Message(#[from] MessageIdError),
    /// The receiver could not take it now.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// Tells all proved addresses of a person that two of its records were merged. What the receiver does not
/// want is logged, and counts as told.
///
/// # Errors
/// [`NoticeError`] if somebody has to be told again later.
pub async fn merged(
    store: &Store,
    secrets: &Secrets,
    delivery: &Delivery,
    clock: &Clock,
    merge: &Merge,
) -> Result<(), NoticeError> {
    let Some(person) = store.person(merge.into).await? else {
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
    let mut later = None;
    for (key, to) in receivers(secrets, &profiles, &person.identities) {
        let key: Vec<u8> = key.0.into_iter().take(KEY_BYTES).collect();
        let message = Message {
            id: MessageId::parse(&format!("{}-{}", merge.id, HEXLOWER.encode(&key)))?,
            occurred_at: merge.at,
            to,
            kind: Kind::Notice {
                topic: MERGED.to_owned(),
            },
            details: Details(json!({ "member_no": person.root.number.masked() })),
        };
        match delivery.send(&message, clock.now()).await {
            Ok(()) => tracing::info!(member.id = %merge.into, "person.notice_sent"),
            Err(error @ DeliveryError::Refused(_)) => {
                tracing::warn!(member.id = %merge.into, error = %error, "person.notice_lost");
            }
            Err(error @ DeliveryError::Retry(_)) => later = Some(error),
        }
    }
    later.map_or(Ok(()), |error| Err(error.into()))
}

/// The addresses in the profiles that were proved, each once.
fn receivers(
    secrets: &Secrets,
    profiles: &[Profile],
    identities: &[Identity],
) -> BTreeMap<IdentityKey, Recipient> {
    let index = &secrets.index;
    let emails = profiles.iter().filter_map(|profile| {
        let email = profile.email.as_ref()?;
        Some((
            claims::email(index, email).key,
            Recipient::Email(email.to_text()),
        ))
    });
    let phones = profiles.iter().filter_map(|profile| {
        let phone = profile.phone.as_ref()?;
        Some((
            claims::phone(index, phone).key,
            Recipient::Phone(phone.to_text()),
        ))
    });
    let proved = |key: IdentityKey| {
        let stands = |row: &Identity| row.key == key && row.revoked_at.is_none();
        identities.iter().any(stands)
    };
    emails
        .chain(phones)
        .filter(|(key, _)| proved(*key))
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use ledger::identity::{Claim, Proof};
    use personal_data::{Email, ProfileInput};
    use pos_protocol::MemberId;
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
    fn only_addresses_that_were_proved_are_told() {
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
        // Twice the same, given up, never proved.
        let profiles = [
            "a@example.jp",
            "a@example.jp",
            "b@example.jp",
            "d@example.jp",
        ];
        let profiles = profiles.map(profile);
        let identities = [
            identity(claim("a@example.jp"), false),
            identity(claim("b@example.jp"), true),
            identity(claim("c@example.jp"), false),
        ];
        let told = receivers(&secrets, &profiles, &identities);
        let told: Vec<_> = told.into_values().collect();
        assert!(told == [Recipient::Email("a@example.jp".into())]);
    }
}
