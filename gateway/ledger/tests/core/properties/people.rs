//! Makes commands of the steps about persons and orders.

use jiff::Span;
use ledger::{
    command::{
        Confirm, EnterLinkCode, Erasure, IssueCard, Link, MakeLinkCode, Merging, OpeningLot,
        Operation, ProfileChange, Side, StartVerification, Unmerging,
    },
    identity::{Claim, Proof},
    member::CardKind,
};
use member_card::CardId;
use pos_protocol::{
    LineQuantity, OrderCustomer, OrderLine, OrderRedemption, OrderRefund, OrderStatement,
    PlacedOrder, Points, Shipped, Yen,
};

use crate::world::{card_id, claim, hash, member_id, newcomer, order_use, profile, report};

use super::{
    player::{CATEGORIES, MEMBERS, Player, newest},
    steps::{OrderFacts, Party, Step},
};

/// A customer of the shop.
pub(super) fn customer(number: usize) -> Claim {
    claim(&customer_name(number))
}

fn customer_name(number: usize) -> String {
    format!("ec/{number}")
}

fn address(number: usize) -> Claim {
    claim(&format!("email/{number}"))
}

/// A plastic card, or a pass, and its name.
pub(super) fn number(pick: usize, pass: bool) -> (CardId, String) {
    let name = format!("{}{pick}", if pass { "pass" } else { "plastic" });
    (card_id(&name), name)
}

fn side(party: Party) -> Side {
    match party {
        Party::Card(who) => Side::Card(card_id(MEMBERS[who])),
        Party::Customer(number) => Side::Identity(customer(number)),
        Party::Address(number) => Side::Identity(address(number)),
    }
}

/// What the step asks, if it is about a person or an order.
pub(super) fn operation(player: &mut Player, step: &Step) -> Option<Operation> {
    let (reason, actor) = ("asked".to_owned(), "staff".to_owned());
    Some(match step {
        Step::Merge(alias, into) => Operation::Merge(Box::new(Merging {
            member_id: member_id(MEMBERS[*alias]),
            into: member_id(MEMBERS[*into]),
            reason,
            actor,
        })),
        Step::Unmerge(alias) => Operation::Unmerge(Box::new(Unmerging {
            member_id: member_id(MEMBERS[*alias]),
            reason,
            actor,
        })),
        Step::Erase(who) => Operation::Erase(Box::new(Erasure {
            member_id: member_id(MEMBERS[*who]),
            reason,
            actor,
        })),
        Step::NameCard(who) => Operation::NameCard {
            member_id: member_id(MEMBERS[*who]),
            card_id: card_id(MEMBERS[*who]),
            name: "mine".to_owned(),
        },
        Step::Profile(who, newest) => {
            let id = member_id(MEMBERS[*who]);
            let version = player
                .world
                .state
                .profiles
                .get(&id)
                .map_or(0, |row| row.version);
            Operation::SetProfile(Box::new(ProfileChange {
                replaces: version - i64::from(!newest),
                ..profile(MEMBERS[*who], 0)
            }))
        }
        Step::Issue(pick, asker, pass) => {
            Operation::IssueCard(Box::new(issue(player, *pick, *asker, *pass)))
        }
        Step::Report(order, customer, facts) => {
            let customer = customer.map(customer_name);
            let statement = statement(player, *order, facts);
            report(statement, customer.as_deref(), Some(&another(player)))
        }
        other => return linking(player, other),
    })
}

/// The name of a person whom nobody has named yet.
fn another(player: &mut Player) -> String {
    player.made[1] += 1;
    format!("person {}", player.made[1])
}

fn issue(player: &mut Player, pick: usize, asker: Option<usize>, pass: bool) -> IssueCard {
    let (card_id_of, name) = number(pick, pass);
    let lots = match asker {
        Some(_) => Vec::new(),
        None => vec![OpeningLot {
            points: Points::new(70).unwrap(),
            class: "ever".to_owned(),
            expires_on: Some("2027-01-31".parse().unwrap()),
        }],
    };
    IssueCard {
        card_id: card_id_of,
        key: hash(&name).to_vec(),
        kind: if pass {
            CardKind::Wallet
        } else {
            CardKind::Plastic
        },
        name: "1234".to_owned(),
        asker: asker.map(|who| card_id(MEMBERS[who])),
        newcomer: newcomer(&another(player)),
        lots,
        origin: "import:base.csv".to_owned(),
        actor: "staff".to_owned(),
    }
}

