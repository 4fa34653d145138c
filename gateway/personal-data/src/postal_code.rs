//! Japanese postal codes.

use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError, text_field};
use crate::fold::{is_hyphen, nfkc, trim};

/// A postal code: seven digits. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PostalCode {
    digits: String,
}

const WRITTEN_CHARS_MAX: usize = 32;
const DIGITS: usize = 7;
const AREA_DIGITS: usize = 3;

impl PostalCode {
    /// Reads a code with or without 〒, hyphen and spaces, in digits of either width.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let fault = |fault| FieldError::new(Field::PostalCode, fault);
        let text = trim(text);
        if text.is_empty() {
            return Err(fault(Fault::Empty));
        }
        if text.chars().count() > WRITTEN_CHARS_MAX {
            return Err(fault(Fault::TooLong {
                chars_max: WRITTEN_CHARS_MAX,
            }));
        }
        let text = nfkc(text);
        let text = text.strip_prefix(['〒', '〠']).unwrap_or(&text);
        let digits: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !is_hyphen(*c))
            .collect();
        if !digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(fault(Fault::UnexpectedCharacter));
        }
        if digits.len() != DIGITS {
            return Err(fault(Fault::WrongDigits));
        }
        Ok(Self { digits })
    }

    /// The code as letters carry it: `123-4567`.
    pub fn to_text(&self) -> String {
        match self.digits.split_at_checked(AREA_DIGITS) {
            Some((area, town)) => format!("{area}-{town}"),
            None => self.digits.clone(),
        }
    }

    /// The seven digits.
    pub fn digits(&self) -> &str {
        &self.digits
    }
}

text_field!(PostalCode);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_seven_digits() {
        for written in [
            "123-4567",
            "1234567",
            "〒123-4567",
            "〒\u{3000}１２３－４５６７",
            "〶１２３ー４５６７",
            " 123−4567 ",
            "123 4567",
        ] {
            let code = PostalCode::parse(written).unwrap();
            assert_eq!(
                (code.digits(), code.to_text()),
                ("1234567", "123-4567".to_owned()),
                "{written}"
            );
        }
        for (written, fault) in [
            ("\u{3000}", Fault::Empty),
            ("〒", Fault::WrongDigits),
            ("123-456", Fault::WrongDigits),
            ("123-45678", Fault::WrongDigits),
            ("123-456a", Fault::UnexpectedCharacter),
            ("1234567〒", Fault::UnexpectedCharacter),
            (&"1".repeat(33), Fault::TooLong { chars_max: 32 }),
        ] {
            let error = PostalCode::parse(written).unwrap_err();
            assert_eq!(error.fault, fault, "{written}");
        }
    }
}
