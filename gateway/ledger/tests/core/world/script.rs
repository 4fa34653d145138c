//! The language of the table tests.
//!
//! A script is a list of commands, one a line, each with what is expected of it on deeper lines:
//!
//! ```text
//! grant ann 500
//! a1: s1.t1 b1 authorize ann 200
//!     approved, held 200, available 300
//!     hold 200: available > held, base 2027-11-30
//! wait 31m
//! p1: s1.t1 b1 capture a1 1000
//!     declined 12 hold_expired, available 500
//!     release 200: held > available, base 2027-11-30
//! ```
//!
//! The first expected line is the answer. Further lines are all transfers, in order (`nothing moves`
//! for none), then, if any is named, all events. What is not written is not checked.
//!
//! `s1.t1` is till `t1` of store `s1`, `b1` the basket, `a1:` the request id (made up where there is
//! none). A card is a named text, a short code, or a member: then the basket's text of that member, made
//! when the basket first shows it. A receipt is `1000`, or `food:2=1000+toys:1=500`: two pieces of food
//! for 1,000 yen and a toy for 500; `first=0` numbers its lines from zero.
//!
//! `has ann 300 held=100` says what one record has; what it does not name is zero. The words about persons
//! and about orders are in modules of their own.

mod person;
mod shop;
mod words;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use ledger::{
    calendar::business_date,
    card_use::CardProof,
    command::{Adjustment, Ask, Direction, Operation, Payment, PosCommand},
    decision::{Answer, Decision},
    lot::Scope,
};
use member_card::SpendLimit;
use pos_protocol::{Advice, AuthorizationId, BasketId, Points, PurchaseId, Receipt, StoreId, Yen};
use serde_json::Value;

use super::{
    World, names,
    names::{card_id, claim, enrol, hash, member_id, order_use, till},
    request, show,
};

use words::{Words, duration, line, points, refund_line, spend, totals, yen};

pub(super) use person::claim_of;
pub(crate) use person::{SECRET, profile};
pub(crate) use shop::{SHOP_TILL, report};

impl World {
    /// Plays a script; panics where the ledger does not do what the script expects.
    pub(crate) fn play(&mut self, script: &str) {
        let lines: Vec<&str> = script
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        let first = lines.iter().map(|line| depth(line)).min().unwrap_or(0);
        let mut rest = lines.as_slice();
        while let [command, after @ ..] = rest {
            // One-line scripts with several commands are written with any indentation.
            let deeper = |line: &&&str| depth(line) > first + 1;
            let expected: Vec<_> = after
                .iter()
                .take_while(deeper)
                .map(|line| line.trim())
                .collect();
            rest = &after[expected.len()..];
            let decision = self.line(command.trim());
            self.compare(command.trim(), decision.as_ref(), &expected);
        }
    }

    fn compare(&self, command: &str, decision: Option<&Decision>, expected: &[&str]) {
        let [answer, moves @ ..] = expected else {
            return;
        };
        let decision = decision.unwrap_or_else(|| panic!("{command} has no answer"));
        let (events, moves): (Vec<&str>, Vec<&str>) =
            moves.iter().partition(|line| line.starts_with("event "));
        let transfers = show::transfers(&self.state, decision);
        let told = show::events(decision);
        let said = show::answer(&decision.answer);
        let moves_fit = match moves.as_slice() {
            [] => true,
            ["nothing moves"] => transfers.is_empty(),
            moves => transfers == moves,
        };
        assert!(
            said == *answer && moves_fit && (events.is_empty() || told == events),
            "\n{command}\n    {said}\n    {}\n    {}\nexpected:\n    {}\n",
            transfers.join("\n    "),
            told.join("\n    "),
            expected.join("\n    "),
        );
    }

    /// Runs one line; time and texts have no answer.
    pub(crate) fn line(&mut self, line: &str) -> Option<Decision> {
        let words = Words::of(line);
        match words.bare.as_slice() {
            ["at", when] => {
                let when: DateTime = when.parse().unwrap();
                let zone = TimeZone::get("Asia/Tokyo").unwrap();
                self.now = zone.to_timestamp(when).unwrap();
                None
            }
            ["wait", time] => {
                self.now = self.now.checked_add(duration(time)).unwrap();
                None
            }
            ["text", name, member] => {
                let age = words.get("age").map_or(SignedDuration::ZERO, duration);
                let text = self.text(member, age, spend(&words));
                self.names.cards.insert((*name).to_owned(), text);
                None
            }
            ["pass", name, card] => {
                let age = words.get("age").map_or(SignedDuration::ZERO, duration);
                let pass = self.pass(card, age);
                self.names.cards.insert((*name).to_owned(), pass);
                None
            }
            ["has", name, available] => {
                self.has(name, available, &words);
                None
            }
            ["again", label] => Some(self.again(label)),
            [label, rest @ ..] if label.ends_with(':') => {
                Some(self.ask(label.trim_end_matches(':'), rest, &words))
            }
            rest @ [till, ..] if till.contains('.') => {
                self.names.unnamed += 1;
                let label = format!("request-{}", self.names.unnamed);
                Some(self.ask(&label, rest, &words))
            }
            _ => {
                if let Some(decision) = self.person(&words) {
                    return Some(decision);
                }
                let operation = self.order(&words);
                let operation = operation.unwrap_or_else(|| self.office(&words));
                Some(self.run(operation))
            }
        }
    }

