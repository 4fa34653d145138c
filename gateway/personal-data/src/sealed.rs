//! A profile at rest: encrypted under a key of its own, which a master key wraps.
//!
//! Each sealing draws a new data key and new nonces: a data key then encrypts one message only, so no nonce can
//! come back under it however often a profile changes, and a wrapped key that leaks from an old backup opens
//! that backup's version alone. The member's id and the purpose are authenticated, so a row that was moved to
//! another member does not open. What this cannot notice: a whole row, both parts, put back to an earlier state
//! of the same member.
//!
//! Both parts begin with a format byte, now 1: nonce (12), ciphertext, tag (16); AES-256-GCM. The plain text is
//! the profile's JSON.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeys, Profile};

/// A sealed profile, as a row keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedProfile {
    /// The data key, wrapped for this member.
    pub wrapped_key: Vec<u8>,
    /// Which master key wraps it.
    pub key_id: String,
    /// The profile, encrypted under the data key.
    pub sealed: Vec<u8>,
}

/// Why a profile cannot be sealed. Neither is expected to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The profile has no JSON.
    #[error("the profile cannot be written as JSON")]
    Unwritable,
    /// The cipher failed.
    #[error("the cipher failed")]
    Cipher,
}

/// Why a row does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The settings have no master key of that id.
    #[error("there is no master key {key_id:?}")]
    UnknownMasterKey {
        /// The id that the row names.
        key_id: String,
    },
    /// A format byte of a later release, or none.
    #[error("the row is in no known format")]
    UnknownFormat,
    /// Changed, cut, of another member, or wrapped with another key of the same id.
    #[error("the row is not as it was sealed for this member")]
    Tampered,
    /// Authentic, but no profile that this release reads.
    #[error("the row holds no profile that can be read")]
    Unreadable,
    /// The key could not be wrapped again.
    #[error("the cipher failed")]
    Cipher,
}

/// Random bytes that [`seal`] needs: a data key and two nonces.
pub const SEAL_RANDOM_BYTES: usize = 56;
/// Random bytes that [`rewrap`] needs: a nonce.
pub const REWRAP_RANDOM_BYTES: usize = NONCE_LEN;

const FORMAT: u8 = 1;
const DATA_KEY_BYTES: usize = 32;
const WRAPPED_KEY: &[u8] = b"personal-data wrapped key";
const PROFILE: &[u8] = b"personal-data profile";
/// Most profiles' JSON. The buffer is overwritten; one that grew would leave copies behind.
const PLAIN_BYTES_USUAL: usize = 2048;

/// Seals a member's profile with the current master key.
///
/// `random` is fresh for every call, from a cryptographic source.
pub fn seal(
    master_keys: &MasterKeys,
    member_id: Uuid,
    profile: &Profile,
    random: [u8; SEAL_RANDOM_BYTES],
) -> Result<SealedProfile, SealError> {
    let random = Zeroizing::new(random);
    let (data_key, nonces) = random
        .split_first_chunk::<DATA_KEY_BYTES>()
        .ok_or(SealError::Cipher)?;
    let (wrap_nonce, nonces) = nonces
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(SealError::Cipher)?;
    let (profile_nonce, _) = nonces
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(SealError::Cipher)?;

    let mut plain = Zeroizing::new(Vec::with_capacity(PLAIN_BYTES_USUAL));
    serde_json::to_writer(&mut *plain, profile).map_err(|_| SealError::Unwritable)?;
    let current = master_keys.current();
    let cipher = |_: Unspecified| SealError::Cipher;
    let key = data_cipher(data_key).map_err(cipher)?;
    Ok(SealedProfile {
        wrapped_key: wrap(current, member_id, data_key, *wrap_nonce).map_err(cipher)?,
        key_id: current.id().to_owned(),
        sealed: encrypt(&key, *profile_nonce, &context(PROFILE, member_id), &plain)
            .map_err(cipher)?,
    })
}

/// Opens a member's sealed profile with the master key that it names.
pub fn open(
    master_keys: &MasterKeys,
    member_id: Uuid,
    row: &SealedProfile,
) -> Result<Profile, OpenError> {
    let data_key = unwrap(master_keys, member_id, row)?;
    let key = data_cipher(&data_key).map_err(|_| OpenError::Tampered)?;
    let plain = decrypt(&key, &context(PROFILE, member_id), &row.sealed)?;
    serde_json::from_slice(&plain).map_err(|_| OpenError::Unreadable)
}

