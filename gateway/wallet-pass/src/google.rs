//! Google Wallet: the link that saves a loyalty card with a rotating barcode.
//!
//! The link is `https://pay.google.com/gp/v/save/` and a JWT, signed with the key of a Google service account, that
//! holds the whole card; whoever opens it first has Google make the card. Fields as of Google's reference for
//! `loyaltyObject`, `loyaltyClass` and `RotatingBarcode`.
//!
//! The card's secret is inside the link, readable by everybody who sees it: [`SaveLink`] is given to the member over an
//! authenticated connection and never logged, stored or sent by mail. Should one leak, the card's next generation makes
//! it worthless. Only inserting the object over Google's API first would keep the secret out of links.
//!
//! Invariant: number, generation and secret of a card fit together, since the secret is derived here; a new generation
//! is a new object at Google, which ignores a link to an object that it knows.

use std::fmt;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::key::rsa_der;
use crate::totp::{CODE_DIGITS, STEP_SECONDS};
use crate::{CardNumber, Color, KeyError, PassKey};

const SAVE_URL: &str = "https://pay.google.com/gp/v/save/";
/// The longest JWT that Google's guide calls safe: browsers may cut links with longer ones.
const TOKEN_CHARS_SAFE: usize = 1_800;
/// The prefix that tells a till that a wallet card was scanned.
const TEXT_PREFIX: &str = "7003";

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The service account's file is no JSON, or not the expected one.
    #[error("the service account's file is no JSON object of texts (line {line}, column {column})")]
    NotJson {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// The service account's file lacks a field.
    #[error("the service account's file has no `{0}`")]
    Missing(&'static str),
    /// The service account's key is not usable.
    #[error("the service account's `private_key`: {0}")]
    Key(#[from] KeyError),
    /// Google's number of the issuer.
    #[error("the issuer id is 1 to 20 digits")]
    IssuerId,
    /// The issuer's own name of the class.
    #[error("the class suffix is 1 to 64 letters, digits, `.`, `_` or `-`")]
    ClassSuffix,
}

/// Who issues cards, and with which key. `Debug` hides the key.
pub struct Config {
    issuer_id: String,
    class_id: String,
    client_email: String,
    key_id: Option<String>,
    key: EncodingKey,
    origins: Vec<String>,
    class: Option<LoyaltyClass>,
}

/// What is used of a service account's file, as Google's console gives it out.
#[derive(Deserialize)]
struct ServiceAccount {
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
}

impl Config {
    /// The issuer `issuer_id`, signing with the key of a service account, whose cards are of the class
    /// `issuer_id.class_suffix`.
    pub fn parse(
        service_account_json: &str,
        issuer_id: &str,
        class_suffix: &str,
    ) -> Result<Self, ConfigError> {
        let account: ServiceAccount =
            serde_json::from_str(service_account_json).map_err(|error| ConfigError::NotJson {
                line: error.line(),
                column: error.column(),
            })?;
        let pem = account
            .private_key
            .map(Zeroizing::new)
            .ok_or(ConfigError::Missing("private_key"))?;
        let client_email = account
            .client_email
            .filter(|email| !email.is_empty())
            .ok_or(ConfigError::Missing("client_email"))?;
        if !(1..=20).contains(&issuer_id.len()) || !issuer_id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ConfigError::IssuerId);
        }
        let in_suffix = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=64).contains(&class_suffix.len()) || !class_suffix.bytes().all(in_suffix) {
            return Err(ConfigError::ClassSuffix);
        }
        Ok(Self {
            issuer_id: issuer_id.to_owned(),
            class_id: format!("{issuer_id}.{class_suffix}"),
            client_email,
            key_id: account.private_key_id,
            key: EncodingKey::from_rsa_der(&rsa_der(&pem)?),
            origins: Vec::new(),
            class: None,
        })
    }

    /// The web sites that show the link as Google's button.
    #[must_use]
    pub fn with_origins(mut self, origins: Vec<String>) -> Self {
        self.origins = origins;
        self
    }

    /// Puts the class into each link, so that Google makes it with the first card. Without, the class must exist.
    #[must_use]
    pub fn with_class(mut self, class: LoyaltyClass) -> Self {
        self.class = Some(class);
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("class_id", &self.class_id)
            .field("client_email", &self.client_email)
            .finish_non_exhaustive()
    }
}

/// What all cards of the programme have in common.
#[derive(Debug, Clone)]
pub struct LoyaltyClass {
    /// Who gives out the cards.
    pub issuer_name: String,
    /// The programme's name; about 20 characters are shown.
    pub program_name: String,
    /// Where Google finds the logo, https.
    pub logo_url: String,
    /// The colour of the cards.
    pub background: Option<Color>,
}

