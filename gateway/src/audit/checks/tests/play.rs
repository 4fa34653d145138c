//! One member's life, decided by the ledger itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ledger::{
    card_use::{CardProof, Till},
    command::{Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand},
    decide,
    decision::Answer,
    member::MemberNo,
    state::{InForce, State},
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{
    AuthorizationId, BasketId, CommandId, MemberId, Points, PurchaseId, Receipt, ReceiptLine,
    RefundLine, RequestId, StoreId, TerminalId, Yen,
};
use uuid::Uuid;

use super::super::super::rows::MemberRows;
use crate::store::EventHead;

const GUIDE: &str = include_str!("../../../../../docs/programme.md");

fn key() -> SigningKey {
    SigningKey::from_hex(&"01".repeat(32)).unwrap()
}

fn card_id() -> CardId {
    key().card_id()
}

pub(super) fn points(number: i64) -> Points {
    Points::new(number).unwrap()
}

pub(super) fn yen(number: i64) -> Yen {
    Yen::new(number).unwrap()
}

/// A ledger in memory that keeps what every decision left behind.
struct Play {
    state: State,
    rows: MemberRows,
    now: Timestamp,
    commands: u128,
}

impl Play {
    fn new() -> Self {
        let start = GUIDE.find("```toml\n").unwrap() + "```toml\n".len();
        let text = &GUIDE[start..];
        let text = &text[..text.find("\n```").unwrap() + 1];
        let programme = Arc::new(crate::programme_file::parse("guide", text).unwrap());
        let member_id = MemberId::new(Uuid::from_u128(1 << 64));
        let number = MemberNo::from_seed(1);
        let now: Timestamp = "2026-11-01T03:00:00Z".parse().unwrap();
        let mut play = Self {
            state: State::new(InForce {
                programme,
                version: 1,
            }),
            rows: MemberRows::new(ledger::member::Member::new(
                member_id,
                number.clone(),
                "",
                now,
            )),
            now,
            commands: 1,
        };
        play.run(Operation::Enrol(Enrol {
            card_id: card_id(),
            public_key: key().public_key().to_sec1().to_vec(),
            member_id,
            member_no: number,
        }));
        play.run(Operation::Adjust(Adjustment {
            member_id,
            direction: Direction::Grant,
            points: points(3_000),
            class: "bonus".into(),
            scope: ledger::lot::Scope::default(),
            reason: "welcome".into(),
            actor: "test".into(),
        }));
        play
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn run(&mut self, operation: Operation) -> Answer {
        self.commands += 1;
        let command = Command {
            id: CommandId::new(Uuid::from_u128(self.commands << 16)),
            operation,
        };
        let decision = decide(&self.state, &command, self.now);
        self.state.apply(&decision.changes);
        let changes = decision.changes;
        self.rows.transfers.extend(changes.transfers);
        self.rows.refunds.extend(changes.refunds);
        self.rows.requests.extend(changes.requests);
        let places = (1_i64..).skip(self.rows.events.len());
        let events = changes.events.into_iter().zip(places);
        self.rows
            .events
            .extend(events.map(|(event, place)| EventHead {
                id: event.id,
                member_id: event.member_id.unwrap(),
                member_sequence: event.member_sequence,
                kind: event.kind.word().to_owned(),
                subject: event.subject,
                stream_sequence: Some(place),
            }));
        self.wait(1);
        decision.answer
    }

    /// A till asks; its answer has to be an approval.
    fn ask(&mut self, request: &str, ask: Ask) -> serde_json::Value {
        let answer = self.run(Operation::Pos(PosCommand {
            till: Till {
                terminal_id: TerminalId::new("till-1").unwrap(),
                store_id: StoreId::new("store-1").unwrap(),
            },
            request_id: RequestId::new(request).unwrap(),
            fingerprint: [7; 32],
            ask,
        }));
        let Answer::Message(text) = answer else {
            panic!("{request}: {answer:?}")
        };
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["outcome"], "approved", "{request}: {text}");
        answer
    }

