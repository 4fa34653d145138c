//! `gateway audit` over a database that was lived in, and over copies of it with one row changed.

use std::sync::Arc;

use acceptance::{databases::Database, on_each_database, program::run};
use gateway::{
    clock::Clock,
    programme_file,
    store::{PoolSizes, Store},
    writer::{Writer, WriterOptions},
};
use jiff::Timestamp;
use ledger::{
    card_use::{CardProof, Till},
    command::{
        Activation, Adjustment, Ask, Command, Direction, Enrol, Operation, Payment, PosCommand,
    },
    decision::Answer,
    lot::Scope,
    member::MemberNo,
};
use member_card::{SigningKey, SpendLimit};
use pos_protocol::{
    BasketId, CommandId, MemberId, Points, Receipt, ReceiptLine, RequestId, SettlementTotals,
    StoreId, TerminalId, Yen,
};
use serde_json::Value;

on_each_database!(one_changed_row_is_named);

/// A few members' lives, through the writer.
struct Town {
    writer: Writer,
    clock: Clock,
    requests: u32,
}

impl Town {
    async fn submit(&self, operation: Operation) -> Answer {
        let id = CommandId::new(self.clock.new_id());
        let command = Command { id, operation };
        self.writer.submit(command, None).await.unwrap()
    }

