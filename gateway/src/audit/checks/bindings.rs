//! Card texts and short codes: one use, one basket.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    card_use::{Binding, ShortCode, UseKey},
    records::{Purchase, PurchaseState},
};
use pos_protocol::{BasketId, PurchaseId, TerminalId};

use super::super::{rows::MemberRows, tally::Tally};

pub(super) fn one_basket(rows: &MemberRows, tally: &mut Tally) {
    let (bindings, of_orders) = (rows.bindings(), rows.of_orders());
    // Another customer may have held points for an order before; then the order is bound there.
    let bound_here =
        |row: &&Purchase| !of_orders.contains(&row.id) || bindings.contains_key(&row.used);
    let holds = rows.authorizations.iter().map(|row| {
        let basket = (&row.terminal_id, &row.basket_id);
        ("authorizations", row.id.as_uuid(), row.used, basket)
    });
    let purchases = rows.purchases.iter().filter(bound_here).map(|row| {
        let basket = (&row.terminal_id, &row.basket_id);
        ("purchases", row.id.as_uuid(), row.used, basket)
    });
    for (table, id, used, basket) in holds.chain(purchases) {
        let binding = bindings.get(&used).copied().flatten();
        tally.expect(
            binding.is_some_and(|binding| serves(binding, basket)),
            table,
            id,
            || match binding {
                Some(other) => format!(
                    "it is of basket {} of {}, and {} serves basket {} of {}",
                    basket.1,
                    basket.0,
                    name(used),
                    other.basket_id,
                    other.terminal_id
                ),
                None => format!("{} was never bound to a basket", name(used)),
            },
        );
    }
}

fn serves(binding: &Binding, (terminal_id, basket_id): (&TerminalId, &BasketId)) -> bool {
    binding.terminal_id == *terminal_id && binding.basket_id == *basket_id
}

/// A use by its key; a short code's digits are not known here.
fn name(used: UseKey) -> String {
    match used {
        UseKey::Text { card_id, issued_at } => {
            format!("the text of card {card_id} for {issued_at}")
        }
        UseKey::ShortCode(_) => "its short code".to_owned(),
    }
}

pub(super) fn one_purchase(rows: &MemberRows, tally: &mut Tally) {
    let mut standing: BTreeMap<UseKey, Vec<PurchaseId>> = BTreeMap::new();
    for purchase in &rows.purchases {
        if purchase.state == PurchaseState::Completed {
            standing.entry(purchase.used).or_default().push(purchase.id);
        }
    }
    for (used, purchases) in &standing {
        let others = purchases.iter().skip(1);
        tally.expect(purchases.len() == 1, "purchases", purchases[0], || {
            let others: Vec<_> = others.map(ToString::to_string).collect();
            format!("{} also paid for {}", name(*used), others.join(", "))
        });
    }
    let own: BTreeSet<_> = rows.purchases.iter().map(|row| row.id).collect();
    let of_order = |row: &&ShortCode| row.card_id.is_none();
    let orders = rows.short_codes.iter().filter(of_order);
    let orders: BTreeSet<_> = orders.map(|row| UseKey::ShortCode(row.hash)).collect();
    for (used, binding) in rows.bindings() {
        let named = binding.and_then(|binding| binding.purchase_id);
        // Who held points for an order need not be who ordered.
        let elsewhere = named.is_some_and(|id| !own.contains(&id));
        if elsewhere && orders.contains(&used) {
            continue;
        }
        let stands = standing.get(&used).and_then(|purchases| purchases.first());
        let table = match used {
            UseKey::Text { .. } => "card_uses",
            UseKey::ShortCode(_) => "short_codes",
        };
        tally.expect(named.as_ref() == stands, table, name(used), || {
            let text = |id: Option<&PurchaseId>| id.map_or("none".into(), ToString::to_string);
            format!(
                "it names purchase {}, the purchase that stands is {}",
                text(named.as_ref()),
                text(stands)
            )
        });
    }
}