    fn card(&self) -> CardProof {
        CardProof::Text {
            card_id: card_id(),
            issued_at: u32::try_from(self.now.as_second()).unwrap(),
            spend: SpendLimit::Unlimited,
        }
    }

    fn hold(&mut self, basket: &str) -> AuthorizationId {
        let card = self.card();
        let ask = Ask::Authorization {
            basket_id: BasketId::new(basket).unwrap(),
            card,
            points: points(200),
        };
        let answer = self.ask(&format!("hold-{basket}"), ask);
        answer["authorization"]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    fn buy(&mut self, basket: &str, payment: Payment) -> PurchaseId {
        let line = |line_no, amount| ReceiptLine {
            line_no,
            sku: "4901234567894".into(),
            name: "Tea".into(),
            category: "drinks".into(),
            quantity: 2,
            amount: yen(amount),
            tax_rate: 8,
        };
        let receipt = Receipt {
            number: format!("R-{basket}"),
            business_date: "2026-11-01".parse().unwrap(),
            occurred_at: self.now,
            lines: vec![line(1, 1_080), line(2, 2_160)],
            total: yen(3_240),
            tax: yen(240),
        };
        let ask = Ask::Purchase {
            basket_id: BasketId::new(basket).unwrap(),
            payment,
            receipt: Arc::new(receipt),
            advice: None,
        };
        let answer = self.ask(&format!("buy-{basket}"), ask);
        answer["purchase"]["id"].as_str().unwrap().parse().unwrap()
    }

    /// Every row of the member as it stands.
    fn end(mut self) -> MemberRows {
        let state = self.state;
        self.rows.member = state.members.into_values().next().unwrap();
        self.rows.cards = state.cards.into_values().collect();
        self.rows.lots = state.lots.into_values().collect();
        self.rows.pending = state.pending.into_values().collect();
        self.rows.authorizations = state.authorizations.into_values().collect();
        self.rows.purchases = state.purchases.into_values().collect();
        self.rows.card_uses = state.card_uses.into_values().collect();
        self.rows.short_codes = state.short_codes.into_values().collect();
        self.rows
    }
}

/// Holds that end in every way, purchases paid in every way, a refund, reversals, a tombstone.
pub(super) fn sound() -> MemberRows {
    let mut play = Play::new();
    let hold = play.hold("basket-a");
    let captured = Payment::Authorization {
        authorization_id: hold,
        redeem: Some(points(150)),
    };
    let first = play.buy("basket-a", captured);
    let payment = |card, redeem| Payment::Card {
        card,
        redeem: points(redeem),
    };
    let card = play.card();
    play.buy("basket-b", payment(card, 100));
    play.run(Operation::MakeShortCode {
        card_id: card_id(),
        hash: [9; 32],
        spend: SpendLimit::Unlimited,
    });
    play.now -= SignedDuration::from_mins(1);
    play.buy("basket-c", payment(CardProof::ShortCode([9; 32]), 0));
    let hold = play.hold("basket-d");
    play.ask(
        "void-d",
        Ask::Void {
            authorization_id: hold,
        },
    );
    play.hold("basket-e");
    let original_request_id = RequestId::new("hold-basket-e").unwrap();
    play.ask(
        "reverse-e",
        Ask::Reversal {
            original_request_id,
        },
    );
    let original_request_id = RequestId::new("never-came").unwrap();
    play.ask(
        "reverse-nothing",
        Ask::Reversal {
            original_request_id,
        },
    );
    let original_request_id = RequestId::new("buy-basket-b").unwrap();
    play.ask(
        "reverse-b",
        Ask::Reversal {
            original_request_id,
        },
    );
    play.hold("basket-f");
    play.wait(60);
    let lines = Some(vec![RefundLine {
        line_no: 2,
        quantity: 1,
    }]);
    let refund = |quote, lines| Ask::Refund {
        purchase_id: first,
        lines,
        quote,
    };
    play.ask("quote-a", refund(true, lines.clone()));
    play.ask("refund-a", refund(false, lines));
    play.hold("basket-g");
    play.end()
}
