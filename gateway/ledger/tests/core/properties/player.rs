//! Makes commands of steps, against the ledger as it stands.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Span, Timestamp};
use ledger::{
    calendar::business_date,
    card_use::CardProof,
    command::{Activation, Adjustment, Ask, Command, Direction, Operation, Payment, PosCommand},
    decide,
    decision::Answer,
    lot::Scope,
    records::{Authorization, Purchase},
};
use member_card::SpendLimit;
use pos_protocol::{
    Advice, AuthorizationId, BasketId, Points, PurchaseId, Receipt, ReceiptLine, RefundLine,
    SettlementTotals, Yen,
};
use uuid::Uuid;

use crate::world::{SHOP_TILL, World, card_id, enrol, hash, member_id, order_use, request, till};

use super::{
    people::{self, number},
    said::without_ids,
    steps::{At, Goods, Shown, Step},
};

pub(super) const MEMBERS: [&str; 3] = ["ann", "bob", "cat"];
/// The last one is an EC shop.
const TILLS: [&str; 5] = ["s1.t1", "s1.t2", "s2.t1", "s2.t2", SHOP_TILL];
const SHOP: usize = 4;
pub(super) const CATEGORIES: [&str; 3] = ["food", "toys", "books"];

/// The faults of amounts beyond what a ledger carries. There are no others.
const BEYOND: [&str; 3] = [
    "an account would pass the largest amount",
    "a debt would leave its range",
    "a lot was granted too much",
];

/// A command and what was decided.
pub(crate) struct Decided {
    pub(crate) command: Command,
    pub(crate) now: Timestamp,
    pub(crate) answer: Answer,
}

/// Plays steps.
pub(crate) struct Player {
    pub(crate) world: World,
    /// Every command since the world began.
    pub(crate) log: Vec<Decided>,
    /// Whether amounts may be beyond what a ledger carries: then faults are answers too.
    wild: bool,
    texts: Vec<CardProof>,
    codes: Vec<CardProof>,
    of_basket: BTreeMap<(usize, String), CardProof>,
    requests: Vec<PosCommand>,
    counts: [u32; TILLS.len()],
    baskets: [u32; TILLS.len()],
    /// Verifications that were begun.
    pub(super) verifications: Vec<Uuid>,
    /// How many codes that link were made, and persons by orders and numbers.
    pub(super) made: [usize; 2],
}

impl Player {
    /// A player of everyday steps.
    pub(crate) fn new(world: World) -> Self {
        Self {
            world,
            log: Vec::new(),
            wild: false,
            texts: Vec::new(),
            codes: Vec::new(),
            of_basket: BTreeMap::new(),
            requests: Vec::new(),
            counts: [0; TILLS.len()],
            baskets: [0; TILLS.len()],
            verifications: Vec::new(),
            made: [0; 2],
        }
    }

    /// A player of wild steps.
    pub(crate) fn wild(world: World) -> Self {
        Self {
            wild: true,
            ..Self::new(world)
        }
    }

    /// Every till request that was sent, without repetitions.
    pub(crate) fn sent(&self) -> Vec<PosCommand> {
        self.requests.clone()
    }

    /// Does one step; says what was answered, without ids.
    pub(crate) fn step(&mut self, step: &Step) -> Option<String> {
        let operation = match step {
            Step::Wait(seconds) => {
                self.wait(*seconds);
                return None;
            }
            Step::Again(pick, changed) => {
                let mut pos = newest(&self.requests, *pick)?.clone();
                pos.fingerprint[31] ^= u8::from(*changed);
                Operation::Pos(pos)
            }
            other => match self
                .office(other)
                .or_else(|| people::operation(self, other))
            {
                Some(operation) => operation,
                None => {
                    let (till, ask) = self.ask(other)?;
                    let label = format!("r{}", self.counts[till]);
                    self.counts[till] += 1;
                    let pos = request(TILLS[till], &label, ask);
                    self.requests.push(pos.clone());
                    Operation::Pos(pos)
                }
            },
        };
        Some(self.run(operation))
    }

    fn wait(&mut self, seconds: i64) {
        self.world.now = self
            .world
            .now
            .checked_add(Span::new().seconds(seconds))
            .unwrap();
    }

    /// Waits in four parts, with a sweep of everybody after each.
    pub(crate) fn wait_and_sweep(&mut self, seconds: i64) {
        for part in 1..=4 {
            self.wait(seconds * part / 4 - seconds * (part - 1) / 4);
            for who in 0..MEMBERS.len() {
                self.step(&Step::Sweep(who));
            }
        }
    }

