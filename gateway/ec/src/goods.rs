//! The goods of an order on their way into a statement.
//!
//! A platform's lines and its total differ by whatever it computes for the whole order: coupons, fees,
//! rounding. The total is what the customer owes, so it counts: shipping and handling come off it, and what
//! is left is split among the lines in proportion to what they are worth, by the largest remainder. Lines
//! that add up to it already keep their amounts.

use pos_protocol::{OrderLine, Yen};

use crate::{apportion::apportion, document::Node, money::Decimal};

/// What an order is made of, as a platform tells it.
#[derive(Default)]
pub(crate) struct Goods {
    pub(crate) lines: Vec<GoodsLine>,
    /// Shipping and handling, tax included.
    pub(crate) handling: Decimal,
}

/// One line of it.
pub(crate) struct GoodsLine {
    pub(crate) line_id: String,
    pub(crate) sku: String,
    pub(crate) name: String,
    pub(crate) quantity: u32,
    /// The whole line, tax included, after the discounts that name it.
    pub(crate) worth: Decimal,
    pub(crate) tax_rate: u8,
}

/// Lines and a shipping fee that add up to the total.
pub(crate) struct Settled {
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) shipping_fee: Yen,
}

impl Goods {
    /// The goods such that they add up to `total`.
    pub(crate) fn settle(self, total: Yen) -> Settled {
        let shipping_fee = self.handling.nearest_yen().min(total);
        let weights: Vec<i128> = self.lines.iter().map(|line| line.worth.weight()).collect();
        let amounts = apportion(total.saturating_sub(shipping_fee).get(), &weights);
        let lines = self.lines.into_iter().zip(amounts);
        Settled {
            lines: lines
                .map(|(line, amount)| OrderLine {
                    line_id: line.line_id,
                    sku: line.sku,
                    name: line.name,
                    category: "goods".to_owned(),
                    quantity: line.quantity,
                    amount: Yen::new(amount).unwrap_or_default(),
                    tax_rate: line.tax_rate,
                })
                .collect(),
            shipping_fee,
        }
    }
}

/// The first of these fields that says anything; an article needs some code and some name.
pub(crate) fn first_text(node: &Node<'_>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| node.text(key))
}
