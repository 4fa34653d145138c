//! The keys that wrap the keys of sealed rows.
//!
//! One is current and wraps what is sealed now; older ones only open. A row names its master key by id, so a
//! rotation adds a new key in front, rewraps row by row, and takes the old one out of the settings. The key
//! bytes are overwritten when dropped, and never shown but by [`MasterKey::to_setting`].

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use data_encoding::{BASE64, HEXLOWER};
use uuid::Uuid;
use zeroize::Zeroizing;

/// A key of 32 random bytes and its id.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; MasterKey::BYTES]>,
}

/// The current master key and the older ones, with distinct ids and bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKeys {
    current: MasterKey,
    older: Vec<MasterKey>,
}

/// Why a text holds no master keys. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterKeysError {
    /// No line with a key.
    #[error("there is no master key")]
    None,
    /// More keys than a rotation needs.
    #[error("there are more than {KEYS_MAX} master keys")]
    TooMany,
    /// Neither `base64` nor `id:base64` of 32 bytes.
    #[error(
        "line {line}: a master key is 32 bytes in base64, perhaps with an id and a colon before it"
    )]
    NotAKey {
        /// Which line.
        line: usize,
    },
    /// An id that is empty, long or holds other characters.
    #[error(
        "line {line}: the id of a key is 1 to {ID_CHARS_MAX} of the characters A-Z a-z 0-9 - _"
    )]
    BadId {
        /// Which line.
        line: usize,
    },
    /// All bytes equal: a placeholder.
    #[error("line {line}: the master key is a placeholder, not random")]
    NotRandom {
        /// Which line.
        line: usize,
    },
    /// An id or a key for the second time.
    #[error("two master keys have the same id or the same bytes")]
    Twice,
}

const KEYS_MAX: usize = 16;
const ID_CHARS_MAX: usize = 32;
/// Four bytes, eight hexadecimal digits.
const DERIVED_ID_BYTES: usize = 4;
const ID_LABEL: &[u8] = b"personal-data master key id 1";
const WRAPPING_LABEL: &[u8] = b"personal-data wrapping key 1";

impl MasterKey {
    /// The length of a key.
    pub const BYTES: usize = 32;

    /// A key of random bytes. Its id is the beginning of a hash of it, eight hexadecimal digits.
    pub fn from_random(bytes: [u8; Self::BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let mut hash = Context::new(&SHA256);
        hash.update(ID_LABEL);
        hash.update(bytes.as_ref());
        let hash = hash.finish();
        let id = HEXLOWER.encode(hash.as_ref().get(..DERIVED_ID_BYTES).unwrap_or_default());
        Self { id, bytes }
    }

    /// The id that rows name it by. It tells nothing of the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The line of the settings that [`MasterKeys::parse`] reads: `id:base64`. A secret.
    pub fn to_setting(&self) -> Zeroizing<String> {
        let base64 = Zeroizing::new(BASE64.encode(self.bytes.as_ref()));
        Zeroizing::new(format!("{}:{}", self.id, base64.as_str()))
    }

    /// The key that wraps the rows of one member.
    ///
    /// One for each member: AES-GCM with random nonces wears out after 2³² uses of a key, which a large
    /// programme's master key would see and a member's never.
    pub(crate) fn wrapping_key(&self, member_id: Uuid) -> Result<LessSafeKey, Unspecified> {
        let secret = Salt::new(HKDF_SHA256, WRAPPING_LABEL).extract(self.bytes.as_ref());
        let info = [member_id.as_bytes().as_slice()];
        let key = UnboundKey::from(secret.expand(&info, &AES_256_GCM)?);
        Ok(LessSafeKey::new(key))
    }

    fn parse(text: &str, line: usize) -> Result<Self, MasterKeysError> {
        let (id, base64) = match text.split_once(':') {
            Some((id, base64)) => (Some(id.trim()), base64.trim()),
            None => (None, text),
        };
        let not_a_key = MasterKeysError::NotAKey { line };
        let decoded = BASE64.decode(base64.as_bytes()).map_err(|_| not_a_key)?;
        let decoded = Zeroizing::new(decoded);
        let bytes: [u8; Self::BYTES] = decoded.as_slice().try_into().map_err(|_| not_a_key)?;
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(MasterKeysError::NotRandom { line });
        }
        let mut key = Self::from_random(bytes);
        if let Some(id) = id {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(known) {
                return Err(MasterKeysError::BadId { line });
            }
            id.clone_into(&mut key.id);
        }
        Ok(key)
    }
}

