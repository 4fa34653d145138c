//! From a scanned text to what the ledger may believe of it.
//!
//! Malformed, unknown and wrongly signed texts all become [`CardProof::NotGenuine`]: one decline, so
//! that nobody learns from the answer how far a forgery came. What is short enough to be tried is paid
//! for with [`guesses`](super::super::guesses).

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use ledger::card_use::{CardProof, ShortCodeHash, Till};
use member_card::{CardText, ScannedText};
use pos_protocol::{BasketId, MemberId};

use super::{
    super::{App, problem::Problem},
    number,
};
use crate::limits;

/// Where and when a text was scanned.
pub(in crate::http) struct Scan<'a> {
    pub(in crate::http) till: &'a Till,
    pub(in crate::http) basket_id: &'a BasketId,
    /// Now, or what an advice says.
    pub(in crate::http) at: Timestamp,
}

/// A card that was read, and whose it was when it was last seen.
pub(in crate::http) struct ReadCard {
    pub(in crate::http) proof: CardProof,
    pub(in crate::http) member_hint: Option<MemberId>,
}

impl ReadCard {
    pub(super) fn not_genuine() -> Self {
        Self {
            proof: CardProof::NotGenuine,
            member_hint: None,
        }
    }
}

/// Reads a scanned text, and verifies its signature or password.
///
/// # Errors
/// A problem if the store cannot be asked for the card.
pub(in crate::http) async fn read(
    app: &App,
    text: &str,
    scan: &Scan<'_>,
) -> Result<ReadCard, Problem> {
    if text.len() > limits::CARD_TEXT_BYTES_MAX {
        return Ok(ReadCard::not_genuine());
    }
    match ScannedText::parse(text) {
        Ok(ScannedText::MemberCard(card)) => verify(app, &card).await,
        Ok(ScannedText::ShortCode(code)) => number::short_code(app, code.as_str(), scan).await,
        Ok(ScannedText::WalletPass(pass)) => number::wallet_pass(app, &pass, scan).await,
        Ok(ScannedText::OtherDigits(digits)) => number::plastic(app, &digits, scan).await,
        Err(_) => Ok(ReadCard::not_genuine()),
    }
}

async fn verify(app: &App, text: &CardText) -> Result<ReadCard, Problem> {
    let signed = text.decode();
    let Some(known) = app.cards.key(signed.card_id()).await? else {
        return Ok(ReadCard::not_genuine());
    };
    let Some(key) = known.public_key() else {
        return Ok(ReadCard::not_genuine());
    };
    let Ok(card) = signed.verify(key, &app.settings().programme) else {
        return Ok(ReadCard::not_genuine());
    };
    let proof = CardProof::Text {
        card_id: card.card_id(),
        issued_at: card.issued_at(),
        spend: card.spend(),
    };
    Ok(ReadCard {
        proof,
        member_hint: Some(known.member_id),
    })
}

/// What is kept of a short code's twenty digits.
pub(in crate::http) fn short_code_hash(digits: &str) -> ShortCodeHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, digits.as_bytes()).as_ref());
    hash
}
