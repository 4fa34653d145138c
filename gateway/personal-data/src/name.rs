//! The name of a member, as its owner writes it.
//!
//! Only spaces are folded. Kanji are left alone: normalising would swap characters that families tell apart.

use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError, text_field};
use crate::fold::fold_spaces;

/// A name as its owner writes it. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

const CHARS_MAX: usize = 100;

impl Name {
    /// Reads a name; runs of white space become one space.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let fault = |fault| FieldError::new(Field::Name, fault);
        let name = fold_spaces(text);
        if name.is_empty() {
            return Err(fault(Fault::Empty));
        }
        if name.chars().count() > CHARS_MAX {
            return Err(fault(Fault::TooLong {
                chars_max: CHARS_MAX,
            }));
        }
        if name.chars().any(|c| c.is_control() || reorders(c)) {
            return Err(fault(Fault::UnexpectedCharacter));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> String {
        self.0.clone()
    }
}

/// Characters that make other characters appear in another order.
fn reorders(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

text_field!(Name);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_characters() {
        for (written, kept) in [
            ("山田\u{3000}太郎", "山田 太郎"),
            ("  髙橋 﨑子 ", "髙橋 﨑子"),
            ("神\u{fa19}", "神\u{fa19}"),
            ("葛\u{e0100}城", "葛\u{e0100}城"),
            ("O'Neil  Mary-Jane", "O'Neil Mary-Jane"),
        ] {
            assert_eq!(Name::parse(written).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (written, fault) in [
            ("", Fault::Empty),
            (" \u{3000}", Fault::Empty),
            ("a\u{0}b", Fault::UnexpectedCharacter),
            ("a\u{202e}b", Fault::UnexpectedCharacter),
            (&"山".repeat(101), Fault::TooLong { chars_max: 100 }),
        ] {
            assert_eq!(Name::parse(written).unwrap_err().fault, fault);
        }
        assert!(Name::parse(&"山".repeat(100)).is_ok());
    }
}
