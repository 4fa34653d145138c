//! The text of a card: cleaning what a scanner typed, and the 199 digits around 80 bytes.
//!
//! Invariants: one card has one text (every group and the tail are range-checked, so no two texts
//! decode to the same bytes); parsing never allocates and never panics, whatever it is given; a
//! refusal names its reason, for logs and tools. The gateway answers all of them alike.

use std::fmt;

use crate::card::SignedCard;

/// How many digits the text of a member card has.
pub(crate) const CARD_DIGITS: usize = 199;
/// How many bytes those digits stand for.
pub(crate) const CARD_BYTES: usize = 80;
/// How many of the bytes are signed; the others are the signature.
pub(crate) const SIGNED_BYTES: usize = 16;
/// The longest scanned text that is looked at, in bytes. A card in full-width digits has about 600.
const SCAN_BYTES_MAX: usize = 2048;

const PREFIX: &[u8; 4] = b"7001";
const GROUPS: usize = 11;
const GROUP_DIGITS: usize = 17;
const GROUP_BYTES: usize = 7;
const GROUP_LIMIT: u64 = 1 << 56;
const TAIL_DIGITS: usize = 8;
const TAIL_BYTES: usize = 3;
const TAIL_LIMIT: u64 = 1 << 24;

/// The version this crate reads and writes, in the high nibble of the first byte.
pub(crate) const VERSION: u8 = 1;
/// The flag in the first byte that allows spending.
pub(crate) const FLAG_SPEND: u8 = 0b0001;
const FLAGS_RESERVED: u8 = 0b1110;
/// The spend limit that means "no limit".
pub(crate) const NO_LIMIT: u32 = 0x00FF_FFFF;

/// Why a scanned text is no card text.
///
/// For logs and tools. A till is told none of this: malformed, unknown and badly signed cards look
/// the same from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CardTextError {
    /// The scan is longer than any card could be.
    #[error("the scanned text has {bytes} bytes, more than any card")]
    TooLong {
        /// The length of the scan in bytes.
        bytes: usize,
    },
    /// Nothing is left after cleaning.
    #[error("the scanned text is empty")]
    Empty,
    /// Something other than a digit is left after cleaning.
    #[error("character {position} is not a digit")]
    NotADigit {
        /// Where it stands, counted in characters from 1, after white space and the scanner's prefix.
        position: usize,
    },
    /// The digits do not begin as a member card does.
    #[error("the text does not begin with 7001")]
    WrongPrefix,
    /// The number of digits does not fit the prefix.
    #[error("the text has {digits} digits, which does not fit its kind")]
    WrongLength {
        /// How many digits there are.
        digits: usize,
    },
    /// A linear barcode claims to be a member card, which is always a QR code.
    #[error("a member card does not come in a linear barcode")]
    WrongSymbology,
    /// A group of 17 digits stands for 2^56 or more.
    #[error("group {group} is out of range")]
    GroupOutOfRange {
        /// Which group, counted from 1.
        group: usize,
    },
    /// The last 8 digits stand for 2^24 or more.
    #[error("the tail is out of range")]
    TailOutOfRange,
    /// A version that this crate does not know.
    #[error("card version {version} is unknown")]
    UnknownVersion {
        /// The version the text claims.
        version: u8,
    },
    /// A flag is set that has no meaning yet.
    #[error("reserved flags are set ({flags:#06b})")]
    ReservedFlags {
        /// All four flag bits.
        flags: u8,
    },
    /// The card earns only, yet names a spend limit.
    #[error("an earn-only card names a spend limit of {limit}")]
    LimitWithoutSpending {
        /// The limit, in points.
        limit: u32,
    },
}

/// A text that has the shape of a member card, version 1.
///
/// It holds the 80 bytes the digits stand for. It has no `Eq` and no `Hash` on purpose: one card use
/// has several valid texts, since both (r, s) and (r, n−s) verify. Key on [`CardUse`](crate::CardUse).
#[derive(Clone, Copy)]
pub struct CardText {
    bytes: [u8; CARD_BYTES],
}

impl CardText {
    /// Reads what a scanner typed.
    ///
    /// Strips white space around the text and a QR code's AIM identifier (`]Q0` to `]Q6`, or `[Q…`
    /// where the keyboard layouts differ), and folds full-width digits. Nothing else is repaired.
    pub fn parse(scanned: &str) -> Result<Self, CardTextError> {
        Self::from_clean(&Clean::new(scanned)?)
    }

