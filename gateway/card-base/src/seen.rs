//! The card numbers that have come so far, to find one that comes twice.
//!
//! Of each number only a keyed 64-bit hash is kept, and the line it stood in. Two numbers of a million
//! share a hash with a probability of 3 in 10^8; the second would then be rejected as a duplicate and
//! be seen in the report, never be lost. Without the key nobody can write a file that collides.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

use siphasher::sip::SipHasher13;

use crate::CardNumber;

/// What the hash table stores for a number: two words of hash, so that an entry has 12 bytes, not 16.
type Fingerprint = [u32; 2];
const ENTRY_BYTES: usize = size_of::<(Fingerprint, u32)>();

pub(crate) struct Seen {
    key: SipHasher13,
    lines: HashMap<Fingerprint, u32, BuildHasherDefault<AsIs>>,
}

impl Seen {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self {
            key: SipHasher13::new_with_key(key),
            lines: HashMap::default(),
        }
    }

    /// Notes a number; the line it stood in first if it has come before.
    pub(crate) fn note(&mut self, number: &CardNumber, line: u64) -> Option<u64> {
        let mut hasher = self.key;
        hasher.write(number.as_str().as_bytes());
        let [a, b, c, d, e, f, g, h] = hasher.finish().to_ne_bytes();
        let fingerprint = [[a, b, c, d], [e, f, g, h]].map(u32::from_ne_bytes);
        match self.lines.entry(fingerprint) {
            Entry::Occupied(first) => Some(u64::from(*first.get())),
            Entry::Vacant(free) => {
                // No file of cards has more lines; one that had would be told the last that fits.
                free.insert(u32::try_from(line).unwrap_or(u32::MAX));
                None
            }
        }
    }

    /// Bytes the table holds: a power of two of places, of which it fills seven in eight.
    pub(crate) fn bytes(&self) -> usize {
        let places = (self.lines.capacity() / 7).saturating_mul(8);
        places.saturating_mul(ENTRY_BYTES + 1)
    }
}

/// The fingerprint is a hash already.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.0 = self.0.rotate_left(32) ^ u64::from(word);
    }

    fn write_usize(&mut self, _length: usize) {}
}
