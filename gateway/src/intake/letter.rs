//! Messages at rest: what a shop wrote of people lies sealed in the inbox, and is opened to be booked.

use personal_data::{
    LETTER_RANDOM_BYTES, OpenError, letter_needs_reseal, open_letter, seal_letter,
};
use uuid::Uuid;

use crate::{
    secrets::{self, Secrets},
    store::{NewMessage, StoreError},
};

/// Seals the body of a message that came.
pub(super) fn seal(secrets: &Secrets, message: &mut NewMessage) -> Result<(), StoreError> {
    message.body = sealed(secrets, message.id, &message.body)?;
    Ok(())
}

fn sealed(secrets: &Secrets, id: Uuid, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let random = secrets::random::<LETTER_RANDOM_BYTES>();
    let random = random.map_err(|error| StoreError::Rejected(error.to_string()))?;
    seal_letter(&secrets.masters, id, plain, random)
        .map_err(|error| StoreError::Rejected(error.to_string()))
}

/// What a message says.
pub(super) fn open(secrets: &Secrets, id: Uuid, body: &[u8]) -> Result<Vec<u8>, OpenError> {
    open_letter(&secrets.masters, id, body).map(|plain| plain.to_vec())
}

/// The body sealed with the current master key; none if it is already.
///
/// # Errors
/// In words, if it does not open or cannot be sealed.
pub(crate) fn resealed(
    secrets: &Secrets,
    id: Uuid,
    body: &[u8],
) -> Result<Option<Vec<u8>>, String> {
    if !letter_needs_reseal(&secrets.masters, body) {
        return Ok(None);
    }
    let plain = open_letter(&secrets.masters, id, body).map_err(|error| error.to_string())?;
    let sealed = sealed(secrets, id, &plain).map_err(|error| error.to_string())?;
    Ok(Some(sealed))
}
