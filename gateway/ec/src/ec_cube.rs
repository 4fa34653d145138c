//! EC-CUBE 4 with its Web API plugin: webhooks name orders, GraphQL tells what they are.
//!
//! EC-CUBE sends a webhook once and never again, so what is missed must be fetched some other way. Its own
//! points (`use_point`) are a discount here: they are not this programme's.

use std::collections::BTreeSet;

use jiff::Timestamp;
use pos_protocol::{
    LineQuantity, OrderCustomer, OrderId, OrderRefund, OrderStatement, PlacedOrder, Shipped, Yen,
};
use serde_json::{Value, json};

use crate::{
    NotUnderstood, Parsed, Platform,
    document::{self, Node},
    goods::{Goods, GoodsLine, first_text},
    money::Decimal,
};

/// What is asked of an order. Every field is on the plugin's own list of fields that may be read.
pub const ORDER_QUERY: &str = "\
query ($id: ID!) {
  order(id: $id) {
    id order_no email currency_code
    create_date update_date order_date payment_date
    payment_total tax
    OrderStatus { id }
    Customer { id }
    OrderItems {
      id product_code product_name price quantity tax tax_rate
      OrderItemType { id }
      TaxDisplayType { id }
      Shipping { id shipping_date }
    }
  }
}";

/// What is asked for the orders that changed since a time, and before another if one is given. The plugin
/// lists them newest first.
pub const ORDERS_QUERY: &str = "\
query ($since: DateTime, $until: DateTime, $page: Int, $limit: Int) {
  orders(update_datetime_start: $since, update_datetime_end: $until, page: $page, limit: $limit) {
    nodes { id update_date }
    pageInfo { hasNextPage }
  }
}";
/// Orders on one page.
pub const ORDERS_PAGE: u32 = 100;

/// The refund that a returned order amounts to; EC-CUBE keeps no refunds of its own.
const RETURNED: &str = "returned";

/// `mtb_order_status`.
mod status {
    pub(super) const CANCELLED: i64 = 3;
    pub(super) const DELIVERED: i64 = 5;
    pub(super) const PAID: i64 = 6;
    pub(super) const PAYING: i64 = 7;
    pub(super) const IN_CHECKOUT: i64 = 8;
    pub(super) const RETURNED: i64 = 9;
}

/// `mtb_order_item_type`.
mod item_type {
    pub(super) const PRODUCT: i64 = 1;
    pub(super) const DELIVERY_FEE: i64 = 2;
    pub(super) const CHARGE: i64 = 3;
}

/// `mtb_tax_display_type`: the price contains the tax.
const TAX_INCLUDED: i64 = 2;

/// The body of the GraphQL request that fetches an order.
#[must_use]
pub fn order_query(id: &OrderId) -> Value {
    json!({ "query": ORDER_QUERY, "variables": { "id": id.as_str() } })
}

/// The body of the GraphQL request that lists the orders that changed since a time, and before `until` if it
/// is given; both count in whole seconds, pages from 1.
#[must_use]
pub fn orders_query(since: Timestamp, until: Option<Timestamp>, page: u32) -> Value {
    // The plugin takes this one form of times.
    let text = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let mut variables = json!({ "since": text(since), "page": page, "limit": ORDERS_PAGE });
    if let Some(until) = until {
        variables["until"] = json!(text(until));
    }
    json!({ "query": ORDERS_QUERY, "variables": variables })
}

/// One page of orders that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedOrders {
    /// The orders, and when each changed.
    pub orders: Vec<(OrderId, Timestamp)>,
    /// Whether there is another page.
    pub more: bool,
}

/// The meaning of EC-CUBE's answer to [`orders_query`].
///
/// # Errors
/// [`NotUnderstood`] if it is not a page as the plugin documents it; [`NotUnderstood::Withheld`] if the shop
/// tells no orders, or not all of them.
pub fn parse_orders(answer: &[u8]) -> Result<ChangedOrders, NotUnderstood> {
    let value = document::json(answer)?;
    let root = Node::root(&value);
    let withheld = NotUnderstood::Withheld("its orders");
    if spoils(&value, "orders") {
        return Err(withheld);
    }
    let Some(page) = root.need("data")?.get("orders") else {
        return Err(withheld);
    };
    let order = |node: &Node<'_>| Ok((node.need("id")?.id()?, node.need("update_date")?.time()?));
    let nodes = page.need("nodes")?.elements()?;
    Ok(ChangedOrders {
        orders: nodes.iter().map(order).collect::<Result<_, _>>()?,
        more: page.need("pageInfo")?.is_true("hasNextPage"),
    })
}

