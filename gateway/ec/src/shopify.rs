//! Shopify's orders and refunds, as its webhooks carry them (Admin REST resources, 2024-01 and later).
//!
//! Shopify changes an order's current quantities when goods come back; a statement tells the goods as they
//! were sold and the refunds beside them. So the pieces of a line are those that are left and those that
//! refunds tell of; pieces that an edit of the order removed without a refund were never sold.

use std::collections::BTreeMap;

use pos_protocol::{
    LineQuantity, OrderCustomer, OrderRefund, OrderStatement, PlacedOrder, Shipped, Yen,
};

use crate::{
    NotUnderstood, Parsed, Platform,
    document::{Node, json},
    goods::{Goods, GoodsLine, first_text},
    money::Decimal,
    redemption::redemption,
};

mod refund;

use refund::refunds;

/// The meaning of one webhook.
pub(crate) fn parse(topic: &str, body: &[u8]) -> Result<Parsed, NotUnderstood> {
    match topic {
        "orders/create"
        | "orders/updated"
        | "orders/paid"
        | "orders/fulfilled"
        | "orders/partially_fulfilled"
        | "orders/cancelled" => {
            let value = json(body)?;
            let root = of_shopify(&value)?;
            Parsed::statement(order(&root)?)
        }
        "refunds/create" => {
            let value = json(body)?;
            let root = of_shopify(&value)?;
            Parsed::statement(refund::alone(&root)?)
        }
        "orders/edited" => Ok(Parsed::Ignored(
            "an edit tells only differences; orders/updated tells the order",
        )),
        "orders/delete" => Ok(Parsed::Ignored(
            "a deleted record takes no goods and no money back",
        )),
        _ => Ok(Parsed::Ignored("the topic is not about orders")),
    }
}

fn of_shopify(value: &serde_json::Value) -> Result<Node<'_>, NotUnderstood> {
    let root = Node::root(value);
    if root.is_list() {
        return Err(NotUnderstood::AnotherPlatform(Platform::EcCube4));
    }
    if root.has_any(&["date_created_gmt", "prices_include_tax", "order_key"]) {
        return Err(NotUnderstood::AnotherPlatform(Platform::WooCommerce));
    }
    Ok(root)
}

/// What the body says. The topic is a header that nobody signed: it says how to read, not what is so.
fn order(root: &Node<'_>) -> Result<OrderStatement, NotUnderstood> {
    root.need("currency")?.in_yen()?;
    let refunds = refunds(&root.list("refunds")?)?;
    let paid = matches!(
        root.word("financial_status"),
        Some("paid" | "partially_refunded" | "refunded")
    );
    Ok(OrderStatement {
        order_id: root.need("id")?.id()?,
        as_of: match root.get("updated_at") {
            Some(node) => node.time()?,
            None => root.need("created_at")?.time()?,
        },
        placed: placed(root, &refunds)?,
        paid,
        cancelled: root.get("cancelled_at").is_some(),
        shipped: shipped(root)?,
        refunds,
    })
}

fn placed(root: &Node<'_>, refunds: &[OrderRefund]) -> Result<Option<PlacedOrder>, NotUnderstood> {
    let taxes_included = root.is_true("taxes_included");
    let mut returned: BTreeMap<&str, u32> = BTreeMap::new();
    for line in refunds.iter().flat_map(|refund| &refund.lines) {
        let pieces = returned.entry(&line.line_id).or_default();
        *pieces = pieces.saturating_add(line.quantity);
    }
    let mut goods = Goods {
        lines: Vec::new(),
        handling: handling(root, taxes_included)?,
    };
    let (mut edited, mut tax_left) = (false, taxes(&root.list("shipping_lines")?)?);
    root.need("line_items")?;
    for node in root.list("line_items")? {
        let line_id = node.need("id")?.id()?.to_string();
        let ordered = node.need("quantity")?.pieces()?;
        let left = match node.get("current_quantity") {
            Some(node) => node.pieces()?,
            None => ordered,
        };
        let back = returned.get(line_id.as_str()).copied().unwrap_or_default();
        let sold = match node.get("current_quantity") {
            Some(_) => left.saturating_add(back).min(ordered),
            None => ordered,
        };
        edited |= sold < ordered;
        if sold > 0 {
            let line = line(&node, line_id, taxes_included, sold, ordered)?;
            goods.lines.push(line);
            let tax = taxes(std::slice::from_ref(&node))?.share(sold, ordered);
            tax_left = tax.and_then(|tax| tax_left.plus(tax)).unwrap_or(tax_left);
        }
    }
    let total = total(root, &goods, edited)?;
    if goods.lines.is_empty() {
        return Ok(None);
    }
    let tax = match root.get("total_tax") {
        Some(node) => node.yen()?,
        None => Yen::ZERO,
    };
    let settled = goods.settle(total);
    Ok(Some(PlacedOrder {
        number: match root.text("name") {
            Some(name) => name,
            None => root.need("id")?.id()?.to_string(),
        },
        ordered_at: match root.get("processed_at") {
            Some(node) => node.time()?,
            None => root.need("created_at")?.time()?,
        },
        customer: customer(root)?,
        lines: settled.lines,
        shipping_fee: settled.shipping_fee,
        total,
        // The tax of what an edit removed is still in the platform's figure.
        tax: if edited {
            tax_left.nearest_yen().min(total)
        } else {
            tax
        },
        redemption: redemption(&root.list("note_attributes")?, "name")?,
    }))
}