    fn run(&mut self, operation: Operation) -> String {
        let command = self.world.command(operation);
        let now = self.world.now;
        let decision = if self.wild {
            let decision = decide(&self.world.state, &command, now);
            if let Answer::Fault(what) = decision.answer {
                assert!(BEYOND.contains(&what), "{command:?} → {what}");
                assert!(decision.changes.is_empty(), "{decision:?}");
            }
            self.world.state.apply(&decision.changes);
            decision
        } else {
            self.world.run_command(&command)
        };
        if let Operation::Pos(pos) = &command.operation
            && decision.changes.purchases.values().any(|edit| edit.created)
        {
            let till = TILLS
                .iter()
                .position(|name| *name == pos.till.terminal_id.as_str());
            self.baskets[till.unwrap()] += 1;
        }
        if let (Operation::StartVerification(_), Answer::CodeMade { id, .. }) =
            (&command.operation, &decision.answer)
        {
            self.verifications.push(*id);
        }
        let said = without_ids(&decision.answer);
        let answer = decision.answer;
        self.log.push(Decided {
            command,
            now,
            answer,
        });
        said
    }

    fn office(&mut self, step: &Step) -> Option<Operation> {
        let adjust = |who: &usize, direction, points, kind: usize| {
            let stores = [&["s1"][..], &[]][usize::from(kind < 4)];
            let categories = [&["toys", "books"][..], &[]][usize::from(kind != 3)];
            Operation::Adjust(Adjustment {
                member_id: member_id(MEMBERS[*who]),
                direction,
                points: Points::new(points).unwrap(),
                class: ["base", "ever"][kind % 2].to_owned(),
                scope: Scope {
                    stores: stores.iter().map(|store| store.parse().unwrap()).collect(),
                    categories: categories
                        .iter()
                        .map(|category| (*category).to_owned())
                        .collect(),
                },
                reason: "asked".to_owned(),
                actor: "staff".to_owned(),
            })
        };
        Some(match step {
            Step::Enrol(who) => Operation::Enrol(enrol(MEMBERS[*who])),
            Step::Revoke(who) => Operation::RevokeCard {
                member_id: member_id(MEMBERS[*who]),
                card_id: card_id(MEMBERS[*who]),
            },
            Step::Block(who, blocked) => Operation::SetBlocked {
                member_id: member_id(MEMBERS[*who]),
                blocked: *blocked,
                reason: "asked".to_owned(),
                actor: "staff".to_owned(),
            },
            Step::Grant(who, points, kind) => adjust(who, Direction::Grant, *points, *kind),
            Step::Take(who, points) => adjust(who, Direction::Take, *points, 0),
            Step::Sweep(who) => Operation::Sweep {
                member_id: member_id(MEMBERS[*who]),
            },
            Step::Code(who, spend) => {
                let mut hash = [9; 32];
                hash[..8].copy_from_slice(&self.codes.len().to_be_bytes());
                self.codes.push(CardProof::ShortCode(hash));
                Operation::MakeShortCode {
                    card_id: card_id(MEMBERS[*who]),
                    hash,
                    spend: *spend,
                }
            }
            Step::Activate(variant, late) => {
                let in_force = &self.world.state.in_force;
                let mut programme = in_force.programme.as_ref().clone();
                variant.edit(&mut programme);
                Operation::ActivateProgramme(Box::new(Activation {
                    replaces: in_force.version - i64::from(*late),
                    programme: Arc::new(programme),
                    source: String::new(),
                    actor: "staff".to_owned(),
                }))
            }
            _ => return None,
        })
    }

    /// What a till asks, and which.
    fn ask(&mut self, step: &Step) -> Option<(usize, Ask)> {
        Some(match step {
            Step::Inquire(at, shown) => {
                let (basket_id, card) = self.card(*at, shown);
                (at.till, Ask::Inquiry { basket_id, card })
            }
            Step::Authorize(at, shown, points) => {
                let (basket_id, card) = self.card(*at, shown);
                let points = Points::new(*points).unwrap();
                let ask = Ask::Authorization {
                    basket_id,
                    card,
                    points,
                };
                (at.till, ask)
            }
            Step::Buy(at, shown, redeem, goods) => {
                let (basket_id, card) = self.card(*at, shown);
                let redeem = Points::new(*redeem).unwrap();
                let payment = Payment::Card { card, redeem };
                (at.till, self.purchase(at.till, basket_id, payment, goods))
            }
            Step::Capture(pick, stray, redeem, goods) => {
                let (till, basket_id, authorization_id) = self.hold(*pick, *stray)?;
                let redeem = redeem.map(|points| Points::new(points).unwrap());
                let payment = Payment::Authorization {
                    authorization_id,
                    redeem,
                };
                (till, self.purchase(till, basket_id, payment, goods))
            }
            Step::Void(pick, stray) => {
                let (till, _, authorization_id) = self.hold(*pick, *stray)?;
                (till, Ask::Void { authorization_id })
            }
            Step::OrderHold(order, customer, points) => {
                let basket_id: BasketId = format!("o{order}").parse().unwrap();
                let card = CardProof::Customer {
                    key: people::customer(*customer).key,
                    used: order_use(basket_id.as_str()),
                };
                let points = Points::new(*points).unwrap();
                let ask = Ask::Authorization {
                    basket_id,
                    card,
                    points,
                };
                (SHOP, ask)
            }
            other => return self.ask_afterwards(other),
        })
    }

