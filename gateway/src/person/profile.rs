//! Personal data between its two forms: sealed, as the ledger keeps it, and open, for a moment.

use ledger::profile::{Profile as Row, SealedProfile, Terms};
use personal_data::{OpenError, Profile, SealError};
use pos_protocol::MemberId;

use crate::secrets::{Secrets, SecretsError, random};

/// Why personal data could not be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealFailure {
    /// The system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] SecretsError),
    /// The cipher.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Personal data, sealed for one record; it opens for no other.
///
/// # Errors
/// [`SealFailure`]
pub fn seal(
    secrets: &Secrets,
    record: MemberId,
    profile: &Profile,
) -> Result<SealedProfile, SealFailure> {
    let sealed = personal_data::seal(&secrets.masters, record.as_uuid(), profile, random()?)?;
    let terms = secrets.index.terms(profile);
    Ok(SealedProfile {
        key_id: sealed.key_id,
        wrapped_key: sealed.wrapped_key,
        sealed: sealed.sealed,
        terms: Terms {
            email: terms.email,
            phone: terms.phone,
            person: terms.person,
            kana: terms.kana,
        },
    })
}

/// What is in a row.
///
/// # Errors
/// [`OpenError`]
pub fn open(secrets: &Secrets, row: &Row) -> Result<Profile, OpenError> {
    let sealed = as_sealed(row);
    personal_data::open(&secrets.masters, row.member_id.as_uuid(), &sealed)
}

/// A row as the cipher takes it.
#[must_use]
pub fn as_sealed(row: &Row) -> personal_data::SealedProfile {
    personal_data::SealedProfile {
        wrapped_key: row.sealed.wrapped_key.clone(),
        key_id: row.sealed.key_id.clone(),
        sealed: row.sealed.sealed.clone(),
    }
}
