//! Members' lives, decided by the ledger itself.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use ledger::{
    card_use::{CardProof, Till},
    command::{Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand},
    decide,
    decision::Answer,
    member::MemberNo,
    programme::Programme,
    state::{Changes, InForce, State},
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

/// The key of the phone of member `number`.
fn key(number: u8) -> SigningKey {
    SigningKey::from_hex(&format!("{number:02x}").repeat(32)).unwrap()
}

pub(super) fn card_id(number: u8) -> CardId {
    key(number).card_id()
}

pub(super) fn member_id(number: u8) -> MemberId {
    MemberId::new(Uuid::from_u128(u128::from(number) << 64))
}

pub(super) fn points(number: i64) -> Points {
    Points::new(number).unwrap()
}

pub(super) fn yen(number: i64) -> Yen {
    Yen::new(number).unwrap()
}

/// A ledger in memory that keeps what every decision left behind.
pub(super) struct Play {
    pub(super) state: State,
    /// All that was ever appended.
    kept: Changes,
    pub(super) now: Timestamp,
    commands: u128,
}

/// The programme of the guide.
pub(super) fn programme() -> Programme {
    let start = GUIDE.find("```toml\n").unwrap() + "```toml\n".len();
    let text = &GUIDE[start..];
    let text = &text[..text.find("\n```").unwrap() + 1];
    crate::programme_file::parse("guide", text).unwrap()
}

impl Play {
    pub(super) fn new(programme: Programme) -> Self {
        let programme = Arc::new(programme);
        Self {
            state: State::new(InForce {
                programme,
                version: 1,
            }),
            kept: Changes::default(),
            now: "2026-11-01T03:00:00Z".parse().unwrap(),
            commands: 1,
        }
    }

    /// A member with a phone and some points.
    pub(super) fn enrol(&mut self, number: u8, granted: i64) {
        self.run(Operation::Enrol(Enrol {
            card_id: card_id(number),
            public_key: key(number).public_key().to_sec1().to_vec(),
            member_id: member_id(number),
            member_no: MemberNo::from_seed(number.into()),
        }));
        self.adjust(number, Direction::Grant, granted);
    }

    pub(super) fn adjust(&mut self, number: u8, direction: Direction, count: i64) {
        let answer = self.run(Operation::Adjust(Adjustment {
            member_id: member_id(number),
            direction,
            points: points(count),
            class: "bonus".into(),
            scope: ledger::lot::Scope::default(),
            reason: "welcome".into(),
            actor: "test".into(),
        }));
        assert_eq!(answer, Answer::Done);
    }

    pub(super) fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    pub(super) fn run(&mut self, operation: Operation) -> Answer {
        self.commands += 1;
        let command = Command {
            id: CommandId::new(Uuid::from_u128(self.commands << 16)),
            operation,
        };
        let decision = decide(&self.state, &command, self.now);
        self.state.apply(&decision.changes);
        self.kept.absorb(decision.changes);
        self.wait(1);
        decision.answer
    }

    /// A till asks; its answer has to be an approval.
    pub(super) fn ask(&mut self, request: &str, ask: Ask) -> serde_json::Value {
        let till = Till {
            terminal_id: TerminalId::new("till-1").unwrap(),
            store_id: StoreId::new("store-1").unwrap(),
        };
        self.ask_at(till, request, ask)
    }

    /// The same at another till.
    pub(super) fn ask_at(&mut self, till: Till, request: &str, ask: Ask) -> serde_json::Value {
        let answer = self.run(Operation::Pos(PosCommand {
            till,
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

    pub(super) fn card(&self, number: u8) -> CardProof {
        CardProof::Text {
            card_id: card_id(number),
            issued_at: u32::try_from(self.now.as_second()).unwrap(),
            spend: SpendLimit::Unlimited,
        }
    }

    fn hold(&mut self, basket: &str) -> AuthorizationId {
        let card = self.card(1);
        self.hold_with(basket, card)
    }

    pub(super) fn hold_with(&mut self, basket: &str, card: CardProof) -> AuthorizationId {
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

    pub(super) fn buy(&mut self, basket: &str, payment: Payment) -> PurchaseId {
        let line = |line_no, amount| ReceiptLine {
            line_no,
            sku: "4901234567894".into(),
            name: "Tea".into(),
            category: "drinks".into(),
            quantity: 2,
            amount: yen(amount),
            tax_rate: 8,
        };
        let store = StoreId::new("store-1").unwrap();
        let programme = &self.state.in_force.programme;
        let business_date = ledger::calendar::business_date(programme, &store, self.now);
        let receipt = Receipt {
            number: format!("R-{basket}"),
            business_date,
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

    /// Every row of every member as it stands.
    pub(super) fn end(self) -> BTreeMap<MemberId, MemberRows> {
        let Self { state, kept, .. } = self;
        let members = state.members.into_iter();
        let mut all: BTreeMap<_, _> = members
            .map(|(id, member)| (id, MemberRows::new(member)))
            .collect();
        macro_rules! share {
            ($($table:ident: $rows:expr;)*) => {$(
                for row in $rows {
                    all.get_mut(&row.member_id).unwrap().$table.push(row);
                }
            )*};
        }
        share! {
            cards: state.cards.into_values();
            lots: state.lots.into_values();
            pending: state.pending.into_values();
            authorizations: state.authorizations.into_values();
            purchases: state.purchases.into_values();
            card_uses: state.card_uses.into_values();
            short_codes: state.short_codes.into_values();
            identities: state.identities.into_values();
            profiles: state.profiles.into_values();
            transfers: kept.transfers;
            refunds: kept.refunds;
            events: kept.events.into_iter().zip(1_i64..).map(|(event, place)| EventHead {
                id: event.id,
                member_id: event.member_id.unwrap(),
                member_sequence: event.member_sequence,
                kind: event.kind.word().to_owned(),
                subject: event.subject,
                stream_sequence: Some(place),
            });
        }
        for row in kept.requests {
            // A reversal of what never came touches nobody.
            if let Some(id) = row.member_id {
                all.get_mut(&id).unwrap().requests.push(row);
            } else {
                all.values_mut().next().unwrap().requests.push(row);
            }
        }
        for row in state.orders.into_values() {
            if let Some(id) = row.member_id {
                all.get_mut(&id).unwrap().orders.push(row);
            }
        }
        all
    }
}

/// Holds that end in every way, purchases paid in every way, a refund, reversals, a tombstone.
pub(super) fn sound() -> MemberRows {
    let mut play = Play::new(programme());
    play.enrol(1, 3_000);
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
    let card = play.card(1);
    play.buy("basket-b", payment(card, 100));
    play.run(Operation::MakeShortCode {
        card_id: card_id(1),
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
    play.end().remove(&member_id(1)).unwrap()
}