    /// The card text in `bytes`, if they keep the rules of the format.
    pub(crate) fn from_bytes(bytes: [u8; CARD_BYTES]) -> Result<Self, CardTextError> {
        let (version, flags) = (bytes[0] >> 4, bytes[0] & 0x0F);
        if version != VERSION {
            return Err(CardTextError::UnknownVersion { version });
        }
        if flags & FLAGS_RESERVED != 0 {
            return Err(CardTextError::ReservedFlags { flags });
        }
        let limit = u32::from_be_bytes([0, bytes[13], bytes[14], bytes[15]]);
        if flags & FLAG_SPEND == 0 && limit != 0 {
            return Err(CardTextError::LimitWithoutSpending { limit });
        }
        Ok(Self { bytes })
    }

    /// The card text in `bytes` that this crate has just written, which keep the rules.
    pub(crate) fn from_signed(bytes: [u8; CARD_BYTES]) -> Self {
        debug_assert!(Self::from_bytes(bytes).is_ok());
        Self { bytes }
    }

    pub(crate) fn from_clean(clean: &Clean) -> Result<Self, CardTextError> {
        if clean.symbology == Symbology::Linear {
            return Err(CardTextError::WrongSymbology);
        }
        let wrong_length = CardTextError::WrongLength {
            digits: clean.count,
        };
        if clean.count < PREFIX.len() {
            return Err(wrong_length);
        }
        let Some(body) = clean.digits.strip_prefix(PREFIX) else {
            return Err(CardTextError::WrongPrefix);
        };
        if clean.count != CARD_DIGITS {
            return Err(wrong_length);
        }
        Self::from_bytes(decode(body)?)
    }

    /// The 199 digits, as they go into the QR code.
    pub fn to_digits(&self) -> String {
        let mut digits = String::with_capacity(CARD_DIGITS);
        digits.push_str("7001");
        let (groups, tail) = self.bytes.split_at(GROUPS * GROUP_BYTES);
        for group in groups.chunks_exact(GROUP_BYTES) {
            push_number(&mut digits, number(group), GROUP_DIGITS);
        }
        push_number(&mut digits, number(tail), TAIL_DIGITS);
        digits
    }

    /// What the text says. Nothing vouches for it before it is verified.
    pub fn decode(self) -> SignedCard {
        SignedCard::from_text(self)
    }

    /// The 80 bytes as received.
    pub(crate) fn bytes(&self) -> &[u8; CARD_BYTES] {
        &self.bytes
    }
}

impl fmt::Debug for CardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text in a log could be shown at a till: name the card, not the text.
        f.debug_tuple("CardText")
            .field(&self.decode().card_id())
            .finish_non_exhaustive()
    }
}

/// Decodes the 195 digits after the prefix, which are known to be digits.
fn decode(body: &[u8]) -> Result<[u8; CARD_BYTES], CardTextError> {
    let mut bytes = [0; CARD_BYTES];
    let (groups, tail) = body.split_at(GROUPS * GROUP_DIGITS);
    let (group_bytes, tail_bytes) = bytes.split_at_mut(GROUPS * GROUP_BYTES);
    let pairs = groups
        .chunks_exact(GROUP_DIGITS)
        .zip(group_bytes.chunks_exact_mut(GROUP_BYTES));
    for (index, (digits, out)) in pairs.enumerate() {
        let value = value(digits);
        if value >= GROUP_LIMIT {
            return Err(CardTextError::GroupOutOfRange { group: index + 1 });
        }
        out.copy_from_slice(&value.to_be_bytes()[8 - GROUP_BYTES..]);
    }
    let value = value(tail);
    if value >= TAIL_LIMIT {
        return Err(CardTextError::TailOutOfRange);
    }
    tail_bytes.copy_from_slice(&value.to_be_bytes()[8 - TAIL_BYTES..]);
    Ok(bytes)
}

/// The number that up to 17 ASCII digits stand for; 10^17 fits a `u64` many times over.
fn value(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// The number that up to 7 big-endian bytes stand for.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn push_number(digits: &mut String, mut number: u64, width: usize) {
    let mut buffer = [b'0'; GROUP_DIGITS];
    for digit in buffer[..width].iter_mut().rev() {
        // The remainder of ten fits a byte.
        *digit = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
    }
    digits.extend(buffer[..width].iter().map(|digit| char::from(*digit)));
}

/// What kind of code the scanner says it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbology {
    /// The scanner sends no AIM identifier.
    Unsaid,
    /// `]Q…`
    Qr,
    /// `]C…`, Code 128.
    Linear,
}

/// A scanned text after cleaning: ASCII digits and nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Clean {
    pub(crate) symbology: Symbology,
    /// The first digits; those beyond a card's length are counted and not kept.
    digits: [u8; CARD_DIGITS],
    /// How many digits were scanned.
    pub(crate) count: usize,
}