/// The row with its data key wrapped by the current master key. The profile stays sealed and is not read.
///
/// `random` is fresh for every call, from a cryptographic source.
pub fn rewrap(
    master_keys: &MasterKeys,
    member_id: Uuid,
    row: &SealedProfile,
    random: [u8; REWRAP_RANDOM_BYTES],
) -> Result<SealedProfile, OpenError> {
    let data_key = unwrap(master_keys, member_id, row)?;
    let current = master_keys.current();
    Ok(SealedProfile {
        wrapped_key: wrap(current, member_id, &data_key, random).map_err(|_| OpenError::Cipher)?,
        key_id: current.id().to_owned(),
        sealed: row.sealed.clone(),
    })
}

fn wrap(
    master_key: &MasterKey,
    member_id: Uuid,
    data_key: &[u8; DATA_KEY_BYTES],
    nonce: [u8; NONCE_LEN],
) -> Result<Vec<u8>, Unspecified> {
    let key = master_key.wrapping_key(member_id)?;
    encrypt(&key, nonce, &context(WRAPPED_KEY, member_id), data_key)
}

fn unwrap(
    master_keys: &MasterKeys,
    member_id: Uuid,
    row: &SealedProfile,
) -> Result<Zeroizing<[u8; DATA_KEY_BYTES]>, OpenError> {
    let master_key = master_keys
        .by_id(&row.key_id)
        .ok_or_else(|| OpenError::UnknownMasterKey {
            key_id: row.key_id.clone(),
        })?;
    let key = master_key
        .wrapping_key(member_id)
        .map_err(|_| OpenError::Cipher)?;
    let data_key = decrypt(&key, &context(WRAPPED_KEY, member_id), &row.wrapped_key)?;
    let data_key: &[u8; DATA_KEY_BYTES] = data_key
        .as_slice()
        .try_into()
        .map_err(|_| OpenError::Tampered)?;
    Ok(Zeroizing::new(*data_key))
}

fn data_cipher(data_key: &[u8; DATA_KEY_BYTES]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, data_key).map(LessSafeKey::new)
}

/// What is authenticated with a part: the format, the purpose and the member or letter. All but the purpose are of one
/// length, and no purpose is the end of another, so two contexts never give the same bytes.
pub(crate) fn context(purpose: &[u8], member_id: Uuid) -> Vec<u8> {
    [&[FORMAT], member_id.as_bytes().as_slice(), purpose].concat()
}

pub(crate) fn encrypt(
    key: &LessSafeKey,
    nonce: [u8; NONCE_LEN],
    context: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let head = [&[FORMAT], nonce.as_slice()].concat();
    let overhead = head.len().saturating_add(AES_256_GCM.tag_len());
    // Room for all of it: the plain text must not stay behind in a buffer that was too small.
    let mut sealed = Vec::with_capacity(plain.len().saturating_add(overhead));
    sealed.extend_from_slice(&head);
    sealed.extend_from_slice(plain);
    let body = sealed.get_mut(head.len()..).ok_or(Unspecified)?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(context), body)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

pub(crate) fn decrypt(
    key: &LessSafeKey,
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let Some((&FORMAT, rest)) = sealed.split_first() else {
        return Err(OpenError::UnknownFormat);
    };
    let (nonce, body) = rest
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(OpenError::Tampered)?;
    let mut body = Zeroizing::new(body.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain_bytes = key
        .open_in_place(nonce, Aad::from(context), &mut body)
        .map_err(|_| OpenError::Tampered)?
        .len();
    body.truncate(plain_bytes);
    Ok(body)
}

impl SealedProfile {
    /// Whether another master key than the current one wraps it, so that a rotation has it still to do.
    pub fn needs_rewrap(&self, master_keys: &MasterKeys) -> bool {
        self.key_id != master_keys.current().id()
    }
}

impl fmt::Debug for SealedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedProfile")
            .field("key_id", &self.key_id)
            .field("sealed_bytes", &self.sealed.len())
            .finish_non_exhaustive()
    }
}