    /// What a till asks once the sale is over.
    fn ask_afterwards(&self, step: &Step) -> Option<(usize, Ask)> {
        Some(match step {
            Step::Refund(pick, till, lines, quote) => {
                let (own, purchase_id) = self.sold(*pick)?;
                let ask = Ask::Refund {
                    purchase_id,
                    lines: lines
                        .as_ref()
                        .map(|lines| lines.iter().map(refund_line).collect()),
                    quote: *quote,
                };
                // The till that sold asks most often.
                (till.unwrap_or(own), ask)
            }
            Step::Reverse(pick, standing) => {
                let original = match standing {
                    true => self.standing(*pick)?,
                    false => newest(&self.requests, *pick)?,
                };
                let till = position(original.till.terminal_id.as_str());
                let original_request_id = original.request_id.clone();
                (
                    till,
                    Ask::Reversal {
                        original_request_id,
                    },
                )
            }
            Step::ReverseAhead(till, ahead) => {
                let label = format!("r{}", self.counts[*till] + ahead);
                let original_request_id = label.parse().unwrap();
                (
                    *till,
                    Ask::Reversal {
                        original_request_id,
                    },
                )
            }
            Step::Settle(at, back) => {
                let store = till(TILLS[*at]).store_id;
                let today =
                    business_date(&self.world.state.in_force.programme, &store, self.world.now);
                let business_date = today.saturating_sub(Span::new().days(*back));
                let totals = SettlementTotals::default();
                (
                    *at,
                    Ask::Settlement {
                        business_date,
                        totals,
                    },
                )
            }
            _ => return None,
        })
    }

    fn purchase(&self, at: usize, basket_id: BasketId, payment: Payment, goods: &Goods) -> Ask {
        let scanned_at = |delay: i64| {
            self.world
                .now
                .checked_sub(Span::new().seconds(delay))
                .unwrap()
        };
        Ask::Purchase {
            basket_id,
            payment,
            receipt: Arc::new(self.receipt(at, goods)),
            advice: goods.advice.map(|delay| Advice {
                scanned_at: scanned_at(delay),
            }),
        }
    }

    fn receipt(&self, at: usize, goods: &Goods) -> Receipt {
        let lines = (1..)
            .zip(&goods.lines)
            .map(|(line_no, (category, quantity, amount))| ReceiptLine {
                line_no,
                sku: "sku".to_owned(),
                name: "goods".to_owned(),
                category: CATEGORIES[*category].to_owned(),
                quantity: *quantity,
                amount: Yen::new(*amount).unwrap(),
                tax_rate: 10,
            });
        let lines: Vec<_> = lines.collect();
        let total = Yen::total(lines.iter().map(|line| line.amount));
        let store = till(TILLS[at]).store_id;
        let today = business_date(&self.world.state.in_force.programme, &store, self.world.now);
        Receipt {
            number: "1".to_owned(),
            business_date: today.saturating_add(Span::new().days(goods.days_off)),
            occurred_at: self.world.now,
            lines,
            total,
            tax: Yen::new(total.get() * goods.tax_percent / 100).unwrap(),
        }
    }