    /// What one record has, in its own row.
    fn has(&self, name: &str, available: &str, words: &Words<'_>) {
        let row = &self.state.members[&member_id(name)];
        let also =
            ["held", "pending", "owed"].map(|word| words.points(word).unwrap_or(Points::ZERO));
        let expected = [points(available), also[0], also[1], also[2]];
        let there = [row.available, row.held, row.pending, row.owed];
        assert_eq!(there, expected, "available, held, pending, owed of {name}");
    }

    fn text(&self, member: &str, age: SignedDuration, spend: SpendLimit) -> CardProof {
        let issued_at = self.now.as_second() - age.as_secs();
        CardProof::Text {
            card_id: card_id(member),
            issued_at: u32::try_from(issued_at).unwrap(),
            spend,
        }
    }

    /// What a wallet pass shows at this age: a password for each half minute.
    fn pass(&self, card: &str, age: SignedDuration) -> CardProof {
        let second = self.now.as_second() - age.as_secs();
        CardProof::Pass {
            card_id: card_id(card),
            step_at: u32::try_from(second - second.rem_euclid(30)).unwrap(),
        }
    }

    /// What phones and staff ask.
    fn office(&mut self, words: &Words<'_>) -> Operation {
        match words.bare.as_slice() {
            ["enrol", name] => Operation::Enrol(enrol(name)),
            ["revoke", card] => revoke(card, card),
            ["revoke", card, "of", owner] => revoke(card, owner),
            ["sweep", name] => Operation::Sweep {
                member_id: member_id(name),
            },
            [word @ ("block" | "unblock"), name] => Operation::SetBlocked {
                member_id: member_id(name),
                blocked: *word == "block",
                reason: "asked".to_owned(),
                actor: "staff".to_owned(),
            },
            ["short-code", name, member] => {
                let code = CardProof::ShortCode(hash(name));
                self.names.cards.insert((*name).to_owned(), code);
                Operation::MakeShortCode {
                    card_id: card_id(member),
                    hash: hash(name),
                    spend: spend(words),
                }
            }
            [word @ ("grant" | "take"), name, amount] => Operation::Adjust(Adjustment {
                member_id: member_id(name),
                direction: if *word == "grant" {
                    Direction::Grant
                } else {
                    Direction::Take
                },
                points: points(amount),
                class: words.get("class").unwrap_or("base").to_owned(),
                scope: Scope {
                    stores: words.list("stores"),
                    categories: words.list("categories"),
                },
                reason: "asked".to_owned(),
                actor: "staff".to_owned(),
            }),
            other => panic!("no command: {other:?}"),
        }
    }

    /// A till's request under a label, which is its request id.
    fn ask(&mut self, label: &str, line: &[&str], words: &Words<'_>) -> Decision {
        let (till_name, line) = line.split_first().expect("a till");
        let ask = match line {
            ["void", hold] => Ask::Void {
                authorization_id: self.authorization_id(hold),
            },
            [verb @ ("refund" | "quote"), purchase, lines @ ..] => Ask::Refund {
                purchase_id: self.purchase_id(purchase),
                lines: Some(lines.iter().map(|line| refund_line(line)).collect())
                    .filter(|lines: &Vec<_>| !lines.is_empty()),
                quote: *verb == "quote",
            },
            ["reverse", original] => Ask::Reversal {
                original_request_id: original.parse().unwrap(),
            },
            ["settle"] => Ask::Settlement {
                business_date: self.business_date(&till(till_name).store_id, words),
                totals: totals(words),
            },
            [basket, rest @ ..] => self.ask_in_basket(till_name, basket, rest, words),
            [] => panic!("{till_name} asks nothing"),
        };
        self.send(label, request(till_name, label, ask))
    }

