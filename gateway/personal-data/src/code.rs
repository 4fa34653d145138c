//! Codes that people read and type: one to link a device or a shop account, one to prove an address.
//!
//! Both are secrets while they live and are stored as hashes under the index key. What keeps them from being
//! guessed is a short life and few tries, which the caller sees to. A code is random bits modulo the number of
//! codes, from 128 bits: some codes are likelier than others by less than one in 2⁹², which nobody can notice.

use std::fmt;

use crate::fold::{is_hyphen, nfkc, trim};
use crate::index::{IndexKey, KeyedHash};

/// A code of eight letters and digits that are hard to mistake, typed from a paper or a screen.
///
/// The alphabet is `C F H J K M N P R T V W X Y 2 3 4 5 6 7 8 9`: without vowels, so that no words come about,
/// and of each group that looks alike at most one: none of `0 O D Q` and `1 I L`, `2` for `Z`, `5` for `S`, `6`
/// for `G`, `8` for `B`, `V` for `U`. There are 22⁸ codes, 35 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode(String);

/// A code of six digits, sent to an address to prove that somebody reads there.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

/// Why a text is no code. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Too many or too few characters.
    #[error("a code has {chars} characters")]
    WrongLength {
        /// How many it has.
        chars: usize,
    },
    /// A character that is in no code.
    #[error("the code holds a character that is in no code")]
    UnexpectedCharacter,
}

/// Random bytes that make a code.
pub const CODE_RANDOM_BYTES: usize = 16;

const LINK_ALPHABET: &[u8; 22] = b"CFHJKMNPRTVWXY23456789";
const DIGITS: &[u8; 10] = b"0123456789";
/// More than anybody types, with spaces and hyphens.
const TYPED_CHARS_MAX: usize = 64;

impl LinkCode {
    /// The number of characters, without the hyphen.
    pub const CHARS: usize = 8;

    /// A code from random bytes of a cryptographic source.
    pub fn from_random(random: [u8; CODE_RANDOM_BYTES]) -> Self {
        Self(spell(random, LINK_ALPHABET, Self::CHARS))
    }

    /// Reads a code as people type it: either case or width, with spaces and hyphens; `B G S U Z` count as the
    /// characters that stand for them.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let known = |c: char| {
            let c = match c.to_ascii_uppercase() {
                'B' => '8',
                'G' => '6',
                'S' => '5',
                'U' => 'V',
                'Z' => '2',
                other => other,
            };
            let byte = u8::try_from(c).ok()?;
            LINK_ALPHABET.contains(&byte).then_some(c)
        };
        read(text, Self::CHARS, known).map(Self)
    }

    /// The code to show: `CFHJ-2345`. A secret.
    pub fn to_text(&self) -> String {
        match self.0.split_at_checked(Self::CHARS / 2) {
            Some((left, right)) => format!("{left}-{right}"),
            None => self.0.clone(),
        }
    }

    /// The hash to store and to look up; `label` tells the uses apart.
    pub fn hash(&self, label: &str, index_key: &IndexKey) -> KeyedHash {
        index_key.code_hash("link code", label, &self.0)
    }
}

impl OneTimeCode {
    /// The number of digits.
    pub const CHARS: usize = 6;

    /// A code from random bytes of a cryptographic source.
    pub fn from_random(random: [u8; CODE_RANDOM_BYTES]) -> Self {
        Self(spell(random, DIGITS, Self::CHARS))
    }

    /// Reads a code as people type it: digits of either width, with spaces and hyphens.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        read(text, Self::CHARS, |c| c.is_ascii_digit().then_some(c)).map(Self)
    }

    /// The code to send. A secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hash to store and to compare; `label` tells the uses apart. There are few codes, so the caller puts
    /// into the label whose code it is, or looks only among the codes of one.
    pub fn hash(&self, label: &str, index_key: &IndexKey) -> KeyedHash {
        index_key.code_hash("one-time code", label, &self.0)
    }
}

