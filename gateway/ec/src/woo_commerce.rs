//! WooCommerce's orders, as its webhooks carry them (REST API v3).
//!
//! Line totals never contain the tax, whatever the shop's prices do, and may have fractions of a yen that only
//! their sums lose. Refunds inside an order name an amount and no lines.

use std::collections::BTreeMap;

use pos_protocol::{OrderCustomer, OrderRefund, OrderStatement, PlacedOrder, Shipped, Yen};

use crate::{
    NotUnderstood, Parsed, Platform,
    document::{Node, json},
    goods::{Goods, GoodsLine, first_text},
    money::Decimal,
    redemption::redemption,
};

/// The meaning of one webhook.
pub(crate) fn parse(topic: &str, body: &[u8]) -> Result<Parsed, NotUnderstood> {
    match topic {
        "order.created" | "order.updated" | "order.restored" => {}
        "order.deleted" => {
            return Ok(Parsed::Ignored(
                "an order in the bin may come back; it takes no goods and no money back",
            ));
        }
        _ => return Ok(Parsed::Ignored("the topic is not about orders")),
    }
    let value = json(body)?;
    let root = Node::root(&value);
    if root.is_list() {
        return Err(NotUnderstood::AnotherPlatform(Platform::EcCube4));
    }
    if root.has_any(&["financial_status", "admin_graphql_api_id", "taxes_included"]) {
        return Err(NotUnderstood::AnotherPlatform(Platform::Shopify));
    }
    let status = root.need("status")?;
    let status = root
        .word("status")
        .ok_or_else(|| status.malformed("a status is a word"))?;
    match status {
        "trash" => Ok(Parsed::Ignored("an order in the bin may come back")),
        "checkout-draft" | "auto-draft" | "draft" | "new" => {
            Ok(Parsed::Ignored("the order is not placed yet"))
        }
        _ => Parsed::statement(order(&root, status)?),
    }
}

fn order(root: &Node<'_>, status: &str) -> Result<OrderStatement, NotUnderstood> {
    root.need("currency")?.in_yen()?;
    let total = root.need("total")?.yen()?;
    let refunds = refunds(root)?;
    let given_back = Yen::total(refunds.iter().map(|refund| refund.amount));
    // A shop may mark an order as refunded by hand, with no refund that says so.
    let all_back_untold = status == "refunded" && given_back != total;
    Ok(OrderStatement {
        order_id: root.need("id")?.id()?,
        as_of: match root.get("date_modified_gmt") {
            Some(node) => node.utc_time()?,
            None => root.need("date_created_gmt")?.utc_time()?,
        },
        placed: placed(root, total)?,
        paid: is_paid(root, status),
        cancelled: status == "cancelled" || all_back_untold,
        shipped: if status == "completed" || root.text("date_completed_gmt").is_some() {
            Shipped::Everything
        } else {
            Shipped::Nothing
        },
        refunds,
    })
}

/// A failed payment may be tried again, so a failed order is unpaid and no more.
fn is_paid(root: &Node<'_>, status: &str) -> bool {
    // Cash on delivery goes to `processing` before anybody has paid.
    let on_delivery = root.word("payment_method") == Some("cod");
    match status {
        "completed" | "refunded" => true,
        "processing" if !on_delivery => true,
        "pending" | "failed" => false,
        _ => root.text("date_paid_gmt").is_some(),
    }
}

fn placed(root: &Node<'_>, total: Yen) -> Result<Option<PlacedOrder>, NotUnderstood> {
    let rates = rates(root)?;
    let mut goods = Goods {
        lines: Vec::new(),
        handling: handling(root)?,
    };
    root.need("line_items")?;
    for node in root.list("line_items")? {
        let line = line(&node, &rates)?;
        if line.quantity > 0 {
            goods.lines.push(line);
        }
    }
    if goods.lines.is_empty() {
        return Ok(None);
    }
    let settled = goods.settle(total);
    let number = match root.text("number") {
        Some(number) => number,
        None => root.need("id")?.id()?.to_string(),
    };
    Ok(Some(PlacedOrder {
        number,
        ordered_at: root.need("date_created_gmt")?.utc_time()?,
        customer: customer(root)?,
        lines: settled.lines,
        shipping_fee: settled.shipping_fee,
        total,
        tax: root.decimal_or_zero("total_tax")?.nearest_yen(),
        redemption: redemption(&root.list("meta_data")?, "key")?,
    }))
}

