//! `pass.json`: what a card says and how it looks.

use std::collections::HashSet;

use serde::Serialize;

use super::{BarcodeFormat, Config, Pass};

/// The texts on a card. Each place holds few: a header takes about three, the front four below the strip.
#[derive(Clone, Default)]
pub struct Fields {
    /// At the top right, seen even in the stack of cards.
    pub header: Vec<Field>,
    /// Large, over the strip.
    pub primary: Vec<Field>,
    /// Below.
    pub secondary: Vec<Field>,
    /// Below those.
    pub auxiliary: Vec<Field>,
    /// On the back.
    pub back: Vec<Field>,
}

/// One text with its label.
#[derive(Clone, Serialize)]
pub struct Field {
    /// Tells it from all other fields of the card.
    pub key: String,
    /// What it is.
    pub label: String,
    /// The text itself.
    pub value: FieldValue,
}

/// What a field says.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// A number, which the phone writes in the reader's way.
    Number(i64),
}

impl Fields {
    /// A key that occurs twice.
    pub(super) fn repeated_key(&self) -> Option<&str> {
        let mut seen = HashSet::new();
        [
            &self.header,
            &self.primary,
            &self.secondary,
            &self.auxiliary,
            &self.back,
        ]
        .into_iter()
        .flatten()
        .map(|field| field.key.as_str())
        .find(|key| !seen.insert(*key))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PassJson<'a> {
    format_version: u8,
    pass_type_identifier: &'a str,
    team_identifier: &'a str,
    serial_number: &'a str,
    organization_name: &'a str,
    description: &'a str,
    logo_text: &'a str,
    foreground_color: String,
    background_color: String,
    label_color: String,
    store_card: StoreCard<'a>,
    barcodes: [Barcode<'a>; 1],
    /// For phones that know no `barcodes`; only formats that those know.
    barcode: Barcode<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreCard<'a> {
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    header_fields: &'a [Field],
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    primary_fields: &'a [Field],
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    secondary_fields: &'a [Field],
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    auxiliary_fields: &'a [Field],
    #[serde(skip_serializing_if = "<[Field]>::is_empty")]
    back_fields: &'a [Field],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Barcode<'a> {
    format: &'static str,
    message: &'a str,
    message_encoding: &'static str,
    alt_text: &'a str,
}

impl<'a> Barcode<'a> {
    fn new(pass: &'a Pass<'a>, format: BarcodeFormat) -> Self {
        Self {
            format: match format {
                BarcodeFormat::Qr => "PKBarcodeFormatQR",
                BarcodeFormat::Code128 => "PKBarcodeFormatCode128",
            },
            message: pass.number.as_str(),
            message_encoding: "iso-8859-1",
            alt_text: pass.number.as_str(),
        }
    }
}

/// The bytes of `pass.json`.
pub(super) fn json(config: &Config, pass: &Pass<'_>) -> serde_json::Result<Vec<u8>> {
    let fields = &pass.fields;
    serde_json::to_vec(&PassJson {
        format_version: 1,
        pass_type_identifier: &config.pass_type_identifier,
        team_identifier: &config.team_identifier,
        serial_number: pass.serial_number,
        organization_name: &config.organization_name,
        description: pass.description,
        logo_text: pass.logo_text,
        foreground_color: pass.foreground.rgb(),
        background_color: pass.background.rgb(),
        label_color: pass.foreground.rgb(),
        store_card: StoreCard {
            header_fields: &fields.header,
            primary_fields: &fields.primary,
            secondary_fields: &fields.secondary,
            auxiliary_fields: &fields.auxiliary,
            back_fields: &fields.back,
        },
        barcodes: [Barcode::new(pass, pass.barcode)],
        barcode: Barcode::new(pass, BarcodeFormat::Qr),
    })
}
