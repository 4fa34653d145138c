//! Cards and what was made with them.

use std::collections::BTreeSet;

use member_card::PublicKey;

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn named_by_key(rows: &MemberRows, tally: &mut Tally) {
    for card in &rows.cards {
        let named = PublicKey::from_sec1(&card.public_key).map(|key| key.card_id());
        tally.expect(named == Ok(card.id), "cards", card.id, || match named {
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
        tally.expect(known.contains(&row.card_id), "short_codes", key, || {
            format!("the member has no card {}", row.card_id)
        });
    }
}
