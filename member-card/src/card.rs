//! What a card says, and the step from "says" to "proved".
//!
//! Invariants: a [`SignedCard`] keeps the bytes it was read from and verifies those; a
//! [`VerifiedCard`] exists only after the signature was checked with the key whose hash is the card
//! id; both verifiers always agree; on this side of aws-lc,
//! verifying allocates nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{CardId, ProgrammeId};
use crate::key::PublicKey;
use crate::text::{CardText, FLAG_SPEND, NO_LIMIT, SIGNED_BYTES, VERSION};

/// What the shopper allows this card to spend in its basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendLimit {
    /// The card earns points and spends none.
    EarnOnly,
    /// At most this many points, up to [`SpendLimit::POINTS_MAX`]. Zero is a card that may spend nothing
    /// in a basket that may spend.
    UpTo(u32),
    /// No limit of the shopper's own.
    Unlimited,
}

impl SpendLimit {
    /// The largest limit a card can name, in points; one more means "no limit".
    pub const POINTS_MAX: u32 = NO_LIMIT - 1;

    /// Whether the card may spend at all.
    pub fn allows_spending(self) -> bool {
        self != Self::EarnOnly
    }

    /// Whether the card may spend `points` in its basket.
    pub fn allows(self, points: u64) -> bool {
        match self {
            Self::EarnOnly => points == 0,
            Self::UpTo(limit) => points <= u64::from(limit),
            Self::Unlimited => true,
        }
    }
}

/// What a phone decides about a text before it signs it. The card id follows from the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardFields {
    /// When the text was made: Unix seconds, on the phone's clock as corrected by the gateway's.
    pub issued_at: u32,
    /// What the shopper allows.
    pub spend: SpendLimit,
}

/// The one use of a text: what a basket is bound to.
///
/// The text and the signature are no key for anything: one use has several valid texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardUse {
    /// The card.
    pub card_id: CardId,
    /// The second the text was made in, Unix.
    pub issued_at: u32,
}

/// What a text says, before anybody vouched for it. Enough to look the card's key up, and no more.
#[derive(Clone, Copy)]
pub struct SignedCard {
    text: CardText,
    card_id: CardId,
    fields: CardFields,
}

/// Why a card was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The key is not the one the card names.
    #[error("the card names another key")]
    OtherKey,
    /// The signature does not fit the bytes, the key and the programme.
    #[error("the signature is wrong")]
    BadSignature,
}

impl SignedCard {
    pub(crate) fn from_text(text: CardText) -> Self {
        let b = text.bytes();
        let card_id = CardId::new(u64::from_be_bytes([
            b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8],
        ]));
        let issued_at = u32::from_be_bytes([b[9], b[10], b[11], b[12]]);
        let limit = u32::from_be_bytes([0, b[13], b[14], b[15]]);
        let spend = match (b[0] & FLAG_SPEND != 0, limit) {
            (false, _) => SpendLimit::EarnOnly,
            (true, NO_LIMIT) => SpendLimit::Unlimited,
            (true, limit) => SpendLimit::UpTo(limit),
        };
        Self {
            text,
            card_id,
            fields: CardFields { issued_at, spend },
        }
    }

    /// The card the text claims to be.
    pub fn card_id(&self) -> CardId {
        self.card_id
    }

    /// The second it claims to have been made in, Unix.
    pub fn issued_at(&self) -> u32 {
        self.fields.issued_at
    }

    /// What it claims the shopper allows.
    pub fn spend(&self) -> SpendLimit {
        self.fields.spend
    }

    /// The text it was read from.
    pub fn text(&self) -> &CardText {
        &self.text
    }

    /// Checks the signature with aws-lc-rs: the gateway's way.
    pub fn verify(
        &self,
        key: &PublicKey,
        programme: &ProgrammeId,
    ) -> Result<VerifiedCard, VerifyError> {
        self.verify_with(key, programme, |m, s| key.verify_message(m, s))
    }

    /// Checks the signature with p256: the reference, several times slower, same answer.
    pub fn verify_portable(
        &self,
        key: &PublicKey,
        programme: &ProgrammeId,
    ) -> Result<VerifiedCard, VerifyError> {
        self.verify_with(key, programme, |m, s| key.verify_message_portable(m, s))
    }

    fn verify_with(
        &self,
        key: &PublicKey,
        programme: &ProgrammeId,
        verify: impl FnOnce(&[u8], &[u8; 64]) -> Result<(), VerifyError>,
    ) -> Result<VerifiedCard, VerifyError> {
        if key.card_id() != self.card_id {
            return Err(VerifyError::OtherKey);
        }
        let Some((head, signature)) = self.text.bytes().split_first_chunk::<SIGNED_BYTES>() else {
            return Err(VerifyError::BadSignature);
        };
        let Ok(signature) = signature.try_into() else {
            return Err(VerifyError::BadSignature);
        };
        verify(SignedMessage::new(programme, head).as_slice(), signature)?;
        Ok(VerifiedCard {
            card_id: self.card_id,
            fields: self.fields,
        })
    }
}

