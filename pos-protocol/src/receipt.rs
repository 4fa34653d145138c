//! The receipt as the till printed it, and what makes one well-formed.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::Yen;

/// Lines on one receipt, at most.
pub const LINES_MAX: usize = 1_000;
/// Characters in a receipt number, SKU, name or category, at most.
pub const TEXT_CHARS_MAX: usize = 200;

/// A receipt. Amounts include tax, as Japanese shelf prices do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The number printed on the receipt.
    pub number: String,
    /// The store's business day the sale belongs to.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub business_date: Date,
    /// When the sale happened, on the till's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub occurred_at: Timestamp,
    /// What was sold; 1 to 1,000 lines with distinct `line_no`.
    pub lines: Vec<ReceiptLine>,
    /// Sum of the lines' amounts, tax included.
    pub total: Yen,
    /// Consumption tax contained in `total`.
    pub tax: Yen,
}

/// One line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReceiptLine {
    /// The line's number on the receipt; refunds name it.
    pub line_no: u32,
    /// The article's code.
    pub sku: String,
    /// The article's name.
    pub name: String,
    /// The article's category; lots of limited use name categories.
    pub category: String,
    /// Pieces, at least 1. Goods sold by weight count as one piece.
    pub quantity: u32,
    /// The whole line in yen, tax included, after discounts.
    pub amount: Yen,
    /// Consumption tax rate in per cent (8 or 10 in 2026; 0 for what is not taxed).
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub tax_rate: u8,
}

/// What is wrong with a receipt, with a JSON pointer to the place below `/receipt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptViolation {
    /// JSON pointer from the receipt's own root, for example `/lines/3/quantity`.
    pub pointer: String,
    /// What is wrong, in plain words.
    pub detail: String,
}

impl fmt::Display for ReceiptViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.detail)
    }
}

impl Receipt {
    /// The first thing that makes the receipt malformed, if any: counts, texts, duplicate line
    /// numbers, zero quantities, a total that is not the sum of the lines, a tax above the total.
    #[must_use]
    pub fn violation(&self) -> Option<ReceiptViolation> {
        let found = |pointer: String, detail: String| Some(ReceiptViolation { pointer, detail });
        if let Some(detail) = bad_text(&self.number) {
            return found("/number".into(), detail);
        }
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return found(
                "/lines".into(),
                format!("{} lines; a receipt has 1 to {LINES_MAX}", self.lines.len()),
            );
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            for (field, text) in [
                ("sku", &line.sku),
                ("name", &line.name),
                ("category", &line.category),
            ] {
                if let Some(detail) = bad_text(text) {
                    return found(format!("/lines/{index}/{field}"), detail);
                }
            }
            if line.quantity == 0 {
                return found(
                    format!("/lines/{index}/quantity"),
                    "the quantity is zero".into(),
                );
            }
            if line.tax_rate > 100 {
                return found(
                    format!("/lines/{index}/tax_rate"),
                    "a tax rate is 0 to 100 per cent".into(),
                );
            }
            if !seen.insert(line.line_no) {
                return found(
                    format!("/lines/{index}/line_no"),
                    format!("line_no {} appears twice", line.line_no),
                );
            }
        }
        let sum = self
            .lines
            .iter()
            .try_fold(Yen::ZERO, |sum, line| sum.checked_add(line.amount));
        if sum != Some(self.total) {
            let detail = match sum {
                Some(sum) => format!("the lines add up to {sum}, not {}", self.total),
                None => format!("the lines add up to more than {}", Yen::MAX),
            };
            return found("/total".into(), detail);
        }
        if self.tax > self.total {
            return found("/tax".into(), "the tax is more than the total".into());
        }
        None
    }
}

fn bad_text(text: &str) -> Option<String> {
    let chars = text.chars().count();
    if chars > TEXT_CHARS_MAX {
        Some(format!("{chars} characters; at most {TEXT_CHARS_MAX}"))
    } else if text.is_empty() {
        Some("the text is empty".into())
    } else if text.chars().any(char::is_control) {
        Some("the text has a control character".into())
    } else {
        None
    }
}