    /// The basket and the card that is shown in it.
    fn card(&mut self, at: At, shown: &Shown) -> (BasketId, CardProof) {
        let key = |number: u32| (at.till, format!("b{}", number.saturating_sub(at.back)));
        let mut key_of_basket = key(self.baskets[at.till]);
        let text = self.of_basket.get(&key_of_basket);
        if matches!(shown, Shown::Basket(_)) && text.is_some_and(|text| self.is_old(text)) {
            // The shopper of that basket has left.
            self.baskets[at.till] += 1;
            key_of_basket = key(self.baskets[at.till]);
        }
        let card = match shown {
            Shown::Basket(who) => self.text_of(&key_of_basket, *who),
            Shown::Text(who, age, spend) => self.text(MEMBERS[*who], *age, *spend),
            Shown::Old(pick) | Shown::Code(pick) => {
                let shown_before = match shown {
                    Shown::Code(_) => newest(&self.codes, *pick),
                    _ => newest(&self.texts, *pick),
                };
                shown_before.cloned().unwrap_or_else(|| self.unused_text(0))
            }
            Shown::Number(pick) => {
                let (till, basket) = &key_of_basket;
                CardProof::Number {
                    card_id: number(*pick, false).0,
                    used: hash(&format!("number {pick} {till} {basket}")),
                }
            }
            Shown::Pass(pick, age) => {
                let second = self.world.now.as_second() - age;
                CardProof::Pass {
                    card_id: number(*pick, true).0,
                    step_at: u32::try_from(second - second.rem_euclid(30)).unwrap(),
                }
            }
            Shown::Scribble => CardProof::NotGenuine,
            Shown::Stranger => self.text("nobody", 0, SpendLimit::Unlimited),
        };
        if matches!(card, CardProof::Text { card_id: of, .. } if of != card_id("nobody")) {
            let first = self.of_basket.entry(key_of_basket.clone());
            first.or_insert(card.clone());
            self.texts.push(card.clone());
        }
        (key_of_basket.1.parse().unwrap(), card)
    }

    /// The text of a basket, or a fresh one of this member.
    fn text_of(&self, basket: &(usize, String), who: usize) -> CardProof {
        let shown = self.of_basket.get(basket).cloned();
        shown.unwrap_or_else(|| self.unused_text(who))
    }

    fn is_old(&self, card: &CardProof) -> bool {
        let half_an_hour_ago = self.world.now.as_second() - 1_800;
        matches!(card, CardProof::Text { issued_at, .. } if i64::from(*issued_at) < half_an_hour_ago)
    }

    fn text(&self, who: &str, age: i64, spend: SpendLimit) -> CardProof {
        CardProof::Text {
            card_id: card_id(who),
            issued_at: u32::try_from(self.world.now.as_second() - age).unwrap(),
            spend,
        }
    }

    /// The newest text of a member that no till has seen.
    fn unused_text(&self, who: usize) -> CardProof {
        let text = |age| self.text(MEMBERS[who], age, SpendLimit::Unlimited);
        let seen = |text: &CardProof| {
            self.texts
                .iter()
                .any(|other| other.use_key() == text.use_key())
        };
        (0..).map(text).find(|text| !seen(text)).unwrap()
    }

    /// The newest hold but `pick`: the till and basket that ask, and its id.
    fn hold(&self, pick: usize, stray: bool) -> Option<(usize, BasketId, AuthorizationId)> {
        let holds = &self.world.state.authorizations;
        let hold: &Authorization = holds.values().rev().nth(pick % holds.len().max(1))?;
        let till = position(hold.terminal_id.as_str());
        Some(match stray {
            false => (till, hold.basket_id.clone(), hold.id),
            true => ((till + 1) % TILLS.len(), hold.basket_id.clone(), hold.id),
        })
    }

    /// The newest purchase but `pick`, and its till.
    fn sold(&self, pick: usize) -> Option<(usize, PurchaseId)> {
        let purchases = &self.world.state.purchases;
        let purchase: &Purchase = purchases
            .values()
            .rev()
            .nth(pick % purchases.len().max(1))?;
        Some((position(purchase.terminal_id.as_str()), purchase.id))
    }

    /// The newest request but `pick` that made a hold or a purchase.
    fn standing(&self, pick: usize) -> Option<&PosCommand> {
        let made = |pos: &&PosCommand| {
            let key = (pos.till.terminal_id.clone(), pos.request_id.clone());
            let stored = self.world.state.requests.get(&key);
            let buys = matches!(pos.ask, Ask::Authorization { .. } | Ask::Purchase { .. });
            buys && stored.is_some_and(|stored| stored.effect.is_some())
        };
        let made: Vec<_> = self.requests.iter().filter(made).collect();
        newest(&made, pick).copied()
    }
}

pub(super) fn newest<T>(items: &[T], pick: usize) -> Option<&T> {
    items.iter().rev().nth(pick % items.len().max(1))
}

fn position(terminal: &str) -> usize {
    TILLS.iter().position(|name| *name == terminal).unwrap()
}

fn refund_line((line_no, quantity): &(u32, u32)) -> RefundLine {
    RefundLine {
        line_no: *line_no,
        quantity: *quantity,
    }
}