impl fmt::Debug for SignedCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCard")
            .field("card_id", &self.card_id)
            .field("issued_at", &self.fields.issued_at)
            .field("spend", &self.fields.spend)
            .finish_non_exhaustive()
    }
}

/// A card whose signature was checked with its own key, for one programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedCard {
    card_id: CardId,
    fields: CardFields,
}

impl VerifiedCard {
    /// The card.
    pub fn card_id(&self) -> CardId {
        self.card_id
    }

    /// The second the text was made in, Unix.
    pub fn issued_at(&self) -> u32 {
        self.fields.issued_at
    }

    /// What the shopper allows.
    pub fn spend(&self) -> SpendLimit {
        self.fields.spend
    }

    /// What the text may be used for once.
    pub fn card_use(&self) -> CardUse {
        CardUse {
            card_id: self.card_id,
            issued_at: self.fields.issued_at,
        }
    }
}

const DOMAIN: &[u8] = b"member-card.v1\0";
const MESSAGE_BYTES_MAX: usize = DOMAIN.len() + ProgrammeId::BYTES_MAX + 1 + SIGNED_BYTES;

/// The bytes a card signs: domain, programme and the first 16 bytes of the card, on the stack.
pub(crate) struct SignedMessage {
    buffer: [u8; MESSAGE_BYTES_MAX],
    length: usize,
}

impl SignedMessage {
    pub(crate) fn new(programme: &ProgrammeId, head: &[u8; SIGNED_BYTES]) -> Self {
        let mut message = Self {
            buffer: [0; MESSAGE_BYTES_MAX],
            length: 0,
        };
        for part in [DOMAIN, programme.as_str().as_bytes(), b"\0", head] {
            // A programme id is at most 64 bytes by construction, so every part fits.
            message.buffer[message.length..][..part.len()].copy_from_slice(part);
            message.length += part.len();
        }
        message
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

/// Writes the first 16 bytes of a card. `None` if the spend limit is too large to be written.
pub(crate) fn head(card_id: CardId, fields: CardFields) -> Option<[u8; SIGNED_BYTES]> {
    let (flags, limit) = match fields.spend {
        SpendLimit::EarnOnly => (0, 0),
        SpendLimit::UpTo(limit) if limit > SpendLimit::POINTS_MAX => return None,
        SpendLimit::UpTo(limit) => (FLAG_SPEND, limit),
        SpendLimit::Unlimited => (FLAG_SPEND, NO_LIMIT),
    };
    let mut head = [0; SIGNED_BYTES];
    head[0] = VERSION << 4 | flags;
    head[1..9].copy_from_slice(&card_id.get().to_be_bytes());
    head[9..13].copy_from_slice(&fields.issued_at.to_be_bytes());
    head[13..16].copy_from_slice(&limit.to_be_bytes()[1..]);
    Some(head)
}