    async fn ask(&mut self, ask: Ask) -> Value {
        self.requests += 1;
        let answer = self
            .submit(Operation::Pos(PosCommand {
                till: Till {
                    terminal_id: TerminalId::new("till-1").unwrap(),
                    store_id: StoreId::new("store-1").unwrap(),
                },
                request_id: RequestId::new(&format!("request-{}", self.requests)).unwrap(),
                fingerprint: [1; 32],
                ask,
            }))
            .await;
        match answer {
            Answer::Message(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn enrol(&self, scalar: u8) -> (MemberId, CardProof) {
        let key = SigningKey::from_hex(&format!("{scalar:02x}").repeat(32)).unwrap();
        let member_id = MemberId::new(self.clock.new_id());
        self.submit(Operation::Enrol(Enrol {
            card_id: key.card_id(),
            public_key: key.public_key().to_sec1().to_vec(),
            member_id,
            member_no: MemberNo::from_seed(scalar.into()),
        }))
        .await;
        self.submit(Operation::Adjust(Adjustment {
            member_id,
            direction: Direction::Grant,
            points: Points::new(1_000).unwrap(),
            class: "bonus".into(),
            scope: Scope::default(),
            reason: "test".into(),
            actor: "test".into(),
        }))
        .await;
        let issued_at = u32::try_from(self.clock.now().as_second()).unwrap();
        let card = CardProof::Text {
            card_id: key.card_id(),
            issued_at,
            spend: SpendLimit::Unlimited,
        };
        (member_id, card)
    }

    async fn hold(&mut self, basket: &str, card: CardProof) -> Value {
        self.ask(Ask::Authorization {
            basket_id: BasketId::new(basket).unwrap(),
            card,
            points: Points::new(100).unwrap(),
        })
        .await
    }
}

fn receipt(now: Timestamp) -> Arc<Receipt> {
    let business_date = now
        .to_zoned(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap())
        .saturating_sub(jiff::Span::new().hours(5))
        .date();
    let amount = Yen::new(1_000).unwrap();
    Arc::new(Receipt {
        number: "R-1".into(),
        business_date,
        occurred_at: now,
        lines: vec![ReceiptLine {
            line_no: 1,
            sku: "1".into(),
            name: "Tea".into(),
            category: "drinks".into(),
            quantity: 1,
            amount,
            tax_rate: 8,
        }],
        total: amount,
        tax: Yen::new(74).unwrap(),
    })
}

/// Fills a store with holds, purchases, a refund, a reversal, a tombstone and a settlement.
async fn live(store: &Store) {
    let clock = Clock::system();
    let (writer, lanes) = Writer::start(store, clock.clone(), &WriterOptions::for_store(store));
    let mut town = Town {
        writer,
        clock,
        requests: 0,
    };
    let programme = programme_file::parse("demo", programme_file::DEMO).unwrap();
    town.submit(Operation::ActivateProgramme(Box::new(Activation {
        replaces: 0,
        programme: Arc::new(programme),
        source: programme_file::DEMO.into(),
        actor: "test".into(),
    })))
    .await;
    let (_, first) = town.enrol(1).await;
    let (_, second) = town.enrol(2).await;
    town.enrol(3).await;
    let held = town.hold("basket-1", first).await;
    let authorization_id = held["authorization"]["id"].as_str().unwrap();
    let authorization_id = authorization_id.parse().unwrap();
    let receipt = receipt(town.clock.now());
    let bought = town
        .ask(Ask::Purchase {
            basket_id: BasketId::new("basket-1").unwrap(),
            payment: Payment::Authorization {
                authorization_id,
                redeem: None,
            },
            receipt: receipt.clone(),
            advice: None,
        })
        .await;
    let purchase_id = bought["purchase"]["id"].as_str().expect("a purchase");
    town.ask(Ask::Refund {
        purchase_id: purchase_id.parse().unwrap(),
        lines: None,
        quote: false,
    })
    .await;
    town.hold("basket-2", second).await;
    let original_request_id = RequestId::new("never-came").unwrap();
    town.ask(Ask::Reversal {
        original_request_id,
    })
    .await;
    town.ask(Ask::Settlement {
        business_date: receipt.business_date,
        totals: SettlementTotals::default(),
    })
    .await;
    drop(town);
    lanes.drained().await;
}

/// What is changed, and the row that the audit has to name first.
const TAMPERINGS: &[(&str, &str, &str)] = &[
    (
        "UPDATE lots SET available = available + 1, granted = granted + 1 WHERE held > 0",
        "lots",
        "available is 901, its transfers say 900",
    ),
    (
        "UPDATE members SET available = available + 5 WHERE held > 0",
        "members",
        "the lots say",
    ),
    (
        "UPDATE members SET open_holds = 0",
        "members",
        "open_holds is 0",
    ),
    (
        "UPDATE transfers SET points = points + 1 WHERE motive = 'capture'",
        "lots",
        "its transfers say",
    ),
    (
        "UPDATE transfers SET motive = 'expiry' WHERE motive = 'capture'",
        "transfers",
        "no move that is ever made",
    ),
    (
        "DELETE FROM transfers WHERE motive = 'hold'",
        "lots",
        "its transfers say",
    ),
    (
        "DELETE FROM members WHERE held > 0",
        "cards",
        "there is no member",
    ),
    (
        "DELETE FROM lots WHERE held > 0",
        "transfers",
        "is not one of the member's",
    ),
    (
        "UPDATE authorizations SET state = 'voided', resolved_at = 1 WHERE state = 'held'",
        "lots",
        "the open holds say 0",
    ),
    (
        "DELETE FROM purchases",
        "authorizations",
        "0 purchases took it",
    ),
    (
        "UPDATE purchases SET basket_id = 'other'",
        "purchases",
        "basket other",
    ),
    (
        "UPDATE purchases SET restored = 0",
        "purchases",
        "restored is 0",
    ),
    (
        "UPDATE card_uses SET purchase_id = NULL",
        "card_uses",
        "it names purchase none",
    ),
    ("DELETE FROM refunds", "purchases", "its refunds say 0"),
    (
        "DELETE FROM requests WHERE kind = 'purchase'",
        "purchases",
        "0 stored requests",
    ),
    (
        "UPDATE requests SET answer = '{}' WHERE kind = 'refund'",
        "requests",
        "till-1/request-3: its answer cannot be read",
    ),
    (
        "UPDATE requests SET effect = NULL WHERE kind = 'authorization'",
        "authorizations",
        "0 stored requests",
    ),
    (
        "DELETE FROM requests WHERE kind = 'settlement'",
        "settlements",
        "the requests that made one say 0",
    ),
    (
        "DELETE FROM events WHERE kind = 'purchase.completed'",
        "events",
        "is due",
    ),
    (
        "DELETE FROM events WHERE kind = 'programme.activated'",
        "outbox",
        "its event is not there",
    ),
    (
        "DELETE FROM outbox WHERE event_id = (SELECT event_id FROM events WHERE kind = 'programme.activated')",
        "events",
        "does not wait to be sent",
    ),
    (
        "INSERT INTO event_stream (stream_sequence, event_id, member_id)
         SELECT 2, event_id, member_id FROM events WHERE kind = 'programme.activated'",
        "event_stream",
        "2: a place before it is missing",
    ),
    (
        "INSERT INTO event_stream (stream_sequence, event_id)
         SELECT 1, event_id FROM events WHERE kind = 'member.enrolled' LIMIT 1",
        "event_stream",
        "1: its event is not there, or is another member's",
    ),
    (
        "UPDATE events SET subject = 'member/x' WHERE kind = 'member.enrolled'",
        "events",
        "which is not there",
    ),
    (
        "UPDATE authorizations SET parts = '[{' WHERE state = 'held'",
        "authorizations",
        "column",
    ),
];

async fn one_changed_row_is_named(database: Database) {
    let store = database.migrated().await;
    live(&store).await;
    store.close().await;
    let ran = run(&["audit", "--database-url", database.url()]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("clean: 3 members"), "{}", ran.out);
    for (statements, table, detail) in TAMPERINGS {
        let copy = database.copy().await;
        copy.tamper(statements).await;
        let ran = run(&["audit", "--quiet", "--database-url", copy.url()]);
        assert_eq!(ran.code, 1, "{statements}\n{}{}", ran.out, ran.err);
        let last = ran.out.lines().last().unwrap_or_default();
        assert!(
            last.starts_with(&format!("broken: {table} ")),
            "{statements}\n{}",
            ran.out
        );
        assert!(last.contains(detail), "{statements}\n{}", ran.out);
    }
    let ran = run(&[
        "audit",
        "--json",
        "--quiet",
        "--database-url",
        database.url(),
    ]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["clean"], true);
    // An audit changes nothing, also not by looking.
    let store = database.open(PoolSizes::default()).await;
    assert!(store.programme().await.unwrap().is_some());
    store.close().await;
}
