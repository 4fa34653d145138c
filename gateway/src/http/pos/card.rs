//! From a scanned text to what the ledger may believe of it.
//!
//! Malformed, unknown and wrongly signed texts all become [`CardProof::NotGenuine`]: one decline, so
//! that nobody learns from the answer how far a forgery came.

use aws_lc_rs::digest::{SHA256, digest};
use ledger::card_use::{CardProof, ShortCodeHash};
use member_card::{CardText, ScannedText};
use pos_protocol::MemberId;

use super::super::{App, problem::Problem};
use crate::limits;

/// A card that was read, and whose it was when it was last seen.
pub(super) struct ReadCard {
    pub(super) proof: CardProof,
    pub(super) member_hint: Option<MemberId>,
}

impl ReadCard {
    fn not_genuine() -> Self {
        Self {
            proof: CardProof::NotGenuine,
            member_hint: None,
        }
    }
}

/// Reads a scanned text and verifies its signature.
///
/// # Errors
/// A problem if the store cannot be asked for the key.
pub(super) async fn read(app: &App, text: &str) -> Result<ReadCard, Problem> {
    if text.len() > limits::CARD_TEXT_BYTES_MAX {
        return Ok(ReadCard::not_genuine());
    }
    match ScannedText::parse(text) {
        Ok(ScannedText::MemberCard(card)) => verify(app, &card).await,
        Ok(ScannedText::ShortCode(code)) => {
            let hash = short_code_hash(code.as_str());
            let member_hint = app.store().short_code_owner(&hash).await?;
            Ok(ReadCard {
                proof: CardProof::ShortCode(hash),
                member_hint,
            })
        }
        // Wallet passes and plastic cards lead to nobody yet.
        Ok(_) | Err(_) => Ok(ReadCard::not_genuine()),
    }
}

async fn verify(app: &App, text: &CardText) -> Result<ReadCard, Problem> {
    let signed = text.decode();
    let Some(known) = app.cards.key(signed.card_id()).await? else {
        return Ok(ReadCard::not_genuine());
    };
    let Ok(card) = signed.verify(&known.key, &app.settings().programme) else {
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