/// How many errors an answer tells; beside good data they are warnings.
#[must_use]
pub fn errors(answer: &Value) -> usize {
    answer["errors"].as_array().map_or(0, Vec::len)
}

/// Whether something of `field` is missing because of an error, so that what is there tells less than is so.
///
/// An error of a field names its path, and the field or one around it is null then. The plugin's warnings
/// name none.
fn spoils(answer: &Value, field: &str) -> bool {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let data = &answer["data"];
    let nothing = data[field].is_null() && !errors.is_empty();
    nothing
        || errors
            .iter()
            .filter_map(|error| error["path"].as_array())
            .any(|path| !path.is_empty() && reached(data, path).is_null())
}

/// What stands at a path; null if something around it is.
fn reached<'a>(data: &'a Value, path: &[Value]) -> &'a Value {
    path.iter().fold(data, |at, step| match step {
        Value::String(key) => &at[key.as_str()],
        Value::Number(number) => {
            let place = number.as_u64().and_then(|n| usize::try_from(n).ok());
            &at[place.unwrap_or(usize::MAX)]
        }
        _ => at,
    })
}

/// The body of a webhook that names one order, as if the shop had sent it.
#[must_use]
pub fn hint(id: &OrderId) -> Vec<u8> {
    let event = json!([{ "entity": "order", "id": id.as_str(), "action": "updated" }]);
    event.to_string().into_bytes()
}

/// A webhook that names several orders as bodies that name one each, so that each is asked for, and fails,
/// by itself; none for any other, which stays as it came. What is said of other things is left out.
#[must_use]
pub fn split(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let ids = parse(body)
        .ok()?
        .into_iter()
        .filter_map(|parsed| match parsed {
            Parsed::FetchOrder { id } => Some(hint(&id)),
            _ => None,
        });
    Some(ids.collect()).filter(|hints: &Vec<_>| hints.len() > 1)
}

/// The meaning of one webhook: each order that it names, once.
pub(crate) fn parse(body: &[u8]) -> Result<Vec<Parsed>, NotUnderstood> {
    let value = document::json(body)?;
    let root = Node::root(&value);
    if root.has_any(&["financial_status", "admin_graphql_api_id", "line_items"]) {
        let woo = root.has_any(&["date_created_gmt", "prices_include_tax", "order_key"]);
        return Err(NotUnderstood::AnotherPlatform(if woo {
            Platform::WooCommerce
        } else {
            Platform::Shopify
        }));
    }
    let mut named = BTreeSet::new();
    let mut parsed = Vec::new();
    for event in root.elements()? {
        let id = event.need("id")?.id()?;
        event.need("entity")?;
        parsed.push(match (event.word("entity"), event.word("action")) {
            (Some("order"), Some("created" | "updated")) if !named.insert(id.clone()) => continue,
            (Some("order"), Some("created" | "updated")) => Parsed::FetchOrder { id },
            (Some("order"), Some("deleted")) => {
                Parsed::Ignored("a deleted record takes no goods and no money back")
            }
            (Some("order"), _) => return Err(event.malformed("the action is not known")),
            _ => Parsed::Ignored("the event is not about an order"),
        });
    }
    Ok(parsed)
}

/// The meaning of EC-CUBE's answer to [`order_query`].
///
/// # Errors
/// [`NotUnderstood`] if it is not an order as the plugin documents it; [`NotUnderstood::Withheld`] if the shop
/// says that something went wrong, and the order or some of it is missing.
pub fn parse_order(answer: &[u8]) -> Result<Parsed, NotUnderstood> {
    let value = document::json(answer)?;
    let root = Node::root(&value);
    if spoils(&value, "order") {
        return Err(NotUnderstood::Withheld("the whole order"));
    }
    let Some(order) = root.need("data")?.get("order") else {
        return Ok(Parsed::Ignored("the shop has no such order"));
    };
    let status = order.need("OrderStatus")?.need("id")?;
    let status = number(&status)?;
    if matches!(status, status::PAYING | status::IN_CHECKOUT) {
        return Ok(Parsed::Ignored("the order is not placed yet"));
    }
    Parsed::statement(statement(&order, status)?)
}

