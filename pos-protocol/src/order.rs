//! What an EC shop says of one of its orders.
//!
//! A statement tells what is known of an order at a time, not what changed: it may be said twice, late or
//! out of order, and a refund may be told before the order it refunds. What is paid, cancelled or shipped
//! stays so; refunds are told apart by their ids; of two descriptions of the goods the newer one counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AuthorizationId, OrderId, Points, TEXT_CHARS_MAX, Yen};

/// Lines of one order, at most. One more line may hold the shipping fee.
pub const ORDER_LINES_MAX: usize = 500;
/// Refunds that one statement may tell of.
pub const ORDER_REFUNDS_MAX: usize = 200;

/// `POST /v1/ec/orders`: an order as the shop knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderStatement {
    /// The shop's own id of the order; unique in the shop.
    pub order_id: OrderId,
    /// When the shop's record of the order looked like this. Of two descriptions the newer one counts.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub as_of: Timestamp,
    /// Who ordered what; none in a message that tells of something else, such as a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<PlacedOrder>,
    /// The order is paid.
    #[serde(default)]
    pub paid: bool,
    /// The order is cancelled, with all its lines.
    #[serde(default)]
    pub cancelled: bool,
    /// What has been shipped so far.
    #[serde(default)]
    pub shipped: Shipped,
    /// What was taken back so far, or some of it; each refund counts once by its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<OrderRefund>,
}

/// Who ordered what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlacedOrder {
    /// The number that the customer sees.
    pub number: String,
    /// When it was ordered.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub ordered_at: Timestamp,
    /// Who ordered.
    #[serde(default)]
    pub customer: OrderCustomer,
    /// What was ordered, 1 to 500 lines with distinct ids.
    pub lines: Vec<OrderLine>,
    /// Shipping and handling in yen, tax included.
    #[serde(default)]
    pub shipping_fee: Yen,
    /// What the customer owes: the lines and the shipping fee, tax included, before points are paid with.
    pub total: Yen,
    /// Consumption tax contained in `total`.
    pub tax: Yen,
    /// The points it is paid with, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redemption: Option<OrderRedemption>,
}

/// Who ordered. The shop's own id leads to a member; an address by itself proves nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderCustomer {
    /// The shop's id of the customer; none for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The address the customer typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// The shop's id of the line; shipments and refunds name it.
    pub line_id: String,
    /// The article's code.
    pub sku: String,
    /// The article's name.
    pub name: String,
    /// The article's category; lots of limited use name categories.
    #[serde(default = "uncategorized")]
    pub category: String,
    /// Pieces, at least 1.
    pub quantity: u32,
    /// The whole line in yen, tax included, after discounts.
    pub amount: Yen,
    /// Consumption tax rate in per cent.
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub tax_rate: u8,
}

fn uncategorized() -> String {
    "goods".to_owned()
}

/// Points an order is paid with: a hold that this shop was given before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderRedemption {
    /// The hold.
    pub authorization_id: AuthorizationId,
    /// How much of it; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
}

/// What has been shipped so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shipped {
    /// Nothing that is known of.
    #[default]
    Nothing,
    /// All of it.
    Everything,
    /// So many pieces of these lines, counted from the beginning.
    Lines(Vec<LineQuantity>),
}

/// Pieces of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The shop's id of the line.
    pub line_id: String,
    /// Pieces.
    pub quantity: u32,
}

/// One refund: pieces of named lines, or, where the platform names none, yen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderRefund {
    /// The shop's id of the refund; the same refund told again counts once.
    pub refund_id: String,
    /// What came back, by line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineQuantity>,
    /// Yen given back for no line in particular, tax included.
    #[serde(default)]
    pub amount: Yen,
}

impl std::fmt::Debug for OrderCustomer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderCustomer")
            .field("id", &self.id)
            .field("email", &self.email.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}