fn linking(player: &mut Player, step: &Step) -> Option<Operation> {
    let code = |number: usize| hash(&format!("code {number}"));
    Some(match step {
        Step::Verify(who, number) => Operation::StartVerification(Box::new(StartVerification {
            card_id: card_id(MEMBERS[*who]),
            claim: address(*number),
            code_hash: hash("sent"),
        })),
        Step::Confirm(pick, who, right, agreed) => Operation::Confirm(Box::new(Confirm {
            id: *newest(&player.verifications, *pick)?,
            card_id: card_id(MEMBERS[*who]),
            code_hash: hash(if *right { "sent" } else { "guessed" }),
            agreed: *agreed,
        })),
        Step::LinkCode(party) => {
            player.made[0] += 1;
            Operation::MakeLinkCode(Box::new(MakeLinkCode {
                hash: code(player.made[0]),
                side: side(*party),
                shown_by: "card".to_owned(),
                newcomer: newcomer(&another(player)),
            }))
        }
        Step::EnterCode(pick, party) => Operation::EnterLinkCode(Box::new(EnterLinkCode {
            hash: code(player.made[0].saturating_sub(*pick)),
            side: side(*party),
            actor: "shop:main".to_owned(),
            agreed: true,
        })),
        Step::ShopLink(number, mail, known) => Operation::Link(Box::new(Link {
            asker: Side::Identity(customer(*number)),
            other: Side::Identity(address(*mail)),
            proof: Proof::ShopStatement,
            actor: "shop:main".to_owned(),
            agreed: true,
            only_known: *known,
            cool_down: true,
            newcomer: None,
        })),
        Step::Unlink(own, party) => {
            let key = match side(*party) {
                Side::Identity(claim) => claim.key,
                _ => address(0).key,
            };
            let owner = player.world.state.identities.get(&key);
            let owner = owner.filter(|_| *own).map(|row| row.member_id);
            Operation::RevokeIdentity {
                member_id: owner.unwrap_or(member_id(MEMBERS[0])),
                key,
            }
        }
        _ => return None,
    })
}

fn statement(player: &Player, order: usize, facts: &OrderFacts) -> OrderStatement {
    let order_id = format!("o{order}");
    let yen = |amount| Yen::new(amount).unwrap();
    let lines = |line: usize, quantity| {
        vec![LineQuantity {
            line_id: line.to_string(),
            quantity,
        }]
    };
    let age = facts.placed.as_ref().map_or(0, |placed| placed.age);
    OrderStatement {
        order_id: order_id.parse().unwrap(),
        as_of: player
            .world
            .now
            .checked_sub(Span::new().seconds(age * 30))
            .unwrap(),
        placed: facts.placed.as_ref().and_then(|placed| {
            let lines: Vec<_> = (0..).zip(&placed.lines).map(order_line).collect();
            let sum = lines
                .iter()
                .map(|line| line.amount)
                .try_fold(yen(placed.fee), Yen::checked_add);
            Some(PlacedOrder {
                number: "1".to_owned(),
                ordered_at: player.world.now,
                customer: OrderCustomer::default(),
                lines,
                shipping_fee: yen(placed.fee),
                total: sum?,
                tax: Yen::ZERO,
                redemption: placed
                    .redeem
                    .and_then(|points| redemption(player, &order_id, points)),
            })
        }),
        paid: facts.paid,
        cancelled: facts.cancelled,
        shipped: match facts.shipped {
            None => Shipped::Nothing,
            Some((3, _)) => Shipped::Everything,
            Some((line, pieces)) => Shipped::Lines(lines(line, pieces)),
        },
        refunds: facts
            .refund
            .map(|(refund, line, pieces, amount)| OrderRefund {
                refund_id: format!("r{refund}"),
                lines: lines(line, pieces),
                amount: if line == 3 { yen(amount) } else { Yen::ZERO },
            })
            .into_iter()
            .collect(),
    }
}

fn order_line((line_id, (category, quantity, amount)): (u32, &(usize, u32, i64))) -> OrderLine {
    OrderLine {
        line_id: line_id.to_string(),
        sku: "sku".to_owned(),
        name: "goods".to_owned(),
        category: CATEGORIES[*category].to_owned(),
        quantity: *quantity,
        amount: Yen::new(*amount).unwrap(),
        tax_rate: 10,
    }
}

/// The newest hold of the order; or that of any basket, which is not the order's.
fn redemption(player: &Player, order_id: &str, points: i64) -> Option<OrderRedemption> {
    let used = ledger::card_use::UseKey::ShortCode(order_use(order_id));
    let holds = &player.world.state.authorizations;
    let own = holds.values().rev().find(|hold| hold.used == used);
    let hold = own.or_else(|| holds.values().next_back())?;
    Some(OrderRedemption {
        authorization_id: hold.id,
        points: Some(Points::new(points).unwrap()),
    })
}
