//! Orders of EC shops: from what a shop says of an order to its purchase, shipment by shipment.
//!
//! An order is kept as the facts that were ever stated of it. Facts only grow: paid, cancelled and shipped
//! stay so, refunds are told apart by their ids, of two descriptions the newer one counts. What the ledger
//! should have booked follows from the facts alone, and a decision books the difference. So the end is the
//! same in whatever order statements come, and however often.
//!
//! A purchase is made once it is known what was ordered, by whom, and that it was paid or shipped. What it
//! earns is pending; of what the customer keeps, the shipped part is spendable. A changed order is a new
//! purchase: the one before is taken back whole.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use pos_protocol::{
    LineQuantity, MemberId, OrderId, OrderRefund, OrderStatement, PlacedOrder, PurchaseId, Shipped,
    ShopId, TerminalId, Yen,
};
use serde::{Deserialize, Serialize};

use crate::account::words;

/// The receipt line that stands for yen refunded for no line in particular.
pub const NO_LINE: u32 = 0;

words! {
    /// What has become of an order.
    OrderState {
        /// It is known, and neither paid nor shipped.
        Placed = "placed",
        /// Something is told of it, and not yet what was ordered.
        Announced = "announced",
        /// Nobody is named who could earn.
        Anonymous = "anonymous",
        /// It is paid.
        Paid = "paid",
        /// Part of it is shipped.
        PartlyShipped = "partly_shipped",
        /// All that the customer keeps is shipped.
        Shipped = "shipped",
        /// All of it came back.
        Returned = "returned",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

/// An order of an EC shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The shop.
    pub shop_id: ShopId,
    /// What the shop calls it.
    pub id: OrderId,
    /// Whose, once a customer was named.
    pub member_id: Option<MemberId>,
    /// The terminal that stands for the shop.
    pub terminal_id: TerminalId,
    /// What has become of it.
    pub state: OrderState,
    /// All that was stated.
    pub facts: Facts,
    /// The purchase that stands for it.
    pub purchase_id: Option<PurchaseId>,
    /// What is odd about it, for people to look at.
    pub remark: Option<String>,
    /// When it was first heard of.
    pub first_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// All that was ever stated of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The newest description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<Described>,
    /// It was paid.
    #[serde(default)]
    pub paid: bool,
    /// It was cancelled.
    #[serde(default)]
    pub cancelled: bool,
    /// All of it was shipped.
    #[serde(default)]
    pub all_shipped: bool,
    /// Pieces shipped, by the shop's line.
    #[serde(default)]
    pub shipped: BTreeMap<String, u32>,
    /// What came back, by the shop's refund.
    #[serde(default)]
    pub refunds: BTreeMap<String, Returned>,
}

/// A description of an order and how new it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// When the shop's record looked like this.
    pub as_of: Timestamp,
    /// What was ordered. Never with a customer: who that is, is the member.
    pub placed: PlacedOrder,
}

/// What one refund took back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Returned {
    /// Pieces, by the shop's line.
    #[serde(default)]
    pub lines: BTreeMap<String, u32>,
    /// Yen for no line in particular.
    #[serde(default)]
    pub amount: Yen,
}

impl Facts {
    /// Adds what is stated. The result does not depend on the order of statements.
    pub fn learn(&mut self, statement: &OrderStatement) {
        self.paid |= statement.paid;
        self.cancelled |= statement.cancelled;
        match &statement.shipped {
            Shipped::Nothing => {}
            Shipped::Everything => self.all_shipped = true,
            Shipped::Lines(lines) => most(&mut self.shipped, &summed(lines)),
        }
        for OrderRefund {
            refund_id,
            lines,
            amount,
        } in &statement.refunds
        {
            let known = self.refunds.entry(refund_id.clone()).or_default();
            most(&mut known.lines, &summed(lines));
            known.amount = known.amount.max(*amount);
        }
        if let Some(placed) = &statement.placed {
            self.describe(Described {
                as_of: statement.as_of,
                placed: placed.clone(),
            });
        }
    }