/// What the customer owes before anything comes back.
///
/// That is `total_price`, which knows refunds no more than the lines do. Of an edited order the platform's
/// figures tell different moments, so what is left of it is added up; all its discounts name a line.
fn total(root: &Node<'_>, goods: &Goods, edited: bool) -> Result<Yen, NotUnderstood> {
    let stated = root.need("total_price")?.yen()?;
    if !edited {
        return Ok(stated);
    }
    let mut worths = goods.lines.iter().map(|line| line.worth);
    let sum = worths.try_fold(goods.handling, Decimal::plus);
    sum.map(Decimal::nearest_yen)
        .ok_or_else(|| root.malformed("the lines add up to more than 10^12"))
}

fn line(
    node: &Node<'_>,
    line_id: String,
    taxes_included: bool,
    sold: u32,
    ordered: u32,
) -> Result<GoodsLine, NotUnderstood> {
    let too_much = || node.malformed("the line is worth more than 10^12");
    let price = Decimal::from(node.need("price")?.yen()?);
    let mut worth = price.times(ordered).ok_or_else(too_much)?;
    let allocations = node.list("discount_allocations")?;
    if allocations.is_empty() {
        let discount = node.decimal_or_zero("total_discount")?;
        worth = worth.minus(discount).ok_or_else(too_much)?;
    }
    for allocation in allocations {
        let discount = allocation.need("amount")?.decimal()?;
        worth = worth.minus(discount).ok_or_else(too_much)?;
    }
    let mut tax_rate = 0_u8;
    for tax in node.list("tax_lines")? {
        tax_rate = tax_rate.saturating_add(per_cent(&tax)?);
        if !taxes_included {
            let tax = tax.decimal_or_zero("price")?;
            worth = worth.plus(tax).ok_or_else(too_much)?;
        }
    }
    let sku = first_text(node, &["sku", "variant_id", "product_id"]);
    let name = first_text(node, &["name", "title"]);
    Ok(GoodsLine {
        sku: sku.unwrap_or_else(|| line_id.clone()),
        name: name.unwrap_or_else(|| line_id.clone()),
        line_id,
        quantity: sold,
        worth: worth.share(sold, ordered).ok_or_else(too_much)?,
        tax_rate,
    })
}

/// The tax of these lines.
fn taxes(lines: &[Node<'_>]) -> Result<Decimal, NotUnderstood> {
    let mut all = Decimal::ZERO;
    for line in lines {
        for tax in line.list("tax_lines")? {
            let more = all.plus(tax.decimal_or_zero("price")?);
            all = more.ok_or_else(|| tax.malformed("the tax is more than 10^12"))?;
        }
    }
    Ok(all)
}

/// `0.08` is 8 per cent.
fn per_cent(tax: &Node<'_>) -> Result<u8, NotUnderstood> {
    let rate = tax.decimal_or_zero("rate")?;
    rate.times(100)
        .and_then(Decimal::whole)
        .and_then(|rate| u8::try_from(rate).ok())
        .filter(|rate| *rate <= 100)
        .ok_or_else(|| tax.malformed("a tax rate is whole per cent"))
}

/// Shipping, tax included, and tips.
fn handling(root: &Node<'_>, taxes_included: bool) -> Result<Decimal, NotUnderstood> {
    let mut sum = root.decimal_or_zero("total_tip_received")?;
    for line in root.list("shipping_lines")? {
        if line.is_true("is_removed") {
            continue;
        }
        let allocations = line.list("discount_allocations")?;
        let mut parts = vec![match line.get("discounted_price") {
            Some(node) if allocations.is_empty() => node.decimal()?,
            _ => line.decimal_or_zero("price")?,
        }];
        for allocation in allocations {
            parts.push(allocation.need("amount")?.decimal()?.negated());
        }
        if !taxes_included {
            for tax in line.list("tax_lines")? {
                parts.push(tax.decimal_or_zero("price")?);
            }
        }
        for part in parts {
            let more = sum.plus(part);
            sum = more.ok_or_else(|| line.malformed("shipping costs more than 10^12"))?;
        }
    }
    Ok(sum)
}

fn customer(root: &Node<'_>) -> Result<OrderCustomer, NotUnderstood> {
    let customer = root.get("customer");
    let id = customer.as_ref().and_then(|customer| customer.get("id"));
    let own = first_text(root, &["email", "contact_email"]);
    Ok(OrderCustomer {
        id: id.map(|id| id.id()).transpose()?.map(|id| id.to_string()),
        email: own.or_else(|| customer.as_ref()?.text("email")),
    })
}

fn shipped(root: &Node<'_>) -> Result<Shipped, NotUnderstood> {
    if root.word("fulfillment_status") == Some("fulfilled") {
        return Ok(Shipped::Everything);
    }
    let mut lines = Vec::new();
    for fulfillment in root.list("fulfillments")? {
        if matches!(
            fulfillment.word("status"),
            Some("cancelled" | "error" | "failure")
        ) {
            continue;
        }
        for line in fulfillment.list("line_items")? {
            let id = line.need("id")?.id()?.to_string();
            add_pieces(&mut lines, id, line.need("quantity")?.pieces()?);
        }
    }
    Ok(if lines.is_empty() {
        Shipped::Nothing
    } else {
        Shipped::Lines(lines)
    })
}

/// Adds pieces to their line, so that a line is told once.
fn add_pieces(lines: &mut Vec<LineQuantity>, line_id: String, quantity: u32) {
    if quantity == 0 {
        return;
    }
    match lines.iter_mut().find(|line| line.line_id == line_id) {
        Some(line) => line.quantity = line.quantity.saturating_add(quantity),
        None => lines.push(LineQuantity { line_id, quantity }),
    }
}
