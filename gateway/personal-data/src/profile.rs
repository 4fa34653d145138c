//! What a member tells of themselves.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::field::{Fault, Field, FieldError};
use crate::{BirthDate, Consent, ConsentInput, Email, Kana, Name, Phone, PostalCode};

/// A member's profile. Nothing in it is compulsory; each part is in its normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name as its owner writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// How the name is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kana: Option<Kana>,
    /// The e-mail address. That it stands here does not prove that it is the member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The telephone number. That it stands here does not prove that it is the member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// The date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthday: Option<BirthDate>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// What the member agreed to, ended consents too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

/// A profile as it is written, not yet checked. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileInput {
    /// The name as its owner writes it.
    pub name: Option<String>,
    /// How the name is read, in kana of any kind.
    pub kana: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number, Japanese or international.
    pub phone: Option<String>,
    /// The date of birth.
    pub birthday: Option<String>,
    /// The Japanese postal code.
    pub postal_code: Option<String>,
    /// What the member agreed to.
    pub consents: Vec<ConsentInput>,
}

const CONSENTS_MAX: usize = 100;

impl Profile {
    /// Reads a profile and puts each part into its normal form; the first fault ends it.
    ///
    /// `today` bounds the date of birth.
    pub fn parse(input: &ProfileInput, today: Date) -> Result<Self, FieldError> {
        if input.consents.len() > CONSENTS_MAX {
            return Err(FieldError::new(
                Field::Consents,
                Fault::TooMany {
                    entries_max: CONSENTS_MAX,
                },
            ));
        }
        let birthday = input.birthday.as_deref();
        Ok(Self {
            name: input.name.as_deref().map(Name::parse).transpose()?,
            kana: input.kana.as_deref().map(Kana::parse).transpose()?,
            email: input.email.as_deref().map(Email::parse).transpose()?,
            phone: input.phone.as_deref().map(Phone::parse).transpose()?,
            birthday: birthday
                .map(|text| BirthDate::parse(text, today))
                .transpose()?,
            postal_code: input
                .postal_code
                .as_deref()
                .map(PostalCode::parse)
                .transpose()?,
            consents: input
                .consents
                .iter()
                .cloned()
                .map(Consent::parse)
                .collect::<Result<_, _>>()?,
        })
    }

    /// All that is held, for the member who asks what is held of them: every field, `null` where there is
    /// nothing.
    pub fn to_export(&self) -> Value {
        let consents: Vec<Value> = self.consents.iter().map(exported).collect();
        json!({
            "name": self.name.as_ref().map(Name::as_str),
            "kana": self.kana.as_ref().map(Kana::as_str),
            "email": self.email.as_ref().map(Email::to_text),
            "phone": self.phone.as_ref().map(Phone::to_text),
            "birthday": self.birthday.map(|birthday| birthday.date().to_string()),
            "postal_code": self.postal_code.as_ref().map(PostalCode::to_text),
            "consents": consents,
        })
    }
}

fn exported(consent: &Consent) -> Value {
    json!({
        "purpose": consent.purpose(),
        "wording_version": consent.wording_version(),
        "given_at": consent.given_at().to_string(),
        "withdrawn_at": consent.withdrawn_at().map(|end| end.to_string()),
    })
}

impl fmt::Debug for ProfileInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfileInput(..)")
    }
}
