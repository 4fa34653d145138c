//! One card text, one basket: the binding that makes a scanned text usable once.

use jiff::Timestamp;
use member_card::{CardId, SpendLimit};
use pos_protocol::{BasketId, MemberId, PurchaseId, StoreId, TerminalId};

use crate::identity::IdentityKey;

/// SHA-256 of a one-time short code's digits.
pub type ShortCodeHash = [u8; 32];

/// What one use is counted by. Never the text or the signature: two of each can be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseKey {
    /// A signed card text: card and the second it was made for.
    Text {
        /// The card.
        card_id: CardId,
        /// Unix seconds on the phone's corrected clock.
        issued_at: u32,
    },
    /// A one-time short code.
    ShortCode(ShortCodeHash),
}

/// The till that asks, as its token names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Till {
    /// The terminal.
    pub terminal_id: TerminalId,
    /// Its store.
    pub store_id: StoreId,
}

/// The basket a text serves, and what it has done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The terminal of the basket.
    pub terminal_id: TerminalId,
    /// The basket.
    pub basket_id: BasketId,
    /// First use.
    pub bound_at: Timestamp,
    /// The basket's purchase, once it is complete and not reversed.
    pub purchase_id: Option<PurchaseId>,
}

impl Binding {
    /// A new binding with nothing done yet.
    #[must_use]
    pub fn new(till: &Till, basket_id: &BasketId, bound_at: Timestamp) -> Self {
        Self {
            terminal_id: till.terminal_id.clone(),
            basket_id: basket_id.clone(),
            bound_at,
            purchase_id: None,
        }
    }

    /// Whether it is this basket's.
    #[must_use]
    pub fn serves(&self, till: &Till, basket_id: &BasketId) -> bool {
        self.terminal_id == till.terminal_id && self.basket_id == *basket_id
    }
}

/// A signed card text that was used. Its existence is the proof: (card id, issued at) is unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardUse {
    /// The card.
    pub card_id: CardId,
    /// The second the text was made for.
    pub issued_at: u32,
    /// Whose card it was then.
    pub member_id: MemberId,
    /// What the shopper allowed in this text.
    pub spend: SpendLimit,
    /// The basket it serves.
    pub binding: Binding,
}

/// A one-time short code, made for a phone that is online; or what a plastic card's number, or an order
/// of a shop's customer, stands for in one basket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortCode {
    /// SHA-256 of its digits, which are not kept; or of what names the basket.
    pub hash: ShortCodeHash,
    /// The card that asked for it, or whose number it is; none for a shop's customer.
    pub card_id: Option<CardId>,
    /// Whose.
    pub member_id: MemberId,
    /// What the shopper allowed.
    pub spend: SpendLimit,
    /// First use must come before this.
    pub expires_at: Timestamp,
    /// The basket it serves, once used.
    pub binding: Option<Binding>,
}

/// What a till read from a card and the gateway found to be genuine. A genuine text says nothing yet
/// of the card's standing; that is decided under the member's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardProof {
    /// A card text whose signature holds.
    Text {
        /// The card.
        card_id: CardId,
        /// The second it was made for.
        issued_at: u32,
        /// What the shopper allowed.
        spend: SpendLimit,
    },
    /// Twenty digits that look like a short code.
    ShortCode(ShortCodeHash),
    /// A wallet pass whose one-time password fits.
    Pass {
        /// The card.
        card_id: CardId,
        /// The second at which the password's step begins.
        step_at: u32,
    },
    /// A plastic card's number, as it is used in one basket.
    Number {
        /// The card.
        card_id: CardId,
        /// Hash of card, terminal and basket.
        used: ShortCodeHash,
    },
    /// A customer whom an EC shop has signed in, as it is used for one order.
    Customer {
        /// The shop's customer.
        key: IdentityKey,
        /// Hash of shop and order.
        used: ShortCodeHash,
    },
    /// Anything else: malformed, unknown, wrongly signed. One decline for all.
    NotGenuine,
}

impl CardProof {
    /// The use it would be counted by.
    #[must_use]
    pub fn use_key(&self) -> Option<UseKey> {
        match *self {
            Self::Text {
                card_id, issued_at, ..
            } => Some(UseKey::Text { card_id, issued_at }),
            Self::Pass { card_id, step_at } => Some(UseKey::Text {
                card_id,
                issued_at: step_at,
            }),
            Self::ShortCode(hash)
            | Self::Number { used: hash, .. }
            | Self::Customer { used: hash, .. } => Some(UseKey::ShortCode(hash)),
            Self::NotGenuine => None,
        }
    }
}
