//! The names of a card and of a programme.
//!
//! Both have exactly one written form, so that equal ids are equal texts in JSON, in logs and in a
//! database.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a card: the first 8 bytes of SHA-256 over its public key (SEC1, uncompressed).
///
/// Written as 16 lower-case hex digits, in JSON too: a JSON number would lose its last digits in
/// JavaScript.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CardId(u64);

/// A text that is not a card id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a card id is 16 lower-case hex digits")]
pub struct CardIdError;

impl CardId {
    /// The card id with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The id of a card that is a number: the first 8 bytes of the number's keyed hash.
    pub const fn of_number(hash: &[u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *hash;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The id as a number, as the card text and a database column carry it.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardId({self})")
    }
}

impl FromStr for CardId {
    type Err = CardIdError;

    fn from_str(text: &str) -> Result<Self, CardIdError> {
        // Not `from_str_radix` alone: it takes a sign, capitals and any length.
        let one_form =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !one_form {
            return Err(CardIdError);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| CardIdError)
    }
}

impl From<CardId> for String {
    fn from(id: CardId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CardId {
    type Error = CardIdError;

    fn try_from(text: String) -> Result<Self, CardIdError> {
        text.parse()
    }
}

/// The name of a loyalty programme: 1 to 64 of `a-z`, `0-9` and `-`.
///
/// It is part of what a card signs, so a card shown in one programme is worthless in another.
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ProgrammeId(Arc<str>);

/// A text that is not a programme id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a programme id is 1 to 64 of a-z, 0-9 and -")]
pub struct ProgrammeIdError;

impl ProgrammeId {
    /// The longest programme id, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// The programme id `text`, if it is one.
    pub fn new(text: &str) -> Result<Self, ProgrammeIdError> {
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > Self::BYTES_MAX || !text.bytes().all(allowed) {
            return Err(ProgrammeIdError);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProgrammeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProgrammeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgrammeId({self})")
    }
}

impl FromStr for ProgrammeId {
    type Err = ProgrammeIdError;

    fn from_str(text: &str) -> Result<Self, ProgrammeIdError> {
        Self::new(text)
    }
}

impl From<ProgrammeId> for String {
    fn from(id: ProgrammeId) -> Self {
        id.as_str().to_owned()
    }
}

impl TryFrom<String> for ProgrammeId {
    type Error = ProgrammeIdError;

    fn try_from(text: String) -> Result<Self, ProgrammeIdError> {
        Self::new(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_id_has_one_written_form() {
        let id = CardId::new(0x49ff_a542);
        assert_eq!(id.to_string(), "0000000049ffa542");
        assert_eq!("0000000049ffa542".parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""0000000049ffa542""#);
        assert_eq!(
            serde_json::from_str::<CardId>(r#""0000000049ffa542""#).unwrap(),
            id
        );
        for wrong in [
            "",
            "49ffa542",
            "0000000049FFA542",
            "+000000049ffa542",
            "0000000049ffa54g",
            "00000000049ffa542",
        ] {
            assert_eq!(wrong.parse::<CardId>(), Err(CardIdError), "{wrong}");
        }
        assert!(serde_json::from_str::<CardId>("1234").is_err());
    }

    #[test]
    fn a_programme_id_is_short_and_plain() {
        let longest = "a".repeat(64);
        for right in ["demo", "a", "0-9", longest.as_str()] {
            assert_eq!(ProgrammeId::new(right).unwrap().as_str(), right);
        }
        let too_long = "a".repeat(65);
        for wrong in ["", "Demo", "de mo", "デモ", "demo\0", too_long.as_str()] {
            assert_eq!(ProgrammeId::new(wrong), Err(ProgrammeIdError), "{wrong}");
        }
        assert_eq!(
            serde_json::from_str::<ProgrammeId>(r#""demo""#)
                .unwrap()
                .as_str(),
            "demo"
        );
        assert!(serde_json::from_str::<ProgrammeId>(r#""De""#).is_err());
    }
}