    /// The newer description counts; of two of the same time, always the same one.
    fn describe(&mut self, new: Described) {
        let text = |described: &Described| serde_json::to_string(&described.placed).ok();
        let newer = self
            .described
            .as_ref()
            .is_none_or(|old| match new.as_of.cmp(&old.as_of) {
                Ordering::Greater => true,
                Ordering::Equal => text(&new) > text(old),
                Ordering::Less => false,
            });
        if newer {
            self.described = Some(new);
        }
    }

    /// Pieces that came back so far, by the receipt's line, at most what was ordered; and under
    /// [`NO_LINE`] the yen for no line in particular. Everything once the order is cancelled.
    #[must_use]
    pub fn returned(&self, placed: &PlacedOrder) -> BTreeMap<u32, u32> {
        let mut returned = BTreeMap::new();
        let mut flat = Yen::ZERO;
        for refund in self.refunds.values() {
            flat = flat.saturating_add(refund.amount);
        }
        for (line_no, line) in numbered(placed) {
            let back = self
                .refunds
                .values()
                .filter_map(|back| back.lines.get(&line.line_id));
            let back = back.fold(0, |sum: u32, pieces| sum.saturating_add(*pieces));
            let back = if self.cancelled {
                line.quantity
            } else {
                back.min(line.quantity)
            };
            returned.insert(line_no, back);
        }
        if self.cancelled && placed.shipping_fee > Yen::ZERO {
            returned.insert(fee_line_no(placed), 1);
        }
        if !self.cancelled {
            returned.insert(NO_LINE, u32::try_from(flat.get()).unwrap_or(u32::MAX));
        }
        returned.retain(|_, pieces| *pieces > 0);
        returned
    }

    /// Pieces of a line that were shipped, at most what was ordered.
    #[must_use]
    pub fn shipped_of(&self, line: &pos_protocol::OrderLine) -> u32 {
        if self.all_shipped {
            return line.quantity;
        }
        let shipped = self.shipped.get(&line.line_id).copied().unwrap_or(0);
        shipped.min(line.quantity)
    }

    /// Whether there is a sale: paid or shipped, and not cancelled.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        (self.paid || self.any_shipped()) && !self.cancelled
    }

    /// Whether anything was shipped.
    #[must_use]
    pub fn any_shipped(&self) -> bool {
        self.all_shipped || self.shipped.values().any(|pieces| *pieces > 0)
    }

    /// A line that a shipment or refund names and the order does not have.
    #[must_use]
    pub fn unknown_line(&self, placed: &PlacedOrder) -> Option<&str> {
        let known: BTreeSet<&str> = placed
            .lines
            .iter()
            .map(|line| line.line_id.as_str())
            .collect();
        let refunded = self.refunds.values().flat_map(|refund| refund.lines.keys());
        let mut named = self.shipped.keys().chain(refunded);
        named
            .find(|line| !known.contains(line.as_str()))
            .map(String::as_str)
    }
}

/// The order's lines with the numbers they have on the receipt.
pub(crate) fn numbered(
    placed: &PlacedOrder,
) -> impl Iterator<Item = (u32, &pos_protocol::OrderLine)> {
    (1_u32..).zip(&placed.lines)
}

/// The number of the shipping fee's line.
pub(crate) fn fee_line_no(placed: &PlacedOrder) -> u32 {
    u32::try_from(placed.lines.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1)
}

fn summed(lines: &[LineQuantity]) -> BTreeMap<String, u32> {
    let mut sums = BTreeMap::<String, u32>::new();
    for line in lines {
        let sum = sums.entry(line.line_id.clone()).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    sums
}

fn most(known: &mut BTreeMap<String, u32>, stated: &BTreeMap<String, u32>) {
    for (line, pieces) in stated {
        let known = known.entry(line.clone()).or_default();
        *known = (*known).max(*pieces);
    }
}