fn statement(order: &Node<'_>, status: i64) -> Result<OrderStatement, NotUnderstood> {
    if let Some(currency) = order.get("currency_code") {
        currency.in_yen()?;
    }
    let items = order.need("OrderItems")?.elements()?;
    let placed = placed(order, &items)?;
    let returned = status == status::RETURNED;
    let all = placed.iter().flat_map(|placed| &placed.lines);
    let refunds = returned.then(|| OrderRefund {
        refund_id: RETURNED.to_owned(),
        lines: all
            .map(|line| LineQuantity {
                line_id: line.line_id.clone(),
                quantity: line.quantity,
            })
            .collect(),
        amount: Yen::ZERO,
    });
    Ok(OrderStatement {
        order_id: order.need("id")?.id()?,
        as_of: order.need("update_date")?.time()?,
        // Delivered is not paid: cash on delivery is entered when it arrives.
        paid: status == status::PAID || order.get("payment_date").is_some(),
        cancelled: status == status::CANCELLED,
        shipped: if returned || status == status::DELIVERED {
            Shipped::Everything
        } else {
            shipped(&items)?
        },
        refunds: refunds.into_iter().collect(),
        placed,
    })
}

fn placed(order: &Node<'_>, items: &[Node<'_>]) -> Result<Option<PlacedOrder>, NotUnderstood> {
    let total = order.need("payment_total")?.yen()?;
    let mut goods = Goods::default();
    for item in items {
        let worth = worth(item)?;
        match kind(item)? {
            item_type::PRODUCT => {
                let line = line(item, worth)?;
                if line.quantity > 0 {
                    goods.lines.push(line);
                }
            }
            item_type::DELIVERY_FEE | item_type::CHARGE => {
                let sum = goods.handling.plus(worth);
                goods.handling = sum.ok_or_else(|| item.malformed("fees are above 10^12"))?;
            }
            // Discounts, points and whatever a plugin adds find their way into the lines by the total.
            _ => {}
        }
    }
    if goods.lines.is_empty() {
        return Ok(None);
    }
    let settled = goods.settle(total);
    let customer = order
        .get("Customer")
        .map(|customer| customer.need("id")?.id());
    Ok(Some(PlacedOrder {
        number: match order.text("order_no") {
            Some(number) => number,
            None => order.need("id")?.id()?.to_string(),
        },
        ordered_at: match order.get("order_date") {
            Some(node) => node.time()?,
            None => order.need("create_date")?.time()?,
        },
        customer: OrderCustomer {
            id: customer.transpose()?.map(|id| id.to_string()),
            email: order.text("email"),
        },
        lines: settled.lines,
        shipping_fee: settled.shipping_fee,
        total,
        // EC-CUBE counts the tax before its own points come off.
        tax: order.decimal_or_zero("tax")?.nearest_yen().min(total),
        redemption: None,
    }))
}

fn line(item: &Node<'_>, worth: Decimal) -> Result<GoodsLine, NotUnderstood> {
    let line_id = item.need("id")?.id()?.to_string();
    let rate = match item.get("tax_rate") {
        Some(node) => node.pieces()?,
        None => 0,
    };
    Ok(GoodsLine {
        sku: first_text(item, &["product_code"]).unwrap_or_else(|| line_id.clone()),
        name: first_text(item, &["product_name"]).unwrap_or_else(|| line_id.clone()),
        line_id,
        quantity: item.need("quantity")?.pieces()?,
        worth,
        tax_rate: u8::try_from(rate).map_err(|_| item.malformed("a tax rate is 0 to 100"))?,
    })
}

/// An item of the order with its tax: EC-CUBE's `getTotalPrice`. Below zero for a discount.
fn worth(item: &Node<'_>) -> Result<Decimal, NotUnderstood> {
    let price = item.need("price")?.decimal()?;
    let included = match item.get("TaxDisplayType") {
        Some(node) => number(&node.need("id")?)? == TAX_INCLUDED,
        None => false,
    };
    let each = if included {
        Some(price)
    } else {
        price.plus(item.decimal_or_zero("tax")?)
    };
    let pieces = item.need("quantity")?.pieces()?;
    each.and_then(|each| each.times(pieces))
        .ok_or_else(|| item.malformed("the item is worth more than 10^12"))
}

