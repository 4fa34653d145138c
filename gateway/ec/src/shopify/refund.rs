//! Shopify's refunds: lines that came back, and yen that were given back for no line.
//!
//! The same refund comes by itself and inside its order, and both must read the same. So nothing here looks
//! at what only the order says, such as whether its prices contain the tax.

use pos_protocol::{OrderRefund, OrderStatement, Shipped, Yen};

use super::add_pieces;
use crate::{NotUnderstood, document::Node, money::Decimal};

/// A refund told by itself.
pub(super) fn alone(root: &Node<'_>) -> Result<OrderStatement, NotUnderstood> {
    root.need("refund_line_items")?;
    Ok(OrderStatement {
        order_id: root.need("order_id")?.id()?,
        as_of: match root.get("processed_at") {
            Some(node) => node.time()?,
            None => root.need("created_at")?.time()?,
        },
        placed: None,
        paid: false,
        cancelled: false,
        shipped: Shipped::Nothing,
        refunds: refunds(std::slice::from_ref(root))?,
    })
}

/// The refunds that gave anything back.
pub(super) fn refunds(nodes: &[Node<'_>]) -> Result<Vec<OrderRefund>, NotUnderstood> {
    let mut refunds = Vec::new();
    for node in nodes {
        let mut lines = Vec::new();
        let mut goods = Decimal::ZERO;
        for line in node.list("refund_line_items")? {
            let id = line.need("line_item_id")?.id()?.to_string();
            add_pieces(&mut lines, id, line.need("quantity")?.pieces()?);
            goods = sum(&line, goods, line.decimal_or_zero("subtotal")?)?;
        }
        let paid_back = paid_back(node)?;
        let amount = if lines.is_empty() {
            match paid_back {
                Some(all) => all,
                None => beside_lines(node)?,
            }
        } else {
            let beside = beside_lines(node)?;
            // Never more than was paid back less the goods, however the platform splits the tax.
            match paid_back.and_then(|all| all.minus(goods)) {
                Some(rest) => beside.min(rest),
                None => beside,
            }
        };
        let amount = amount.nearest_yen();
        if !lines.is_empty() || amount > Yen::ZERO {
            refunds.push(OrderRefund {
                refund_id: node.need("id")?.id()?.to_string(),
                lines,
                amount,
            });
        }
    }
    Ok(refunds)
}

/// What went back to the customer, if the refund tells of payments.
fn paid_back(refund: &Node<'_>) -> Result<Option<Decimal>, NotUnderstood> {
    let mut all = None;
    for payment in refund.list("transactions")? {
        let refunds = payment.word("kind") == Some("refund");
        let failed = matches!(payment.word("status"), Some("failure" | "error"));
        if refunds && !failed {
            if let Some(currency) = payment.get("currency") {
                currency.in_yen()?;
            }
            let amount = Decimal::from(payment.need("amount")?.yen()?);
            all = Some(sum(&payment, all.unwrap_or_default(), amount)?);
        }
    }
    Ok(all)
}

/// What was given back beside the goods: shipping, and what the shop added or withheld.
///
/// Adjustments are negative where the customer gains. From version 2024-10 on, refunded shipping stands in a
/// list of its own.
fn beside_lines(refund: &Node<'_>) -> Result<Decimal, NotUnderstood> {
    let mut all = Decimal::ZERO;
    for adjustment in refund.list("order_adjustments")? {
        for key in ["amount", "tax_amount"] {
            all = sum(&adjustment, all, adjustment.decimal_or_zero(key)?.negated())?;
        }
    }
    for shipping in refund.list("refund_shipping_lines")? {
        for key in ["subtotal_amount_set", "tax_amount_set"] {
            let money = shipping.get(key).and_then(|set| set.get("shop_money"));
            if let Some(money) = money {
                all = sum(&money, all, money.decimal_or_zero("amount")?)?;
            }
        }
    }
    Ok(all)
}

fn sum(at: &Node<'_>, one: Decimal, other: Decimal) -> Result<Decimal, NotUnderstood> {
    one.plus(other)
        .ok_or_else(|| at.malformed("the amounts add up to more than 10^12"))
}