impl MasterKeys {
    /// Takes a current key and older ones.
    pub fn new(current: MasterKey, older: Vec<MasterKey>) -> Result<Self, MasterKeysError> {
        if older.len() >= KEYS_MAX {
            return Err(MasterKeysError::TooMany);
        }
        let keys = Self { current, older };
        let twice = keys.all().enumerate().any(|(place, key)| {
            keys.all()
                .take(place)
                .any(|other| other.id == key.id || other.bytes == key.bytes)
        });
        if twice {
            return Err(MasterKeysError::Twice);
        }
        Ok(keys)
    }

    /// Reads a text of the settings: one key a line, as `base64` or `id:base64`, the current one first. Empty
    /// lines and lines that begin with `#` are passed over.
    pub fn parse(settings: &str) -> Result<Self, MasterKeysError> {
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(settings.lines()) {
            let text = text.trim();
            if !text.is_empty() && !text.starts_with('#') {
                keys.push(MasterKey::parse(text, line)?);
            }
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(MasterKeysError::None)?;
        Self::new(current, keys.collect())
    }

    /// The key that wraps what is sealed now.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// The ids of all keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(MasterKey::id)
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<&MasterKey> {
        self.all().find(|key| key.id == id)
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> MasterKey {
        let mut bytes = [seed; MasterKey::BYTES];
        bytes[0] = !seed;
        MasterKey::from_random(bytes)
    }

    #[test]
    fn settings_name_the_current_key_first() {
        let bare = BASE64.encode(key(1).bytes.as_ref());
        let named = format!("spring-2026:{}", BASE64.encode(key(2).bytes.as_ref()));
        let keys = MasterKeys::parse(&format!("# rotated\n\n {bare} \r\n{named}\n")).unwrap();
        assert_eq!(keys.current(), &key(1));
        assert_eq!(keys.ids().collect::<Vec<_>>(), [key(1).id(), "spring-2026"]);
        let again = MasterKeys::parse(&key(1).to_setting()).unwrap();
        assert_eq!(again.current(), &key(1));
    }

    /// The ids stand in rows, so they may not change by accident. SHA-256 computed with another program.
    #[test]
    fn an_id_is_the_beginning_of_a_hash() {
        let mut bytes = [0; MasterKey::BYTES];
        bytes[31] = 1;
        assert_eq!(MasterKey::from_random(bytes).id(), "c968aea5");
    }

    #[test]
    fn what_holds_no_keys_is_refused() {
        let one = key(1).to_setting();
        let other_id = one.replacen(key(1).id(), "other", 1);
        let other_key = key(2).to_setting().replacen(key(2).id(), key(1).id(), 1);
        let short = BASE64.encode(&[1, 2, 3]);
        let zeros = BASE64.encode(&[0; 32]);
        let many: String = (0..17)
            .map(|n| format!("{}\n", *key(n).to_setting()))
            .collect();
        let bad_id = one.replacen(key(1).id(), "a b", 1);
        let no_id = one.replacen(key(1).id(), "", 1);
        for (settings, error) in [
            ("# nothing\n", MasterKeysError::None),
            ("\n!", MasterKeysError::NotAKey { line: 2 }),
            (&short, MasterKeysError::NotAKey { line: 1 }),
            (&zeros, MasterKeysError::NotRandom { line: 1 }),
            (&bad_id, MasterKeysError::BadId { line: 1 }),
            (&no_id, MasterKeysError::BadId { line: 1 }),
            (&many, MasterKeysError::TooMany),
            (&format!("{}\n{other_id}", *one), MasterKeysError::Twice),
            (&format!("{}\n{other_key}", *one), MasterKeysError::Twice),
        ] {
            assert_eq!(MasterKeys::parse(settings).unwrap_err(), error);
        }
    }

    #[test]
    fn key_bytes_do_not_show_in_debug_output() {
        let keys = MasterKeys::new(key(7), vec![key(8)]).unwrap();
        let shown = format!("{keys:?}");
        assert_eq!(
            shown,
            format!(
                "[MasterKey {{ id: {:?}, .. }}, MasterKey {{ id: {:?}, .. }}]",
                key(7).id(),
                key(8).id()
            )
        );
    }
}
