//! How far a reading has come, to go on from there another time.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place between two rows of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Bytes of the file up to here, the byte order mark and the header included.
    pub bytes: u64,
    /// Rows up to here, accepted or not.
    pub rows: u32,
    /// What those bytes are.
    pub digest: Digest,
}

/// A digest of a file's beginning. It notices another file, not an adversary: its key is public.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(u128);

impl Digest {
    pub(crate) const fn new(value: u128) -> Self {
        Self(value)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = hexadecimal.then(|| u128::from_str_radix(&text, 16).ok());
        let value = value.flatten().map(Self);
        value.ok_or_else(|| serde::de::Error::custom("a digest has 32 hexadecimal digits"))
    }
}
