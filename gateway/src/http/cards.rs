//! What cards are known by, ready to verify: public keys of phones, keyed hashes of numbers.
//!
//! What a card is known by never changes: the card id is made of it. So it may be kept for as long as there is
//! room. Whether the card is good is another question, asked every time: under the member's lock when
//! a till asks, of the store when the phone does. The member kept here only finds the lane of a
//! command, where a stale one costs time and nothing else.

use std::sync::Arc;

use ledger::member::{Card, CardKind, CardStatus};
use member_card::{CardId, PublicKey};
use moka::sync::Cache;
use pos_protocol::MemberId;

use super::card_reads::CardReads;
use crate::{
    limits,
    store::{Store, StoreError},
};

/// What a card is known by.
#[derive(Debug, Clone)]
enum CardKey {
    /// A phone signs with it.
    Phone(PublicKey),
    /// A card that is a number never signs; this is the number's keyed hash.
    Number(CardKind, [u8; 32]),
}

/// A card whose key is ready.
#[derive(Debug, Clone)]
pub(super) struct KnownCard {
    key: CardKey,
    pub(super) member_id: MemberId,
}

impl KnownCard {
    /// The key of a phone; none for a card that is a number, which vouches for nothing.
    pub(super) fn public_key(&self) -> Option<&PublicKey> {
        match &self.key {
            CardKey::Phone(key) => Some(key),
            CardKey::Number(..) => None,
        }
    }

    /// Whether it is the card of this kind that is the number with this hash.
    pub(super) fn is_number(&self, kind: CardKind, hash: &[u8; 32]) -> bool {
        matches!(&self.key, CardKey::Number(known, key) if *known == kind && key == hash)
    }
}

pub(super) struct CardKeys {
    reads: CardReads,
    known: Cache<CardId, Arc<KnownCard>>,
}

/// A card as the store has it now, with its key ready.
pub(super) struct CardNow {
    pub(super) known: Arc<KnownCard>,
    pub(super) status: CardStatus,
}

impl CardKeys {
    pub(super) fn new(store: Store) -> Self {
        Self {
            reads: CardReads::start(store),
            known: Cache::new(limits::CARD_CACHE_ENTRIES_MAX),
        }
    }

    /// The key of a card and who had it last; none if no such card was enrolled.
    pub(super) async fn key(&self, id: CardId) -> Result<Option<Arc<KnownCard>>, StoreError> {
        if let Some(known) = self.known.get(&id) {
            return Ok(Some(known));
        }
        Ok(self.now(id).await?.map(|card| card.known))
    }

    /// The card as it is now; none if no such card was enrolled.
    pub(super) async fn now(&self, id: CardId) -> Result<Option<CardNow>, StoreError> {
        let Some(card) = self.reads.card(id).await? else {
            return Ok(None);
        };
        let kept = self
            .known
            .get(&id)
            .filter(|known| known.member_id == card.member_id);
        let known = match kept {
            Some(known) => known,
            None => {
                let known = Arc::new(ready(&card)?);
                self.known.insert(id, known.clone());
                known
            }
        };
        Ok(Some(CardNow {
            known,
            status: card.status,
        }))
    }
}

fn ready(card: &Card) -> Result<KnownCard, StoreError> {
    let key = match card.kind {
        CardKind::Device => PublicKey::from_sec1(&card.public_key)
            .ok()
            .filter(|key| key.card_id() == card.id)
            .map(CardKey::Phone),
        kind @ (CardKind::Wallet | CardKind::Plastic) => {
            <[u8; 32]>::try_from(card.public_key.as_slice())
                .ok()
                .filter(|hash| CardId::of_number(hash) == card.id)
                .map(|hash| CardKey::Number(kind, hash))
        }
    };
    let key = key.ok_or_else(|| StoreError::Corrupt(format!("the key of card {}", card.id)))?;
    Ok(KnownCard {
        key,
        member_id: card.member_id,
    })
}
