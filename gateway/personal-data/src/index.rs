//! Keyed hashes: how rows are found whose contents are sealed.
//!
//! A hash is HMAC-SHA256 under the [`IndexKey`] over a label and the value's normal form; each use has its own
//! label, so hashes of different uses never match. The index key is a secret of its own and not rotated with the
//! master keys: a new one means hashing everything again. Without it, hashes tell only which values are equal;
//! with it, short values such as telephone numbers can be tried out, so it is kept like a master key.

use std::fmt;

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::{BirthDate, Email, Kana, Phone, Profile};

/// A keyed hash, as a column keeps it.
pub type KeyedHash = [u8; 32];

/// The secret under which hashes are made.
#[derive(Clone)]
pub struct IndexKey(Key);

/// Why a text is no index key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexKeyError {
    /// Not 32 bytes in base64.
    #[error("an index key is 32 bytes in base64")]
    NotAKey,
    /// All bytes equal: a placeholder.
    #[error("the index key is a placeholder, not random")]
    NotRandom,
}

/// What a profile is found by. `Debug` tells only what is there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Terms {
    /// The e-mail address, in lower case.
    pub email: Option<KeyedHash>,
    /// The telephone number.
    pub phone: Option<KeyedHash>,
    /// The reading of the name together with the date of birth.
    pub person: Option<KeyedHash>,
    /// The reading of the name.
    pub kana: Option<KeyedHash>,
}

/// An address of which it is proved whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// An e-mail address.
    Email(&'a Email),
    /// A telephone number.
    Phone(&'a Phone),
}

impl IndexKey {
    /// The length of a key.
    pub const BYTES: usize = 32;

    /// A key of random bytes.
    pub fn from_random(bytes: [u8; Self::BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Key::new(HMAC_SHA256, bytes.as_ref()))
    }

    /// Reads a key of the settings: 32 bytes in base64.
    pub fn parse(setting: &str) -> Result<Self, IndexKeyError> {
        let decoded = BASE64
            .decode(setting.trim().as_bytes())
            .map_err(|_| IndexKeyError::NotAKey)?;
        let decoded = Zeroizing::new(decoded);
        let bytes: [u8; Self::BYTES] = decoded
            .as_slice()
            .try_into()
            .map_err(|_| IndexKeyError::NotAKey)?;
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(IndexKeyError::NotRandom);
        }
        Ok(Self::from_random(bytes))
    }

    /// What a profile is found by.
    pub fn terms(&self, profile: &Profile) -> Terms {
        let kana = profile.kana.as_ref();
        Terms {
            email: profile.email.as_ref().map(|email| self.email_term(email)),
            phone: profile.phone.as_ref().map(|phone| self.phone_term(phone)),
            person: kana
                .zip(profile.birthday)
                .map(|(kana, birthday)| self.person_term(kana, birthday)),
            kana: kana.map(|kana| self.kana_term(kana)),
        }
    }

    /// [`Terms::email`] of an address.
    pub fn email_term(&self, email: &Email) -> KeyedHash {
        self.hash(&["search email", &email.compared()])
    }

    /// [`Terms::phone`] of a number.
    pub fn phone_term(&self, phone: &Phone) -> KeyedHash {
        self.hash(&["search phone", &phone.to_text()])
    }

    /// [`Terms::person`] of a reading and a date of birth.
    pub fn person_term(&self, kana: &Kana, birthday: BirthDate) -> KeyedHash {
        let date = birthday.date().to_string();
        self.hash(&["search person", &kana.compared(), &date])
    }

    /// [`Terms::kana`] of a reading.
    pub fn kana_term(&self, kana: &Kana) -> KeyedHash {
        self.hash(&["search kana", &kana.compared()])
    }

    /// The hash by which a proved address is a member's identity. It never matches one of [`Terms`], which say
    /// only what somebody wrote.
    pub fn address_key(&self, address: Address<'_>) -> KeyedHash {
        match address {
            Address::Email(email) => self.hash(&["address email", &email.compared()]),
            Address::Phone(phone) => self.hash(&["address phone", &phone.to_text()]),
        }
    }

    /// The hash of another number or name, as of a plastic card or of a guest's order; `label` tells the uses
    /// apart. The text is taken as it is: the caller puts it into one form first.
    pub fn number_key(&self, label: &str, text: &str) -> KeyedHash {
        self.hash(&["number", label, text])
    }

    /// The hash of a code that was sent to somebody; `label` tells the uses apart.
    pub(crate) fn code_hash(&self, kind: &str, label: &str, code: &str) -> KeyedHash {
        self.hash(&[kind, label, code])
    }

    /// HMAC-SHA256 over the parts, each behind its length, so that no two lists of parts give the same bytes.
    fn hash(&self, parts: &[&str]) -> KeyedHash {
        let mut mac = Context::with_key(&self.0);
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            mac.update(&length.to_be_bytes());
            mac.update(part.as_bytes());
        }
        let mut hash = KeyedHash::default();
        for (to, from) in hash.iter_mut().zip(mac.sign().as_ref()) {
            *to = *from;
        }
        hash
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(..)")
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .field("person", &self.person.is_some())
            .field("kana", &self.kana.is_some())
            .finish()
    }
}
