//! Keys that follow from a text and a number, so that whoever knows both can sign, without any file.
//!
//! Key number n is the text's own key plus n: then the public half of the next one is one addition on
//! the curve, and millions of cards are made in seconds. Good for load, and for nothing else: who
//! knows the text has every key.

use std::ops::Range;

use anyhow::Context;
use member_card::{PublicKey, SigningKey};
use p256::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{BatchNormalize, ops::Reduce, sec1::ToSec1Point},
};
use sha2::{Digest, Sha256};

/// The keys of one text.
#[derive(Debug, Clone)]
pub struct Keys {
    first: Scalar,
    words: u64,
}

/// A card: the point of its key, and the first 64 bits of that point's hash as the databases keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeededCard {
    /// The key, uncompressed.
    pub public_key: [u8; PublicKey::SEC1_BYTES],
    /// The card id.
    pub card_id: i64,
}

impl Keys {
    /// The keys of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let hash = |purpose: &str| Sha256::new().chain_update(purpose).chain_update(text);
        let first: FieldBytes = hash("loadtest key\0").finalize();
        let words = hash("loadtest id\0").finalize();
        Self {
            first: Scalar::reduce(&first),
            words: words
                .iter()
                .take(8)
                .fold(0, |word, byte| word << 8 | u64::from(*byte)),
        }
    }

    /// A number that follows from the text alone.
    #[must_use]
    pub fn word(&self) -> u64 {
        self.words
    }

    /// Random-looking bits that follow from the text, a number and what they are for.
    #[must_use]
    pub fn bits(&self, number: u64, purpose: u64) -> u64 {
        mixed(self.words ^ mixed(number ^ mixed(purpose)))
    }

    /// The private key with this number.
    ///
    /// # Errors
    /// If the sum is no key; that has yet to be seen.
    pub fn signing(&self, number: u64) -> anyhow::Result<SigningKey> {
        let scalar = self.first + Scalar::from(number);
        let hex = data_encoding::HEXLOWER.encode(&scalar.to_bytes());
        SigningKey::from_hex(&hex).context("a seeded key")
    }

    /// The cards with these numbers.
    #[must_use]
    pub fn cards(&self, numbers: Range<u64>) -> Vec<SeededCard> {
        let mut point = ProjectivePoint::GENERATOR * (self.first + Scalar::from(numbers.start));
        let mut points = Vec::new();
        for _ in numbers {
            points.push(point);
            point += AffinePoint::GENERATOR;
        }
        let points = <ProjectivePoint as BatchNormalize<[_]>>::batch_normalize(&points[..]);
        points.iter().map(card).collect()
    }
}

fn card(point: &AffinePoint) -> SeededCard {
    let mut public_key = [0; PublicKey::SEC1_BYTES];
    public_key.copy_from_slice(point.to_sec1_point(false).as_bytes());
    let hash = Sha256::digest(public_key);
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    SeededCard {
        public_key,
        card_id: i64::from_be_bytes(first),
    }
}

/// The finalizer of SplitMix64: every bit of the result depends on every bit of the word.
#[must_use]
pub fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_that_of_the_key_with_its_number() {
        let keys = Keys::of("a text");
        let cards = keys.cards(7..10);
        assert_eq!(cards.len(), 3);
        for (number, card) in (7..).zip(&cards) {
            let key = keys.signing(number).unwrap();
            assert_eq!(key.public_key().to_sec1(), card.public_key);
            let id = u64::from_str_radix(&key.card_id().to_string(), 16).unwrap();
            assert_eq!(id.to_be_bytes(), card.card_id.to_be_bytes());
        }
        assert_eq!(keys.cards(8..9)[0], cards[1]);
        assert_ne!(Keys::of("another").cards(8..9)[0], cards[1]);
        assert!(keys.cards(5..5).is_empty());
    }

    #[test]
    fn bits_depend_on_everything() {
        let keys = Keys::of("a text");
        assert_eq!(keys.bits(1, 2), Keys::of("a text").bits(1, 2));
        assert_ne!(keys.bits(1, 2), keys.bits(2, 1));
        assert_ne!(keys.bits(1, 2), keys.bits(1, 3));
        assert_ne!(keys.bits(1, 2), Keys::of("b text").bits(1, 2));
    }
}
