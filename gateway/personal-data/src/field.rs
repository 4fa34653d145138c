//! What can be wrong with a field of a profile.
//!
//! An error names the field and the fault and never repeats the value, so it may be logged and answered.

use std::fmt;

/// A field of a profile, by its name in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `name`
    Name,
    /// `kana`
    Kana,
    /// `email`
    Email,
    /// `phone`
    Phone,
    /// `birthday`
    Birthday,
    /// `postal_code`
    PostalCode,
    /// `consents`
    Consents,
}

impl Field {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Kana => "kana",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Birthday => "birthday",
            Self::PostalCode => "postal_code",
            Self::Consents => "consents",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing but spaces. A field that is not told is left out.
    #[error("is empty; leave it out instead")]
    Empty,
    /// More characters than such a value has.
    #[error("has more than {chars_max} characters")]
    TooLong {
        /// The most that is accepted.
        chars_max: usize,
    },
    /// A character that such a value does not have.
    #[error("holds a character that does not belong there")]
    UnexpectedCharacter,
    /// No `@` between a mailbox and a domain.
    #[error("is not an e-mail address")]
    NotAnAddress,
    /// Too few or too many digits.
    #[error("has not as many digits as it should")]
    WrongDigits,
    /// A telephone number that begins with neither 0 nor a country code.
    #[error("begins with neither 0 nor + and a country code")]
    NoCountry,
    /// Not a day of the calendar, or in a form that is not read.
    #[error("is not a date of the form 1980-01-02, 1980/1/2 or 19800102")]
    NoDate,
    /// Before 1900.
    #[error("is before 1900")]
    TooEarly,
    /// After today.
    #[error("is in the future")]
    InTheFuture,
    /// A consent that ended before it began.
    #[error("is withdrawn before it was given")]
    WithdrawnBeforeGiven,
    /// More entries than are kept.
    #[error("has more than {entries_max} entries")]
    TooMany {
        /// The most that is accepted.
        entries_max: usize,
    },
}

/// A field and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {fault}")]
pub struct FieldError {
    /// Which field.
    pub field: Field,
    /// What is wrong.
    pub fault: Fault,
}

impl FieldError {
    pub(crate) fn new(field: Field, fault: Fault) -> Self {
        Self { field, fault }
    }
}

/// What every text field has: reading it from a `String`, writing it as one, and a `Debug` without the value.
macro_rules! text_field {
    ($type:ident) => {
        impl TryFrom<String> for $type {
            type Error = $crate::field::FieldError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_text()
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    };
}
pub(crate) use text_field;
