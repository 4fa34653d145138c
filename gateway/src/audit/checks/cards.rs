//! Cards and what was made with them.

use std::collections::BTreeSet;

use ledger::member::CardKind;
use member_card::{CardId, PublicKey};

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn named_by_key(rows: &MemberRows, tally: &mut Tally) {
    for card in &rows.cards {
        let named = match card.kind {
            CardKind::Device => PublicKey::from_sec1(&card.public_key)
                .map(|key| key.card_id())
                .map_err(|error| error.to_string()),
            CardKind::Wallet | CardKind::Plastic => {
                <&[u8; 32]>::try_from(card.public_key.as_slice())
                    .map(CardId::of_number)
                    .map_err(|_| "a number's hash has 32 bytes".to_owned())
            }
        };
        let right = named.as_ref() == Ok(&card.id);
        tally.expect(right, "cards", card.id, || match named {
            Ok(other) => format!("its key is the key of card {other}"),
            Err(error) => format!("its key is none: {error}"),
        });
    }
    let known: BTreeSet<_> = rows.cards.iter().map(|card| card.id).collect();
    for row in &rows.card_uses {
        let key = format!("{}/{}", row.card_id, row.issued_at);
        tally.expect(known.contains(&row.card_id), "card_uses", key, || {
            format!("the member has no card {}", row.card_id)
        });
    }
    for row in &rows.short_codes {
        let key = data_encoding::HEXLOWER.encode(&row.hash);
        // What an order stands for belongs to no card.
        let Some(card_id) = row.card_id else { continue };
        tally.expect(known.contains(&card_id), "short_codes", key, || {
            format!("the member has no card {card_id}")
        });
    }
}
