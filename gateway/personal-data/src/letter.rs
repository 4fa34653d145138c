//! What somebody else wrote of people, at rest until it is understood.
//!
//! A letter is sealed as one piece: the id of a master key, led by its length, then as the parts of a profile are.
//! The key follows from the master key and the letter's own id, and seals one letter; the id is authenticated, so a
//! letter that was put in another's place does not open.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    MasterKeys, OpenError, SealError,
    sealed::{context, decrypt, encrypt},
};

/// Random bytes that [`seal_letter`] needs: a nonce.
pub const LETTER_RANDOM_BYTES: usize = 12;

const LETTER: &[u8] = b"personal-data letter";

/// Seals a letter with the current master key.
///
/// `random` is fresh for every call, from a cryptographic source.
///
/// # Errors
/// [`SealError::Cipher`], which is not expected to happen.
pub fn seal_letter(
    master_keys: &MasterKeys,
    letter_id: Uuid,
    plain: &[u8],
    random: [u8; LETTER_RANDOM_BYTES],
) -> Result<Vec<u8>, SealError> {
    let cipher = |_| SealError::Cipher;
    let master_key = master_keys.current();
    let key = master_key.wrapping_key(letter_id).map_err(cipher)?;
    let sealed = encrypt(&key, random, &context(LETTER, letter_id), plain).map_err(cipher)?;
    let id = master_key.id().as_bytes();
    let id_bytes = u8::try_from(id.len()).map_err(|_| SealError::Cipher)?;
    Ok([&[id_bytes], id, &sealed].concat())
}

/// Opens a letter with the master key that it names.
///
/// # Errors
/// [`OpenError`]
pub fn open_letter(
    master_keys: &MasterKeys,
    letter_id: Uuid,
    letter: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (key_id, sealed) = parts(letter).ok_or(OpenError::UnknownFormat)?;
    let unknown = || OpenError::UnknownMasterKey {
        key_id: key_id.to_owned(),
    };
    let master_key = master_keys.by_id(key_id).ok_or_else(unknown)?;
    let key = master_key
        .wrapping_key(letter_id)
        .map_err(|_| OpenError::Cipher)?;
    decrypt(&key, &context(LETTER, letter_id), sealed)
}

/// Whether another master key than the current one seals it, so that a rotation has it still to do.
#[must_use]
pub fn letter_needs_reseal(master_keys: &MasterKeys, letter: &[u8]) -> bool {
    parts(letter).is_none_or(|(key_id, _)| key_id != master_keys.current().id())
}

/// The id of the master key, and what it seals.
fn parts(letter: &[u8]) -> Option<(&str, &[u8])> {
    let (id_bytes, rest) = letter.split_first()?;
    let (id, sealed) = rest.split_at_checked(usize::from(*id_bytes))?;
    Some((std::str::from_utf8(id).ok()?, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    const PLAIN: &[u8] = br#"{"email":"hanako@example.jp"}"#;

    fn key(seed: u8) -> MasterKey {
        let mut bytes = [seed; MasterKey::BYTES];
        bytes[0] = !seed;
        MasterKey::from_random(bytes)
    }

    fn keys(current: u8, older: &[u8]) -> MasterKeys {
        let older = older.iter().map(|seed| key(*seed)).collect();
        MasterKeys::new(key(current), older).unwrap()
    }

    #[test]
    fn a_letter_opens_with_the_key_it_names_and_shows_nothing_before() {
        let (old, new) = (keys(1, &[]), keys(2, &[1]));
        let id = Uuid::from_u128(7);
        let letter = seal_letter(&old, id, PLAIN, [3; 12]).unwrap();
        assert!(
            !letter
                .windows(6)
                .any(|part| PLAIN.windows(6).any(|plain| plain == part))
        );
        assert_eq!(open_letter(&old, id, &letter).unwrap().as_slice(), PLAIN);
        assert_eq!(open_letter(&new, id, &letter).unwrap().as_slice(), PLAIN);
        assert!(!letter_needs_reseal(&old, &letter));
        assert!(letter_needs_reseal(&new, &letter));
        assert!(matches!(
            open_letter(&keys(2, &[]), id, &letter),
            Err(OpenError::UnknownMasterKey { .. })
        ));
    }

    #[test]
    fn a_letter_that_was_changed_or_moved_does_not_open() {
        let keys = keys(1, &[]);
        let id = Uuid::from_u128(7);
        let letter = seal_letter(&keys, id, PLAIN, [3; 12]).unwrap();
        assert_eq!(
            open_letter(&keys, Uuid::from_u128(8), &letter),
            Err(OpenError::Tampered)
        );
        for place in 0..letter.len() {
            let mut changed = letter.clone();
            changed[place] ^= 1;
            assert!(open_letter(&keys, id, &changed).is_err(), "{place}");
            assert!(open_letter(&keys, id, &letter[..place]).is_err(), "{place}");
        }
    }
}
