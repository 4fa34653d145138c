//! Apple Wallet: the `.pkpass` file of a store card.
//!
//! Apple's passes have no barcode that rotates offline. So such a card shows a fixed number of the kind that plastic
//! cards have, [`StaticNumber`]: anybody can copy it, and it earns only. It is never a text of the kinds that may
//! spend.
//!
//! A file is a ZIP of `pass.json`, pictures, `manifest.json` with the SHA-1 of each of them, and `signature`, a
//! detached PKCS#7 signature over the manifest. SHA-1 is what Apple's format asks for here.
//!
//! Invariants: what a configuration holds fits together (key and certificate, certificate and intermediate); a file is
//! signed only with a certificate that is valid at the time; the received certificates go out byte for byte.

mod archive;
mod certificate;
mod layout;
mod pictures;
mod signature;

use std::fmt;

use jiff::Timestamp;
use member_card::ScannedText;

use crate::key::SigningKey;
use crate::{Color, KeyError};
pub use certificate::CertificateError;
use certificate::PassCertificate;
pub use layout::{Field, FieldValue, Fields};
pub use pictures::{Images, PictureError};

/// The media type of the file.
pub const MEDIA_TYPE: &str = "application/vnd.apple.pkpass";

/// What a configuration is made of. All texts in PEM may have other things around them.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The pass type that Apple registered, `pass.…`.
    pub pass_type_identifier: &'a str,
    /// Apple's name of the team: 10 letters and digits.
    pub team_identifier: &'a str,
    /// Who gives out the cards.
    pub organization_name: &'a str,
    /// The certificate of the pass type, PEM.
    pub certificate_pem: &'a str,
    /// Its private key, PEM, RSA or P-256, without a pass phrase.
    pub key_pem: &'a str,
    /// Apple's intermediate certificate (WWDR) that the certificate was issued with, PEM.
    pub intermediate_pem: &'a str,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The pass type's name.
    #[error(
        "the pass type identifier begins with `pass.` and has only letters, digits, `.` and `-`"
    )]
    PassTypeIdentifier,
    /// The team's name.
    #[error("the team identifier is 10 letters and digits")]
    TeamIdentifier,
    /// The organization's name.
    #[error("the organization's name is empty")]
    OrganizationName,
    /// The certificate of the pass type.
    #[error("the pass certificate: {0}")]
    Certificate(CertificateError),
    /// The intermediate certificate.
    #[error("the intermediate certificate: {0}")]
    Intermediate(CertificateError),
    /// The private key.
    #[error("the pass certificate's key: {0}")]
    Key(#[from] KeyError),
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the pass certificate")]
    OtherKey,
    /// The certificate was issued with another intermediate, for example another generation of WWDR.
    #[error(
        "the pass certificate was not issued by the intermediate certificate: take the WWDR generation that its issuer names"
    )]
    OtherIntermediate,
}

/// Who issues passes, and with which key. `Debug` hides the key.
pub struct Config {
    pass_type_identifier: String,
    team_identifier: String,
    organization_name: String,
    certificate: PassCertificate,
    intermediate: PassCertificate,
    key: SigningKey,
}

impl Config {
    /// The configuration of these settings, if they fit together.
    pub fn parse(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let name = settings.pass_type_identifier;
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        if !name.starts_with("pass.") || name.len() <= 5 || !name.bytes().all(in_name) {
            return Err(ConfigError::PassTypeIdentifier);
        }
        let team = settings.team_identifier;
        if team.len() != 10 || !team.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ConfigError::TeamIdentifier);
        }
        if settings.organization_name.trim().is_empty() {
            return Err(ConfigError::OrganizationName);
        }
        let certificate =
            PassCertificate::parse(settings.certificate_pem).map_err(ConfigError::Certificate)?;
        let intermediate =
            PassCertificate::parse(settings.intermediate_pem).map_err(ConfigError::Intermediate)?;
        let key = SigningKey::parse(settings.key_pem)?;
        if !certificate.has_key(key.public_key()) {
            return Err(ConfigError::OtherKey);
        }
        if !certificate.names_issuer(&intermediate) {
            return Err(ConfigError::OtherIntermediate);
        }
        Ok(Self {
            pass_type_identifier: name.to_owned(),
            team_identifier: team.to_owned(),
            organization_name: settings.organization_name.to_owned(),
            certificate,
            intermediate,
            key,
        })
    }

    /// Until when passes can be signed: when the first of the two certificates runs out.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        let (one, other) = (&self.certificate, &self.intermediate);
        one.not_after().min(other.not_after())
    }

    fn valid_at(&self, now: Timestamp) -> bool {
        self.certificate.valid_at(now) && self.intermediate.valid_at(now)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("pass_type_identifier", &self.pass_type_identifier)
            .field("team_identifier", &self.team_identifier)
            .finish_non_exhaustive()
    }
}