    fn ask_in_basket(
        &mut self,
        till_name: &str,
        basket: &str,
        line: &[&str],
        words: &Words<'_>,
    ) -> Ask {
        let basket_id: BasketId = basket.parse().unwrap();
        let advice = words.get("advice").map(|delay| Advice {
            scanned_at: self.now.checked_sub(duration(delay)).unwrap(),
        });
        let redeem = words.points("redeem");
        match line {
            ["inquire", card] => Ask::Inquiry {
                basket_id,
                card: self.card(till_name, basket, card),
            },
            ["authorize", card, amount] => Ask::Authorization {
                basket_id,
                card: self.card(till_name, basket, card),
                points: points(amount),
            },
            ["buy", card, receipt] => Ask::Purchase {
                basket_id,
                payment: Payment::Card {
                    card: self.card(till_name, basket, card),
                    redeem: redeem.unwrap_or(Points::ZERO),
                },
                receipt: self.receipt(till_name, receipt, words),
                advice,
            },
            ["capture", hold, receipt] => Ask::Purchase {
                basket_id,
                payment: Payment::Authorization {
                    authorization_id: self.authorization_id(hold),
                    redeem,
                },
                receipt: self.receipt(till_name, receipt, words),
                advice,
            },
            other => panic!("no request: {other:?}"),
        }
    }

    fn send(&mut self, label: &str, pos: PosCommand) -> Decision {
        let decision = self.run(Operation::Pos(pos.clone()));
        if let Answer::Message(answer) = &decision.answer {
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert_eq!(answer["request_id"], label);
            self.names
                .requests
                .entry(label.to_owned())
                .or_insert((pos, answer));
        }
        decision
    }

    /// The same request once more: the same bytes, and nothing changes.
    fn again(&mut self, label: &str) -> Decision {
        let (pos, _) = self.names.requests[label].clone();
        let key = (pos.till.terminal_id.clone(), pos.request_id.clone());
        let stored = self.state.requests[&key].answer.clone();
        let decision = self.run(Operation::Pos(pos));
        assert_eq!(decision.answer, Answer::Message(stored));
        assert!(decision.changes.is_empty(), "{:?}", decision.changes);
        decision
    }

    /// The answer that was first given under this label.
    pub(crate) fn answer(&self, label: &str) -> &Value {
        &self.names.requests[label].1
    }

    pub(crate) fn authorization_id(&self, label: &str) -> AuthorizationId {
        self.made(label, "authorization")
            .unwrap_or(AuthorizationId::new(names::uuid(label)))
    }

    pub(crate) fn purchase_id(&self, label: &str) -> PurchaseId {
        self.made(label, "purchase")
            .unwrap_or(PurchaseId::new(names::uuid(label)))
    }

    fn made<T: std::str::FromStr>(&self, label: &str, what: &str) -> Option<T> {
        self.names.requests.get(label)?.1[what]["id"]
            .as_str()?
            .parse()
            .ok()
    }

    fn card(&mut self, till_name: &str, basket: &str, name: &str) -> CardProof {
        if name == "scribble" {
            return CardProof::NotGenuine;
        }
        if let Some(card) = self.names.cards.get(name) {
            return card.clone();
        }
        if name.contains('/') {
            let (key, used) = (claim(name).key, order_use(basket));
            return CardProof::Customer { key, used };
        }
        if self.names.numbers.contains(name) {
            let used = hash(&format!("{name} {till_name} {basket}"));
            let card_id = card_id(name);
            return CardProof::Number { card_id, used };
        }
        let key = (till_name.to_owned(), basket.to_owned(), name.to_owned());
        if let Some(text) = self.names.baskets.get(&key) {
            return text.clone();
        }
        // A phone makes one text a second at most: the newest second it has not shown yet.
        let shown = |text: &CardProof| {
            let mut all = self.names.baskets.values().chain(self.names.cards.values());
            all.any(|other| other.use_key() == text.use_key())
        };
        let ages = (0..).map(SignedDuration::from_secs);
        let mut texts = ages.map(|age| self.text(name, age, SpendLimit::Unlimited));
        let fresh = texts.find(|text| !shown(text)).unwrap();
        self.names.baskets.insert(key, fresh.clone());
        fresh
    }

    fn business_date(&self, store: &StoreId, words: &Words<'_>) -> jiff::civil::Date {
        let open = || business_date(&self.state.in_force.programme, store, self.now);
        words
            .get("date")
            .map_or_else(open, |date| date.parse().unwrap())
    }

    fn receipt(&self, till_name: &str, text: &str, words: &Words<'_>) -> Arc<Receipt> {
        let first = words.get("first").map_or(1, |no| no.parse().unwrap());
        let lines: Vec<_> = (first..)
            .zip(text.split('+'))
            .map(|(no, text)| line(no, text))
            .collect();
        let occurred_at: Timestamp = words
            .get("occurred")
            .map_or(self.now, |ago| self.now.checked_sub(duration(ago)).unwrap());
        let receipt = Receipt {
            number: "1".to_owned(),
            business_date: self.business_date(&till(till_name).store_id, words),
            occurred_at,
            total: Yen::total(lines.iter().map(|line| line.amount)),
            lines,
            tax: words.get("tax").map_or(Yen::ZERO, yen),
        };
        assert_eq!(receipt.violation(), None);
        Arc::new(receipt)
    }
}

fn revoke(card: &str, owner: &str) -> Operation {
    Operation::RevokeCard {
        member_id: member_id(owner),
        card_id: card_id(card),
    }
}
