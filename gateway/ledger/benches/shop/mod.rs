//! A shop in memory: members with cards and points, and what its till may ask of the ledger.

use std::sync::Arc;

use jiff::Timestamp;
use ledger::{
    card_use::{CardProof, Till},
    command::{Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand},
    decide,
    decision::Answer,
    keys::Keys,
    lot::Scope,
    member::MemberNo,
    programme::Programme,
    state::{Changes, InForce, State},
};
use member_card::{CardId, SpendLimit};
use pos_protocol::{
    BasketId, CommandId, MemberId, Points, PurchaseId, Receipt, ReceiptLine, RequestId, StoreId,
    TerminalId, Yen,
};
use uuid::Uuid;

/// The shop, and the rows it has so far.
pub(crate) struct Shop {
    /// The rows.
    pub(crate) state: State,
    /// When everything happens.
    pub(crate) now: Timestamp,
    commands: u64,
}

impl Shop {
    /// Opens with so many members, each of whom has one card and a thousand points.
    pub(crate) fn open(members: u64) -> Self {
        let now = Timestamp::from_second(1_795_316_400).unwrap();
        let in_force = InForce {
            programme: Arc::new(programme()),
            version: 1,
        };
        let mut shop = Self {
            state: State::new(in_force),
            now,
            commands: 0,
        };
        for number in 0..members {
            shop.enrol(number);
        }
        shop
    }

    fn enrol(&mut self, number: u64) {
        let member_id = MemberId::new(id(self.now, 1_000_000 + number));
        self.run(Operation::Enrol(Enrol {
            card_id: card(number),
            public_key: vec![4; 65],
            member_id,
            member_no: MemberNo::from_seed(number),
        }));
        self.run(Operation::Adjust(Adjustment {
            member_id,
            direction: Direction::Grant,
            points: Points::new(1_000).unwrap(),
            class: "base".to_owned(),
            scope: Scope::default(),
            reason: "bench".to_owned(),
            actor: "bench".to_owned(),
        }));
    }

    /// The next command.
    pub(crate) fn command(&mut self, operation: Operation) -> Command {
        self.commands += 1;
        Command {
            id: CommandId::new(id(self.now, self.commands)),
            operation,
        }
    }

    /// Decides and applies.
    pub(crate) fn run(&mut self, operation: Operation) -> Answer {
        let command = self.command(operation);
        let decision = decide(&self.state, &command, self.now);
        self.state.apply(&decision.changes);
        decision.answer
    }

    /// Holds points of a member for a basket.
    pub(crate) fn authorization(&mut self, member: u64) -> Command {
        let ask = Ask::Authorization {
            basket_id: basket(member),
            card: text(member, self.now),
            points: Points::new(100).unwrap(),
        };
        self.ask("hold", member, ask)
    }

    /// Spends and earns in one go.
    pub(crate) fn purchase(&mut self, member: u64) -> Command {
        let payment = Payment::Card {
            card: text(member, self.now),
            redeem: Points::new(100).unwrap(),
        };
        let ask = Ask::Purchase {
            basket_id: basket(member),
            payment,
            receipt: Arc::new(receipt(self.now)),
            advice: None,
        };
        self.ask("sale", member, ask)
    }

    /// Takes everything back that a member bought.
    #[allow(dead_code, reason = "not every bench that shares this refunds")]
    pub(crate) fn refund(&mut self, member: u64) -> Command {
        let sale = self.purchase(member);
        let decision = decide(&self.state, &sale, self.now);
        let purchase_id: PurchaseId = *decision.changes.purchases.keys().next().unwrap();
        self.state.apply(&decision.changes);
        let ask = Ask::Refund {
            purchase_id,
            lines: None,
            quote: false,
        };
        self.ask("refund", member, ask)
    }

    fn ask(&mut self, what: &str, member: u64, ask: Ask) -> Command {
        self.command(Operation::Pos(PosCommand {
            till: Till {
                terminal_id: TerminalId::new("ginza-1").unwrap(),
                store_id: StoreId::new("ginza").unwrap(),
            },
            request_id: RequestId::new(&format!("{what}-{member}")).unwrap(),
            fingerprint: [7; 32],
            ask,
        }))
    }

    /// Only the rows that these commands may read, as the store would load them.
    pub(crate) fn loaded(&self, commands: &[Command]) -> State {
        let mut keys = Keys::default();
        commands
            .iter()
            .for_each(|command| keys.add(command, self.now));
        let mut known = Keys::default();
        while keys != known {
            known = keys.clone();
            keys.follow(&self.state);
        }
        let mut state = self.state.clone();
        state.members.retain(|id, _| keys.members.contains(id));
        state.cards.retain(|id, _| keys.cards.contains(id));
        state.lots.retain(|(id, _), _| keys.members.contains(id));
        state
            .requests
            .retain(|request, _| keys.requests.contains(request));
        state
    }
}

/// Decides a batch as the writer does: each command on top of those before it.
pub(crate) fn fold(state: &State, commands: &[Command], now: Timestamp) -> (State, Changes) {
    let (mut state, mut changes) = (state.clone(), Changes::default());
    for command in commands {
        let decision = decide(&state, command, now);
        state.apply(&decision.changes);
        changes.absorb(decision.changes);
    }
    (state, changes)
}

/// Whether a till was told yes.
pub(crate) fn is_approved(answer: &Answer) -> bool {
    matches!(answer, Answer::Message(json) if json.contains("\"approved\""))
}

fn programme() -> Programme {
    serde_json::from_value(serde_json::json!({
        "id": "demo",
        "name": "Demo",
        "time_zone": "Asia/Tokyo",
        "earn": { "points": 1, "per_yen": 100 },
        "classes": { "base": { "expiry": { "kind": "activity", "months": 12 } } },
    }))
    .unwrap()
}

fn id(now: Timestamp, count: u64) -> Uuid {
    let milliseconds = u128::try_from(now.as_millisecond()).unwrap();
    Uuid::from_u128((milliseconds << 80) | (7 << 76) | (2 << 62) | (u128::from(count) << 16))
}

fn card(member: u64) -> CardId {
    CardId::new(member.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn text(member: u64, now: Timestamp) -> CardProof {
    CardProof::Text {
        card_id: card(member),
        issued_at: u32::try_from(now.as_second()).unwrap(),
        spend: SpendLimit::Unlimited,
    }
}

fn basket(member: u64) -> BasketId {
    BasketId::new(&format!("basket-{member}")).unwrap()
}

/// Six articles.
pub(crate) fn receipt(now: Timestamp) -> Receipt {
    let lines = (1..=6).map(|line_no| ReceiptLine {
        line_no,
        sku: format!("490177700{line_no:04}"),
        name: "Green tea 600 ml".to_owned(),
        category: "food".to_owned(),
        quantity: 1,
        amount: Yen::new(298).unwrap(),
        tax_rate: 8,
    });
    Receipt {
        number: "R-2026-11-22-0042".to_owned(),
        business_date: "2026-11-22".parse().unwrap(),
        occurred_at: now,
        lines: lines.collect(),
        total: Yen::new(6 * 298).unwrap(),
        tax: Yen::new(132).unwrap(),
    }
}
