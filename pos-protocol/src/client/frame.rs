//! A record as one line of text: CRC-32 in eight hexadecimal digits, a space, JSON, a line feed.
//!
//! JSON has no raw line feed, so a reader that has lost its place finds the next record at the next
//! line.

use super::record::Entry;

/// Digits of the checksum.
const CHECKSUM_CHARS: usize = 8;

/// The line of an entry.
///
/// # Errors
/// If the entry has no JSON form; no entry of this crate is like that.
pub fn encode(entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(entry)?;
    let mut line = format!("{:08x} ", crc32fast::hash(&json)).into_bytes();
    line.extend_from_slice(&json);
    line.push(b'\n');
    Ok(line)
}

/// What a line, without its line feed, holds.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// An entry.
    Entry(Box<Entry>),
    /// The checksum holds, yet this release does not know the entry: a later one wrote it.
    Unknown(String),
    /// The checksum does not hold.
    Damaged,
}

/// Reads a line without its line feed.
#[must_use]
pub fn decode(line: &[u8]) -> Line {
    let Some((checksum, json)) = line
        .split_at_checked(CHECKSUM_CHARS)
        .and_then(|(checksum, rest)| Some((checksum, rest.strip_prefix(b" ")?)))
    else {
        return Line::Damaged;
    };
    let told = std::str::from_utf8(checksum)
        .ok()
        .filter(|text| {
            text.bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
        .and_then(|text| u32::from_str_radix(text, 16).ok());
    if told != Some(crc32fast::hash(json)) {
        return Line::Damaged;
    }
    match serde_json::from_slice(json) {
        Ok(entry) => Line::Entry(Box::new(entry)),
        Err(error) => Line::Unknown(error.to_string()),
    }
}
