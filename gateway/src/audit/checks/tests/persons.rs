//! Persons of several records: merges, shared points and debts, cards that are numbers, orders, erasure.

use std::collections::BTreeMap;

use ledger::{
    card_use::{CardProof, Till},
    command::{
        Ask, Direction, Erasure, IssueCard, Link, Merging, Operation, OrderReport, Payment,
        ProfileChange, Side, Unmerging,
    },
    decision::Answer,
    identity::{Claim, IdentityKey, IdentityKind, Newcomer, Proof},
    member::{CardKind, MemberNo},
    order::OrderState,
    profile::SealedProfile,
    programme::Clawback,
};
use member_card::CardId;
use pos_protocol::{
    AuthorizationId, BasketId, LineQuantity, MemberId, OrderCustomer, OrderLine, OrderRedemption,
    OrderRefund, OrderStatement, PlacedOrder, Shipped, StoreId, TerminalId, Yen,
};

use super::{
    super::super::rows::MemberRows,
    play::{Play, card_id, member_id, points, programme, yen},
};

/// Who is in the play: two with phones that are one person, one of a shop, one that is forgotten.
pub(super) const LENDER: u8 = 1;
pub(super) const BORROWER: u8 = 2;
pub(super) const CUSTOMER: u8 = 3;
pub(super) const FORGOTTEN: u8 = 4;

fn shop() -> Till {
    Till {
        terminal_id: TerminalId::new("main.ec").unwrap(),
        store_id: StoreId::new("store-1").unwrap(),
    }
}

/// What stands for an order as a basket.
fn used(order_id: &str) -> [u8; 32] {
    let mut used = [0xEC; 32];
    used[..order_id.len()].copy_from_slice(order_id.as_bytes());
    used
}

fn claim(number: u8) -> Claim {
    Claim {
        key: IdentityKey([number; 32]),
        kind: IdentityKind::EcCustomer,
        issuer: "main".into(),
        label: "7".into(),
    }
}

fn newcomer(number: u8) -> Newcomer {
    Newcomer {
        member_id: member_id(number),
        member_no: MemberNo::from_seed(number.into()),
    }
}

/// Two pieces of line a for 10,000 yen and one of line b for 5,000, with 500 yen for shipping.
fn placed(play: &Play, hold: Option<AuthorizationId>) -> PlacedOrder {
    let line = |line_id: &str, quantity, amount| OrderLine {
        line_id: line_id.into(),
        sku: "1".into(),
        name: "Tea".into(),
        category: "drinks".into(),
        quantity,
        amount: yen(amount),
        tax_rate: 10,
    };
    PlacedOrder {
        number: "1".into(),
        ordered_at: play.now,
        customer: OrderCustomer::default(),
        lines: vec![line("a", 2, 10_000), line("b", 1, 5_000)],
        shipping_fee: yen(500),
        total: yen(15_500),
        tax: yen(1_409),
        redemption: hold.map(|authorization_id| OrderRedemption {
            authorization_id,
            points: None,
        }),
    }
}