/// The lines whose parcels have left.
fn shipped(items: &[Node<'_>]) -> Result<Shipped, NotUnderstood> {
    let (mut gone, mut waiting) = (Vec::new(), false);
    for item in items {
        let quantity = item.need("quantity")?.pieces()?;
        if kind(item)? != item_type::PRODUCT || quantity == 0 {
            continue;
        }
        let parcel = item.get("Shipping");
        if parcel.is_some_and(|parcel| parcel.get("shipping_date").is_some()) {
            let line_id = item.need("id")?.id()?.to_string();
            gone.push(LineQuantity { line_id, quantity });
        } else {
            waiting = true;
        }
    }
    Ok(match (gone.is_empty(), waiting) {
        (true, _) => Shipped::Nothing,
        (false, true) => Shipped::Lines(gone),
        (false, false) => Shipped::Everything,
    })
}

fn kind(item: &Node<'_>) -> Result<i64, NotUnderstood> {
    number(&item.need("OrderItemType")?.need("id")?)
}

/// A number of one of EC-CUBE's tables; GraphQL ids are texts.
fn number(node: &Node<'_>) -> Result<i64, NotUnderstood> {
    let id = node.id()?;
    id.as_str()
        .parse()
        .map_err(|_| node.malformed("this is a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_changed_orders_is_read_and_asked_for() {
        let since: Timestamp = "2026-03-01T00:00:00.5Z".parse().unwrap();
        let query = orders_query(since, None, 2);
        assert_eq!(query["variables"]["since"], "2026-03-01T00:00:00+00:00");
        assert_eq!(query["variables"]["page"], 2);
        assert_eq!(query["variables"].get("until"), None);
        let until = "2026-03-02T00:00:00Z".parse().unwrap();
        let query = orders_query(since, Some(until), 2);
        assert_eq!(query["variables"]["until"], "2026-03-02T00:00:00+00:00");
        let answer =
            br#"{"data":{"orders":{"nodes":[{"id":"7","update_date":"2026-03-01T09:00:00+09:00"}],
            "pageInfo":{"hasNextPage":true}}}}"#;
        let page = parse_orders(answer).unwrap();
        assert!(page.more);
        let id = OrderId::new("7").unwrap();
        assert_eq!(
            page.orders,
            [(id.clone(), "2026-03-01T00:00:00Z".parse().unwrap())]
        );
        assert_eq!(parse(&hint(&id)).unwrap(), [Parsed::FetchOrder { id }]);
        for wrong in [&br#"{"errors":[]}"#[..], br#"{"data":{}}"#, b"[]", b""] {
            assert!(parse_orders(wrong).is_err());
        }
    }
    fn answered(field: &str, value: &str, errors: &str) -> Vec<u8> {
        format!(r#"{{"data":{{"{field}":{value}}},"errors":{errors}}}"#).into_bytes()
    }

    #[test]
    fn warnings_beside_good_data_change_nothing() {
        let page = r#"{"nodes":[],"pageInfo":{"hasNextPage":false}}"#;
        let warned = r#"[{"message":"deprecated"},{"message":"odd","path":["orders","nodes"]}]"#;
        let page = answered("orders", page, warned);
        assert!(!parse_orders(&page).unwrap().more);
        assert_eq!(errors(&serde_json::from_slice(&page).unwrap()), 2);
        let gone = answered("order", "null", "[]");
        assert!(matches!(parse_order(&gone), Ok(Parsed::Ignored(_))));
    }

    #[test]
    fn an_error_in_place_of_data_is_not_taken_for_the_data() {
        let withheld = |parsed: Result<Parsed, NotUnderstood>| {
            matches!(parsed, Err(NotUnderstood::Withheld(_)))
        };
        let message = r#"[{"message":"no"}]"#;
        assert!(withheld(parse_order(&answered("order", "null", message))));
        // A guest's, were it not for the error.
        let broken = r#"{"id":"7","Customer":null}"#;
        let path = r#"[{"message":"no","path":["order","Customer","id"]}]"#;
        assert!(withheld(parse_order(&answered("order", broken, path))));
        let holes = r#"{"nodes":[{"id":"7","update_date":null}],"pageInfo":{"hasNextPage":false}}"#;
        let path = r#"[{"message":"no","path":["orders","nodes",0,"update_date"]}]"#;
        for (value, errors) in [("null", message), (holes, path)] {
            let page = parse_orders(&answered("orders", value, errors));
            assert!(matches!(page, Err(NotUnderstood::Withheld(_))), "{page:?}");
        }
    }

    #[test]
    fn a_webhook_of_many_orders_comes_apart() {
        let event = |entity: &str, id: u32, action: &str| json!({ "entity": entity, "id": id, "action": action });
        let bytes = |events: &[Value]| json!(events).to_string().into_bytes();
        let body = bytes(&[
            event("order", 7, "created"),
            event("product", 1, "updated"),
            event("order", 7, "updated"),
            event("order", 8, "updated"),
            event("order", 9, "deleted"),
        ]);
        let id = |id: &str| OrderId::new(id).unwrap();
        assert_eq!(split(&body), Some(vec![hint(&id("7")), hint(&id("8"))]));
        for whole in [
            bytes(&[event("order", 7, "updated")]),
            bytes(&[event("product", 1, "updated")]),
            bytes(&[event("order", 7, "updated"), event("order", 8, "eaten")]),
            b"[".to_vec(),
        ] {
            assert_eq!(split(&whole), None);
        }
    }
}