/// The last `chars` digits of a number in the alphabet's base.
fn spell(random: [u8; CODE_RANDOM_BYTES], alphabet: &[u8], chars: usize) -> String {
    let mut number = u128::from_be_bytes(random);
    let base = u128::try_from(alphabet.len()).unwrap_or(1);
    let mut code: Vec<char> = (0..chars)
        .filter_map(|_| {
            let digit = usize::try_from(number.checked_rem(base)?).ok()?;
            number = number.checked_div(base)?;
            alphabet.get(digit).copied().map(char::from)
        })
        .collect();
    code.reverse();
    code.into_iter().collect()
}

fn read(
    text: &str,
    chars: usize,
    known: impl Fn(char) -> Option<char>,
) -> Result<String, CodeError> {
    let text = trim(text);
    if text.chars().count() > TYPED_CHARS_MAX {
        return Err(CodeError::WrongLength { chars });
    }
    let code = nfkc(text)
        .chars()
        .filter(|c| !c.is_whitespace() && !is_hyphen(*c))
        .map(|c| known(c).ok_or(CodeError::UnexpectedCharacter))
        .collect::<Result<String, _>>()?;
    if code.len() != chars {
        return Err(CodeError::WrongLength { chars });
    }
    Ok(code)
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode(..)")
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(number: u128) -> [u8; CODE_RANDOM_BYTES] {
        number.to_be_bytes()
    }

    #[test]
    fn codes_spell_the_number_modulo_the_number_of_codes() {
        for (number, code) in [
            (0, "CCCC-CCCC"),
            (1, "CCCC-CCCF"),
            (21, "CCCC-CCC9"),
            (22, "CCCC-CCFC"),
            (22_u128.pow(8) - 1, "9999-9999"),
            (22_u128.pow(8), "CCCC-CCCC"),
            (22_u128.pow(8) * 5 + 23, "CCCC-CCFF"),
        ] {
            assert_eq!(LinkCode::from_random(random(number)).to_text(), code);
        }
        for (number, code) in [
            (0, "000000"),
            (123, "000123"),
            (999_999, "999999"),
            (7_000_042, "000042"),
        ] {
            assert_eq!(OneTimeCode::from_random(random(number)).as_str(), code);
        }
    }

    #[test]
    fn of_each_group_that_looks_alike_at_most_one_is_used() {
        for (group, used) in [
            ("0ODQ", ""),
            ("1IL", ""),
            ("2Z", "2"),
            ("5S", "5"),
            ("6G", "6"),
            ("8B", "8"),
            ("UV", "V"),
            ("AEIOU", ""),
        ] {
            let here: String = group
                .chars()
                .filter(|c| LINK_ALPHABET.iter().any(|used| char::from(*used) == *c))
                .collect();
            assert_eq!(here, used);
        }
    }

    #[test]
    fn typed_codes_are_folded() {
        for written in [
            "CFHJ-2345",
            "cfhj2345",
            " ｃｆｈｊ\u{3000}２３４５ ",
            "CFHJ－2345",
            "CFHJー2345",
            "cf-hj 23-45\u{200b}",
            "cfhjz34s",
        ] {
            let code = LinkCode::parse(written).unwrap();
            assert_eq!(code.to_text(), "CFHJ-2345", "{written}");
        }
        let wrong_length = CodeError::WrongLength { chars: 8 };
        for (written, error) in [
            ("CFHJ-234", wrong_length),
            ("CFHJ-23456", wrong_length),
            (&"C".repeat(65), wrong_length),
            ("CFHJ-234O", CodeError::UnexpectedCharacter),
            ("CFHJ-2341", CodeError::UnexpectedCharacter),
            ("CFHJ-234あ", CodeError::UnexpectedCharacter),
        ] {
            assert_eq!(LinkCode::parse(written).unwrap_err(), error, "{written}");
        }
        for written in ["012345", "012 345", "０１２－３４５"] {
            assert_eq!(OneTimeCode::parse(written).unwrap().as_str(), "012345");
        }
        for (written, error) in [
            ("01234", CodeError::WrongLength { chars: 6 }),
            ("01234a", CodeError::UnexpectedCharacter),
        ] {
            assert_eq!(OneTimeCode::parse(written).unwrap_err(), error);
        }
    }
}
