//! Who is in the storm, and what they do.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use acceptance::{ask::receipt, dice::Dice};
use gateway::clock::Clock;
use ledger::{
    card_use::{CardProof, Till},
    command::{
        Adjustment, Ask, Direction, Enrol, EnterLinkCode, Link, MakeLinkCode, Merging, Operation,
        OrderReport, Payment, PosCommand, Side, Unmerging,
    },
    decision::Answer,
    identity::{Claim, IdentityKey, IdentityKind, Newcomer, Proof},
    lot::Scope,
    member::MemberNo,
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{
    AuthorizationId, LineQuantity, MemberId, OrderLine, OrderRefund, OrderStatement, PlacedOrder,
    Points, PurchaseId, Shipped, Yen,
};
use serde_json::Value;

/// People with a phone.
const PHONES: u64 = 6;
/// Customers of the shop.
const CUSTOMERS: u64 = 4;
/// Orders that are told of over and over.
const ORDERS: u64 = 40;
/// What has to have happened for the storm to be one.
pub(crate) const WANTED: [&str; 12] = [
    "approved",
    "declined",
    "merged",
    "already_merged",
    "parted",
    "not_merged",
    "linked",
    "purchase",
    "refund",
    "void",
    "shipped",
    "cancelled",
];

pub(crate) struct People {
    members: Vec<MemberId>,
    cards: Vec<CardId>,
    counter: AtomicU64,
    answered: Mutex<BTreeMap<String, u64>>,
}

impl People {
    pub(crate) fn new(clock: &Clock) -> Self {
        let key = |number| SigningKey::from_hex(&format!("{:064x}", number + 1)).unwrap();
        Self {
            members: (0..PHONES).map(|_| MemberId::new(clock.new_id())).collect(),
            cards: (0..PHONES).map(|number| key(number).card_id()).collect(),
            counter: AtomicU64::new(0),
            answered: Mutex::default(),
        }
    }

    /// Everybody enrols, gets points and a customer account.
    pub(crate) fn beginnings(&self, clock: &Clock) -> Vec<Operation> {
        let mut operations = Vec::new();
        for number in 0..PHONES {
            let key = SigningKey::from_hex(&format!("{:064x}", number + 1)).unwrap();
            let at = usize::try_from(number).unwrap();
            operations.push(Operation::Enrol(Enrol {
                card_id: key.card_id(),
                public_key: key.public_key().to_sec1().to_vec(),
                member_id: self.members[at],
                member_no: MemberNo::from_seed(number + 1),
            }));
            for class in ["base", "bonus"] {
                operations.push(Operation::Adjust(Adjustment {
                    member_id: self.members[at],
                    direction: Direction::Grant,
                    points: Points::new(100_000).unwrap(),
                    class: class.to_owned(),
                    scope: Scope::default(),
                    reason: "to begin with".to_owned(),
                    actor: "test".to_owned(),
                }));
            }
        }
        for number in 0..CUSTOMERS {
            operations.push(Operation::MakeLinkCode(Box::new(MakeLinkCode {
                hash: hash(1, number),
                side: Side::Identity(customer(number)),
                shown_by: "shop:main".to_owned(),
                newcomer: self.newcomer(clock),
            })));
        }
        operations
    }

    fn next(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    fn newcomer(&self, clock: &Clock) -> Newcomer {
        Newcomer {
            member_id: MemberId::new(clock.new_id()),
            member_no: MemberNo::from_seed(1_000 + self.next()),
        }
    }

    pub(crate) fn answered(&self) -> BTreeMap<String, u64> {
        self.answered.lock().unwrap().clone()
    }

    fn count(&self, what: &str) {
        *self
            .answered
            .lock()
            .unwrap()
            .entry(what.to_owned())
            .or_default() += 1;
    }
}

fn hash(kind: u8, number: u64) -> [u8; 32] {
    let mut hash = [kind; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    hash
}

fn customer(number: u64) -> Claim {
    Claim {
        key: IdentityKey(hash(2, number)),
        kind: IdentityKind::EcCustomer,
        issuer: "main".to_owned(),
        label: number.to_string(),
    }
}

fn till(name: &str) -> Till {
    Till {
        terminal_id: name.parse().unwrap(),
        store_id: format!("store-of-{name}").parse().unwrap(),
    }
}

/// One who acts: what it did lets it go on.
pub(crate) struct Caller {
    people: std::sync::Arc<People>,
    dice: Dice,
    till: Till,
    holds: Vec<AuthorizationId>,
    baskets: BTreeMap<AuthorizationId, String>,
    last_basket: String,
    purchases: Vec<PurchaseId>,
    codes: Vec<[u8; 32]>,
    doing: &'static str,
}

impl Caller {
    pub(crate) fn new(people: std::sync::Arc<People>, dice: Dice) -> Self {
        let till = till(&format!("till-{}", people.next()));
        Self {
            people,
            dice,
            till,
            holds: Vec::new(),
            baskets: BTreeMap::new(),
            last_basket: String::new(),
            purchases: Vec::new(),
            codes: Vec::new(),
            doing: "",
        }
    }

    fn who(&mut self) -> usize {
        usize::try_from(self.dice.below(PHONES)).unwrap()
    }

    fn pos(&mut self, ask: Ask) -> Operation {
        let request = format!("r{}", self.people.next());
        Operation::Pos(PosCommand {
            till: self.till.clone(),
            request_id: request.parse().unwrap(),
            fingerprint: [0; 32],
            ask,
        })
    }

    fn card(&mut self, clock: &Clock) -> CardProof {
        let who = self.who();
        let now = u32::try_from(clock.now().as_second()).unwrap();
        CardProof::Text {
            card_id: self.people.cards[who],
            issued_at: now - u32::try_from(self.dice.below(20)).unwrap(),
            spend: SpendLimit::Unlimited,
        }
    }

    /// What it does next.
    pub(crate) fn next(&mut self, clock: &Clock) -> Operation {
        match self.dice.below(20) {
            0..=1 => {
                self.doing = "merge";
                let (one, two) = (self.who(), self.who());
                Operation::Merge(Box::new(Merging {
                    member_id: self.people.members[one],
                    into: self.people.members[two],
                    reason: "storm".to_owned(),
                    actor: "test".to_owned(),
                }))
            }
            2..=4 => {
                self.doing = "unmerge";
                let who = self.who();
                Operation::Unmerge(Box::new(Unmerging {
                    member_id: self.people.members[who],
                    reason: "storm".to_owned(),
                    actor: "test".to_owned(),
                }))
            }
            5..=8 => self.authorize(clock),
            9..=10 => self.capture(clock),
            11 => self.void(clock),
            12 => self.refund(clock),
            13 => self.link(clock),
            14 => self.code(clock),
            _ => self.order(clock),
        }
    }

    fn authorize(&mut self, clock: &Clock) -> Operation {
        self.doing = "authorize";
        self.last_basket = format!("b{}", self.people.next());
        let ask = Ask::Authorization {
            basket_id: self.last_basket.parse().unwrap(),
            card: self.card(clock),
            points: Points::new(self.dice.between(1, 400)).unwrap(),
        };
        self.pos(ask)
    }

    fn capture(&mut self, clock: &Clock) -> Operation {
        let Some(hold) = self.holds.pop() else {
            return self.authorize(clock);
        };
        self.doing = "purchase";
        let ask = Ask::Purchase {
            basket_id: self.baskets[&hold].parse().unwrap(),
            payment: Payment::Authorization {
                authorization_id: hold,
                redeem: None,
            },
            receipt: std::sync::Arc::new(receipt("R-1", &[3_000, 500])),
            advice: None,
        };
        self.pos(ask)
    }

    fn void(&mut self, clock: &Clock) -> Operation {
        let Some(authorization_id) = self.holds.pop() else {
            return self.authorize(clock);
        };
        self.doing = "void";
        self.pos(Ask::Void { authorization_id })
    }

    fn refund(&mut self, clock: &Clock) -> Operation {
        let Some(purchase_id) = self.purchases.pop() else {
            return self.capture(clock);
        };
        self.doing = "refund";
        self.pos(Ask::Refund {
            purchase_id,
            lines: None,
            quote: false,
        })
    }

    fn link(&mut self, clock: &Clock) -> Operation {
        self.doing = "link";
        let _ = clock;
        let who = self.who();
        Operation::Link(Box::new(Link {
            asker: Side::Card(self.people.cards[who]),
            other: Side::Identity(customer(self.dice.below(CUSTOMERS))),
            proof: Proof::IdToken,
            actor: "test".to_owned(),
            agreed: true,
            only_known: false,
            cool_down: false,
            newcomer: None,
        }))
    }

    fn code(&mut self, clock: &Clock) -> Operation {
        let who = self.who();
        let side = Side::Card(self.people.cards[who]);
        match self.codes.pop() {
            Some(hash) => {
                self.doing = "link";
                Operation::EnterLinkCode(Box::new(EnterLinkCode {
                    hash,
                    side,
                    actor: "test".to_owned(),
                    agreed: true,
                }))
            }
            None => {
                self.doing = "code";
                let hash = hash(3, self.people.next());
                self.codes.push(hash);
                Operation::MakeLinkCode(Box::new(MakeLinkCode {
                    hash,
                    side,
                    shown_by: "card".to_owned(),
                    newcomer: self.people.newcomer(clock),
                }))
            }
        }
    }

    /// Any statement about any of the orders, true to one life that every order has.
    fn order(&mut self, clock: &Clock) -> Operation {
        self.doing = "order";
        let number = self.dice.below(ORDERS);
        let customer_no = number % CUSTOMERS;
        let placed = self.dice.one_in(2).then(|| placed(number));
        let returned = OrderRefund {
            refund_id: format!("back-{number}"),
            lines: vec![LineQuantity {
                line_id: "a".to_owned(),
                quantity: 1,
            }],
            amount: Yen::ZERO,
        };
        let statement = OrderStatement {
            order_id: format!("o{number}").parse().unwrap(),
            as_of: clock.now(),
            placed,
            paid: self.dice.one_in(2),
            cancelled: number.is_multiple_of(7) && self.dice.one_in(4),
            shipped: match self.dice.below(4) {
                0 => Shipped::Everything,
                1 => Shipped::Lines(vec![LineQuantity {
                    line_id: "b".to_owned(),
                    quantity: 1,
                }]),
                _ => Shipped::Nothing,
            },
            refunds: if number.is_multiple_of(3) && self.dice.one_in(2) {
                vec![returned]
            } else {
                Vec::new()
            },
        };
        Operation::ReportOrder(Box::new(OrderReport {
            shop_id: "main".parse().unwrap(),
            till: till("shop-main"),
            statement,
            customer: self.dice.one_in(2).then(|| customer(customer_no)),
            used: hash(4, number),
            newcomer: self.people.newcomer(clock),
        }))
    }

    /// Learns from an answer, and counts it.
    pub(crate) fn note(&mut self, answer: &Answer) {
        let word = match answer {
            Answer::Message(text) => {
                let answer: Value = serde_json::from_str(text).unwrap();
                let outcome = answer["outcome"].as_str().unwrap().to_owned();
                if outcome == "approved" {
                    self.approved(&answer);
                    self.people.count(self.doing);
                }
                outcome
            }
            Answer::Linked {
                merged: Some(_), ..
            } => "merged".to_owned(),
            Answer::Linked { merged: None, .. } => "linked".to_owned(),
            Answer::Denied(denial) => denial.word().to_owned(),
            Answer::OrderBooked { state, .. } => state.word().to_owned(),
            Answer::Done => "parted".to_owned(),
            Answer::CodeMade { .. } => "code".to_owned(),
            other => format!("{other:?}"),
        };
        self.people.count(&word);
    }

    fn approved(&mut self, answer: &Value) {
        let id = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        if let Some(hold) = id("/authorization/id") {
            let hold: AuthorizationId = hold.parse().unwrap();
            self.holds.push(hold);
            self.baskets.insert(hold, self.last_basket.clone());
        }
        if let Some(purchase) = id("/purchase/id") {
            self.purchases.push(purchase.parse().unwrap());
        }
    }
}

fn placed(number: u64) -> PlacedOrder {
    let line = |line_id: &str, amount| OrderLine {
        line_id: line_id.to_owned(),
        sku: "sku".to_owned(),
        name: "goods".to_owned(),
        category: "goods".to_owned(),
        quantity: 2,
        amount: Yen::new(amount).unwrap(),
        tax_rate: 10,
    };
    PlacedOrder {
        number: format!("#{number}"),
        ordered_at: "2026-11-22T00:00:00Z".parse().unwrap(),
        customer: pos_protocol::OrderCustomer::default(),
        lines: vec![line("a", 4_000), line("b", 2_400)],
        shipping_fee: Yen::new(550).unwrap(),
        total: Yen::new(6_950).unwrap(),
        tax: Yen::new(631).unwrap(),
        redemption: None,
    }
}
