//! Telephone numbers in the international form of E.164.
//!
//! Japanese numbers are checked against the numbering plan's lengths; of others only the length is known. The
//! tables of the whole world are some fifteen megabytes and change monthly, so they are not carried along: a
//! number counts as reachable when a message to it was answered, not because it looks right.

use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError, text_field};
use crate::fold::{is_hyphen, nfkc, trim};

/// A telephone number: `+` and 8 to 15 digits. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone {
    /// Country code and number, without the `+`.
    digits: String,
}

const WRITTEN_CHARS_MAX: usize = 64;
const DIGITS_MIN: usize = 8;
/// E.164.
const DIGITS_MAX: usize = 15;
const JAPAN: &str = "81";

impl Phone {
    /// Reads a Japanese number that begins with 0, or one of any country behind `+`, `00` or `010`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        read(text)
            .map(|digits| Self { digits })
            .map_err(|fault| FieldError::new(Field::Phone, fault))
    }

    /// The number in E.164, with its `+`. This is also the form in which two numbers are compared.
    pub fn to_text(&self) -> String {
        format!("+{}", self.digits)
    }

    /// The number as its owner may see it where others might look on: `090-****-5678`.
    pub fn masked(&self) -> String {
        let last = self
            .digits
            .len()
            .checked_sub(4)
            .and_then(|at| self.digits.get(at..))
            .unwrap_or_default();
        match self.digits.strip_prefix(JAPAN) {
            // Numbers of three, four and four digits; other area codes differ in length and are hidden too.
            Some(number) if number.len() == LONG_DIGITS => {
                let prefix = number.get(..2).unwrap_or_default();
                format!("0{prefix}-****-{last}")
            }
            Some(_) => format!("0*****{last}"),
            None => format!("+****{last}"),
        }
    }
}

text_field!(Phone);

fn read(text: &str) -> Result<String, Fault> {
    let text = trim(text);
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if text.chars().count() > WRITTEN_CHARS_MAX {
        return Err(Fault::TooLong {
            chars_max: WRITTEN_CHARS_MAX,
        });
    }
    let (plus, digits) = digits_of(&nfkc(text))?;
    let international = if plus {
        Some(digits.as_str())
    } else {
        // 010 is the way out of Japan, 00 that of most other countries.
        digits
            .strip_prefix("010")
            .or_else(|| digits.strip_prefix("00"))
    };
    let number = match (international, digits.strip_prefix('0')) {
        (Some(number), _) => number.to_owned(),
        (None, Some(rest)) => format!("{JAPAN}{rest}"),
        (None, None) => return Err(Fault::NoCountry),
    };
    if number.starts_with('0') {
        return Err(Fault::NoCountry);
    }
    match number.strip_prefix(JAPAN) {
        Some(rest) => {
            // `+81 (0)90 …`: the 0 of calls within the country, written along.
            let rest = rest.strip_prefix('0').unwrap_or(rest);
            if !is_japanese(rest) {
                return Err(Fault::WrongDigits);
            }
            Ok(format!("{JAPAN}{rest}"))
        }
        None if (DIGITS_MIN..=DIGITS_MAX).contains(&number.len()) => Ok(number),
        None => Err(Fault::WrongDigits),
    }
}

/// The digits, and whether a `+` stands before them.
fn digits_of(text: &str) -> Result<(bool, String), Fault> {
    let mut plus = false;
    let mut digits = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if digits.is_empty() && !plus => plus = true,
            '(' | ')' | '.' | '/' => {}
            _ if c.is_whitespace() || is_hyphen(c) => {}
            _ => return Err(Fault::UnexpectedCharacter),
        }
    }
    Ok((plus, digits))
}

/// Digits behind the leading 0 of mobile, IP and 0800 numbers.
const LONG_DIGITS: usize = 10;
/// Digits behind the leading 0 of all others.
const SHORT_DIGITS: usize = 9;

/// Whether digits behind the leading 0 have the length of the numbering plan.
fn is_japanese(digits: &str) -> bool {
    let mut first = digits.bytes();
    match (first.next(), first.next()) {
        (Some(b'2' | b'5'..=b'9'), Some(b'0')) => digits.len() == LONG_DIGITS,
        (Some(b'1'..=b'9'), Some(b'1'..=b'9')) => digits.len() == SHORT_DIGITS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_international() {
        for (written, e164) in [
            ("090-1234-5678", "+819012345678"),
            ("09012345678", "+819012345678"),
            ("０９０－１２３４－５６７８", "+819012345678"),
            ("０９０ー１２３４ー５６７８", "+819012345678"),
            ("090‐1234–5678", "+819012345678"),
            ("090−1234―5678", "+819012345678"),
            (
                "\u{3000}090\u{3000}1234\u{3000}5678\u{200e}",
                "+819012345678",
            ),
            ("（０９０）１２３４．５６７８", "+819012345678"),
            ("+81 90 1234 5678", "+819012345678"),
            ("＋８１ ９０ １２３４ ５６７８", "+819012345678"),
            ("+81 (0)90-1234-5678", "+819012345678"),
            ("(+81) 90 1234 5678", "+819012345678"),
            ("0081 90 1234 5678", "+819012345678"),
            ("010 81 90 1234 5678", "+819012345678"),
            ("060-1234-5678", "+816012345678"),
            ("050-1234-5678", "+815012345678"),
            ("03-1234-5678", "+81312345678"),
            ("0467-12-3456", "+81467123456"),
            ("0120-123-456", "+81120123456"),
            ("0800-123-4567", "+818001234567"),
            ("+1 (212) 555-0100", "+12125550100"),
            ("0044 20 7946 0000", "+442079460000"),
            ("+82-10-1234-5678", "+821012345678"),
        ] {
            assert_eq!(Phone::parse(written).unwrap().to_text(), e164, "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (written, fault) in [
            (" ", Fault::Empty),
            ("-", Fault::NoCountry),
            ("+", Fault::WrongDigits),
            ("9012345678", Fault::NoCountry),
            ("819012345678", Fault::NoCountry),
            ("+0312345678", Fault::NoCountry),
            ("000", Fault::NoCountry),
            ("090-1234-567", Fault::WrongDigits),
            ("090-1234-56789", Fault::WrongDigits),
            ("03-1234-567", Fault::WrongDigits),
            ("03-1234-56789", Fault::WrongDigits),
            ("030-1234-5678", Fault::WrongDigits),
            ("110", Fault::NoCountry),
            ("0110", Fault::WrongDigits),
            ("+1234567", Fault::WrongDigits),
            ("+1234567890123456", Fault::WrongDigits),
            ("090-1234-5678 ext 9", Fault::UnexpectedCharacter),
            ("090・1234・5678", Fault::UnexpectedCharacter),
            ("内線12", Fault::UnexpectedCharacter),
            ("+81+9012345678", Fault::UnexpectedCharacter),
            ("٠٩٠١٢٣٤٥٦٧٨", Fault::UnexpectedCharacter),
            (&"0".repeat(65), Fault::TooLong { chars_max: 64 }),
        ] {
            assert_eq!(Phone::parse(written).unwrap_err().fault, fault, "{written}");
        }
    }

    #[test]
    fn a_mask_leaves_the_last_four_digits() {
        for (written, masked) in [
            ("09012345678", "090-****-5678"),
            ("08001234567", "080-****-4567"),
            ("0312345678", "0*****5678"),
            ("0467123456", "0*****3456"),
            ("+12125550100", "+****0100"),
        ] {
            assert_eq!(Phone::parse(written).unwrap().masked(), masked);
        }
    }
}
