//! One member's life, decided by the ledger itself, passes every check; with one row corrupted, the
//! check that guards it fails.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ledger::{
    account::{Account, Motive},
    card_use::{CardProof, Till},
    command::{Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand},
    decide,
    decision::Answer,
    member::MemberNo,
    records::{HoldState, PurchaseState, RequestKind},
    state::{InForce, State},
};
use member_card::{CardId, SigningKey, SpendLimit};
use pos_protocol::{
    AuthorizationId, BasketId, CommandId, MemberId, Points, PurchaseId, Receipt, ReceiptLine,
    RefundLine, RequestId, StoreId, TerminalId, Yen,
};
use uuid::Uuid;

use super::*;
use crate::store::EventHead;

const GUIDE: &str = include_str!("../../../../docs/programme.md");

fn key() -> SigningKey {
    SigningKey::from_hex(&"01".repeat(32)).unwrap()
}

fn card_id() -> CardId {
    key().card_id()
}

fn points(number: i64) -> Points {
    Points::new(number).unwrap()
}

fn yen(number: i64) -> Yen {
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
        self.rows
            .events
            .extend(changes.events.into_iter().map(|event| EventHead {
                id: event.id,
                member_id: event.member_id.unwrap(),
                member_sequence: event.member_sequence,
                kind: event.kind.to_owned(),
                subject: event.subject,
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
fn sound() -> MemberRows {
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

fn tally(name: &str, rows: &MemberRows) -> Tally {
    let check = CHECKS.iter().find(|check| check.name == name);
    let check = check.unwrap_or_else(|| panic!("no check {name}"));
    let mut tally = Tally::default();
    (check.run)(rows, &mut tally);
    tally
}

#[test]
fn a_life_decided_by_the_ledger_passes_every_check() {
    let rows = sound();
    for state in HoldState::ALL {
        assert!(
            rows.authorizations.iter().any(|row| row.state == *state),
            "{state:?}"
        );
    }
    assert_eq!(
        (rows.purchases.len(), rows.refunds.len(), rows.pending.len()),
        (3, 2, 3)
    );
    assert!(
        rows.requests
            .iter()
            .any(|row| row.kind == RequestKind::Tombstone)
    );
    for check in CHECKS {
        let tally = tally(check.name, &rows);
        assert_eq!(tally.findings, [], "{}", check.name);
        assert!(tally.checked > 0, "{} checked nothing", check.name);
    }
}

type Corruption = (&'static str, fn(&mut MemberRows));

fn hold(rows: &mut MemberRows, state: HoldState) -> &mut ledger::records::Authorization {
    rows.authorizations
        .iter_mut()
        .find(|row| row.state == state)
        .unwrap()
}

fn request(rows: &mut MemberRows, kind: RequestKind) -> &mut ledger::records::StoredRequest {
    rows.requests
        .iter_mut()
        .find(|row| row.kind == kind)
        .unwrap()
}

fn more(points_there: Points) -> Points {
    points_there.checked_add(points(1)).unwrap()
}

const CORRUPTIONS: &[Corruption] = &[
    ("transfers.balanced", |rows| {
        rows.transfers[0].points = Points::ZERO;
    }),
    ("transfers.balanced", |rows| {
        rows.transfers[0].credit = rows.transfers[0].debit;
    }),
    ("transfers.balanced", |rows| {
        rows.transfers[0].motive = Motive::Hold;
    }),
    ("transfers.belong", |rows| rows.transfers[0].lot_id = None),
    ("transfers.belong", |rows| {
        rows.lots.remove(0);
    }),
    ("transfers.belong", |rows| {
        for row in &mut rows.transfers {
            row.store_id = None;
        }
    }),
    ("balances.lots", |rows| {
        rows.lots[0].available = more(rows.lots[0].available);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].held = more(rows.lots[0].held);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].pending = more(rows.lots[0].pending);
    }),
    ("balances.lots", |rows| {
        rows.lots[0].granted = more(rows.lots[0].granted);
    }),
    ("balances.lots", |rows| {
        rows.transfers.pop();
    }),
    ("balances.members", |rows| {
        rows.member.available = more(rows.member.available);
    }),
    ("balances.members", |rows| {
        rows.member.held = more(rows.member.held);
    }),
    ("balances.members", |rows| {
        rows.member.pending = more(rows.member.pending);
    }),
    ("balances.members", |rows| {
        rows.member.owed = more(rows.member.owed);
    }),
    ("balances.members", |rows| {
        let row = rows
            .transfers
            .iter_mut()
            .find(|row| row.motive == Motive::Adjustment)
            .unwrap();
        row.credit = Account::ProgrammeBreakage;
    }),
    ("balances.pending", |rows| {
        rows.pending[0].points = more(rows.pending[0].points);
    }),
    ("balances.pending", |rows| {
        rows.pending.pop();
    }),
    ("balances.pending", |rows| {
        rows.pending[0].purchase_id = PurchaseId::new(Uuid::nil());
    }),
    ("balances.held", |rows| rows.member.open_holds += 1),
    ("balances.held", |rows| {
        hold(rows, HoldState::Held).parts.clear();
    }),
    ("balances.held", |rows| {
        hold(rows, HoldState::Held).state = HoldState::Voided;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Captured).captured = points(151);
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Voided).state = HoldState::Held;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Expired).resolved_at = None;
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Held).points = points(201);
    }),
    ("holds.resolved_once", |rows| {
        hold(rows, HoldState::Reversed).parts[0].points = points(1);
    }),
    ("holds.resolved_once", |rows| {
        // The same hold released twice.
        let row = rows
            .transfers
            .iter()
            .find(|row| row.motive == Motive::Release)
            .unwrap()
            .clone();
        rows.transfers.push(row);
    }),
    ("holds.captured_by_one", |rows| {
        rows.purchases[0].authorization_id = None;
    }),
    ("holds.captured_by_one", |rows| {
        let second = ledger::records::Purchase {
            id: PurchaseId::new(Uuid::nil()),
            ..rows.purchases[0].clone()
        };
        rows.purchases.push(second);
    }),
    ("holds.captured_by_one", |rows| {
        let voided = hold(rows, HoldState::Voided).id;
        rows.purchases[0].authorization_id = Some(voided);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].redeemed = points(151);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[1].redeemed_parts.clear();
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].shortfall = points(1);
    }),
    ("purchases.moved", |rows| {
        rows.purchases[0].earned_points = points(1);
    }),
    ("purchases.moved", |rows| rows.purchases[0].earned.clear()),
    ("purchases.refunds", |rows| {
        rows.purchases[0].restored = more(rows.purchases[0].restored);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].restored = points(151);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].clawback_due = points(9_999);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].clawback_due = Points::ZERO;
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].refunded_amount = Yen::ZERO;
    }),
    ("purchases.refunds", |rows| {
        rows.purchases[0].refunded.insert(2, 3);
    }),
    ("purchases.refunds", |rows| {
        rows.refunds.remove(0);
    }),
    ("purchases.refunds", |rows| {
        rows.purchases.remove(0);
    }),
    ("purchases.refunds", |rows| {
        let row = rows
            .purchases
            .iter_mut()
            .find(|row| row.state == PurchaseState::Completed)
            .unwrap();
        row.state = PurchaseState::Reversed;
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].restored = more(rows.refunds[0].restored);
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].clawed_back = more(rows.refunds[0].clawed_back);
    }),
    ("purchases.refund_moved", |rows| {
        rows.refunds[0].owed = more(rows.refunds[0].owed);
    }),
    ("cards.named_by_key", |rows| {
        rows.cards[0].public_key[40] ^= 1;
    }),
    ("cards.named_by_key", |rows| rows.cards.clear()),
    ("cards.named_by_key", |rows| {
        rows.short_codes[0].card_id = CardId::new(1);
    }),
    ("bindings.one_basket", |rows| {
        rows.authorizations[0].basket_id = BasketId::new("other").unwrap();
    }),
    ("bindings.one_basket", |rows| {
        rows.purchases[0].terminal_id = TerminalId::new("other").unwrap();
    }),
    ("bindings.one_basket", |rows| {
        rows.short_codes[0].binding = None;
    }),
    ("bindings.one_basket", |rows| {
        rows.card_uses.remove(0);
    }),
    ("bindings.one_purchase", |rows| {
        rows.card_uses[0].binding.purchase_id = None;
    }),
    ("bindings.one_purchase", |rows| {
        let second = ledger::records::Purchase {
            id: PurchaseId::new(Uuid::nil()),
            ..rows.purchases[0].clone()
        };
        rows.purchases.push(second);
    }),
    ("bindings.one_purchase", |rows| {
        for row in &mut rows.purchases {
            row.state = PurchaseState::Completed;
        }
    }),
    ("requests.named_once", |rows| {
        let row = request(rows, RequestKind::Purchase).clone();
        rows.requests.push(row);
    }),
    ("requests.named_once", |rows| {
        rows.requests
            .retain(|row| row.kind != RequestKind::Authorization);
    }),
    ("requests.named_once", |rows| {
        rows.requests.retain(|row| row.kind != RequestKind::Refund);
    }),
    ("requests.named_once", |rows| {
        rows.requests
            .retain(|row| row.kind != RequestKind::Reversal);
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Tombstone).effect = Some(Uuid::nil());
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Void).effect = None;
    }),
    ("requests.effects", |rows| {
        rows.purchases.remove(0);
    }),
    ("requests.effects", |rows| {
        let row = request(rows, RequestKind::Authorization);
        row.answer = row.answer.replace("approved", "declined").into();
    }),
    ("requests.effects", |rows| {
        request(rows, RequestKind::Refund).fingerprint = None;
    }),
    ("requests.answers", |rows| {
        request(rows, RequestKind::RefundQuote).answer = "{".into();
    }),
    ("requests.answers", |rows| {
        request(rows, RequestKind::Void).request_id = RequestId::new("x").unwrap();
    }),
    ("requests.answers", |rows| {
        rows.purchases[0].earned_points = points(1);
    }),
    ("requests.answers", |rows| rows.refunds[0].amount = yen(1)),
    ("requests.answers", |rows| rows.refunds[1].amount = yen(1)),
    ("requests.answers", |rows| {
        hold(rows, HoldState::Held).points = points(1);
    }),
    ("events.sequence", |rows| {
        rows.events.remove(3);
    }),
    ("events.sequence", |rows| {
        rows.events.pop();
    }),
    ("events.sequence", |rows| {
        rows.events[3].member_sequence += 100;
    }),
    ("events.sequence", |rows| {
        rows.events.push(rows.events[3].clone());
    }),
    ("events.told_once", |rows| {
        rows.events.retain(|row| row.kind != "purchase.completed");
    }),
    ("events.told_once", |rows| {
        rows.events.retain(|row| row.kind != "purchase.refunded");
    }),
    ("events.told_once", |rows| {
        rows.events
            .retain(|row| row.kind != "authorization.expired");
    }),
    ("events.told_once", |rows| {
        rows.events.push(
            rows.events
                .iter()
                .find(|row| row.kind == "purchase.completed")
                .unwrap()
                .clone(),
        );
    }),
    ("events.have_rows", |rows| {
        rows.purchases.remove(0);
    }),
    ("events.have_rows", |rows| {
        rows.authorizations.remove(0);
    }),
    ("events.have_rows", |rows| {
        rows.events[0].subject = "member/nobody".into();
    }),
];

#[test]
fn each_check_can_fail() {
    let rows = sound();
    for (place, (name, corrupt)) in CORRUPTIONS.iter().enumerate() {
        let mut broken = rows.clone();
        corrupt(&mut broken);
        let tally = tally(name, &broken);
        assert!(tally.broken > 0, "corruption {place} slips through {name}");
        assert!(!tally.findings.is_empty());
    }
    for check in CHECKS {
        assert!(
            CORRUPTIONS.iter().any(|(name, _)| *name == check.name),
            "nothing shows that {} can fail",
            check.name
        );
    }
}