/// What a shop says of an order, in the words of a test.
#[derive(Default)]
struct Says {
    placed: Option<PlacedOrder>,
    paid: bool,
    cancelled: bool,
    shipped: Option<(&'static str, u32)>,
    refund: Option<(&'static str, u32)>,
    yen_back: i64,
}

impl Play {
    fn order(&mut self, order_id: &str, by: u8, says: Says) -> OrderState {
        let lines = |(line_id, quantity): (&str, u32)| {
            vec![LineQuantity {
                line_id: line_id.to_owned(),
                quantity,
            }]
        };
        let mut refunds = Vec::new();
        if let Some(pieces) = says.refund {
            refunds.push(OrderRefund {
                refund_id: format!("r-{}-{}", pieces.0, pieces.1),
                lines: lines(pieces),
                amount: Yen::ZERO,
            });
        }
        if says.yen_back > 0 {
            refunds.push(OrderRefund {
                refund_id: format!("y-{}", says.yen_back),
                lines: Vec::new(),
                amount: yen(says.yen_back),
            });
        }
        let statement = OrderStatement {
            order_id: order_id.parse().unwrap(),
            as_of: self.now,
            placed: says.placed,
            paid: says.paid,
            cancelled: says.cancelled,
            shipped: says
                .shipped
                .map_or(Shipped::Nothing, |pieces| Shipped::Lines(lines(pieces))),
            refunds,
        };
        assert_eq!(statement.violation(), None);
        let answer = self.run(Operation::ReportOrder(Box::new(OrderReport {
            shop_id: "main".parse().unwrap(),
            till: shop(),
            statement,
            customer: Some(claim(by)),
            used: used(order_id),
            newcomer: newcomer(by),
        })));
        match answer {
            Answer::OrderBooked { state, .. } => state,
            other => panic!("{order_id}: {other:?}"),
        }
    }

    /// The shop's customer, signed in, holds points for an order.
    fn hold_for_order(&mut self, order_id: &str, by: u8) -> AuthorizationId {
        let card = CardProof::Customer {
            key: claim(by).key,
            used: used(order_id),
        };
        let ask = Ask::Authorization {
            basket_id: BasketId::new(order_id).unwrap(),
            card,
            points: points(200),
        };
        let answer = self.ask_at(shop(), &format!("hold-{order_id}"), ask);
        serde_json::from_value(answer["authorization"]["id"].clone()).unwrap()
    }

    fn merge(&mut self, alias: MemberId, into: u8) {
        let answer = self.run(Operation::Merge(Box::new(Merging {
            member_id: alias,
            into: member_id(into),
            reason: "the same person".into(),
            actor: "test".into(),
        })));
        assert!(matches!(answer, Answer::Linked { .. }), "{answer:?}");
    }

    fn issue(&mut self, kind: CardKind, number: u8, asker: Option<u8>, new: u8) -> CardId {
        let key = [number; 32];
        let card_id_made = CardId::of_number(&key);
        let answer = self.run(Operation::IssueCard(Box::new(IssueCard {
            card_id: card_id_made,
            key: key.to_vec(),
            kind,
            name: "1234".into(),
            asker: asker.map(card_id),
            newcomer: newcomer(new),
            lots: Vec::new(),
            origin: "import:base.csv".into(),
            actor: "test".into(),
        })));
        assert!(matches!(answer, Answer::Enrolled { .. }), "{answer:?}");
        card_id_made
    }
}

fn payment(card: CardProof, redeem: i64) -> Payment {
    Payment::Card {
        card,
        redeem: points(redeem),
    }
}

/// Two records of one person: a debt that the other pays, points that the other lends, spent, given back
/// and let go, also after the two are parted.
fn two_records(play: &mut Play) {
    play.enrol(LENDER, 900);
    play.enrol(BORROWER, 100);
    let card = play.card(BORROWER);
    let bought = play.buy("earned", payment(card, 0));
    play.wait(20 * 24 * 60);
    play.run(Operation::Sweep {
        member_id: member_id(BORROWER),
    });
    let earned = play.state.members[&member_id(BORROWER)].available.get();
    play.adjust(BORROWER, Direction::Take, earned);
    let all = |purchase_id| Ask::Refund {
        purchase_id,
        lines: None,
        quote: false,
    };
    play.ask("refund-earned", all(bought));
    assert!(!play.state.members[&member_id(BORROWER)].owed.is_zero());
    play.merge(member_id(BORROWER), LENDER);
    play.adjust(LENDER, Direction::Grant, 100);
    assert!(play.state.members[&member_id(BORROWER)].owed.is_zero());

    let card = play.card(BORROWER);
    let spent = play.buy("pooled", payment(card, 300));
    let card = play.card(BORROWER);
    play.hold_with("let-go", card);
    let wallet = play.issue(CardKind::Wallet, 0xA1, Some(BORROWER), BORROWER);
    let pass = CardProof::Pass {
        card_id: wallet,
        step_at: u32::try_from(play.now.as_second()).unwrap(),
    };
    play.buy("by-pass", payment(pass, 50));
    let unmerging = Unmerging {
        member_id: member_id(BORROWER),
        reason: "two after all".into(),
        actor: "test".into(),
    };
    let answer = play.run(Operation::Unmerge(Box::new(unmerging)));
    assert_eq!(answer, Answer::Done);
    play.ask("refund-pooled", all(spent));
    play.wait(60);
    play.run(Operation::Sweep {
        member_id: member_id(BORROWER),
    });
    play.merge(member_id(LENDER), BORROWER);
}

/// Orders that end in every way: refunded by lines and by yen, by the shop and by a till, changed, paid
/// with a hold that stands and with one that is gone, cancelled.
fn orders(play: &mut Play) {
    let paid = |play: &Play, hold| Says {
        placed: Some(placed(play, hold)),
        paid: true,
        ..Says::default()
    };
    let first = paid(play, None);
    play.order("o1", CUSTOMER, first);
    let shipped = |pieces| Says {
        shipped: Some(pieces),
        ..Says::default()
    };
    play.order("o1", CUSTOMER, shipped(("a", 1)));
    let back = Says {
        refund: Some(("a", 1)),
        yen_back: 700,
        ..Says::default()
    };
    play.order("o1", CUSTOMER, back);
    play.order("o1", CUSTOMER, shipped(("b", 1)));
    play.adjust(CUSTOMER, Direction::Grant, 1_000);

    // Paid with a hold, changed, and cancelled.
    let hold = play.hold_for_order("o2", CUSTOMER);
    let second = paid(play, Some(hold));
    play.order("o2", CUSTOMER, second);
    let mut changed = paid(play, Some(hold));
    let goods = changed.placed.as_mut().unwrap();
    goods.lines[1].quantity = 2;
    play.order("o2", CUSTOMER, changed);
    let state = play.order(
        "o2",
        CUSTOMER,
        Says {
            cancelled: true,
            ..Says::default()
        },
    );
    assert_eq!(state, OrderState::Cancelled);

    // Paid with a hold that the shop let go before, and with one that ran out.
    let hold = play.hold_for_order("o3", CUSTOMER);
    let void = Ask::Void {
        authorization_id: hold,
    };
    play.ask_at(shop(), "void-o3", void);
    let third = paid(play, Some(hold));
    play.order("o3", CUSTOMER, third);
    let hold = play.hold_for_order("o4", CUSTOMER);
    play.wait(60);
    let fourth = paid(play, Some(hold));
    play.order("o4", CUSTOMER, fourth);

    // Held by one customer, and then another's order.
    let hold = play.hold_for_order("o6", CUSTOMER);
    let sixth = paid(play, Some(hold));
    play.order("o6", 6, sixth);
}

/// Somebody with personal data, an identity and points, who is forgotten; an order comes late.
fn forgotten(play: &mut Play) {
    play.enrol(FORGOTTEN, 500);
    let member = member_id(FORGOTTEN);
    play.run(Operation::Link(Box::new(Link {
        asker: Side::Card(card_id(FORGOTTEN)),
        other: Side::Identity(claim(FORGOTTEN)),
        proof: Proof::IdToken,
        actor: "test".into(),
        agreed: false,
        only_known: false,
        cool_down: false,
        newcomer: None,
    })));
    let goods = Says {
        placed: Some(placed(play, None)),
        paid: true,
        ..Says::default()
    };
    play.order("o5", FORGOTTEN, goods);
    let sealed = SealedProfile {
        key_id: "k1".into(),
        wrapped_key: vec![1],
        sealed: vec![2],
        ..SealedProfile::default()
    };
    let answer = play.run(Operation::SetProfile(Box::new(ProfileChange {
        member_id: member,
        replaces: 0,
        sealed,
        actor: "test".into(),
    })));
    assert_eq!(answer, Answer::Done);
    let erasure = Erasure {
        member_id: member,
        reason: "asked".into(),
        actor: "test".into(),
    };
    let answer = play.run(Operation::Erase(Box::new(erasure)));
    assert_eq!(answer, Answer::Done);
    let shipped = Says {
        shipped: Some(("a", 2)),
        ..Says::default()
    };
    play.order("o5", FORGOTTEN, shipped);
}

pub(super) fn sound() -> BTreeMap<MemberId, MemberRows> {
    let mut programme = programme();
    programme.returns.clawback = Clawback::Owe;
    let mut play = Play::new(programme);
    two_records(&mut play);
    orders(&mut play);
    forgotten(&mut play);
    let plastic = play.issue(CardKind::Plastic, 0xA2, None, 5);
    let number = CardProof::Number {
        card_id: plastic,
        used: [0xCA; 32],
    };
    play.buy("by-number", payment(number, 0));
    play.end()
}