impl OrderStatement {
    /// The first thing that makes the statement malformed, if any, as a JSON pointer and what is wrong.
    #[must_use]
    pub fn violation(&self) -> Option<(String, String)> {
        if let Some((pointer, detail)) = self.placed.as_ref().and_then(PlacedOrder::violation) {
            return Some((format!("/placed{pointer}"), detail));
        }
        if self.refunds.len() > ORDER_REFUNDS_MAX {
            let detail = format!(
                "{} refunds; at most {ORDER_REFUNDS_MAX}",
                self.refunds.len()
            );
            return Some(("/refunds".to_owned(), detail));
        }
        let shipped = match &self.shipped {
            Shipped::Lines(lines) => lines.as_slice(),
            Shipped::Nothing | Shipped::Everything => &[],
        };
        if let Some((at, detail)) = bad_lines(shipped) {
            return Some((format!("/shipped/lines/{at}"), detail));
        }
        for (number, refund) in self.refunds.iter().enumerate() {
            if let Some(detail) = bad_text(&refund.refund_id) {
                return Some((format!("/refunds/{number}/refund_id"), detail));
            }
            if let Some((at, detail)) = bad_lines(&refund.lines) {
                return Some((format!("/refunds/{number}/lines/{at}"), detail));
            }
        }
        None
    }
}

impl PlacedOrder {
    fn violation(&self) -> Option<(String, String)> {
        let found = |pointer: &str, detail: String| Some((pointer.to_owned(), detail));
        if let Some(detail) = bad_text(&self.number) {
            return found("/number", detail);
        }
        for (pointer, text) in [
            ("/customer/id", &self.customer.id),
            ("/customer/email", &self.customer.email),
        ] {
            if let Some(detail) = text.as_deref().and_then(bad_text) {
                return found(pointer, detail);
            }
        }
        if self.lines.is_empty() || self.lines.len() > ORDER_LINES_MAX {
            let detail = format!(
                "{} lines; an order has 1 to {ORDER_LINES_MAX}",
                self.lines.len()
            );
            return found("/lines", detail);
        }
        let mut seen = std::collections::BTreeSet::new();
        for (at, line) in self.lines.iter().enumerate() {
            let texts = [
                ("line_id", &line.line_id),
                ("sku", &line.sku),
                ("name", &line.name),
                ("category", &line.category),
            ];
            for (field, text) in texts {
                if let Some(detail) = bad_text(text) {
                    return Some((format!("/lines/{at}/{field}"), detail));
                }
            }
            if line.quantity == 0 {
                let detail = "the quantity is zero".to_owned();
                return Some((format!("/lines/{at}/quantity"), detail));
            }
            if line.tax_rate > 100 {
                let detail = "a tax rate is 0 to 100 per cent".to_owned();
                return Some((format!("/lines/{at}/tax_rate"), detail));
            }
            if !seen.insert(&line.line_id) {
                let detail = "the line id appears twice".to_owned();
                return Some((format!("/lines/{at}/line_id"), detail));
            }
        }
        let mut amounts = self.lines.iter().map(|line| line.amount);
        let sum = amounts.try_fold(self.shipping_fee, Yen::checked_add);
        if sum != Some(self.total) {
            let detail = "the lines and the shipping fee do not add up to the total".to_owned();
            return found("/total", detail);
        }
        if self.tax > self.total {
            return found("/tax", "the tax is more than the total".to_owned());
        }
        None
    }
}

fn bad_lines(lines: &[LineQuantity]) -> Option<(usize, String)> {
    if lines.len() > ORDER_LINES_MAX {
        let detail = format!("{} lines; at most {ORDER_LINES_MAX}", lines.len());
        return Some((ORDER_LINES_MAX, detail));
    }
    let mut bad = lines.iter().enumerate();
    bad.find_map(|(at, line)| bad_text(&line.line_id).map(|detail| (at, detail)))
}

fn bad_text(text: &str) -> Option<String> {
    let chars = text.chars().count();
    if chars > TEXT_CHARS_MAX {
        Some(format!("{chars} characters; at most {TEXT_CHARS_MAX}"))
    } else if text.is_empty() {
        Some("the text is empty".into())
    } else if text.chars().any(char::is_control) {
        Some("the text has a control character".into())
    } else {
        None
    }
}
