//! Everything a till may scan as a card, told apart by prefix and length.
//!
//! Invariants: telling apart is total and bounded, whatever comes in; the prefixes 7001, 7002 and
//! 7003 are this system's own, so a card cut short by a till's input field is refused and never
//! taken for somebody's plastic-card number.

use std::fmt;

use crate::text::{CardText, CardTextError, Clean};

/// A scanned text, told apart but not yet proved to be anything.
#[derive(Clone, Debug)]
pub enum ScannedText {
    /// A signed member card, `7001…`, 199 digits.
    MemberCard(CardText),
    /// A one-time short code, `7002…`, 20 digits.
    ShortCode(ShortCode),
    /// A wallet pass with a rotating barcode, `7003…`, 24 digits.
    WalletPass(WalletPass),
    /// Digits of another origin, 1 to 64: perhaps a plastic card, whose ranges the programme configures.
    OtherDigits(String),
}

/// A one-time short code: 20 digits including `7002`. A secret while it lives; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShortCode(String);

/// What a wallet pass shows: a card number and a one-time password. `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct WalletPass {
    card_number: String,
    totp: String,
}

const SHORT_CODE_DIGITS: usize = 20;
const WALLET_PREFIX_DIGITS: usize = 4;
const WALLET_NUMBER_DIGITS: usize = 12;
const WALLET_TOTP_DIGITS: usize = 8;
const WALLET_DIGITS: usize = WALLET_PREFIX_DIGITS + WALLET_NUMBER_DIGITS + WALLET_TOTP_DIGITS;
/// Longer than any card number in use (ISO/IEC 7812 ends at 19).
const OTHER_DIGITS_MAX: usize = 64;

impl ScannedText {
    /// Tells apart what a scanner typed.
    ///
    /// Cleans as [`CardText::parse`] does, and also takes off the AIM identifier of Code 128, in which
    /// short codes and plastic cards come.
    pub fn parse(scanned: &str) -> Result<Self, CardTextError> {
        let clean = Clean::new(scanned)?;
        let digits = clean.digits();
        let wrong_length = CardTextError::WrongLength {
            digits: clean.count,
        };
        match (digits.get(..4), clean.count) {
            (Some(b"7001"), _) => CardText::from_clean(&clean).map(Self::MemberCard),
            (Some(b"7002"), SHORT_CODE_DIGITS) => Ok(Self::ShortCode(ShortCode(text(digits)))),
            (Some(b"7003"), WALLET_DIGITS) => {
                let (card_number, totp) =
                    digits[WALLET_PREFIX_DIGITS..].split_at(WALLET_NUMBER_DIGITS);
                Ok(Self::WalletPass(WalletPass {
                    card_number: text(card_number),
                    totp: text(totp),
                }))
            }
            (Some(b"7002" | b"7003"), _) => Err(wrong_length),
            (_, 1..=OTHER_DIGITS_MAX) => Ok(Self::OtherDigits(text(digits))),
            _ => Err(wrong_length),
        }
    }
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(*digit)).collect()
}

impl ShortCode {
    /// All 20 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortCode(..)")
    }
}

impl WalletPass {
    /// The 12-digit number of the pass.
    pub fn card_number(&self) -> &str {
        &self.card_number
    }

    /// The 8-digit one-time password (RFC 6238), not yet checked.
    pub fn totp(&self) -> &str {
        &self.totp
    }
}

impl fmt::Debug for WalletPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletPass")
            .field("card_number", &self.card_number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_told_apart() {
        let Ok(ScannedText::ShortCode(code)) = ScannedText::parse("]C070021234567890123456\r")
        else {
            panic!()
        };
        assert_eq!(code.as_str(), "70021234567890123456");
        let Ok(ScannedText::WalletPass(pass)) = ScannedText::parse("７00301234567890187654321")
        else {
            panic!()
        };
        assert_eq!(
            (pass.card_number(), pass.totp()),
            ("012345678901", "87654321")
        );
        let Ok(ScannedText::OtherDigits(number)) = ScannedText::parse("2999000012345") else {
            panic!()
        };
        assert_eq!(number, "2999000012345");
        assert!(matches!(
            ScannedText::parse("1"),
            Ok(ScannedText::OtherDigits(_))
        ));
    }

    #[test]
    fn a_text_cut_short_is_no_plastic_card() {
        for (scanned, digits) in [
            ("7001", 4),
            ("7001234567890123", 16),
            ("7002", 4),
            ("7002123456789012345", 19),
            ("700212345678901234567", 21),
            ("70031234567890", 14),
            ("7003123456789012345678901", 25),
        ] {
            let error = ScannedText::parse(scanned).unwrap_err();
            assert_eq!(error, CardTextError::WrongLength { digits }, "{scanned}");
        }
        let error = ScannedText::parse(&"9".repeat(65)).unwrap_err();
        assert_eq!(error, CardTextError::WrongLength { digits: 65 });
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let code = ScannedText::parse("70021234567890123456").unwrap();
        assert!(!format!("{code:?}").contains("1234"));
        let pass = ScannedText::parse("700301234567890187654321").unwrap();
        assert!(!format!("{pass:?}").contains("87654321"));
    }
}