/// A number that never changes, 1 to 64 digits: earns only. Never one that this system gives more rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticNumber(String);

impl StaticNumber {
    /// The number, if a till that scans `text` takes it for a plastic card.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match ScannedText::parse(text) {
            Ok(ScannedText::OtherDigits(digits)) if digits == text => Some(Self(digits)),
            _ => None,
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the number is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarcodeFormat {
    /// A QR code.
    Qr,
    /// Code 128, for tills with a 1-D scanner. Phones before iOS 9 show a QR code instead.
    Code128,
}

/// One card. `Debug` hides whose it is.
pub struct Pass<'a> {
    /// Tells this card from all others of the pass type; the same card keeps it.
    pub serial_number: &'a str,
    /// What the card is, for those who cannot see it.
    pub description: &'a str,
    /// The text beside the logo.
    pub logo_text: &'a str,
    /// What the till scans.
    pub number: &'a StaticNumber,
    /// How the number is drawn.
    pub barcode: BarcodeFormat,
    /// The card's colour.
    pub background: Color,
    /// The colour of its texts.
    pub foreground: Color,
    /// The texts on the card.
    pub fields: Fields,
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("serial_number", &self.serial_number)
            .finish_non_exhaustive()
    }
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// The serial number is empty.
    #[error("the pass has no serial number")]
    NoSerialNumber,
    /// Two fields have one key, which makes a phone refuse the pass.
    #[error("two fields of the pass have the key `{0}`")]
    SameKey(String),
    /// A certificate is not valid, so that no phone would take the pass.
    #[error("a certificate is not valid at the time of signing: renew it at Apple")]
    CertificateNotValid,
    /// The pictures could not be drawn.
    #[error("the pictures of the pass could not be drawn")]
    Picture(#[from] PictureError),
    /// The signature could not be made.
    #[error("the pass could not be signed")]
    Signature,
    /// The file could not be put together.
    #[error("the pass could not be packed")]
    Packing,
}

/// The `.pkpass` file of `pass`, signed as of `now`. Without `images` simple ones are drawn in the card's colours.
pub fn pass(
    config: &Config,
    pass: &Pass<'_>,
    images: Option<&Images>,
    now: Timestamp,
) -> Result<Vec<u8>, PassError> {
    if pass.serial_number.is_empty() {
        return Err(PassError::NoSerialNumber);
    }
    if let Some(key) = pass.fields.repeated_key() {
        return Err(PassError::SameKey(key.to_owned()));
    }
    if !config.valid_at(now) {
        return Err(PassError::CertificateNotValid);
    }
    let drawn;
    let images = match images {
        Some(images) => images,
        None => {
            drawn = Images::drawn(pass.background, pass.foreground)?;
            &drawn
        }
    };
    let layout = layout::json(config, pass).map_err(|_| PassError::Packing)?;
    let mut files = vec![("pass.json", layout.as_slice())];
    files.extend(images.files());
    let manifest = archive::manifest(&files).map_err(|_| PassError::Packing)?;
    let signature = signature::sign(config, &manifest, now).ok_or(PassError::Signature)?;
    files.push(("manifest.json", &manifest));
    files.push(("signature", &signature));
    archive::zip(&files).map_err(|_| PassError::Packing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_number_is_never_a_text_that_may_spend() {
        for text in ["1", "2999000012345", &"9".repeat(64)] {
            assert_eq!(StaticNumber::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "29990000x",
            " 2999000012345",
            "２999000012345",
            "7001",
            "70021234567890123456",
            "700301234567890187654321",
            "7003",
            &"9".repeat(65),
        ] {
            assert_eq!(StaticNumber::parse(text), None, "{text}");
        }
    }
}
