//! Orders of EC shops against the purchases that stand for them.

use std::collections::BTreeMap;

use ledger::{
    order::{NO_LINE, Order},
    records::{Purchase, PurchaseState},
};
use pos_protocol::PurchaseId;

use super::super::{rows::MemberRows, tally::Tally};

fn key(order: &Order) -> String {
    format!("{}/{}", order.shop_id, order.id)
}

pub(super) fn purchases(rows: &MemberRows, tally: &mut Tally) {
    let of_orders = rows.of_orders();
    let mut named: BTreeMap<PurchaseId, u32> = BTreeMap::new();
    for order in &rows.orders {
        let Some(purchase_id) = order.purchase_id else {
            // The order has none, and that is all there is to hold it to.
            tally.expect(true, "ec_orders", key(order), String::new);
            continue;
        };
        *named.entry(purchase_id).or_default() += 1;
        let purchase = rows.purchases.iter().find(|row| row.id == purchase_id);
        tally.expect(purchase.is_some(), "ec_orders", key(order), || {
            format!("the member has no purchase {purchase_id}")
        });
        if let Some(purchase) = purchase {
            let fault = fault(order, purchase);
            tally.expect(fault.is_none(), "ec_orders", key(order), || {
                fault.unwrap_or_default()
            });
        }
    }
    for purchase in rows
        .purchases
        .iter()
        .filter(|row| of_orders.contains(&row.id) || named.contains_key(&row.id))
    {
        let stands = purchase.state == PurchaseState::Completed;
        let count = named.get(&purchase.id).copied().unwrap_or_default();
        tally.expect(count == u32::from(stands), "purchases", purchase.id, || {
            format!(
                "it is {}, and {count} orders name it",
                purchase.state.word()
            )
        });
    }
}

/// Why a purchase does not stand for an order.
fn fault(order: &Order, purchase: &Purchase) -> Option<String> {
    let Purchase {
        terminal_id,
        basket_id,
        receipt,
        ..
    } = purchase;
    if *terminal_id != order.terminal_id || basket_id.as_str() != order.id.as_str() {
        return Some(format!(
            "its purchase is of basket {basket_id} of {terminal_id}, the order of {}",
            order.terminal_id
        ));
    }
    let Some(described) = &order.facts.described else {
        return Some("it has a purchase, and nobody said what was ordered".to_owned());
    };
    let placed = &described.placed;
    let pieces = placed.lines.iter().map(|line| (line.quantity, line.amount));
    let sold = receipt
        .lines
        .iter()
        .map(|line| (line.quantity, line.amount));
    let fee = (placed.shipping_fee.get() > 0).then_some((1, placed.shipping_fee));
    if !sold.eq(pieces.chain(fee)) || receipt.total != placed.total {
        return Some(format!(
            "{} yen were ordered, its purchase sold other goods for {}",
            placed.total, receipt.total
        ));
    }
    None
}

pub(super) fn returned(rows: &MemberRows, tally: &mut Tally) {
    for order in &rows.orders {
        let purchase = order
            .purchase_id
            .and_then(|id| rows.purchases.iter().find(|row| row.id == id));
        let (Some(purchase), Some(described)) = (purchase, &order.facts.described) else {
            continue;
        };
        let told = order.facts.returned(&described.placed);
        let mut by_shop: BTreeMap<u32, u32> = BTreeMap::new();
        let refunds = rows.refunds.iter();
        for refund in refunds.filter(|row| row.purchase_id == purchase.id) {
            // A till that takes the goods back has its own request.
            if refund.terminal_id != order.terminal_id {
                continue;
            }
            for (line_no, pieces) in &refund.lines {
                let sum = by_shop.entry(*line_no).or_default();
                *sum = sum.saturating_add(*pieces);
            }
        }
        let of = |lines: &BTreeMap<u32, u32>, line_no| lines.get(&line_no).copied().unwrap_or(0);
        for (line_no, pieces) in &by_shop {
            let most = of(&told, *line_no);
            // Once the order is cancelled its yen for no line are part of its lines.
            let gone = *line_no == NO_LINE && order.facts.cancelled;
            tally.expect(gone || *pieces <= most, "ec_orders", key(order), || {
                format!("{pieces} of line {line_no} were taken back, the shop told of {most}")
            });
        }
        for (line_no, pieces) in told.iter().filter(|(line_no, _)| **line_no != NO_LINE) {
            let back = of(&purchase.refunded, *line_no);
            tally.expect(back >= *pieces, "ec_orders", key(order), || {
                format!("the shop told of {pieces} of line {line_no}, {back} were taken back")
            });
        }
    }
}