impl Clean {
    pub(crate) fn new(scanned: &str) -> Result<Self, CardTextError> {
        if scanned.len() > SCAN_BYTES_MAX {
            return Err(CardTextError::TooLong {
                bytes: scanned.len(),
            });
        }
        let (symbology, text) = strip_aim_identifier(scanned.trim());
        let mut clean = Self {
            symbology,
            digits: [b'0'; CARD_DIGITS],
            count: 0,
        };
        for character in text.chars() {
            let Some(digit) = ascii_digit(character) else {
                return Err(CardTextError::NotADigit {
                    position: clean.count + 1,
                });
            };
            if let Some(place) = clean.digits.get_mut(clean.count) {
                *place = digit;
            }
            clean.count += 1;
        }
        if clean.count == 0 {
            return Err(CardTextError::Empty);
        }
        Ok(clean)
    }

    /// The digits that were kept.
    pub(crate) fn digits(&self) -> &[u8] {
        &self.digits[..self.count.min(CARD_DIGITS)]
    }
}

fn ascii_digit(character: char) -> Option<u8> {
    let zero = match character {
        '0'..='9' => '0',
        // An input method for Japanese makes digits full-width.
        '０'..='９' => '０',
        _ => return None,
    };
    u8::try_from(u32::from(character) - u32::from(zero))
        .ok()
        .map(|digit| b'0' + digit)
}

/// Splits off `]Q0` to `]Q6` or `]C0` to `]C6`, whose bracket turns over when scanner and computer
/// disagree about the keyboard layout.
fn strip_aim_identifier(text: &str) -> (Symbology, &str) {
    let Some(rest) = text.strip_prefix([']', '[']) else {
        return (Symbology::Unsaid, text);
    };
    let (symbology, rest) = match (rest.strip_prefix('Q'), rest.strip_prefix('C')) {
        (Some(rest), _) => (Symbology::Qr, rest),
        (_, Some(rest)) => (Symbology::Linear, rest),
        (None, None) => return (Symbology::Unsaid, text),
    };
    let modifier = rest
        .chars()
        .next()
        .filter(|c| matches!(ascii_digit(*c), Some(b'0'..=b'6')));
    match modifier {
        Some(modifier) => (symbology, &rest[modifier.len_utf8()..]),
        None => (Symbology::Unsaid, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(scanned: &str) -> Result<String, CardTextError> {
        Clean::new(scanned).map(|clean| String::from_utf8(clean.digits().to_vec()).unwrap())
    }

    #[test]
    fn cleaning_takes_off_what_scanners_and_keyboards_add() {
        for scanned in [
            "7001",
            " 7001\r\n",
            "7001\t",
            "\u{3000}7001\r",
            "]Q07001",
            "]Q17001\r",
            "]Q67001",
            "[Q37001",
            "７００１",
            "]Q1７００１",
            " ]Q1７0０１ ",
            "]Q１7001",
        ] {
            assert_eq!(cleaned(scanned).as_deref(), Ok("7001"), "{scanned:?}");
        }
    }

    #[test]
    fn cleaning_repairs_nothing_else() {
        for (scanned, position) in [
            ("70 01", 3),
            ("70\r\n01", 3),
            ("]Q77001", 1),
            ("]q07001", 1),
            ("]Q1 7001", 1),
            ("]Q1]Q17001", 1),
            ("7001]Q1", 5),
            ("٧٠٠١", 1),
            ("七", 1),
            ("-7001", 1),
            ("7001\0", 5),
            ("]Q", 1),
            ("]", 1),
        ] {
            assert_eq!(
                cleaned(scanned),
                Err(CardTextError::NotADigit { position }),
                "{scanned:?}"
            );
        }
        for scanned in ["", " \r\n", "]Q1", "\u{3000}"] {
            assert_eq!(cleaned(scanned), Err(CardTextError::Empty), "{scanned:?}");
        }
    }

    #[test]
    fn a_very_long_scan_is_refused_unread() {
        let longest = "7".repeat(SCAN_BYTES_MAX);
        assert_eq!(Clean::new(&longest).map(|c| c.count), Ok(SCAN_BYTES_MAX));
        let longer = "x".repeat(SCAN_BYTES_MAX + 1);
        assert_eq!(
            cleaned(&longer),
            Err(CardTextError::TooLong {
                bytes: SCAN_BYTES_MAX + 1
            })
        );
    }

    #[test]
    fn a_member_card_is_no_linear_barcode() {
        let error = CardText::parse("]C17001").unwrap_err();
        assert_eq!(error, CardTextError::WrongSymbology);
    }
}