/// One card. `Debug` hides whose it is.
pub struct Pass<'a> {
    /// The master key, from which the card's secret is derived.
    pub key: &'a PassKey,
    /// The card's number.
    pub number: &'a CardNumber,
    /// How often the card was renewed.
    pub generation: u32,
    /// What the member is called by, such as the member number.
    pub account_id: &'a str,
    /// The member's name, if known.
    pub account_name: Option<&'a str>,
    /// The points when the card is saved; they do not follow later.
    pub points: Option<LoyaltyPoints<'a>>,
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("number", &self.number)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A balance and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct LoyaltyPoints<'a> {
    /// What the points are called.
    pub label: &'a str,
    /// How many.
    pub balance: u64,
}

/// A link that saves a card. It holds the card's secret: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct SaveLink(String);

impl SaveLink {
    /// The link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the link is short enough for every browser. One that carries the class may not be; then the class is
    /// better made once over Google's API or in its console.
    #[must_use]
    pub fn fits_browsers(&self) -> bool {
        self.0.len() <= SAVE_URL.len() + TOKEN_CHARS_SAFE
    }

    /// The link, to be handed on.
    #[must_use]
    pub fn into_string(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for SaveLink {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SaveLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaveLink(..)")
    }
}

/// The link could not be signed, although the key was found sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the wallet link could not be signed")]
pub struct SaveLinkError;

/// The link that saves `pass`, as of `now`.
pub fn save_link(
    config: &Config,
    pass: &Pass<'_>,
    now: Timestamp,
) -> Result<SaveLink, SaveLinkError> {
    let mut header = Header::new(Algorithm::RS256);
    header.kid.clone_from(&config.key_id);
    let secret = pass.key.derive(pass.number, pass.generation).base16();
    let claims = Claims {
        iss: &config.client_email,
        aud: "google",
        typ: "savetowallet",
        iat: now.as_second(),
        origins: &config.origins,
        payload: Payload {
            loyalty_classes: config
                .class
                .as_ref()
                .map(|class| [ClassResource::new(&config.class_id, class)]),
            loyalty_objects: [ObjectResource::new(config, pass, &secret)],
        },
    };
    let token = jsonwebtoken::encode(&header, &claims, &config.key).map_err(|_| SaveLinkError)?;
    let token = Zeroizing::new(token);
    Ok(SaveLink(format!("{SAVE_URL}{}", token.as_str())))
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'static str,
    typ: &'static str,
    iat: i64,
    origins: &'a [String],
    payload: Payload<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty_classes: Option<[ClassResource<'a>; 1]>,
    loyalty_objects: [ObjectResource<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClassResource<'a> {
    id: &'a str,
    issuer_name: &'a str,
    program_name: &'a str,
    program_logo: Image<'a>,
    review_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex_background_color: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image<'a> {
    source_uri: Uri<'a>,
}

#[derive(Serialize)]
struct Uri<'a> {
    uri: &'a str,
}

impl<'a> ClassResource<'a> {
    fn new(id: &'a str, class: &'a LoyaltyClass) -> Self {
        Self {
            id,
            issuer_name: &class.issuer_name,
            program_name: &class.program_name,
            program_logo: Image {
                source_uri: Uri {
                    uri: &class.logo_url,
                },
            },
            review_status: "UNDER_REVIEW",
            hex_background_color: class.background.map(Color::hex),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ObjectResource<'a> {
    id: String,
    class_id: &'a str,
    state: &'static str,
    account_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty_points: Option<Points<'a>>,
    rotating_barcode: RotatingBarcode<'a>,
}

#[derive(Serialize)]
struct Points<'a> {
    label: &'a str,
    balance: Balance,
}

/// Google counts in 32 bits; what does not fit is shown as a text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Balance {
    Int(i32),
    String(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RotatingBarcode<'a> {
    r#type: &'static str,
    value_pattern: String,
    totp_details: TotpDetails<'a>,
    alternate_text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotpDetails<'a> {
    /// A 64-bit number, which Google's JSON writes as a text.
    period_millis: String,
    algorithm: &'static str,
    parameters: [TotpParameters<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotpParameters<'a> {
    key: &'a str,
    value_length: u8,
}

impl<'a> ObjectResource<'a> {
    fn new(config: &'a Config, pass: &'a Pass<'a>, secret: &'a str) -> Self {
        let number = pass.number.as_str();
        Self {
            id: format!("{}.{number}-{}", config.issuer_id, pass.generation),
            class_id: &config.class_id,
            state: "ACTIVE",
            account_id: pass.account_id,
            account_name: pass.account_name,
            loyalty_points: pass.points.map(|points| Points {
                label: points.label,
                balance: i32::try_from(points.balance).map_or_else(
                    |_| Balance::String(points.balance.to_string()),
                    Balance::Int,
                ),
            }),
            rotating_barcode: RotatingBarcode {
                r#type: "QR_CODE",
                value_pattern: format!("{TEXT_PREFIX}{number}{{totp_value_0}}"),
                totp_details: TotpDetails {
                    period_millis: (u64::from(STEP_SECONDS) * 1_000).to_string(),
                    algorithm: "TOTP_SHA1",
                    parameters: [TotpParameters {
                        key: secret,
                        value_length: CODE_DIGITS,
                    }],
                },
                alternate_text: number,
            },
        }
    }
}
