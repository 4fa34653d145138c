//! What a member agreed to, in which wording, and until when.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::field::{Fault, Field, FieldError};

/// One consent. Withdrawing keeps it, with its end, so that what was allowed when can be shown. `Debug`
/// hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ConsentInput", into = "ConsentInput")]
pub struct Consent(ConsentInput);

/// A consent as it is told, not yet checked. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentInput {
    /// What for, as a code of the operator: `newsletter`.
    pub purpose: String,
    /// Which text the member agreed to, as a code of the operator: `2026-04`.
    pub wording_version: String,
    /// From when.
    pub given_at: Timestamp,
    /// Until when; none while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

const CODE_CHARS_MAX: usize = 64;

impl Consent {
    /// Checks a consent: both codes are ASCII letters, digits, `-`, `_` and `.`, and it ends after it began.
    pub fn parse(input: ConsentInput) -> Result<Self, FieldError> {
        let fault = |fault| FieldError::new(Field::Consents, fault);
        for code in [&input.purpose, &input.wording_version] {
            check_code(code).map_err(fault)?;
        }
        if input.withdrawn_at.is_some_and(|end| end < input.given_at) {
            return Err(fault(Fault::WithdrawnBeforeGiven));
        }
        Ok(Self(input))
    }

    /// What for.
    pub fn purpose(&self) -> &str {
        &self.0.purpose
    }

    /// Which text the member agreed to.
    pub fn wording_version(&self) -> &str {
        &self.0.wording_version
    }

    /// From when.
    pub fn given_at(&self) -> Timestamp {
        self.0.given_at
    }

    /// Until when; none while it holds.
    pub fn withdrawn_at(&self) -> Option<Timestamp> {
        self.0.withdrawn_at
    }

    /// Whether it holds at a time.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.0.given_at <= time && self.0.withdrawn_at.is_none_or(|end| time < end)
    }

    /// The same consent, ended. One that has ended keeps its first end.
    pub fn withdrawn(mut self, at: Timestamp) -> Result<Self, FieldError> {
        self.0.withdrawn_at.get_or_insert(at);
        Self::parse(self.0)
    }
}

fn check_code(code: &str) -> Result<(), Fault> {
    if code.is_empty() {
        return Err(Fault::Empty);
    }
    if code.len() > CODE_CHARS_MAX {
        return Err(Fault::TooLong {
            chars_max: CODE_CHARS_MAX,
        });
    }
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !code.chars().all(known) {
        return Err(Fault::UnexpectedCharacter);
    }
    Ok(())
}

impl TryFrom<ConsentInput> for Consent {
    type Error = FieldError;

    fn try_from(input: ConsentInput) -> Result<Self, FieldError> {
        Self::parse(input)
    }
}

impl From<Consent> for ConsentInput {
    fn from(consent: Consent) -> Self {
        consent.0
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Consent(..)")
    }
}

impl fmt::Debug for ConsentInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsentInput(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> ConsentInput {
        ConsentInput {
            purpose: "newsletter".to_owned(),
            wording_version: "2026-04".to_owned(),
            given_at: Timestamp::constant(1_000, 0),
            withdrawn_at: None,
        }
    }

    #[test]
    fn a_consent_holds_from_its_beginning_until_its_end() {
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let consent = Consent::parse(input()).unwrap();
        assert!(!consent.holds_at(time(999)));
        assert!(consent.holds_at(time(1_000)));
        let ended = consent.clone().withdrawn(time(2_000)).unwrap();
        assert!(ended.holds_at(time(1_999)));
        assert!(!ended.holds_at(time(2_000)));
        let again = ended.withdrawn(time(3_000)).unwrap();
        assert_eq!(again.withdrawn_at(), Some(time(2_000)));
        let early = consent.withdrawn(time(999)).unwrap_err();
        assert_eq!(early.fault, Fault::WithdrawnBeforeGiven);
    }

    #[test]
    fn codes_are_short_and_plain() {
        let long = "a".repeat(65);
        for (code, fault) in [
            ("", Fault::Empty),
            ("news letter", Fault::UnexpectedCharacter),
            ("お知らせ", Fault::UnexpectedCharacter),
            (&long, Fault::TooLong { chars_max: 64 }),
        ] {
            let mut wrong = input();
            wrong.purpose = code.to_owned();
            assert_eq!(Consent::parse(wrong).unwrap_err().fault, fault);
            let mut wrong = input();
            wrong.wording_version = code.to_owned();
            assert_eq!(Consent::parse(wrong).unwrap_err().fault, fault);
        }
    }
}
