//! Orders of EC shops: what is stated decides how they end, not when or how often it is.
//!
//! The member has plenty of points, so that no policy for missing ones matters.

use jiff::Span;
use ledger::{
    order::Order,
    programme::{Basis, Clawback, GrantMoment, Programme, ShippingFee},
};
use pos_protocol::{
    LineQuantity, OrderCustomer, OrderLine, OrderRedemption, OrderRefund, OrderStatement,
    PlacedOrder, Points, Shipped, Yen,
};
use proptest::{
    collection::vec,
    option,
    prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample::select,
};

use crate::world::{World, member_id, report};

const LINES: [&str; 4] = ["a", "b", "c", "unknown"];

/// What was ordered.
#[derive(Debug, Clone)]
struct Goods {
    /// Category, pieces, yen.
    lines: Vec<(usize, u32, i64)>,
    fee: i64,
    /// Points of the hold; none names no hold.
    redeem: Option<i64>,
    /// The shop calls its lines otherwise.
    renamed: bool,
}

/// How a later description differs from the first.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Names,
    Redeem(Option<i64>),
    Fee(i64),
    Goods(Goods),
}

/// One thing that is stated.
#[derive(Debug, Clone)]
enum Fact {
    /// The description of this age, counted from the oldest.
    Described(usize),
    Paid,
    Cancelled,
    AllShipped,
    Shipped(usize, u32),
    Refunded(usize, usize, u32),
    RefundedYen(usize, i64),
}

