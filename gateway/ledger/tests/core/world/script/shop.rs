//! The words about orders of the EC shop `main`, whose terminal is `main.ec`.
//!
//! ```text
//! order o1 paid by=ec/7 lines=a:food:2=1000+b:toys:1=500 fee=300 ship=a:1 refund=r1:a:1+r2:200
//! ```
//!
//! `shipped` is all of it, `ship=` pieces of lines; a refund is of pieces of a line, or of yen. `as=` says
//! how many seconds after the world began the shop's record looked like this: now, if it does not say.

use ledger::command::{Operation, OrderReport};
use pos_protocol::{
    LineQuantity, OrderCustomer, OrderLine, OrderRedemption, OrderRefund, OrderStatement,
    PlacedOrder, Shipped, Yen,
};

use super::{
    super::{
        START, World,
        names::{claim, newcomer, order_use, till},
    },
    Words, yen,
};

/// The terminal that stands for the shop.
pub(crate) const SHOP_TILL: &str = "main.ec";

/// The shop reports this statement; the customer, if one is named, is new by its own name.
pub(crate) fn report(
    statement: OrderStatement,
    customer: Option<&str>,
    new: Option<&str>,
) -> Operation {
    assert_eq!(statement.violation(), None);
    let used = order_use(statement.order_id.as_str());
    let newcomer = newcomer(new.or(customer).unwrap_or("nobody"));
    Operation::ReportOrder(Box::new(OrderReport {
        shop_id: "main".parse().unwrap(),
        till: till(SHOP_TILL),
        statement,
        customer: customer.map(claim),
        used,
        newcomer,
    }))
}

impl World {
    pub(super) fn order(&self, words: &Words<'_>) -> Option<Operation> {
        let ["order", order_id, flags @ ..] = words.bare.as_slice() else {
            return None;
        };
        let is = |flag: &str| flags.contains(&flag);
        let began = || -> jiff::Timestamp { START.parse().unwrap() };
        let as_of = words.get("as").map_or(self.now, |seconds| {
            let span = jiff::Span::new().seconds(seconds.parse::<i64>().unwrap());
            began().checked_add(span).unwrap()
        });
        let ship = |lines: &str| Shipped::Lines(lines.split('+').map(quantity).collect());
        let shipped = match words.get("ship") {
            None if is("shipped") => Shipped::Everything,
            None => Shipped::Nothing,
            Some(lines) => ship(lines),
        };
        let refunds = words.get("refund").into_iter();
        let statement = OrderStatement {
            order_id: order_id.parse().unwrap(),
            as_of,
            placed: words.get("lines").map(|lines| self.placed(lines, words)),
            paid: is("paid"),
            cancelled: is("cancelled"),
            shipped,
            refunds: refunds
                .flat_map(|text| text.split('+'))
                .map(refund)
                .collect(),
        };
        Some(report(statement, words.get("by"), words.get("new")))
    }

    fn placed(&self, lines: &str, words: &Words<'_>) -> PlacedOrder {
        let lines: Vec<_> = lines.split('+').map(line).collect();
        let shipping_fee = words.get("fee").map_or(Yen::ZERO, yen);
        let goods = Yen::total(lines.iter().map(|line| line.amount));
        PlacedOrder {
            number: "1".to_owned(),
            ordered_at: self.now,
            customer: OrderCustomer::default(),
            lines,
            shipping_fee,
            total: goods.saturating_add(shipping_fee),
            tax: Yen::ZERO,
            redemption: words.get("hold").map(|hold| OrderRedemption {
                authorization_id: self.authorization_id(hold),
                points: words.points("redeem"),
            }),
        }
    }
}

/// `a:food:2=1000`, or `a=1000`.
fn line(text: &str) -> OrderLine {
    let (what, amount) = text.split_once('=').unwrap();
    let mut parts = what.split(':');
    let line_id = parts.next().unwrap();
    let category = parts.next().unwrap_or("goods");
    OrderLine {
        line_id: line_id.to_owned(),
        sku: format!("sku-{category}"),
        name: category.to_owned(),
        category: category.to_owned(),
        quantity: parts.next().map_or(1, |pieces| pieces.parse().unwrap()),
        amount: yen(amount),
        tax_rate: 10,
    }
}

/// `a:1`: one piece of line a.
fn quantity(text: &str) -> LineQuantity {
    let (line_id, quantity) = text.split_once(':').unwrap();
    LineQuantity {
        line_id: line_id.to_owned(),
        quantity: quantity.parse().unwrap(),
    }
}

/// `r1:a:1`, or `r2:500` for yen of no line in particular.
fn refund(text: &str) -> OrderRefund {
    let (refund_id, what) = text.split_once(':').unwrap();
    let (lines, amount) = match what.contains(':') {
        true => (vec![quantity(what)], Yen::ZERO),
        false => (Vec::new(), yen(what)),
    };
    OrderRefund {
        refund_id: refund_id.to_owned(),
        lines,
        amount,
    }
}