fn line(node: &Node<'_>, rates: &BTreeMap<String, u8>) -> Result<GoodsLine, NotUnderstood> {
    let line_id = node.need("id")?.id()?.to_string();
    let net = node.need("total")?.decimal()?;
    let tax = node.decimal_or_zero("total_tax")?;
    let taxes = node.list("taxes")?;
    let mut known = taxes
        .iter()
        .filter(|tax| tax.decimal_or_zero("total") != Ok(Decimal::ZERO))
        .filter_map(|tax| rates.get(&tax.text("id")?));
    let tax_rate = known
        .next()
        .copied()
        .unwrap_or_else(|| nearest_rate(net, tax));
    let sku = first_text(node, &["sku"]);
    let product = ["variation_id", "product_id"]
        .into_iter()
        .filter_map(|key| node.text(key))
        .find(|id| id != "0");
    let name = first_text(node, &["name", "parent_name"]);
    Ok(GoodsLine {
        sku: sku.or(product).unwrap_or_else(|| line_id.clone()),
        name: name.unwrap_or_else(|| line_id.clone()),
        line_id,
        quantity: node.need("quantity")?.pieces()?,
        worth: net
            .plus(tax)
            .ok_or_else(|| node.malformed("the line is worth more than 10^12"))?,
        tax_rate,
    })
}

/// The order's tax rates in whole per cent, by id.
fn rates(root: &Node<'_>) -> Result<BTreeMap<String, u8>, NotUnderstood> {
    let mut rates = BTreeMap::new();
    for tax in root.list("tax_lines")? {
        let rate = tax.get("rate_percent").and_then(|rate| rate.pieces().ok());
        let rate = rate.and_then(|rate| u8::try_from(rate).ok());
        if let (Some(id), Some(rate)) = (tax.text("rate_id"), rate.filter(|rate| *rate <= 100)) {
            rates.insert(id, rate);
        }
    }
    Ok(rates)
}

/// Where the order names no rate: the one of Japan's that comes nearest.
fn nearest_rate(net: Decimal, tax: Decimal) -> u8 {
    let off_by = |rate: u8| (net.weight() * i128::from(rate) - tax.weight() * 100).abs();
    [0, 8, 10]
        .into_iter()
        .min_by_key(|rate| off_by(*rate))
        .unwrap_or_default()
}

/// Shipping and what the shop charges beside it, such as for cash on delivery, tax included. A fee below
/// zero is a discount and finds its way into the lines.
fn handling(root: &Node<'_>) -> Result<Decimal, NotUnderstood> {
    let mut parts = vec![
        root.decimal_or_zero("shipping_total")?,
        root.decimal_or_zero("shipping_tax")?,
    ];
    for fee in root.list("fee_lines")? {
        let net = fee.decimal_or_zero("total")?;
        if net > Decimal::ZERO {
            parts.extend([net, fee.decimal_or_zero("total_tax")?]);
        }
    }
    let sum = parts.into_iter().try_fold(Decimal::ZERO, Decimal::plus);
    sum.ok_or_else(|| root.malformed("shipping and fees are more than 10^12"))
}

fn customer(root: &Node<'_>) -> Result<OrderCustomer, NotUnderstood> {
    let id = root.get("customer_id").map(|id| id.id()).transpose()?;
    let billing = root.get("billing");
    Ok(OrderCustomer {
        id: id.map(|id| id.to_string()).filter(|id| id != "0"),
        email: billing.and_then(|billing| billing.text("email")),
    })
}

fn refunds(root: &Node<'_>) -> Result<Vec<OrderRefund>, NotUnderstood> {
    let mut refunds = Vec::new();
    for node in root.list("refunds")? {
        let amount = node.need("total")?;
        let yen = amount.decimal()?.magnitude().yen();
        let yen = yen.ok_or_else(|| amount.malformed("an amount is whole yen, 0 to 10^12"))?;
        if yen > Yen::ZERO {
            refunds.push(OrderRefund {
                refund_id: node.need("id")?.id()?.to_string(),
                lines: Vec::new(),
                amount: yen,
            });
        }
    }
    Ok(refunds)
}