fn goods() -> impl Strategy<Value = Goods> {
    let line = (
        select(vec![0, 0, 1, 2]),
        1..4_u32,
        prop_oneof![0..9_i64, 100..2_000_i64],
    );
    let redeem = option::weighted(0.4, 0..500_i64);
    let fee = prop_oneof![Just(0), 1..900_i64];
    (vec(line, 1..4), fee, redeem).prop_map(|(lines, fee, redeem)| Goods {
        lines,
        fee,
        redeem,
        renamed: false,
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        1 => Just(Change::Nothing),
        2 => Just(Change::Names),
        2 => option::of(0..500_i64).prop_map(Change::Redeem),
        1 => (0..500_i64).prop_map(Change::Fee),
        2 => goods().prop_map(Change::Goods),
    ]
}

fn descriptions() -> impl Strategy<Value = Vec<Goods>> {
    (goods(), vec(change(), 0..3)).prop_map(|(first, changes)| {
        let mut all = vec![first.clone()];
        all.extend(changes.into_iter().map(|change| {
            let mut next = first.clone();
            match change {
                Change::Nothing => {}
                Change::Names => next.renamed = true,
                Change::Redeem(redeem) => next.redeem = redeem,
                Change::Fee(fee) => next.fee = fee,
                Change::Goods(goods) => next = goods,
            }
            next
        }));
        all
    })
}

fn fact() -> impl Strategy<Value = Fact> {
    let line = || prop_oneof![12 => 0..3_usize, 1 => Just(3)];
    prop_oneof![
        6 => (0..3_usize).prop_map(Fact::Described),
        3 => Just(Fact::Paid),
        1 => select(vec![Fact::Cancelled, Fact::Paid, Fact::Paid]),
        1 => Just(Fact::AllShipped),
        5 => (line(), 1..4_u32).prop_map(|(line, pieces)| Fact::Shipped(line, pieces)),
        4 => (0..4_usize, line(), 1..3_u32)
            .prop_map(|(refund, line, pieces)| Fact::Refunded(refund, line, pieces)),
        2 => (0..4_usize, 1..1_500_i64).prop_map(|(refund, yen)| Fact::RefundedYen(refund, yen)),
    ]
}

fn placed(world: &World, goods: &Goods) -> PlacedOrder {
    let names = match goods.renamed {
        false => [0, 1, 2],
        true => [1, 0, 2],
    };
    let categories = ["food", "toys", "shipping"];
    let lines = goods.lines.iter().zip(names);
    let lines: Vec<_> = lines
        .map(|((category, quantity, amount), name)| OrderLine {
            line_id: LINES[name].to_owned(),
            sku: "sku".to_owned(),
            name: "goods".to_owned(),
            category: categories[*category].to_owned(),
            quantity: *quantity,
            amount: Yen::new(*amount).unwrap(),
            tax_rate: 10,
        })
        .collect();
    let shipping_fee = Yen::new(goods.fee).unwrap();
    let total = Yen::total(lines.iter().map(|line| line.amount)).saturating_add(shipping_fee);
    PlacedOrder {
        number: "1".to_owned(),
        ordered_at: "2026-11-22T00:00:00Z".parse().unwrap(),
        customer: OrderCustomer::default(),
        lines,
        shipping_fee,
        total,
        tax: Yen::new(total.get() / 11).unwrap(),
        redemption: goods.redeem.map(|points| OrderRedemption {
            authorization_id: world.authorization_id("h"),
            points: Some(Points::new(points).unwrap()),
        }),
    }
}

fn statement(world: &World, descriptions: &[Goods], facts: &[Fact]) -> OrderStatement {
    let mut statement = OrderStatement {
        order_id: "o1".parse().unwrap(),
        as_of: "2026-11-22T01:00:00Z".parse().unwrap(),
        placed: None,
        paid: false,
        cancelled: false,
        shipped: Shipped::Nothing,
        refunds: Vec::new(),
    };
    let pieces = |line: usize, quantity| LineQuantity {
        line_id: LINES[line].to_owned(),
        quantity,
    };
    for fact in facts {
        match *fact {
            Fact::Described(age) => {
                let age = age % descriptions.len();
                let later = Span::new().minutes(i64::try_from(age).unwrap());
                statement.as_of = "2026-11-22T01:00:00Z".parse().unwrap();
                statement.as_of = statement.as_of.checked_add(later).unwrap();
                statement.placed = Some(placed(world, &descriptions[age]));
            }
            Fact::Paid => statement.paid = true,
            Fact::Cancelled => statement.cancelled = true,
            Fact::AllShipped => statement.shipped = Shipped::Everything,
            Fact::Shipped(line, count) => match &mut statement.shipped {
                Shipped::Lines(lines) => lines.push(pieces(line, count)),
                Shipped::Everything => {}
                Shipped::Nothing => statement.shipped = Shipped::Lines(vec![pieces(line, count)]),
            },
            Fact::Refunded(refund, line, count) => statement.refunds.push(OrderRefund {
                refund_id: format!("r{refund}"),
                lines: vec![pieces(line, count)],
                amount: Yen::ZERO,
            }),
            Fact::RefundedYen(refund, yen) => statement.refunds.push(OrderRefund {
                refund_id: format!("r{refund}"),
                lines: Vec::new(),
                amount: Yen::new(yen).unwrap(),
            }),
        }
    }
    statement
}

/// A programme's rules for orders.
#[derive(Debug, Clone)]
struct Rules {
    earn: (u16, u32),
    paid_with_points: Basis,
    yen_per_point: u32,
    grant_on: GrantMoment,
    shipping_fee: ShippingFee,
    clawback: Clawback,
}

impl Rules {
    fn edit(&self, programme: &mut Programme) {
        let (points, per_yen) = self.earn;
        (programme.earn.points, programme.earn.per_yen) = (points, per_yen.try_into().unwrap());
        programme.earn.paid_with_points = self.paid_with_points;
        programme.yen_per_point = self.yen_per_point.try_into().unwrap();
        programme.ec.grant_on = self.grant_on;
        programme.ec.shipping_fee = self.shipping_fee;
        programme.returns.clawback = self.clawback;
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    (
        (1..30_u16, select(vec![100, 100, 7, 330])),
        select(vec![Basis::Included, Basis::Excluded]),
        1..3_u32,
        select(vec![
            GrantMoment::Shipped,
            GrantMoment::Shipped,
            GrantMoment::Paid,
        ]),
        select(vec![ShippingFee::Excluded, ShippingFee::Included]),
        select(vec![
            Clawback::WithinBalance,
            Clawback::Owe,
            Clawback::Deduct,
        ]),
    )
        .prop_map(
            |(earn, paid_with_points, yen_per_point, grant_on, shipping_fee, clawback)| Rules {
                earn,
                paid_with_points,
                yen_per_point,
                grant_on,
                shipping_fee,
                clawback,
            },
        )
}

/// A statement's facts, and whether it names the customer.
type Said = (Vec<Fact>, bool);

/// Statements in one order, and in another with some of them twice.
fn twice() -> impl Strategy<Value = (Vec<Said>, Vec<Said>)> {
    let named = prop_oneof![4 => Just(true), 1 => Just(false)];
    let said = (vec(fact(), 1..4), named);
    (vec(said, 1..8), vec(any::<proptest::sample::Index>(), 0..5)).prop_flat_map(
        |(statements, again)| {
            let mut shuffled = statements.clone();
            shuffled.extend(again.iter().map(|index| index.get(&statements).clone()));
            (Just(statements), Just(shuffled).prop_shuffle())
        },
    )
}

/// The member's points and the order after these statements, once all holds have run out.
fn end(
    rules: &Rules,
    descriptions: &[Goods],
    statements: &[Said],
    pause: i64,
) -> ([i64; 4], Option<Order>) {
    let mut world = World::with(|programme| rules.edit(programme));
    world.play(
        "
        grant ann 1000000
        link ec/7 ann
        h: main.ec o1 authorize ec/7 400
        ",
    );
    for (facts, named) in statements {
        let statement = statement(&world, descriptions, facts);
        world.run(report(statement, named.then_some("ec/7"), None));
        world.line(&format!("wait {pause}s"));
    }
    world.play("wait 2h \n sweep ann");
    let ann = &world.state.members[&member_id("ann")];
    let points = [ann.available, ann.held, ann.pending, ann.owed].map(Points::get);
    let order = world.state.orders.values().next().cloned();
    (points, order)
}

proptest! {
    #[test]
    fn statements_lead_to_one_end_in_any_order_and_however_often(
        rules in rules(),
        descriptions in descriptions(),
        (one, other) in twice(),
        pause in select(vec![0, 1, 600]),
    ) {
        let (points, order) = end(&rules, &descriptions, &one, 0);
        let (also, again) = end(&rules, &descriptions, &other, pause);
        prop_assert_eq!(points, also);
        let what = |order: Option<Order>| order.map(|row| {
            (row.state, row.facts, row.member_id, row.remark)
        });
        prop_assert_eq!(what(order), what(again));
    }
}
